//! Edits that keep the author's formatting and comments.
//!
//! Every function answers with one [`Edit`] of the file's bytes, or with nothing where no edit is
//! safe: text inside a scalar, a place that an alias shares, block scalars, comments in the middle
//! of what would have to move. What an edit does not touch stays byte-identical.

mod comment;
mod layout;
mod remove;
mod write;

pub use comment::comment_above;
pub use remove::{remove, remove_comment};

use super::Node;
use super::scalar::{Scalar, resolve};
use crate::finding::Edit;
use layout::{Lines, Slot, is_shared, last_leaf_is_kept, own_entry, slot};
use write::{Fragment, Quotes, Style};

/// What an edit writes, with what it is meant to be: text that reads as a number gets quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewValue {
    /// Text, whatever it looks like.
    Text(String),
    /// A number as it shall be written.
    Number(String),
    /// A boolean.
    Bool(bool),
    /// `4Gi`, `500m`, `2`: Kubernetes reads it as text and as a number alike.
    Quantity(String),
    /// YAML of any shape and of several lines; it replaces quotes too, and is indented to its place.
    Yaml(String),
}

impl NewValue {
    fn text(&self) -> &str {
        match self {
            NewValue::Text(text) | NewValue::Number(text) | NewValue::Quantity(text) | NewValue::Yaml(text) => text,
            NewValue::Bool(true) => "true",
            NewValue::Bool(false) => "false",
        }
    }
}

/// Replaces a scalar and keeps its quotes; writes the value where there is none yet (`key:`).
pub fn set(node: Node<'_>, value: &NewValue) -> Option<Edit> {
    if node.is_alias() || node.is_block_scalar() || is_shared(node) {
        return None;
    }
    let text = node.text()?;
    let written = &node.tree().text()[node.local_range()];
    let quotes = Quotes::of(written).unwrap_or_else(|| Quotes::around(node));
    let quoted = matches!(quotes, Quotes::Single | Quotes::Double);
    let same = match value {
        NewValue::Yaml(_) => false,
        _ if quoted => text == value.text(),
        NewValue::Text(new) => node.string() == Some(new),
        NewValue::Number(new) => !matches!(resolve(new), Scalar::Text(_)) && node.scalar() == Some(resolve(new)),
        NewValue::Bool(new) => node.bool() == Some(*new),
        NewValue::Quantity(new) => text == new,
    };
    if same {
        return Some(edit(node, node.local_range(), written.to_string()));
    }
    put(node, &Fragment::Value(value), quotes)
}

/// Adds a key to a map; a null in its place becomes a map.
pub fn add(map: Node<'_>, key: &str, value: &NewValue) -> Option<Edit> {
    add_path(map, &[key], value)
}

/// Adds a value below a map, with those of its parents that are missing.
pub fn add_path(map: Node<'_>, path: &[&str], value: &NewValue) -> Option<Edit> {
    let (key, rest) = path.split_first()?;
    if map.is_alias() || is_shared(map) {
        return None;
    }
    let chain = || rest.iter().rev().fold(Fragment::Value(value), |inner, key| Fragment::Under(key, Box::new(inner)));
    if map.is_null() {
        return put(map, &Fragment::Under(key, Box::new(chain())), Quotes::around(map));
    }
    if !map.is_map() {
        return None;
    }
    match own_entry(map, key) {
        Some(child) if rest.is_empty() => child.is_null().then(|| set(child, value))?,
        Some(child) => add_path(child, rest, value),
        // A merged map has it: a key of the map's own would hide all of that.
        None if map.get(key).is_some() => None,
        None => insert(map, &Fragment::Under(key, Box::new(chain())), Quotes::around(map)),
    }
}

/// Adds an item at the end of a list; a null in its place becomes a list.
pub fn append(list: Node<'_>, value: &NewValue) -> Option<Edit> {
    if list.is_alias() || is_shared(list) {
        return None;
    }
    let last = list.items().last();
    let quotes = last
        .filter(|item| item.text().is_some() && !item.is_alias())
        .and_then(|item| Quotes::of(&item.tree().text()[item.local_range()]))
        .unwrap_or_else(|| Quotes::around(list));
    if list.is_null() {
        return put(list, &Fragment::Item(Box::new(Fragment::Value(value))), quotes);
    }
    if !list.is_seq() {
        return None;
    }
    insert(list, &Fragment::Item(Box::new(Fragment::Value(value))), quotes)
}

/// Gives the entry of a value another key and keeps the key's quotes.
pub fn rename(value: Node<'_>, key: &str) -> Option<Edit> {
    let map = value.parent().filter(|parent| parent.is_map())?;
    let (old, _) = map.own_entries().find(|(_, own)| *own == value)?;
    if old.is_alias() || old.text().is_none() || is_shared(map) || map.get(key).is_some() {
        return None;
    }
    let range = old.local_range();
    let written = &old.tree().text()[range.clone()];
    let quotes = Quotes::of(written).unwrap_or_else(|| Quotes::around(map));
    (!range.is_empty() && !old.is_block_scalar()).then(|| edit(old, range, write::text(key, quotes, map.is_flow())))
}

/// An edit in the file of a node; the caller made sure that the tree is that of a file.
fn edit(node: Node<'_>, range: std::ops::Range<usize>, text: String) -> Edit {
    Edit { span: node.tree().span(range.start as u32, range.end as u32), text }
}

/// Writes in place of a node, which may be empty.
fn put(node: Node<'_>, fragment: &Fragment<'_>, quotes: Quotes) -> Option<Edit> {
    let lines = Lines::of(node);
    let range = node.local_range();
    let slot = slot(node)?;
    let indicator = match slot {
        Slot::Flow => {
            // A tag or an anchor before the value would apply to what comes instead.
            let before = lines.text[..range.start].trim_end();
            let is_safe = before.ends_with(if range.is_empty() { &[':'][..] } else { &[':', ',', '[', '{'] });
            let space = if range.is_empty() { " " } else { "" };
            return is_safe.then(|| Some(edit(node, range, format!("{space}{}", fragment.flow(quotes)?))))?;
        }
        Slot::Root => {
            return (!range.is_empty()).then(|| Some(edit(node, range, fragment.flow(quotes)?)))?;
        }
        Slot::Key { colon, .. } => colon,
        Slot::Item { dash, .. } => dash,
    };
    if !layout::is_blank(&lines.text[indicator + 1..range.start]) {
        return None;
    }
    let range = if range.is_empty() { indicator + 1..indicator + 1 } else { range };
    let (tail, tail_end) = lines.tail(range.end)?;
    let style = Style::of(node, quotes);
    let rendered = fragment.block(&style)?;
    let space = if range.is_empty() { " " } else { "" };
    let is_empty = range.is_empty();
    // Blanks that end the line would become part of the last of several lines.
    let range = if rendered.lines.len() > 1 && tail.is_empty() { range.start..tail_end } else { range };
    match slot {
        Slot::Key { colon, column } if rendered.is_block => {
            if lines.text[colon + 1..range.start].contains('#') {
                return None;
            }
            let column = column + if rendered.is_list { style.list_offset } else { style.step };
            let text = format!("{tail}{}{}", lines.newline(), rendered.at(column, true, &lines));
            Some(edit(node, colon + 1..tail_end, text))
        }
        // The line's comment would end up behind the last of several lines.
        _ if rendered.lines.len() > 1 && !tail.is_empty() => None,
        Slot::Key { column, .. } => {
            let text = rendered.at(column + style.step, false, &lines);
            Some(edit(node, range, format!("{space}{text}")))
        }
        Slot::Item { column, .. } => {
            let content = if is_empty { column + 2 } else { lines.column(range.start)? };
            Some(edit(node, range, format!("{space}{}", rendered.at(content, false, &lines))))
        }
        Slot::Flow | Slot::Root => None,
    }
}

/// Writes one more entry or item after the last one of a collection.
fn insert(collection: Node<'_>, fragment: &Fragment<'_>, quotes: Quotes) -> Option<Edit> {
    let lines = Lines::of(collection);
    let whole = collection.local_range();
    let values = || collection.own_entries().map(|(_, value)| value).chain(collection.items());
    let (Some(first), Some(last)) = (values().next(), values().last()) else {
        let has_comment = lines.text[whole].contains('#');
        return if has_comment { None } else { put(collection, fragment, quotes) };
    };
    let last_end = last.local_range().end;
    if collection.is_flow() {
        if !layout::is_bracketed(collection) || lines.text[last_end..whole.end].contains('#') {
            return None;
        }
        let text = fragment.flow_inner(quotes)?;
        let start = last_start(collection, last)?;
        let indent = &lines.text[lines.start(start)..start];
        let own_line = lines.start(start) > whole.start && indent.bytes().all(|b| b == b' ');
        let gap = if own_line { format!("{}{indent}", lines.newline()) } else { " ".to_string() };
        return Some(edit(collection, last_end..last_end, format!(",{gap}{text}")));
    }
    let (Slot::Key { column, .. } | Slot::Item { column, .. }) = slot(first)? else {
        return None;
    };
    slot(last)?;
    if last_leaf_is_kept(last) {
        return None;
    }
    let end = lines.entry_end(last_end, column)?;
    let rendered = fragment.block(&Style::of(collection, quotes))?;
    let text = format!("{}{}", lines.newline(), rendered.at(column, true, &lines));
    Some(edit(collection, end..end, text))
}

/// Where the last entry of a flow collection starts: at its key, or at the item itself.
fn last_start(collection: Node<'_>, last: Node<'_>) -> Option<usize> {
    let start = if collection.is_map() { collection.own_entries().last()?.0 } else { last };
    Some(start.local_range().start)
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
