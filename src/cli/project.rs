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
            let below = |path: &String| PathBuf::from(file::shown(&file.folder.join(path)));
            let (there, missing): (Vec<_>, Vec<_>) =
                file.contents.rules.iter().enumerate().partition(|(_, path)| below(path).is_dir());
            if !missing.is_empty() {
                let problem = |(n, path): &(usize, &String)| {
                    file.at(&["rules", &n.to_string()], format!("rules folder \"{path}\" is not there"))
                };
                return Err(complain(&missing.iter().map(problem).collect::<Vec<Problem>>()));
            }
            folders.extend(there.into_iter().map(|(_, path)| below(path)));
            tables.extend(file.contents.tables.iter().map(|(name, path)| (name.clone(), below(path))));
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
