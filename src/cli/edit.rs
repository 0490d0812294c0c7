//! `plimsoll check --fix`, `--add-ignore` and `--diff`: edits are made in memory until nothing changes; then the files
//! are written once, or shown.

use std::io::IsTerminal;

use super::check::{Checking, FailOn, complete, status};
use super::{Status, complain, err, out, raw};
use crate::finding::{Finding, Fix, Problem};
use crate::report::sanitize::{clean, one_line};
use crate::report::summary::count;
use crate::source::walk::{Collected, STDIN};
use crate::source::{FileId, Sources};
use crate::suppress::add;
use crate::{Outcome, fix};

/// What to do with the fixes of findings.
#[derive(Debug, clap::Args)]
pub(super) struct Edits {
    /// Apply fixes: safe ones, or with =unsafe also those that need a second look
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "safe", value_parser = ["safe", "unsafe"], value_name = "unsafe")]
    fix: Option<String>,
    /// Show what --fix would change, and change nothing
    #[arg(long)]
    diff: bool,
    /// Write a comment above everything that is found, so that it is ignored from now on
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "", value_name = "REASON", conflicts_with = "fix")]
    add_ignore: Option<String>,
}

impl Edits {
    /// The reason of the comments to add, if some are wanted.
    fn reason(&self, today: &str) -> Option<Result<String, Problem>> {
        let reason = self.add_ignore.as_ref()?.trim();
        if reason.contains(char::is_control) {
            return Some(Err(Problem::error("--add-ignore: a reason is one line without control characters")));
        }
        Some(Ok(if reason.is_empty() { format!("known on {today}") } else { reason.to_string() }))
    }

    /// Whether anything is to be edited.
    pub(super) fn are_wanted(&self) -> bool {
        self.fix.is_some() || self.diff || self.add_ignore.is_some()
    }
}

/// Plans as what [`fix`] applies: findings, each with an edit.
fn as_findings(plan: &add::Plan, findings: &[Finding]) -> Vec<Finding> {
    let Some(like) = findings.first() else { return Vec::new() };
    let finding = |addition: &add::Addition| {
        let mut finding = like.clone();
        finding.primary.span = addition.edit.span;
        let title = "add a comment".to_string();
        finding.fixes = vec![Fix { title, safe: true, edits: vec![addition.edit.clone()] }];
        finding
    };
    plan.additions.iter().map(finding).collect()
}

/// Says what no comment can be written for.
fn note_left(sources: &Sources, plan: &add::Plan) {
    const NAMED: usize = 5;
    let total = plan.left.values().sum();
    if total == 0 {
        return;
    }
    let mut names: Vec<_> = plan.left.keys().map(|id| one_line(&sources.file(*id).name)).collect();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let names = names.join(", ");
    err(&format!("plimsoll: {} in what takes no comment, generated or JSON: {names}{more}\n", count(total, "finding")));
    err("plimsoll: `ignore` of the configuration, an annotation or `plimsoll baseline` can cover it\n");
}

/// Says that what a tool wrote is not edited, where something was found in it.
fn note_generated(outcome: &Outcome) {
    let count = outcome.findings.iter().filter(|f| f.primary.template.is_some()).count();
    if count > 0 {
        let findings = if count == 1 { "finding lies" } else { "findings lie" };
        err(&format!("plimsoll: {count} {findings} in rendered manifests, which are never edited\n"));
    }
}

/// Edits, and reports what is left.
pub(super) fn run(checking: &Checking, mut input: Collected) -> Status {
    let Checking { arguments, loaded, settings, .. } = checking;
    let edits = &arguments.edits;
    let unsafe_too = edits.fix.as_deref() == Some("unsafe");
    let before: Vec<_> = input.sources.iter().map(|(id, file)| (id, file.text.clone())).collect();
    let sources = std::mem::take(&mut input.sources);
    let mut last = Outcome::default();
    let mut check = |sources: &Sources| {
        last = crate::check(sources, loaded, settings);
        last.findings.clone()
    };
    let (result, added) = match edits.reason(&settings.declared.today) {
        None => (fix::converge(sources, unsafe_too, check), None),
        Some(Err(problem)) => {
            checking.bar.stop();
            return complain(&[problem]);
        }
        Some(Ok(reason)) => {
            let findings = check(&sources);
            let plan = add::plan(&sources, &findings, arguments.output.min_severity, &reason, &fix::is_writable);
            let result = fix::once(sources, &as_findings(&plan, &findings), check);
            (result, Some(plan))
        }
    };
    checking.bar.stop();
    let mut after = Collected { sources: result.sources, ..input };
    let outcome = complete(last, &mut after, loaded, settings);
    if edits.diff {
        for id in &result.changed {
            let file = after.sources.file(*id);
            if outcome.secrets.iter().any(|span| span.file == *id) {
                err(&format!("plimsoll: {} holds secrets; its diff is not shown\n", one_line(&file.name)));
                continue;
            }
            let old = before.iter().find(|(b, _)| b == id).map_or("", |(_, text)| text);
            show_diff(&fix::diff(&file.name, old, &file.text));
        }
        match &added {
            Some(plan) => note_left(&after.sources, plan),
            None => note_generated(&outcome),
        }
        // What counts here is whether anything would change, not what else was found.
        return match status(&outcome, FailOn::Never, &arguments.change) {
            Status::Error => complain(&outcome.problems),
            Status::Clean if !result.changed.is_empty() => Status::Findings,
            status => status,
        };
    }
    for id in &result.changed {
        if let Err(problem) = write(&after.sources, *id) {
            return complain(&[problem]);
        }
    }
    if let Err(problems) = arguments.output.show(&after.sources, &outcome, &loaded.set) {
        return complain(&problems);
    }
    if let Some(plan) = added.as_ref().filter(|_| !arguments.output.quiet) {
        let files = count(result.changed.len(), "file");
        err(&format!("plimsoll: {} added in {files}\n", count(result.applied, "comment")));
        note_left(&after.sources, plan);
    } else if !arguments.output.quiet {
        note_generated(&outcome);
        let fixes = if result.applied == 1 { "fix" } else { "fixes" };
        let files = if result.changed.len() == 1 { "file" } else { "files" };
        err(&format!("plimsoll: {} {fixes} applied in {} {files}\n", result.applied, result.changed.len()));
        let more = outcome.findings.iter().filter(|f| f.fixes.iter().any(|fix| !fix.safe)).count();
        if !unsafe_too && more > 0 {
            err(&format!("plimsoll: {more} more with --fix=unsafe\n"));
        }
        if after.sources.iter().any(|(_, file)| file.name == STDIN) {
            err("plimsoll: standard input is never edited\n");
        }
        for conflict in &result.conflicts {
            err(&format!(
                "plimsoll: not applied: {} ({}): another fix changes the same place\n",
                one_line(&conflict.title),
                conflict.rule
            ));
        }
        if !result.settled {
            err("plimsoll: fixes undo each other; the last round was kept\n");
        }
    }
    status(&outcome, arguments.fail_on, &arguments.change)
}

/// A diff is to be applied, so a program gets it as it is; a terminal gets what it can't obey.
fn show_diff(diff: &str) {
    if std::io::stdout().is_terminal() {
        out(&clean(diff));
    } else {
        raw(diff);
    }
}

fn write(sources: &Sources, id: FileId) -> Result<(), Problem> {
    let file = sources.file(id);
    let Some(path) = &file.path else { return Ok(()) };
    fix::write(path, &file.text).map_err(|e| Problem::error(format!("{}: {e}", file.name)))
}
