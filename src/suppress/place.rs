//! Which suppressions cover a place: comments and annotations.

use std::collections::HashMap;

use super::{Covers, Suppression, names_of};
use crate::finding::Finding;
use crate::source::Span;

/// Covered parts of files, by where they start. They nest, or lie apart.
pub(super) struct Places<'s> {
    parts: Vec<Part<'s>>,
    /// For each part: the last before it that reaches into it. Whatever covers a place is found from the
    /// last part before it by these steps, without looking at the thousands that may stand in a file.
    around: Vec<Option<usize>>,
}

/// One covered part, and who switches what off there.
struct Part<'s> {
    span: Span,
    /// By name: the suppressions that say it, each with the number of the name in it.
    names: HashMap<&'s str, Vec<(usize, usize)>>,
}

impl<'s> Places<'s> {
    pub(super) fn new(suppressions: &'s [Suppression<'_>], today: &str) -> Places<'s> {
        let place =
            |(number, suppression): (usize, &'s Suppression<'_>)| match (&suppression.covers, suppression.holds(today))
            {
                (Covers::Place(span), Some(said)) => Some((*span, number, said)),
                _ => None,
            };
        let mut all: Vec<_> = suppressions.iter().enumerate().filter_map(place).collect();
        // What covers more comes first where both start alike.
        all.sort_by_key(|(span, number, _)| (span.file, span.start, std::cmp::Reverse(span.end), *number));
        let mut parts: Vec<Part<'s>> = Vec::new();
        for (span, number, said) in all {
            if parts.last().is_none_or(|part| part.span != span) {
                parts.push(Part { span, names: HashMap::new() });
            }
            let Some(part) = parts.last_mut() else { continue };
            for (nth, name) in said.names.iter().enumerate() {
                part.names.entry(&name.text).or_default().push((number, nth));
            }
        }
        let around = around(&parts);
        Places { parts, around }
    }

    /// Names each suppression that covers a finding's place and names its rule, the innermost first.
    pub(super) fn matching(&self, finding: &Finding, matched: &mut dyn FnMut(usize, usize)) {
        let at = finding.primary.span;
        let before = self.parts.partition_point(|part| (part.span.file, part.span.start) <= (at.file, at.start));
        let mut next = before.checked_sub(1);
        while let Some(number) = next {
            next = self.around[number];
            let part = &self.parts[number];
            if part.span.contains(at) {
                for who in names_of(finding).filter_map(|name| part.names.get(name)) {
                    who.iter().for_each(|(suppression, name)| matched(*suppression, *name));
                }
            }
        }
    }
}

fn around(parts: &[Part<'_>]) -> Vec<Option<usize>> {
    let reaches = |outer: usize, inner: usize| {
        let (outer, inner) = (parts[outer].span, parts[inner].span);
        outer.file == inner.file && outer.end > inner.start
    };
    let mut open: Vec<usize> = Vec::new();
    let mut around = Vec::with_capacity(parts.len());
    for number in 0..parts.len() {
        while open.last().is_some_and(|outer| !reaches(*outer, number)) {
            open.pop();
        }
        around.push(open.last().copied());
        open.push(number);
    }
    around
}
