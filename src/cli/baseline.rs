//! `plimsoll baseline`

use std::path::{Path, PathBuf};

use super::check::{self, Checking, complete};
use super::suppress::{folder_of, path_from, read_baseline, real};
use super::{Status, complain, out};
use crate::baseline::Baseline;
use crate::config::relative;
use crate::finding::Problem;
use crate::fix;
use crate::report::sanitize;
use crate::report::summary::count;
use crate::source::walk::Collected;

/// Flags of `check` that say how a report looks, or change what it is about.
const OF_REPORTS: [&str; 16] = [
    "sarif_include_suppressed",
    "targets",
    "min_severity",
    "max_per_rule",
    "statistics",
    "color",
    "verbose",
    "fix",
    "diff",
    "add_ignore",
    "fail_on",
    "show_settings",
    "show_files",
    "since",
    "focus",
    "no_suppress",
];

fn without_reports(argument: clap::Arg) -> clap::Arg {
    let of_reports = OF_REPORTS.contains(&argument.get_id().as_str());
    argument.hide(of_reports)
}

#[derive(Debug, clap::Args)]
#[group(id = "of_baseline")]
#[command(mut_args(without_reports))]
pub(super) struct Arguments {
    #[command(flatten)]
    check: check::Arguments,
    /// Only remove what matches nothing any more
    #[arg(long)]
    prune: bool,
    /// Write it there
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Status {
    if let Some(flag) = arguments.check.not_for_a_baseline() {
        return complain(&[Problem::error(format!("{flag} has no meaning for a baseline: it lists everything"))]);
    }
    check::run_to(&arguments.check, arguments.prune, |checking, input| {
        let result =
            if arguments.prune { prune(arguments, checking, input) } else { write(arguments, checking, input) };
        result.unwrap_or_else(|problems| complain(&problems))
    })
}

/// Writes all findings that nothing else switches off.
fn write(arguments: &Arguments, checking: &Checking, mut input: Collected) -> Result<Status, Vec<Problem>> {
    let outcome = crate::check(&input.sources, checking.loaded, checking.settings);
    checking.bar.stop();
    let outcome = complete(outcome, &mut input, checking.loaded, checking.settings);
    if !outcome.problems.is_empty() {
        // What a rule would have found is missing.
        return Err(outcome.problems);
    }
    let path = target(arguments, checking)?;
    let folder = folder_of(&path).ok_or_else(|| vec![no_folder(&path)])?;
    let shown_from = |path: &PathBuf| if *path == folder { ".".to_string() } else { relative(&folder, path) };
    let mut paths: Vec<String> = real(checking.home.paths).iter().map(shown_from).collect();
    paths.extend(checking.home.paths.iter().any(|path| path.as_os_str() == "-").then(|| "-".to_string()));
    let known = |f: &&crate::finding::Finding| crate::suppress::can_be_suppressed(&f.rule);
    let baseline = Baseline::new(outcome.findings.iter().filter(known), paths, &|file| {
        path_from(&folder, input.sources.file(file))
    });
    save(&path, &baseline)?;
    out(&format!("{}: {}\n", shown(&path), count(baseline.findings.len(), "finding")));
    Ok(if outcome.broken_input { Status::BrokenInput } else { Status::Clean })
}

/// Removes what matches nothing any more.
fn prune(arguments: &Arguments, checking: &Checking, input: Collected) -> Result<Status, Vec<Problem>> {
    let from = arguments.check.suppressing.path(checking.home).map_err(|problem| vec![problem])?;
    let source = read_baseline(&from).map_err(|problem| vec![problem])?;
    let mut baseline = Baseline::parse(&source).map_err(|problem| vec![problem])?;
    let settings = checking.settings;
    if !input.failures.is_empty() {
        checking.bar.stop();
        return Err(input.failures.into_iter().map(Problem::from).collect());
    }
    let is_whole = settings.all_rules && settings.suppressing.whole_baseline;
    if !baseline.findings.is_empty() && !is_whole {
        checking.bar.stop();
        let problem = Problem::error("nothing was removed: this run reads less than the baseline speaks of");
        let paths = baseline.paths.join(" ");
        return Err(vec![problem.help(format!("it was made of {paths}, with all rules; check the same"))]);
    }
    let outcome = crate::check(&input.sources, checking.loaded, settings);
    checking.bar.stop();
    let problems: Vec<Problem> = checking.loaded.problems.iter().chain(&outcome.problems).cloned().collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    if outcome.broken_input {
        let problem = Problem::error("nothing was removed: some input can't be read");
        return Err(vec![problem.help("plimsoll check shows it")]);
    }
    for fingerprint in &outcome.stale {
        baseline.findings.remove(fingerprint);
    }
    let path = arguments.output.clone().unwrap_or(from);
    if !outcome.stale.is_empty() || arguments.output.is_some() {
        save(&path, &baseline)?;
    }
    let removed = count(outcome.stale.len(), "finding");
    out(&format!("{}: {removed} removed, {} left\n", shown(&path), baseline.findings.len()));
    Ok(Status::Clean)
}

fn target(arguments: &Arguments, checking: &Checking) -> Result<PathBuf, Vec<Problem>> {
    match &arguments.output {
        Some(path) => Ok(path.clone()),
        None => arguments.check.suppressing.path(checking.home).map_err(|problem| vec![problem]),
    }
}

fn save(path: &Path, baseline: &Baseline) -> Result<(), Vec<Problem>> {
    let text = sanitize::json(&baseline.text()).into_owned();
    fix::create(path, &text).map_err(|error| vec![Problem::error(format!("{}: {error}", shown(path)))])
}

fn no_folder(path: &Path) -> Problem {
    Problem::error(format!("{}: its folder is not there", shown(path)))
}

fn shown(path: &Path) -> String {
    crate::config::file::shown(path)
}
