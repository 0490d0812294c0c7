//! YAML as Kubernetes reads it, with a byte span for every key and every value.
//!
//! [`parse`](parse::parse) turns a text into a [`Tree`]: an arena of 24-byte nodes. [`Node`] is a
//! cursor into it. Aliases are followed on read and never copied, so an alias bomb stays small;
//! merge keys (`<<`) answer look-ups as kubectl's decoder does. Text inside a scalar (the mesh
//! configuration in a ConfigMap) is a tree of its own, whose [`Segments`] lead
//! every span back to the outer file.

pub mod composed;
pub mod edit;
pub mod embedded;
mod forest;
mod node;
pub mod parse;
pub mod scalar;
mod secret;

use std::sync::Arc;

pub use embedded::Segments;
pub use forest::{Place, Trees};
pub(crate) use node::path_step;
pub use node::{Entries, Items, Node};

use crate::source::{FileId, Span};

/// The number of a node in its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

pub(crate) const NONE: u32 = u32::MAX;

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `key: value` pairs.
    Map,
    /// A list.
    Seq,
    /// Text, number, boolean or null.
    Scalar,
    /// `*name`; reading goes on at the anchor.
    Alias,
}

pub(crate) mod flag {
    /// The value is the text itself: no quotes, one line.
    pub(crate) const PLAIN: u8 = 1;
    /// In quotes without escapes or folds: the value is what stands between them.
    pub(crate) const QUOTED: u8 = 2;
    /// The value stands in the side table: block scalars, escapes, folds.
    pub(crate) const DECODED: u8 = 4;
    /// `[…]` or `{…}`.
    pub(crate) const FLOW: u8 = 8;
    /// A map with a `<<` key.
    pub(crate) const MERGE: u8 = 16;
    /// A value that the input does not show: `${NAME}`, `ENC[…]`.
    pub(crate) const UNKNOWN: u8 = 32;
    /// `!!str`.
    pub(crate) const STRING_TAG: u8 = 64;
    /// A literal or folded block.
    pub(crate) const BLOCK: u8 = 128;
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct RawNode {
    pub(crate) kind: Kind,
    pub(crate) flags: u8,
    /// A key of a map.
    pub(crate) is_key: bool,
    /// Of a key, for look-ups: a byte passes over nearly all keys that are not the one.
    pub(crate) hash: u8,
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) parent: u32,
    /// Next sibling; in a map, keys and values take turns.
    pub(crate) next: u32,
    /// First child; for a decoded scalar its place in the side table; for an alias its target.
    pub(crate) data: u32,
}

// Nodes are most of what a run holds in memory.
const _: () = assert!(size_of::<RawNode>() == 24);

/// `# text`, without the `#`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comment {
    /// From `#` to the end of the line.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// Nothing but blanks stands before it on its line.
    pub own_line: bool,
}

/// One document of a text.
#[derive(Debug, Clone, Copy)]
pub struct Document {
    /// Its node; nothing for an empty document.
    pub root: Option<NodeId>,
    /// Where it starts in the text, the comments above its first key included.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
    /// The keys of all its maps.
    pub keys: KeySet,
}

/// Keys, one bit each; some share one. Whether a key may occur is told without looking at the document.
#[derive(Debug, Clone, Copy, Default)]
pub struct KeySet([u64; 4]);

impl KeySet {
    pub(crate) fn insert(&mut self, hash: u32) {
        let (word, bit) = KeySet::place(hash);
        self.0[word] |= bit;
    }

    /// Whether a key of that [`key_hash`] may be among them; `false` is certain.
    pub fn may_hold(&self, hash: u32) -> bool {
        let (word, bit) = KeySet::place(hash);
        self.0[word] & bit != 0
    }

    fn place(hash: u32) -> (usize, u64) {
        let short = short_hash(hash);
        (usize::from(short >> 6), 1 << (short & 63))
    }
}

/// Why a text, or a part of it, can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// No YAML.
    Syntax,
    /// One key stands twice in a map; the second span is the first of them.
    DuplicateKey(Span),
    /// A map or a list as key.
    ComplexKey,
    /// `*name` without an anchor of that name.
    UnknownAlias,
    /// A limit was reached: nesting, size, number of documents.
    Limit,
}

/// An error at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What it is.
    pub kind: ErrorKind,
    /// Where.
    pub span: Span,
    /// In words.
    pub message: String,
}

/// All nodes of one text.
#[derive(Debug)]
pub struct Tree {
    /// The file that spans point into.
    pub file: FileId,
    text: Arc<str>,
    nodes: Vec<RawNode>,
    decoded: Vec<Box<str>>,
    /// Documents in order; the broken ones are missing here and stand in `errors`.
    pub documents: Vec<Document>,
    /// Comments in order.
    pub comments: Vec<Comment>,
    /// What could not be read.
    pub errors: Vec<Error>,
    segments: Option<Segments>,
    /// Of composed text: where its stretches come from, in order.
    origins: Vec<composed::Origin>,
    /// Scalars whose text must not be shown, by number, in order.
    secret: Vec<u32>,
    /// The scalar that the text comes from, for embedded text.
    pub outer: Option<(u32, NodeId)>,
}

impl Tree {
    /// The text that was parsed; for embedded text the decoded inner one.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A cursor at a node.
    pub fn node(&self, id: NodeId) -> Node<'_> {
        Node::new(self, id)
    }

    /// Whether a part of it can't be read. A key that stands twice can be.
    pub fn is_broken(&self) -> bool {
        self.errors.iter().any(|e| !matches!(e.kind, ErrorKind::DuplicateKey(_)))
    }

    /// The root of each document that has one.
    pub fn roots(&self) -> impl Iterator<Item = Node<'_>> {
        self.documents.iter().filter_map(|d| d.root).map(|id| self.node(id))
    }

    /// The number of the document that a node stands in.
    pub fn document_number(&self, id: NodeId) -> Option<usize> {
        let start = self.nodes[id.0 as usize].start;
        self.documents.partition_point(|d| d.start <= start).checked_sub(1)
    }

    /// The innermost node whose text, key included, holds a place of the file; nothing outside of the
    /// documents.
    pub fn innermost(&self, at: Span) -> Option<Node<'_>> {
        let holds = |node: &Node<'_>| {
            let whole = node.entry().map_or(node.span(), |(key, value)| {
                let (key, value) = (key.span(), value.span());
                Span { end: value.end.max(key.end), ..key }
            });
            whole.contains(at)
        };
        // Nodes stand in the order of their starts: the last of those that start before and hold the place.
        let before = self.nodes.partition_point(|node| node.start <= at.start);
        let mut node = self.node(NodeId(before.checked_sub(1)? as u32));
        while !holds(&node) {
            node = node.parent()?;
        }
        Some(if node.is_key() { node.entry().map_or(node, |(_, value)| value) } else { node })
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Whether the text is no file's own: embedded in a scalar of another tree, or composed.
    pub fn is_embedded(&self) -> bool {
        self.outer.is_some() || !self.origins.is_empty()
    }

    /// The place of a byte range of [`text`](Tree::text) in the file.
    pub fn span(&self, start: u32, end: u32) -> Span {
        if let Some(origin) = self.origin_at(start) {
            return origin.span;
        }
        let (start, end) = match &self.segments {
            None => (start, end),
            Some(segments) => (segments.outer(start), segments.outer_end(start, end)),
        };
        Span { file: self.file, start, end: end.max(start) }
    }
}

/// Whether a text is a raw template that is not to be read as YAML: it holds `{{`, and can't be read
/// or has a map as key (`a: {{ .x }}`). Istio's injector ConfigMap holds `{{` too, but is sound YAML.
pub fn is_template_text(tree: &Tree) -> bool {
    let is_broken = |error: &Error| matches!(error.kind, ErrorKind::Syntax | ErrorKind::ComplexKey);
    tree.text().contains("{{") && tree.errors.iter().any(is_broken)
}

/// The hash by which keys are looked up (FNV-1a; never shown, never stored).
pub fn key_hash(key: &str) -> u32 {
    key.bytes().fold(0x811c_9dc5, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193))
}

/// The part of a hash that a node keeps: the upper bits are the well-mixed ones.
pub(crate) fn short_hash(hash: u32) -> u8 {
    (hash >> 24) as u8
}
