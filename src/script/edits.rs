//! Edits that a rule offers: they keep the author's formatting and comments.

use rhai::{Dynamic, ImmutableString};

use super::list::L;
use super::value::V;
use super::vocabulary::{On, Words};
use super::{Context, Ghost};
use crate::finding::Edit;
use crate::units::Quantity;
use crate::yaml::composed::From;
use crate::yaml::edit::{self, NewValue};

/// An edit; nothing where it can't be made.
#[derive(Debug, Clone)]
pub(crate) struct E(pub(crate) Option<Edit>);

/// YAML that an edit writes as it is.
#[derive(Debug, Clone)]
pub(crate) struct Yaml(ImmutableString);

impl Context {
    /// What an edit writes: text stays text (`"yes"` gets quotes), quantities and numbers do not.
    fn new_value(&self, x: &Dynamic) -> Option<NewValue> {
        if let Some(v) = x.read_lock::<V>() {
            let text = self.text(*v)?.to_string();
            let number = v.ghost == 0 && self.node(*v).is_plain() && self.node(*v).string().is_none();
            return Some(if number { NewValue::Yaml(text) } else { NewValue::Text(text) });
        }
        if let Some(yaml) = x.read_lock::<Yaml>() {
            return Some(NewValue::Yaml(yaml.0.to_string()));
        }
        if let Some(quantity) = x.read_lock::<Quantity>() {
            return Some(NewValue::Quantity(quantity.to_string()));
        }
        if let Ok(value) = x.as_bool() {
            return Some(NewValue::Bool(value));
        }
        if x.is_int() || x.is_float() {
            return super::compare::plain_text(x).map(NewValue::Number);
        }
        super::compare::plain_text(x)
            .map(|text| if Quantity::parse(&text).is_some() { NewValue::Quantity(text) } else { NewValue::Text(text) })
    }

    /// Whether a file may be edited at the place of a value.
    fn editable(&self, v: V) -> bool {
        let generated = self.resource_of(v).is_none_or(|id| self.mesh.resource(id).generated);
        !generated && !self.mesh.trees.tree(v.place.tree).is_embedded()
    }

    /// The value that an edit of this one edits: itself, or what says the same in the values of a chart.
    fn edited(&self, v: V) -> Option<V> {
        let Some(origin) = self.mesh.trees.origin(v.place) else { return Some(v).filter(|v| self.editable(*v)) };
        let place = Some(origin.place).filter(|_| origin.from == From::Value)?;
        // What `null` removes can't be added beside it.
        let first = match self.ghost_of(v) {
            Some(Ghost::Missing { keys, .. }) => keys.first().cloned(),
            _ => None,
        };
        if first.is_some_and(|key| self.mesh.trees.node(place).get(&key).is_some()) {
            return None;
        }
        let is_file = !self.mesh.trees.tree(place.tree).is_embedded();
        let is_own = self.mesh.owner(place).is_none_or(|id| !self.mesh.resource(id).generated);
        (is_file && is_own).then_some(V { place, ..v })
    }

    fn set(&self, v: V, x: &Dynamic) -> Option<Edit> {
        let v = self.edited(v)?;
        let value = self.new_value(x)?;
        match self.ghost_of(v) {
            None => edit::set(self.node(v), &value),
            Some(Ghost::Missing { keys, .. }) if !keys.is_empty() => {
                let keys: Vec<&str> = keys.iter().map(|k| &**k).collect();
                edit::add_path(self.node(v), &keys, &value)
            }
            _ => None,
        }
    }

    fn add(&self, parent: V, key: &str, x: &Dynamic) -> Option<Edit> {
        let parent = self.edited(parent)?;
        let value = self.new_value(x)?;
        let mut path: Vec<String> = match self.ghost_of(parent) {
            None => Vec::new(),
            Some(Ghost::Missing { keys, .. }) => keys.iter().map(|k| k.to_string()).collect(),
            Some(_) => return None,
        };
        path.push(key.to_string());
        edit::add_path(self.node(parent), &path.iter().map(String::as_str).collect::<Vec<_>>(), &value)
    }
}

/// The edits.
pub(super) fn register(words: &mut Words<'_>) {
    use On::Function;
    let c = words.context();
    let x = c.clone();
    words.word(
        Function,
        "set(value, x)",
        "edit: the value becomes `x`; a missing one is added",
        "",
        move |v: V, new: Dynamic| E(x.set(v, &new)),
    );
    let x = c.clone();
    words.word(
        Function,
        "add(parent, key, x)",
        "edit: a key with a value; missing parents are added too",
        "",
        move |parent: V, key: ImmutableString, new: Dynamic| E(x.add(parent, &key, &new)),
    );
    let x = c.clone();
    words.word(Function, "append(list, x)", "edit: one more item", "", move |list: V, new: Dynamic| {
        let value = (list.ghost == 0 && x.editable(list)).then(|| x.new_value(&new)).flatten();
        E(value.and_then(|value| edit::append(x.node(list), &value)))
    });
    let x = c.clone();
    words.silent("append", move |list: L, new: Dynamic| {
        let Some(place) = list.place.filter(|v| v.ghost == 0 && x.editable(*v)) else { return E(None) };
        E(x.new_value(&new).and_then(|value| edit::append(x.node(place), &value)))
    });
    let x = c.clone();
    words.word(Function, "remove(value)", "edit: the key with its value, or the item, goes away", "", move |v: V| {
        E((v.ghost == 0 && x.editable(v)).then(|| edit::remove(x.node(v))).flatten())
    });
    let x = c;
    words.word(
        Function,
        "rename(value, key)",
        "edit: the value gets another key",
        "",
        move |v: V, key: ImmutableString| {
            E((v.ghost == 0 && x.editable(v)).then(|| edit::rename(x.node(v), &key)).flatten())
        },
    );
    words.word(
        Function,
        "yaml(text)",
        "YAML of several lines for an edit, indented to its place",
        "",
        |text: ImmutableString| Yaml(text),
    );
}
