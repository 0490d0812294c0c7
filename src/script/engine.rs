//! The engine of one thread: limits, words, getters.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use rhai::packages::{
    ArithmeticPackage, BasicArrayPackage, BasicIteratorPackage, BasicMapPackage, BasicMathPackage, BasicStringPackage,
    LanguageCorePackage, LogicPackage, MoreStringPackage, Package,
};
use rhai::{Array, Dynamic, Engine, ImmutableString, Map, OptimizationLevel};

use super::runner::Subjects;
use super::tokens::{AfterDot, allow_keys_after_dots};
use super::value::V;
use super::vocabulary::{On, Word, Words};
use super::{
    Context, answers, certificate, compare, draft, edits, fail, injection, installation, list, live, mesh, node,
    platform, rbac, resource, scaling, value, version, wire,
};
use crate::mesh::{Declared, Mesh};
use crate::rule::RuleSet;
use crate::rule::params::ParamValue;
use crate::rule::table::Table;
use crate::units::Date;
use crate::yaml::{Trees, key_hash};

/// Bytes of a text in a rule, and of all texts in an array together.
pub(super) const MAX_TEXT: usize = 1 << 16;

/// An engine that compiles: limits and syntax, without words.
pub(super) fn bare() -> (Engine, AfterDot) {
    let mut engine = Engine::new_raw();
    // No clock, no debugger, no blobs, no function pointers by name.
    LanguageCorePackage::new().register_into_engine(&mut engine);
    ArithmeticPackage::new().register_into_engine(&mut engine);
    LogicPackage::new().register_into_engine(&mut engine);
    BasicStringPackage::new().register_into_engine(&mut engine);
    MoreStringPackage::new().register_into_engine(&mut engine);
    BasicArrayPackage::new().register_into_engine(&mut engine);
    BasicMapPackage::new().register_into_engine(&mut engine);
    BasicMathPackage::new().register_into_engine(&mut engine);
    BasicIteratorPackage::new().register_into_engine(&mut engine);
    engine
        .set_optimization_level(OptimizationLevel::None)
        .set_strict_variables(true)
        .set_fast_operators(false)
        // The loop over the resources is one level.
        .set_max_call_levels(17)
        .set_max_expr_depths(64, 64)
        .set_max_string_size(MAX_TEXT)
        // What all variables of all calls may hold together is the product of these.
        .set_max_array_size(1 << 16)
        .set_max_map_size(1 << 13)
        .set_max_variables(64)
        .set_max_modules(0)
        .set_max_functions(64);
    for word in ["switch", "import", "export", "eval"] {
        engine.disable_symbol(word);
    }
    engine.on_print(|_| {});
    engine.on_debug(|_, _, _| {});
    let after_dot = allow_keys_after_dots(&mut engine);
    (engine, after_dot)
}

/// Registers everything a rule may say. `properties` are the names that follow a dot in any rule.
pub(super) fn equip(engine: &mut Engine, context: &Rc<Context>, properties: &BTreeSet<String>) -> Vec<Word> {
    engine.register_type_with_name::<V>("value");
    engine.register_type_with_name::<list::L>("list");
    engine.register_type_with_name::<mesh::M>("mesh");
    engine.register_type_with_name::<draft::F>("finding");
    engine.register_type_with_name::<edits::E>("edit");
    engine.register_type_with_name::<answers::P>("proxy");
    engine.register_type_with_name::<answers::B>("block");
    engine.register_type_with_name::<wire::Hops>("connections");
    engine.register_type_with_name::<wire::Misplaced>("port of a Service");
    engine.register_type_with_name::<answers::CallTo>("call");
    engine.register_type_with_name::<platform::C>("CNI plugin");
    engine.register_type_with_name::<answers::End>("end of a connection");
    engine.register_type_with_name::<answers::PodPort>("port");
    engine.register_type_with_name::<certificate::C>("certificate");
    engine.register_type_with_name::<certificate::K>("key pair");
    engine.register_type_with_name::<TableRef>("table");
    engine.register_type_with_name::<crate::units::Quantity>("quantity");
    engine.register_type_with_name::<crate::units::Duration>("duration");
    engine.register_type_with_name::<crate::units::Version>("version");
    engine.register_type_with_name::<Date>("date");
    let x = context.clone();
    engine.register_iterator::<Subjects>();
    engine.on_progress(move |step| x.budget.over_at(step).map(Dynamic::from));
    let mut words = Words::new(engine, context.clone());
    value::register(&mut words);
    list::register(&mut words);
    resource::register(&mut words);
    mesh::register(&mut words);
    installation::register(&mut words);
    version::register(&mut words);
    platform::register(&mut words);
    node::register(&mut words);
    live::register(&mut words);
    certificate::register(&mut words);
    rbac::register(&mut words);
    scaling::register(&mut words);
    injection::register(&mut words);
    answers::register(&mut words);
    wire::register(&mut words);
    draft::register(&mut words);
    edits::register(&mut words);
    compare::register(&mut words);
    register_settings(&mut words);
    let list = words.list;
    let methods: BTreeSet<&str> =
        list.iter().filter(|w| w.on == On::Resource || w.on == On::Value).map(Word::name).collect();
    for name in properties {
        let key: Rc<str> = name.as_str().into();
        let hash = key_hash(name);
        let x = context.clone();
        // On a resource, a missing top-level key that is also a word was meant as the word.
        let is_word = methods.contains(name.as_str());
        engine.register_get(name, move |v: &mut V| -> super::Result<V> {
            let found = x.get(*v, &key, hash);
            if is_word && found.ghost != 0 && x.as_resource(*v).is_some() {
                return fail(format!("a resource has no key \"{key}\" here; did you mean `{key}()`?"));
            }
            Ok(found)
        });
    }
    let x = context.clone();
    engine.register_indexer_get(move |v: &mut V, key: ImmutableString| {
        x.budget.makes(key.len());
        x.get(*v, &Rc::from(key.as_str()), key_hash(&key))
    });
    let x = context.clone();
    engine.register_indexer_get(move |v: &mut V, key: V| {
        let text = x.text(key).unwrap_or_default();
        x.budget.makes(text.len());
        x.get(*v, &Rc::from(text.as_str()), key_hash(&text))
    });
    let x = context.clone();
    engine.register_indexer_get(move |v: &mut V, index: i64| {
        let item = usize::try_from(index).ok().and_then(|i| x.items(*v).items.get(i).copied());
        item.unwrap_or_else(|| x.missing(v.place, Vec::new(), None))
    });
    let x = context.clone();
    engine.register_indexer_get(move |list: &mut list::L, index: i64| {
        let item = usize::try_from(index).ok().and_then(|i| list.items.get(i).copied());
        item.unwrap_or_else(|| x.missing(list.place.map_or_else(|| x.nowhere(), |v| v.place), Vec::new(), None))
    });
    list
}

/// `param` and `table`.
fn register_settings(words: &mut Words<'_>) {
    let x = words.context();
    words.fallible(
        On::Function,
        "param(name)",
        "the value of a parameter of this rule",
        "",
        move |name: ImmutableString| match x.params.borrow().get(name.as_str()) {
            Some(value) => Ok(dynamic(value)),
            None => fail(format!("this rule has no parameter \"{name}\"")),
        },
    );
    let x = words.context();
    words.word(
        On::Function,
        "figures()",
        "whose figures the parameters hold, for messages: \"field experience\", or \"Istio's measurement\" with `--preset official`",
        "",
        move || if x.mesh.declared.official { "Istio's measurement" } else { "field experience" },
    );
    let x = words.context();
    words.fallible(
        On::Function,
        "table(name)",
        "a table of `rules/data`; `.row(key)` answers a row, `.has(key)` whether there is one, `.keys()` all keys as an array",
        "",
        move |name: ImmutableString| match x.rules.tables.get(name.as_str()) {
            Some(table) => {
                x.note_age(&name, table);
                Ok(TableRef(name))
            }
            None => fail(format!("there is no table \"{name}\" in a `data` folder")),
        },
    );
    let x = words.context();
    words.silent("row", move |table: TableRef, key: Dynamic| -> Map {
        let key = x.key_text(&key);
        let row = x.rules.tables.get(table.0.as_str()).and_then(|t| t.rows.get(&key));
        row.into_iter().flatten().map(|(column, value)| (column.as_str().into(), from_yaml(value))).collect()
    });
    let x = words.context();
    words.silent("has", move |table: TableRef, key: Dynamic| -> bool {
        let key = x.key_text(&key);
        x.rules.tables.get(table.0.as_str()).is_some_and(|t| t.rows.contains_key(&key))
    });
    let x = words.context();
    words.silent("keys", move |table: TableRef| table_keys(&x, &table));
}

/// The keys of a table.
fn table_keys(x: &Context, table: &TableRef) -> Array {
    let rows = x.rules.tables.get(table.0.as_str()).into_iter().flat_map(|t| t.rows.keys());
    rows.map(|key| Dynamic::from(ImmutableString::from(key.as_str()))).collect()
}

impl Context {
    /// Remembers that the running rule read a table that is older than a year.
    fn note_age(&self, name: &str, table: &Table) {
        if Date::parse(&self.mesh.declared.today).is_some_and(|today| table.is_old(today)) {
            self.old_tables.borrow_mut().insert(format!(
                "this rests on table \"{name}\" of {}, which is older than a year; `tables` of plimsoll.yaml names a newer one",
                table.date
            ));
        }
    }

    fn key_text(&self, key: &Dynamic) -> String {
        match key.clone().try_cast::<V>() {
            Some(v) => self.text(v).unwrap_or_default().to_string(),
            None => compare::plain_text(key).unwrap_or_default(),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct TableRef(pub(super) ImmutableString);

/// A parameter as a script reads it: a quantity compares as one.
fn dynamic(value: &ParamValue) -> Dynamic {
    match value {
        ParamValue::Text(text) => Dynamic::from(ImmutableString::from(text.as_str())),
        ParamValue::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => Dynamic::from(*number as i64),
        ParamValue::Number(number) => Dynamic::from(*number),
        ParamValue::Boolean(value) => Dynamic::from(*value),
        ParamValue::Quantity(quantity) => Dynamic::from(*quantity),
        ParamValue::Duration(duration) => Dynamic::from(*duration),
        ParamValue::Version(version) => Dynamic::from(*version),
        ParamValue::Date(date) => Dynamic::from(*date),
        ParamValue::List(items) => Dynamic::from(items.iter().map(dynamic).collect::<Array>()),
        ParamValue::Map(entries) => {
            Dynamic::from(entries.iter().map(|(k, v)| (k.as_str().into(), dynamic(v))).collect::<Map>())
        }
    }
}

fn from_yaml(value: &serde_yaml::Value) -> Dynamic {
    match value {
        serde_yaml::Value::Bool(value) => Dynamic::from(*value),
        serde_yaml::Value::Number(number) => match number.as_i64() {
            Some(number) => Dynamic::from(number),
            None => Dynamic::from(number.as_f64().unwrap_or_default()),
        },
        serde_yaml::Value::String(text) => match Date::parse(text) {
            Some(date) => Dynamic::from(date),
            None => Dynamic::from(ImmutableString::from(text.as_str())),
        },
        serde_yaml::Value::Sequence(items) => Dynamic::from(items.iter().map(from_yaml).collect::<Array>()),
        _ => Dynamic::UNIT,
    }
}

/// All words, registered with an engine over an empty mesh.
pub(super) fn describe() -> Vec<Word> {
    let mesh = Mesh::new("", Arc::new(Trees::default()), Vec::new(), Declared::default(), Vec::new());
    let context = Context::new(Arc::new(mesh), Arc::new(RuleSet::default()));
    let (mut engine, _) = bare();
    equip(&mut engine, &context, &BTreeSet::new())
}
