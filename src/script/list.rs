//! Lists that the tool answers with: they know where they stand and what their emptiness proves.

use std::rc::Rc;

use rhai::{Array, Dynamic, FnPtr, ImmutableString, NativeCallContext};

use super::value::V;
use super::vocabulary::{On, Words};
use super::{Context, Result};
use crate::mesh::absence::Absence;
use crate::yaml::Node;

/// A list of values.
#[derive(Debug, Clone)]
pub(crate) struct L {
    pub(crate) items: Rc<Vec<V>>,
    /// What a label on the whole list points at.
    pub(crate) place: Option<V>,
    /// What it proves that something is not in it.
    pub(crate) absence: Option<Rc<Absence>>,
}

impl L {
    pub(crate) fn new(items: Vec<V>, place: Option<V>, absence: Option<Absence>) -> L {
        L { items: Rc::new(items), place, absence: absence.map(Rc::new) }
    }
}

impl IntoIterator for L {
    type Item = V;
    type IntoIter = std::vec::IntoIter<V>;
    fn into_iter(self) -> Self::IntoIter {
        Rc::try_unwrap(self.items).unwrap_or_else(|items| items.to_vec()).into_iter()
    }
}

impl Context {
    /// The first of a list, or a missing value at the list's place.
    fn one(&self, list: &L, item: Option<&V>) -> V {
        if let Some(item) = item {
            return *item;
        }
        self.empty_lookup.set(true);
        let place = list.place.map_or_else(|| self.nowhere(), |v| v.place);
        let ghost =
            self.ghost(super::Ghost::Missing { keys: Vec::new(), default: None, absence: list.absence.clone() });
        V { place, ghost }
    }

    /// Where a value stands that no manifest leads to: the first resource.
    pub(crate) fn nowhere(&self) -> crate::yaml::Place {
        match self.mesh.resources.first() {
            Some(resource) => resource.root,
            None => crate::yaml::Place { tree: 0, node: crate::yaml::NodeId(0) },
        }
    }

    fn contains(&self, list: &L, text: &str) -> bool {
        let found = list.items.iter().any(|v| self.text(*v).is_some_and(|t| t == text));
        if !found {
            self.empty_lookup.set(true);
        }
        found
    }
}

impl Context {
    /// Whether a map of the manifest has a key, or a list of it an item.
    fn holds(&self, collection: V, text: &str) -> bool {
        let node = self.node(collection);
        collection.ghost == 0
            && (node.get(text).is_some() || node.items().any(|item| item.text() == Some(text) && !item.is_secret()))
    }
}

impl Context {
    /// All values at a path of keys; `[]` behind one walks the items of its list.
    fn all_at(&self, v: V, path: &str) -> L {
        let mut found: Vec<Node<'_>> = if v.ghost == 0 { vec![self.node(v)] } else { Vec::new() };
        for step in path.split('.') {
            let key = step.trim_end_matches("[]");
            let values = found.into_iter().filter_map(|node| node.get(key));
            found = match step.ends_with("[]") {
                true => values.flat_map(Node::items).collect(),
                false => values.collect(),
            };
            self.budget.makes(found.len() * size_of::<V>());
            if self.budget.over().is_some() {
                break;
            }
        }
        let items = found.into_iter().filter(|node| !node.is_null()).map(|node| self.sibling(v, node));
        L::new(items.collect(), Some(v), None)
    }
}

fn truth(context: &NativeCallContext<'_>, test: &FnPtr, item: V) -> Result<bool> {
    let answer: Dynamic = test.call_raw(context, None, [Dynamic::from(item)])?;
    match answer.as_bool() {
        Ok(answer) => Ok(answer),
        Err(_) => super::fail("the test of a list must answer true or false; ask a value with .is_true() or .exists()"),
    }
}

/// Puts another text for each `old` of a text, as far as the budget allows.
fn replace(x: &Context, text: &mut ImmutableString, old: &str, new: &str) {
    let times = if old.is_empty() { 0 } else { text.matches(old).count() };
    x.budget.makes(times * new.len() + text.len());
    if times > 0 && x.budget.over().is_none() {
        *text = text.replace(old, new).into();
    }
}

/// What a closure makes of each item.
fn map(
    x: &Context,
    context: &NativeCallContext<'_>,
    make: &FnPtr,
    items: impl Iterator<Item = Dynamic>,
) -> Result<Array> {
    let mut made = Array::new();
    for item in items {
        let new: Dynamic = make.call_raw(context, None, [item])?;
        x.budget.makes(size_of::<Dynamic>() + new.read_lock::<ImmutableString>().map_or(0, |text| text.len()));
        if let Some(reason) = x.budget.over() {
            return super::fail(reason);
        }
        made.push(new);
    }
    Ok(made)
}

/// Texts with another between them, as far as there is room.
fn join(x: &Context, texts: impl Iterator<Item = String>, between: &str) -> String {
    let mut joined = String::new();
    for (number, text) in texts.enumerate() {
        x.budget.makes(text.len() + between.len());
        if x.budget.over().is_some() {
            break;
        }
        joined += if number == 0 { "" } else { between };
        joined += &text;
    }
    joined
}

/// The text of an array (a parameter's) that is spelt most alike.
fn closest_text(c: &Context, list: &Array, v: V) -> Dynamic {
    let texts: Vec<_> = list.iter().map(|item| super::compare::plain_text(item).unwrap_or_default()).collect();
    let wanted = c.text(v).unwrap_or_default();
    match crate::mesh::host::closest(&wanted, texts.iter().map(String::as_str)) {
        Some(i) => Dynamic::from(ImmutableString::from(texts[i].as_str())),
        None => Dynamic::from(c.missing(v.place, Vec::new(), None)),
    }
}

/// The words of lists.
pub(super) fn register(words: &mut Words<'_>) {
    use On::List;
    let c = words.context();
    words.engine().register_iterator::<L>();
    let x = c.clone();
    words.word(
        On::Value,
        "all_at(path)",
        "all values at a path of keys below it, `[]` for the items of a list: `spec.all_at(\"http[].mirrorPercent\")`",
        "",
        move |v: V, path: ImmutableString| x.all_at(v, &path),
    );
    words.word(List, "count()", "how many", "", |list: L| list.items.len() as i64);
    words.word(List, "is_empty()", "there is none", "", |list: L| list.items.is_empty());
    let x = c.clone();
    words.word(List, "first()", "the first; missing if there is none", "", move |list: L| {
        x.one(&list, list.items.first())
    });
    let x = c.clone();
    words
        .word(List, "last()", "the last; missing if there is none", "", move |list: L| x.one(&list, list.items.last()));
    let x = c.clone();
    words.fallible(
        List,
        "find(|x| test)",
        "the first that passes; missing if none does",
        "",
        move |context: NativeCallContext<'_>, list: L, test: FnPtr| -> Result<V> {
            for item in list.items.iter() {
                if truth(&context, &test, *item)? {
                    return Ok(*item);
                }
            }
            Ok(x.one(&list, None))
        },
    );
    let x = c.clone();
    words.word(
        List,
        "closest(value)",
        "the one that is spelt most alike, if any is; also of an array of texts: `param(\"allowed\").closest(label)`",
        "",
        move |list: L, v: V| {
            let texts: Vec<_> = list.items.iter().map(|i| x.text(*i).unwrap_or_default()).collect();
            let wanted = x.text(v).unwrap_or_default();
            let near = crate::mesh::host::closest(&wanted, texts.iter().map(ImmutableString::as_str));
            match near {
                Some(i) => list.items[i],
                None => x.missing(v.place, Vec::new(), None),
            }
        },
    );
    let x = c.clone();
    words.silent("closest", move |list: Array, v: V| closest_text(&x, &list, v));
    // A parameter's list and the result of `map` are arrays: they answer the same words.
    let x = c.clone();
    words.silent("join", move |list: Array, between: ImmutableString| {
        join(&x, list.iter().map(|item| super::compare::plain_text(item).unwrap_or_default()), &between)
    });
    words.silent("count", |list: Array| list.len() as i64);
    words.silent("first", |list: Array| list.first().cloned().unwrap_or_default());
    words.silent("last", |list: Array| list.last().cloned().unwrap_or_default());
    let x = c.clone();
    words.word(List, "join(text)", "their texts with `text` between", "", move |list: L, between: ImmutableString| {
        join(&x, list.items.iter().map(|v| x.shown(*v)), &between)
    });
    words.fallible(
        List,
        "filter(|x| test)",
        "those that pass",
        "",
        |context: NativeCallContext<'_>, list: L, test: FnPtr| -> Result<L> {
            let mut kept = Vec::new();
            for item in list.items.iter() {
                if truth(&context, &test, *item)? {
                    kept.push(*item);
                }
            }
            Ok(L { items: Rc::new(kept), ..list })
        },
    );
    let x = c.clone();
    words.fallible(
        List,
        "map(|x| …)",
        "what the closure makes of each, as an array",
        "",
        move |context: NativeCallContext<'_>, list: L, make: FnPtr| {
            map(&x, &context, &make, list.items.iter().map(|item| Dynamic::from(*item)))
        },
    );
    // Rhai's own looks at the size of what comes of it only when all of it is there.
    let x = c.clone();
    words.unlisted("map", move |context: NativeCallContext<'_>, list: Array, make: FnPtr| {
        map(&x, &context, &make, list.into_iter())
    });
    let x = c.clone();
    words.silent("replace", move |text: &mut ImmutableString, old: ImmutableString, new: ImmutableString| {
        replace(&x, text, &old, &new);
    });
    // A letter of a text is a `char` to Rhai.
    let x = c.clone();
    words.silent("replace", move |text: &mut ImmutableString, old: char, new: ImmutableString| {
        replace(&x, text, old.encode_utf8(&mut [0; 4]), &new);
    });
    words.fallible(
        List,
        "some(|x| test)",
        "at least one passes",
        "",
        |context: NativeCallContext<'_>, list: L, test: FnPtr| -> Result<bool> {
            for item in list.items.iter() {
                if truth(&context, &test, *item)? {
                    return Ok(true);
                }
            }
            Ok(false)
        },
    );
    words.fallible(
        List,
        "all(|x| test)",
        "each passes",
        "",
        |context: NativeCallContext<'_>, list: L, test: FnPtr| -> Result<bool> {
            for item in list.items.iter() {
                if !truth(&context, &test, *item)? {
                    return Ok(false);
                }
            }
            Ok(true)
        },
    );
    words.word(List, "absent()", "\"not among the 12 Services read in namespace …\"", "", |list: L| {
        list.absence.map_or_else(|| "not there".to_string(), |a| a.in_words())
    });
    let x = c.clone();
    words.silent("contains", move |list: L, v: V| x.text(v).is_some_and(|text| x.contains(&list, &text)));
    let x = c.clone();
    words.silent("contains", move |list: L, text: ImmutableString| x.contains(&list, &text));
    let x = c.clone();
    words
        .silent("contains", move |list: L, number: i64| list.items.iter().any(|v| x.number(*v) == Some(number as f64)));
    let x = c.clone();
    words.silent("contains", move |list: Array, v: V| list.iter().any(|item| super::compare::equal(&x, v, item)));
    let x = c.clone();
    words.silent("contains", move |map: V, key: ImmutableString| x.holds(map, &key));
    let x = c.clone();
    words.silent("contains", move |map: V, key: V| x.text(key).is_some_and(|key| x.holds(map, &key)));
    let x = c;
    words.silent("to_string", move |list: L| join(&x, list.items.iter().map(|v| x.shown(*v)), ", "));
    words.silent("len", |list: L| list.items.len() as i64);
    words.silent("==", |a: L, b: L| a.items == b.items);
}
