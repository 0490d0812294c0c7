//! `plimsoll baseline`, and how `check` takes it.

use super::scratch::{Scratch, deployment, git, shop};

const NAME: &str = "plimsoll-baseline.json";

/// A repository with the two rules and two Deployments, and a baseline of what is found in them.
fn listed() -> Scratch {
    let s = shop();
    s.write("plimsoll.yaml", "rules: [rules]\n");
    s.write("b/b.yaml", deployment("web", 1));
    s.run("baseline").ends(0, &["plimsoll-baseline.json: 6 findings"]);
    s
}

#[test]
fn what_is_in_the_baseline_is_counted_and_not_shown() {
    let s = listed();
    let said = s.run("check .");
    said.ends(0, &["no errors or warnings", "6 findings in the baseline", "2 files"]).lacks(&["ops/", "infos"]);
    let report = s.run("check . --format json").json();
    assert_eq!((&report["summary"]["baselined"], &report["summary"]["suppressed"]), (&6.into(), &0.into()));
    s.write("a.yaml", format!("# moved\n\n{}", deployment("cart", 1)));
    s.run("check .").ends(0, &["6 findings in the baseline"]);
    s.write("c.yaml", deployment("pay", 1));
    s.run("check .").ends(1, &["\"pay\" runs", "6 findings in the baseline"]).lacks(&["\"cart\" runs"]);
    s.run("check . --no-baseline").ends(1, &["3 errors"]).lacks(&["baseline"]);
    s.run("check . --no-suppress").ends(1, &["3 errors"]).lacks(&["baseline"]);
}

#[test]
fn a_baseline_has_one_sorted_line_for_each_finding() {
    let s = listed();
    let text = s.read(NAME);
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("\"rule\"")).collect();
    assert_eq!(lines.len(), 6);
    assert!(lines.is_sorted(), "{text}");
    assert!(text.contains(
        "{\"rule\":\"ops/replicas\",\"path\":\"b/b.yaml\",\"resource\":\"Deployment/shop/web\",\"message\":"
    ));
    s.run("baseline").ends(0, &["6 findings"]);
    assert_eq!(s.read(NAME), text, "nothing changes");
    s.run("baseline -j 1 b a.yaml --output other.json").ends(0, &["other.json: 6 findings"]);
    assert_eq!(s.read("other.json").replace("\"a.yaml\", \"b\"", ""), s.read("other.json"));
    let findings = |text: &str| text.lines().filter(|l| l.contains("\"rule\"")).map(str::to_string).collect::<Vec<_>>();
    assert_eq!(findings(&s.read("other.json")), findings(&text));
}

#[test]
fn what_matches_nothing_any_more_is_told_and_pruned() {
    let s = listed();
    s.write("a.yaml", deployment("cart", 2));
    let told = "an entry of the baseline matches nothing any more";
    s.run("check .").ends(0, &[told, "plimsoll-baseline.json:", "remove them: plimsoll baseline --prune"]);
    // In a run on a part of the files, or with a part of the rules, nobody can tell.
    s.run("check a.yaml").lacks(&[told]);
    s.run("check b").lacks(&[told]);
    s.run("check . --ignore team").lacks(&[told]);
    let before = s.read(NAME);
    s.run("baseline --prune b").ends(2, &[]).complains(&["this run reads less than the baseline speaks of"]);
    s.run("baseline --prune --select ops").ends(2, &[]).complains(&["this run reads less"]);
    assert_eq!(s.read(NAME), before);
    s.write("c.yaml", deployment("pay", 1));
    s.run("baseline --prune").ends(0, &["1 finding removed, 5 left"]);
    s.run("check .").ends(1, &["\"pay\" runs", "5 findings in the baseline"]).lacks(&[told]);
    s.run("baseline --prune").ends(0, &["0 findings removed, 5 left"]);
    // A file that is gone was read as far as anybody can.
    std::fs::remove_file(s.path("b/b.yaml")).unwrap();
    s.run("check .").ends(1, &["3 entries of the baseline match nothing any more"]);
}

#[test]
fn a_baseline_lies_where_it_is_said() {
    let s = listed();
    let text = s.read(NAME);
    std::fs::remove_file(s.path(NAME)).unwrap();
    s.write("ci/known.json", text.replace("\".\"", "\"..\"").replace("a.yaml", "../a.yaml"));
    s.run("check .").ends(1, &["2 errors"]);
    s.run("check . --baseline ci/known.json").ends(0, &["6 findings in the baseline"]);
    s.write("plimsoll.yaml", "rules: [rules]\nbaseline: ci/known.json\n");
    s.run("check .").ends(0, &["6 findings in the baseline"]).lacks(&["suppression/"]);
    s.run("check . --show-settings").ends(0, &["baseline: \"ci/known.json\""]);
    s.run("check . --show-files").ends(0, &["b/b.yaml"]).lacks(&["known.json"]);
    s.run("baseline").ends(0, &["ci/known.json: 6 findings"]);
    s.run("check . --baseline none.json").ends(2, &[]).complains(&["baseline \"none.json\" can't be read"]);
    s.write("plimsoll.yaml", "rules: [rules]\nbaseline: ../known.json\n");
    s.run("check .").ends(2, &[]).complains(&["leads out of the configuration's folder"]);
    // Without a configuration: in the repository's root.
    let s = shop();
    std::fs::create_dir(s.path(".git")).unwrap();
    s.write("x/a.yaml", deployment("cart", 1));
    s.run("baseline x --rules rules").ends(0, &["plimsoll-baseline.json: 3 findings"]);
    s.run("check x --rules rules").ends(0, &["3 findings in the baseline"]);
    assert!(s.path(NAME).is_file());
}

#[test]
fn a_baseline_that_can_not_be_read_is_refused() {
    let s = listed();
    let text = s.read(NAME);
    for (wrong, part) in [
        (text.replace("\"version\": 1", "\"version\": 2"), "baseline is of version 2, and only version 1 is read"),
        (text.replace("\"paths\"", "\"path\""), "unknown field `path`"),
        (format!("<<<<<<< HEAD\n{text}"), "baseline can't be read: expected value"),
        ("[]".to_string(), "baseline names no version"),
    ] {
        s.write(NAME, &wrong);
        let said = s.run("check .");
        said.ends(2, &[]).complains(&[part.split(": ").last().unwrap(), "plimsoll-baseline.json:"]);
        s.run("baseline --prune").ends(2, &[]);
        assert_eq!(s.read(NAME), wrong);
        s.run("baseline").ends(0, &["6 findings"]);
    }
}

#[test]
fn what_is_suppressed_or_can_not_be_is_not_listed() {
    let s = shop();
    let text = deployment("cart", 1).replace("replicas: 1", "replicas: 1 # plimsoll: ignore[ops, traffic]: small");
    s.write("a.yaml", text);
    s.run("baseline --rules rules").ends(0, &["2 findings"]);
    assert!(!s.read(NAME).contains("ops/replicas") && !s.read(NAME).contains("suppression/"), "{}", s.read(NAME));
    s.run("check . --rules rules").ends(0, &["1 finding suppressed, 2 in the baseline", "suppression/unused"]);
}

#[test]
fn a_baseline_is_written_as_a_whole_or_not_at_all() {
    let s = listed();
    s.run("baseline --output none/x.json").ends(2, &[]).complains(&["its folder is not there"]);
    s.write("rules/x/bad.rhai", "nonsense");
    let before = s.read(NAME);
    s.run("baseline").ends(2, &[]);
    s.run("baseline --prune").ends(2, &[]);
    assert_eq!(s.read(NAME), before);
    s.run("baseline --since HEAD").ends(2, &[]).complains(&["has no meaning for a baseline"]);
}

#[test]
fn standard_input_has_a_baseline_too() {
    let s = shop();
    s.pipe(deployment("cart", 1), "baseline - --rules rules").ends(0, &["3 findings"]);
    s.pipe(deployment("cart", 1), "check - --rules rules").ends(0, &["3 findings in the baseline"]);
    s.pipe(deployment("cart", 2), "check - --rules rules").ends(0, &["an entry of the baseline matches nothing"]);
}

#[test]
fn no_secret_reaches_the_baseline() {
    let s = Scratch::new(&[(
        "a.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {key: sesame, key: sesame}\n",
    )]);
    s.run("baseline").ends(0, &["1 finding"]);
    assert!(!s.read(NAME).contains("sesame"), "{}", s.read(NAME));
}

#[test]
fn a_change_can_not_list_its_own_findings_when_the_base_is_asked() {
    let s = shop();
    s.write("plimsoll.yaml", "rules: [rules]\n");
    git(&s, "init -q -b main");
    git(&s, "add -A");
    git(&s, "commit -q -m base");
    s.run("baseline").ends(0, &["3 findings"]);
    s.run("check").ends(0, &["3 findings in the baseline"]);
    s.run("check --config-from main").ends(1, &["\"cart\" runs"]).lacks(&["baseline"]);
    git(&s, "add -A");
    git(&s, "commit -q -m listed");
    s.write(NAME, "{\"version\": 1, \"paths\": [], \"findings\": {}}");
    s.write("a.yaml", deployment("cart", 2));
    s.run("check --config-from main").ends(
        0,
        &["an entry of the baseline matches nothing", "plimsoll-baseline.json of the revision", "2 findings in the"],
    );
    // Nor without a configuration.
    s.write("x/a.yaml", deployment("web", 1));
    std::fs::remove_file(s.path("plimsoll.yaml")).unwrap();
    git(&s, "add -A");
    git(&s, "commit -q -m bare");
    s.run("baseline --rules rules").ends(0, &["findings"]);
    s.run("check --rules rules --config-from main").ends(1, &["\"web\" runs"]).lacks(&["in the baseline"]);
    s.run("check --rules rules --since HEAD").ends(0, &["in the baseline"]).lacks(&["\"web\" runs"]);
}
