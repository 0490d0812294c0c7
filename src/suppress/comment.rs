//! Comments: `plimsoll: ignore[names] until date: reason`, and `ignore-file`.
//!
//! On the line of a key or list item, or above it, a comment covers all that stands below that key or
//! item; above a document's first key, the whole document. `ignore-file`, above the first key of all,
//! covers the file.

use std::ops::Range;

use super::{Covers, Mistake, Name, Removal, Removals, Said, Source, Suppression, is_date};
use crate::resource::COLLECTED;
use crate::source::Span;
use crate::yaml::edit::remove_comment;
use crate::yaml::{Comment, ErrorKind, Node, NodeId, Tree};

/// Finds the comments of one text that start with `plimsoll:`.
pub(super) fn read_all(tree: &Tree) -> Vec<Suppression<'_>> {
    let text = |comment: &Comment| &tree.text()[comment.start as usize..comment.end as usize];
    // What a comment in a document that can't be read is about is not known.
    let is_readable = |comment: &Comment| {
        let broken = tree.errors.iter().any(|e| matches!(e.kind, ErrorKind::Syntax | ErrorKind::Limit));
        !broken || tree.documents.iter().any(|d| (d.start..d.end).contains(&comment.start))
    };
    let suppression = |comment: &Comment| {
        let place =
            |range: Range<usize>| tree.span(comment.start + range.start as u32, comment.start + range.end as u32);
        let (for_file, said) = match read(text(comment), &place) {
            Ok((for_file, said)) => (for_file, Ok(said)),
            Err(mistake) => (false, Err(mistake)),
        };
        Suppression {
            source: Source::Comment,
            place: tree.span(comment.start, comment.end),
            covers: if for_file { whole_file(tree, comment) } else { below(tree, comment) },
            said,
            removal: remove_comment(tree, comment).map_or(Removal::None, Removal::Edit),
        }
    };
    tree.comments.iter().filter(|c| is_ours(text(c)) && is_readable(c)).map(suppression).collect()
}

fn below(tree: &Tree, comment: &Comment) -> Covers {
    match covered(tree, comment) {
        Some(span) => Covers::Place(span),
        None => Covers::Nothing(
            "this comment stands at no key and no list item",
            "move it above the key that it is about, or to the end of that line",
        ),
    }
}

fn whole_file(tree: &Tree, comment: &Comment) -> Covers {
    // Of what helm rendered only the document is known to come from the file in which the comment stands.
    let is_source = |c: &Comment| tree.text()[c.start as usize..c.end as usize].starts_with("# Source: ");
    if tree.comments.iter().any(is_source) {
        return below(tree, comment);
    }
    let first = tree.roots().next().map(start);
    if first.is_some_and(|first| comment.start < first) {
        return Covers::Place(tree.span(0, tree.text().len() as u32));
    }
    Covers::Nothing(
        "this comment stands below the file's first key",
        "move it to the top of the file, or write `ignore`",
    )
}

/// Whether a comment speaks to plimsoll about findings.
fn is_ours(comment: &str) -> bool {
    !comment.starts_with(COLLECTED)
        && comment.strip_prefix('#').is_some_and(|text| text.trim_start().starts_with("plimsoll:"))
}

/// Reads a comment from its `#` on, and whether it is about the file; `place` turns ranges of it into
/// spans.
fn read(comment: &str, place: &dyn Fn(Range<usize>) -> Span) -> Result<(bool, Said<'static>), Mistake> {
    let comment = comment.trim_end();
    let mistake = |range: Range<usize>, message: String| Mistake { span: place(range), message };
    // Where a rest of the comment starts.
    let at = |rest: &str| comment.len() - rest.len();
    let order = comment.split_once("plimsoll:").map_or("", |(_, order)| order.trim_start());
    let word_end = order.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').unwrap_or(order.len());
    let (word, rest) = order.split_at(word_end);
    if !matches!(word, "ignore" | "ignore-file") {
        let range = if word.is_empty() { 0..comment.len() } else { at(order)..at(rest) };
        let what = if word.is_empty() { "nothing that plimsoll knows".to_string() } else { format!("\"{word}\"") };
        return Err(mistake(range, format!("comment says {what}, only \"ignore\" is known")));
    }
    let for_file = word == "ignore-file";
    let whole = at(order)..comment.len();
    let Some(list) = rest.strip_prefix('[') else {
        return Err(mistake(at(order)..at(rest), format!("\"{word}\" names no rule")));
    };
    let Some((list, rest)) = list.split_once(']') else {
        return Err(mistake(whole, "the list of rules has no \"]\"".to_string()));
    };
    let list_start = at(rest) - 1 - list.len();
    let mut names = Vec::new();
    let mut offset = list_start;
    for part in list.split(',') {
        let start = offset + part.len() - part.trim_start().len();
        let text = part.trim().to_string();
        if text.is_empty() {
            return Err(mistake(list_start - 1..at(rest), format!("\"{word}\" names no rule")));
        }
        names.push(Name { span: place(start..start + text.len()), text });
        offset += part.len() + 1;
    }
    let rest = rest.trim_start();
    let Some((until, reason)) = rest.split_once(':') else {
        return Err(mistake(whole, "comment gives no reason".to_string()));
    };
    if reason.trim().is_empty() {
        return Err(mistake(whole, "comment gives no reason".to_string()));
    }
    let until_range = at(rest)..at(rest) + until.trim_end().len();
    let until = match until.trim_end().strip_prefix("until ").map(str::trim_start) {
        None if until.trim().is_empty() => None,
        None => {
            return Err(mistake(until_range, format!("\"{}\" is not understood", until.trim())));
        }
        Some(date) if is_date(date) => {
            Some(Name { text: date.to_string(), span: place(until_range.end - date.len()..until_range.end) })
        }
        Some(date) => {
            let range = until_range.end - date.len()..until_range.end;
            return Err(mistake(range, format!("\"{date}\" is no date such as 2027-01-31")));
        }
    };
    let removals = Removals::List(place(list_start..list_start + list.len()));
    Ok((for_file, Said { names, removals, until, reason: reason.trim().to_string() }))
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
