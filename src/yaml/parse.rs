//! Events to tree: the only place that makes spans.

mod keys;
mod limits;
mod repair;

use std::collections::HashMap;
use std::sync::Arc;

use granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, StructureStyle, options};

use limits::{Limits, is_excessive};

use super::embedded::Segments;
use super::{
    Comment, Document, Error, ErrorKind, KeySet, Kind, NONE, NodeId, RawNode, Tree, flag, key_hash, scalar, secret,
    short_hash,
};
use crate::source::{FileId, Span};

/// What YAML takes for white space; Rust knows more of it.
const BLANK: [char; 4] = [' ', '\t', '\r', '\n'];

/// Parses a whole text: all documents, those after a broken one included.
pub fn parse(file: FileId, text: Arc<str>) -> Tree {
    build(file, text, None, None, Limits::default())
}

/// Parses text that is no file's own; `segments` lead its places back to the scalar that it stands in.
pub(super) fn within(file: FileId, text: Arc<str>, segments: Option<Segments>, outer: Option<(u32, NodeId)>) -> Tree {
    build(file, text, segments, outer, Limits::default())
}

/// The parser's options: as libyaml reads, with everything that a linter needs reported.
pub(crate) fn parser_options() -> Options {
    options! {
        emit_anchor_events: true,
        emit_unresolved_aliases: true,
        block_scalar_eof_without_line_feed: true,
        max_buffered_comment_events: usize::MAX,
        // kubectl reads keys of any length; JSON dumps have long ones.
        simple_key_max_lookahead: 1 << 16,
    }
}

fn build(
    file: FileId,
    text: Arc<str>,
    segments: Option<Segments>,
    outer: Option<(u32, NodeId)>,
    limits: Limits,
) -> Tree {
    let mut source = text.clone();
    let mut comments = Vec::new();
    loop {
        let mut builder = Builder::new(file, text.clone(), segments.clone(), outer, limits);
        if source.len() >= u32::MAX as usize {
            builder.error(ErrorKind::Limit, 0, 0, "file is larger than 4 GiB");
            return builder.tree;
        }
        let Err(error) = builder.read(&source, comments.len() < limits.repairs) else {
            return builder.finish(comments);
        };
        let Some((repaired, start, end)) = repair::without_comment(&source, &error) else {
            return builder.finish(comments);
        };
        source = repaired;
        comments.push(Comment { start: start as u32, end: end as u32, own_line: false });
    }
}

/// Manifests have a node for every 10 to 14 bytes; too low a guess costs a copy.
const BYTES_PER_NODE: usize = 10;

struct Open {
    node: u32,
    last_child: u32,
    /// How many keys there are.
    keys: usize,
    /// Keys by hash once there are many, where a scan for each would be quadratic.
    many: HashMap<u32, Vec<u32>>,
    expects_key: bool,
    is_anchored: bool,
    /// The size of the document when it was opened.
    before: u64,
}

struct Builder {
    tree: Tree,
    stack: Vec<Open>,
    anchors: HashMap<usize, u32>,
    /// Nodes of a closed collection with an anchor, aliases followed; by its number.
    sizes: HashMap<u32, u64>,
    aliases: usize,
    /// Documents that can't be read to their end, and keys that stand twice.
    broken: usize,
    twice: usize,
    document: Option<PendingDocument>,
    limits: Limits,
}

struct PendingDocument {
    first_node: usize,
    first_decoded: usize,
    start: u32,
    root: Option<u32>,
    keys: KeySet,
    /// Nodes so far, aliases followed, and how many of them stand behind aliases.
    size: u64,
    aliased: u64,
}

impl Builder {
    fn new(
        file: FileId,
        text: Arc<str>,
        segments: Option<Segments>,
        outer: Option<(u32, NodeId)>,
        limits: Limits,
    ) -> Builder {
        let tree = Tree {
            file,
            nodes: Vec::with_capacity(text.len() / BYTES_PER_NODE),
            text,
            decoded: Vec::new(),
            documents: Vec::new(),
            comments: Vec::new(),
            errors: Vec::new(),
            segments,
            origins: Vec::new(),
            secret: Vec::new(),
            outer,
        };
        Builder {
            tree,
            stack: Vec::new(),
            anchors: HashMap::new(),
            sizes: HashMap::new(),
            aliases: 0,
            broken: 0,
            twice: 0,
            document: None,
            limits,
        }
    }

    /// Reads a text to its end. An error that may be repaired is answered, and the rest is not read.
    fn read(&mut self, source: &str, may_repair: bool) -> Result<(), ScanError> {
        let limits = self.limits;
        let mut parser = Parser::new_from_str_with_options(source, parser_options());
        while let Some(result) = parser.next_event() {
            match result {
                Ok((event, span)) => {
                    let Some(range) = span.byte_range() else { continue };
                    self.event(event, range.start, range.end);
                    if self.tree.nodes.len() > limits.nodes || self.aliases > limits.aliases {
                        self.abandon();
                        let message = "too many nodes or aliases; the rest of the file was not read";
                        self.error(ErrorKind::Limit, range.start, range.end, message);
                        break;
                    }
                }
                Err(error) if may_repair && repair::without_comment(source, &error).is_some() => return Err(error),
                Err(error) => {
                    self.syntax(source, &error);
                    self.broken += 1;
                    if self.broken >= limits.errors {
                        let at = self.tree.errors.last().map_or(0..0, |e| e.span.range());
                        let message = "too many documents can't be read; the rest of the file was not read";
                        self.error(ErrorKind::Limit, at.start, at.end, message);
                        break;
                    }
                    match parser.proceed_next_document() {
                        Ok(true) => {}
                        Ok(false) | Err(_) => break,
                    }
                }
            }
        }
        Ok(())
    }

    /// Drops the document that the parser can't read.
    fn syntax(&mut self, source: &str, error: &ScanError) {
        let at = error.marker().byte_offset().unwrap_or(0).min(source.len());
        let end = source[at..].chars().next().map_or(at, |c| at + if c == '\n' { 0 } else { c.len_utf8() });
        self.abandon();
        let mut message = error.info();
        if let Some(cut) = message.find(" at byte ").or_else(|| message.find(" at char ")) {
            message.truncate(cut);
        }
        self.error(ErrorKind::Syntax, at, end, &message);
    }

    fn finish(self, comments: Vec<Comment>) -> Tree {
        let mut tree = self.tree;
        // A copy of the right size: allocators shrink large blocks in place, and keep what lies behind.
        tree.nodes = tree.nodes.as_slice().to_vec();
        if !comments.is_empty() {
            tree.comments.extend(comments);
            tree.comments.sort_by_key(|comment| comment.start);
        }
        secret::hide(&mut tree);
        tree
    }

    fn error(&mut self, kind: ErrorKind, start: usize, end: usize, message: &str) {
        if matches!(kind, ErrorKind::DuplicateKey(_)) {
            self.twice += 1;
            if self.twice > self.limits.errors {
                return;
            }
        }
        let span = self.tree.span(start as u32, end as u32);
        self.tree.errors.push(Error { kind, span, message: message.to_string() });
    }

    /// Drops the nodes of a document that can't be read to its end.
    fn abandon(&mut self) {
        if let Some(document) = self.document.take() {
            self.tree.nodes.truncate(document.first_node);
            self.tree.decoded.truncate(document.first_decoded);
        }
        self.stack.clear();
        self.anchors.clear();
        self.sizes.clear();
    }

    /// Drops the document that is being read, whose other events follow and are ignored.
    fn refuse(&mut self, start: usize, end: usize, message: &str) {
        self.abandon();
        self.error(ErrorKind::Limit, start, end, message);
    }

    fn event(&mut self, event: Event<'_>, start: usize, end: usize) {
        if self.document.is_none() && !matches!(event, Event::DocumentStart(..) | Event::Comment(..)) {
            return;
        }
        match event {
            Event::DocumentStart(..) => {
                let first_node = self.tree.nodes.len();
                let from = self.tree.documents.last().map_or(0, |d| d.end);
                self.document = Some(PendingDocument {
                    first_node,
                    first_decoded: self.tree.decoded.len(),
                    start: self.tree.errors.last().map_or(from, |e| from.max(e.span.end.min(start as u32))),
                    root: None,
                    keys: KeySet::default(),
                    size: 0,
                    aliased: 0,
                });
                self.anchors.clear();
                self.sizes.clear();
            }
            Event::DocumentEnd => {
                if let Some(document) = self.document.take() {
                    self.tree.documents.push(Document {
                        root: document.root.map(NodeId),
                        start: document.start,
                        end: end.max(start) as u32,
                        keys: document.keys,
                    });
                }
            }
            Event::Comment(..) => {
                let line = self.tree.text[..start].rfind('\n').map_or(0, |n| n + 1);
                let own_line = self.tree.text[line..start].chars().all(|c| matches!(c, ' ' | '\t' | '\u{feff}'));
                self.tree.comments.push(Comment { start: start as u32, end: end as u32, own_line });
            }
            Event::Scalar(value, style, anchor, tag) => {
                if value.len() > self.limits.scalar {
                    return self.refuse(start, end, "a value is longer than 4 MiB, more than the API server takes");
                }
                let string_tag = tag.as_ref().is_some_and(|t| t.core_suffix() == Some("str"));
                self.scalar(&value, style, string_tag, anchor, start, end);
            }
            Event::SequenceStart(style, anchor, _) => self.open(Kind::Seq, style, anchor, start),
            Event::MappingStart(style, anchor, _) => self.open(Kind::Map, style, anchor, start),
            Event::SequenceEnd | Event::MappingEnd => self.close(end),
            Event::Alias(anchor) => {
                self.aliases += 1;
                let target = self.anchors.get(&anchor).copied().unwrap_or(NONE);
                if self.stack.iter().any(|open| open.node == target) {
                    let message = "the value of this alias holds the alias itself";
                    self.error(ErrorKind::UnknownAlias, start, end, message);
                    return self.scalar("", ScalarStyle::Plain, false, 0, start, start);
                }
                let behind = self.sizes.get(&target).copied().unwrap_or(1);
                if let Some(document) = &mut self.document {
                    document.size = document.size.saturating_add(behind);
                    document.aliased = document.aliased.saturating_add(behind);
                    if is_excessive(document.aliased, document.size) {
                        return self.refuse(start, end, "so many values stand behind aliases that kubectl refuses it");
                    }
                }
                self.push(RawNode {
                    kind: Kind::Alias,
                    flags: 0,
                    is_key: false,
                    hash: 0,
                    start: start as u32,
                    end: end as u32,
                    parent: NONE,
                    next: NONE,
                    data: target,
                });
            }
            Event::UnresolvedAlias(_) => {
                // The name may be a value that lacks its quotes, even a secret one: it is not repeated.
                let message = "no anchor of this name stands before this alias";
                self.error(ErrorKind::UnknownAlias, start, end, message);
                self.scalar("", ScalarStyle::Plain, false, 0, start, start);
            }
            _ => {}
        }
    }

    fn scalar(&mut self, value: &str, style: ScalarStyle, string_tag: bool, anchor: usize, start: usize, end: usize) {
        let text = &self.tree.text;
        let mut flags = 0;
        let (mut start, mut end) = (start, end);
        let mut decoded = None;
        match style {
            ScalarStyle::Plain => {
                if start == end {
                    // An empty value is reported as `~` of no width, before the colon or after the dash.
                    if let Some(rest) = text[start..].strip_prefix(':')
                        && rest.chars().next().is_none_or(|c| c.is_whitespace() || matches!(c, ',' | '}' | ']'))
                    {
                        start += 1;
                        end = start;
                    }
                    flags |= flag::PLAIN;
                } else if text[start..end] == *value {
                    flags |= flag::PLAIN;
                } else {
                    flags |= flag::PLAIN | flag::DECODED;
                    end = start + text[start..end].trim_end_matches(BLANK).len();
                    decoded = Some(value);
                }
            }
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                if text.get(start + 1..end.saturating_sub(1)) == Some(value) {
                    flags |= flag::QUOTED;
                } else {
                    flags |= flag::DECODED;
                    decoded = Some(value);
                }
            }
            ScalarStyle::Literal | ScalarStyle::Folded => {
                flags |= flag::DECODED | flag::BLOCK;
                start = block_scalar_start(text, start);
                end = start + text[start..end.max(start)].trim_end_matches(BLANK).len();
                decoded = Some(value);
            }
        }
        if string_tag {
            flags |= flag::STRING_TAG;
        }
        if scalar::is_unknown(value) {
            flags |= flag::UNKNOWN;
        }
        let data = decoded.map_or(NONE, |value| {
            self.tree.decoded.push(value.into());
            (self.tree.decoded.len() - 1) as u32
        });
        let id = self.push(RawNode {
            kind: Kind::Scalar,
            flags,
            is_key: false,
            hash: 0,
            start: start as u32,
            end: end as u32,
            parent: NONE,
            next: NONE,
            data,
        });
        self.anchor(anchor, id);
    }

    fn anchor(&mut self, anchor: usize, id: u32) {
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
    }

    fn open(&mut self, kind: Kind, style: StructureStyle, anchor: usize, start: usize) {
        let flags = if style == StructureStyle::Flow { flag::FLOW } else { 0 };
        let id = self.push(RawNode {
            kind,
            flags,
            is_key: false,
            hash: 0,
            start: start as u32,
            end: start as u32,
            parent: NONE,
            next: NONE,
            data: NONE,
        });
        self.anchor(anchor, id);
        let before = self.document.as_ref().map_or(0, |document| document.size);
        self.stack.push(Open {
            is_anchored: anchor != 0,
            before,
            node: id,
            last_child: NONE,
            keys: 0,
            many: HashMap::new(),
            expects_key: kind == Kind::Map,
        });
    }

    fn close(&mut self, end: usize) {
        let Some(open) = self.stack.pop() else { return };
        let size = self.document.as_ref().map_or(0, |document| document.size);
        if open.is_anchored {
            // The collection itself counts, too.
            self.sizes.insert(open.node, size - open.before + 1);
        }
        let flow = self.tree.nodes[open.node as usize].flags & flag::FLOW != 0;
        // A block collection is said to end at the next token; its last child knows better.
        let end =
            if flow || open.last_child == NONE { end as u32 } else { self.tree.nodes[open.last_child as usize].end };
        let node = &mut self.tree.nodes[open.node as usize];
        node.end = end.max(node.start);
    }

    /// Appends a node to the open collection, or makes it the document's root.
    fn push(&mut self, mut raw: RawNode) -> u32 {
        let id = self.tree.nodes.len() as u32;
        if let Some(document) = &mut self.document {
            document.size = document.size.saturating_add(1);
        }
        let Some(open) = self.stack.last_mut() else {
            if let Some(document) = &mut self.document {
                document.root.get_or_insert(id);
            }
            self.tree.nodes.push(raw);
            return id;
        };
        raw.parent = open.node;
        if open.last_child == NONE {
            self.tree.nodes[open.node as usize].data = id;
        } else {
            self.tree.nodes[open.last_child as usize].next = id;
        }
        open.last_child = id;
        let is_key = open.expects_key;
        raw.is_key = is_key;
        if self.tree.nodes[open.node as usize].kind == Kind::Map {
            open.expects_key = !open.expects_key;
        }
        let map = open.node;
        self.tree.nodes.push(raw);
        if is_key {
            self.check_key(map, id, raw);
        }
        id
    }
}

/// The `|` or `>` of a block scalar whose content starts at `content`.
fn block_scalar_start(text: &str, content: usize) -> usize {
    // Leading blank lines are not part of the parser's span: look for the last line before it that
    // is not blank and ends in an indicator.
    let mut end = text[..content.min(text.len())].len();
    loop {
        let line_start = text[..end].rfind('\n').map_or(0, |n| n + 1);
        let line = &text[line_start..end];
        if let Some(at) = indicator(line) {
            return line_start + at;
        }
        // An empty one at the end of the text starts at the indicator itself.
        if line_start == 0 || !line.trim_matches(BLANK).is_empty() {
            return content;
        }
        end = line_start - 1;
    }
}

/// The offset of a block indicator that ends a line, as in `key: |2- # comment`.
fn indicator(line: &str) -> Option<usize> {
    line.char_indices().filter(|(_, c)| matches!(c, '|' | '>')).find_map(|(at, _)| {
        let before_ok = at == 0 || line[..at].ends_with([' ', '\t']);
        let rest = line[at + 1..].trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-'));
        let tail = rest.trim_start_matches(BLANK);
        (before_ok && (tail.is_empty() || tail.starts_with('#'))).then_some(at)
    })
}

/// A key that stands twice, and where it stands first.
pub fn duplicate(error: &Error) -> Option<Span> {
    match error.kind {
        ErrorKind::DuplicateKey(first) => Some(first),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
