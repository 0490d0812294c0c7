//! Edits that take something away.

use super::edit;
use super::layout::{self, Lines, Slot, dash, is_bracketed, is_needed_elsewhere, is_shared, slot};
use crate::finding::Edit;
use crate::yaml::{Comment, Node, Tree};

/// Removes a value with its key, or an item of a list: whole lines, with the comment at their end.
/// What loses its last entry becomes `{}` or `[]`.
pub fn remove(node: Node<'_>) -> Option<Edit> {
    let parent = node.parent()?;
    if is_shared(node) || is_needed_elsewhere(node) {
        return None;
    }
    let parts = parts(parent)?;
    let at = if parent.is_map() {
        parent.own_entries().position(|(_, value)| value == node)?
    } else {
        parent.items().position(|item| item == node)?
    };
    slot(node)?;
    if parent.is_flow() { from_flow(parent, &parts, at) } else { from_block(parent, &parts, at) }
}

/// Removes a comment: its line, or the end of a line with the blanks before it.
pub fn remove_comment(tree: &Tree, comment: &Comment) -> Option<Edit> {
    if tree.is_embedded() {
        return None;
    }
    let lines = Lines { text: tree.text() };
    let (start, end) = (comment.start as usize, comment.end as usize);
    let range = if comment.own_line {
        whole_lines(lines, start, end)
    } else {
        lines.text[..start].trim_end_matches([' ', '\t']).len()..end
    };
    Some(Edit { span: tree.span(range.start as u32, range.end as u32), text: String::new() })
}

/// Where each entry or item starts and ends.
fn parts(collection: Node<'_>) -> Option<Vec<(usize, usize)>> {
    if collection.is_map() {
        let part = |(key, value): (Node<'_>, Node<'_>)| (key.local_range().start, value.local_range().end);
        return Some(collection.own_entries().map(part).collect());
    }
    let start = |item: Node<'_>| {
        if collection.is_flow() { Some(item.local_range().start) } else { dash(item) }
    };
    collection.items().map(|item| Some((start(item)?, item.local_range().end))).collect()
}

fn from_flow(parent: Node<'_>, parts: &[(usize, usize)], at: usize) -> Option<Edit> {
    let text = parent.tree().text();
    let whole = parent.local_range();
    let (start, end) = parts[at];
    let next = parts.get(at + 1);
    let (range, gaps, with) = match at.checked_sub(1) {
        Some(before) => (parts[before].1..end, [parts[before].1..start, 0..0], ""),
        None if next.is_some() => (start..next?.0, [end..next?.0, 0..0], ""),
        None => (whole.clone(), [whole.start..start, end..whole.end], empty(parent)),
    };
    let comments = gaps.into_iter().any(|gap| text[gap].contains('#'));
    (is_bracketed(parent) && !comments).then(|| edit(parent, range, with.to_string()))
}

fn from_block(parent: Node<'_>, parts: &[(usize, usize)], at: usize) -> Option<Edit> {
    let lines = Lines::of(parent);
    let (start, value_end) = parts[at];
    let end = lines.entry_end(value_end, lines.column(start)?)?;
    if parts.len() == 1 {
        return emptied(parent, start, value_end, end);
    }
    if lines.is_first(start) {
        return Some(edit(parent, whole_lines(lines, start, end), String::new()));
    }
    // The first entry of a map that starts on the dash's line: the next one takes its place there.
    let next = parts.get(at + 1)?.0;
    let is_tight = lines.text[end..next].trim().is_empty();
    is_tight.then(|| edit(parent, start..next, String::new()))
}

/// `{}` or `[]` in place of a collection's only entry; comments above the entry stay.
fn emptied(parent: Node<'_>, start: usize, value_end: usize, end: usize) -> Option<Edit> {
    let lines = Lines::of(parent);
    match slot(parent)? {
        Slot::Key { colon, .. } if lines.is_first(start) => {
            let above = &lines.text[colon + 1..lines.start(start)];
            if !layout::is_blank(above) {
                return None;
            }
            Some(edit(parent, colon + 1..end, format!(" {}{}", empty(parent), above.trim_end())))
        }
        Slot::Item { .. } | Slot::Root => Some(edit(parent, start..value_end, empty(parent).to_string())),
        Slot::Key { .. } | Slot::Flow => None,
    }
}

fn empty(collection: Node<'_>) -> &'static str {
    if collection.is_map() { "{}" } else { "[]" }
}

/// The lines of a range. At the end of a text without a final line break, the break before goes
/// instead of the one after.
fn whole_lines(lines: Lines<'_>, start: usize, end: usize) -> std::ops::Range<usize> {
    let (start, next) = (lines.start(start), lines.next(end));
    if lines.text[..next].ends_with('\n') {
        return start..next;
    }
    let before = &lines.text[..start];
    let before = before.strip_suffix('\n').unwrap_or(before);
    before.strip_suffix('\r').unwrap_or(before).len()..next
}
