//! Where things stand in the text: lines, columns, and what lies between nodes.

use crate::yaml::{Kind, NONE, Node, NodeId, RawNode, flag};

/// A text by lines.
#[derive(Clone, Copy)]
pub(super) struct Lines<'t> {
    pub(super) text: &'t str,
}

impl<'t> Lines<'t> {
    pub(super) fn of(node: Node<'t>) -> Lines<'t> {
        Lines { text: node.tree().text() }
    }

    /// How the file ends its lines.
    pub(super) fn newline(self) -> &'static str {
        let first = self.text.find('\n').unwrap_or(0);
        if self.text[..first].ends_with('\r') { "\r\n" } else { "\n" }
    }

    /// The first byte of a place's line; a byte order mark is not part of it.
    pub(super) fn start(self, at: usize) -> usize {
        match self.text[..at].rfind('\n') {
            Some(newline) => newline + 1,
            None if self.text.starts_with('\u{feff}') => '\u{feff}'.len_utf8().min(at),
            None => 0,
        }
    }

    /// The end of a place's line, before its line break.
    pub(super) fn end(self, at: usize) -> usize {
        let end = self.text[at..].find('\n').map_or(self.text.len(), |newline| at + newline);
        if self.text[at..end].ends_with('\r') { end - 1 } else { end }
    }

    /// The start of the next line; the end of the text if there is none.
    pub(super) fn next(self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |newline| at + newline + 1)
    }

    /// Whether nothing but spaces stands before a place on its line.
    pub(super) fn is_first(self, at: usize) -> bool {
        self.text[self.start(at)..at].bytes().all(|b| b == b' ')
    }

    /// The column of a block entry, from 0. Only spaces and the dashes of lists may stand before it.
    pub(super) fn column(self, at: usize) -> Option<usize> {
        let before = &self.text[self.start(at)..at];
        let plain = before.bytes().all(|b| matches!(b, b' ' | b'-')) && !before.starts_with("---");
        plain.then_some(before.len())
    }

    /// The comment after a value with the blanks before it, and where the line ends; nothing if
    /// something else follows on the line.
    pub(super) fn tail(self, at: usize) -> Option<(&'t str, usize)> {
        let end = self.end(at);
        let tail = self.text[at..end].trim_end();
        is_blank(tail).then_some((tail, end))
    }

    /// The end of a block entry's last line, before the line break. Comments right below that are
    /// indented deeper than the entry belong to it.
    pub(super) fn entry_end(self, value_end: usize, column: usize) -> Option<usize> {
        let (_, mut end) = self.tail(value_end)?;
        loop {
            let next = self.next(end);
            let line = &self.text[next..self.end(next)];
            let indent = line.len() - line.trim_start_matches(' ').len();
            if next == end || indent <= column || !line[indent..].starts_with('#') {
                return Some(end);
            }
            end = next + line.len();
        }
    }
}

/// Whether a text between tokens holds only blanks, line breaks and comments.
pub(super) fn is_blank(gap: &str) -> bool {
    gap.lines().all(|line| matches!(line.trim().chars().next(), None | Some('#')))
}

/// What a value stands in.
#[derive(Clone, Copy)]
pub(super) enum Slot {
    /// After the colon of a block map's key, which starts at a column.
    Key { colon: usize, column: usize },
    /// After the dash of a block list, which stands at a column.
    Item { dash: usize, column: usize },
    /// In `{…}` or `[…]`.
    Flow,
    /// A document's root.
    Root,
}

/// What a value stands in; nothing for keys and for layouts that are not edited.
pub(super) fn slot(node: Node<'_>) -> Option<Slot> {
    let lines = Lines::of(node);
    let Some(parent) = node.parent() else {
        return Some(Slot::Root);
    };
    if parent.is_seq() {
        if parent.is_flow() {
            return Some(Slot::Flow);
        }
        let dash = dash(node)?;
        return Some(Slot::Item { dash, column: lines.column(dash)? });
    }
    let (key, _) = parent.own_entries().find(|(_, value)| *value == node)?;
    if parent.is_flow() {
        return Some(Slot::Flow);
    }
    let range = key.local_range();
    let colon = range.end + lines.text[range.end..].len() - lines.text[range.end..].trim_start_matches(' ').len();
    let found = !range.is_empty() && lines.text[colon..].starts_with(':');
    found.then_some(Slot::Key { colon, column: lines.column(range.start)? })
}

/// The dash of a block list's item. The parser starts a list at its first dash, but one that is
/// indented no deeper than its key at its first item.
pub(super) fn dash(item: Node<'_>) -> Option<usize> {
    let list = item.parent()?;
    let lines = Lines::of(item);
    let start = item.local_range().start;
    let is_first = list.items().next() == Some(item);
    if is_first && list.local_range().start < start && lines.text[list.local_range().start..].starts_with('-') {
        return Some(list.local_range().start);
    }
    let mut line = lines.start(start);
    loop {
        let text = &lines.text[line..start];
        let content = text.trim_start_matches(' ');
        if content.strip_prefix('-').is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\r', '\n'])) {
            return Some(start - content.len());
        }
        // Comments and empty lines may stand between the dash and the item, tags and anchors too.
        let between = text.lines().next().unwrap_or("");
        if !lines.text[..line].ends_with('\n') || !(line == lines.start(start) || is_blank(between)) {
            return None;
        }
        line = lines.start(line - 1);
    }
}

/// The value of a key that the map itself has; the last one of several, as kubectl reads it.
pub(super) fn own_entry<'t>(map: Node<'t>, key: &str) -> Option<Node<'t>> {
    map.own_entries().filter(|(own, _)| own.text() == Some(key)).last().map(|(_, value)| value)
}

/// Whether a flow collection has its brackets; in `[a: 1]` the inner map has none.
pub(super) fn is_bracketed(collection: Node<'_>) -> bool {
    collection.tree().text()[collection.local_range()].starts_with(['{', '['])
}

/// Whether a value ends in a block scalar that keeps the blank lines after it (`|+`): a line after
/// it would change the text.
pub(super) fn last_leaf_is_kept(node: Node<'_>) -> bool {
    let mut leaf = node;
    while !leaf.is_alias() {
        let last = leaf.own_entries().last().map(|(_, value)| value).or_else(|| leaf.items().last());
        let Some(last) = last else { break };
        leaf = last;
    }
    let text = &leaf.tree().text()[leaf.local_range()];
    let header = text.split(['\n', '#']).next().unwrap_or("");
    !leaf.is_alias() && leaf.is_block_scalar() && header.contains('+')
}

/// Whether an edit at a node would be seen elsewhere: the text is inside a scalar, or an alias leads
/// to the node or to what holds it.
pub(super) fn is_shared(node: Node<'_>) -> bool {
    let around: Vec<u32> = std::iter::successors(Some(node), |n| n.parent()).map(|n| n.id().0).collect();
    node.tree().is_embedded() || alias_targets(node).any(|(_, target)| around.contains(&target))
}

/// Whether an alias outside of a value leads into it.
pub(super) fn is_needed_elsewhere(value: Node<'_>) -> bool {
    let inside = value.local_range();
    alias_targets(value).any(|(alias, target)| {
        let target = value.tree().nodes[target as usize].start as usize;
        (inside.contains(&target) || target == inside.start) && !inside.contains(&(alias as usize))
    })
}

/// The aliases of a node's document: where each stands, and the node that it leads to.
fn alias_targets(node: Node<'_>) -> impl Iterator<Item = (u32, u32)> {
    document(node).filter(|raw| raw.kind == Kind::Alias && raw.data != NONE).map(|raw| (raw.start, raw.data))
}

/// The nodes of a node's document.
fn document(node: Node<'_>) -> impl Iterator<Item = &RawNode> {
    let tree = node.tree();
    let roots = || tree.documents.iter().filter_map(|d| d.root).map(|root| root.0 as usize);
    let id = node.id().0 as usize;
    let from = roots().take_while(|root| *root <= id).last().unwrap_or(0);
    let to = roots().find(|root| *root > id).unwrap_or(tree.nodes.len());
    tree.nodes[from..to].iter()
}

/// By how much the document's author indents: maps below their key, and lists below theirs.
pub(super) fn indentation(node: Node<'_>) -> (usize, usize) {
    let tree = node.tree();
    let lines = Lines::of(node);
    let (mut map, mut list) = (None, None);
    for raw in document(node) {
        if map.is_some() && list.is_some() {
            break;
        }
        let below_map = raw.parent != NONE && tree.nodes[raw.parent as usize].kind == Kind::Map;
        if raw.flags & flag::FLOW != 0 || !below_map || raw.kind == Kind::Scalar || raw.data == NONE {
            continue;
        }
        let child = tree.node(NodeId(raw.data));
        let Some(Slot::Key { column, .. }) = child.parent().and_then(slot) else {
            continue;
        };
        match raw.kind {
            Kind::Map if map.is_none() => {
                map = lines.column(child.local_range().start).and_then(|c| c.checked_sub(column)).filter(|s| *s > 0);
            }
            Kind::Seq if list.is_none() => {
                list = dash(child).and_then(|dash| lines.column(dash)).and_then(|c| c.checked_sub(column));
            }
            _ => {}
        }
    }
    let step = map.unwrap_or(2);
    (step, list.unwrap_or(step))
}
