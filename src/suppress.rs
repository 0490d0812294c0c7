//! What switches findings off, and what becomes of it: one model for all who may say so.
//!
//! | written as | covers | read by |
//! |---|---|---|
//! | `# plimsoll: ignore[rule]: reason` | a key or item, or a document | `comment` |
//! | `# plimsoll: ignore-file[rule]: reason` | a file | `comment` |
//! | annotation `ignore.plimsoll.dev/rule: reason` | a resource | `annotation` |
//! | `ignore:` of the configuration | resources, files | `entry` |
//! | the baseline | findings, by fingerprint | `listed` |
//!
//! Each becomes a [`Suppression`]; [`apply`] matches them with findings, by the primary place alone, and
//! judges their use. One that can't be read, has run out or is misplaced switches nothing off.

pub mod add;
mod annotation;
mod comment;
mod entry;
mod judge;
mod listed;
mod place;

use std::collections::{HashMap, HashSet};

pub use entry::until_problem;
pub use judge::UNUSED;

use crate::finding::{Edit, Finding, RuleId};
use crate::resource::Resource;
use crate::resource::pattern::ResourcePattern;
use crate::source::{FileId, SourceFile, Span};
use crate::yaml::{Node, Tree};

/// Where a suppression is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A comment in the manifest.
    Comment,
    /// An annotation of the resource or its pod template.
    Annotation,
    /// An entry of the configuration.
    Configuration,
    /// An entry of the baseline.
    Baseline,
}

impl Source {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Comment => "comment",
            Source::Annotation => "annotation",
            Source::Configuration => "configuration",
            Source::Baseline => "baseline",
        }
    }
}

/// Something that is meant to switch findings off.
#[derive(Debug, Clone)]
pub struct Suppression<'t> {
    source: Source,
    /// All of it.
    place: Span,
    covers: Covers,
    said: Result<Said<'t>, Mistake>,
    /// Takes all of it away.
    removal: Removal<'t>,
}

/// What a suppression is about.
#[derive(Debug, Clone)]
enum Covers {
    /// It is misplaced: why, and what to do.
    Nothing(&'static str, &'static str),
    /// Findings in that part of a file.
    Place(Span),
    /// Findings of resources, in files; both where both are said.
    Entry { resources: Vec<ResourcePattern>, paths: Vec<String> },
    /// The finding of that fingerprint, in these clusters at most; in any where none is named.
    Fingerprint(String, Vec<String>),
}

/// How a suppression, or one name of it, is taken away. The edit for a node is looked for only where it
/// is of use: that looks at much of the text.
#[derive(Debug, Clone)]
enum Removal<'t> {
    Edit(Edit),
    Node(Node<'t>),
    None,
}

/// What a suppression says.
#[derive(Debug, Clone)]
struct Said<'t> {
    /// Rules, topics and aliases. Of a baseline's entry none.
    names: Vec<Name>,
    removals: Removals<'t>,
    /// The last day on which it holds.
    until: Option<Name>,
    reason: String,
}

/// How single names are taken away.
#[derive(Debug, Clone)]
enum Removals<'t> {
    /// What is left of the list is written anew.
    List(Span),
    /// Each by itself.
    Items(Vec<Node<'t>>),
    /// There is one name only.
    None,
}

/// A word of a suppression, and where it stands.
#[derive(Debug, Clone)]
struct Name {
    text: String,
    span: Span,
}

/// Why a suppression could not be read.
#[derive(Debug, Clone)]
struct Mistake {
    span: Span,
    message: String,
}

impl Said<'_> {
    /// Whether its last day is over; dates are written so that they sort as text.
    fn has_run_out(&self, today: &str) -> bool {
        self.until.as_ref().is_some_and(|until| until.text.as_str() < today)
    }
}

impl<'t> Suppression<'t> {
    /// What it says, if it can switch something off on a day.
    fn holds(&self, today: &str) -> Option<&Said<'t>> {
        self.said.as_ref().ok().filter(|said| !said.has_run_out(today))
    }
}

/// A finding that is switched off, and by what.
#[derive(Debug, Clone)]
pub struct Suppressed {
    /// The finding.
    pub finding: Finding,
    /// The reason as it is written.
    pub by: String,
    /// Where it is written.
    pub source: Source,
    /// The last day on which it holds.
    pub until: Option<String>,
}

/// What suppressions are judged by.
pub struct Scene<'a> {
    /// The day, as `2026-11-24`.
    pub today: &'a str,
    /// All names that may be used: ids, stems, topics and aliases of the rules.
    pub names: &'a [&'a str],
    /// Whether every rule ran: else a name that matches nothing may be that of one that did not.
    pub all_rules: bool,
    /// Names of rules that could not judge everything: what they would have found is not known, so
    /// nothing that names them is of no use.
    pub doubtful: &'a HashSet<&'a str>,
    /// The path of a template relative to the configuration.
    pub path_of_template: &'a dyn Fn(&str) -> String,
    /// The path of a file relative to the configuration.
    pub path_of: &'a dyn Fn(FileId) -> String,
    /// The resources that were read.
    pub resources: &'a [Resource],
    /// Whether all that the configuration may speak of was read.
    pub whole_project: bool,
    /// Whether all that the baseline may speak of was read.
    pub whole_baseline: bool,
}

/// Findings after the suppressions had their say.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Findings that stay.
    pub active: Vec<Finding>,
    /// Findings that are switched off.
    pub suppressed: Vec<Suppressed>,
    /// Findings that the baseline lists, and nothing else switches off.
    pub baselined: usize,
    /// Findings about the suppressions themselves: `suppression/unused` and `suppression/malformed`.
    pub extra: Vec<Finding>,
    /// Fingerprints of the baseline that match nothing.
    pub stale: Vec<String>,
}

/// Whether findings of a rule can be switched off. Not those about suppressions, or each could hide
/// itself; and not those about input that can't be read, of which the exit status speaks.
pub fn can_be_suppressed(rule: &RuleId) -> bool {
    rule.topic() != "suppression" && !matches!(rule.as_str(), "yaml/invalid" | "input/unreadable-file")
}

/// The suppressions that a manifest holds: its comments, and the annotations of its resources.
pub fn of_manifest<'t>(
    tree: &'t Tree,
    resources: impl Iterator<Item = (Node<'t>, &'t Resource)>,
) -> Vec<Suppression<'t>> {
    let mut all = comment::read_all(tree);
    all.extend(annotation::read_all(tree, resources));
    all
}

/// The entries of a configuration.
pub fn of_configuration(tree: &Tree) -> Vec<Suppression<'_>> {
    entry::read_all(tree)
}

/// The entries of a baseline.
pub fn of_baseline(id: FileId, file: &SourceFile) -> Vec<Suppression<'static>> {
    listed::read_all(id, file)
}

/// Parts the findings that are switched off from the others, and judges the suppressions. Fingerprints
/// have been numbered.
pub fn apply(findings: Vec<Finding>, suppressions: &[Suppression<'_>], scene: &Scene<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    // Which names of each suppression have matched a finding.
    let names = |s: &Suppression<'_>| s.said.as_ref().map_or(0, |said| said.names.len().max(1));
    let mut used: Vec<Vec<bool>> = suppressions.iter().map(|s| vec![false; names(s)]).collect();
    let places = place::Places::new(suppressions, scene.today);
    let mut entries = entry::Entries::new(suppressions, scene);
    let mut baseline: HashMap<&str, (usize, &[String])> = HashMap::new();
    for (number, suppression) in suppressions.iter().enumerate() {
        if let Covers::Fingerprint(fingerprint, clusters) = &suppression.covers {
            baseline.insert(fingerprint, (number, clusters));
        }
    }
    for finding in findings {
        if !can_be_suppressed(&finding.rule) {
            outcome.active.push(finding);
            continue;
        }
        let mut first = None;
        let mut matched = |number: usize, name: usize| {
            used[number][name] = true;
            first.get_or_insert(number);
        };
        places.matching(&finding, &mut matched);
        entries.matching(&finding, &mut matched);
        let covers = |clusters: &[String]| clusters.is_empty() || finding.clusters.iter().all(|c| clusters.contains(c));
        let listed = baseline.get(finding.fingerprint.as_str()).filter(|(_, clusters)| covers(clusters));
        if let Some((number, _)) = listed {
            used[*number][0] = true;
        }
        match first.and_then(|number| Some((number, suppressions[number].said.as_ref().ok()?))) {
            Some((number, said)) => outcome.suppressed.push(Suppressed {
                finding,
                by: said.reason.clone(),
                source: suppressions[number].source,
                until: said.until.as_ref().map(|until| until.text.clone()),
            }),
            None if listed.is_some() => outcome.baselined += 1,
            None => outcome.active.push(finding),
        }
    }
    judge::judge(suppressions, &used, scene, &mut outcome);
    outcome
}

/// The words by which a suppression may name a finding's rule: its id, stem, topic and aliases.
fn names_of(finding: &Finding) -> impl Iterator<Item = &str> {
    let rule = &finding.rule;
    let own = [rule.as_str(), rule.stem(), rule.topic()].into_iter();
    own.chain(finding.aliases.iter().map(String::as_str))
}

/// A day of the calendar, written `2027-01-31`.
fn is_date(text: &str) -> bool {
    text.len() == "2027-01-31".len()
        && text.starts_with(|c: char| c.is_ascii_digit())
        && text.parse::<jiff::civil::Date>().is_ok()
}

#[cfg(test)]
mod tests;
