//! Comments, annotations and entries of the configuration that switch findings off.

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
fn json_lists_what_is_suppressed_and_why() {
    let s = with("ignore[ops] until 2999-01-31: small");
    let report = s.run("check a.yaml --rules rules --select ops --format json").json();
    assert_eq!(report["summary"]["suppressed"], 1);
    assert_eq!(report["findings"].as_array().unwrap().len(), 0);
    let suppressed = &report["suppressed"][0];
    assert_eq!((&suppressed["rule"], &suppressed["location"]["line"]), (&"ops/replicas".into(), &7.into()));
    let said = ["by", "reason", "until"].map(|key| suppressed[key].as_str().unwrap());
    assert_eq!(said, ["comment", "small", "2999-01-31"]);
}

#[test]
fn an_ordinary_comment_that_mentions_plimsoll_is_none() {
    let s = with("x").read("a.yaml").replace("# plimsoll: x", "# see plimsoll: ignore[ops]: x");
    let scratch = shop();
    scratch.write("a.yaml", s);
    check(&scratch, "").ends(1, &["ops/replicas"]).lacks(&["suppression/"]);
}

#[test]
fn the_summary_lists_what_is_suppressed() {
    let s = with("ignore[ops] until 2999-01-31: small");
    let listed = "Suppressed: a.yaml:7:13: ops/replicas (comment until 2999-01-31): small";
    check(&s, "-v").ends(0, &[listed]);
    s.run("check a.yaml --rules rules -v").ends(0, &[" 1 finding suppressed", listed]);
    s.run("check a.yaml --rules rules").ends(0, &[" 1 finding suppressed"]).lacks(&["Suppressed:"]);
}

#[test]
fn a_comment_at_the_top_covers_the_file() {
    let s = shop();
    let text = format!("{}---\n{}", deployment("cart", 1), deployment("web", 1));
    s.write("a.yaml", format!("# plimsoll: ignore-file[ops]: small\n{text}"));
    check(&s, "").ends(0, &["2 findings suppressed"]).lacks(&["ops/replicas", "suppression/"]);
    s.write("a.yaml", text.replace("---\n", "---\n# plimsoll: ignore-file[ops]: small\n"));
    check(&s, "").ends(1, &["this comment stands below the file's first key"]).lacks(&["suppressed"]);
}

#[test]
fn an_annotation_survives_rendering() {
    let s = shop();
    let rendered = |annotation: &str| {
        let annotations = format!("namespace: shop\n  annotations: {{ ignore.plimsoll.dev/{annotation} }}");
        format!("---\n# Source: shop/a.yaml\n{}", deployment("cart", 1).replace("namespace: shop", &annotations))
    };
    let said =
        |annotation: &str| s.pipe(rendered(annotation), "check - --rules rules --format short --today 2026-11-22");
    for name in ["replicas", "ops", "REP001"] {
        said(&format!("{name}: small")).ends(0, &[" suppressed"]).lacks(&["suppression/"]);
    }
    said("ops: 'until 2026-11-22: small'").ends(0, &["1 finding suppressed"]);
    said("ops: 'until 2026-11-21: small'").ends(1, &["this annotation has run out on 2026-11-21"]);
    said("ops: ''").ends(1, &["annotation gives no reason"]);
    said("opss: small").ends(1, &["no rule, topic or alias is called \"opss\""]);
    said("traffic: small").ends(1, &["nothing is left to ignore here for \"traffic\""]);
    let label =
        deployment("cart", 1).replace("  name: cart", "  name: cart\n  labels: { ignore.plimsoll.dev/ops: small }");
    s.pipe(label, "check - --rules rules").ends(1, &["stands where Kubernetes keeps no annotations"]);
}

/// A configuration with one entry.
fn configured(entry: &str) -> Scratch {
    let s = shop();
    s.write("plimsoll.yaml", format!("rules: [rules]\nignore:\n- {entry}\n"));
    s
}

#[test]
fn an_entry_of_the_configuration_covers_resources_and_paths() {
    for place in ["resources: [Deployment/shop/cart]", "resources: [\"Deployment/*/c*\"]", "paths: [\"*.yaml\"]"] {
        let s = configured(&format!("{{ rules: [ops], {place}, reason: small, until: 2999-01-31 }}"));
        let said = s.run("check . --format short -v");
        said.ends(0, &["1 finding suppressed", "1 file, 1 resource"]).lacks(&["suppression/", "plimsoll.yaml: no"]);
        assert_eq!(s.run("check . --format json").json()["suppressed"][0]["by"], "configuration");
        s.run("check . --show-settings").ends(0, &["ignore:\n- rules: [\"ops\"]\n", "  reason: \"small\"\n"]);
        s.run("check . --show-files").ends(0, &["a.yaml"]).lacks(&["plimsoll.yaml"]);
    }
    let s = configured("{ rules: [ops], resources: [Deployment/shop/web], reason: small }");
    s.run("check .").ends(1, &["ops/replicas", "[plimsoll.yaml:3:13]", "nothing is left to ignore here for \"ops\""]);
    // On a part of the files nobody can tell.
    s.run("check a.yaml").ends(1, &["ops/replicas"]).lacks(&["suppression/"]);
    s.run("check . --fix").ends(0, &["team/owner"]).lacks(&["suppression/"]).complains(&["2 fixes applied in 2 files"]);
    assert_eq!(s.read("plimsoll.yaml"), "rules: [rules]\nignore: []\n");
}

#[test]
fn an_entry_that_can_not_be_used_is_told() {
    for (entry, status, part) in [
        ("{ rules: [opss], paths: [.], reason: r }", 1, "did you mean \"ops\"?"),
        ("{ rules: [ops], paths: [.], reason: r, until: 2020-01-31 }", 1, "this entry has run out on 2020-01-31"),
        ("{ rules: [ops], paths: [.] }", 2, "missing field `reason`"),
        ("{ rules: [ops], paths: [.], reason: ' ' }", 2, "entry gives no reason"),
        ("{ rules: [], paths: [.], reason: r }", 2, "entry names no rule"),
        ("{ rules: [ops], reason: r }", 2, "entry names neither resources nor paths"),
        ("{ rules: [ops], resources: [Deployment/cart], reason: r }", 2, "Deployment has a namespace"),
        ("{ rules: [ops], paths: ['['], reason: r }", 2, "pattern can't be used"),
        ("{ rules: [ops], paths: [.], reason: r, until: soon }", 2, "\"soon\" is no date such as 2027-01-31"),
        ("{ rules: [ops], path: [.], reason: r }", 2, "did you mean \"paths\"?"),
    ] {
        let said = configured(entry).run("check .");
        assert_eq!(said.status, status, "{entry}: {said}");
        assert!((said.out.clone() + &said.err).contains(part), "{entry}: {said}");
    }
}

#[test]
fn no_suppress_shows_everything() {
    let s = configured("{ rules: [ops], paths: [.], reason: r }");
    s.write("b.yaml", with("ignore[ops, traffic]: small").read("a.yaml").replace("name: cart", "name: web"));
    s.write("c.yaml", deployment("pay", 1).replace("namespace: shop", "annotations: {ignore.plimsoll.dev/ops: r}"));
    s.run("check . --format short").ends(0, &["3 findings suppressed"]);
    let said = s.run("check . --no-suppress --format short");
    said.ends(1, &["3 errors", "3 files"]).lacks(&["suppress", "baseline"]);
}

#[test]
fn suppressions_do_not_hide_themselves() {
    let s = shop();
    s.write("a.yaml", format!("# plimsoll: ignore-file[suppression, traffic]: r\n{}", deployment("cart", 3)));
    check(&s, "").ends(0, &["nothing is left to ignore here for \"suppression\", \"traffic\""]);
}

/// Both rules in two files, one of them with Windows line ends.
fn two_files() -> Scratch {
    let s = shop();
    let other = format!(
        "# top\n\n{}---\n{{kind: Deployment, apiVersion: apps/v1, metadata: {{name: flow}}, spec: {{replicas: 1}}}}\n",
        deployment("web", 1)
    );
    s.write("b.yaml", other.replace('\n', "\r\n"));
    s
}

#[test]
fn add_ignore_writes_comments_above_what_is_found() {
    let s = two_files();
    let shown = s.run("check . --rules rules --today 2026-11-22 --add-ignore --diff");
    assert_eq!((shown.status, s.read("a.yaml")), (1, deployment("cart", 1)));
    super::scratch::snapshot("add-ignore", &shown.to_string());
    let before = [s.read("a.yaml"), s.read("b.yaml")];
    let said = s.run("check . --rules rules --today 2026-11-22 --add-ignore --format short");
    said.ends(0, &["no errors or warnings", "9 findings suppressed"]).complains(&["comments added in 2 files"]);
    let after = [s.read("a.yaml"), s.read("b.yaml")];
    for (before, after) in before.iter().zip(&after) {
        let kept: String = after.split_inclusive('\n').filter(|line| !line.contains("# plimsoll:")).collect();
        assert_eq!(kept, *before);
    }
    assert!(after[1].lines().count() > 0 && after[1].matches('\n').count() == after[1].matches("\r\n").count());
    s.run("check . --rules rules").ends(0, &["9 findings suppressed"]).lacks(&["suppression/"]);
    s.run("check . --rules rules --add-ignore").complains(&["0 comments added in 0 files"]);
    assert_eq!([s.read("a.yaml"), s.read("b.yaml")], after);
}

#[test]
fn add_ignore_takes_a_reason_and_a_severity() {
    let s = shop();
    let mut command = s.command("check . --rules rules --min-severity error");
    let said = super::scratch::said(command.arg("--add-ignore=agreed with ops"), b"");
    said.ends(0, &["1 warning"]);
    let text =
        deployment("cart", 1).replace("  replicas", "  # plimsoll: ignore[replicas]: agreed with ops\n  replicas");
    assert_eq!(s.read("a.yaml"), text);
    let mut command = s.command("check . --rules rules");
    super::scratch::said(command.arg("--add-ignore=two\nlines"), b"").ends(2, &[]).complains(&["is one line"]);
    s.run("check . --add-ignore --fix").ends(2, &[]).complains(&["cannot be used with"]);
}

#[test]
fn add_ignore_leaves_what_takes_no_comment() {
    let s = shop();
    let json = r#"{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "j"}, "spec": {"replicas": 1}}"#;
    s.write("a.json", json);
    s.write("a.yaml", format!("# Source: x/a.yaml\n{}", deployment("cart", 1)));
    let said = s.run("check . --rules rules --add-ignore");
    said.ends(1, &["2 errors", "ops/replicas"]).complains(&["takes no comment, generated or JSON: a.json, a.yaml"]);
    assert_eq!(s.read("a.json"), json);
}
