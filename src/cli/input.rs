//! Arguments to texts: what a command reads.

use std::io::Read;
use std::path::PathBuf;

use crate::config::Settings;
use crate::finding::Problem;
use crate::layout::path::normal;
use crate::source::git::Repository;
use crate::source::walk::{self, Collected, STDIN};
use crate::source::{SourceFile, Sources};

/// The paths that are read where none is given: the current folder.
pub(super) fn or_here(paths: &[PathBuf]) -> Vec<PathBuf> {
    if paths.is_empty() { vec![PathBuf::from(".")] } else { paths.to_vec() }
}

/// Reads files, folders and standard input.
pub(super) fn collect(paths: &[PathBuf], settings: &mut Settings) -> Result<Collected, Vec<Problem>> {
    settings.named = paths.iter().map(|p| normal(&p.to_string_lossy().replace('\\', "/"))).collect();
    settings.named.insert(normal(STDIN));
    let (mut stdin, mut unreadable) = (None, None);
    if paths.iter().any(|p| p.as_os_str() == "-") {
        let mut bytes = Vec::new();
        if let Err(error) = std::io::stdin().lock().read_to_end(&mut bytes) {
            return Err(vec![Problem::error(format!("standard input can't be read: {error}"))]);
        }
        match walk::decode(bytes) {
            Ok(text) => stdin = Some(text),
            Err(reason) => unreadable = Some(SourceFile::unreadable(STDIN, None, reason)),
        }
    }
    let is_readable = |p: &&PathBuf| unreadable.is_none() || p.as_os_str() != "-";
    let paths: Vec<PathBuf> = paths.iter().filter(is_readable).cloned().collect();
    let excluded = |path: &std::path::Path| settings.excludes(path).map(str::to_string);
    let hidden = |folder: &std::path::Path| {
        let repository = settings.tracked_too.then(|| Repository::around(folder).ok()).flatten();
        repository.and_then(|repository| repository.tracked_but_ignored(folder).ok()).unwrap_or_default()
    };
    let mut collected = walk::collect(&paths, stdin, &excluded, &hidden)
        .map_err(|wrong| wrong.into_iter().map(Problem::error).collect::<Vec<_>>())?;
    settings.context = collected.context.iter().cloned().collect();
    let beside: Vec<SourceFile> = settings.suppressing.texts().map(|file| file.with_text(file.text.clone())).collect();
    if unreadable.is_some() || !beside.is_empty() {
        let mut files = std::mem::take(&mut collected.sources).into_files();
        // Somebody may have named them as manifests.
        files.retain(|file| !beside.iter().any(|other| is_same(file, other)));
        collected.sources = Sources::new(files.into_iter().chain(unreadable).chain(beside).collect());
    }
    Ok(collected)
}

fn is_same(file: &SourceFile, other: &SourceFile) -> bool {
    let end = |file: &SourceFile| file.path.as_ref().and_then(|path| path.file_name().map(ToOwned::to_owned));
    let real = |file: &SourceFile| file.path.as_ref().and_then(|path| path.canonicalize().ok());
    file.name == other.name || (end(file) == end(other) && real(file).is_some() && real(file) == real(other))
}
