use std::sync::Arc;

use super::*;
use crate::source::FileId;
use crate::yaml::{Tree, parse};

fn tree(text: &str) -> Tree {
    parse::parse(FileId(0), Arc::from(text))
}

/// The node at a path of keys and indexes.
fn at<'t>(tree: &'t Tree, path: &str) -> Node<'t> {
    path.split('.').filter(|step| !step.is_empty()).fold(tree.roots().next().unwrap(), |node, step| {
        match step.parse::<usize>() {
            Ok(index) => node.items().nth(index).unwrap(),
            Err(_) => node.get(step).unwrap(),
        }
    })
}

fn edited(text: &str, edit: Option<Edit>) -> Option<String> {
    let edit = edit?;
    let mut text = text.to_string();
    text.replace_range(edit.span.range(), &edit.text);
    assert!(!tree(&text).errors.iter().any(|e| e.kind == crate::yaml::ErrorKind::Syntax), "{text}");
    Some(text)
}

fn set_at(text: &str, path: &str, value: NewValue) -> Option<String> {
    edited(text, set(at(&tree(text), path), &value))
}

fn add_at(text: &str, path: &str, keys: &[&str], value: NewValue) -> Option<String> {
    edited(text, add_path(at(&tree(text), path), keys, &value))
}

fn append_at(text: &str, path: &str, value: NewValue) -> Option<String> {
    edited(text, append(at(&tree(text), path), &value))
}

fn remove_at(text: &str, path: &str) -> Option<String> {
    edited(text, remove(at(&tree(text), path)))
}

fn t(text: &str) -> NewValue {
    NewValue::Text(text.into())
}
fn n(text: &str) -> NewValue {
    NewValue::Number(text.into())
}
fn q(text: &str) -> NewValue {
    NewValue::Quantity(text.into())
}
fn y(text: &str) -> NewValue {
    NewValue::Yaml(text.into())
}

#[test]
fn set_keeps_quotes_and_comments() {
    for (text, value, expected) in [
        ("a: x # c\n", t("z"), "a: z # c\n"),
        ("a: 'x' # c\n", t("it's"), "a: 'it''s' # c\n"),
        ("a: \"x\"\n", t("a\"b\\"), "a: \"a\\\"b\\\\\"\n"),
        ("a: 'x'\n", t("two\nlines"), "a: \"two\\nlines\"\n"),
        ("a: x\n", t("yes"), "a: \"yes\"\n"),
        ("a: x\n", t("1.30"), "a: \"1.30\"\n"),
        ("a: 1.30\n", t("1.30"), "a: \"1.30\"\n"),
        ("a: x\n", t(""), "a: \"\"\n"),
        ("a: x\n", t("k: v"), "a: \"k: v\"\n"),
        ("a: x\n", t("v #"), "a: \"v #\"\n"),
        ("a: x\n", t("--flag=1"), "a: --flag=1\n"),
        ("a: x\n", t("- b"), "a: \"- b\"\n"),
        ("a: x\n", t("{{ b }}"), "a: \"{{ b }}\"\n"),
        ("a: x\n", n("15017"), "a: 15017\n"),
        ("a: '2'\n", n("3"), "a: '3'\n"),
        ("a: '2'\n", y("3"), "a: 3\n"),
        ("a: 'yes'\n", NewValue::Bool(true), "a: 'true'\n"),
        ("a: yes\n", NewValue::Bool(true), "a: yes\n"),
        ("a: yes\n", NewValue::Bool(false), "a: false\n"),
        ("a: 0x10\n", n("16"), "a: 0x10\n"),
        ("a: 2Gi\n", q("4Gi"), "a: 4Gi\n"),
        ("a: \"2Gi\"\n", q("4Gi"), "a: \"4Gi\"\n"),
        ("a: \"\\u0041\"\n", t("A"), "a: \"\\u0041\"\n"),
        ("a: x\n  y # c\n", t("z"), "a: z # c\n"),
        ("a:\n  x\n", t("z"), "a:\n  z\n"),
        ("a: \"x\\\n  y\"\n", t("z"), "a: \"z\"\n"),
    ] {
        assert_eq!(set_at(text, "a", value.clone()).as_deref(), Some(expected), "{text:?} {value:?}");
    }
}

#[test]
fn set_writes_where_there_is_no_value() {
    for (text, value, expected) in [
        ("a:\nb: 1\n", t("x"), "a: x\nb: 1\n"),
        ("a:", t("x"), "a: x"),
        ("a: # c\nb: 1\n", t("x"), "a: x # c\nb: 1\n"),
        ("a: ~ # c\n", t("x"), "a: x # c\n"),
        ("a: null\r\nb: 1\r\n", y("c: 1\nd: 2"), "a:\r\n  c: 1\r\n  d: 2\r\nb: 1\r\n"),
        ("a: x # c\n", y("c: 1"), "a: # c\n  c: 1\n"),
        ("{a: , b: 1}\n", t("x,y"), "{a: \"x,y\" , b: 1}\n"),
        ("{\"a\": null}\n", t("x"), "{\"a\": \"x\"}\n"),
        ("{\"a\":null}\n", q("4Gi"), "{\"a\":\"4Gi\"}\n"),
        ("{\"a\": null}\n", y("b:\n- c: x\n  d: 1\n"), "{\"a\": {\"b\": [{\"c\": \"x\", \"d\": 1}]}}\n"),
    ] {
        assert_eq!(set_at(text, "a", value.clone()).as_deref(), Some(expected), "{text:?} {value:?}");
    }
    for (text, expected) in [("-\n- y\n", "- x\n- y\n"), ("- # c\n", "- x # c\n"), ("-  \n", "- x  \n")] {
        assert_eq!(set_at(text, "0", t("x")).as_deref(), Some(expected), "{text:?}");
    }
}

#[test]
fn set_refuses_what_is_not_safe() {
    for text in [
        "a: |\n  x\n",
        "a: &m x\nb: *m\n",
        "a: &m x\n",
        "a: !!str x\n",
        "b: &m {}\na: *m\n",
        "{a}\n",
        "? a\n: x\n",
        "a: {}\n",
        "{a: !!str x}\n",
    ] {
        assert_eq!(set_at(text, "a", t("y")), None, "{text:?}");
    }
    assert_eq!(set_at("a: x\n", "a", n("many")), None);
    assert_eq!(set_at("a: x\n", "a", y("a: [")), None);
    assert_eq!(set_at("a: x\n", "a", y("a:\tb")), None);
    assert_eq!(set_at("a: x\n", "a", y("a: 1\n---\nb: 2")), None);
    assert_eq!(set_at("a: x\n", "a", y("# c\n5")), None);
}

#[test]
fn aliases_of_other_documents_do_not_matter() {
    let text = "a: &m x\nb: *m\n---\na: x\n";
    let tree = tree(text);
    let second = tree.roots().nth(1).unwrap();
    assert!(set(second.get("a").unwrap(), &t("y")).is_some());
}

#[test]
fn embedded_text_is_not_edited() {
    let trees = crate::yaml::Trees::new([tree("a: 'b: 1'\n")]);
    let scalar = trees.tree(0).roots().next().unwrap().get("a").unwrap().id();
    let inner = trees.parse(crate::yaml::Place { tree: 0, node: scalar }).unwrap();
    let map = trees.node(inner);
    assert_eq!(set(map.get("b").unwrap(), &n("2")), None);
    assert_eq!(add(map, "c", &n("2")), None);
    assert_eq!(remove(map.get("b").unwrap()), None);
    assert_eq!(rename(map.get("b").unwrap(), "c"), None);
}

#[test]
fn add_to_block_maps() {
    for (text, path, expected) in [
        ("a:\n  b: 1\n# outer\nc: 2\n", "a", "a:\n  b: 1\n  k: v\n# outer\nc: 2\n"),
        ("a:\n  b: 1 # own\n\nc: 2\n", "a", "a:\n  b: 1 # own\n  k: v\n\nc: 2\n"),
        (
            "a:\n  b:\n    c: 1\n    # deeper\n  # own level\n",
            "a",
            "a:\n  b:\n    c: 1\n    # deeper\n  k: v\n  # own level\n",
        ),
        ("a:\n- b: 1\n- c: 1\n", "a.0", "a:\n- b: 1\n  k: v\n- c: 1\n"),
        ("a:\n  b: 1", "a", "a:\n  b: 1\n  k: v"),
        ("a:\r\n  b: 1\r\n", "a", "a:\r\n  b: 1\r\n  k: v\r\n"),
        ("\u{feff}b: 1\r\n", "", "\u{feff}b: 1\r\nk: v\r\n"),
        ("a:\n    b: |\n      text\n\nc: 1\n", "a", "a:\n    b: |\n      text\n    k: v\n\nc: 1\n"),
        ("a:\n  b:\nc: 1\n", "a", "a:\n  b:\n  k: v\nc: 1\n"),
        ("b: {c: 1,\n  d: 2} # c\n", "", "b: {c: 1,\n  d: 2} # c\nk: v\n"),
        ("- - a: 1\n", "0.0", "- - a: 1\n    k: v\n"),
        ("base: &b {x: 1}\nu:\n  <<: *b\n", "u", "base: &b {x: 1}\nu:\n  <<: *b\n  k: v\n"),
    ] {
        assert_eq!(add_at(text, path, &["k"], t("v")).as_deref(), Some(expected), "{text:?}");
    }
}

#[test]
fn add_to_flow_and_empty_maps() {
    for (text, path, expected) in [
        ("{a: 1}\n", "", "{a: 1, k: v}\n"),
        ("{\"a\": 1}\n", "", "{\"a\": 1, \"k\": \"v\"}\n"),
        ("{\n  \"a\": 1\n}\n", "", "{\n  \"a\": 1,\n  \"k\": \"v\"\n}\n"),
        ("{\n\t\"a\": 1\n}\n", "", "{\n\t\"a\": 1, \"k\": \"v\"\n}\n"),
        ("{a: 1,}\n", "", "{a: 1, k: v,}\n"),
        ("{}\n", "", "{k: v}\n"),
        ("a: {} # none\nb: 1\n", "a", "a: # none\n  k: v\nb: 1\n"),
        ("a:\n- {}\n", "a.0", "a:\n- k: v\n"),
        ("a: {b: {}}\n", "a.b", "a: {b: {k: v}}\n"),
        ("a:\n", "a", "a:\n  k: v\n"),
        ("a: null", "a", "a:\n  k: v"),
        ("a: # c\n  # d\nb: 1\n", "a", "a: # c\n  k: v\n  # d\nb: 1\n"),
        ("a: {b: null}\n", "a.b", "a: {b: {k: v}}\n"),
        ("k: ~\n", "", "k: v\n"),
        ("-\n", "0", "- k: v\n"),
    ] {
        assert_eq!(add_at(text, path, &["k"], t("v")).as_deref(), Some(expected), "{text:?}");
    }
}

#[test]
fn add_makes_missing_parents() {
    let path = &["limits", "memory"];
    for (text, at, expected) in [
        ("r:\n", "r", "r:\n  limits:\n    memory: 1Gi\n"),
        ("r: {}\nx:\n    y: 1\n", "r", "r:\n    limits:\n        memory: 1Gi\nx:\n    y: 1\n"),
        ("r:\n  limits:\n    cpu: 1\n", "r", "r:\n  limits:\n    cpu: 1\n    memory: 1Gi\n"),
        ("r:\n  limits:\n", "r", "r:\n  limits:\n    memory: 1Gi\n"),
        ("r:\n  limits:\n    memory:\n", "r", "r:\n  limits:\n    memory: 1Gi\n"),
        ("r: {a: 1}\n", "r", "r: {a: 1, limits: {memory: 1Gi}}\n"),
    ] {
        assert_eq!(add_at(text, at, path, q("1Gi")).as_deref(), Some(expected), "{text:?}");
    }
}

#[test]
fn add_places_yaml_as_the_author_indents() {
    let value = || y("\n    - port: 1\n      name: x # c\n\n    - port: 2\n");
    assert_eq!(
        add_at("s:\n  l:\n  - 1\n", "s", &["ports"], value()).as_deref(),
        Some("s:\n  l:\n  - 1\n  ports:\n  - port: 1\n    name: x # c\n\n  - port: 2\n")
    );
    assert_eq!(
        add_at("s:\n  l:\n    - 1\n", "s", &["ports"], value()).as_deref(),
        Some("s:\n  l:\n    - 1\n  ports:\n    - port: 1\n      name: x # c\n\n    - port: 2\n")
    );
    assert_eq!(add_at("s: 1\n", "", &["on"], y("|\n  a\n  b")).as_deref(), Some("s: 1\n\"on\": |\n    a\n    b\n"));
    assert_eq!(add_at("s: 1\n", "", &["k"], y("{a: 1,\n b: 2}")).as_deref(), Some("s: 1\nk: {a: 1,\n   b: 2}\n"));
}

#[test]
fn add_refuses_what_is_not_safe() {
    for (text, path) in [
        ("k: 1\n", ""),
        ("a: &m\n  b: 1\nc: *m\n", "a"),
        ("a: &m\n  b: 1\nc: *m\n", "c"),
        ("a: &m {k: 1}\nc:\n  <<: *m\n", "c"),
        ("a: [b: 1]\n", "a.0"),
        ("a: {b: 1 # c\n  }\n", "a"),
        ("a: { # c\n  }\n", "a"),
        ("a:\n  b: |+\n    x\n\n", "a"),
        ("? a\n: b\n", ""),
        ("a: !!map\nb: 1\n", "a"),
        ("a: 1\n", "a"),
        ("a: [1]\n", "a"),
    ] {
        assert_eq!(add_at(text, path, &["k"], t("v")), None, "{text:?}");
    }
}

#[test]
fn append_to_lists() {
    for (text, expected) in [
        ("a:\n- x\n# next\nb: 1\n", "a:\n- x\n- v\n# next\nb: 1\n"),
        ("a:\n  - x\n", "a:\n  - x\n  - v\n"),
        ("a:\n  - x: 1\n    y: 2\n  -\n", "a:\n  - x: 1\n    y: 2\n  -\n  - v\n"),
        ("a:\r\n- 'x'", "a:\r\n- 'x'\r\n- 'v'"),
        ("a:\n  # c\n  -\n    # d\n    x: 1\n", "a:\n  # c\n  -\n    # d\n    x: 1\n  - v\n"),
        ("a: [x]\n", "a: [x, v]\n"),
        ("{\"a\": [\n    1\n]}\n", "{\"a\": [\n    1,\n    \"v\"\n]}\n"),
        ("a: []\nb:\n- 1\n", "a:\n- v\nb:\n- 1\n"),
        ("a: []\n", "a:\n  - v\n"),
        ("a:\n", "a:\n  - v\n"),
        ("a: [] # c\n", "a: # c\n  - v\n"),
    ] {
        assert_eq!(append_at(text, "a", t("v")).as_deref(), Some(expected), "{text:?}");
    }
    assert_eq!(append_at("- x\n", "", y("b: 1\nc:\n- 2")).as_deref(), Some("- x\n- b: 1\n  c:\n  - 2\n"));
    assert_eq!(append_at("- - x\n", "0", t("v")).as_deref(), Some("- - x\n  - v\n"));
    assert_eq!(append_at("a: [1]\n", "a", y("b: 1\nc: [on]")).as_deref(), Some("a: [1, {b: 1, c: [true]}]\n"));
    assert_eq!(append_at("a: 1\n", "a", t("v")), None);
}

#[test]
fn remove_takes_whole_lines() {
    for (text, path, expected) in [
        ("# above\na: 1 # own\nb: 2\n", "a", "# above\nb: 2\n"),
        ("a: 1\nb:\n  c: |\n    x\n  # deeper\n# next\nd: 2\n", "b", "a: 1\n# next\nd: 2\n"),
        ("a: 1\nb: 2", "b", "a: 1"),
        ("a: 1\r\nb: 2\r\n", "b", "a: 1\r\n"),
        ("\u{feff}a: 1\nb: 2\n", "a", "\u{feff}b: 2\n"),
        ("- a: 1 # c\n  b: 2\n", "0.b", "- a: 1 # c\n"),
        ("- a: 1\n  b: 2\n", "0.a", "- b: 2\n"),
        ("l:\n- 1\n- 2\n- 3\n", "l.1", "l:\n- 1\n- 3\n"),
        ("l:\n  - - 1\n    - 2\n", "l.0.0", "l:\n  - - 2\n"),
        ("x:\n  a: 1\n", "x.a", "x: {}\n"),
        ("x: # k\n  # d\n  a: 1 # e\ny: 1\n", "x.a", "x: {} # k\n  # d\ny: 1\n"),
        ("l:\n- 1\n", "l.0", "l: []\n"),
        ("l:\n- a: 1\n", "l.0.a", "l:\n- {}\n"),
        ("a: 1\n", "a", "{}\n"),
        ("b: 1\na: &m x\n", "a", "b: 1\n"),
        ("m: &m x\na: *m\n", "a", "m: &m x\n"),
        ("{a: 1, b: 2}\n", "a", "{b: 2}\n"),
        ("{a: 1, b: 2}\n", "b", "{a: 1}\n"),
        ("x: { a: 1 }\n", "x.a", "x: {}\n"),
        ("l: [1, 2, 3]\n", "l.1", "l: [1, 3]\n"),
        ("l: [ 1 ]\n", "l.0", "l: []\n"),
        ("{\n  \"a\": 1,\n  \"b\": 2\n}\n", "b", "{\n  \"a\": 1\n}\n"),
    ] {
        assert_eq!(remove_at(text, path).as_deref(), Some(expected), "{text:?}");
    }
}

#[test]
fn remove_refuses_what_is_not_safe() {
    for (text, path) in [
        ("a: &m x\nb: *m\n", "a"),
        ("a:\n  b: &m x\nc: *m\n", "a"),
        ("- a: 1\n  # about b\n  b: 2\n", "0.a"),
        ("{a: 1, # c\n b: 2}\n", "a"),
        ("[a: 1]\n", "0.a"),
        ("a: 1\n", ""),
    ] {
        assert_eq!(remove_at(text, path), None, "{text:?}");
    }
}

#[test]
fn rename_keeps_the_rest() {
    let renamed = |text: &str, to: &str| edited(text, rename(at(&tree(text), "a"), to));
    assert_eq!(renamed("a: 1 # c\n", "b").as_deref(), Some("b: 1 # c\n"));
    assert_eq!(renamed("'a': 1\n", "b").as_deref(), Some("'b': 1\n"));
    assert_eq!(renamed("{\"a\": 1}\n", "b").as_deref(), Some("{\"b\": 1}\n"));
    assert_eq!(renamed("a: 1\n", "on").as_deref(), Some("\"on\": 1\n"));
    assert_eq!(renamed("m: &m 1\na: *m\n", "b").as_deref(), Some("m: &m 1\nb: *m\n"));
    assert_eq!(renamed("a: 1\nb: 2\n", "b"), None);
}

#[test]
fn comments_go_with_their_line() {
    let removed = |text: &str| {
        let tree = tree(text);
        edited(text, remove_comment(&tree, &tree.comments[0]))
    };
    assert_eq!(removed("a: 1\n  # c\nb: 2\n").as_deref(), Some("a: 1\nb: 2\n"));
    assert_eq!(removed("a: 1  # c\r\nb: 2\r\n").as_deref(), Some("a: 1\r\nb: 2\r\n"));
    assert_eq!(removed("a: 1\n# c").as_deref(), Some("a: 1"));
}

#[test]
fn blanks_that_end_a_line_stay_out_of_a_text_of_several_lines() {
    let block = || NewValue::Yaml("|\n  t".into());
    for (before, after) in [
        ("a: ", "a: |\n    t"),
        ("a:  \nb: 1\n", "a: |\n    t\nb: 1\n"),
        ("a: x \t\r\nb: 1\r\n", "a: |\r\n    t\r\nb: 1\r\n"),
    ] {
        assert_eq!(set_at(before, "a", block()).as_deref(), Some(after), "{before:?}");
    }
    assert_eq!(set_at("a:\n- x  \n- y\n", "a.0", block()).as_deref(), Some("a:\n- |\n    t\n- y\n"));
    assert_eq!(set_at("a: x # why\n", "a", block()), None);
}
