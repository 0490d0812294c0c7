//! Findings as people and programs read them. Every writer takes the same [`Report`] and returns
//! text; nothing here prints.

pub mod checkout;
mod excerpt;
pub mod github;
pub mod gitlab;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod pretty;
pub mod sanitize;
pub mod sarif;
pub mod short;
pub mod summary;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

pub use crate::source::walk::Skipped;

use crate::change::Compared;
use crate::finding::{Finding, Fix, Place, Problem, RuleId, Severity};
use crate::source::walk::STDIN;
use crate::source::{SourceFile, Sources};
use crate::suppress::Suppressed;
use checkout::Checkout;

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
    /// Rules that judged all they had to judge, and did not fail.
    pub answered: Vec<RuleId>,
    /// The date the rules take for today, `2026-11-24`.
    pub today: String,
    /// Findings that a comment, an annotation or the configuration switches off.
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

/// What a format says about a rule.
#[derive(Debug, Clone)]
pub struct RulePage {
    /// `topic/id`
    pub id: RuleId,
    /// The heading of its page.
    pub title: String,
    /// Why its findings hurt, in one sentence.
    pub why: String,
    /// Its page, Markdown.
    pub markdown: String,
    /// The highest severity of its findings.
    pub severity: Severity,
    /// Ids of the same check in other tools.
    pub aliases: Vec<String>,
    /// Where the page is published; rules of the user's own are not.
    pub url: Option<String>,
}

/// Where the page of a built-in rule, `topic/id`, is published.
pub fn url(rule: &str) -> String {
    format!("https://plimsoll.dev/rules/{rule}")
}

/// Everything a run has to say.
#[derive(Debug, Clone)]
pub struct Report<'a> {
    /// The texts that spans point into.
    pub sources: &'a Sources,
    /// Active findings in canonical order, all severities.
    pub findings: &'a [Finding],
    /// Failures of rules and of the configuration.
    pub problems: &'a [Problem],
    /// The figures.
    pub summary: &'a Summary,
    /// Findings that are switched off, in canonical order.
    pub suppressed: &'a [Suppressed],
    /// The pages of the rules, by id.
    pub pages: &'a [RulePage],
    /// Where the repository lies.
    pub checkout: Checkout<'a>,
}

impl<'a> Report<'a> {
    /// A report without what only some formats show: what is switched off, pages, and paths from the
    /// repository's root.
    pub fn new(
        sources: &'a Sources,
        findings: &'a [Finding],
        problems: &'a [Problem],
        summary: &'a Summary,
    ) -> Report<'a> {
        Report { sources, findings, problems, summary, suppressed: &[], pages: &[], checkout: Checkout::default() }
    }

    /// How many findings have that severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|f| f.severity == severity).count()
    }

    /// The findings that are grave enough to be shown.
    fn shown<'s>(&'s self, style: &'s Style) -> impl Iterator<Item = &'s Finding> {
        self.findings.iter().filter(|f| f.severity >= style.min_severity)
    }

    /// The same, but of each rule at most as many as the style says; the last of a rule comes with the
    /// number of those that are left out.
    fn folded<'s>(&'s self, style: &'s Style) -> Vec<(&'s Finding, usize)> {
        let mut of_rule: HashMap<&RuleId, usize> = HashMap::new();
        for finding in self.shown(style) {
            *of_rule.entry(&finding.rule).or_default() += 1;
        }
        let most = if style.max_per_rule == 0 { usize::MAX } else { style.max_per_rule };
        let mut seen: HashMap<&RuleId, usize> = HashMap::new();
        let mut folded = Vec::new();
        for finding in self.shown(style) {
            let nth = seen.entry(&finding.rule).or_default();
            *nth += 1;
            if *nth <= most {
                folded.push((finding, if *nth == most { of_rule[&finding.rule] - *nth } else { 0 }));
            }
        }
        folded
    }

    /// The page of a rule, if it was handed in.
    fn page(&self, rule: &RuleId) -> Option<&RulePage> {
        self.pages.binary_search_by(|page| page.id.cmp(rule)).ok().map(|n| &self.pages[n])
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
    /// SARIF lists what is switched off, too.
    pub suppressed: bool,
}

impl Style {
    /// The text in that ANSI style, line by line because pagers forget colours at a line's end.
    pub(crate) fn paint(&self, code: &str, text: &str) -> String {
        if !self.color {
            return text.to_string();
        }
        let lines: Vec<_> = text.split('\n').map(|line| format!("\x1b[{code}m{line}\x1b[0m")).collect();
        lines.join("\n")
    }

    /// The text in lines that fit, the first after `head`, the others after `indent`. Words stay
    /// whole, so that a flag or a path can be copied.
    pub(crate) fn wrap(&self, text: &str, head: &str, indent: &str) -> String {
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

/// What is said below a finding, in this order, each with the word that stands before it.
fn advice(finding: &Finding) -> Vec<(&'static str, String)> {
    let offer = |fix: &Fix| {
        let flag = if fix.safe { "--fix" } else { "--fix=unsafe" };
        format!("{} (plimsoll check {flag})", fix.title.trim_end())
    };
    let mut advice = vec![("why", finding.why.clone())];
    advice.extend(finding.help.iter().map(|text| ("help", text.clone())));
    advice.extend(finding.values.iter().map(|text| ("values", text.clone())));
    advice.extend(finding.notes.iter().map(|text| ("note", text.clone())));
    advice.push(("clusters", finding.clusters.join(", ")));
    advice.extend(finding.fixes.iter().map(|fix| ("fix", offer(fix))));
    advice.extend(finding.links.iter().map(|link| ("more", link.clone())));
    advice.retain(|(_, text)| !text.is_empty());
    advice
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
