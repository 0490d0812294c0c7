//! GitLab's Code Quality, by the fields it documents: <https://docs.gitlab.com/ci/testing/code_quality/>

use std::collections::BTreeSet;

use serde_json::Value;

use super::scratch::{OURS, Scratch, deployment, shop, snapshot};

/// The items, each with the fields that GitLab demands.
#[track_caller]
fn items(s: &Scratch, arguments: &str) -> Vec<Value> {
    let said = s.run(&format!("check {arguments} --format gitlab"));
    assert!(said.out.starts_with('['), "{said}");
    let items = said.json().as_array().unwrap().clone();
    for item in &items {
        let text = |field: &str| item[field].as_str().unwrap_or_else(|| panic!("no {field}: {item}")).to_string();
        assert!(!text("description").is_empty() && !text("check_name").is_empty() && !text("fingerprint").is_empty());
        assert!(["info", "minor", "major", "critical", "blocker"].contains(&text("severity").as_str()));
        let path = item["location"]["path"].as_str().unwrap();
        assert!(!path.is_empty() && !path.starts_with("./") && !path.starts_with('/'), "{path}");
        assert!(item["location"]["lines"]["begin"].as_u64().unwrap() > 0);
    }
    let prints: BTreeSet<&str> = items.iter().map(|item| item["fingerprint"].as_str().unwrap()).collect();
    assert_eq!(prints.len(), items.len(), "{said}");
    items
}

#[test]
fn a_gitlab_report() {
    let s = shop();
    snapshot("gitlab", &s.run(&format!("check a.yaml {OURS} --format gitlab --min-severity info")).to_string());
}

#[test]
fn severities_and_places_are_gitlabs() {
    let s = shop();
    let items = items(&s, &format!("./a.yaml {OURS} --min-severity info"));
    let severities: BTreeSet<_> =
        items.iter().map(|i| (i["check_name"].as_str().unwrap(), i["severity"].as_str().unwrap())).collect();
    assert_eq!(severities, [("ops/replicas", "critical"), ("team/owner", "major"), ("team/owner", "info")].into());
    assert!(items.iter().all(|item| item["location"]["path"] == "a.yaml"));
}

#[test]
fn an_empty_run_is_an_empty_array() {
    let s = shop();
    s.write("a.yaml", deployment("cart", 3));
    assert_eq!(s.run("check a.yaml --rules rules --select ops --format gitlab").out, "[]\n");
}

#[test]
fn fingerprints_of_equal_findings_differ_and_survive_other_lines() {
    let s = shop();
    let twice = deployment("cart", 1) + "  a: { b: 1, b: 2, b: 3 }\n";
    s.write("a.yaml", &twice);
    let before = items(&s, "a.yaml --select yaml");
    assert_eq!(before.len(), 2);
    s.write("a.yaml", format!("# one more line\n{twice}"));
    let after = items(&s, "a.yaml --select yaml");
    let prints = |items: &[Value]| items.iter().map(|i| i["fingerprint"].clone()).collect::<Vec<_>>();
    assert_eq!(prints(&before), prints(&after));
}

#[test]
fn what_failed_is_a_blocker() {
    let s = shop();
    s.write("rules/x/bad.rhai", "nonsense");
    let items = items(&s, "a.yaml --rules rules --select ops");
    assert_eq!((&items[0]["severity"], &items[0]["location"]["path"]), (&"blocker".into(), &"rules/x/bad.rhai".into()));
}
