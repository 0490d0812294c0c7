//! Text that stands in no file, made of nodes that do: what a chart renders of values.
//!
//! It is parsed as any text is. Each stretch of it knows the node that it comes from, so a finding about
//! a field that a chart renders points at the value that sets it.

use super::{Kind, NodeId, Place, Tree, Trees, flag, parse};
use crate::source::Span;

/// Where a stretch of composed text comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// Where the stretch starts in the composed text.
    inner: u32,
    /// The node.
    pub place: Place,
    /// What the node is to it.
    pub from: From,
    /// Where it stands.
    pub span: Span,
}

/// What a node is to the text that comes from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// The text says what the node says: an edit of the one is an edit of the other.
    Value,
    /// A default, in whose stead the node is shown: the nearest that is written.
    Default,
    /// Neither: what is around values.
    Frame,
}

/// Writes composed text.
pub struct Composer<'t> {
    trees: &'t Trees,
    frame: Place,
    text: String,
    origins: Vec<Origin>,
    /// Starts of maps that may hold more than is written.
    open: Vec<u32>,
}

impl<'t> Composer<'t> {
    /// A text whose frame comes from one node.
    pub fn new(trees: &'t Trees, frame: Place) -> Composer<'t> {
        let mut composer = Composer { trees, frame, text: String::new(), origins: Vec::new(), open: Vec::new() };
        composer.frame();
        composer
    }

    /// What follows comes from a node.
    pub fn mark(&mut self, place: Place, from: From) {
        let inner = self.text.len() as u32;
        let span = self.trees.node(place).place();
        // A mark on the same spot takes the place of the one before.
        if self.origins.last().is_some_and(|last| last.inner == inner) {
            self.origins.pop();
        }
        self.origins.push(Origin { inner, place, from, span });
    }

    /// What follows belongs to the frame.
    pub fn frame(&mut self) {
        self.mark(self.frame, From::Frame);
    }

    /// Adds YAML.
    pub fn push(&mut self, yaml: &str) {
        self.text.push_str(yaml);
    }

    /// Adds text in quotes.
    pub fn quote(&mut self, text: &str) {
        self.text.push_str(&serde_json::Value::from(text).to_string());
    }

    /// The map that starts here may hold more than will be written.
    pub fn expect_more(&mut self) {
        self.open.push(self.text.len() as u32);
    }

    /// How much was written.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// What was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The tree of the text, and its root. `outer` is the scalar whose text it is, if it is any's.
    pub fn finish(self, outer: Option<Place>) -> Option<Place> {
        let file = self.trees.tree(self.frame.tree).file;
        let outer = outer.map(|place| (place.tree, place.node));
        let mut tree = parse::within(file, self.text.into(), None, outer);
        for node in tree.nodes.iter_mut().filter(|n| n.kind == Kind::Map && self.open.binary_search(&n.start).is_ok()) {
            node.flags |= flag::UNKNOWN;
        }
        tree.origins = self.origins;
        let root = tree.documents.first()?.root?;
        let place = Place { tree: self.trees.add(tree), node: root };
        if let Some((tree, node)) = outer {
            self.trees.settle(Place { tree, node }, place.tree);
        }
        Some(place)
    }
}

impl Tree {
    /// Where a node of a composed text comes from; nothing for other texts.
    pub fn origin(&self, node: NodeId) -> Option<&Origin> {
        self.origin_at(self.nodes[node.0 as usize].start)
    }

    pub(super) fn origin_at(&self, inner: u32) -> Option<&Origin> {
        let at = self.origins.partition_point(|origin| origin.inner <= inner);
        self.origins.get(at.checked_sub(1)?)
    }
}

impl Trees {
    /// Where a node of a composed text comes from; nothing for what stands in a file.
    pub fn origin(&self, place: Place) -> Option<&Origin> {
        self.tree(place.tree).origin(place.node)
    }

    /// The node in a file for a place: that which it comes from, or itself.
    pub fn written(&self, place: Place) -> Place {
        self.origin(place).map_or(place, |origin| origin.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    #[test]
    fn composed_text_stands_where_it_comes_from() {
        let text = "chart: istiod\nvalues: {a: {b: 1}, c: 'x: y'}\n";
        let trees = Trees::new([parse::parse(FileId(0), text.into())]);
        let at = |path: &[&str]| {
            let node = trees.tree(0).roots().next().unwrap().at(path).unwrap();
            Place { tree: 0, node: node.id() }
        };
        let mut composer = Composer::new(&trees, at(&["chart"]));
        composer.push("kind: A\nnumber: ");
        composer.mark(at(&["values", "a", "b"]), From::Value);
        composer.push("1");
        composer.frame();
        composer.push("\ndefault: ");
        composer.mark(at(&["values", "a"]), From::Default);
        composer.push("2");
        composer.frame();
        composer.push("\nmore: ");
        composer.expect_more();
        composer.push("{}\ntext: ");
        composer.mark(at(&["values", "c"]), From::Value);
        composer.quote("x: y");
        let root = composer.finish(None).unwrap();
        let get = |key: &str| trees.get(root, &[key]).unwrap();
        let shown = |place: Place| &text[trees.node(place).place().range()];
        assert_eq!([shown(get("kind")), shown(get("number")), shown(get("default"))], ["istiod", "1", "a"]);
        assert_eq!(trees.node(get("number")).int(), Some(1));
        assert_eq!(trees.written(get("number")), at(&["values", "a", "b"]));
        assert!(trees.node(get("more")).is_unknown() && !trees.node(root).is_unknown());
        // Text in it stands in the file, too.
        let inner = trees.parse(get("text")).unwrap();
        assert_eq!(shown(trees.get(inner, &["x"]).unwrap()), "y");
        assert!(trees.parse(get("kind")).is_none());
        assert_eq!(trees.files().count(), 1);
    }
}
