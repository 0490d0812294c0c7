//! How a report leaves: the formats and where each goes.

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::terminal::{Color, style};
use super::{err, out, raw};
use crate::finding::{Problem, Severity};
use crate::report::checkout::Checkout;
use crate::report::sanitize::without_commands;
use crate::report::{Report, RulePage, Style, github, gitlab, json, junit, markdown, pretty, sarif, short, url};
use crate::rule::page::without_marker;
use crate::rule::{Rule, RuleSet};
use crate::source::git::root_around;
use crate::source::{Sources, absolute, lexical};
use crate::{Outcome, fix};

/// What a report looks like and where it goes.
#[derive(Debug, clap::Args)]
pub(super) struct Output {
    #[arg(long = "format", value_name = "FORMAT[=PATH]", default_value = "pretty", value_parser = target, help = formats())]
    targets: Vec<Target>,
    /// Show findings from this severity on; json has all
    #[arg(long, default_value = "warning", value_name = "SEVERITY")]
    pub(super) min_severity: Severity,
    /// Show at most that many findings of one rule in pretty and markdown, and count the rest; 0 shows all
    #[arg(long, default_value_t = 20, value_name = "N")]
    max_per_rule: usize,
    /// Show counts by rule instead of findings
    #[arg(long)]
    statistics: bool,
    /// List suppressed findings in SARIF, as suppressed; GitHub would show them as open
    #[arg(long)]
    sarif_include_suppressed: bool,
    /// Colours: auto, always or never
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
    /// No summary
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// List what was skipped, too
    #[arg(long, short)]
    verbose: bool,
}

/// One way to write the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// for people: findings drawn at their places
    Pretty,
    /// a line for each finding, for editors and grep
    Short,
    /// everything, for programs
    Json,
    /// SARIF 2.1.0, for GitHub code scanning and editors
    Sarif,
    /// annotations in a GitHub workflow, and its job summary
    Github,
    /// GitLab code quality
    Gitlab,
    /// JUnit XML, for the test reports of any CI
    Junit,
    /// a comment for a pull request
    Markdown,
}

/// What `--help` says of the formats.
fn formats() -> String {
    let values = Format::value_variants().iter().filter_map(Format::to_possible_value);
    let line = |value: clap::builder::PossibleValue| {
        let help = value.get_help().map(ToString::to_string).unwrap_or_default();
        format!("\n- {}: {help}", value.get_name())
    };
    format!("Output format; with =PATH into a file; repeatable:{}", values.map(line).collect::<String>())
}

/// A format, and the file it goes to; standard output if there is none.
#[derive(Debug, Clone)]
struct Target {
    format: Format,
    path: Option<PathBuf>,
}

/// Reads `pretty`, `json=report.json`.
fn target(text: &str) -> Result<Target, String> {
    let (name, path) = match text.split_once('=') {
        Some((_, "")) => return Err("no path follows the \"=\"".to_string()),
        Some((name, path)) => (name, Some(PathBuf::from(path))),
        None => (text, None),
    };
    let format = Format::from_str(name, false).map_err(|_| {
        let values: Vec<_> = Format::value_variants().iter().filter_map(Format::to_possible_value).collect();
        let names: Vec<&str> = values.iter().map(|value| value.get_name()).collect();
        let near = crate::rule::closest(name, names.iter().copied());
        let hint = near.map_or(String::new(), |near| format!("; did you mean \"{near}\"?"));
        format!("one of {}{hint}", names.join(", "))
    })?;
    Ok(Target { format, path })
}

impl Format {
    /// Whether a program reads it, and nothing else may stand beside it.
    fn is_for_programs(self) -> bool {
        matches!(self, Format::Json | Format::Sarif | Format::Gitlab | Format::Junit)
    }

    fn render(self, report: &Report, style: &Style) -> String {
        match self {
            Format::Pretty => pretty::render(report, style),
            Format::Short => short::render(report, style),
            Format::Json => json::render(report),
            Format::Sarif => sarif::render(report, style),
            Format::Github => github::render(report, style),
            Format::Gitlab => gitlab::render(report, style),
            Format::Junit => junit::render(report, style),
            Format::Markdown => markdown::render(report, style),
        }
    }
}

/// The variable that names the file for the summary of a step.
const SUMMARY: &str = "GITHUB_STEP_SUMMARY";
/// GitHub refuses the summary of a step that is larger, in bytes.
const LARGEST_SUMMARY: usize = 1 << 20;

impl Output {
    /// Whether what goes to standard output is for people.
    pub(super) fn is_for_people(&self) -> bool {
        !self.quiet && self.targets.iter().all(|t| t.format == Format::Pretty || t.path.is_some())
    }

    /// Refuses two reports where only one can be.
    ///
    /// # Errors
    ///
    /// Two reports for one file, or for standard output where a program reads one of them.
    pub(super) fn refuse_clashes(&self) -> Result<(), Problem> {
        let mut files = HashSet::new();
        for path in self.targets.iter().filter_map(|target| target.path.as_ref()) {
            if !files.insert(real(path)) {
                let message = format!("two reports can't go to \"{}\"", path.display());
                return Err(Problem::error(message).help("give each --format a file of its own"));
            }
        }
        let printed: Vec<Format> = self.targets.iter().filter(|t| t.path.is_none()).map(|t| t.format).collect();
        match printed.iter().find(|format| format.is_for_programs()).and_then(Format::to_possible_value) {
            Some(format) if printed.len() > 1 => {
                let name = format.get_name();
                let problem = Problem::error(format!("{name} can't share standard output with another format"));
                Err(problem.help(format!("send one of them to a file: --format {name}=PATH")))
            }
            _ => Ok(()),
        }
    }

    /// Writes the report in every format that was asked for: all are drawn before the first is written,
    /// and a file that can't be written keeps none of the others back.
    ///
    /// # Errors
    ///
    /// The files that can't be written.
    pub(super) fn show(&self, sources: &Sources, outcome: &Outcome, rules: &RuleSet) -> Result<(), Vec<Problem>> {
        let mut seen = style(self.color, self.min_severity);
        seen.max_per_rule = self.max_per_rule;
        seen.quiet = self.quiet;
        seen.verbose = self.verbose;
        seen.statistics = self.statistics;
        seen.suppressed = self.sarif_include_suppressed;
        let here = std::env::current_dir().unwrap_or_default();
        // Who checks another repository from outside wants its paths.
        let named = sources.iter().find_map(|(_, file)| Some(lexical(&absolute(file.path.as_ref()?))));
        let root = named.as_deref().and_then(root_around).or(root_around(&here)).unwrap_or(&here);
        let (here, root) = (slashed(&here), slashed(root));
        let pages: Vec<RulePage> = rules.rules.iter().map(page).collect();
        let report = Report {
            suppressed: &outcome.suppressed,
            pages: &pages,
            checkout: Checkout { root: &root, here: &here },
            ..Report::new(sources, &outcome.findings, &outcome.problems, &outcome.summary)
        };
        let drawn: Vec<(&Target, String)> = self
            .targets
            .iter()
            .map(|target| {
                let style = Style { color: seen.color && target.path.is_none(), ..seen.clone() };
                (target, target.format.render(&report, &style))
            })
            .collect();
        let mut problems = Vec::new();
        for (Target { format, path }, text) in &drawn {
            match path {
                None if *format == Format::Github => raw(text),
                None => out(text),
                Some(path) => {
                    // The commands of that format are meant.
                    let text = if *format == Format::Github { text.into() } else { without_commands(text) };
                    let written = fix::create(path, &text);
                    problems.extend(written.err().map(|e| Problem::error(format!("{}: {e}", path.display()))));
                }
            }
        }
        if self.targets.iter().any(|target| target.format == Format::Github) {
            problems.extend(add_summary(&report, &seen).err());
        }
        if outcome.summary.resources == 0 && outcome.problems.is_empty() && !self.quiet {
            err("plimsoll: nothing was checked: no Kubernetes resource was found (-v lists what was skipped)\n");
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}

/// Appends the report to the summary of the step that runs, if there is one, as far as there is room.
fn add_summary(report: &Report, style: &Style) -> Result<(), Problem> {
    let Some(path) = std::env::var_os(SUMMARY).filter(|path| !path.is_empty()).map(PathBuf::from) else {
        return Ok(());
    };
    let taken = fs::metadata(&path).map_or(0, |m| m.len() as usize);
    let style = Style { color: false, ..style.clone() };
    let text = markdown::within(report, &style, LARGEST_SUMMARY.saturating_sub(taken + 1));
    if taken + text.len() >= LARGEST_SUMMARY {
        return Ok(());
    }
    let file = fs::OpenOptions::new().append(true).create(true).open(&path);
    let written = file.and_then(|mut file| file.write_all(format!("{text}\n").as_bytes()));
    written.map_err(|e| Problem::error(format!("{SUMMARY}: {}: {e}", path.display())))
}

/// A path by which one file is known again, whether it is there yet or not.
fn real(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_path_buf(),
    }
}

fn slashed(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/").trim_end_matches('/').to_string()
}

/// The page of a rule as a reader may see it.
fn page(rule: &Rule) -> RulePage {
    let lines = rule.page.markdown.lines().filter_map(without_marker);
    RulePage {
        id: rule.id.clone(),
        title: rule.page.title.clone(),
        why: rule.page.why.clone(),
        markdown: lines.map(|line| format!("{line}\n")).collect::<String>().trim_end().to_string(),
        severity: rule.header.severity,
        aliases: rule.header.aka.clone(),
        url: rule.built_in.then(|| url(rule.id.as_str())),
    }
}
