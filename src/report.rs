//! Findings as people and programs read them. Every writer takes the same [`Report`] and returns
//! text; nothing here prints.

mod excerpt;
pub mod json;
pub mod pretty;
pub mod sanitize;
pub mod short;
pub mod summary;
#[cfg(test)]
mod tests;

use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

pub use crate::source::walk::Skipped;

use crate::change::Compared;
use crate::finding::{Finding, Place, Problem, RuleId, Severity};
use crate::source::walk::STDIN;
use crate::source::{SourceFile, Sources};

/// Something that the input does not show, and how many rules it keeps silent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// What is not known, as in "Istio installation".
    pub what: String,
    /// How many rules it concerns.
    pub rules: usize,
    /// The flag or setting that declares it, as in `--assume istio=1.30`.
    pub declare: Option<String>,
}

/// The figures under every report.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Files read.
    pub files: usize,
    /// YAML documents read.
    pub documents: usize,
    /// Resources in them.
    pub resources: usize,
    /// The configuration that changed what is found, if there was one.
    pub configuration: Option<String>,
    /// Clusters by name; empty while there is only one.
    pub clusters: Vec<String>,
    /// Rules that are on.
    pub rules: usize,
    /// Rules that had something to judge.
    pub judged: usize,
    /// Rules that are on and had nothing to judge.
    pub idle: Vec<RuleId>,
    /// The date the rules take for today, `2026-11-24`.
    pub today: String,
    /// Findings that a comment switches off.
    pub suppressed: usize,
    /// Findings that the baseline already lists.
    pub baselined: usize,
    /// The comparison with what was there before a change.
    pub compared: Option<Compared>,
    /// Findings that touch none of the files in focus.
    pub out_of_focus: usize,
    /// Commands that rendered charts and kustomizations.
    pub rendered: Vec<String>,
    /// What is not known.
    pub unknown: Vec<Unknown>,
    /// What was not checked.
    pub skipped: Vec<Skipped>,
}

/// Everything a run has to say.
#[derive(Debug)]
pub struct Report<'a> {
    /// The texts that spans point into.
    pub sources: &'a Sources,
    /// Active findings in canonical order, all severities.
    pub findings: &'a [Finding],
    /// Failures of rules and of the configuration.
    pub problems: &'a [Problem],
    /// The figures.
    pub summary: &'a Summary,
}

impl Report<'_> {
    /// How many findings have that severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|f| f.severity == severity).count()
    }

    /// The findings that are grave enough to be shown.
    fn shown<'s>(&'s self, style: &'s Style) -> impl Iterator<Item = &'s Finding> {
        self.findings.iter().filter(|f| f.severity >= style.min_severity)
    }
}

/// How a report is drawn.
#[derive(Debug, Clone)]
pub struct Style {
    /// ANSI colours and hyperlinks.
    pub color: bool,
    /// Box-drawing characters; ASCII where false.
    pub unicode: bool,
    /// Columns.
    pub width: usize,
    /// The lowest severity that is shown; lower ones are counted.
    pub min_severity: Severity,
    /// At most that many findings of one rule are drawn; the rest is counted ("and 41 more"). 0: all.
    pub max_per_rule: usize,
    /// Summary lines are left out.
    pub quiet: bool,
    /// Skipped files are listed.
    pub verbose: bool,
    /// Counts by rule instead of findings.
    pub statistics: bool,
}

impl Style {
    /// The text in that ANSI style, line by line because pagers forget colours at a line's end.
    fn paint(&self, code: &str, text: &str) -> String {
        if !self.color {
            return text.to_string();
        }
        let lines: Vec<_> = text.split('\n').map(|line| format!("\x1b[{code}m{line}\x1b[0m")).collect();
        lines.join("\n")
    }

    /// The text in lines that fit, the first after `head`, the others after `indent`. Words stay
    /// whole, so that a flag or a path can be copied.
    fn wrap(&self, text: &str, head: &str, indent: &str) -> String {
        wrap(text, self.width, head, indent)
    }
}

fn wrap(text: &str, width: usize, head: &str, indent: &str) -> String {
    let options = Options::new(width)
        .initial_indent(head)
        .subsequent_indent(indent)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    textwrap::fill(text, options)
}

/// The ANSI style of a severity.
fn ansi(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "1;31",
        Severity::Warning => "1;33",
        Severity::Info => "1;36",
    }
}

/// What failed and what its place is, where nothing is drawn.
fn sentence(problem: &Problem) -> String {
    match &problem.label {
        None => problem.message.clone(),
        Some(label) => format!("{}: {label}", problem.message),
    }
}

/// `path:line:column`, or the path alone if the text is empty or could not be read.
fn location(file: &SourceFile, offset: usize) -> String {
    let name = sanitize::one_line(&file.name);
    if file.text.is_empty() {
        return name.into_owned();
    }
    let at = file.line_col(offset as u32);
    format!("{name}:{}:{}", at.line, at.column)
}

/// The location of a place; for what was rendered the file that made it, whose line is not known, and
/// the line of what came out: `charts/shop/templates/vs.yaml (rendered:12)`.
fn location_of(file: &SourceFile, place: &Place) -> String {
    let Some(template) = &place.template else { return location(file, place.span.range().start) };
    let name = match &file.rendered {
        Some(_) => "rendered",
        None if file.name == STDIN => "stdin",
        None => &file.name,
    };
    let line = file.line_col(place.span.start).line;
    sanitize::one_line(&format!("{template} ({name}:{line})")).into_owned()
}
