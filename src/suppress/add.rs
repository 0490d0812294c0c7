//! Comments for findings that are there already: `--add-ignore`.

use std::collections::{BTreeMap, BTreeSet};

use super::can_be_suppressed;
use crate::finding::{Edit, Finding, Severity};
use crate::source::{FileId, SourceFile, Sources, Span};
use crate::yaml::edit::comment_above;
use crate::yaml::{NodeId, Tree, parse};

/// A comment that is to be written, and the findings that it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition {
    /// The insertion.
    pub edit: Edit,
    /// How many findings it covers.
    pub findings: usize,
}

/// What is to be written, and what can't be.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Comments, in order of place.
    pub additions: Vec<Addition>,
    /// Findings for which no comment can be written, by file: it is generated, or JSON.
    pub left: BTreeMap<FileId, usize>,
}

/// Plans comments for all findings from a severity on that can be suppressed. Each stands above the key
/// or item of the primary place; several findings of one line share it. `is_writable` tells whether a
/// file is the place to edit.
pub fn plan(
    sources: &Sources,
    findings: &[Finding],
    least: Severity,
    reason: &str,
    is_writable: &dyn Fn(&SourceFile) -> bool,
) -> Plan {
    let mut by_file: BTreeMap<FileId, Vec<&Finding>> = BTreeMap::new();
    for finding in findings.iter().filter(|f| f.severity >= least && can_be_suppressed(&f.rule)) {
        by_file.entry(finding.primary.span.file).or_default().push(finding);
    }
    let mut plan = Plan::default();
    for (id, findings) in by_file {
        let file = sources.file(id);
        if !is_writable(file) || is_json(file) {
            plan.left.insert(id, findings.len());
            continue;
        }
        let tree = parse::parse(id, file.text.clone());
        let mut places: BTreeMap<u32, (Vec<NodeId>, BTreeSet<&str>, usize)> = BTreeMap::new();
        for finding in findings {
            let Some((at, node)) = place(&tree, finding.primary.span) else {
                *plan.left.entry(id).or_default() += 1;
                continue;
            };
            let (nodes, rules, count) = places.entry(at).or_default();
            nodes.push(node);
            rules.insert(finding.rule.stem());
            *count += 1;
        }
        for (nodes, rules, findings) in places.into_values() {
            let rules = rules.into_iter().collect::<Vec<_>>().join(", ");
            let text = format!("# plimsoll: ignore[{rules}]: {reason}");
            if let Some(edit) = nodes.first().and_then(|node| comment_above(tree.node(*node), &text)) {
                plan.additions.push(Addition { edit, findings });
            }
        }
    }
    plan
}

/// The innermost value around a place above which a comment can stand, and where that comment goes.
fn place(tree: &Tree, at: Span) -> Option<(u32, NodeId)> {
    let mut node = tree.innermost(at)?;
    loop {
        if let Some(edit) = comment_above(node, "#") {
            return Some((edit.span.start, node.id()));
        }
        node = node.parent()?;
    }
}

/// JSON has no comments, whatever reads it may take them.
fn is_json(file: &SourceFile) -> bool {
    std::path::Path::new(&file.name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
}
