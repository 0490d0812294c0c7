//! The configuration and the rules that a command works with.

use std::path::{Path, PathBuf};

use super::copy::Copy;
use super::{Status, complain};
use crate::config::file::{self, ConfigFile};
use crate::finding::Problem;
use crate::rule::load;
use crate::run::Loaded;
use crate::source::git::Repository;
use crate::source::walk::CONFIGURATIONS;

/// Where rules and settings come from.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Origin {
    /// Folder with rules that add to the built-in ones or replace them; repeatable
    #[arg(long = "rules", value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// The configuration; the default is the plimsoll.yaml beside the paths or above, up to the repository's root
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    config: Option<PathBuf>,
    /// Read no configuration
    #[arg(long)]
    no_config: bool,
    /// Read the configuration, with the rules, the tables and the baseline that it names, from a revision: a
    /// pull request can't loosen its own check by them
    #[arg(long, value_name = "REV", conflicts_with = "no_config")]
    config_from: Option<String>,
}

/// What was read.
pub(super) struct Project {
    pub(super) loaded: Loaded,
    pub(super) file: Option<ConfigFile>,
    /// The folders that the rules come from, beside the built-in ones.
    pub(super) folders: Vec<PathBuf>,
    /// What the configuration comes from, if that is a revision.
    pub(super) copy: Option<Copy>,
}

impl Project {
    /// The rules of folders beside the built-in ones, without a configuration.
    pub(super) fn of_folders(folders: Vec<PathBuf>) -> Project {
        let (set, problems) = load::load(&folders, &[]);
        Project { loaded: Loaded::new(set, problems), file: None, folders, copy: None }
    }
}

impl Origin {
    /// Whether the configuration comes from a revision.
    pub(super) fn is_of_revision(&self) -> bool {
        self.config_from.is_some()
    }

    /// Reads the configuration for paths, and all rules.
    pub(super) fn read(&self, paths: &[PathBuf]) -> Result<Project, Status> {
        let (file, copy) = match &self.config_from {
            Some(revision) => self.of_revision(revision, paths),
            None => self.configuration(paths).map(|file| (file, None)),
        }
        .map_err(|problems| complain(&problems))?;
        let mut folders = Vec::new();
        let mut tables = Vec::new();
        if let Some(file) = &file {
            let mut problems = Vec::new();
            for (number, path) in file.contents.rules.iter().enumerate() {
                match file.stored_below(path) {
                    Some(folder) if folder.is_dir() => folders.push(folder),
                    Some(_) => problems.push(
                        file.at(&["rules", &number.to_string()], format!("rules folder \"{path}\" is not there")),
                    ),
                    None => problems.push(file.at(&["rules", &number.to_string()], outside(path))),
                }
            }
            for (name, path) in &file.contents.tables {
                match file.stored_below(path) {
                    Some(table) if table.is_file() => tables.push((name.clone(), table)),
                    Some(_) => problems.push(file.at(&["tables", name], format!("table \"{path}\" is not there"))),
                    None => problems.push(file.at(&["tables", name], outside(path))),
                }
            }
            if !problems.is_empty() {
                return Err(complain(&problems));
            }
        }
        folders.extend(self.folders.iter().cloned());
        let (set, problems) = load::load(&folders, &tables);
        Ok(Project { loaded: Loaded::new(set, problems), file, folders, copy })
    }

    fn configuration(&self, paths: &[PathBuf]) -> Result<Option<ConfigFile>, Vec<Problem>> {
        if self.no_config {
            return Ok(None);
        }
        match self.config.clone().or_else(|| file::find(paths)) {
            Some(path) => file::read(&path).map(Some),
            None => Ok(None),
        }
    }
}

impl Origin {
    /// The configuration as a revision has it; none where it has none.
    fn of_revision(
        &self,
        revision: &str,
        paths: &[PathBuf],
    ) -> Result<(Option<ConfigFile>, Option<Copy>), Vec<Problem>> {
        let told = |problem: Problem| vec![problem];
        let here = [PathBuf::from(".")];
        let paths: Vec<&PathBuf> = if paths.is_empty() { &here[..] } else { paths }.iter().collect();
        let repository = Repository::around(paths[0]).map_err(|failure| told(failure.into()))?;
        let commit = repository.commit(revision).map_err(|failure| told(failure.into()))?;
        let Some(commit) = commit else { return Ok((None, None)) };
        let is_wanted = |path: &str| {
            let name = path.rsplit('/').next().unwrap_or(path);
            let is_text = [".rhai", ".yaml", ".yml", ".json"].iter().any(|extension| name.ends_with(extension));
            is_text || CONFIGURATIONS.contains(&name)
        };
        let copy = Copy::of(&repository, &commit, &is_wanted).map_err(told)?;
        let there = |path: &Path| {
            let below = copy.of_path(path)?;
            below.ancestors().find(|part| part.exists()).map(Path::to_path_buf)
        };
        let path = match &self.config {
            Some(config) => match copy.of_path(config).filter(|path| path.is_file()) {
                Some(path) => Some(path),
                None => {
                    let message = format!("{revision} has no configuration \"{}\"", config.display());
                    return Err(told(Problem::error(message)));
                }
            },
            None => file::find(&paths.iter().filter_map(|path| there(path)).collect::<Vec<_>>()),
        };
        let Some(path) = path else { return Ok((None, Some(copy))) };
        let file = file::read(&path)?;
        let folder = path.parent().and_then(|folder| folder.strip_prefix(copy.root()).ok());
        let folder = repository.top.join(folder.unwrap_or(Path::new("")));
        Ok((Some(file.of_revision(revision, folder)), Some(copy)))
    }
}

fn outside(path: &str) -> String {
    format!("\"{path}\" leads out of the configuration's folder; name such rules with --rules")
}
