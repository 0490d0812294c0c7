//! Flags that say what switches findings off, and where the baseline lies.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::baseline::{Baseline, LARGEST};
use crate::config::file::{self, ConfigFile};
use crate::config::{Settings, relative};
use crate::finding::Problem;
use crate::source::walk::BASELINE;
use crate::source::{SourceFile, Sources};

#[derive(Debug, clap::Args)]
pub(super) struct Suppressing {
    /// The baseline; the default is the plimsoll-baseline.json beside the configuration, else in the
    /// repository's root, else in the current folder
    #[arg(long, value_name = "FILE", conflicts_with = "no_baseline")]
    baseline: Option<PathBuf>,
    /// Read no baseline
    #[arg(long)]
    no_baseline: bool,
    /// Show everything: no comment, no annotation, no entry of the configuration or the baseline counts
    #[arg(long)]
    no_suppress: bool,
}

/// Where a project lies.
pub(super) struct Home<'a> {
    /// Its configuration.
    pub(super) file: Option<&'a ConfigFile>,
    /// What is checked of it.
    pub(super) paths: &'a [PathBuf],
    /// The revision that the baseline is read from, if it is not the work tree: a copy of it, where it has
    /// any commit.
    pub(super) revision: Option<Option<&'a Path>>,
}

impl Suppressing {
    /// Reads the baseline, where it is wanted.
    ///
    /// # Errors
    ///
    /// It can't be used, or one that was named is not there.
    pub(super) fn settle(&self, settings: &mut Settings, home: &Home<'_>, with_baseline: bool) -> Result<(), Problem> {
        settings.suppressing.off = self.no_suppress;
        if self.no_suppress {
            settings.suppressing.configuration = None;
            return Ok(());
        }
        let read = real(home.paths);
        settings.suppressing.whole_project =
            home.file.is_some_and(|file| read.iter().any(|path| file.folder.starts_with(path)));
        if self.no_baseline || !with_baseline {
            return Ok(());
        }
        let Some((path, is_named)) = self.stored(home)? else { return Ok(()) };
        if !is_named && path.symlink_metadata().is_err() {
            return Ok(());
        }
        let mut source = read_baseline(&path)?;
        let shown = self.path(home)?;
        if shown != path {
            let name = format!("{} of the revision", file::shown(&shown));
            source = Arc::new(SourceFile::new(name, None, source.text.clone()));
        }
        let has_entries = !Baseline::parse(&source)?.findings.is_empty();
        settings.suppressing.baseline = has_entries.then_some(source);
        Ok(())
    }

    /// Notes whether everything was read that the baseline speaks of.
    pub(super) fn compare(&self, settings: &mut Settings, sources: &Sources, home: &Home<'_>) {
        let Some(source) = &settings.suppressing.baseline else { return };
        let Ok(baseline) = Baseline::parse(source) else { return };
        let Some(folder) = self.path(home).ok().as_deref().and_then(folder_of) else { return };
        settings.suppressing.whole_baseline = was_read(&baseline, &folder, sources, home.paths);
    }

    /// Where the baseline of the work tree lies, or would lie.
    ///
    /// # Errors
    ///
    /// The configuration names a place outside of its folder.
    pub(super) fn path(&self, home: &Home<'_>) -> Result<PathBuf, Problem> {
        if let Some(path) = &self.baseline {
            return Ok(path.clone());
        }
        let Some(file) = home.file else {
            return Ok(file::repository_root(home.paths).unwrap_or_default().join(BASELINE));
        };
        match &file.contents.baseline {
            Some(path) => file.below(path).ok_or_else(|| outside(file, path)),
            None => Ok(file.folder.join(BASELINE)),
        }
    }

    /// Where the baseline is read, and whether somebody said so; nothing where there can be none.
    fn stored(&self, home: &Home<'_>) -> Result<Option<(PathBuf, bool)>, Problem> {
        if let Some(path) = &self.baseline {
            return Ok(Some((path.clone(), true)));
        }
        match (home.file, home.revision) {
            (Some(file), _) => match &file.contents.baseline {
                Some(path) => Ok(Some((file.stored_below(path).ok_or_else(|| outside(file, path))?, true))),
                None => Ok(Some((file.stored.join(BASELINE), false))),
            },
            (None, Some(copy)) => Ok(copy.map(|copy| (copy.join(BASELINE), false))),
            (None, None) => Ok(Some((self.path(home)?, false))),
        }
    }
}

fn outside(file: &ConfigFile, path: &str) -> Problem {
    file.at(&["baseline"], format!("\"{path}\" leads out of the configuration's folder"))
}

/// Reads a baseline's text.
///
/// # Errors
///
/// Why it can't be read.
pub(super) fn read_baseline(path: &Path) -> Result<Arc<SourceFile>, Problem> {
    let name = file::shown(path);
    let wrong = |reason: String| Problem::error(format!("baseline \"{name}\" can't be read: {reason}"));
    // A link to elsewhere would have any file of the machine read, and its text told.
    let leads_out = |real: PathBuf| folder_of(path).is_some_and(|folder| !real.starts_with(folder));
    if path.canonicalize().is_ok_and(leads_out) {
        return Err(wrong("it is a link that leads out of its folder".to_string()));
    }
    let text = file::read_text(path, LARGEST).map_err(|reason| wrong(reason).help("plimsoll baseline writes it"))?;
    Ok(Arc::new(SourceFile::new(name, Some(path), text)))
}

/// Whether a run reads all that a baseline was made of, and every file that it speaks of and that is
/// still there.
fn was_read(baseline: &Baseline, folder: &Path, sources: &Sources, paths: &[PathBuf]) -> bool {
    let read = real(paths);
    let covers = |path: &String| match path.as_str() {
        "-" => paths.iter().any(|path| path.as_os_str() == "-"),
        path => folder.join(path).canonicalize().map_or(true, |real| read.iter().any(|path| real.starts_with(path))),
    };
    let names: std::collections::HashSet<String> = sources.iter().map(|(_, file)| path_from(folder, file)).collect();
    let mut spoken: Vec<&str> = baseline.findings.values().map(|entry| entry.path.as_str()).collect();
    spoken.sort_unstable();
    spoken.dedup();
    // What was rendered lies in no file: nobody can tell whether it is gone.
    let is_gone = |path: &str| !path.contains('<') && !folder.join(path).exists();
    baseline.paths.iter().all(covers) && spoken.into_iter().all(|path| names.contains(path) || is_gone(path))
}

/// The path of a text as a baseline in a folder writes it.
pub(super) fn path_from(folder: &Path, file: &SourceFile) -> String {
    file.path.as_deref().map_or_else(|| file.name.clone(), |path| relative(folder, path))
}

/// The folder of a file, without links; the file itself need not be there.
pub(super) fn folder_of(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    folder.canonicalize().ok()
}

/// Arguments without links; nothing means the current folder.
pub(super) fn real(paths: &[PathBuf]) -> Vec<PathBuf> {
    let here = [PathBuf::from(".")];
    let paths = if paths.is_empty() { &here[..] } else { paths };
    paths.iter().filter_map(|path| path.canonicalize().ok()).collect()
}
