//! What holds for every edit on every document, whatever its style.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::source::FileId;
use crate::yaml::{NodeId, Tree, parse};

fn tree(text: &str) -> Tree {
    parse::parse(FileId(0), Arc::from(text))
}

fn apply(text: &str, edit: &Edit) -> String {
    let mut text = text.to_string();
    text.replace_range(edit.span.range(), &edit.text);
    text
}

/// A document as an author might write it.
#[derive(Debug, Clone)]
enum Doc {
    Scalar(String),
    Map(Vec<Doc>, bool),
    List(Vec<Doc>, bool),
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,6}",
        "[0-9]{1,4}",
        Just(String::new()),
        Just("~".to_string()),
        Just("'it''s ü'".to_string()),
        Just("\"a \\n b\"".to_string()),
        Just("4Gi".to_string()),
        Just("yes".to_string()),
        Just("http://x:80/#y".to_string()),
    ]
}

fn doc() -> impl Strategy<Value = Doc> {
    scalar().prop_map(Doc::Scalar).prop_recursive(4, 40, 4, |inner| {
        let children = proptest::collection::vec(inner, 0..4);
        prop_oneof![
            3 => (children.clone(), proptest::bool::weighted(0.3)).prop_map(|(c, flow)| Doc::Map(c, flow)),
            2 => (children, proptest::bool::weighted(0.3)).prop_map(|(c, flow)| Doc::List(c, flow)),
        ]
    })
}

/// How the author writes it down.
#[derive(Debug, Clone)]
struct Hand {
    step: usize,
    flush_lists: bool,
    comments: bool,
    newline: &'static str,
    final_newline: bool,
    bom: bool,
}

fn hand() -> impl Strategy<Value = Hand> {
    (1..5usize, any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(step, flush_lists, comments, crlf, final_newline, bom)| Hand {
            step,
            flush_lists,
            comments,
            newline: if crlf { "\r\n" } else { "\n" },
            final_newline,
            bom,
        },
    )
}

impl Hand {
    fn write(&self, doc: &Doc) -> String {
        let mut lines = Vec::new();
        match doc {
            Doc::Scalar(_) => lines.push(format!("root: {}", self.flow(doc, false))),
            _ => self.block(doc, 0, &mut lines),
        }
        if self.comments {
            lines.push("# the end".to_string());
        }
        let end = if self.final_newline { self.newline } else { "" };
        format!("{}{}{end}", if self.bom { "\u{feff}" } else { "" }, lines.join(self.newline))
    }

    fn block(&self, doc: &Doc, column: usize, lines: &mut Vec<String>) {
        let pad = " ".repeat(column);
        match doc {
            Doc::Map(children, false) if !children.is_empty() => {
                for (i, child) in children.iter().enumerate() {
                    self.remark(&pad, i, lines);
                    let list = matches!(child, Doc::List(..)) && self.flush_lists;
                    let below = column + if list { 0 } else { self.step };
                    self.entry(&format!("{pad}k{i}:"), child, below, lines);
                }
            }
            Doc::List(children, false) if !children.is_empty() => {
                for (i, child) in children.iter().enumerate() {
                    self.remark(&pad, i, lines);
                    let first = lines.len();
                    match child {
                        Doc::Map(inner, false) | Doc::List(inner, false) if !inner.is_empty() => {
                            self.block(child, column + 2, lines);
                            if lines[first].trim_start().starts_with('#') {
                                lines.insert(first, format!("{pad}-"));
                            } else {
                                lines[first].replace_range(column..column + 1, "-");
                            }
                        }
                        _ => self.entry(&format!("{pad}-"), child, column + 2, lines),
                    }
                }
            }
            _ => lines.push(format!("{pad}{}", self.flow(doc, false))),
        }
    }

    fn remark(&self, pad: &str, i: usize, lines: &mut Vec<String>) {
        if self.comments && i == 1 {
            lines.push(format!("{pad}# about - what: follows"));
        }
    }

    fn entry(&self, lead: &str, child: &Doc, below: usize, lines: &mut Vec<String>) {
        let comment = if self.comments && lines.len().is_multiple_of(3) { " # c" } else { "" };
        match child {
            Doc::Map(inner, false) | Doc::List(inner, false) if !inner.is_empty() => {
                lines.push(format!("{lead}{comment}"));
                self.block(child, below, lines);
            }
            Doc::Scalar(text) if text == "aa" || text.len() == 6 && text.bytes().all(|b| b.is_ascii_lowercase()) => {
                let pad = " ".repeat(below.max(1));
                lines.push(format!("{lead} |-{comment}"));
                lines.push(format!("{pad}{text}"));
                lines.push(String::new());
                lines.push(format!("{pad}# text"));
            }
            _ => lines.push(format!("{lead} {}{comment}", self.flow(child, false)).trim_end().to_string()),
        }
    }

    fn flow(&self, doc: &Doc, inside: bool) -> String {
        match doc {
            Doc::Scalar(text) if inside && (text.is_empty() || text.contains(':')) => "null".to_string(),
            Doc::Scalar(text) => text.clone(),
            Doc::Map(children, _) => {
                let entries = children.iter().enumerate().map(|(i, c)| format!("k{i}: {}", self.flow(c, true)));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
            }
            Doc::List(children, _) => {
                format!("[{}]", children.iter().map(|c| self.flow(c, true)).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

fn value() -> impl Strategy<Value = NewValue> {
    prop_oneof![
        "\\PC{0,8}".prop_map(NewValue::Text),
        "[-a-z0-9:#,'\"\\[\\]{}\n\t ]{0,8}".prop_map(NewValue::Text),
        prop_oneof![Just("yes"), Just("1.30"), Just("null"), Just("<<"), Just("-"), Just("0x1")]
            .prop_map(|text| NewValue::Text(text.into())),
        (0..70000u32).prop_map(|number| NewValue::Number(number.to_string())),
        any::<bool>().prop_map(NewValue::Bool),
        "[1-9][0-9]{0,3}(m|Mi|Gi|)".prop_map(NewValue::Quantity),
        prop_oneof![Just("- x: 1\n  y:\n  - 2"), Just("a: 1\n\n# c\nb: [x]"), Just("|\n  t"), Just("'q'")]
            .prop_map(|text| NewValue::Yaml(text.into())),
    ]
}

/// Whether a node reads as the value that was to be written.
fn reads_as(node: Node<'_>, value: &NewValue) -> bool {
    let quoted = node.text().is_some() && !node.is_plain();
    match value {
        NewValue::Text(text) => node.string() == Some(text),
        _ if quoted && !matches!(value, NewValue::Yaml(_)) => node.text() == Some(value.text()),
        NewValue::Number(number) => node.scalar() == Some(resolve(number)),
        NewValue::Bool(value) => node.bool() == Some(*value),
        NewValue::Quantity(text) => node.text() == Some(text),
        NewValue::Yaml(text) => plain_form(node) == plain_form(tree(text).roots().next().unwrap()),
    }
}

/// A node's content without its style.
fn plain_form(node: Node<'_>) -> String {
    if node.is_map() {
        let entries = node.entries().map(|(k, v)| format!("{:?}={}", k.text().unwrap_or("?"), plain_form(v)));
        format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
    } else if node.is_seq() {
        format!("[{}]", node.items().map(plain_form).collect::<Vec<_>>().join(","))
    } else {
        // A block scalar at the end of a text without a final line break has none itself.
        format!("{:?}", node.scalar()).replace("\\n\")", "\")")
    }
}

/// The path to a node, to find it again after the edit.
fn find<'t>(tree: &'t Tree, path: &str) -> Option<Node<'t>> {
    (0..tree.len()).map(|i| tree.node(NodeId(i as u32))).find(|n| !is_key(*n) && n.path_below(None, false) == path)
}

fn is_key(node: Node<'_>) -> bool {
    node.parent().is_some_and(|p| p.is_map() && p.own_entries().any(|(key, _)| key == node))
}

/// Checks what every edit promises, and hands out the tree that comes of it.
fn check(text: &str, edit: &Edit) -> Result<Tree, TestCaseError> {
    let after = apply(text, edit);
    let new = tree(&after);
    prop_assert!(new.errors.is_empty(), "{:?}\n{text}\n=>\n{after}", new.errors);
    prop_assert_eq!(new.documents.len(), 1);
    let tabs = |text: &str| text.matches('\t').count();
    prop_assert_eq!(tabs(&after), tabs(text), "a tab came or went");
    if text.contains("\r\n") {
        prop_assert_eq!(after.matches('\n').count(), after.matches("\r\n").count(), "{:?}", after);
    }
    for comment in ["# about - what: follows", "# the end"] {
        prop_assert!(edit.text.contains(comment) || after.matches(comment).count() <= text.matches(comment).count());
    }
    let lines = |range: &str| range.split_inclusive('\n').count();
    let touched = lines(&text[edit.span.range()]).max(1) + 1;
    let kept = similar::TextDiff::from_lines(text, after.as_str());
    let gone = kept.iter_all_changes().filter(|c| c.tag() == similar::ChangeTag::Delete).count();
    prop_assert!(gone <= touched, "{gone} lines went, {touched} were touched\n{text}\n=>\n{after}");
    Ok(new)
}

fn value_nodes(tree: &Tree) -> Vec<Node<'_>> {
    (0..tree.len()).map(|i| tree.node(NodeId(i as u32))).filter(|n| !is_key(*n)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn set_reads_back(doc in doc(), hand in hand(), value in value(), pick in any::<prop::sample::Index>()) {
        let text = hand.write(&doc);
        let old = tree(&text);
        prop_assert!(old.errors.is_empty(), "{:?}\n{text}", old.errors);
        let nodes = value_nodes(&old);
        let node = nodes[pick.index(nodes.len())];
        if let Some(edit) = set(node, &value) {
            let new = check(&text, &edit)?;
            let found = find(&new, &node.path_below(None, false));
            prop_assert!(found.is_some_and(|n| reads_as(n, &value)), "{value:?} at {}\n{text}\n=>\n{}", node.path_below(None, false), new.text());
            prop_assert!(new.comments.len() >= old.comments.len());
        } else if node.text().is_some() && !node.is_block_scalar() && node.parent().is_some() {
            prop_assert!(matches!(value, NewValue::Yaml(_)), "{value:?} at {}\n{text}", node.path_below(None, false));
        }
    }

    #[test]
    fn setting_the_same_changes_nothing(doc in doc(), hand in hand()) {
        let text = hand.write(&doc);
        let old = tree(&text);
        for node in value_nodes(&old) {
            let same = match node.scalar() {
                Some(Scalar::Text(text)) => NewValue::Text(text.to_string()),
                Some(Scalar::Int(number)) => NewValue::Number(number.to_string()),
                Some(Scalar::Bool(value)) => NewValue::Bool(value),
                _ => continue,
            };
            if let Some(edit) = set(node, &same) {
                prop_assert_eq!(&apply(&text, &edit), &text);
            }
        }
    }

    #[test]
    fn add_reads_back(doc in doc(), hand in hand(), value in value(), pick in any::<prop::sample::Index>()) {
        let text = hand.write(&doc);
        let old = tree(&text);
        let nodes = value_nodes(&old);
        let node = nodes[pick.index(nodes.len())];
        let path = node.path_below(None, false);
        if let Some(edit) = add_path(node, &["new", "deep"], &value) {
            let new = check(&text, &edit)?;
            let found = find(&new, &path).and_then(|n| n.at(&["new", "deep"]));
            prop_assert!(found.is_some_and(|n| reads_as(n, &value)), "{value:?} at {path}\n{text}\n=>\n{}", new.text());
            let before: Vec<_> = node.entries().map(|(k, v)| (k.text(), plain_form(v))).collect();
            let after: Vec<_> = find(&new, &path).into_iter().flat_map(Node::entries).map(|(k, v)| (k.text(), plain_form(v))).collect();
            prop_assert_eq!(&after[..before.len()], &before[..]);
            prop_assert!(new.comments.len() >= old.comments.len());
        }
    }

    #[test]
    fn append_reads_back(doc in doc(), hand in hand(), value in value(), pick in any::<prop::sample::Index>()) {
        let text = hand.write(&doc);
        let old = tree(&text);
        let nodes = value_nodes(&old);
        let node = nodes[pick.index(nodes.len())];
        let path = node.path_below(None, false);
        if let Some(edit) = append(node, &value) {
            let new = check(&text, &edit)?;
            let list = find(&new, &path);
            let last = list.and_then(|n| n.items().last());
            prop_assert!(last.is_some_and(|n| reads_as(n, &value)), "{value:?} at {path}\n{text}\n=>\n{}", new.text());
            prop_assert_eq!(list.map(|n| n.items().count()), Some(node.items().count() + 1));
            prop_assert!(new.comments.len() >= old.comments.len());
        }
    }

    #[test]
    fn remove_takes_only_that(doc in doc(), hand in hand(), pick in any::<prop::sample::Index>()) {
        let text = hand.write(&doc);
        let old = tree(&text);
        let nodes = value_nodes(&old);
        let node = nodes[pick.index(nodes.len())];
        let Some(parent) = node.parent() else { return Ok(()) };
        let Some(edit) = remove(node) else { return Ok(()) };
        let new = check(&text, &edit)?;
        let left = find(&new, &parent.path_below(None, false)).map(plain_form);
        let keep: Vec<_> = if parent.is_map() {
            parent.entries().filter(|(_, v)| *v != node).map(|(k, v)| format!("{:?}={}", k.text().unwrap_or("?"), plain_form(v))).collect()
        } else {
            parent.items().filter(|item| *item != node).map(plain_form).collect()
        };
        let expected = if parent.is_map() { format!("{{{}}}", keep.join(",")) } else { format!("[{}]", keep.join(",")) };
        prop_assert_eq!(left, Some(expected), "{}\n=>\n{}", text, new.text());
    }

    #[test]
    fn rename_changes_the_key_alone(doc in doc(), hand in hand(), key in "\\PC{1,6}", pick in any::<prop::sample::Index>()) {
        let text = hand.write(&doc);
        let old = tree(&text);
        let nodes = value_nodes(&old);
        let node = nodes[pick.index(nodes.len())];
        if let Some(edit) = rename(node, &key) {
            let new = check(&text, &edit)?;
            let parent = find(&new, &node.parent().map(|p| p.path_below(None, false)).unwrap_or_default());
            prop_assert_eq!(parent.and_then(|p| p.get(&key)).map(plain_form), Some(plain_form(node)));
        }
    }

    #[test]
    fn no_text_is_too_odd(text in "(\u{feff})?([-a:?!&*|>+'\"#{}\\[\\],~ü \n]|: |- |\r\n|  |\n  |a: |- a: |&a |\\*a|!!str |\\|\n|---\n){0,30}") {
        let tree = tree(&text);
        let yaml = NewValue::Yaml("a: 1\nb:\n- 2".into());
        for node in (0..tree.len()).map(|i| tree.node(NodeId(i as u32))) {
            let value = NewValue::Text("new".into());
            let edits = [
                set(node, &value), set(node, &yaml), add(node, "new", &value), add_path(node, &["new", "b"], &yaml),
                append(node, &value), append(node, &yaml), remove(node), rename(node, "new"),
            ];
            for edit in edits.into_iter().flatten() {
                prop_assert!(text.get(edit.span.range()).is_some());
            }
        }
        for comment in &tree.comments {
            prop_assert!(remove_comment(&tree, comment).is_some_and(|edit| text.get(edit.span.range()).is_some()));
        }
    }
}
