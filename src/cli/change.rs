//! `--since` and `--focus`: what a change did, and what touches its files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::copy::Copy;
use super::err;
use super::input;
use super::render::Plan;
use crate::change::{Before, Focus};
use crate::config::Settings;
use crate::finding::Problem;
use crate::run::Loaded;
use crate::source::git::Repository;
use crate::source::walk::{Collected, display, is_manifest};
use crate::source::{SourceFile, Sources};

/// Which findings a run is about.
#[derive(Debug, clap::Args)]
pub(super) struct Change {
    /// Report only what is new since a revision: the state where this branch left it is judged, too
    #[arg(long, value_name = "REV")]
    since: Option<String>,
    /// Read the whole project, and report only what touches these files, or files in these folders; files among
    /// the PATHs count, too, and folders there are what is read
    #[arg(long, num_args = 0.., value_name = "FILE")]
    focus: Option<Vec<PathBuf>>,
}

impl Change {
    /// Whether it is about a part of what is read.
    pub(super) fn is_partial(&self) -> bool {
        self.since.is_some() || self.focus.is_some()
    }

    /// What is read, and the files that findings have to touch: with `--focus`, files are in focus and
    /// folders are read; without a folder it is the whole project.
    pub(super) fn scope(&self, paths: &[PathBuf]) -> (Vec<PathBuf>, Option<Focus>) {
        let Some(focus) = &self.focus else { return (paths.to_vec(), None) };
        let is_read = |path: &&PathBuf| path.is_dir() || path.as_os_str() == "-";
        let (read, files): (Vec<&PathBuf>, Vec<&PathBuf>) = paths.iter().partition(is_read);
        let mut read: Vec<PathBuf> = read.into_iter().cloned().collect();
        let files: Vec<PathBuf> = files.into_iter().chain(focus).cloned().collect();
        for file in files.iter().filter(|file| file.symlink_metadata().is_err()) {
            // It may have been deleted.
            err(&format!("plimsoll: no file is called \"{}\"; nothing can touch it\n", file.display()));
        }
        if read.is_empty() {
            read.push(project_of(&files));
        }
        (read, Some(Focus::new(files.into_iter())))
    }

    /// Whether it is measured against something.
    pub(super) fn is_measured(&self) -> bool {
        self.since.is_some()
    }

    /// Judges what was there before the change.
    ///
    /// # Errors
    ///
    /// No repository, or a revision that can't be read.
    pub(super) fn before(
        &self,
        paths: &[PathBuf],
        plan: &Plan,
        loaded: &Loaded,
        settings: &Settings,
    ) -> Result<Option<Arc<Before>>, Problem> {
        let Some(revision) = &self.since else { return Ok(None) };
        if paths.iter().any(|path| path.as_os_str() == "-") {
            return Err(Problem::error("--since: standard input has no earlier state"));
        }
        let here = PathBuf::from(".");
        let repository = Repository::around(paths.first().unwrap_or(&here))?;
        let mut before = Before::default();
        if let Some(commit) = repository.commit(revision)? {
            let base = repository.merge_base(revision, &commit)?;
            before = at(&repository, &base, (paths, plan), loaded, settings)?;
            let short = base.get(..7).unwrap_or(&base);
            let is_known = base.starts_with(revision.as_str());
            before.name = if is_known { short.to_string() } else { format!("{revision} ({short})") };
        } else {
            before.name = "the time before the first commit".to_string();
        }
        Ok(Some(Arc::new(before)))
    }
}

/// The folder of the project that files belong to: where its configuration lies, else the repository's
/// root, else the current folder.
fn project_of(files: &[PathBuf]) -> PathBuf {
    let there: Vec<PathBuf> = files.iter().filter(|file| file.exists()).cloned().collect();
    let configuration = crate::config::file::find(&there).and_then(|file| file.parent().map(Path::to_path_buf));
    let around = there.first().map_or(Path::new("."), |file| file.as_path());
    let folder = configuration.or_else(|| Repository::around(around).ok().map(|repository| repository.top));
    // Names stay those of the current folder where they can.
    let current = Path::new(".").canonicalize().unwrap_or_default();
    match folder {
        Some(folder) if folder != current => match folder.strip_prefix(&current) {
            Ok(below) => below.to_path_buf(),
            Err(_) => folder,
        },
        _ => PathBuf::from("."),
    }
}

/// What a check of a commit finds, under the names that files have in the work tree.
fn at(
    repository: &Repository,
    commit: &str,
    (paths, plan): (&[PathBuf], &Plan),
    loaded: &Loaded,
    settings: &Settings,
) -> Result<Before, Problem> {
    // A rendering may need any file. What `.gitignore` names and git holds all the same is there, too.
    let is_wanted = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        name != ".gitignore" && (!plan.is_empty() || is_manifest(Path::new(path)))
    };
    let copy = Copy::of(repository, commit, &is_wanted)?;
    let mut moved = Vec::new();
    for path in paths {
        let Some(then) = copy.of_path(path) else {
            return Err(Problem::error(format!("\"{}\" lies outside of the repository", path.display())));
        };
        if then.exists() {
            moved.push((path.clone(), then));
        }
    }
    let mut settings = settings.for_earlier(&repository.top, copy.root());
    let plan = plan.moved(&|path| copy.of_path(path).filter(|then| then.exists()));
    let then: Vec<PathBuf> = moved.iter().map(|(_, then)| then.clone()).collect();
    let mut collected = input::collect(&then, &mut settings).map_err(|mut problems| problems.remove(0))?;
    plan.carry_out(&mut collected);
    let here = copy.of_path(Path::new(".")).unwrap_or_else(|| copy.root().to_path_buf());
    let name = |name: &str| now(name, &moved, &here, (copy.root(), &repository.top));
    settings.context = settings.context.iter().map(|file| name(file)).collect();
    settings.named = settings.named.iter().map(|file| name(file)).collect();
    let Collected { sources, failures, .. } = collected;
    let renamed = |mut file: SourceFile| {
        file.name = name(&file.name);
        file.rendered = file.rendered.map(|rendered| Arc::new(rendered.renamed(&name)));
        file
    };
    let sources = Sources::new(sources.into_files().into_iter().map(renamed).collect());
    let mut before = crate::check(&sources, loaded, &settings).before;
    before.failures = failures;
    Ok(before)
}

/// The name that a file of the copy has in the work tree.
fn now(name: &str, moved: &[(PathBuf, PathBuf)], here: &Path, (copy, top): (&Path, &Path)) -> String {
    let path = Path::new(name);
    let by_argument = moved.iter().filter_map(|(now, then)| Some((now, path.strip_prefix(then).ok()?)));
    let now = match by_argument.min_by_key(|(_, below)| below.components().count()) {
        Some((now, below)) if below.as_os_str().is_empty() => now.clone(),
        Some((now, below)) if now.as_os_str() == "." => below.to_path_buf(),
        Some((now, below)) => now.join(below),
        None => match (path.strip_prefix(here), path.strip_prefix(copy)) {
            (Ok(below), _) => below.to_path_buf(),
            (_, Ok(below)) => top.join(below),
            _ => path.to_path_buf(),
        },
    };
    display(&now)
}
