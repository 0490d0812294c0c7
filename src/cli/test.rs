//! `plimsoll test`

use std::path::PathBuf;

use super::{Status, complain, out, project};
use crate::example;
use crate::finding::Problem;
use crate::rule::load;
use crate::run::Loaded;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Folders with rules; nothing means those of the configuration, else the built-in rules
    #[arg(value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// List what passes, too
    #[arg(long, short)]
    verbose: bool,
}

pub(super) fn run(arguments: &Arguments) -> Status {
    let (loaded, built_in) = if arguments.folders.is_empty() {
        match project::Origin::default().read(&[]) {
            Ok(project) => (project.loaded, project.folders.is_empty()),
            Err(status) => return status,
        }
    } else {
        let (set, problems) = load::load(&arguments.folders, &[]);
        (Loaded::new(set, problems), false)
    };
    if !loaded.problems.is_empty() {
        complain(&loaded.problems);
    }
    let (mut passed, mut failed) = (0, 0);
    let mut text = String::new();
    for (number, rule) in loaded.set.rules.iter().enumerate() {
        if rule.built_in != built_in || loaded.checked.broken[number] {
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
    if passed + failed == 0 && loaded.problems.is_empty() {
        return complain(&[Problem::error("there is no rule to test here")]);
    }
    match (loaded.problems.is_empty(), failed) {
        (false, _) => Status::Error,
        (true, 0) => Status::Clean,
        _ => Status::Findings,
    }
}

/// Keys that the code reads and no example of the rule has.
fn unknown_properties(loaded: &Loaded, number: usize) -> Vec<String> {
    let rule = &loaded.set.rules[number];
    let texts: Vec<&str> = rule.page.examples.iter().flat_map(|e| &e.files).map(|f| f.text.as_str()).collect();
    let used = loaded.checked.used[number].iter();
    used.filter(|name| *name != "len" && !texts.iter().any(|text| text.contains(name.as_str()))).cloned().collect()
}
