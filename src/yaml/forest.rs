//! All trees of a run, with those that grow out of scalars.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::composed::From;
use super::{Node, NodeId, Tree, embedded};
use crate::source::Span;

/// A node of one of the [`Trees`], free of lifetimes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The tree.
    pub tree: u32,
    /// The node in it.
    pub node: NodeId,
}

/// Trees by number. Those of files come first, in the order of the files; text in scalars is parsed
/// when somebody first asks for it, and then stays.
#[derive(Debug, Default)]
pub struct Trees {
    list: boxcar::Vec<Tree>,
    embedded: Mutex<HashMap<Place, Option<u32>>>,
    /// Bytes that were parsed behind aliases.
    aliased: AtomicUsize,
}

/// The most text that is parsed behind aliases: each of them leads to a tree of its own.
const MOST_ALIASED: usize = 16 << 20;

impl Trees {
    /// The trees of files, in the order of the files.
    pub fn new(files: impl IntoIterator<Item = Tree>) -> Trees {
        Trees { list: files.into_iter().collect(), ..Trees::default() }
    }

    /// The tree of that number.
    pub fn tree(&self, number: u32) -> &Tree {
        &self.list[number as usize]
    }

    /// The trees of files, not those in scalars.
    pub fn files(&self) -> impl Iterator<Item = (u32, &Tree)> {
        self.list.iter().take_while(|(_, tree)| !tree.is_embedded()).map(|(i, tree)| (i as u32, tree))
    }

    /// The places of all trees whose text must not be shown, in no order.
    pub fn secrets(&self) -> Vec<Span> {
        self.list.iter().flat_map(|(_, tree)| tree.secrets()).collect()
    }

    /// A cursor at a place.
    pub fn node(&self, place: Place) -> Node<'_> {
        self.tree(place.tree).node(place.node)
    }

    /// The place of a value below another place of the same tree.
    pub fn get(&self, place: Place, path: &[&str]) -> Option<Place> {
        let node = self.node(place).at(path)?;
        Some(Place { tree: place.tree, node: node.id() })
    }

    /// Parses the text of a scalar as YAML or JSON; nothing if it is no scalar, empty, or broken, or if
    /// too much stands behind aliases.
    pub fn parse(&self, place: Place) -> Option<Place> {
        let composed = self.origin(place).is_some();
        if composed && !self.is_settled(place) {
            // The text stands where the value does, not here.
            let origin = self.origin(place).filter(|origin| origin.from == From::Value)?;
            return self.parse(origin.place);
        }
        let number = {
            let mut known = self.embedded.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            *known.entry(place).or_insert_with(|| {
                let node = self.node(place);
                if node.is_alias() {
                    let length = node.text()?.len();
                    if self.aliased.fetch_add(length, Ordering::Relaxed) + length > MOST_ALIASED {
                        return None;
                    }
                }
                let tree = embedded::parse_scalar(place.tree, node)?;
                Some(self.list.push(tree) as u32)
            })
        }?;
        let tree = self.tree(number);
        let root = tree.documents.first()?.root?;
        (!tree.is_broken()).then_some(Place { tree: number, node: root })
    }

    /// Adds a tree, and answers its number.
    pub(super) fn add(&self, tree: Tree) -> u32 {
        self.list.push(tree) as u32
    }

    /// Says which tree holds the text of a scalar, for those that are not parsed.
    pub(super) fn settle(&self, scalar: Place, tree: u32) {
        let mut known = self.embedded.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.insert(scalar, Some(tree));
    }

    fn is_settled(&self, scalar: Place) -> bool {
        self.embedded.lock().unwrap_or_else(std::sync::PoisonError::into_inner).contains_key(&scalar)
    }

    /// The scalar in a file's own tree that a place stands in; the place itself if it is in none.
    pub fn outermost(&self, place: Place) -> Place {
        match self.tree(place.tree).outer {
            Some((tree, node)) => self.outermost(Place { tree, node }),
            None => place,
        }
    }

    /// The root of the document that a place stands in, in a file's own tree.
    pub fn root(&self, place: Place) -> Place {
        let place = self.outermost(place);
        let mut node = self.node(place);
        while let Some(parent) = node.parent() {
            node = parent;
        }
        Place { node: node.id(), ..place }
    }

    /// The path from the resource to a place, through embedded text: `data.mesh|defaultConfig.x`.
    pub fn path(&self, place: Place, resource: Place) -> String {
        self.path_to(place, resource, false)
    }

    /// The same with items of lists called by their names, for fingerprints.
    pub fn named_path(&self, place: Place, resource: Place) -> String {
        self.path_to(place, resource, true)
    }

    fn path_to(&self, place: Place, resource: Place, named: bool) -> String {
        let root = (place.tree == resource.tree).then(|| self.node(resource));
        let inner = self.node(place).path_below(root, named);
        match self.tree(place.tree).outer {
            Some((tree, node)) => format!("{}|{inner}", self.path_to(Place { tree, node }, resource, named)),
            None => inner,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::source::FileId;

    #[test]
    fn text_behind_many_aliases_is_not_parsed_forever() {
        let text = format!("x: &x |\n  a: {}\ny: [{}]\n", "z".repeat(1 << 20), vec!["*x"; 20].join(", "));
        let trees = Trees::new([super::super::parse::parse(FileId(0), Arc::from(text))]);
        let root = trees.tree(0).roots().next().unwrap();
        let parsed = |node: Node<'_>| trees.parse(Place { tree: 0, node: node.id() }).is_some();
        assert!(parsed(root.get("x").unwrap()));
        assert_eq!(root.get("y").unwrap().items().filter(|item| parsed(*item)).count(), 15);
    }
}
