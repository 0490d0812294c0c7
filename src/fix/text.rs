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
    let permissions = fs::metadata(&real)?.permissions();
    replace(&real, text, Some(permissions))
}

/// Writes a new file, or replaces one, at once: nobody ever sees half of the text. Permissions stay. A
/// symbolic link is replaced, never followed: it may lead anywhere. What is no file, such as a pipe,
/// `/dev/stdout` or `/dev/fd/3`, is written to.
pub fn create(path: &Path, text: &str) -> io::Result<()> {
    let there = fs::symlink_metadata(path).ok();
    let is_of_system = ["/dev", "/proc"].iter().any(|folder| path.starts_with(folder));
    let is_open = |m: &fs::Metadata| if m.is_symlink() { is_of_system } else { !m.is_file() && !m.is_dir() };
    if there.as_ref().is_some_and(is_open) {
        return fs::OpenOptions::new().append(true).open(path)?.write_all(text.as_bytes());
    }
    if there.as_ref().is_some_and(fs::Metadata::is_dir) {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    replace(path, text, there.filter(fs::Metadata::is_file).map(|m| m.permissions()))
}

/// Writes beside a file, and renames.
fn replace(path: &Path, text: &str, permissions: Option<fs::Permissions>) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.plimsoll", std::process::id()));
    let temporary = path.with_file_name(temporary);
    if permissions.as_ref().is_some_and(fs::Permissions::readonly) {
        // A rename would replace it all the same.
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let written = fs::File::create_new(&temporary).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        if let Some(permissions) = permissions {
            file.set_permissions(permissions)?;
        }
        file.sync_all()?;
        drop(file);
        fs::rename(&temporary, path)
    });
    if matches!(&written, Err(error) if error.kind() != io::ErrorKind::AlreadyExists) {
        let _ = fs::remove_file(&temporary);
    }
    written
}
