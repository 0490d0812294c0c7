//! Text inside a scalar, parsed with places that lead back to the outer file.
//!
//! A scalar's text differs from what stands in the file: a block has lost its indentation, a quoted
//! one its escapes and folds. [`Segments`] remember which stretch of the inner text came from which
//! stretch of the file; inside a stretch both run in step.

use std::sync::Arc;

use super::{Node, Tree, flag, parse};

/// Stretches of inner text with the place in the file they come from, in order.
#[derive(Debug, Clone, Default)]
pub struct Segments(Vec<Segment>);

#[derive(Debug, Clone, Copy)]
struct Segment {
    inner: u32,
    outer: u32,
}

impl Segments {
    fn push(&mut self, inner: usize, outer: usize) {
        self.0.push(Segment { inner: inner as u32, outer: outer as u32 });
    }

    /// The place in the file of an inner offset.
    pub fn outer(&self, inner: u32) -> u32 {
        let at = self.0.partition_point(|s| s.inner <= inner);
        match self.0.get(at.wrapping_sub(1)) {
            Some(segment) => segment.outer + (inner - segment.inner),
            None => self.0.first().map_or(0, |s| s.outer),
        }
    }

    /// The place of an exclusive end: one past the place of the last inner byte.
    pub fn outer_end(&self, start: u32, end: u32) -> u32 {
        if end > start { self.outer(end - 1) + 1 } else { self.outer(end) }
    }
}

/// The most text that is parsed inside a scalar. Istio's injector templates are 110 KB.
const MAX_EMBEDDED: usize = 16 << 20;

/// Parses the text of a scalar as YAML (JSON is YAML). Nothing for other nodes, for empty text, for
/// very long ones and for what must not be shown. `tree_number` is the outer tree's place in the list of all trees.
pub fn parse_scalar(tree_number: u32, node: Node<'_>) -> Option<Tree> {
    let text = node.text()?;
    if text.trim().is_empty() || text.len() > MAX_EMBEDDED || node.is_secret() {
        return None;
    }
    let segments = segments(node, text);
    Some(parse::within(node.tree().file, Arc::from(text), Some(segments), Some((tree_number, node.id()))))
}

/// How the text of a scalar lies in the outermost file.
fn segments(node: Node<'_>, text: &str) -> Segments {
    let tree = node.tree();
    let source = tree.text();
    // The scalar may come from an alias: the text stands at the anchor.
    let raw = node.target_raw();
    let (start, end) = (raw.start as usize, raw.end as usize);
    let mut local = Segments::default();
    let exact = if raw.flags & flag::BLOCK != 0 {
        block(source, start, text, &mut local)
    } else if raw.flags & flag::DECODED != 0 {
        quoted_or_folded(source, start, end, text, &mut local)
    } else {
        local.push(0, if raw.flags & flag::QUOTED != 0 { start + 1 } else { start });
        true
    };
    if !exact {
        // Better a coarse place than a wrong one.
        local = Segments::default();
        local.push(0, start);
    }
    let Some(outer) = &tree.segments else { return local };
    compose(&local, outer, text.len() as u32)
}

/// Inner segments through the outer ones; a stretch that crosses an outer boundary is split there.
fn compose(inner: &Segments, outer: &Segments, len: u32) -> Segments {
    let mut composed = Segments::default();
    for (i, segment) in inner.0.iter().enumerate() {
        let end = inner.0.get(i + 1).map_or(len, |next| next.inner);
        composed.push(segment.inner as usize, outer.outer(segment.outer) as usize);
        let from = outer.0.partition_point(|s| s.inner <= segment.outer);
        for boundary in &outer.0[from..] {
            let at = segment.inner + (boundary.inner - segment.outer);
            if at >= end {
                break;
            }
            composed.push(at as usize, boundary.outer as usize);
        }
    }
    composed
}

/// Literal and folded blocks: inner and outer are the same, line by line, after the indentation.
fn block(source: &str, start: usize, text: &str, segments: &mut Segments) -> bool {
    let Some(header_end) = source[start..].find('\n').map(|n| start + n + 1) else { return false };
    let header = &source[start..header_end];
    let folded = header.starts_with('>');
    let indent_of = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let digit = header.chars().skip(1).take_while(|c| !BLANK.contains(c)).find(char::is_ascii_digit);
    let body = &source[header_end..];
    let is_blank = |line: &&str| line.trim_matches(BLANK).is_empty();
    let first = body.lines().find(|l| !is_blank(l)).map_or(0, indent_of);
    let indent = match digit {
        // The digit counts from the parent's indentation, which the first line's own gives away.
        Some(_) => {
            let leading = text.lines().find(|l| !is_blank(l)).map_or(0, indent_of);
            first.saturating_sub(leading)
        }
        None => first,
    };
    let mut inner = 0;
    let mut outer = header_end;
    for line in body.split_inclusive('\n') {
        if inner >= text.len() {
            break;
        }
        let content = line.trim_end_matches(['\n', '\r']);
        let skip = indent.min(indent_of(content));
        let shown = &content[skip..];
        // A folded block swallows or keeps the break before this line: step over what it kept.
        if folded {
            while !shown.is_empty() && text[inner..].starts_with(['\n', ' ']) && !text[inner..].starts_with(shown) {
                inner += 1;
            }
        }
        if !text[inner..].starts_with(shown) {
            return false;
        }
        segments.push(inner, outer + skip);
        inner += shown.len();
        if !folded && text[inner..].starts_with('\n') {
            inner += 1;
        }
        outer += line.len();
    }
    !segments.0.is_empty()
}

/// Quoted scalars with escapes or folds, and plain ones over several lines: walked in step.
fn quoted_or_folded(source: &str, start: usize, end: usize, text: &str, segments: &mut Segments) -> bool {
    let quote = source[start..].chars().next().filter(|c| matches!(c, '"' | '\''));
    let (mut outer, stop) = if quote.is_some() { (start + 1, end.saturating_sub(1)) } else { (start, end) };
    let mut inner = 0;
    segments.push(0, outer);
    while outer < stop {
        let Some(c) = source[outer..].chars().next() else { break };
        let rest = &text[inner..];
        if quote == Some('"') && c == '\\' {
            let Some(next) = source[outer + 1..].chars().next() else { return false };
            let digits = match next {
                'x' => 2,
                'u' => 4,
                'U' => 8,
                _ => 0,
            };
            if next == '\n' || next == '\r' {
                outer += 1 + next.len_utf8();
                outer += blanks(&source[outer..stop]);
            } else {
                outer += 1 + next.len_utf8() + digits;
                let Some(shown) = rest.chars().next() else { return false };
                inner += shown.len_utf8();
            }
            segments.push(inner, outer);
        } else if quote == Some('\'') && c == '\'' {
            if !rest.starts_with(c) {
                return false;
            }
            outer += 2;
            inner += 1;
            segments.push(inner, outer);
        } else if c == '\n' || c == '\r' || ((c == ' ' || c == '\t') && folds(&source[outer..stop])) {
            // A fold: blanks, breaks and the next line's indentation become one space or some breaks.
            let gap = blanks(&source[outer..stop]);
            let breaks = source[outer..outer + gap].matches('\n').count();
            outer += gap;
            let kept = if breaks > 1 { breaks - 1 } else { 1 };
            if !rest.as_bytes().iter().take(kept).all(|b| matches!(b, b' ' | b'\n')) {
                return false;
            }
            inner += kept.min(rest.len());
            segments.push(inner, outer);
        } else {
            if !rest.starts_with(c) {
                return false;
            }
            outer += c.len_utf8();
            inner += c.len_utf8();
        }
        if inner > text.len() {
            return false;
        }
    }
    inner == text.len()
}

/// What a fold swallows. Other spaces of Unicode are text to YAML.
const BLANK: [char; 4] = [' ', '\t', '\n', '\r'];

/// How many bytes of blanks and breaks a text starts with.
fn blanks(text: &str) -> usize {
    text.len() - text.trim_start_matches(BLANK).len()
}

/// Whether only blanks stand before the next line break.
fn folds(rest: &str) -> bool {
    rest.trim_start_matches([' ', '\t']).starts_with(['\n', '\r'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    /// Every plain scalar of the inner text must stand in the file at the place it claims.
    fn check(outer_text: &str, path: &[&str]) -> Tree {
        let outer = parse::parse(FileId(0), Arc::from(outer_text));
        assert!(outer.errors.is_empty(), "{:?}", outer.errors);
        let scalar = outer.roots().next().unwrap().at(path).unwrap();
        let tree = parse_scalar(0, scalar).unwrap();
        assert!(tree.errors.is_empty(), "{:?}", tree.errors);
        let mut seen = 0;
        for i in 0..tree.len() {
            let node = tree.node(super::super::NodeId(i as u32));
            if let Some(text) = node.text().filter(|t| !t.is_empty() && node.is_plain()) {
                assert_eq!(&outer_text[node.span().range()], text);
                seen += 1;
            }
        }
        assert!(seen > 0);
        tree
    }

    #[test]
    fn literal_block() {
        check("data:\n  mesh: |-\n    a: 1\n\n    b:\n      c: x\n", &["data", "mesh"]);
        check("data:\n  mesh: |\n\n    a: 1\n    b: ü\n    c: d\n", &["data", "mesh"]);
        check("mesh: |2\n    a: 1\n    b: 2\n", &["mesh"]);
        check("mesh: |\r\n  a: 1\r\n  b: 2\r\n", &["mesh"]);
    }

    #[test]
    fn folded_block() {
        check("x: >\n  {\"a\": 1,\n  \"b\": two,\n\n  \"c\": [x,\n  y]}\n", &["x"]);
    }

    #[test]
    fn quoted_with_escapes_and_folds() {
        check(r#"x: "{\"a\": {\"b\": one}, \"c\": two}""#, &["x"]);
        check("x: '{a: ''q'', b: two}'", &["x"]);
        check("x: \"a: 1\\nb: two\\n\\tc\"\n".replace("\\n\\tc", "").as_str(), &["x"]);
        check("x: \"{a: 1,\n   b: two,\n\n   c: three}\"\n", &["x"]);
        // A space that YAML does not know is text, also after a fold.
        for text in [
            "x: 'a\n  \u{2003}''b'\n",
            "x: \"a\n  \u{2003}\\\"b\"\n",
            "x: a\n  \u{2003}b\n",
            "x: \"a\\\n  \u{2003}b\"\n",
        ] {
            let outer = parse::parse(FileId(0), Arc::from(text));
            let scalar = outer.roots().next().unwrap().get("x").unwrap();
            let inner = parse_scalar(0, scalar).unwrap();
            let range = inner.roots().next().unwrap().span().range();
            assert!(text.get(range.clone()).is_some_and(|t| t.ends_with('b')), "{text:?} {range:?}");
            assert!(segments(scalar, scalar.text().unwrap()).0.len() > 1, "{text:?}");
        }
        check(r#"x: "a: \u00fcx""#.replace("\\u00fcx", "1 ").as_str(), &["x"]);
    }

    #[test]
    fn nested_twice() {
        let text = "outer: |\n  inner: |\n    a: one\n    b: \"{\\\"c\\\": two}\"\n";
        let outer = parse::parse(FileId(0), Arc::from(text));
        let first = parse_scalar(0, outer.roots().next().unwrap().get("outer").unwrap()).unwrap();
        let second = parse_scalar(1, first.roots().next().unwrap().get("inner").unwrap()).unwrap();
        let root = second.roots().next().unwrap();
        assert_eq!(&text[root.get("a").unwrap().span().range()], "one");
        let third = parse_scalar(2, root.get("b").unwrap()).unwrap();
        let c = third.roots().next().unwrap().get("c").unwrap();
        assert_eq!(&text[c.span().range()], "two");
    }
}
