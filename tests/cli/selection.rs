//! Which rules run, and with which parameters.

use super::scratch::{OURS, Said, Scratch, deployment, shop};

fn check(s: &Scratch, flags: &str) -> Said {
    s.run(&format!("check a.yaml --rules rules --format short {flags}"))
}

#[test]
fn select_takes_ids_stems_topics_and_aliases() {
    let s = shop();
    for name in ["ops/replicas", "replicas", "ops"] {
        check(&s, &format!("--select {name}")).ends(1, &["ops/replicas"]).lacks(&["team/owner"]);
    }
    check(&s, "--select OWN001").ends(0, &["team/owner"]).lacks(&["ops/replicas"]);
    // An alias may name several rules.
    check(&s, "--select REP001").ends(1, &["team/owner", "ops/replicas"]);
    check(&s, "--select ops,OWN001").ends(1, &["team/owner", "ops/replicas"]);
    check(&s, "--select ops --select team").ends(1, &["team/owner", "ops/replicas"]);
}

#[test]
fn ignore_wins_over_select() {
    let s = shop();
    check(&s, "--ignore replicas").ends(0, &["team/owner"]).lacks(&["ops/replicas"]);
    check(&s, "--select REP001 --ignore ops").ends(0, &["team/owner"]).lacks(&["ops/replicas"]);
    check(&s, "--ignore REP001").ends(0, &[]).lacks(&["team/owner", "ops/replicas"]);
    check(&s, "--ignore all").ends(4, &[]).complains(&["no rule is left"]);
}

#[test]
fn unknown_names_are_told_with_what_was_meant() {
    let s = shop();
    check(&s, "--select ops/replica").ends(2, &[]).complains(&["\"ops/replica\"", "did you mean \"ops/replicas\"?"]);
    check(&s, "--ignore REP0001").ends(2, &[]).complains(&["did you mean \"REP001\"?"]);
    check(&s, "--select xyzzy").ends(2, &[]).complains(&["\"xyzzy\"", "`plimsoll rules` lists them"]);
    // All of them at once.
    check(&s, "--select aaaa,bbbb").ends(2, &[]).complains(&["\"aaaa\"", "\"bbbb\""]);
}

#[test]
fn a_parameter_changes_what_a_rule_says() {
    let s = shop();
    check(&s, "--select ops --param ops/replicas.least=5").ends(1, &["runs 1 of 5 replicas"]);
    check(&s, "--select ops --param replicas.least=1").ends(0, &[]).lacks(&["ops/replicas"]);
}

#[test]
fn wrong_parameters_are_told_with_what_was_meant() {
    let s = shop();
    for (flag, parts) in [
        ("least=1", &["written as rule.key=value"][..]),
        ("replicas.least", &["written as rule.key=value"]),
        ("replica.least=1", &["no rule is called \"replica\"", "did you mean \"replicas\"?"]),
        ("replicas.lest=1", &["no parameter \"lest\"", "did you mean \"least\"?"]),
        ("replicas.most=1", &["no parameter \"most\"", "it has least"]),
        ("owner.x=1", &["no parameter \"x\"", "it has none"]),
        ("replicas.least=many", &["\"many\" is no number"]),
    ] {
        check(&s, &format!("--param {flag}")).ends(2, &[]).complains(parts);
    }
}

#[test]
fn an_opt_in_rule_runs_only_when_it_is_named() {
    let s = shop();
    let text = s.read("rules/team/owner.rhai").replace("checks:", "opt_in: pedantic\n//! checks:");
    s.write("rules/team/owner.rhai", text);
    check(&s, "").lacks(&["team/owner"]);
    check(&s, "--select team").lacks(&["team/owner"]);
    check(&s, "--select owner").ends(0, &["team/owner"]);
}

#[test]
fn a_production_rule_is_silent_elsewhere() {
    let s = shop();
    let text = s.read("rules/ops/replicas.rhai").replace("checks:", "production_only: true\n//! checks:");
    s.write("rules/ops/replicas.rhai", text);
    check(&s, "--select ops --assume environment=prod").ends(1, &["ops/replicas"]);
    check(&s, "--select ops").ends(1, &["ops/replicas"]);
    check(&s, "--select ops --assume environment=staging").ends(0, &[]).lacks(&["ops/replicas"]);
}

#[test]
fn folders_of_rules_add_up_and_one_that_is_not_there_is_2() {
    let s = shop();
    s.write("more/fine.rhai", s.read("rules/team/owner.rhai").replace("OWN001", "FINE01"));
    let said = s.run("check a.yaml --rules rules --rules more --select ops,team,custom --format short");
    said.ends(1, &["ops/replicas", "team/owner", "custom/fine"]);
    check(&s, "--rules ./rules --select ops").ends(1, &["ops/replicas"]);
    s.run("check a.yaml --rules nowhere --format short").ends(2, &["rules folder \"nowhere\" is not there"]);
}

#[test]
fn a_rule_of_the_same_id_replaces_a_built_in_one_only_on_purpose() {
    let s = shop();
    let own = s.read("rules/team/owner.rhai");
    s.write("own/traffic/host-not-found.rhai", &own);
    let run = || s.run("check a.yaml --rules own --select host-not-found --format short");
    run().ends(2, &["rule \"traffic/host-not-found\" stands twice"]);
    s.write("own/traffic/host-not-found.rhai", own.replace("checks:", "overrides: true\n//! checks:"));
    run().ends(0, &["warning[traffic/host-not-found] \"cart\" has no owner"]);
}

#[test]
fn the_default_namespace_can_be_named() {
    let s = shop();
    s.write("a.yaml", deployment("cart", 1).replace("  namespace: shop\n", ""));
    let namespace = |flags: &str| {
        let report = s.run(&format!("check a.yaml {OURS} --format json {flags}")).json();
        report["findings"][0]["resource"]["namespace"].as_str().unwrap().to_string()
    };
    assert_eq!(namespace(""), "default");
    assert_eq!(namespace("--namespace prod"), "prod");
}
