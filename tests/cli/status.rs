//! Exit statuses and which of them wins.

use super::scratch::{OURS, Scratch, deployment, shop};

const BROKEN: &str = "apiVersion: v1\nkind: Service\nmetadata: { name: [\n";

#[test]
fn nothing_wrong_is_0() {
    let s = shop();
    s.write("fine.yaml", deployment("cart", 3));
    s.run(&format!("check fine.yaml {OURS} --ignore owner")).ends(0, &["no errors or warnings in 1 file, 1 resource"]);
}

#[test]
fn an_error_is_1_and_a_warning_is_not() {
    let s = shop();
    s.run(&format!("check a.yaml {OURS}")).ends(1, &["1 error, 1 warning"]);
    s.run(&format!("check a.yaml {OURS} --ignore replicas")).ends(0, &["1 warning"]);
}

#[test]
fn fail_on_moves_the_line() {
    let s = shop();
    let status = |flags: &str| s.run(&format!("check a.yaml {OURS} {flags}")).status;
    assert_eq!(status("--fail-on warning --ignore replicas"), 1);
    assert_eq!(status("--fail-on info --ignore replicas"), 1);
    assert_eq!(status("--fail-on never"), 0);
    assert_eq!(status("--fail-on error --ignore replicas"), 0);
    s.run("check a.yaml --fail-on fatal")
        .ends(2, &[])
        .complains(&["fatal", "possible values: error, warning, info, never"]);
}

#[test]
fn infos_count_for_fail_on_although_they_are_hidden() {
    let s = shop();
    s.write("a.yaml", deployment("cart", 3));
    let said = s.run(&format!("check a.yaml {OURS} --fail-on info"));
    said.ends(1, &["1 info: --min-severity info"]).lacks(&["info["]);
}

#[test]
fn wrong_usage_is_2() {
    let s = shop();
    for arguments in ["", "chekc", "check --nonsense", "check --format xml a.yaml", "check --jobs x a.yaml"] {
        let said = s.run(arguments);
        said.ends(2, &[]);
        assert!(!said.err.is_empty() && said.out.is_empty(), "{arguments}: {said}");
    }
}

#[test]
fn help_and_version_are_0() {
    let s = shop();
    s.run("--help").ends(0, &["Exit status: 0 nothing found", "check", "explain"]);
    s.run("--version").ends(0, &[concat!("plimsoll ", env!("CARGO_PKG_VERSION"))]);
}

#[test]
fn a_document_that_cannot_be_read_is_3() {
    let s = shop();
    s.write("broken.yaml", BROKEN);
    s.run("check broken.yaml").ends(3, &["yaml/invalid"]);
}

#[test]
fn nothing_to_check_is_4() {
    let s = Scratch::new::<&str>(&[]);
    let empty = |arguments: &str| s.run(arguments).complains(&["nothing was checked"]).status;
    assert_eq!(empty("check"), 4);
    s.write("values.yaml", "replicas: 3\n");
    assert_eq!(empty("check ."), 4);
    assert_eq!(empty("check values.yaml"), 4);
    s.write("empty.yaml", "");
    assert_eq!(empty("check empty.yaml"), 4);
    assert_eq!(s.pipe("", "check -").status, 4);
}

#[test]
fn a_rule_error_wins_over_everything() {
    let s = shop();
    s.write("rules/x/bad.rhai", "nonsense");
    s.write("broken.yaml", BROKEN);
    s.run("check a.yaml broken.yaml --rules rules --select ops,team,yaml").ends(2, &["ops/replicas", "yaml/invalid"]);
    s.run("check --rules rules nothing-here").ends(2, &[]);
}

#[test]
fn broken_input_wins_over_findings_and_over_nothing() {
    let s = shop();
    s.write("broken.yaml", BROKEN);
    s.run(&format!("check a.yaml broken.yaml {OURS}")).ends(3, &["ops/replicas", "yaml/invalid"]);
    s.run("check broken.yaml").ends(3, &[]).complains(&["nothing was checked"]);
    s.run(&format!("check a.yaml broken.yaml {OURS} --fail-on never")).ends(3, &[]);
}

#[test]
fn the_status_is_the_same_in_every_format() {
    let s = shop();
    s.write("broken.yaml", BROKEN);
    for format in ["pretty", "short", "json"] {
        assert_eq!(s.run(&format!("check a.yaml {OURS} --format {format}")).status, 1, "{format}");
        assert_eq!(s.run(&format!("check broken.yaml {OURS} --format {format}")).status, 3, "{format}");
        assert_eq!(s.run(&format!("check rules {OURS} --format {format}")).status, 4, "{format}");
        assert_eq!(s.run(&format!("check a.yaml {OURS} -q --format {format}")).status, 1, "{format}");
    }
}
