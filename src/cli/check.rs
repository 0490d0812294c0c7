//! `plimsoll check`

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;

use super::terminal::{Color, style};
use super::timing::{self, Bar};
use super::{Status, complain, configuration, err, input, out, project, raw};
use crate::config::file::ConfigFile;
use crate::config::{Flags, Preset, Settings};
use crate::finding::{Problem, Severity};
use crate::progress::{Progress, Stage};
use crate::report::sanitize::{clean, one_line};
use crate::report::{Report, Style, json, pretty, short};
use crate::run::Loaded;
use crate::source::walk::{Collected, STDIN};
use crate::source::{FileId, Sources, Span};
use crate::{Outcome, fix, native};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files and folders; `-` is standard input, nothing means the current folder
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    project: project::Origin,
    /// Only these rules, topics or aliases (comma-separated, repeatable)
    #[arg(long, value_delimiter = ',', value_name = "RULE")]
    select: Vec<String>,
    /// Not these rules, topics or aliases (comma-separated, repeatable)
    #[arg(long, value_delimiter = ',', value_name = "RULE")]
    ignore: Vec<String>,
    /// Set a parameter of a rule; repeatable
    #[arg(long = "param", value_name = "RULE.KEY=VALUE")]
    params: Vec<String>,
    /// Whose figures the parameters take; the default is field
    #[arg(long, value_enum)]
    preset: Option<Preset>,
    /// Declare what manifests do not say: istio=1.30, kubernetes=1.34, injection=sidecar|ambient|none,
    /// environment=…, platform=…, cni=… (comma-separated, repeatable)
    #[arg(long, value_name = "KEY=VALUE")]
    assume: Vec<String>,
    /// All resources (of these kinds) are in the input: what is not there does not exist
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "", value_name = "KINDS")]
    complete: Option<String>,
    /// Namespace of resources that name none; the default is "default"
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,
    /// The date that rules take for today
    #[arg(long, value_name = "YYYY-MM-DD")]
    today: Option<String>,
    /// Output format: pretty, short or json; with =PATH into a file; repeatable
    #[arg(long = "format", value_name = "FORMAT[=PATH]", default_value = "pretty")]
    formats: Vec<String>,
    /// Exit with 1 from this severity on: error, warning, info, or never
    #[arg(long, default_value = "error", value_name = "SEVERITY")]
    fail_on: String,
    /// Show findings from this severity on
    #[arg(long, default_value = "warning", value_name = "SEVERITY")]
    min_severity: Severity,
    /// Show at most that many findings of one rule, and count the rest; 0 shows all
    #[arg(long, default_value_t = 20, value_name = "N")]
    max_per_rule: usize,
    /// Show counts by rule instead of findings
    #[arg(long)]
    statistics: bool,
    /// Apply fixes: safe ones, or with =unsafe also those that need a second look
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "safe", value_parser = ["safe", "unsafe"], value_name = "unsafe")]
    fix: Option<String>,
    /// Show what --fix would change, and change nothing
    #[arg(long)]
    diff: bool,
    /// Threads; the default is one for each processor
    #[arg(long, short = 'j', value_name = "N")]
    jobs: Option<usize>,
    /// Colours: auto, always or never
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
    /// No summary
    #[arg(long, short)]
    quiet: bool,
    /// List what was skipped, too
    #[arg(long, short)]
    verbose: bool,
    /// Show on standard error, after the report, what each stage and the ten dearest rules cost
    #[arg(long)]
    timing: bool,
    /// Print the settings that would hold, and check nothing
    #[arg(long)]
    show_settings: bool,
    /// Print the files that would be read, and check nothing
    #[arg(long)]
    show_files: bool,
}

/// From which severity on a run fails.
fn threshold(text: &str) -> Result<Option<Severity>, Problem> {
    match text {
        "never" | "none" => Ok(None),
        other => other
            .parse()
            .map(Some)
            .map_err(|_| Problem::error(format!("--fail-on {other}: one of error, warning, info, never"))),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Pretty,
    Short,
    Json,
}

/// `pretty`, `json=report.json`
fn format(text: &str) -> Result<(Format, Option<PathBuf>), Problem> {
    let (name, path) = match text.split_once('=') {
        Some((name, path)) => (name, Some(PathBuf::from(path))),
        None => (text, None),
    };
    let format = match name {
        "pretty" => Format::Pretty,
        "short" => Format::Short,
        "json" => Format::Json,
        other => {
            let near = crate::rule::closest(other, ["pretty", "short", "json"]);
            let problem = Problem::error(format!("--format {other}: one of pretty, short, json"));
            return Err(match near {
                Some(near) => problem.help(format!("did you mean \"{near}\"?")),
                None => problem,
            });
        }
    };
    Ok((format, path))
}

pub(super) fn run(arguments: &Arguments) -> Status {
    let fail_on = match threshold(&arguments.fail_on) {
        Ok(fail_on) => fail_on,
        Err(problem) => return complain(&[problem]),
    };
    let formats = match arguments.formats.iter().map(|f| format(f)).collect::<Result<Vec<_>, _>>() {
        Ok(formats) => formats,
        Err(problem) => return complain(&[problem]),
    };
    let progress = Arc::new(Progress::default());
    progress.begin(Stage::Compile, 0);
    let project::Project { loaded, file, folders } = match arguments.project.read(&arguments.paths) {
        Ok(project) => project,
        Err(status) => return status,
    };
    let mut settings = match settings(arguments, file.as_ref(), &loaded) {
        Ok(settings) => settings,
        // A rule that can't be read has no name to select.
        Err(problems) => return complain(&[&loaded.problems[..], &problems].concat()),
    };
    if !settings.rules.iter().any(|rule| rule.on) && loaded.problems.is_empty() {
        err("plimsoll: nothing was checked: no rule is left by --select, --ignore and the configuration\n");
        return Status::Nothing;
    }
    if arguments.show_settings {
        out(&configuration::settings(file.as_ref(), &folders, &settings, &loaded.set));
        return if loaded.problems.is_empty() { Status::Clean } else { complain(&loaded.problems) };
    }
    settings.progress = progress.clone();
    let is_for_people = formats.iter().all(|(format, path)| *format == Format::Pretty || path.is_some());
    let bar = Bar::watch(&progress, is_for_people && !arguments.quiet);
    progress.begin(Stage::Read, 0);
    let mut input = match input::collect(&arguments.paths, &mut settings) {
        Ok(input) => input,
        Err(problems) => {
            drop(bar);
            return complain(&problems);
        }
    };
    if arguments.show_files {
        drop(bar);
        input.sources.iter().for_each(|(_, file)| out(&format!("{}\n", one_line(&file.name))));
        return if input.sources.is_empty() { Status::Nothing } else { Status::Clean };
    }
    let status = if arguments.fix.is_some() || arguments.diff {
        edit(arguments, &formats, &loaded, &settings, input, fail_on, bar)
    } else {
        let outcome = check(&mut input, &loaded, &settings);
        drop(bar);
        match show(arguments, &formats, &input.sources, &outcome) {
            Ok(()) => status(&outcome, fail_on),
            Err(problem) => complain(&[problem]),
        }
    };
    if arguments.timing {
        err(&timing::table(&progress, &loaded.set, settings.jobs));
    }
    status
}

fn settings(arguments: &Arguments, file: Option<&ConfigFile>, loaded: &Loaded) -> Result<Settings, Vec<Problem>> {
    let flags = Flags {
        select: arguments.select.clone(),
        ignore: arguments.ignore.clone(),
        params: arguments.params.clone(),
        assume: arguments.assume.clone(),
        complete: arguments.complete.clone(),
        today: arguments.today.clone(),
        preset: arguments.preset,
        namespace: arguments.namespace.clone(),
    };
    let mut settings = Settings::new(&flags, file, &loaded.set)?;
    settings.jobs = arguments.jobs.unwrap_or(settings.jobs).clamp(1, 256);
    Ok(settings)
}

/// Checks, and adds what the walk already knows.
fn check(input: &mut Collected, loaded: &Loaded, settings: &Settings) -> Outcome {
    add_unreadable(input);
    let outcome = crate::check(&input.sources, loaded, settings);
    complete(outcome, input, loaded)
}

/// Adds to what was found what only the walk and the loading of rules know.
fn complete(mut outcome: Outcome, input: &mut Collected, loaded: &Loaded) -> Outcome {
    let unreadable = input.unreadable.iter().filter_map(|unreadable| {
        let (id, _) = input.sources.iter().find(|(_, f)| f.name == unreadable.name)?;
        let message = format!("file can't be read: {}", unreadable.reason);
        Some(native::finding(&loaded.set, native::UNREADABLE_FILE, Span::new(id, 0, 0), message))
    });
    outcome.findings.extend(unreadable);
    crate::put_in_order(&mut outcome.findings);
    outcome.broken_input |= !input.unreadable.is_empty();
    outcome.summary.skipped.retain(|s| !input.unreadable.iter().any(|u| u.name == s.path));
    outcome.summary.skipped.extend(input.skipped.iter().cloned());
    outcome.summary.skipped.sort();
    outcome.problems.splice(0..0, loaded.problems.iter().cloned());
    input.sources.set_masked(outcome.secrets.clone());
    outcome
}

/// A file that can't be read gets a name and no text, so that its finding has a place.
fn add_unreadable(input: &mut Collected) {
    if input.unreadable.is_empty() {
        return;
    }
    let mut files: Vec<_> = std::mem::take(&mut input.sources).into_files();
    files.extend(input.unreadable.iter().map(|u| crate::source::SourceFile::new(&u.name, None, "")));
    input.sources = Sources::new(files);
}

fn show(
    arguments: &Arguments,
    formats: &[(Format, Option<PathBuf>)],
    sources: &Sources,
    outcome: &Outcome,
) -> Result<(), Problem> {
    let mut seen = style(arguments.color, arguments.min_severity);
    seen.max_per_rule = arguments.max_per_rule;
    seen.quiet = arguments.quiet;
    seen.verbose = arguments.verbose;
    seen.statistics = arguments.statistics;
    let report =
        Report { sources, findings: &outcome.findings, problems: &outcome.problems, summary: &outcome.summary };
    for (format, path) in formats {
        let style = Style { color: seen.color && path.is_none(), ..seen.clone() };
        let text = match format {
            Format::Pretty => pretty::render(&report, &style),
            Format::Short => short::render(&report, &style),
            Format::Json => json::render(&report),
        };
        match path {
            None => out(&text),
            Some(path) => {
                std::fs::write(path, &text).map_err(|e| Problem::error(format!("{}: {e}", path.display())))?;
            }
        }
    }
    if outcome.summary.resources == 0 && !arguments.quiet {
        err("plimsoll: nothing was checked: no Kubernetes resource was found (-v lists what was skipped)\n");
    }
    Ok(())
}

fn status(outcome: &Outcome, fail_on: Option<Severity>) -> Status {
    let failed = outcome.problems.iter().any(|p| p.severity == Severity::Error);
    let found = fail_on.is_some_and(|least| outcome.findings.iter().any(|f| f.severity >= least));
    match (failed, outcome.broken_input, found, outcome.summary.resources) {
        (true, ..) => Status::Error,
        (_, true, ..) => Status::BrokenInput,
        (_, _, true, _) => Status::Findings,
        (.., 0) => Status::Nothing,
        _ => Status::Clean,
    }
}

/// Says that what a tool wrote is not edited, where something was found in it.
fn note_generated(outcome: &Outcome) {
    let count = outcome.findings.iter().filter(|f| f.primary.template.is_some()).count();
    if count > 0 {
        let findings = if count == 1 { "finding lies" } else { "findings lie" };
        err(&format!("plimsoll: {count} {findings} in rendered manifests, which are never edited\n"));
    }
}

/// `--fix` and `--diff`: edits are made in memory until nothing changes; then the files are written
/// once, or shown.
fn edit(
    arguments: &Arguments,
    formats: &[(Format, Option<PathBuf>)],
    loaded: &Loaded,
    settings: &Settings,
    mut input: Collected,
    fail_on: Option<Severity>,
    bar: Bar,
) -> Status {
    let unsafe_too = arguments.fix.as_deref() == Some("unsafe");
    add_unreadable(&mut input);
    let before: Vec<_> = input.sources.iter().map(|(id, file)| (id, file.text.clone())).collect();
    let Collected { sources, skipped, unreadable, context } = input;
    let mut last = Outcome::default();
    let result = fix::converge(sources, unsafe_too, |sources| {
        last = crate::check(sources, loaded, settings);
        last.findings.clone()
    });
    drop(bar);
    let mut after = Collected { sources: result.sources, skipped, unreadable, context };
    let outcome = complete(last, &mut after, loaded);
    if arguments.diff {
        for id in &result.changed {
            let file = after.sources.file(*id);
            if outcome.secrets.iter().any(|span| span.file == *id) {
                err(&format!("plimsoll: {} holds secrets; its diff is not shown\n", one_line(&file.name)));
                continue;
            }
            let old = before.iter().find(|(b, _)| b == id).map_or("", |(_, text)| text);
            show_diff(&fix::diff(&file.name, old, &file.text));
        }
        note_generated(&outcome);
        // What counts here is whether anything would change, not what else was found.
        return match status(&outcome, None) {
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
    if let Err(problem) = show(arguments, formats, &after.sources, &outcome) {
        return complain(&[problem]);
    }
    if !arguments.quiet {
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
    status(&outcome, fail_on)
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
