//! [`Node`]: a cursor into a tree. Copying it is free; it never changes anything.

use std::collections::{HashMap, HashSet};

use super::scalar::{self, Scalar};
use super::{Kind, NONE, NodeId, RawNode, Tree, flag, key_hash, short_hash};
use crate::source::Span;

/// Merge keys may lead to maps that merge in turn; deeper chains are not followed.
const MERGE_DEPTH: u8 = 8;

/// Merged maps that one look-up visits; lists of aliases to lists of aliases would be endless.
const MERGED_MAPS: u32 = 1_000;

/// A place in a tree.
#[derive(Clone, Copy)]
pub struct Node<'t> {
    tree: &'t Tree,
    id: u32,
}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}@{}", self.kind(), self.raw().start)
    }
}

impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.tree, other.tree) && self.id == other.id
    }
}

impl<'t> Node<'t> {
    pub(super) fn new(tree: &'t Tree, id: NodeId) -> Node<'t> {
        Node { tree, id: id.0 }
    }

    fn at_raw(self, id: u32) -> Option<Node<'t>> {
        (id != NONE).then_some(Node { tree: self.tree, id })
    }

    fn raw(self) -> &'t RawNode {
        &self.tree.nodes[self.id as usize]
    }

    /// The node that an alias names; any other node itself.
    pub fn target(self) -> Node<'t> {
        let raw = self.raw();
        if raw.kind == Kind::Alias { self.at_raw(raw.data).unwrap_or(self) } else { self }
    }

    pub(super) fn target_raw(self) -> &'t RawNode {
        self.target().raw()
    }

    /// The tree.
    pub fn tree(self) -> &'t Tree {
        self.tree
    }

    /// The number within the tree.
    pub fn id(self) -> NodeId {
        NodeId(self.id)
    }

    /// What it is; an alias is what its anchor is.
    pub fn kind(self) -> Kind {
        self.target().raw().kind
    }

    /// Whether it is a map.
    pub fn is_map(self) -> bool {
        self.kind() == Kind::Map
    }

    /// Whether it is a list.
    pub fn is_seq(self) -> bool {
        self.kind() == Kind::Seq
    }

    /// Whether it is written `{…}` or `[…]`.
    pub fn is_flow(self) -> bool {
        self.raw().flags & flag::FLOW != 0
    }

    /// Whether it is written as `*name`.
    pub fn is_alias(self) -> bool {
        self.raw().kind == Kind::Alias
    }

    /// Whether it is a literal or folded block.
    pub fn is_block_scalar(self) -> bool {
        self.target().raw().flags & flag::BLOCK != 0
    }

    /// Whether it is a plain scalar, without quotes.
    pub fn is_plain(self) -> bool {
        self.target().raw().flags & flag::PLAIN != 0
    }

    /// Whether the value stands elsewhere (`${NAME}`, `ENC[…]`).
    pub fn is_unknown(self) -> bool {
        self.target().raw().flags & flag::UNKNOWN != 0
    }

    /// Whether its text must not be shown.
    pub fn is_secret(self) -> bool {
        let node = self.target();
        node.tree.is_secret(NodeId(node.id))
    }

    /// `null`, `~`, or nothing at all.
    pub fn is_null(self) -> bool {
        matches!(self.scalar(), Some(Scalar::Null))
    }

    /// Where it stands; an alias is where `*name` stands.
    pub fn span(self) -> Span {
        let raw = self.raw();
        self.tree.span(raw.start, raw.end)
    }

    /// Byte range in the text of its tree.
    pub fn local_range(self) -> std::ops::Range<usize> {
        let raw = self.raw();
        raw.start as usize..raw.end as usize
    }

    /// The text of a scalar after quotes and escapes; nothing for maps and lists.
    pub fn text(self) -> Option<&'t str> {
        let node = self.target();
        let raw = node.raw();
        if raw.kind != Kind::Scalar {
            return None;
        }
        let (start, end) = (raw.start as usize, raw.end as usize);
        Some(if raw.flags & flag::DECODED != 0 {
            &node.tree.decoded[raw.data as usize]
        } else if raw.flags & flag::QUOTED != 0 {
            &node.tree.text[start + 1..end - 1]
        } else {
            &node.tree.text[start..end]
        })
    }

    /// The value of a scalar as kubectl resolves it; nothing for maps and lists.
    pub fn scalar(self) -> Option<Scalar<'t>> {
        let node = self.target();
        let text = node.text()?;
        let flags = node.raw().flags;
        Some(if flags & flag::PLAIN != 0 && flags & flag::STRING_TAG == 0 {
            scalar::resolve(text)
        } else {
            Scalar::Text(text)
        })
    }

    /// The text of a scalar that kubectl takes for text.
    pub fn string(self) -> Option<&'t str> {
        match self.scalar() {
            Some(Scalar::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A whole number.
    pub fn int(self) -> Option<i64> {
        match self.scalar() {
            Some(Scalar::Int(number)) => Some(number),
            _ => None,
        }
    }

    /// A boolean.
    pub fn bool(self) -> Option<bool> {
        match self.scalar() {
            Some(Scalar::Bool(value)) => Some(value),
            _ => None,
        }
    }

    /// The node around it; nothing at the root.
    pub fn parent(self) -> Option<Node<'t>> {
        self.at_raw(self.raw().parent)
    }

    /// The key of a map's value.
    pub fn key(self) -> Option<Node<'t>> {
        let parent = self.parent()?;
        if parent.raw().kind != Kind::Map || self.raw().is_key {
            return None;
        }
        // A scalar key comes right before its value in the arena.
        let before = Node { tree: self.tree, id: self.id.checked_sub(1)? };
        if before.raw().parent == parent.id && before.raw().next == self.id {
            return Some(before);
        }
        parent.own_entries().find(|(_, value)| *value == self).map(|(key, _)| key)
    }

    /// The value of a key; merged maps answer where the map itself does not.
    pub fn get(self, key: &str) -> Option<Node<'t>> {
        self.get_hashed(key, key_hash(key))
    }

    /// Every key with the value that [`get`](Node::get) finds: for many look-ups in a large map.
    pub fn index(self) -> HashMap<&'t str, Node<'t>> {
        // A map's own keys come before merged ones, and the last of equal keys wins.
        let own = self.own_entries().filter(|(key, _)| !key.is_merge());
        self.entries().chain(own).filter_map(|(key, value)| Some((key.text()?, value))).collect()
    }

    /// [`get`](Node::get) with the hash already known.
    pub fn get_hashed(self, key: &str, hash: u32) -> Option<Node<'t>> {
        self.lookup(key, hash, MERGE_DEPTH, &mut { MERGED_MAPS })
    }

    fn lookup(self, key: &str, hash: u32, depth: u8, maps: &mut u32) -> Option<Node<'t>> {
        let node = self.target();
        let raw = node.raw();
        if raw.kind != Kind::Map {
            return None;
        }
        let kept = short_hash(hash);
        let mut at = raw.data;
        let mut found = None;
        while at != NONE {
            let entry = &node.tree.nodes[at as usize];
            if entry.hash == kept {
                let candidate = Node { tree: node.tree, id: at };
                if candidate.text() == Some(key) {
                    // The last of two equal keys wins, as in kubectl's decoder.
                    found = node.at_raw(entry.next);
                }
            }
            at = match node.tree.nodes.get(entry.next as usize) {
                Some(value) => value.next,
                None => NONE,
            };
        }
        if found.is_none() && raw.flags & flag::MERGE != 0 && depth > 0 {
            return node.merged(maps).into_iter().find_map(|map| map.lookup(key, hash, depth - 1, maps));
        }
        found
    }

    /// The maps that `<<` names, in order; at most `maps`, which are counted down.
    fn merged(self, maps: &mut u32) -> Vec<Node<'t>> {
        let merged: Vec<_> = self
            .own_entries()
            .filter(|(key, _)| key.is_merge())
            .flat_map(|(_, value)| {
                let list: Vec<_> = if value.is_seq() { value.items().collect() } else { vec![value] };
                list
            })
            .filter(|node| node.is_map())
            .take(*maps as usize)
            .collect();
        *maps -= merged.len() as u32;
        merged
    }

    /// The value at a path of keys.
    pub fn at(self, path: &[&str]) -> Option<Node<'t>> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The items of a list; nothing for other nodes.
    pub fn items(self) -> Items<'t> {
        let node = self.target();
        Items { tree: node.tree, at: if node.raw().kind == Kind::Seq { node.raw().data } else { NONE } }
    }

    /// The keys and values that stand in the map itself, `<<` and the first of two equal keys included.
    pub(super) fn own_entries(self) -> OwnEntries<'t> {
        let node = self.target();
        OwnEntries { tree: node.tree, at: if node.raw().kind == Kind::Map { node.raw().data } else { NONE } }
    }

    /// The keys and values of a map, those of merged maps after its own.
    pub fn entries(self) -> Entries<'t> {
        let node = self.target();
        let own = node.own_entries();
        if node.raw().flags & flag::MERGE == 0 {
            return Entries::Own(own);
        }
        let mut all: Vec<(Node<'t>, Node<'t>)> = Vec::new();
        node.collect_entries(&mut all, &mut HashSet::new(), MERGE_DEPTH, &mut { MERGED_MAPS });
        Entries::Merged(all.into_iter())
    }

    fn collect_entries(
        self,
        all: &mut Vec<(Node<'t>, Node<'t>)>,
        keys: &mut HashSet<Option<&'t str>>,
        depth: u8,
        maps: &mut u32,
    ) {
        for (key, value) in self.own_entries() {
            if !key.is_merge() && keys.insert(key.text()) {
                all.push((key, value));
            }
        }
        if depth > 0 && all.len() < 10_000 {
            for map in self.merged(maps) {
                map.target().collect_entries(all, keys, depth - 1, maps);
            }
        }
    }

    /// Whether it is written `<<` without quotes, as merge keys are.
    fn is_merge(self) -> bool {
        self.is_plain() && self.text() == Some("<<")
    }

    /// Whether it is a key of a map.
    pub fn is_key(self) -> bool {
        self.raw().is_key
    }

    /// The key and the value of which it is one; nothing for items of lists, and for merge keys.
    pub fn entry(self) -> Option<(Node<'t>, Node<'t>)> {
        let (key, value) = if self.is_key() { (self, self.at_raw(self.raw().next)?) } else { (self.key()?, self) };
        (!key.is_merge()).then_some((key, value))
    }

    /// Where a finding about this value points: a scalar is its text; a map or list its key; a list
    /// item its `name`; a resource its `metadata.name`; an empty value its key.
    pub fn place(self) -> Span {
        let raw = self.raw();
        if (raw.kind == Kind::Scalar && raw.end > raw.start) || raw.kind == Kind::Alias {
            return self.span();
        }
        if let Some(key) = self.key() {
            return key.span();
        }
        if raw.kind == Kind::Scalar {
            return self.parent().map_or_else(|| self.span(), Node::place);
        }
        let named = match self.parent() {
            None => self
                .at(&["metadata", "name"])
                .or_else(|| self.at(&["metadata", "generateName"]))
                .or_else(|| self.get("kind")),
            Some(_) if self.get("kind").is_some() && self.get("metadata").is_some() => {
                self.at(&["metadata", "name"]).or_else(|| self.get("kind"))
            }
            Some(_) => self.get("name"),
        };
        if let Some(name) = named.filter(|n| n.kind() == Kind::Scalar && !n.local_range().is_empty()) {
            return name.span();
        }
        match raw.kind {
            Kind::Map => self.own_entries().next().map_or_else(|| self.span(), |(key, _)| key.span()),
            _ => {
                // An empty item stands where its list does: asking it would come back here.
                let has_place = |item: &Node<'_>| item.id > self.id && !item.local_range().is_empty();
                self.items().next().filter(has_place).map_or_else(|| self.span(), Node::place)
            }
        }
    }

    /// The path from `root` (exclusive) to this node, `spec.http[0].match`; keys that hold anything
    /// but letters, digits, `-` and `_` stand in brackets and quotes. With `named`, an item that has a
    /// name is called by it, `containers[app]`: such a path survives a change of order.
    pub fn path_below(self, root: Option<Node<'t>>, named: bool) -> String {
        let mut steps = Vec::new();
        let mut node = self;
        while Some(node) != root {
            let Some(parent) = node.parent() else { break };
            if parent.is_seq() {
                let name = if named { node.get("name").and_then(Node::text) } else { None };
                let index = || parent.items().position(|item| item == node).unwrap_or(0).to_string();
                steps.push(format!("[{}]", name.map_or_else(index, str::to_string)));
            } else if let Some(key) = node.key() {
                steps.push(path_step(key.text().unwrap_or("")));
            } else if node.text().is_some() {
                // The node is itself a key.
                steps.push(path_step(node.text().unwrap_or("")));
            }
            node = parent;
        }
        steps.reverse();
        join_path(&steps)
    }
}

/// A key as a step of a path.
pub(crate) fn path_step(key: &str) -> String {
    if !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
        key.to_string()
    } else {
        format!("[{key:?}]")
    }
}

/// Steps with dots between keys and none before brackets.
pub(crate) fn join_path(steps: &[String]) -> String {
    let mut path = String::new();
    for step in steps {
        if !path.is_empty() && !step.starts_with('[') {
            path.push('.');
        }
        path.push_str(step);
    }
    path
}

/// Items of a list.
#[derive(Debug, Clone)]
pub struct Items<'t> {
    tree: &'t Tree,
    at: u32,
}

impl<'t> Iterator for Items<'t> {
    type Item = Node<'t>;
    fn next(&mut self) -> Option<Node<'t>> {
        let node = (self.at != NONE).then_some(Node { tree: self.tree, id: self.at })?;
        self.at = node.raw().next;
        Some(node)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct OwnEntries<'t> {
    tree: &'t Tree,
    at: u32,
}

impl<'t> Iterator for OwnEntries<'t> {
    type Item = (Node<'t>, Node<'t>);
    fn next(&mut self) -> Option<(Node<'t>, Node<'t>)> {
        let key = (self.at != NONE).then_some(Node { tree: self.tree, id: self.at })?;
        let value = key.at_raw(key.raw().next)?;
        self.at = value.raw().next;
        Some((key, value))
    }
}

/// Keys and values of a map.
#[derive(Debug, Clone)]
#[expect(private_interfaces, reason = "the variants are not for matching")]
pub enum Entries<'t> {
    /// A map without merge keys.
    Own(OwnEntries<'t>),
    /// A map with them.
    Merged(std::vec::IntoIter<(Node<'t>, Node<'t>)>),
}

impl<'t> Iterator for Entries<'t> {
    type Item = (Node<'t>, Node<'t>);
    fn next(&mut self) -> Option<(Node<'t>, Node<'t>)> {
        match self {
            Entries::Own(own) => own.next(),
            Entries::Merged(all) => all.next(),
        }
    }
}
