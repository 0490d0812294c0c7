//! Reports: pretty, short and JSON, on the terminal and in files.

use super::scratch::{OURS, deployment, shop, snapshot};

#[test]
fn a_pretty_report() {
    let s = shop();
    snapshot("pretty", &s.run(&format!("check a.yaml {OURS} --min-severity info")).to_string());
}

#[test]
fn a_short_report() {
    let s = shop();
    snapshot("short", &s.run(&format!("check a.yaml {OURS} --format short --min-severity info")).to_string());
}

#[test]
fn a_json_report() {
    let s = shop();
    snapshot("json", &s.run(&format!("check a.yaml {OURS} --format json --today 2026-11-22")).to_string());
}

fn keys(value: &serde_json::Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn json_holds_the_keys_of_the_contract_in_order() {
    let s = shop();
    s.write("rules/x/bad.rhai", "nonsense");
    let report = s.run(&format!("check a.yaml {OURS} --format json")).json();
    assert_eq!(keys(&report), ["version", "findings", "problems", "summary", "suppressed"]);
    assert_eq!(report["version"], 1);
    let finding = report["findings"].as_array().unwrap().iter().find(|f| f["rule"] == "ops/replicas").unwrap();
    let contract = [
        "rule",
        "aliases",
        "severity",
        "message",
        "why",
        "resource",
        "location",
        "labels",
        "help",
        "notes",
        "links",
        "fixes",
        "fingerprint",
    ];
    assert_eq!(keys(finding), contract);
    assert_eq!(keys(&finding["resource"]), ["apiVersion", "kind", "namespace", "name"]);
    let location = ["path", "line", "column", "endLine", "endColumn", "start", "end", "yamlPath"];
    assert_eq!(keys(&finding["location"]), location);
    assert_eq!(keys(&finding["labels"][0]), ["message", "location"]);
    assert_eq!(keys(&finding["fixes"][0]), ["title", "safe", "edits"]);
    assert_eq!(keys(&finding["fixes"][0]["edits"][0]), ["path", "start", "end", "text"]);
    assert_eq!(keys(&report["problems"][0]), ["severity", "message", "location"]);
    let summary = [
        "files",
        "documents",
        "resources",
        "rules",
        "judged",
        "errors",
        "warnings",
        "infos",
        "today",
        "suppressed",
        "baselined",
        "unknown",
        "skipped",
    ];
    assert_eq!(keys(&report["summary"]), summary);
}

#[test]
fn json_places_are_bytes_and_code_points_of_the_file() {
    let s = shop();
    let text = deployment("cart", 1).replace("name: cart", "labels: { ü: \"日本\" }\n  name: cart");
    s.write("a.yaml", text.replace("replicas: 1", "ä: \"é\"\n  replicas: 1"));
    let report = s.run("check a.yaml --rules rules --select ops --format json").json();
    let location = &report["findings"][0]["location"];
    let (start, end) = (location["start"].as_u64().unwrap() as usize, location["end"].as_u64().unwrap() as usize);
    assert_eq!(&s.read("a.yaml")[start..end], "1");
    assert_eq!((location["line"].as_u64(), location["column"].as_u64()), (Some(9), Some(13)));
    assert_eq!((location["endLine"].as_u64(), location["endColumn"].as_u64()), (Some(9), Some(14)));
}

#[test]
fn json_of_a_finding_without_resource_or_text_leaves_the_keys_out() {
    let s = shop();
    s.write("b.yaml", b"\xff");
    let report = s.run("check b.yaml --format json").json();
    assert_eq!(keys(&report["findings"][0]["location"]), ["path"]);
    assert!(report["findings"][0].get("resource").is_none());
}

#[test]
fn the_report_depends_neither_on_threads_nor_on_the_order_of_arguments() {
    let s = shop();
    let files: Vec<String> = (0..150).map(|i| format!("m/{}{i}.yaml", ["z", "a", "k"][i % 3])).collect();
    for (i, file) in files.iter().enumerate() {
        let name = format!("w{i}");
        s.write(file, format!("{}---\n{}", deployment(&name, 1), deployment(&format!("{name}b"), i as u32 % 3)));
    }
    let run = |order: &[&str], jobs: usize| {
        let flags = "--rules rules --format json --today 2026-11-22";
        s.run(&format!("check {} {flags} --jobs {jobs}", order.join(" "))).out
    };
    let mut order: Vec<&str> = files.iter().map(String::as_str).collect();
    let first = run(&order, 1);
    assert!(first.matches("\"rule\": \"ops/replicas\"").count() > 150, "{first:.500}");
    order.reverse();
    order.rotate_left(41);
    for (jobs, order) in [(2, &order[..]), (1, &order[..]), (7, &["m"][..])] {
        assert!(run(order, jobs) == first, "--jobs {jobs} reports something else");
    }
}

#[test]
fn a_report_in_a_file_leaves_standard_output_to_the_others() {
    let s = shop();
    let said = s.run(&format!("check a.yaml {OURS} --format json=report.json --format short=out.txt --format short"));
    said.ends(1, &["a.yaml:7:13: error[ops/replicas]"]).lacks(&["\"version\""]);
    let report: serde_json::Value = serde_json::from_str(&s.read("report.json")).unwrap();
    assert_eq!(report["summary"]["errors"], 1);
    assert_eq!(s.read("out.txt"), said.out);
    // A report replaces an older one.
    s.run(&format!("check a.yaml {OURS} --ignore replicas --format json=report.json")).ends(0, &[]);
    assert!(!s.read("report.json").contains("ops/replicas"));
}

#[test]
fn a_report_in_a_file_has_no_colours() {
    let s = shop();
    s.run(&format!("check a.yaml {OURS} --color always --format pretty=out.txt")).ends(1, &[]);
    assert!(!s.read("out.txt").contains('\u{1b}'));
}

#[test]
fn a_report_that_cannot_be_written_is_2() {
    let s = shop();
    let said = s.run(&format!("check a.yaml {OURS} --format json=no/such/folder.json"));
    said.ends(2, &[]).complains(&["no/such/folder.json"]);
}

#[test]
fn an_unknown_format_is_named_with_what_was_meant() {
    let s = shop();
    s.run("check a.yaml --format jsno").ends(2, &[]).complains(&["jsno", "did you mean \"json\"?"]);
}

#[test]
fn statistics_count_by_rule() {
    let s = shop();
    s.write("b.yaml", deployment("web", 1) + "---\n" + &deployment("api", 5));
    let said = s.run(&format!("check . {OURS} --statistics"));
    said.ends(1, &[" 3  warning  team/owner\n 2  error    ops/replicas\n"]).lacks(&["asked for here"]);
    let short = s.run(&format!("check . {OURS} --statistics --format short"));
    short.ends(1, &[" 3  warning  team/owner\n 2  error    ops/replicas\n"]);
}

#[test]
fn quiet_leaves_out_the_summary() {
    let s = shop();
    let said = s.run(&format!("check a.yaml {OURS} -q"));
    said.ends(1, &["error[ops/replicas]"]).lacks(&["Judged:", " in 1 file"]);
    s.write("fine.yaml", deployment("cart", 5));
    let said = s.run("check fine.yaml --rules rules --select ops -q");
    assert_eq!((said.status, said.out.as_str(), said.err.as_str()), (0, "", ""));
}

#[test]
fn verbose_lists_what_was_skipped() {
    let s = shop();
    s.write("values.yaml", "a: 1\n");
    s.run(&format!("check . {OURS}")).ends(1, &["1 file skipped (-v lists them)"]).lacks(&["values.yaml"]);
    s.run(&format!("check . {OURS} -v")).ends(1, &["Skipped: values.yaml: no Kubernetes resource"]);
}

#[test]
fn min_severity_hides_and_shows_but_json_has_all() {
    let s = shop();
    let run = |flags: &str| s.run(&format!("check a.yaml {OURS} {flags}"));
    run("").ends(1, &["error[ops", "warning[team"]).lacks(&["info[team"]);
    run("--min-severity info").ends(1, &["error[ops", "warning[team", "info[team"]);
    run("--min-severity error")
        .ends(1, &["error[ops", "(1 warning, 1 info: --min-severity info)"])
        .lacks(&["warning[team"]);
    let report = run("--min-severity error --format json").json();
    assert_eq!(report["findings"].as_array().unwrap().len(), 3);
    run("--min-severity grave").ends(2, &[]);
}

#[test]
fn max_per_rule_folds_what_people_see_and_nothing_else() {
    let s = shop();
    let text: String = (0..30).map(|i| format!("{}---\n", deployment(&format!("w{i}"), 1))).collect();
    s.write("a.yaml", text);
    let run = |flags: &str| s.run(&format!("check a.yaml --rules rules --select ops {flags}"));
    run("").ends(1, &["\nand 10 more of ops/replicas\n", "30 errors in 1 file"]);
    run("--max-per-rule 1").ends(1, &["\nand 29 more of ops/replicas\n", "30 errors"]);
    run("--max-per-rule 0").ends(1, &["\"w29\" runs"]).lacks(&["more of"]);
    run("--max-per-rule 1 --format short").ends(1, &["\"w29\" runs"]).lacks(&["more of"]);
    assert_eq!(run("--max-per-rule 1 --format json").json()["findings"].as_array().unwrap().len(), 30);
}

#[test]
fn names_that_a_ci_runner_or_a_terminal_would_obey() {
    let name = "\\u202e\\U000E0041 ##vso[task.x] aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ::error::owned";
    let s = shop();
    s.write("::a.yaml", deployment("cart", 1).replace("name: cart", &format!("name: \"{name}\"")));
    for format in ["pretty", "short", "json"] {
        let said = s.run(&format!("check ::a.yaml {OURS} --format {format} --min-severity info"));
        let text = said.out + &said.err;
        assert!(text.contains("error::owned"), "{text}");
        assert!(!text.contains("##vso[") && !text.contains(['\u{202e}', '\u{e0041}']), "{text}");
        assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{text}");
    }
    let finding = s.run(&format!("check ::a.yaml {OURS} --format json")).json()["findings"][0].clone();
    assert!(finding["resource"]["name"].as_str().unwrap().contains("\u{202e}\u{e0041} ##vso["), "{finding}");
}

#[test]
fn titles_of_strangers_rules_are_harmless_in_json() {
    let s = shop();
    let rule = s.read("rules/ops/replicas.rhai").replacen("//! # ", "//! # \u{202e}\u{200b}", 1);
    s.write("rules/ops/replicas.rhai", rule);
    let said = s.run("rules --rules rules --format json");
    assert!(!said.out.contains(['\u{202e}', '\u{200b}']), "{}", said.out);
    assert!(said.json().as_array().unwrap().iter().any(|r| r["title"].as_str().unwrap().starts_with('\u{202e}')));
}
