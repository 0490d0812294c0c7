use std::collections::BTreeSet;
use std::sync::Arc;

use rhai::{Engine, Scope};

use super::*;
use crate::mesh::test_mesh;
use crate::rule::RuleSet;
use crate::script::engine;

const MANIFEST: &str = "apiVersion: v1
kind: ConfigMap
metadata: { name: a }
data:
  nil: null
  unknown: ${X}
  text: abc
  number: 2
  float: 2.5
  bool: true
  quoted: \"2\"
  quantity: 128Mi
  version: 1.30.2
  duration: 10s
  date: 2026-01-01
  list: [abc, 128Mi, 2]
  map: { abc: 1 }
";

/// What stands on either side of an operator: its name in [`TABLE`], and how a rule writes it.
const OPERANDS: &[(&str, &str)] = &[
    ("missing", "d.data.missing_key"),
    ("null", "d.data.nil"),
    ("unknown", "d.data.unknown"),
    ("v:text", "d.data.text"),
    ("v:number", "d.data.number"),
    ("v:float", "d.data.float"),
    ("v:bool", "d.data.bool"),
    ("v:quoted", "d.data.quoted"),
    ("v:quantity", "d.data.quantity"),
    ("v:version", "d.data.version"),
    ("v:duration", "d.data.duration"),
    ("v:date", "d.data.date"),
    ("v:list", "d.data.list"),
    ("v:map", "d.data.map"),
    ("'abc'", "\"abc\""),
    ("'2'", "\"2\""),
    ("'128Mi'", "\"128Mi\""),
    ("'1.30.2'", "\"1.30.2\""),
    ("'10s'", "\"10s\""),
    ("'2026-01-01'", "\"2026-01-01\""),
    ("2", "2"),
    ("2.5", "2.5"),
    ("true", "true"),
    ("quantity", "quantity"),
    ("two", "two"),
    ("version", "version"),
    ("duration", "duration"),
    ("date", "date"),
];

/// How pairs compare, each written once: `=` equal and ordered so, `e` equal without an order, `<` and
/// `>` ordered and not equal, `~` of one size but not equal. All other pairs are not equal and have no
/// order; with an unknown value they are not even that.
const TABLE: &[(&str, &str)] = &[
    ("missing", "emissing enull"),
    ("null", "enull"),
    ("v:text", "ev:text ='abc'"),
    ("v:number", "=v:number <v:float =v:quoted <v:quantity <'abc' ='2' <'128Mi' =2 <2.5 <quantity =two"),
    (
        "v:float",
        "=v:float >v:quoted <v:quantity >v:version <'abc' >'2' <'128Mi' >'1.30.2' >2 =2.5 <quantity >two >version",
    ),
    ("v:bool", "ev:bool >'abc' etrue"),
    ("v:quoted", "=v:quoted <v:quantity <'abc' ='2' <'128Mi' ~2 <2.5 <quantity =two"),
    ("v:quantity", "=v:quantity <'abc' >'2' ='128Mi' >2 >2.5 =quantity >two"),
    ("v:version", "=v:version <'abc' ='1.30.2' =version"),
    ("v:duration", "=v:duration <'abc' ='10s' =duration"),
    ("v:date", "=v:date <'abc' ='2026-01-01' =date"),
    ("v:list", "ev:list"),
    ("v:map", "ev:map"),
    ("'abc'", "='abc' >'2' >'128Mi' >'1.30.2' >'10s' >'2026-01-01'"),
    ("'2'", "='2' >'128Mi' >'1.30.2' >'10s' <'2026-01-01' <quantity =two"),
    ("'128Mi'", "='128Mi' >'1.30.2' >'10s' <'2026-01-01' =quantity >two"),
    ("'1.30.2'", "='1.30.2' <'10s' <'2026-01-01' =version"),
    ("'10s'", "='10s' <'2026-01-01' =duration"),
    ("'2026-01-01'", "='2026-01-01' =date"),
    ("2", "=2 <2.5 <quantity =two"),
    ("2.5", "=2.5 <quantity >two"),
    ("true", "=true"),
    ("quantity", "=quantity >two"),
    ("two", "=two"),
    ("version", "=version"),
    ("duration", "=duration"),
    ("date", "=date"),
];

const OPERATORS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

/// The operators that hold between two operands, as [`TABLE`] says.
fn expected(left: &str, right: &str) -> &'static [&'static str] {
    let relation = |left: &str, right: &str| {
        let (_, row) = TABLE.iter().find(|(name, _)| *name == left)?;
        row.split(' ').find(|pair| &pair[1..] == right).and_then(|pair| pair.chars().next())
    };
    let turned = |relation| match relation {
        '<' => '>',
        '>' => '<',
        other => other,
    };
    match relation(left, right).or_else(|| relation(right, left).map(turned)) {
        Some('=') => &["==", "<=", ">="],
        Some('e') => &["=="],
        Some('<') => &["!=", "<", "<="],
        Some('>') => &["!=", ">", ">="],
        Some('~') => &["!=", "<=", ">="],
        _ if [left, right].contains(&"unknown") => &[],
        _ => &["!="],
    }
}

struct Bench {
    engine: Engine,
    context: Rc<Context>,
}

impl Bench {
    fn new() -> Bench {
        let keys = MANIFEST.lines().filter_map(|line| Some(line.trim().split_once(':')?.0.to_string()));
        let properties: BTreeSet<String> = keys.chain(["missing_key".to_string()]).collect();
        let context = Context::new(Arc::new(test_mesh(&[MANIFEST])), Arc::new(RuleSet::default()));
        let (mut engine, _) = engine::bare();
        engine::equip(&mut engine, &context, &properties);
        Bench { engine, context }
    }

    fn eval<T: rhai::Variant + Clone>(&self, code: &str) -> T {
        let mut scope = Scope::new();
        scope.push("d", V::at(self.context.mesh.resources[0].root));
        scope.push("quantity", Quantity::parse("128Mi").unwrap());
        scope.push("two", Quantity::parse("2").unwrap());
        scope.push("version", Version::parse("1.30.2").unwrap());
        scope.push("duration", Duration::parse("10s").unwrap());
        scope.push("date", Date::parse("2026-01-01").unwrap());
        self.engine.eval_with_scope(&mut scope, code).unwrap_or_else(|error| panic!("{code}: {error}"))
    }
}

#[test]
fn every_operator_between_every_two() {
    let bench = Bench::new();
    for (left, left_code) in OPERANDS {
        for (right, right_code) in OPERANDS {
            let holds = |operator: &&str| bench.eval::<bool>(&format!("{left_code} {operator} {right_code}"));
            let found: Vec<&str> = OPERATORS.into_iter().filter(holds).collect();
            assert_eq!(found, expected(left, right), "{left} and {right}");
        }
    }
}

#[test]
fn the_table_names_operands_only() {
    let known = |name: &str| OPERANDS.iter().any(|(operand, _)| *operand == name);
    for (left, row) in TABLE {
        assert!(known(left), "{left}");
        row.split(' ').for_each(|pair| assert!(known(&pair[1..]), "{pair}"));
    }
}

#[test]
fn nothing_follows_from_what_is_missing_or_unknown() {
    let bench = Bench::new();
    for (name, code) in OPERANDS {
        let holds = |left: &str, operator: &str| {
            let there = bench.eval::<bool>(&format!("{left} {operator} {code}"));
            let back = bench.eval::<bool>(&format!("{code} {operator} {left}"));
            assert_eq!(there, back, "{left} {operator} {name}");
            there
        };
        let absent = ["missing", "null"].contains(name);
        for gone in ["d.data.missing_key", "d.data.nil"] {
            assert_eq!(holds(gone, "=="), absent, "{name}");
            assert_eq!(holds(gone, "!="), !absent && *name != "unknown", "{name}");
        }
        for operator in OPERATORS {
            assert!(!holds("d.data.unknown", operator), "unknown {operator} {name}");
        }
        for operator in &OPERATORS[2..] {
            assert!(!holds("d.data.missing_key", operator), "missing {operator} {name}");
        }
    }
}

#[test]
fn a_default_compares_and_is_still_missing() {
    let bench = Bench::new();
    for (test, holds) in [
        ("d.data.missing_key.or(2) == 2", true),
        ("d.data.missing_key.or(2) < 3", true),
        ("d.data.missing_key.or(\"128Mi\") == quantity", true),
        ("d.data.missing_key.or(true) == true", true),
        ("d.data.missing_key.or(true).is_true()", true),
        ("d.data.missing_key.or(2).missing()", true),
        ("d.data.number.or(3) == 2", true),
        ("d.data.unknown.or(3) == 3", false),
        ("d.data.version > \"1.29\" && d.data.version >= \"1.30\" && d.data.version < \"1.31\"", true),
    ] {
        assert_eq!(bench.eval::<bool>(test), holds, "{test}");
    }
}

#[test]
fn membership_compares_as_equality_does() {
    let bench = Bench::new();
    for (test, holds) in [
        ("d.data.text in [\"x\", \"abc\"]", true),
        ("d.data.number in [1, 2]", true),
        ("d.data.quantity in [quantity]", true),
        ("d.data.version in [version]", true),
        ("d.data.bool in [true]", true),
        ("d.data.text in [d.data.text]", true),
        ("d.data.missing_key in [\"abc\", 2, true]", false),
        ("d.data.unknown in [\"abc\", 2, d.data.unknown]", false),
        ("d.data.text in d.data.list.items()", true),
        ("\"abc\" in d.data.list.items()", true),
        ("2 in d.data.list.items()", true),
        ("\"abc\" in d.data.list", true),
        ("\"abc\" in d.data.map", true),
        ("\"x\" in d.data.map", false),
        ("\"abc\" in d.data.missing_key", false),
        ("d.data.missing_key in d.data.list.items()", false),
        ("d.data.unknown in d.data.list.items()", false),
    ] {
        assert_eq!(bench.eval::<bool>(test), holds, "{test}");
    }
}

#[test]
fn values_read_in_texts_as_the_author_wrote_them() {
    let bench = Bench::new();
    for (name, shown) in [
        ("missing_key", "(not set)"),
        ("nil", "(not set)"),
        ("unknown", "(unknown)"),
        ("text", "abc"),
        ("float", "2.5"),
        ("quoted", "2"),
        ("quantity", "128Mi"),
        ("list", "abc, 128Mi, 2"),
        ("map", "abc: 1"),
    ] {
        assert_eq!(bench.eval::<String>(&format!("`${{d.data.{name}}}`")), shown);
        assert_eq!(bench.eval::<String>(&format!("d.data.{name}.to_string()")), shown);
    }
    assert_eq!(
        bench.eval::<String>("`${quantity} ${two} ${version} ${duration} ${date}`"),
        "128Mi 2 1.30.2 10s 2026-01-01"
    );
}

#[test]
fn days_between_dates_are_counted() {
    let bench = Bench::new();
    assert_eq!(bench.eval::<i64>("date - d.data.date.date()"), 0);
    assert!(bench.eval::<bool>("d.data.text.date().missing() && d.data.date.date() < \"2026-01-02\""));
}

#[test]
fn a_value_is_never_added_to() {
    let bench = Bench::new();
    for code in [
        "d.data.number + 1",
        "1 + d.data.number",
        "\"a\" + d.data.text",
        "d.data.text + \"a\"",
        "d.data.text + d.data.text",
        "2.5 + d.data.number",
        "[1] + d.data.number",
    ] {
        let mut scope = Scope::new();
        scope.push("d", V::at(bench.context.mesh.resources[0].root));
        let error = bench.engine.eval_with_scope::<rhai::Dynamic>(&mut scope, code).unwrap_err();
        assert!(error.to_string().contains("can't be added to"), "{code}: {error}");
    }
}
