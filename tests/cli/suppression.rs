//! Comments that switch findings off.

use super::scratch::{Said, Scratch, deployment, shop};

fn with(comment: &str) -> Scratch {
    let s = shop();
    s.write("a.yaml", deployment("cart", 1).replace("replicas: 1", &format!("replicas: 1 # plimsoll: {comment}")));
    s
}

fn check(s: &Scratch, flags: &str) -> Said {
    // Every rule runs: only then can a comment be called unused.
    s.run(&format!("check a.yaml --rules rules --format short --today 2026-11-22 {flags}"))
}

#[test]
fn a_comment_names_rules_by_id_stem_topic_or_alias() {
    for name in ["ops/replicas", "replicas", "ops", "REP001"] {
        let said = check(&with(&format!("ignore[{name}]: small")), "");
        said.ends(0, &["1 finding suppressed"]).lacks(&["ops/replicas", "suppression/"]);
    }
}

#[test]
fn a_comment_covers_what_stands_below_its_key() {
    let s = shop();
    let text = deployment("cart", 1);
    s.write("a.yaml", text.replace("spec:", "# plimsoll: ignore[ops]: small\nspec:"));
    check(&s, "").ends(0, &["1 finding suppressed"]).lacks(&["ops/replicas"]);
    s.write("a.yaml", format!("# plimsoll: ignore[ops]: small\n{text}---\n{}", deployment("web", 1)));
    check(&s, "").ends(1, &["1 finding suppressed", "\"web\" runs"]).lacks(&["\"cart\" runs"]);
    s.write("a.yaml", text.replace("metadata:", "# plimsoll: ignore[ops]: small\nmetadata:"));
    check(&s, "").ends(1, &["\"cart\" runs", "suppression/unused"]);
}

#[test]
fn an_unused_comment_is_told_when_every_rule_ran() {
    let s = with("ignore[ops]: small");
    s.write("a.yaml", s.read("a.yaml").replace("replicas: 1", "replicas: 3"));
    let told = "a.yaml:7:34: warning[suppression/unused] nothing is left to ignore here for \"ops\"";
    check(&s, "").ends(0, &[told]);
    check(&s, "--select team,suppression").lacks(&["suppression/unused"]);
    check(&s, "--ignore owner").lacks(&["suppression/unused"]);
}

#[test]
fn only_the_idle_name_of_a_comment_is_told() {
    let s = with("ignore[ops, host-not-found]: small");
    let said = check(&s, "");
    said.ends(0, &["nothing is left to ignore here for \"host-not-found\"", "1 finding suppressed"])
        .lacks(&["for \"ops\""]);
}

#[test]
fn a_malformed_comment_suppresses_nothing_and_is_told() {
    for (comment, part) in [
        ("ignore", "\"ignore\" names no rule"),
        ("ignore[]: x", "\"ignore\" names no rule"),
        ("ignore[ops]", "comment gives no reason"),
        ("ignore[ops]:", "comment gives no reason"),
        ("ignore[ops: x", "the list of rules has no \"]\""),
        ("ignore[ops] until soon: x", "\"soon\" is no date such as 2027-01-31"),
        ("ignore[ops] until 2026-13-01: x", "is no date"),
        ("ignore[ops] forever: x", "\"forever\" is not understood"),
        ("allow[ops]: x", "comment says \"allow\", only \"ignore\" is known"),
        ("", "comment says nothing that plimsoll knows"),
        ("ignore[opss]: x", "no rule, topic or alias is called \"opss\""),
    ] {
        let said = check(&with(comment), "");
        said.ends(1, &["ops/replicas", "warning[suppression/malformed]", part]);
    }
}

#[test]
fn a_misspelt_name_gets_a_suggestion() {
    let s = with("ignore[replica]: small");
    s.run("check a.yaml --rules rules").ends(1, &["did you mean \"replicas\"?"]);
    s.run("check a.yaml --rules rules --ignore ops,team --fix=unsafe");
    assert!(s.read("a.yaml").contains("ignore[replicas]: small"), "{}", s.read("a.yaml"));
}

#[test]
fn a_comment_runs_out_after_its_last_day() {
    let s = with("ignore[ops] until 2026-11-22: until the move");
    check(&s, "").ends(0, &["1 finding suppressed"]).lacks(&["suppression/"]);
    let said = s.run("check a.yaml --rules rules --format short --today 2026-11-23");
    said.ends(1, &["ops/replicas", "warning[suppression/malformed] this comment has run out on 2026-11-22"]);
}

#[test]
fn json_counts_what_is_suppressed_and_does_not_list_it() {
    let s = with("ignore[ops]: small");
    let report = s.run("check a.yaml --rules rules --select ops --format json").json();
    assert_eq!(report["summary"]["suppressed"], 1);
    assert_eq!(report["findings"].as_array().unwrap().len(), 0);
}

#[test]
fn an_ordinary_comment_that_mentions_plimsoll_is_none() {
    let s = with("x").read("a.yaml").replace("# plimsoll: x", "# see plimsoll: ignore[ops]: x");
    let scratch = shop();
    scratch.write("a.yaml", s);
    check(&scratch, "").ends(1, &["ops/replicas"]).lacks(&["suppression/"]);
}
