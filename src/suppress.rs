//! Comments that switch findings off: `# plimsoll: ignore[rule] until 2027-01-31: reason`.
//!
//! On the line of a key or list item, or above it, a comment covers all that stands below that key or
//! item; above a document's first key, the whole document. It matches a finding by its primary place
//! alone. A comment that can't be read, or has run out, switches nothing off.

mod comment;

use std::sync::Arc;

use crate::finding::{Edit, Finding, Fix, Label, Place, RuleId, Severity};
use crate::source::Span;
use crate::yaml::edit::remove_comment;
use crate::yaml::{Comment, ErrorKind, Node, NodeId, Tree};
use comment::{Ignore, Mistake};

/// A comment that speaks to plimsoll, with what it covers.
#[derive(Debug, Clone)]
pub struct Suppression {
    comment: Span,
    /// Nothing if no key or item follows.
    covers: Option<Span>,
    said: Result<Ignore, Mistake>,
    removal: Option<Edit>,
}

/// A finding that is switched off.
#[derive(Debug, Clone)]
pub struct Suppressed {
    /// What was found.
    pub finding: Finding,
    /// Why it is meant to be there, as written.
    pub by: String,
}

/// Findings after the comments had their say.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Findings that stay.
    pub active: Vec<Finding>,
    /// Findings that a comment switches off.
    pub suppressed: Vec<Suppressed>,
    /// Findings about the comments themselves: `suppression/unused` and `suppression/malformed`.
    pub extra: Vec<Finding>,
}

/// Finds the comments of one text that start with `plimsoll:`.
pub fn parse(tree: &Tree) -> Vec<Suppression> {
    let text = |comment: &Comment| &tree.text()[comment.start as usize..comment.end as usize];
    // What a comment in a document that can't be read is about is not known.
    let is_readable = |comment: &Comment| {
        let broken = tree.errors.iter().any(|e| matches!(e.kind, ErrorKind::Syntax | ErrorKind::Limit));
        !broken || tree.documents.iter().any(|d| (d.start..d.end).contains(&comment.start))
    };
    let suppression = |comment: &Comment| {
        let place = |range: std::ops::Range<usize>| {
            tree.span(comment.start + range.start as u32, comment.start + range.end as u32)
        };
        Suppression {
            comment: tree.span(comment.start, comment.end),
            covers: covered(tree, comment),
            said: comment::read(text(comment), &place),
            removal: remove_comment(tree, comment),
        }
    };
    tree.comments.iter().filter(|c| comment::is_ours(text(c)) && is_readable(c)).map(suppression).collect()
}

/// Parts the findings that comments switch off from the others, and judges the comments.
///
/// `names` are all names that a comment may use: ids, stems, topics and aliases of the rules. Unused
/// comments are reported only if `all_rules_ran`: else their rule may be one that did not.
pub fn apply(
    findings: Vec<Finding>,
    suppressions: &[Suppression],
    today: &str,
    all_rules_ran: bool,
    names: &[&str],
) -> Outcome {
    let mut outcome = Outcome::default();
    // Which names of each comment have matched a finding.
    let mut used: Vec<Vec<bool>> = Vec::new();
    let mut by_start: Vec<usize> = Vec::new();
    for (number, suppression) in suppressions.iter().enumerate() {
        used.push(suppression.said.as_ref().map_or(vec![], |ignore| vec![false; ignore.names.len()]));
        if suppression.holds(today) {
            by_start.push(number);
        }
    }
    by_start.sort_by_key(|number| suppressions[*number].covers);
    let around = around(&by_start, suppressions);
    for finding in findings {
        let at = finding.primary.span;
        let before = by_start
            .partition_point(|n| suppressions[*n].covers.is_some_and(|c| (c.file, c.start) <= (at.file, at.start)));
        let mut by: Option<&str> = None;
        let mut next = before.checked_sub(1);
        while let Some(place) = next {
            next = around[place];
            let number = by_start[place];
            let suppression = &suppressions[number];
            let (Some(covers), Ok(ignore)) = (suppression.covers, &suppression.said) else {
                continue;
            };
            if !covers.contains(at) {
                continue;
            }
            for (name, used) in ignore.names.iter().zip(&mut used[number]) {
                let matches = is_named(&finding, &name.text);
                *used |= matches;
                if matches {
                    by = by.or(Some(&ignore.reason));
                }
            }
        }
        match by {
            Some(by) => outcome.suppressed.push(Suppressed { finding, by: by.to_string() }),
            None => outcome.active.push(finding),
        }
    }
    for (suppression, used) in suppressions.iter().zip(used) {
        suppression.judge(&used, today, all_rules_ran, names, &mut outcome.extra);
    }
    outcome
}

/// For each comment, in the order of what they cover: the last before it whose cover reaches into its
/// own. Whatever covers a place is found from the last comment before it by these steps, without
/// looking at the thousands that may stand in a file.
fn around(by_start: &[usize], suppressions: &[Suppression]) -> Vec<Option<usize>> {
    let covers = |place: usize| suppressions[by_start[place]].covers;
    let reaches = |outer: usize, inner: usize| match (covers(outer), covers(inner)) {
        (Some(outer), Some(inner)) => outer.file == inner.file && outer.end > inner.start,
        _ => false,
    };
    let mut open: Vec<usize> = Vec::new();
    let mut around = Vec::with_capacity(by_start.len());
    for place in 0..by_start.len() {
        while open.last().is_some_and(|outer| !reaches(*outer, place)) {
            open.pop();
        }
        around.push(open.last().copied());
        open.push(place);
    }
    around
}

/// Whether a name of a comment means a finding's rule: its id, stem or topic, or an alias.
fn is_named(finding: &Finding, name: &str) -> bool {
    let rule = &finding.rule;
    name == rule.as_str() || name == rule.stem() || name == rule.topic() || finding.aliases.iter().any(|a| a == name)
}

impl Suppression {
    /// Whether it can switch something off on a day.
    fn holds(&self, today: &str) -> bool {
        self.covers.is_some() && self.said.as_ref().is_ok_and(|ignore| !ignore.has_run_out(today))
    }

    fn judge(&self, used: &[bool], today: &str, all_rules_ran: bool, names: &[&str], into: &mut Vec<Finding>) {
        let ignore = match &self.said {
            Ok(ignore) => ignore,
            Err(mistake) => {
                let help = format!("write it as `{}`", comment::FORM);
                into.push(finding(INVALID, mistake.span, mistake.message.clone(), help));
                return;
            }
        };
        let (unknown, known): (Vec<_>, Vec<_>) =
            ignore.names.iter().zip(used).partition(|(name, used)| !**used && !names.contains(&name.text.as_str()));
        for (name, _) in &unknown {
            let message = format!("no rule, topic or alias is called \"{}\"", name.text);
            let mut finding = finding(INVALID, name.span, message, "`plimsoll rules` lists all names".to_string());
            if let Some(near) = closest(&name.text, names) {
                let place = Place { span: name.span, yaml_path: String::new(), template: None };
                finding.labels.push(Label { place, message: format!("did you mean \"{near}\"?") });
                let edits = vec![Edit { span: name.span, text: near.to_string() }];
                finding.fixes.extend(self.removal.is_some().then(|| fix(format!("use \"{near}\""), false, edits)));
            }
            into.push(finding);
        }
        if let Some(until) = ignore.until.as_ref().filter(|_| ignore.has_run_out(today)) {
            let message = format!("this comment has run out on {}", until.text);
            let help = "mend what it covers, or set a later date".to_string();
            into.push(finding(INVALID, until.span, message, help));
        } else if self.covers.is_none() {
            let message = "this comment stands at no key and no list item".to_string();
            let help = "move it above the key that it is about, or to the end of that line".to_string();
            into.push(finding(INVALID, self.comment, message, help));
        } else if all_rules_ran {
            self.judge_use(ignore, &known, unknown.is_empty(), into);
        }
    }

    /// Reports the known names that matched nothing. The rest of the comment stays if it is of use.
    fn judge_use(&self, ignore: &Ignore, known: &[(&comment::Name, &bool)], all_known: bool, into: &mut Vec<Finding>) {
        let idle: Vec<_> = known.iter().filter(|(_, used)| !**used).collect();
        let Some((first, _)) = idle.first() else {
            return;
        };
        let quoted: Vec<_> = idle.iter().map(|(name, _)| format!("\"{}\"", name.text)).collect();
        let message = format!("nothing is left to ignore here for {}", quoted.join(", "));
        let (title, edit) = if all_known && idle.len() == known.len() {
            ("remove the comment", self.removal.clone())
        } else {
            let kept = ignore.names.iter().filter(|name| !idle.iter().any(|(idle, _)| std::ptr::eq(*idle, *name)));
            let text = kept.map(|name| name.text.as_str()).collect::<Vec<_>>().join(", ");
            ("remove the name", self.removal.is_some().then_some(Edit { span: ignore.list, text }))
        };
        let help = format!("{title}; what it hid is mended, or stands elsewhere");
        let mut finding = finding(UNUSED, first.span, message, help);
        finding.fixes.extend(edit.map(|edit| fix(title.to_string(), true, vec![edit])));
        into.push(finding);
    }
}

/// A finding about a comment. Its rule's page says why it hurts, and the caller, who has the page, fills
/// that in.
fn finding(rule: &str, span: Span, message: String, help: String) -> Finding {
    Finding {
        rule: RuleId::new(rule),
        aliases: Arc::from([]),
        severity: Severity::Warning,
        message,
        why: String::new(),
        primary: Place { span, yaml_path: String::new(), template: None },
        resource: None,
        labels: Vec::new(),
        help: vec![help],
        values: Vec::new(),
        notes: Vec::new(),
        links: Vec::new(),
        fixes: Vec::new(),
        clusters: Vec::new(),
        fingerprint: String::new(),
        unnumbered: String::new(),
    }
}

/// A comment that can't be read or does not hold.
const INVALID: &str = "suppression/malformed";
/// A comment that is not needed.
const UNUSED: &str = "suppression/unused";

fn fix(title: String, safe: bool, edits: Vec<Edit>) -> Fix {
    Fix { title, safe, edits }
}

/// The name that was most likely meant.
fn closest<'n>(wanted: &str, names: &[&'n str]) -> Option<&'n str> {
    let allowed = (wanted.chars().count() / 3).clamp(1, 4);
    let near = names.iter().filter(|name| name.len().abs_diff(wanted.len()) <= 4 * allowed);
    let distances = near.map(|name| (strsim::damerau_levenshtein(wanted, name), *name));
    distances.filter(|(distance, _)| *distance <= allowed).min().map(|(_, name)| name)
}

/// What a comment covers.
fn covered(tree: &Tree, comment: &Comment) -> Option<Span> {
    let text = tree.text();
    let line = text[..comment.start as usize].rfind('\n').map_or(0, |newline| newline + 1);
    let before = text[line..comment.start as usize].trim();
    let is_above = comment.own_line || before == "---";
    let from = if is_above { comment.end } else { line as u32 };
    let to = if is_above { u32::MAX } else { comment.start };
    let first = first_node_from(tree, from);
    let nodes = || (first..tree.len()).map(|i| tree.node(NodeId(i as u32))).take_while(|n| (start(*n)) < to);
    if is_above && nodes().next().is_some_and(|node| node.parent().is_none()) {
        return whole_document(tree, nodes().next()?);
    }
    // The outermost key or item of the line; a value alone on its line stands for its key.
    let place =
        nodes().find(|node| is_key_or_item(*node)).or_else(|| nodes().next().filter(|n| n.parent().is_some()))?;
    let (from, to) = place.entry().unwrap_or((place, place));
    Some(tree.span(start(from), to.local_range().end as u32))
}

fn start(node: Node<'_>) -> u32 {
    node.local_range().start as u32
}

/// The first node that starts at a place or after it; nodes are in the order of their starts.
fn first_node_from(tree: &Tree, at: u32) -> usize {
    let (mut low, mut high) = (0, tree.len());
    while low < high {
        let middle = low + (high - low) / 2;
        if start(tree.node(NodeId(middle as u32))) < at { low = middle + 1 } else { high = middle }
    }
    low
}

fn is_key_or_item(node: Node<'_>) -> bool {
    node.is_key() || node.parent().is_some_and(Node::is_seq)
}

fn whole_document(tree: &Tree, root: Node<'_>) -> Option<Span> {
    let near = tree.document_number(root.id())?;
    // The root of an empty document may stand where the next one starts.
    let number = (0..=near).rev().find(|number| tree.documents[*number].root == Some(root.id()))?;
    let end = tree.documents.get(number + 1).map_or(tree.text().len() as u32, |next| next.start);
    Some(tree.span(tree.documents[number].start, end))
}

#[cfg(test)]
mod tests;
