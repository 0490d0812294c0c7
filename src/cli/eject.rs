//! `plimsoll eject`: built-in rules as files of one's own.

use std::path::{Path, PathBuf};

use super::{Status, complain, out};
use crate::finding::Problem;
use crate::rule::{Rule, RuleSet, load};

#[derive(Debug, clap::Args)]
#[command(override_usage = "plimsoll eject <RULE>... <DIR>\n       plimsoll eject --all <DIR>")]
pub(super) struct Arguments {
    /// Rules or topics to copy, then the rules folder to write into
    #[arg(value_name = "RULE|DIR", required = true)]
    names: Vec<String>,
    /// Copy all rules
    #[arg(long)]
    all: bool,
}

pub(super) fn run(arguments: &Arguments) -> Status {
    let (set, _) = load::load(&[], &[]);
    // clap sees to it that there is one.
    let Some((folder, names)) = arguments.names.split_last() else { return Status::Error };
    if arguments.all != names.is_empty() {
        let problem = Problem::error("rules, then the folder to write them into: plimsoll eject RULE... DIR");
        return complain(&[problem.help("or all of them: plimsoll eject --all DIR")]);
    }
    let folder = Path::new(folder);
    let rules = match chosen(names, &set) {
        Ok(rules) => rules,
        Err(problems) => return complain(&problems),
    };
    match write(&rules, folder) {
        Ok(paths) => {
            let list: String = paths.iter().map(|path| format!("{}\n", path.display())).collect();
            let folder = folder.display();
            out(&format!(
                "{list}\nplimsoll test {folder}            runs their examples\nplimsoll check --rules {folder}   uses them instead of the built-in ones\n"
            ));
            Status::Clean
        }
        Err(problem) => complain(&[*problem]),
    }
}

/// The rules that the arguments name; those that Rust runs can't be copied.
/// No name means all.
fn chosen<'s>(names: &[String], set: &'s RuleSet) -> Result<Vec<&'s Rule>, Vec<Problem>> {
    if names.is_empty() {
        return Ok(set.rules.iter().filter(|rule| !rule.header.native).collect());
    }
    let mut problems = Vec::new();
    let mut chosen: Vec<&Rule> = Vec::new();
    for name in names {
        let named: Vec<&Rule> = set.rules.iter().filter(|rule| rule.is_named(name)).collect();
        if named.is_empty() {
            let problem = Problem::error(format!("no rule or topic is called \"{name}\""));
            problems.push(problem.help(load::did_you_mean(set, name)));
        } else if named.iter().all(|rule| rule.header.native) {
            problems.push(Problem::error(format!("\"{name}\" is part of plimsoll itself; it has no code to copy")));
        }
        chosen.extend(named.into_iter().filter(|rule| !rule.header.native));
    }
    chosen.sort_by(|a, b| a.id.cmp(&b.id));
    chosen.dedup_by(|a, b| a.id == b.id);
    if problems.is_empty() { Ok(chosen) } else { Err(problems) }
}

/// Writes all or, if one of the files is there already, nothing.
fn write(rules: &[&Rule], folder: &Path) -> Result<Vec<PathBuf>, Box<Problem>> {
    let fail = |path: &Path, reason: String| Box::new(Problem::error(format!("{}: {reason}", path.display())));
    let path_of = |rule: &Rule| folder.join(rule.id.topic()).join(format!("{}.rhai", rule.id.stem()));
    if let Some(path) = rules.iter().map(|rule| path_of(rule)).find(|path| path.exists()) {
        return Err(Box::new(
            Problem::error(format!("{} is there already", path.display())).help("nothing was written"),
        ));
    }
    let mut written = Vec::new();
    for rule in rules {
        let path = path_of(rule);
        std::fs::create_dir_all(path.parent().unwrap_or(folder)).map_err(|e| fail(folder, e.to_string()))?;
        // Whoever made a link of that name in the meantime would have it written through.
        std::fs::File::create_new(&path)
            .and_then(|mut file| std::io::Write::write_all(&mut file, overriding(&rule.file.text).as_bytes()))
            .map_err(|e| fail(&path, e.to_string()))?;
        written.push(path);
    }
    Ok(written)
}

/// The text of a rule whose header says that it replaces the built-in one.
fn overriding(text: &str) -> String {
    text.replacen("//! ---\n", "//! ---\n//! overrides: true\n", 1)
}
