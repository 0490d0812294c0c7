//! Comments above keys and items.

use super::edit;
use super::layout::{Lines, dash};
use crate::finding::Edit;
use crate::yaml::Node;

/// Writes a comment, from its `#` on, above the line on which the key or item of a value starts, with
/// that line's indentation; above its first line for a document's root. Nothing where something else
/// stands before it on the line, or in flow style.
pub fn comment_above(node: Node<'_>, comment: &str) -> Option<Edit> {
    if node.tree().is_embedded() {
        return None;
    }
    let lines = Lines::of(node);
    let at = match node.parent() {
        None => node.local_range().start,
        Some(parent) if parent.is_flow() => return None,
        Some(parent) if parent.is_seq() => dash(node)?,
        Some(_) => node.key()?.local_range().start,
    };
    let start = lines.start(at);
    let indent = &lines.text[start..at];
    let indent = &indent[..indent.len() - indent.trim_start_matches(' ').len()];
    let is_clear = |line: &str| line.bytes().all(|b| matches!(b, b' ' | b'-')) && !line.starts_with("---");
    let text = format!("{indent}{comment}{}", lines.newline());
    is_clear(&lines.text[start..at]).then(|| edit(node, start..start, text))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::source::{FileId, Span};
    use crate::yaml::parse::parse;

    #[test]
    fn a_comment_stands_above_the_line_of_its_key_or_item() {
        for (text, expected) in [
            ("a: 1\nb: !\n", Some("a: 1\n# c\nb: !\n")),
            ("a:\n  b: 1\n  x: !\n", Some("a:\n  b: 1\n  # c\n  x: !\n")),
            ("a:\n- b: !\n", Some("a:\n# c\n- b: !\n")),
            ("a:\n  -   - !\n", Some("a:\n  # c\n  -   - !\n")),
            ("a: |\n  x !\nb: 1\n", Some("# c\na: |\n  x !\nb: 1\n")),
            ("a: |+\n  x\n\n\nb: !\n", Some("a: |+\n  x\n\n\n# c\nb: !\n")),
            ("a: {b: [1, !]}\n", None),
            ("---\r\na:\r\n  b: !\r\n", Some("---\r\na:\r\n  # c\r\n  b: !\r\n")),
            ("\u{feff}a: !\n", Some("\u{feff}# c\na: !\n")),
            ("- !", Some("# c\n- !")),
            ("--- {a: !}\n", None),
            ("{a: !}\n", None),
        ] {
            // A mark that means nothing in YAML here.
            let at = text.find('!').unwrap();
            let plain = text.replace('!', "x");
            let tree = parse(FileId(0), Arc::from(plain.as_str()));
            assert!(tree.errors.is_empty(), "{text}");
            let node = tree.innermost(Span::new(FileId(0), at, at + 1)).unwrap();
            let written = comment_above(node, "# c").map(|edit| {
                let mut new = plain.clone();
                new.replace_range(edit.span.range(), &edit.text);
                new
            });
            assert_eq!(written, expected.map(|text| text.replace('!', "x")), "{text}");
        }
    }
}
