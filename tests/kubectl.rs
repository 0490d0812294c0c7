//! What we read of the cases of the YAML test suite, against what kubectl reads.
//!
//! `kubectl/cases.jsonl` holds each case with kubectl's answer: the documents as JSON, or that it
//! refuses the input. The cases are those of <https://github.com/yaml/yaml-test-suite> (MIT, © 2016-2020
//! Ingy döt Net), the answers those of sigs.k8s.io/yaml 1.4.0 for the documents that apimachinery's
//! `YAMLOrJSONDecoder` splits an input into. `kubectl/differences.txt` says where we answer otherwise
//! and why: one line each, `ID reason`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use plimsoll::source::FileId;
use plimsoll::yaml::parse::parse;
use plimsoll::yaml::scalar::Scalar;
use plimsoll::yaml::{Kind, Node};
use serde_json::{Map, Value};

#[derive(serde::Deserialize)]
struct Case {
    id: String,
    yaml: String,
    #[serde(default)]
    refused: bool,
    #[serde(default)]
    docs: Vec<Value>,
}

/// The documents as kubectl's decoder would turn them into JSON; nothing if a part can't be read.
fn read(text: &str) -> Option<Vec<Value>> {
    let tree = parse(FileId(0), Arc::from(text));
    (!tree.is_broken()).then(|| tree.roots().map(json).filter(|value| !value.is_null()).collect())
}

fn json(node: Node<'_>) -> Value {
    match node.kind() {
        Kind::Seq => Value::Array(node.items().map(json).collect()),
        Kind::Map => {
            let mut map = Map::new();
            for (key, value) in node.entries() {
                let name = key.text().unwrap_or_default();
                let shown = match key.scalar() {
                    Some(Scalar::Int(number)) => number.to_string(),
                    Some(Scalar::Bool(value)) => value.to_string(),
                    _ => name.to_string(),
                };
                map.insert(shown, json(node.get(name).unwrap_or(value)));
            }
            Value::Object(map)
        }
        _ => match node.scalar() {
            Some(Scalar::Int(number)) => number.into(),
            Some(Scalar::Float(number)) => number.into(),
            Some(Scalar::Bool(value)) => value.into(),
            Some(Scalar::Text(text)) => text.into(),
            _ => Value::Null,
        },
    }
}

/// Equal numbers are equal however they are written.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

#[test]
fn the_cases_of_the_yaml_test_suite_read_as_kubectl_reads_them() {
    let differences: BTreeMap<&str, &str> =
        include_str!("kubectl/differences.txt").lines().filter_map(|line| line.split_once(' ')).collect();
    let mut differ = BTreeSet::new();
    let mut said = String::new();
    for line in include_str!("kubectl/cases.jsonl").lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        let ours = read(&case.yaml);
        let agrees = match &ours {
            None => case.refused,
            Some(docs) => !case.refused && same(&Value::Array(docs.clone()), &Value::Array(case.docs.clone())),
        };
        if agrees {
            continue;
        }
        if !differences.contains_key(case.id.as_str()) {
            let show =
                |docs: Option<&Vec<Value>>| docs.map_or("refused".to_string(), |d| Value::Array(d.clone()).to_string());
            let theirs = show((!case.refused).then_some(&case.docs));
            said += &format!("{}: {:?}\n   ours {}\nkubectl {theirs}\n", case.id, case.yaml, show(ours.as_ref()));
        }
        differ.insert(case.id);
    }
    assert!(said.is_empty(), "{said}");
    let listed: BTreeSet<String> = differences.keys().map(|id| id.to_string()).collect();
    assert_eq!(listed, differ, "differences.txt lists what agrees by now");
}
