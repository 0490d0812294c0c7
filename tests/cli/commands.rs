//! `rules`, `explain` and `test`.

use super::scratch::{OWNER, REPLICAS, Said, Scratch, shop, snapshot};

#[test]
fn rules_is_a_table_of_all_rules() {
    let s = shop();
    let said = s.run("rules --rules rules");
    said.ends(
        0,
        &["traffic/host-not-found ", "ops/replicas ", "too few replicas", "rules in ", "plimsoll explain RULE"],
    );
    let line = said.out.lines().find(|line| line.starts_with("team/owner")).unwrap();
    assert!(line.contains("  warning  nobody owns it"), "{line}");
    s.run("rules").ends(0, &["traffic/host-not-found"]).lacks(&["ops/replicas"]);
}

#[test]
fn rules_as_json_holds_what_a_website_needs() {
    let s = shop();
    let rules = s.run("rules --rules rules --format json").json();
    let rules = rules.as_array().unwrap();
    let rule = |id: &str| rules.iter().find(|rule| rule["id"] == id).unwrap();
    let ours = rule("ops/replicas");
    assert_eq!(ours["title"], "too few replicas");
    assert_eq!(ours["why"], "nobody answers while the only replica restarts");
    assert_eq!((ours["severity"].as_str(), ours["builtIn"].as_bool()), (Some("error"), Some(false)));
    assert_eq!(ours["checks"][0], "Deployment");
    assert_eq!(ours["aka"][0], "REP001");
    assert_eq!(ours["params"][0]["name"], "least");
    assert_eq!(ours["params"][0]["default"], "2");
    assert!(rule("traffic/host-not-found")["reads"].as_array().unwrap().contains(&"Service".into()));
    assert_eq!(rule("yaml/invalid")["native"], true);
}

#[test]
fn rules_tells_of_those_that_cannot_be_used() {
    let s = shop();
    s.write("rules/x/bad.rhai", "nonsense");
    s.run("rules --rules rules").ends(2, &["ops/replicas"]).complains(&["rule has no header", "rules/x/bad.rhai:1:1"]);
}

#[test]
fn explain_shows_the_page_and_what_its_examples_find() {
    let s = shop();
    snapshot("explain", &s.run("explain replicas --rules rules").to_string());
}

#[test]
fn explain_takes_an_id_a_stem_or_an_alias() {
    let s = shop();
    let page = s.run("explain ops/replicas --rules rules").out;
    assert_eq!(s.run("explain replicas --rules rules").out, page);
    s.run("explain OWN001 --rules rules").ends(0, &["team/owner  warning", "nobody owns it"]);
    // Two rules have it.
    s.run("explain REP001 --rules rules")
        .ends(2, &[])
        .complains(&["\"REP001\" means 2 rules", "name one of ops/replicas, team/owner"]);
}

#[test]
fn explain_of_an_unknown_name_says_what_was_meant() {
    let s = shop();
    s.run("explain host-not-fund").ends(2, &[]).complains(&["\"host-not-fund\"", "did you mean \"host-not-found\"?"]);
    s.write("rules/x/broken.rhai", "nonsense");
    s.run("explain broken --rules rules").ends(2, &[]).complains(&["rule has no header"]);
    s.run("explain xyzzy").ends(2, &[]).complains(&["`plimsoll rules` lists them"]);
}

#[test]
fn explain_knows_colours() {
    let s = shop();
    assert!(s.run("explain replicas --rules rules --color always").out.contains('\u{1b}'));
    assert!(!s.run("explain replicas --rules rules --color never").out.contains('\u{1b}'));
}

#[test]
fn built_in_rules_pass_their_tests() {
    let s = shop();
    let said = s.run("test");
    said.ends(0, &["examples passed, 0 failed", "built-in rules"]).lacks(&["FAIL", "ops/replicas"]);
    s.run("test -v").ends(0, &["ok    traffic/host-not-found::bad-1"]);
}

/// Tests a folder that holds one rule, made from [`REPLICAS`].
fn test(change: impl Fn(&str) -> String) -> Said {
    let text = change(REPLICAS.1);
    assert_ne!(text, REPLICAS.1, "the change changes nothing");
    Scratch::new(&[(REPLICAS.0, text)]).run("test rules")
}

#[test]
fn a_rule_that_does_what_its_page_says_passes() {
    let s = Scratch::new(&[REPLICAS]);
    s.run("test rules").ends(0, &["2 examples passed, 0 failed"]);
    s.run("test rules -v").ends(0, &["ok    ops/replicas::bad-1", "ok    ops/replicas::good-1"]);
}

#[test]
fn a_finding_that_does_not_come_is_missing() {
    let said = test(|text| text.replace("finding: runs 1", "finding: runs 0"));
    said.ends(
        1,
        &["FAIL  ops/replicas::bad-1 (rules/ops/replicas.rhai:15)", "Missing on line 5 of example.yaml: \"runs 0\""],
    );
    said.ends(1, &["the message there is: \"cart\" runs 1 of 2 replicas"]);
    test(|text| text.replace("replicas < param", "replicas == param")).ends(1, &["Missing", "Noisy"]);
}

#[test]
fn a_finding_that_nobody_asked_for_is_noisy() {
    let said = test(|text| text.replace("replicas: 2\n", "replicas: 0\n"));
    said.ends(1, &["FAIL  ops/replicas::good-1", "Noisy on line 5 of example.yaml: \"cart\" runs 0 of 2 replicas"]);
}

#[test]
fn a_bad_example_needs_a_marker() {
    test(|text| text.replace("    # finding: runs 1", "")).ends(1, &["marks what it shows with `# finding:"]);
}

#[test]
fn a_page_needs_both_kinds_of_examples() {
    let s = Scratch::new(&[OWNER]);
    let said = s.run("test rules");
    said.ends(1, &["no example under `## Bad`", "no example under `## Good`", "0 examples passed, 2 failed"]);
}

#[test]
fn a_finding_after_an_empty_look_up_has_to_rest_on_it() {
    let body = |rest: &str| {
        format!(
            "fn check(deployment, mesh) {{
    let service = mesh.find(\"Service\", deployment.name(), deployment);
    if service.missing() {{ report(deployment.spec.replicas, `runs 1`){rest}; }}
}}
"
        )
    };
    let change = |rest: &str| {
        let (page, _) = REPLICAS.1.split_once("fn check").unwrap();
        let good = "apiVersion: v1\n//! kind: Service\n//! metadata: { name: cart }\n//! ---\n//! apiVersion: apps/v1";
        let (bad, rest_of_page) = page.split_once("## Good").unwrap();
        let page = format!("{bad}## Good{}", rest_of_page.replace("apiVersion: apps/v1", good));
        let page = page.replace(
            "//! ```yaml\n//! apiVersion: apps/v1",
            "//! ```yaml\n//! # config: { complete: true }\n//! apiVersion: apps/v1",
        );
        page.replace("severity: error", "severity: warning") + &body(rest)
    };
    test(|_| change("")).ends(1, &["came after a look-up that found nothing; say what it rests on with .rests_on(…)"]);
    test(|_| change(".rests_on(service)")).ends(0, &[]);
    // An info may guess.
    test(|_| change(".severity(\"info\")")).ends(0, &[]);
}

#[test]
fn a_misspelt_key_is_noted() {
    let said = test(|text| {
        text.replace("if replicas < param", "if deployment.spec.replcias == 7 { return; }\n    if replicas < param")
    });
    said.ends(0, &["note  ops/replicas: no example has a key \"replcias\"; is it spelt right?"]);
}

#[test]
fn a_rule_that_cannot_stand_rubbish_fails_its_test() {
    let strict = "if !replicas.is_number() { report(deployment.metadata, \"no number\"); }\n    if replicas < param";
    let said = test(|text| text.replace("if replicas < param", strict));
    said.ends(1, &["Noisy with \"rubbish!\" on line 5: no number", "Noisy with \"${X}\""]);
}

#[test]
fn a_fix_that_mends_nothing_fails_its_test() {
    let said = test(|text| text.replace("set(replicas, param(\"least\"))", "set(replicas, 0)"));
    said.ends(1, &["the fix \"set replicas to 2\" does not mend the finding"]);
}

#[test]
fn a_rule_that_fails_in_its_examples_fails_its_test() {
    let said = test(|text| text.replace("\"${deployment.name()}\" runs", "${1 / 0} runs"));
    said.ends(1, &[": rule ops/replicas failed on Deployment default/cart", "Division by zero"]);
}

#[test]
fn an_example_that_says_nonsense_in_its_config_is_told() {
    let said = test(|text| text.replacen("```yaml\n", "```yaml\n//! # config: { tody: 2026-01-01 }\n", 1));
    said.ends(1, &["# config: unknown field `tody`"]);
}

#[test]
fn nothing_to_test_is_2() {
    let s = Scratch::new::<&str>(&[]);
    std::fs::create_dir(s.path("empty")).unwrap();
    s.run("test empty").ends(2, &["0 examples passed"]).complains(&["there is no rule to test here"]);
    s.run("test nowhere").ends(2, &[]).complains(&["rules folder \"nowhere\" is not there"]);
    s.write("bad/x.rhai", "nonsense");
    s.run("test bad").ends(2, &[]).complains(&["rule has no header"]);
}

#[test]
fn eject_copies_rules_that_replace_the_built_in_ones() {
    let s = Scratch::new(&[("a", "")]);
    s.run("eject host-not-found resources my-rules")
        .ends(0, &["my-rules/resources/proxy-partial-annotations.rhai\n", "my-rules/traffic/host-not-found.rhai\n"]);
    let text = s.read("my-rules/traffic/host-not-found.rhai");
    assert!(text.starts_with("//! ---\n//! overrides: true\n//! severity: "), "{text}");
    s.run("test my-rules").ends(0, &[" 0 failed"]);
    let changed = text.replace("severity: error", "severity: info");
    assert_ne!(changed, text);
    s.write("my-rules/traffic/host-not-found.rhai", changed);
    let listed = s.run("rules --rules my-rules").out;
    let own = listed.lines().find(|line| line.starts_with("traffic/host-not-found ")).unwrap();
    assert!(own.contains(" info "), "{own}");
    s.run("eject host-not-found my-rules").ends(2, &[]).complains(&["host-not-found.rhai is there already"]);
    s.run("eject --all all-rules").ends(0, &["all-rules/traffic/subset-not-declared.rhai"]);
    s.run("test all-rules").ends(0, &[" 0 failed"]);
}

#[test]
fn eject_says_what_cannot_be_copied() {
    let s = Scratch::new(&[("a", "")]);
    s.run("eject host-not-fond x").ends(2, &[]).complains(&["did you mean \"host-not-found\"?"]);
    s.run("eject yaml/invalid x").ends(2, &[]).complains(&["is part of plimsoll itself"]);
    s.run("eject x").ends(2, &[]).complains(&["plimsoll eject RULE... DIR"]);
    s.run("eject --all host-not-found x").ends(2, &[]);
    assert!(!s.path("x").exists());
}

#[test]
fn watch_tests_again_when_a_file_changes() {
    use std::io::{BufRead, BufReader};
    let s = Scratch::new(&[("a", "")]);
    s.run("new rule sizes/replicas --into my-rules").ends(0, &[]);
    let mut child = s.command("test my-rules --watch").stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut until = |part: &str| lines.find(|line| line.as_ref().unwrap().contains(part)).is_some();
    assert!(until("2 examples passed, 0 failed") && until("waiting for changes"));
    let text = s.read("my-rules/sizes/replicas.rhai");
    s.write("my-rules/sizes/replicas.rhai", text.replace("default: 2", "default: 0"));
    assert!(until("1 failed"));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn completions_and_the_man_page_know_every_command() {
    let s = Scratch::new(&[("a", "")]);
    for shell in ["bash", "zsh", "fish"] {
        s.run(&format!("completions {shell}")).ends(0, &["clusters", "eject", "show-settings"]);
    }
    s.run("man").ends(0, &[".TH plimsoll 1", "PLIMSOLL CHECK", "PLIMSOLL EJECT", "show\\-settings"]);
}
