//! What a rule makes of values that it can't read.

use std::collections::BTreeSet;

use super::Result;
use crate::check;
use crate::config::Settings;
use crate::finding::Finding;
use crate::rule::Rule;
use crate::run::Loaded;
use crate::source::{SourceFile, Sources};
use crate::yaml::{Kind, Node, NodeId, parse};

/// Replaces scalars, one at a time: measured ones by rubbish and by null, and those and all that the rule's
/// code looks at by a substitution. A rule may fall silent, but it neither fails nor finds something new in
/// what it can't read.
pub(super) fn test(
    loaded: &Loaded,
    rule: &Rule,
    settings: &Settings,
    sources: &Sources,
    found: &[Finding],
    result: &mut Result,
) {
    let place = |sources: &Sources, f: &Finding| {
        (f.primary.span.file, sources.file(f.primary.span.file).line_col(f.primary.span.start).line)
    };
    let known: BTreeSet<_> = found.iter().map(|f| place(sources, f)).collect();
    let number = loaded.set.rules.iter().position(|other| other.id == rule.id);
    let keys = number.and_then(|number| loaded.checked.keys.get(number));
    let is_read =
        |key: Option<Node<'_>>| key.and_then(Node::text).is_some_and(|key| keys.is_some_and(|keys| keys.contains(key)));
    for (id, file) in sources.iter() {
        let tree = parse::parse(id, file.text.clone());
        for number in 0..tree.len() {
            let node = tree.node(NodeId(number as u32));
            if node.kind() != Kind::Scalar || node.is_alias() || node.is_key() {
                continue;
            }
            // What something is, is never left open.
            let is_top = |key: Node<'_>| {
                tree.roots().any(|root| node.parent().is_some_and(|map| map.id() == root.id()))
                    && matches!(key.text(), Some("apiVersion" | "kind"))
            };
            if node.key().is_some_and(is_top) {
                continue;
            }
            let mut variants: Vec<(&str, bool)> = Vec::new();
            if node.key().is_some()
                && node.text().is_some_and(|t| t.starts_with(|c: char| c.is_ascii_digit()) && t.len() < 16)
            {
                variants.extend([("\"rubbish!\"", !rule.header.about_unreadable), ("null", false)]);
            }
            if !variants.is_empty() || is_read(node.key()) || is_read(node.parent().and_then(Node::key)) {
                variants.push(("\"${X}\"", true));
            }
            let line = file.line_col(node.local_range().start as u32).line;
            for (new, strict) in variants {
                let mut text = file.text.to_string();
                // What stands below keeps its line.
                let lines = text[node.local_range()].matches('\n').count();
                text.replace_range(node.local_range(), &format!("{new}{}", "\n".repeat(lines)));
                let changed = sources.iter().map(|(other, f)| {
                    let text = if other == id { text.as_str() } else { &f.text };
                    SourceFile::new(&f.name, f.path.as_deref(), text)
                });
                let changed = Sources::new(changed.collect());
                let outcome = check(&changed, loaded, settings);
                if let Some(problem) = outcome.problems.first() {
                    let label = problem.label.clone().unwrap_or_default();
                    result.failures.push(format!("Failed with {new} on line {line}: {}: {label}", problem.message));
                }
                let new_finding =
                    outcome.findings.iter().find(|f| f.rule == rule.id && !known.contains(&place(&changed, f)));
                if let Some(finding) = new_finding.filter(|_| strict) {
                    result.failures.push(format!("Noisy with {new} on line {line}: {}", finding.message));
                }
            }
        }
    }
}
