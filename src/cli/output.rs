//! How a report leaves: the formats and where each goes.

use std::path::PathBuf;

use super::terminal::{Color, style};
use super::{err, out};
use crate::Outcome;
use crate::finding::{Problem, Severity};
use crate::report::{Report, Style, json, pretty, short};
use crate::source::Sources;

/// What a report looks like and where it goes.
#[derive(Debug, clap::Args)]
pub(super) struct Output {
    /// Output format: pretty, short or json; with =PATH into a file; repeatable
    #[arg(long = "format", value_name = "FORMAT[=PATH]", default_value = "pretty", value_parser = target)]
    targets: Vec<Target>,
    /// Show findings from this severity on
    #[arg(long, default_value = "warning", value_name = "SEVERITY")]
    min_severity: Severity,
    /// Show at most that many findings of one rule, and count the rest; 0 shows all
    #[arg(long, default_value_t = 20, value_name = "N")]
    max_per_rule: usize,
    /// Show counts by rule instead of findings
    #[arg(long)]
    statistics: bool,
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
    /// For people: findings drawn at their places.
    Pretty,
    /// One line a finding.
    Short,
    /// For programs.
    Json,
}

/// A format, and the file it goes to; standard output if there is none.
#[derive(Debug, Clone)]
struct Target {
    format: Format,
    path: Option<PathBuf>,
}

/// Reads `pretty`, `json=report.json`.
fn target(text: &str) -> Result<Target, String> {
    use clap::ValueEnum;
    let (name, path) = match text.split_once('=') {
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

impl Output {
    /// Whether what goes to standard output is for people.
    pub(super) fn is_for_people(&self) -> bool {
        !self.quiet && self.targets.iter().all(|t| t.format == Format::Pretty || t.path.is_some())
    }

    /// Writes the report in every format that was asked for.
    ///
    /// # Errors
    ///
    /// A file that can't be written.
    pub(super) fn show(&self, sources: &Sources, outcome: &Outcome) -> Result<(), Problem> {
        let mut seen = style(self.color, self.min_severity);
        seen.max_per_rule = self.max_per_rule;
        seen.quiet = self.quiet;
        seen.verbose = self.verbose;
        seen.statistics = self.statistics;
        let report =
            Report { sources, findings: &outcome.findings, problems: &outcome.problems, summary: &outcome.summary };
        for Target { format, path } in &self.targets {
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
        if outcome.summary.resources == 0 && !self.quiet {
            err("plimsoll: nothing was checked: no Kubernetes resource was found (-v lists what was skipped)\n");
        }
        Ok(())
    }
}
