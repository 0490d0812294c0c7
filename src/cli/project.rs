//! The configuration and the rules that a command works with.

use std::path::PathBuf;

use super::{Status, complain};
use crate::config::file::{self, ConfigFile};
use crate::finding::Problem;
use crate::rule::load;
use crate::run::Loaded;

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
}

/// What was read.
pub(super) struct Project {
    pub(super) loaded: Loaded,
    pub(super) file: Option<ConfigFile>,
    /// The folders that the rules come from, beside the built-in ones.
    pub(super) folders: Vec<PathBuf>,
}

impl Project {
    /// The rules of folders beside the built-in ones, without a configuration.
    pub(super) fn of_folders(folders: Vec<PathBuf>) -> Project {
        let (set, problems) = load::load(&folders, &[]);
        Project { loaded: Loaded::new(set, problems), file: None, folders }
    }
}

impl Origin {
    /// Reads the configuration for paths, and all rules.
    pub(super) fn read(&self, paths: &[PathBuf]) -> Result<Project, Status> {
        let file = self.configuration(paths).map_err(|problems| complain(&problems))?;
        let mut folders = Vec::new();
        let mut tables = Vec::new();
        if let Some(file) = &file {
            let mut problems = Vec::new();
            for (number, path) in file.contents.rules.iter().enumerate() {
                match file.below(path) {
                    Some(folder) if folder.is_dir() => folders.push(folder),
                    Some(_) => problems.push(
                        file.at(&["rules", &number.to_string()], format!("rules folder \"{path}\" is not there")),
                    ),
                    None => problems.push(file.at(&["rules", &number.to_string()], outside(path))),
                }
            }
            for (name, path) in &file.contents.tables {
                match file.below(path) {
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
        Ok(Project { loaded: Loaded::new(set, problems), file, folders })
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

fn outside(path: &str) -> String {
    format!("\"{path}\" leads out of the configuration's folder; name such rules with --rules")
}
