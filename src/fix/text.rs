//! Changed texts on their way out: as a diff, and to disk.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use similar::TextDiff;

/// A unified diff with three lines of context, as `git apply` takes it; empty if nothing changed.
pub fn diff(name: &str, old: &str, new: &str) -> String {
    let name = name.trim_start_matches('/');
    let diff = TextDiff::from_lines(old, new);
    diff.unified_diff().context_radius(3).header(&format!("a/{name}"), &format!("b/{name}")).to_string()
}

/// Replaces a file at once: nobody ever sees half of the text. Permissions stay, and a symbolic link
/// stays one.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    let real = fs::canonicalize(path)?;
    let name = real.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.plimsoll", std::process::id()));
    let temporary = real.with_file_name(temporary);

    let permissions = fs::metadata(&real)?.permissions();
    if permissions.readonly() {
        // A rename would replace it all the same.
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let written = fs::File::create_new(&temporary).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.set_permissions(permissions)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&temporary, &real)
    });
    if matches!(&written, Err(error) if error.kind() != io::ErrorKind::AlreadyExists) {
        let _ = fs::remove_file(&temporary);
    }
    written
}
