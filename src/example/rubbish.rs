//! What a rule makes of values that it can't read.

use std::collections::BTreeSet;

use super::Result;
use crate::check;
use crate::config::Settings;
use crate::finding::Finding;
use crate::rule::Rule;
use crate::run::Loaded;
use crate::source::{SourceFile, Sources};
use crate::yaml::{Kind, NodeId, parse};

/// Replaces each measured scalar by rubbish, by a substitution and by null: a rule may fall silent,
/// but it neither fails nor finds something new in what it can't read.
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
    for (id, file) in sources.iter() {
        let tree = parse::parse(id, file.text.clone());
        for number in 0..tree.len() {
            let node = tree.node(NodeId(number as u32));
            let measured = node.kind() == Kind::Scalar
                && !node.is_alias()
                && node.key().is_some()
                && node.text().is_some_and(|t| t.starts_with(|c: char| c.is_ascii_digit()) && t.len() < 16);
            if !measured {
                continue;
            }
            let rubbish = !rule.header.about_unreadable;
            for (new, strict) in [("\"rubbish!\"", rubbish), ("\"${X}\"", true), ("null", false)] {
                let mut text = file.text.to_string();
                text.replace_range(node.local_range(), new);
                let changed = sources.iter().map(|(other, f)| {
                    let text = if other == id { text.as_str() } else { &f.text };
                    SourceFile::new(&f.name, f.path.as_deref(), text)
                });
                let changed = Sources::new(changed.collect());
                let outcome = check(&changed, loaded, settings);
                let line = file.line_col(node.local_range().start as u32).line;
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
