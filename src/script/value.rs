//! Values: YAML nodes as a rule sees them, and nodes that are not there.

use std::rc::Rc;

use rhai::{Dynamic, ImmutableString};

use super::engine::MAX_TEXT;
use super::list::L;
use super::vocabulary::{On, Words};
use super::{Context, Ghost};
use crate::mesh::absence::{Absence, Certainty};
use crate::resource::ResourceId;
use crate::source::Span;
use crate::units::{Date, Duration, Quantity, Version};
use crate::yaml::composed::From;
use crate::yaml::scalar::Scalar;
use crate::yaml::{Node, NodeId, Place};

/// A value. Copying it is free; what it is beside a node stands in the context's list of ghosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct V {
    pub(crate) place: Place,
    /// 0: the node itself; else the number of a ghost.
    pub(crate) ghost: u32,
}

/// Characters of a value that a message repeats; names of Kubernetes have 253 at most.
const LONGEST_SHOWN: usize = 500;

/// A value's content, for comparisons.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content<'a> {
    Missing,
    Unknown,
    Scalar(Scalar<'a>),
    Collection,
}

impl V {
    pub(crate) fn at(place: Place) -> V {
        V { place, ghost: 0 }
    }
}

impl Context {
    pub(crate) fn node(&self, v: V) -> Node<'_> {
        self.mesh.trees.node(v.place)
    }

    pub(crate) fn ghost_of(&self, v: V) -> Option<Ghost> {
        v.ghost.checked_sub(1).and_then(|i| self.ghosts.borrow().get(i as usize).cloned())
    }

    /// A value below another that does not exist.
    pub(crate) fn missing(&self, parent: Place, keys: Vec<Rc<str>>, default: Option<Rc<str>>) -> V {
        V { place: parent, ghost: self.ghost(Ghost::Missing { keys, default, absence: None }) }
    }

    /// A look-up that found nothing; its place is where it was asked for. Where that proves nothing,
    /// the answer is unknown, and the run says so.
    pub(crate) fn absent(&self, asked: Place, absence: Absence) -> V {
        if absence.certainty == Certainty::Unknown {
            self.note_unknown(&absence.what);
            return self.unknown_at(asked, &absence.what);
        }
        self.empty_lookup.set(true);
        let absence = Some(Rc::new(absence));
        V { place: asked, ghost: self.ghost(Ghost::Missing { keys: Vec::new(), default: None, absence }) }
    }

    /// Something that the input does not show.
    pub(crate) fn unknown_at(&self, place: Place, what: &str) -> V {
        V { place, ghost: self.ghost(Ghost::Unknown(what.into())) }
    }

    pub(crate) fn resource_of(&self, v: V) -> Option<ResourceId> {
        self.mesh.owner(v.place)
    }

    /// The resource that a value is the root of.
    pub(crate) fn as_resource(&self, v: V) -> Option<ResourceId> {
        if v.ghost != 0 {
            return None;
        }
        self.resource_of(v).filter(|id| self.mesh.resource(*id).root == v.place)
    }

    pub(crate) fn is_missing(&self, v: V) -> bool {
        match self.ghost_of(v) {
            Some(Ghost::Missing { .. }) => true,
            Some(_) => false,
            None => self.node(v).is_null(),
        }
    }

    pub(crate) fn is_unknown(&self, v: V) -> bool {
        match self.ghost_of(v) {
            Some(Ghost::Unknown(_)) => true,
            Some(_) => false,
            None => self.node(v).is_unknown(),
        }
    }

    /// The value of a key; a missing one where there is none.
    pub(crate) fn get(&self, v: V, key: &Rc<str>, hash: u32) -> V {
        match self.ghost_of(v) {
            None => {
                let node = self.node(v);
                if let Some(child) = node.get_hashed(key, hash) {
                    return V::at(Place { tree: v.place.tree, node: child.id() });
                }
                if node.is_unknown() {
                    return self.unknown_at(v.place, key);
                }
                self.missing(v.place, vec![key.clone()], self.api_default(v.place, key))
            }
            Some(Ghost::Missing { mut keys, absence, .. }) => {
                keys.push(key.clone());
                V { place: v.place, ghost: self.ghost(Ghost::Missing { keys, default: None, absence }) }
            }
            Some(Ghost::Unknown(_)) => v,
            Some(Ghost::Part(..)) => self.missing(v.place, vec![key.clone()], None),
        }
    }

    /// What the API server takes a missing field for.
    fn api_default(&self, parent: Place, key: &str) -> Option<Rc<str>> {
        if !crate::mesh::defaults::has_default(key) {
            return None;
        }
        let resource = self.mesh.resource(self.mesh.owner(parent)?);
        let path = self.mesh.trees.path(parent, resource.root);
        crate::mesh::defaults::api_default(&resource.kind, &path, key).map(Into::into)
    }

    /// The text of a scalar, or of the default of a missing one.
    pub(crate) fn text(&self, v: V) -> Option<ImmutableString> {
        match self.ghost_of(v) {
            None => {
                let node = self.node(v);
                if node.is_unknown() || node.is_null() { None } else { node.text().map(Into::into) }
            }
            Some(Ghost::Missing { default, .. }) => default.map(|d| (&*d).into()),
            Some(Ghost::Unknown(_)) => None,
            Some(Ghost::Part(start, end)) => {
                let text = self.node(v).tree().text();
                text.get(start as usize..end as usize).map(Into::into)
            }
        }
    }

    /// How a value reads in a message: no more of it than somebody reads.
    pub(crate) fn shown(&self, v: V) -> String {
        let mut text = self.shown_whole(v);
        if let Some((end, _)) = text.char_indices().nth(LONGEST_SHOWN) {
            text.truncate(end);
            text.push('…');
        }
        text
    }

    fn shown_whole(&self, v: V) -> String {
        if let Some(text) = self.text(v) {
            return text.to_string();
        }
        if self.is_unknown(v) {
            return "(unknown)".to_string();
        }
        if self.is_missing(v) {
            return "(not set)".to_string();
        }
        let node = self.node(v);
        if let Some(id) = self.as_resource(v) {
            return self.mesh.resource(id).name.to_string();
        }
        fn shown(node: Node<'_>) -> Option<&str> {
            if node.is_secret() { Some("(unknown)") } else { node.text() }
        }
        let parts: Vec<String> = if node.is_seq() {
            node.items().take(20).filter_map(shown).map(str::to_string).collect()
        } else {
            node.entries().take(20).filter_map(|(k, v)| Some(format!("{}: {}", k.text()?, shown(v)?))).collect()
        };
        parts.join(", ")
    }

    /// The number that a value holds, whether or not it stands in quotes.
    pub(crate) fn number(&self, v: V) -> Option<f64> {
        match (v.ghost, self.node(v).scalar().filter(|_| !self.is_unknown(v))) {
            (0, Some(Scalar::Int(number))) => Some(number as f64),
            (0, Some(Scalar::Float(number))) => Some(number),
            _ => self.text(v).and_then(|t| t.trim().parse().ok()),
        }
    }

    pub(crate) fn quantity(&self, v: V) -> Option<Quantity> {
        self.text(v).and_then(|t| Quantity::parse(&t))
    }

    /// Remembers that a rule needed a value that can't be read as what it has to be.
    pub(crate) fn note_unreadable(&self, v: V, wanted: &'static str) {
        if v.ghost == 0 && !self.is_unknown(v) && !self.is_missing(v) {
            self.unreadable.borrow_mut().insert((v.place, wanted));
        }
    }

    /// What a value was read as; where it could not be, that is remembered, and a missing value stands
    /// for it, so that every comparison is false.
    pub(crate) fn read_as<T: rhai::Variant + Clone>(&self, v: V, wanted: &'static str, read: Option<T>) -> Dynamic {
        read.map_or_else(
            || {
                self.note_unreadable(v, wanted);
                Dynamic::from(self.missing(v.place, Vec::new(), None))
            },
            Dynamic::from,
        )
    }

    /// Where a finding about a value points.
    pub(crate) fn span(&self, v: V) -> Span {
        match self.ghost_of(v) {
            Some(Ghost::Part(start, end)) => self.node(v).tree().span(start, end),
            _ => self.node(v).place(),
        }
    }

    /// The path of a value within its resource, keys that are missing included; of what a chart would
    /// render, the path of what sets it.
    pub(crate) fn path(&self, v: V, named: bool) -> String {
        let trees = &self.mesh.trees;
        let (place, origin) = (trees.written(v.place), trees.origin(v.place));
        let root = match self.mesh.owner(place) {
            Some(id) => self.mesh.resource(id).root,
            None if origin.is_some() => trees.root(place),
            None => return String::new(),
        };
        let mut path = if named { trees.named_path(place, root) } else { trees.path(place, root) };
        let is_exact = origin.is_none_or(|origin| origin.from == From::Value);
        if let Some(Ghost::Missing { keys, absence: None, .. }) = self.ghost_of(v).filter(|_| is_exact) {
            for key in keys {
                let step = crate::yaml::path_step(&key);
                if !path.is_empty() && !step.starts_with('[') {
                    path.push('.');
                }
                path.push_str(&step);
            }
        }
        path
    }

    /// The items of a list; the values of a missing or other value: none.
    pub(crate) fn items(&self, v: V) -> L {
        let items = if v.ghost == 0 { self.node(v).items().map(|n| self.sibling(v, n)).collect() } else { Vec::new() };
        L::new(items, Some(v), None)
    }

    pub(crate) fn sibling(&self, v: V, node: Node<'_>) -> V {
        V::at(Place { tree: v.place.tree, node: node.id() })
    }

    pub(crate) fn content(&self, v: V) -> Content<'_> {
        if self.is_unknown(v) {
            return Content::Unknown;
        }
        match v.ghost {
            0 => match self.node(v).scalar() {
                Some(Scalar::Null) => Content::Missing,
                Some(scalar) => Content::Scalar(scalar),
                None => Content::Collection,
            },
            _ => Content::Missing,
        }
    }

    fn part(&self, v: V, wanted: &str) -> V {
        let node = self.node(v);
        let range = node.local_range();
        let text = node.tree().text();
        let at = (v.ghost == 0 && node.kind() == crate::yaml::Kind::Scalar && !node.is_secret() && !wanted.is_empty())
            .then(|| text.get(range.clone()).and_then(|t| t.find(wanted)))
            .flatten();
        match at {
            Some(at) => {
                let start = range.start + at;
                V { place: v.place, ghost: self.ghost(Ghost::Part(start as u32, (start + wanted.len()) as u32)) }
            }
            None => v,
        }
    }
}

/// The words that may be asked of every value.
pub(super) fn register(words: &mut Words<'_>) {
    use On::Value;
    let c = words.context();
    let x = c.clone();
    words.word(Value, "missing()", "nothing stands there, or null", "", move |v: V| x.is_missing(v));
    let x = c.clone();
    words.word(Value, "exists()", "something stands there", "", move |v: V| !x.is_missing(v) && !x.is_unknown(v));
    let x = c.clone();
    words.word(
        Value,
        "unknown()",
        "the input does not show it (`${NAME}`, `ENC[…]`), or it is the value of a Secret",
        "",
        move |v: V| x.is_unknown(v),
    );
    let x = c.clone();
    words.word(Value, "is_null()", "`null` or nothing after the colon", "", move |v: V| {
        v.ghost == 0 && x.node(v).is_null()
    });
    let x = c.clone();
    words.word(Value, "is_true()", "the boolean true, or the text \"true\"", "", move |v: V| {
        matches!(x.content(v), Content::Scalar(Scalar::Bool(true) | Scalar::Text("true"))) || x.default_is(v, "true")
    });
    let x = c.clone();
    words.word(Value, "is_false()", "the boolean false, or the text \"false\"", "", move |v: V| {
        matches!(x.content(v), Content::Scalar(Scalar::Bool(false) | Scalar::Text("false"))) || x.default_is(v, "false")
    });
    let x = c.clone();
    words.word(Value, "is_text()", "text to kubectl", "", move |v: V| {
        matches!(x.content(v), Content::Scalar(Scalar::Text(_)))
    });
    let x = c.clone();
    words.word(Value, "is_number()", "a number to kubectl", "", move |v: V| {
        matches!(x.content(v), Content::Scalar(Scalar::Int(_) | Scalar::Float(_)))
    });
    let x = c.clone();
    words.word(
        Value,
        "text()",
        "its text, for the functions of Rhai; empty if there is none, or more than 64 KiB",
        "",
        move |v: V| x.text(v).filter(|text| text.len() <= MAX_TEXT).unwrap_or_default(),
    );
    let x = c.clone();
    words.word(Value, "number()", "the number in it, quotes or not; missing if it holds none", "", move |v: V| match x
        .number(v)
    {
        Some(n) if n.fract() == 0.0 && n.abs() < 9e15 => Dynamic::from(n as i64),
        number => x.read_as(v, "number", number),
    });
    let x = c.clone();
    words.word(Value, "quantity()", "as a quantity: `128Mi`, `500m`; missing if it is none", "", move |v: V| {
        x.read_as(v, "quantity", x.quantity(v))
    });
    let x = c.clone();
    words.word(Value, "duration()", "as a duration: `10s`, `1h30m`; missing if it is none", "", move |v: V| {
        x.read_as(v, "duration", x.text(v).and_then(|t| Duration::parse(&t)))
    });
    let x = c.clone();
    words.word(Value, "version()", "as a version: `1.30.2`; missing if it is none", "", move |v: V| {
        x.read_as(v, "version", x.text(v).and_then(|t| Version::parse(&t)))
    });
    let x = c.clone();
    words.word(Value, "date()", "as a date: `2026-11-24`, also of a time; missing if it is none", "", move |v: V| {
        x.read_as(v, "date", x.text(v).and_then(|t| Date::parse(&t)))
    });
    let x = c.clone();
    words.word(Value, "or(x)", "itself, or `x` at its place where it is missing", "", move |v: V, other: Dynamic| {
        if !x.is_missing(v) {
            return v;
        }
        if let Some(other) = other.clone().try_cast::<V>() {
            return other;
        }
        let text = super::compare::plain_text(&other);
        let (place, keys) = match x.ghost_of(v) {
            Some(Ghost::Missing { keys, .. }) => (v.place, keys),
            _ => (v.place, Vec::new()),
        };
        x.missing(place, keys, text.map(|t| t.as_str().into()))
    });
    let x = c.clone();
    words.word(Value, "items()", "the items of a list", "", move |v: V| x.items(v));
    let x = c.clone();
    words.word(Value, "values()", "the values of a map", "", move |v: V| {
        let values =
            if v.ghost == 0 { x.node(v).entries().map(|(_, n)| x.sibling(v, n)).collect() } else { Vec::new() };
        L::new(values, Some(v), None)
    });
    let x = c.clone();
    words.word(Value, "keys()", "the keys of a map, as values with a place", "", move |v: V| {
        let keys = if v.ghost == 0 { x.node(v).entries().map(|(k, _)| x.sibling(v, k)).collect() } else { Vec::new() };
        L::new(keys, Some(v), None)
    });
    let x = c.clone();
    words.word(Value, "key()", "the key that it stands under, as a value", "", move |v: V| match x.ghost_of(v) {
        None => x.node(v).key().map_or(v, |key| x.sibling(v, key)),
        Some(Ghost::Missing { keys, .. }) => x.missing(v.place, Vec::new(), keys.last().cloned()),
        Some(_) => v,
    });
    let x = c.clone();
    words.word(Value, "parent()", "the value around it; a key leads to its map", "", move |v: V| match x.ghost_of(v) {
        Some(Ghost::Missing { mut keys, absence, .. }) if keys.len() > 1 => {
            keys.pop();
            V { place: v.place, ghost: x.ghost(Ghost::Missing { keys, default: None, absence }) }
        }
        Some(Ghost::Missing { .. } | Ghost::Part(..)) => V::at(v.place),
        _ => x.node(v).parent().map_or(v, |parent| x.sibling(v, parent)),
    });
    let x = c.clone();
    words.word(Value, "path()", "where it stands in its resource: `spec.http[0].route`", "", move |v: V| {
        x.path(v, false)
    });
    let x = c.clone();
    words.word(Value, "resource()", "the resource that it belongs to", "", move |v: V| match x.resource_of(v) {
        Some(id) => V::at(x.mesh.resource(id).root),
        None => v,
    });
    let x = c.clone();
    words.word(
        Value,
        "part(text)",
        "a part of its text, with its own place",
        "",
        move |v: V, text: ImmutableString| x.part(v, &text),
    );
    let x = c.clone();
    words.word(
        Value,
        "parse()",
        "the YAML or JSON in its text, with places in the outer file",
        "",
        move |v: V| match (v.ghost == 0).then(|| x.mesh.trees.parse(v.place)).flatten() {
            Some(place) => V::at(place),
            None => {
                if v.ghost == 0 && x.node(v).text().is_some_and(|t| !t.trim().is_empty()) {
                    x.note_unreadable(v, "YAML or JSON");
                }
                x.missing(v.place, Vec::new(), None)
            }
        },
    );
    let x = c.clone();
    words.word(Value, "starts_with(text)", "its text starts so", "", move |v: V, text: ImmutableString| {
        x.text(v).is_some_and(|t| t.starts_with(text.as_str()))
    });
    let x = c.clone();
    words.word(Value, "ends_with(text)", "its text ends so", "", move |v: V, text: ImmutableString| {
        x.text(v).is_some_and(|t| t.ends_with(text.as_str()))
    });
    let x = c;
    words.word(
        Value,
        "absent()",
        "of a look-up that found nothing: \"not among the 12 Services read in …\"",
        "",
        move |v: V| match x.ghost_of(v) {
            Some(Ghost::Missing { absence: Some(absence), .. }) => absence.in_words(),
            _ => "not there".to_string(),
        },
    );
}

impl Context {
    fn default_is(&self, v: V, text: &str) -> bool {
        matches!(self.ghost_of(v), Some(Ghost::Missing { default: Some(d), .. }) if &*d == text)
    }
}

/// The value at a node of a tree.
pub(crate) fn place(tree: u32, node: NodeId) -> V {
    V::at(Place { tree, node })
}
