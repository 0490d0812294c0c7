//! `plimsoll check`

use std::path::PathBuf;
use std::sync::Arc;

use super::change::Change;
use super::copy::Copy;
use super::declare::Declaring;
use super::edit::{self, Edits};
use super::output::Output;
use super::render::Render;
use super::suppress::{Home, Suppressing};
use super::timing::{self, Bar};
use super::{Status, complain, configuration, err, input, out, project};
use crate::Outcome;
use crate::config::file::ConfigFile;
use crate::config::{Flags, Settings};
use crate::finding::{Problem, Severity};
use crate::progress::{Progress, Stage};
use crate::report::sanitize::one_line;
use crate::run::Loaded;
use crate::source::SourceFile;
use crate::source::walk::Collected;

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
    #[command(flatten)]
    declaring: Declaring,
    /// Exit with 1 from this severity on
    #[arg(long, value_enum, default_value_t, value_name = "SEVERITY")]
    pub(super) fail_on: FailOn,
    #[command(flatten)]
    pub(super) output: Output,
    #[command(flatten)]
    pub(super) edits: Edits,
    #[command(flatten)]
    pub(super) change: Change,
    #[command(flatten)]
    render: Render,
    #[command(flatten)]
    pub(super) suppressing: Suppressing,
    /// Threads; the default is one for each processor
    #[arg(long, short = 'j', value_name = "N")]
    jobs: Option<usize>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(super) enum FailOn {
    /// Errors.
    #[default]
    Error,
    /// Errors and warnings.
    Warning,
    /// Anything.
    Info,
    /// Nothing.
    #[value(alias = "none")]
    Never,
}

impl FailOn {
    fn fails(self, severity: Severity) -> bool {
        match self {
            FailOn::Error => severity >= Severity::Error,
            FailOn::Warning => severity >= Severity::Warning,
            FailOn::Info => true,
            FailOn::Never => false,
        }
    }
}

impl Arguments {
    /// The flag that makes no sense where everything is to be listed.
    pub(super) fn not_for_a_baseline(&self) -> Option<&'static str> {
        let flags = [
            (self.edits.are_wanted(), "an edit"),
            (self.change.is_partial(), "--since or --focus"),
            (self.show_settings || self.show_files, "--show-settings or --show-files"),
        ];
        flags.into_iter().find(|(is_set, _)| *is_set).map(|(_, flag)| flag)
    }
}

/// What a check goes by.
pub(super) struct Checking<'a> {
    pub(super) arguments: &'a Arguments,
    pub(super) home: &'a Home<'a>,
    pub(super) loaded: &'a Loaded,
    pub(super) settings: &'a Settings,
    pub(super) bar: &'a Bar,
}

pub(super) fn run(arguments: &Arguments) -> Status {
    if let Err(problem) = arguments.output.refuse_clashes() {
        return complain(&[problem]);
    }
    run_to(arguments, true, |checking, input| match arguments.edits.are_wanted() {
        true => edit::run(checking, input),
        false => report(checking, input),
    })
}

/// Reads what the arguments say, and ends in one way or another; with or without the baseline.
pub(super) fn run_to(
    arguments: &Arguments,
    with_baseline: bool,
    end: impl FnOnce(&Checking, Collected) -> Status,
) -> Status {
    let (paths, focus) = arguments.change.scope(&arguments.paths);
    let paths = if arguments.render.names_input() { paths } else { input::or_here(&paths) };
    let progress = Arc::new(Progress::default());
    progress.begin(Stage::Compile, 0);
    let project::Project { loaded, file, folders, copy } =
        match arguments.project.read(&[&paths[..], &arguments.render.named()].concat()) {
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
    let revision = arguments.project.is_of_revision().then(|| copy.as_ref().map(Copy::root));
    let home = Home { file: file.as_ref(), paths: &paths, revision };
    if let Err(problem) = arguments.suppressing.settle(&mut settings, &home, with_baseline) {
        return complain(&[problem]);
    }
    if arguments.show_settings {
        out(&configuration::settings(file.as_ref(), &folders, &settings, &loaded.set));
        return if loaded.problems.is_empty() { Status::Clean } else { complain(&loaded.problems) };
    }
    settings.progress = progress.clone();
    settings.focus = focus;
    let (namespace, kubernetes) = (arguments.declaring.namespace.as_deref(), settings.declared.kubernetes.as_deref());
    let plan = match arguments.render.plan(&paths, file.as_ref(), namespace, kubernetes) {
        Ok(plan) => plan,
        Err(problems) => return complain(&problems),
    };
    let bar = Bar::watch(&progress, arguments.output.is_for_people());
    progress.begin(Stage::Read, 0);
    settings.tracked_too = arguments.change.is_measured() || arguments.project.is_of_revision();
    let input = match input::collect(&paths, &mut settings) {
        Ok(mut input) => {
            plan.carry_out(&mut input);
            input
        }
        Err(problems) => {
            bar.stop();
            return complain(&problems);
        }
    };
    arguments.suppressing.compare(&mut settings, &input.sources, &home);
    if arguments.show_files {
        bar.stop();
        let is_judged = |(_, file): &(_, &SourceFile)| !settings.suppressing.is_beside(&file.name);
        let names: Vec<_> = input.sources.iter().filter(is_judged).map(|(_, file)| one_line(&file.name)).collect();
        names.iter().for_each(|name| out(&format!("{name}\n")));
        return if names.is_empty() { Status::Nothing } else { Status::Clean };
    }
    match arguments.change.before(&paths, &plan, &loaded, &settings) {
        Ok(before) => settings.before = before,
        Err(problem) => {
            bar.stop();
            return complain(&[problem]);
        }
    }
    let checking = Checking { arguments, home: &home, loaded: &loaded, settings: &settings, bar: &bar };
    let status = end(&checking, input);
    if arguments.timing {
        err(&timing::table(&progress, &loaded.set, settings.jobs));
    }
    status
}

/// Checks and shows what was found.
fn report(checking: &Checking, mut input: Collected) -> Status {
    let outcome = check(&mut input, checking.loaded, checking.settings);
    checking.bar.stop();
    match checking.arguments.output.show(&input.sources, &outcome, &checking.loaded.set) {
        Ok(()) => status(&outcome, checking.arguments.fail_on, &checking.arguments.change),
        Err(problems) => complain(&problems),
    }
}

fn settings(arguments: &Arguments, file: Option<&ConfigFile>, loaded: &Loaded) -> Result<Settings, Vec<Problem>> {
    let flags =
        Flags { select: arguments.select.clone(), ignore: arguments.ignore.clone(), ..arguments.declaring.flags() };
    let mut settings = Settings::new(&flags, file, &loaded.set)?;
    settings.jobs = arguments.jobs.unwrap_or(settings.jobs).clamp(1, 256);
    Ok(settings)
}

/// Checks, and adds what the walk already knows.
fn check(input: &mut Collected, loaded: &Loaded, settings: &Settings) -> Outcome {
    let outcome = crate::check(&input.sources, loaded, settings);
    complete(outcome, input, loaded, settings)
}

/// Adds what only the walk and the loading of rules know.
pub(super) fn complete(mut outcome: Outcome, input: &mut Collected, loaded: &Loaded, settings: &Settings) -> Outcome {
    outcome.summary.skipped.extend(input.skipped.iter().cloned());
    outcome.summary.skipped.sort();
    outcome.summary.rendered.clone_from(&input.rendered);
    let failures = input.failures.iter().cloned().map(Problem::from);
    let then = settings.before.iter().flat_map(|before| &before.failures).map(|failure| Problem {
        severity: Severity::Warning,
        ..Problem::error(format!("at the base {}; what it holds now counts as new", failure.message))
    });
    outcome.problems.splice(0..0, loaded.problems.iter().cloned().chain(failures).chain(then));
    input.sources.set_masked(outcome.secrets.clone());
    outcome
}

/// How a check ends; one that is about a part of the project never for want of something to check.
pub(super) fn status(outcome: &Outcome, fail_on: FailOn, change: &Change) -> Status {
    let failed = outcome.problems.iter().any(|p| p.severity == Severity::Error);
    let found = outcome.findings.iter().any(|f| fail_on.fails(f.severity));
    match (failed, outcome.broken_input, found, outcome.summary.resources) {
        (true, ..) => Status::Error,
        (_, true, ..) => Status::BrokenInput,
        (_, _, true, _) => Status::Findings,
        (.., 0) if !change.is_partial() => Status::Nothing,
        _ => Status::Clean,
    }
}
