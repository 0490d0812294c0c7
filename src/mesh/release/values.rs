//! The values of a release as its chart gets them: what is written, merged over what a profile and the
//! chart take by default.

use std::collections::HashSet;

use super::defaults::Defaults;
use super::{Holds, ROOT, Release};
use crate::source::FileId;
use crate::yaml::composed::{Composer, From};
use crate::yaml::scalar::{self, Scalar};
use crate::yaml::{Node, Place, Tree, Trees, parse};

/// The trees of defaults, which the values of a release look into.
pub(super) struct Behind {
    profile: Tree,
    chart: Tree,
}

impl Behind {
    pub(super) fn new(release: &Release, trees: &Trees, defaults: &Defaults) -> Behind {
        let version = release.version(trees);
        let tree = |chart: &str| parse::parse(FileId(0), defaults.yaml(chart, version).into());
        let profile = release.profile_name(trees).unwrap_or("");
        Behind { profile: tree(&format!("{}@{profile}", release.chart)), chart: tree(release.chart) }
    }
}

/// A value at a path, or a part of one, in one of the layers.
#[derive(Clone, Copy)]
pub(super) struct Item<'t> {
    node: Node<'t>,
    /// Keys above the node that the layer does not have as maps.
    rest: &'t [Box<str>],
    /// Where it is written; nothing for a default.
    place: Option<Place>,
    holds: Holds,
}

impl<'t> Item<'t> {
    fn is_map(&self) -> bool {
        !self.rest.is_empty() || self.node.is_map()
    }

    /// As the chart gets it: `helm --set` makes a number of the text `2`.
    fn scalar(&self) -> Option<Scalar<'t>> {
        match self.holds {
            Holds::Arguments => self.node.text().map(scalar::resolve),
            _ => self.node.scalar(),
        }
    }

    fn is_unknown(&self) -> bool {
        !self.is_map() && (self.holds == Holds::Some || self.node.is_unknown())
    }

    fn child(&self, key: &str) -> Option<Item<'t>> {
        if let Some((first, rest)) = self.rest.split_first() {
            return (&**first == key).then_some(Item { rest, ..*self });
        }
        let node = self.node.get(key)?;
        Some(Item { node, place: self.place.map(|place| Place { node: node.id(), ..place }), ..*self })
    }

    /// Its keys, each with its own node where it has one.
    fn keys(&self) -> Vec<(&'t str, Option<Place>)> {
        if let Some(first) = self.rest.first() {
            return vec![(first, self.place)];
        }
        let place = |key: Node<'_>| self.place.map(|place| Place { node: key.id(), ..place });
        self.node.entries().filter_map(|(key, _)| Some((key.text()?, place(key)))).collect()
    }
}

/// What stands at a path.
pub(super) enum Found<'t> {
    /// Nothing: neither written nor a default, or removed by `null`.
    Nothing,
    /// The values do not say, and the defaults do not either.
    Unknown,
    /// The layers that have it, the strongest first.
    Some(Vec<Item<'t>>),
}

/// The values of one release.
pub(super) struct Values<'t> {
    release: &'t Release,
    layers: Vec<Item<'t>>,
    profile: Option<Item<'t>>,
    chart: Option<Item<'t>>,
    /// The map whose values go before those beside it: `pilot`.
    prefix: &'static str,
    /// Whether values beside that map count, too.
    flat: bool,
}

/// The most text that is made of one value; aliases may name a large one often.
const MOST: usize = 1 << 18;

impl<'t> Values<'t> {
    pub(super) fn new(trees: &'t Trees, release: &'t Release, behind: &'t Behind) -> Values<'t> {
        let root = |tree: &'t Tree| {
            let node = tree.roots().next()?;
            (!release.open).then_some(Item { node, rest: &[], place: None, holds: Holds::Values })
        };
        let layer = |layer: &'t super::Layer| Item {
            node: trees.node(layer.place),
            rest: &layer.below,
            place: Some(layer.place),
            holds: layer.holds,
        };
        let prefix = match release.chart {
            "istiod" => "pilot",
            "gateway" | "base" => "",
            chart => chart,
        };
        let older = release.version(trees).is_some_and(|version| (version.major, version.minor) < (1, 24));
        Values {
            release,
            layers: release.layers.iter().map(layer).collect(),
            profile: root(&behind.profile),
            chart: root(&behind.chart),
            prefix,
            flat: release.chart != "istiod" || !older,
        }
    }

    /// The value at a path from the root, such as `global.proxy`.
    pub(super) fn top(&self, path: &str) -> Found<'t> {
        let path: Vec<&str> = path.split('.').collect();
        find(self.layers.iter().copied().chain(self.profile).chain(self.chart).map(|item| (item, path.as_slice())))
    }

    /// The value at a path below the chart's own map, or beside it where charts take it there (1.24).
    pub(super) fn own(&self, path: &str) -> Found<'t> {
        let flat: Vec<&str> = path.split('.').collect();
        let deep = self.deep(&flat);
        let written = self.layers.iter().map(|item| (*item, deep.as_slice()));
        let beside = self.layers.iter().filter(|_| self.flat && !self.prefix.is_empty());
        // What a profile says goes into the chart's own map, and so before what is written beside it.
        let rest = self.profile.into_iter().chain(beside.copied()).chain(self.chart);
        find(written.chain(rest.map(|item| (item, flat.as_slice()))))
    }

    fn deep<'p>(&self, path: &[&'p str]) -> Vec<&'p str>
    where
        't: 'p,
    {
        let prefix = Some(self.prefix).filter(|prefix| !prefix.is_empty());
        prefix.into_iter().chain(path.iter().copied()).collect()
    }

    /// The nearest value that is written above a path, or else where the chart is named.
    pub(super) fn near(&self, path: &str) -> Place {
        let flat: Vec<&str> = path.split('.').collect();
        let written = |path: &[&str]| {
            self.layers.iter().filter(|item| item.holds != Holds::Some).find_map(|item| {
                let found = path.iter().try_fold(*item, |item, key| item.child(key))?;
                found.place.filter(|_| found.rest.is_empty())
            })
        };
        let counts = self.flat || ROOT.contains(&flat[0]);
        let paths = [self.deep(&flat), if counts { flat } else { Vec::new() }];
        // The root itself is shown by the chart's name.
        let depths = (1..=paths[0].len()).rev();
        let mut found = depths.flat_map(|n| paths.iter().filter_map(move |path| path.get(..n))).filter_map(written);
        found.next().unwrap_or(self.release.place)
    }

    /// The text of a scalar; nothing where there is none, or where it is not known.
    pub(super) fn text(&self, found: &Found<'t>) -> Option<&'t str> {
        match found {
            Found::Some(items) => items.first().filter(|item| !item.is_unknown()).and_then(|item| item.node.text()),
            _ => None,
        }
    }

    /// Where the strongest of the layers that have it stands.
    pub(super) fn place(&self, found: &Found<'t>) -> Option<Place> {
        match found {
            Found::Some(items) => items.first().and_then(|item| item.place),
            _ => None,
        }
    }

    /// Whether a template's `if` takes it for true; nothing where that is not known.
    pub(super) fn is_true(&self, found: &Found<'t>) -> Option<bool> {
        let items = match found {
            Found::Nothing => return Some(false),
            Found::Unknown => return None,
            Found::Some(items) => items,
        };
        let first = items.first()?;
        if first.is_map() {
            return Some(items.iter().any(|item| !item.keys().is_empty())).filter(|any| *any || !self.release.open);
        }
        if first.is_unknown() {
            return None;
        }
        Some(match first.scalar() {
            Some(Scalar::Bool(value)) => value,
            Some(Scalar::Int(0) | Scalar::Null | Scalar::Text("")) => false,
            Some(_) => true,
            None => first.node.items().next().is_some(),
        })
    }

    /// The items of a list that is written, each with its place.
    pub(super) fn items(&self, found: &Found<'t>) -> Vec<(Node<'t>, Place)> {
        let first = if let Found::Some(items) = found { items.first() } else { None };
        let Some((node, place)) = first.and_then(|item| Some((item.node, item.place?))) else { return Vec::new() };
        node.items().map(|item| (item, Place { node: item.id(), ..place })).collect()
    }

    /// Writes the entries of a map, as they stand in a larger one.
    pub(super) fn put_entries(&self, composer: &mut Composer<'_>, found: &Found<'t>, near: Place) {
        for (key, _, value) in self.entries_of(found) {
            composer.quote(key);
            composer.push(": ");
            self.put(composer, &value, near, How::Text);
            composer.push(", ");
        }
        if self.release.open || matches!(found, Found::Unknown) {
            composer.push(&format!("\"{UNKNOWN}\": \"\", "));
        }
    }

    /// The keys of a map, each with where it is written and its value.
    pub(super) fn entries_of(&self, found: &Found<'t>) -> Vec<(&'t str, Option<Place>, Found<'t>)> {
        match found {
            Found::Some(items) => self.entries(items),
            _ => Vec::new(),
        }
    }

    /// Writes what stands at a path.
    pub(super) fn put(&self, composer: &mut Composer<'_>, found: &Found<'t>, near: Place, how: How) {
        match found {
            Found::Some(items) if composer.len() < MOST => self.merge(composer, items, near, how),
            Found::Nothing => composer.push("null"),
            _ => {
                composer.mark(near, From::Frame);
                composer.quote(UNKNOWN);
            }
        }
    }

    /// A map over what a template merges it into. Nothing is known of that where values stand elsewhere.
    pub(super) fn over(&self, found: Found<'t>, base: Node<'t>) -> Found<'t> {
        let mut items = if let Found::Some(items) = found { items } else { Vec::new() };
        if !self.release.open && items.iter().all(Item::is_map) {
            items.push(Item { node: base, rest: &[], place: None, holds: Holds::Values });
        }
        if items.is_empty() { Found::Unknown } else { Found::Some(items) }
    }

    /// The keys of a map, in the order of the layers, each with what stands there.
    fn entries(&self, items: &[Item<'t>]) -> Vec<(&'t str, Option<Place>, Found<'t>)> {
        let maps: Vec<_> = items.iter().take_while(|item| item.is_map()).copied().collect();
        let mut seen = HashSet::new();
        let keys = maps.iter().flat_map(Item::keys).filter(|(key, _)| seen.insert(*key)).collect::<Vec<_>>();
        let found = |(key, place): (&'t str, Option<Place>)| {
            let found = find(maps.iter().map(|item| (*item, std::slice::from_ref(&key))));
            (!matches!(found, Found::Nothing)).then_some((key, place, found))
        };
        keys.into_iter().filter_map(found).collect()
    }

    fn merge(&self, composer: &mut Composer<'_>, items: &[Item<'t>], near: Place, how: How) {
        let Some(first) = items.first() else { return };
        let written = items.iter().find_map(|item| item.place.filter(|_| item.holds != Holds::Some));
        let (place, from) = match written {
            _ if first.is_unknown() => (written.unwrap_or(near), From::Frame),
            // An argument stands in quotes, whatever it is.
            Some(place) if first.holds == Holds::Arguments => (place, From::Frame),
            Some(place) => (place, From::Value),
            None => (near, From::Default),
        };
        composer.mark(place, from);
        if first.is_unknown() {
            composer.quote(UNKNOWN);
        } else if first.is_map() {
            if self.release.open || how == How::Part {
                composer.expect_more();
            }
            composer.push("{");
            for (key, at, found) in self.entries(items) {
                match at {
                    Some(at) => composer.mark(at, From::Frame),
                    None => composer.mark(place, From::Default),
                }
                composer.quote(key);
                composer.push(": ");
                // Of these the table has all keys.
                let how = if how == How::Part && key == "resources" { How::Whole } else { how };
                self.put(composer, &found, place, how);
                composer.push(", ");
            }
            composer.push("}");
        } else if first.node.is_seq() {
            composer.push("[");
            for node in first.node.items() {
                let place = first.place.map(|place| Place { node: node.id(), ..place });
                self.merge(composer, &[Item { node, place, ..*first }], near, how);
                composer.push(", ");
            }
            composer.push("]");
        } else {
            match first.scalar() {
                Some(Scalar::Text(text)) => composer.quote(text),
                _ if how == How::Text => composer.quote(first.node.text().unwrap_or("")),
                Some(Scalar::Null) | None => composer.push("null"),
                Some(_) => composer.push(first.node.text().unwrap_or("null")),
            }
        }
    }
}

/// What is written for a value that is not known.
pub(super) const UNKNOWN: &str = "${unknown}";

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// As it is.
    Whole,
    /// As it is; maps may have more keys, since the table of defaults has not all of them.
    Part,
    /// Scalars as text.
    Text,
}

/// What the first layers have at their paths, down to the one that all others stand behind.
fn find<'t, 'p>(layers: impl Iterator<Item = (Item<'t>, &'p [&'p str])>) -> Found<'t> {
    let mut items: Vec<Item<'t>> = Vec::new();
    'layers: for (layer, path) in layers {
        let mut item = layer;
        for key in path {
            if !item.is_map() {
                if item.is_unknown() {
                    items.push(item);
                }
                // Text or `null` in place of a map leaves nothing of the weaker ones.
                break 'layers;
            }
            match item.child(key) {
                Some(child) => item = child,
                None => continue 'layers,
            }
        }
        if !item.is_map() && !items.is_empty() {
            break;
        }
        items.push(item);
        if !item.is_map() {
            break;
        }
    }
    match items.first() {
        Some(first) if !first.is_map() && !first.is_unknown() && first.node.is_null() => Found::Nothing,
        Some(_) => Found::Some(items),
        None => Found::Unknown,
    }
}
