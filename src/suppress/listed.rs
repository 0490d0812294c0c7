//! The entries of the baseline, as suppressions.

use std::collections::HashMap;

use super::{Covers, Removal, Removals, Said, Source, Suppression};
use crate::baseline::{Baseline, Entry};
use crate::source::{FileId, SourceFile, Span};

/// Reads the fingerprints of a baseline, which was checked when it was loaded.
pub(super) fn read_all(id: FileId, file: &SourceFile) -> Vec<Suppression<'static>> {
    let Ok(baseline) = Baseline::parse(&std::sync::Arc::new(file.with_text(file.text.clone()))) else {
        return Vec::new();
    };
    let places = keys(&file.text);
    let suppression = |(fingerprint, entry): (String, Entry)| {
        let (start, end) = places.get(fingerprint.as_str()).copied().unwrap_or_default();
        Suppression {
            source: Source::Baseline,
            place: Span::new(id, start, end),
            covers: Covers::Fingerprint(fingerprint, entry.clusters),
            said: Ok(Said { names: Vec::new(), removals: Removals::None, until: None, reason: String::new() }),
            removal: Removal::None,
        }
    };
    let mut all: Vec<Suppression<'static>> = baseline.findings.into_iter().map(suppression).collect();
    all.sort_by_key(|suppression| suppression.place);
    all
}

/// Where each key of a JSON text stands, between its quotes. Quotes inside of strings stand behind a
/// backslash, so what they hold is never taken for a key.
fn keys(text: &str) -> HashMap<&str, (usize, usize)> {
    let mut quotes = text.match_indices('"').map(|(at, _)| at).peekable();
    let mut keys = HashMap::new();
    while let (Some(start), Some(end)) = (quotes.next(), quotes.peek().copied()) {
        if text[end + 1..].trim_start().starts_with(':') {
            keys.entry(&text[start + 1..end]).or_insert((start + 1, end));
        }
    }
    keys
}
