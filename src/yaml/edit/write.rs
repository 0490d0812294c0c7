//! New text: scalars with the quotes that they need, and fragments of several lines.

use std::sync::Arc;

use super::NewValue;
use super::layout::{Lines, indentation};
use crate::source::FileId;
use crate::yaml::scalar::{Scalar, resolve};
use crate::yaml::{Kind, Node, parse};

/// How scalars are quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    /// Only what needs quotes.
    Auto,
    /// In `'`, unless that can't hold the text.
    Single,
    /// In `"`.
    Double,
    /// As JSON: all text in `"`, numbers and booleans bare.
    Json,
}

impl Quotes {
    /// The quotes that a scalar is written in.
    pub(super) fn of(written: &str) -> Option<Quotes> {
        match written.bytes().next() {
            Some(b'\'') => Some(Quotes::Single),
            Some(b'"') => Some(Quotes::Double),
            _ => None,
        }
    }

    /// What suits a place: a flow map around it whose keys are quoted is JSON.
    pub(super) fn around(node: Node<'_>) -> Quotes {
        let mut around = std::iter::successors(Some(node), |n| n.parent()).filter(|n| n.is_flow());
        let first_key = around.find_map(|map| map.own_entries().next()).map(|(key, _)| key);
        match first_key.and_then(|key| Quotes::of(&key.tree().text()[key.local_range()])) {
            Some(Quotes::Double) => Quotes::Json,
            _ => Quotes::Auto,
        }
    }
}

/// How the author writes.
pub(super) struct Style {
    quotes: Quotes,
    /// Columns that a map is indented below its key.
    pub(super) step: usize,
    /// Columns that a list is indented below its key.
    pub(super) list_offset: usize,
}

impl Style {
    pub(super) fn of(node: Node<'_>, quotes: Quotes) -> Style {
        let (step, list_offset) = indentation(node);
        Style { quotes, step, list_offset }
    }
}

/// What is to be written.
pub(super) enum Fragment<'v> {
    Value(&'v NewValue),
    /// `key: …`
    Under(&'v str, Box<Fragment<'v>>),
    /// `- …`
    Item(Box<Fragment<'v>>),
}

/// Lines in block style, the first at column 0.
pub(super) struct Rendered {
    /// A block map or list, which starts on its own line below a key.
    pub(super) is_block: bool,
    pub(super) is_list: bool,
    pub(super) lines: Vec<String>,
}

impl Rendered {
    fn inline(text: String) -> Rendered {
        Rendered { is_block: false, is_list: false, lines: vec![text] }
    }

    /// The lines at a column; the first one too if it starts a line of the file.
    pub(super) fn at(&self, column: usize, indent_first: bool, file: &Lines<'_>) -> String {
        let mut text = String::new();
        for (i, line) in self.lines.iter().enumerate() {
            if i > 0 {
                text.push_str(file.newline());
            }
            if !line.is_empty() && (i > 0 || indent_first) {
                text.push_str(&" ".repeat(column));
            }
            text.push_str(line);
        }
        text
    }

    /// The lines after `lead`, all but the first indented.
    fn after(self, lead: &str, indent: usize) -> Vec<String> {
        let pad = |line: String| {
            if line.is_empty() { line } else { format!("{:indent$}{line}", "") }
        };
        let mut lines = self.lines.into_iter();
        let first = format!("{lead}{}", lines.next().unwrap_or_default());
        std::iter::once(first).chain(lines.map(pad)).collect()
    }
}

impl Fragment<'_> {
    /// As it stands in block style.
    pub(super) fn block(&self, style: &Style) -> Option<Rendered> {
        match self {
            Fragment::Value(NewValue::Yaml(yaml)) => block_yaml(yaml),
            Fragment::Value(value) => Some(Rendered::inline(scalar(value, style.quotes, false)?)),
            Fragment::Under(key, inner) => {
                let key = text(key, key_quotes(style.quotes), false);
                let mut inner = inner.block(style)?;
                let indent = if inner.is_list { style.list_offset } else { style.step };
                let lead = if inner.is_block {
                    inner.lines.insert(0, String::new());
                    format!("{key}:")
                } else {
                    format!("{key}: ")
                };
                Some(Rendered { is_block: true, is_list: false, lines: inner.after(&lead, indent) })
            }
            Fragment::Item(inner) => {
                let lines = inner.block(style)?.after("- ", 2);
                Some(Rendered { is_block: true, is_list: true, lines })
            }
        }
    }

    /// As it stands in `{…}` or `[…]`, on one line.
    pub(super) fn flow(&self, quotes: Quotes) -> Option<String> {
        match self {
            Fragment::Value(NewValue::Yaml(yaml)) => flow_yaml(yaml, quotes),
            Fragment::Value(value) => scalar(value, quotes, true),
            Fragment::Under(..) => Some(format!("{{{}}}", self.flow_inner(quotes)?)),
            Fragment::Item(_) => Some(format!("[{}]", self.flow_inner(quotes)?)),
        }
    }

    /// The same without the outer brackets.
    pub(super) fn flow_inner(&self, quotes: Quotes) -> Option<String> {
        match self {
            Fragment::Value(_) => self.flow(quotes),
            Fragment::Under(key, inner) => {
                Some(format!("{}: {}", text(key, key_quotes(quotes), true), inner.flow(quotes)?))
            }
            Fragment::Item(inner) => inner.flow(quotes),
        }
    }
}

/// Keys get quotes where they must; only JSON quotes them all.
fn key_quotes(quotes: Quotes) -> Quotes {
    if quotes == Quotes::Json { Quotes::Json } else { Quotes::Auto }
}

/// A scalar on one line; nothing if the text is not what the value says it is.
fn scalar(value: &NewValue, quotes: Quotes, flow: bool) -> Option<String> {
    let raw = value.text();
    let is_number = matches!(resolve(raw), Scalar::Int(_) | Scalar::Float(_));
    let bare = match value {
        NewValue::Text(_) => return Some(text(raw, quotes, flow)),
        NewValue::Bool(_) => true,
        NewValue::Number(_) if is_number => true,
        NewValue::Quantity(_) if is_number => true,
        NewValue::Quantity(_) if is_plain(raw, true) => quotes != Quotes::Json,
        _ => return None,
    };
    let in_quotes = matches!(quotes, Quotes::Single | Quotes::Double);
    Some(if in_quotes || !bare { text(raw, quotes, flow) } else { raw.to_string() })
}

/// Text, so written that it reads as text.
pub(super) fn text(raw: &str, quotes: Quotes, flow: bool) -> String {
    match quotes {
        Quotes::Auto if is_plain(raw, flow) => raw.to_string(),
        Quotes::Single if !raw.chars().any(needs_escape) => {
            format!("'{}'", raw.replace('\'', "''"))
        }
        _ => {
            let mut out = String::from('"');
            for c in raw.chars() {
                match c {
                    '"' | '\\' => out.extend(['\\', c]),
                    '\n' => out.push_str("\\n"),
                    '\r' => out.push_str("\\r"),
                    '\t' => out.push_str("\\t"),
                    c if needs_escape(c) => out.push_str(&format!("\\u{:04x}", c as u32)),
                    c => out.push(c),
                }
            }
            out.push('"');
            out
        }
    }
}

/// What can't stand for itself between quotes: control characters, line breaks of all kinds, a byte
/// order mark, and the two that are no characters.
fn needs_escape(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Whether text reads as that same text without quotes.
fn is_plain(raw: &str, flow: bool) -> bool {
    let first_ok = match raw.chars().next() {
        None => false,
        Some('-') => raw != "-" && !raw.starts_with("- ") && !raw.starts_with("---"),
        Some(c) => !c.is_whitespace() && !"?:,[]{}#&*!|>'\"%@`=".contains(c) && !raw.starts_with("..."),
    };
    first_ok
        && matches!(resolve(raw), Scalar::Text(_))
        && raw != "<<"
        && !raw.ends_with(|c: char| c == ':' || c.is_whitespace())
        && !raw.contains(": ")
        && !raw.contains(" #")
        && !raw.chars().any(needs_escape)
        && !(flow && raw.contains([',', '[', ']', '{', '}', ':']))
}

/// A fragment's text with its common indentation taken off, and its parsed form.
fn parsed(yaml: &str) -> Option<(String, crate::yaml::Tree)> {
    let yaml = yaml.replace("\r\n", "\n");
    let lines = || yaml.trim_end().lines().skip_while(|line| line.trim().is_empty());
    let indents = lines().filter(|line| !line.trim().is_empty());
    let indent = indents.map(|line| line.len() - line.trim_start_matches(' ').len()).min()?;
    let text = lines().map(|line| line.get(indent..).unwrap_or("")).collect::<Vec<_>>().join("\n");
    let marks = |line: &str| line.starts_with("---") || line.starts_with("...") || line.starts_with('%');
    if text.contains(['\t', '\r']) || text.lines().any(marks) {
        return None;
    }
    let tree = parse::parse(FileId(0), Arc::from(text.as_str()));
    let is_whole = tree.errors.is_empty() && tree.documents.len() == 1 && tree.roots().next().is_some();
    // Anchors of the fragment could hide those of the file.
    let shares = tree.nodes.iter().any(|raw| raw.kind == Kind::Alias);
    (is_whole && !shares).then_some((text, tree))
}

fn block_yaml(yaml: &str) -> Option<Rendered> {
    let (text, tree) = parsed(yaml)?;
    let root = tree.roots().next()?;
    let is_block = root.kind() != Kind::Scalar && !root.is_flow();
    // A comment or a tag before a scalar can't stand between it and its key, and the digit in `|2`
    // counts from the parent's column.
    let header = text.lines().next().unwrap_or("");
    if !is_block
        && (root.local_range().start != 0 || root.is_block_scalar() && header.contains(|c: char| c.is_ascii_digit()))
    {
        return None;
    }
    let lines = text.lines().map(str::to_string).collect();
    Some(Rendered { is_block, is_list: is_block && root.is_seq(), lines })
}

fn flow_yaml(yaml: &str, quotes: Quotes) -> Option<String> {
    let (_, tree) = parsed(yaml)?;
    flow_node(tree.roots().next()?, quotes)
}

/// A node in flow style, without its comments.
fn flow_node(node: Node<'_>, quotes: Quotes) -> Option<String> {
    let quotes = key_quotes(quotes);
    Some(match node.kind() {
        Kind::Map => {
            let entry = |(key, value): (Node<'_>, Node<'_>)| {
                Some(format!("{}: {}", text(key.text()?, quotes, true), flow_node(value, quotes)?))
            };
            format!("{{{}}}", node.own_entries().map(entry).collect::<Option<Vec<_>>>()?.join(", "))
        }
        Kind::Seq => {
            let items: Option<Vec<_>> = node.items().map(|item| flow_node(item, quotes)).collect();
            format!("[{}]", items?.join(", "))
        }
        Kind::Alias => return None,
        Kind::Scalar => match node.scalar()? {
            Scalar::Null => "null".to_string(),
            Scalar::Bool(value) => value.to_string(),
            Scalar::Int(number) => number.to_string(),
            Scalar::Float(_) => node.text()?.to_string(),
            Scalar::Text(raw) => text(raw, quotes, true),
        },
    })
}
