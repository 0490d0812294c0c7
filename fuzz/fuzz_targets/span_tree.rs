//! Any text becomes a tree that is well formed; every plain scalar stands at its span.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use plimsoll::yaml::scalar::Scalar;
use plimsoll::yaml::{Kind, Node, NodeId, Tree};
use plimsoll_fuzz::{swap_values, tree};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| { swap_values(data, size, max_size, seed) });

fuzz_target!(|text: &str| {
    let tree = tree(text);
    assert!(tree.len() <= 3 * text.len() + 3, "{} nodes from {} bytes", tree.len(), text.len());
    let mut last = 0;
    for number in 0..tree.len() {
        let node = tree.node(NodeId(number as u32));
        let start = node.local_range().start;
        assert!(start >= last, "{node:?} starts before the node before it");
        last = start;
        lies_in_its_parent(&tree, node);
        if !node.is_alias() && node.kind() == Kind::Scalar && node.is_plain() {
            stands_at_its_span(&tree, node);
        }
        // Look-ups answer what iteration shows, and end.
        for (key, _) in node.entries().take(100) {
            if let Some(key) = key.text() {
                assert!(node.get(key).is_some(), "{key:?} is shown and not found");
            }
        }
        let _ = (node.place(), node.path_below(None, true));
    }
    for error in &tree.errors {
        assert!(text.get(error.span.range()).is_some(), "{error:?} stands outside of the text");
    }
    for comment in &tree.comments {
        assert!(text[comment.start as usize..comment.end as usize].starts_with('#'));
    }
});

fn lies_in_its_parent(tree: &Tree, node: Node<'_>) {
    let range = node.local_range();
    assert!(tree.text().get(range.clone()).is_some(), "{node:?} lies outside of the text or cuts a character");
    if let Some(parent) = node.parent() {
        let outer = parent.local_range();
        assert!(outer.start <= range.start && range.end <= outer.end, "{node:?} lies outside of {parent:?}");
    }
}

fn stands_at_its_span(tree: &Tree, node: Node<'_>) {
    let slice = &tree.text()[node.local_range()];
    // On several lines it depends on their indentation; a merge is no entry.
    if slice == "<<" || slice.contains(['\n', '\r', '\u{85}', '\u{2028}']) {
        return;
    }
    let is_key = node.key().is_none() && node.parent().is_some_and(Node::is_map);
    let is_flow = node.parent().is_some_and(Node::is_flow);
    let again = plimsoll_fuzz::tree(&match (is_key, is_flow) {
        (true, true) => format!("{{{slice}: x}}"),
        (true, false) => format!("{slice}: x"),
        (false, true) => format!("{{x: {slice}}}"),
        (false, false) => format!("x: {slice}"),
    });
    let entry = again.roots().next().and_then(|root| root.entries().next());
    assert!(again.errors.is_empty(), "{slice:?} can't be read alone: {:?}", again.errors);
    let (key, value) = entry.unwrap_or_else(|| panic!("{slice:?} alone is no value"));
    let value = if is_key { key } else { value };
    assert_eq!(value.text(), node.text());
    let nan = matches!(node.scalar(), Some(Scalar::Float(x)) if x.is_nan());
    assert!(tree.text().contains('!') || nan || value.scalar() == node.scalar(), "{:?} at {slice:?}", node.scalar());
}
