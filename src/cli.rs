//! The command line: the only place that prints and writes files.

mod baseline;
mod change;
mod check;
mod clusters;
mod configuration;
mod copy;
mod declare;
mod edit;
mod eject;
mod explain;
mod input;
mod new;
mod output;
mod plan;
mod project;
mod render;
mod rules;
mod shell;
mod snapshot;
mod suppress;
mod terminal;
mod test;
mod timing;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Parser, Subcommand};

use crate::finding::{Problem, Severity};
use crate::report::sanitize::without_commands;

/// How a run ends; the same for every format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Nothing at or above the severity of `--fail-on`.
    Clean = 0,
    /// Findings.
    Findings = 1,
    /// Usage, configuration or rule error.
    Error = 2,
    /// Some input that is a manifest could not be read or parsed.
    BrokenInput = 3,
    /// Nothing was checked.
    Nothing = 4,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> ExitCode {
        ExitCode::from(status as u8)
    }
}

/// Tells whether a service mesh is fit for production before anything is applied.
#[derive(Debug, Parser)]
#[command(
    name = "plimsoll",
    version,
    max_term_width = 100,
    after_help = "Exit status: 0 nothing found, 1 findings, 2 usage or rule error, 3 input that can't be read, 4 nothing to check"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check manifests: files, folders, or `-` for standard input
    Check(Box<check::Arguments>),
    /// List what is found now, so that only what is new is reported
    Baseline(Box<baseline::Arguments>),
    /// Show which cluster each file belongs to, and why
    Clusters(clusters::Arguments),
    /// Show what a mesh asks for, what it will need, and what to change
    Plan(Box<plan::Arguments>),
    /// Print the kubectl command that collects from a cluster what the rules can use
    Snapshot(snapshot::Arguments),
    /// Write a commented plimsoll.yaml with what can be guessed about clusters
    Init(configuration::Init),
    /// What concerns plimsoll.yaml
    Config(configuration::Config),
    /// List the rules
    Rules(rules::Arguments),
    /// Show the page of a rule, its examples drawn as the findings they produce
    Explain(explain::Arguments),
    /// Test the examples of rules
    Test(test::Arguments),
    /// Copy built-in rules into a folder, to change them there
    Eject(eject::Arguments),
    /// Write a new rule
    New(new::Arguments),
    /// Print completions for a shell
    Completions(shell::Completions),
    /// Print the man page
    Man,
}

/// Runs the command that the arguments name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let Some(problem) = file_as_flag(&arguments) {
        return complain(&[problem]).into();
    }
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            let asked = !error.use_stderr();
            let text = if terminal::stderr_has_color() {
                error.render().ansi().to_string()
            } else {
                error.render().to_string()
            };
            if asked {
                out(&text)
            } else {
                err(&text)
            }
            return if asked { Status::Clean } else { Status::Error }.into();
        }
    };
    let status = match arguments.command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Baseline(arguments) => baseline::run(&arguments),
        Command::Clusters(arguments) => clusters::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Snapshot(arguments) => snapshot::run(&arguments),
        Command::Init(arguments) => configuration::init(&arguments),
        Command::Config(arguments) => configuration::config(&arguments),
        Command::Rules(arguments) => rules::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Eject(arguments) => eject::run(&arguments),
        Command::New(arguments) => new::run(&arguments),
        Command::Completions(arguments) => shell::completions(&arguments),
        Command::Man => shell::man(),
    };
    if LOST.load(Ordering::Relaxed) {
        return complain(&[Problem::error("standard output can't be written")]).into();
    }
    status.into()
}

/// A file that is called like a flag: whoever hands names on, such as a hook, did not mean the flag.
fn file_as_flag(arguments: &[OsString]) -> Option<Problem> {
    let flags = arguments.iter().skip(1).take_while(|argument| *argument != "--");
    let is_flag = |argument: &&OsString| argument.as_encoded_bytes().starts_with(b"-") && argument.len() > 1;
    let name = flags.filter(is_flag).find(|argument| std::path::Path::new(argument).symlink_metadata().is_ok())?;
    let name = name.to_string_lossy();
    let problem = Problem::error(format!("\"{name}\" is a flag, and a file that is called so"));
    Some(problem.help(format!("write \"./{name}\" for the file; for the flag, rename the file")))
}

/// Prints what people read, and JSON; no name in it passes for a command to a CI runner.
fn out(text: &str) {
    raw(&without_commands(text));
}

/// Prints what another program applies byte by byte; a closed pipe means that the reader has seen
/// enough.
fn raw(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    if written.is_err_and(|error| error.kind() != std::io::ErrorKind::BrokenPipe) {
        LOST.store(true, Ordering::Relaxed);
    }
}

/// Something could not be printed, though somebody reads.
static LOST: AtomicBool = AtomicBool::new(false);

fn err(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = stderr.write_all(without_commands(text).as_bytes()).and_then(|()| stderr.flush());
}

/// Shows problems that stop a command.
fn complain(problems: &[Problem]) -> Status {
    let sources = crate::source::Sources::default();
    let summary = crate::report::Summary::default();
    let report = crate::report::Report::new(&sources, &[], problems, &summary);
    let mut style = terminal::style(terminal::Color::Auto, Severity::Warning);
    style.quiet = true;
    style.color = terminal::stderr_has_color();
    err(&crate::report::pretty::render(&report, &style));
    Status::Error
}
