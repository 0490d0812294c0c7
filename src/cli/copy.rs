//! A revision of the repository, laid out in a temporary folder.

use std::path::{Path, PathBuf};

use crate::finding::Problem;
use crate::source::git::Repository;

/// The copy; it goes when this is dropped.
pub(super) struct Copy {
    repository: Repository,
    root: PathBuf,
    _folder: tempfile::TempDir,
}

impl Copy {
    /// Lays out the files of a commit for which `wanted` holds.
    ///
    /// # Errors
    ///
    /// A folder that can't be written, or a commit that is not at hand.
    pub(super) fn of(repository: &Repository, commit: &str, wanted: &dyn Fn(&str) -> bool) -> Result<Copy, Problem> {
        let unusable = |error: std::io::Error| Problem::error(format!("no temporary folder: {error}"));
        let folder = tempfile::tempdir().map_err(unusable)?;
        let root = folder.path().canonicalize().unwrap_or_else(|_| folder.path().to_path_buf());
        // Walks and searches end at a repository's root.
        std::fs::create_dir(root.join(".git")).map_err(unusable)?;
        repository.export(commit, &root, wanted)?;
        Ok(Copy { repository: repository.clone(), root, _folder: folder })
    }

    /// The root of the copy.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The path that a path of the work tree has in the copy, whether it is there or not; nothing for one
    /// that lies outside of the repository.
    pub(super) fn of_path(&self, path: &Path) -> Option<PathBuf> {
        Some(self.root.join(self.repository.below(path)?))
    }
}
