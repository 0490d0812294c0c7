//! `plimsoll test`

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::{Status, complain, out, project};
use crate::config::file;
use crate::example;
use crate::finding::Problem;
use crate::run::Loaded;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Folders with rules; nothing means those of the configuration, else the built-in rules
    #[arg(value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// List what passes, too
    #[arg(long, short)]
    verbose: bool,
    /// Test again whenever a file changes
    #[arg(long)]
    watch: bool,
}

pub(super) fn run(arguments: &Arguments) -> Status {
    if !arguments.watch {
        return once(arguments);
    }
    loop {
        let before = state(arguments);
        if std::io::stdout().is_terminal() {
            // Clears the screen and the lines above it.
            out("\u{1b}[2J\u{1b}[3J\u{1b}[H");
        }
        once(arguments);
        out("waiting for changes; Ctrl-C ends it\n");
        while state(arguments) == before {
            std::thread::sleep(POLL);
        }
    }
}

/// How often files are looked at. Events of the file system do not reach every container and volume.
const POLL: Duration = Duration::from_millis(300);

/// Every file of the folders with its age and size.
fn state(arguments: &Arguments) -> Vec<(PathBuf, Option<SystemTime>, u64)> {
    let folders = match folders(arguments) {
        Ok(folders) => folders,
        // Tests that are shown once told what is wrong; the configuration may become right.
        Err(_) => vec![PathBuf::from(".")],
    };
    let files = folders.iter().flat_map(|f| walkdir::WalkDir::new(f).max_depth(8).sort_by_file_name()).flatten();
    let configuration = file::find(&[]).into_iter();
    let described = |path: PathBuf| {
        let metadata = path.metadata().ok();
        let modified = metadata.as_ref().and_then(|m| m.modified().ok());
        (path, modified, metadata.map_or(0, |m| m.len()))
    };
    files.map(walkdir::DirEntry::into_path).chain(configuration).map(described).collect()
}

/// The folders that are tested; none for the built-in rules.
fn folders(arguments: &Arguments) -> Result<Vec<PathBuf>, Status> {
    if arguments.folders.is_empty() {
        return Ok(project::Origin::default().read(&[])?.folders);
    }
    Ok(arguments.folders.clone())
}

fn once(arguments: &Arguments) -> Status {
    let project = if arguments.folders.is_empty() {
        match project::Origin::default().read(&[]) {
            Ok(project) => project,
            Err(status) => return status,
        }
    } else {
        project::Project::of_folders(arguments.folders.clone())
    };
    let project::Project { loaded, folders, .. } = project;
    if !loaded.problems.is_empty() {
        complain(&loaded.problems);
    }
    let (mut passed, mut failed) = (0, 0);
    let mut text = String::new();
    for (number, rule) in loaded.set.rules.iter().enumerate() {
        if rule.built_in != folders.is_empty() || loaded.checked.broken[number] {
            continue;
        }
        for result in example::test(&loaded, rule) {
            if result.failures.is_empty() {
                passed += 1;
                if arguments.verbose {
                    text += &format!("ok    {}\n", result.name);
                }
            } else {
                failed += 1;
                text += &format!("FAIL  {} ({}:{})\n", result.name, rule.file.name, result.line);
                text.extend(result.failures.iter().map(|f| format!("      {f}\n")));
            }
            if arguments.verbose || !result.failures.is_empty() {
                text.extend(result.hints.iter().map(|h| format!("      note: {h}\n")));
            }
        }
        for name in unknown_properties(&loaded, number) {
            text += &format!("note  {}: no example has a key \"{name}\"; is it spelt right?\n", rule.id);
        }
    }
    out(&crate::report::sanitize::clean(&text));
    out(&format!("{passed} examples passed, {failed} failed\n"));
    if folders.is_empty() {
        out("These are the built-in rules: no folder with others is named here or in a configuration\n");
    }
    if passed + failed == 0 && loaded.problems.is_empty() {
        return complain(&[Problem::error("there is no rule to test here")]);
    }
    match (loaded.problems.is_empty(), failed) {
        (false, _) => Status::Error,
        (true, 0) => Status::Clean,
        _ => Status::Findings,
    }
}

/// Keys that the code reads and no example of the rule has. Columns of tables are read in the same way.
fn unknown_properties(loaded: &Loaded, number: usize) -> Vec<String> {
    let rule = &loaded.set.rules[number];
    let texts: Vec<&str> = rule.page.examples.iter().flat_map(|e| &e.files).map(|f| f.text.as_str()).collect();
    let is_column =
        |name: &str| loaded.set.tables.values().flat_map(|t| t.rows.values()).any(|row| row.contains_key(name));
    let used = loaded.checked.used[number].iter().filter(|name| *name != "len" && !is_column(name));
    used.filter(|name| !texts.iter().any(|text| has_key(text, name))).cloned().collect()
}

/// Whether a name stands before a colon, in quotes or not; in texts within the text, too.
fn has_key(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].trim_start_matches(['"', '\'', '\\']).trim_start_matches(' ');
        after.starts_with(':') && before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '.' | '/'))
    })
}
