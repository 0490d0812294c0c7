//! What is read, what is skipped, and what can't be read.

use super::scratch::{OURS, Said, Scratch, deployment, shop};

fn found(said: &Said) -> Vec<String> {
    let line = |l: &&str| l.contains("error[") || l.contains("warning[");
    said.out.lines().filter(line).map(|l| l.split(": ").next().unwrap().to_string()).collect()
}

fn short(s: &Scratch, arguments: &str) -> Said {
    s.run(&format!("check --format short --rules rules --select ops {arguments}"))
}

#[test]
fn standard_input_is_a_dash() {
    let s = shop();
    let said = s.pipe(deployment("cart", 1), &format!("check - {OURS} --format short"));
    said.ends(1, &["<stdin>:7:13: error[ops/replicas]"]);
    s.pipe(deployment("web", 1), &format!("check - a.yaml {OURS} --format short")).ends(1, &["<stdin>:", "a.yaml:"]);
}

#[test]
fn several_paths_and_folders_are_one_input() {
    let s = shop();
    s.write("b/b.yaml", deployment("web", 1));
    s.write(
        "b/c.json",
        r#"{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "j"}, "spec": {"replicas": 0}}"#,
    );
    s.write("b/readme.md", "kind: Deployment");
    assert_eq!(found(&short(&s, "b a.yaml")), ["a.yaml:7:13", "b/b.yaml:7:13", "b/c.json:1:97"]);
}

#[test]
fn a_file_that_is_named_twice_is_read_once() {
    let s = shop();
    assert_eq!(found(&short(&s, "a.yaml ./a.yaml .")), ["a.yaml:7:13"]);
}

#[test]
fn no_path_means_the_current_folder() {
    let s = shop();
    assert_eq!(found(&short(&s, "")), ["a.yaml:7:13"]);
    assert_eq!(short(&s, "").out, short(&s, ".").out);
}

#[test]
fn a_path_that_is_not_there_stops_the_run() {
    let s = shop();
    let said = s.run("check a.yaml nope.yaml gone");
    said.ends(2, &[]).complains(&["no file or folder is called \"nope.yaml\"", "\"gone\""]);
    assert!(said.out.is_empty());
}

#[test]
fn a_broken_file_does_not_hide_the_findings_of_others() {
    let s = shop();
    s.write("broken.yaml", "apiVersion: v1\nkind: Service\nmetadata: {\n");
    s.run(&format!("check . {OURS}")).ends(3, &["error[ops/replicas]", "error[yaml/invalid]", "broken.yaml:"]);
}

#[test]
fn a_broken_document_does_not_hide_its_neighbours() {
    let s = shop();
    let text = deployment("cart", 1);
    s.write("a.yaml", format!("{text}---\nkind: [\n---\n{}", deployment("web", 1)));
    let said = s.run(&format!("check a.yaml {OURS} --format short"));
    said.ends(3, &["\"cart\" runs 1", "\"web\" runs 1", "document can't be read"]);
}

#[test]
fn bytes_that_are_no_text_are_a_finding() {
    let s = shop();
    s.write("latin.yaml", b"kind: Service\nname: caf\xe9\n");
    s.write("wide.yaml", b"\xff\xfek\0i\0n\0d\0:\0");
    let said = s.run(&format!("check . {OURS}"));
    said.ends(3, &["error[ops/replicas]", "not UTF-8: byte 0xe9 at offset 23", "UTF-16 is not read; save it as UTF-8"]);
    let said = s.pipe(b"kind: \xff\n", &format!("check - a.yaml {OURS}"));
    said.ends(3, &["error[ops/replicas]", "[<stdin>]", "not UTF-8"]);
}

#[test]
fn template_text_is_skipped_and_counted() {
    let s = shop();
    s.write("t.yaml", "apiVersion: apps/v1\nkind: Deployment\n{{- if .Values.x }}\nname: {{ .x }}\n{{- end }}\n");
    s.run(&format!("check . {OURS}")).ends(1, &["1 file skipped (-v lists them)"]);
    s.run(&format!("check . {OURS} -v")).ends(1, &["Skipped: t.yaml: a template that has to be rendered first"]);
    s.run("check t.yaml").ends(4, &[]);
}

#[test]
fn the_templates_of_a_chart_are_counted_once() {
    let s = shop();
    s.write("chart/Chart.yaml", "name: chart\n");
    for name in ["a", "b", "c"] {
        s.write(&format!("chart/templates/{name}.yaml"), "apiVersion: apps/v1\nkind: Deployment\nx: {{ y }}\n");
    }
    let said = s.run(&format!("check . {OURS}"));
    said.ends(1, &["raw chart templates; render them: --render, or helm template chart | plimsoll check -"]);
    assert_eq!(said.out.matches("Skipped: chart:").count(), 1, "{said}");
    s.run("check chart").ends(4, &[]);
}

#[test]
fn gitignore_is_honoured_and_a_named_file_is_not_ignored() {
    let s = shop();
    s.write("old.yaml", deployment("old", 1));
    s.write("out/x.yaml", deployment("x", 1));
    s.write(".hidden/x.yaml", deployment("x", 1));
    s.write(".gitignore", "old.yaml\nout/\n");
    assert_eq!(found(&short(&s, ".")), ["a.yaml:7:13"]);
    assert_eq!(found(&short(&s, "old.yaml")), ["old.yaml:7:13"]);
}

#[test]
fn line_ends_and_a_byte_order_mark_move_no_place() {
    let s = shop();
    let text = deployment("cart", 1);
    s.write("a.yaml", text.replace('\n', "\r\n"));
    s.write("b.yaml", format!("\u{feff}{text}"));
    s.write("c.yaml", format!("\u{feff}{}", text.replace('\n', "\r\n")));
    s.write("d.yaml", text.trim_end());
    for name in ["a.yaml", "b.yaml", "c.yaml", "d.yaml"] {
        assert_eq!(found(&short(&s, name)), [format!("{name}:7:13")]);
    }
    let said = s.run(&format!("check a.yaml {OURS}"));
    assert!(!said.out.contains('\r'), "{said:?}");
}

#[test]
fn items_of_a_list_are_resources_of_their_own() {
    let s = shop();
    let item = deployment("cart", 1).replace('\n', "\n    ");
    s.write("a.yaml", format!("apiVersion: v1\nkind: List\nitems:\n  - {}\n", item.trim_end()));
    let report = s.run(&format!("check a.yaml {OURS} --format json")).json();
    assert_eq!(report["findings"][0]["location"]["yamlPath"], "metadata.labels");
    let replicas = report["findings"].as_array().unwrap().iter().find(|f| f["rule"] == "ops/replicas").unwrap();
    assert_eq!(replicas["location"]["yamlPath"], "spec.replicas");
    assert_eq!(replicas["resource"]["name"], "cart");
    assert_eq!(report["summary"]["resources"], 1);
}

#[test]
fn a_key_that_stands_twice_is_found_and_the_last_value_counts() {
    let s = shop();
    s.write("a.yaml", deployment("cart", 1) + "  replicas: 3\n");
    let said = s.run("check a.yaml --rules rules --select ops,duplicate-key --format short");
    said.ends(1, &["a.yaml:8:3: error[yaml/duplicate-key] key \"replicas\" stands twice"]).lacks(&["ops/replicas"]);
}

#[test]
fn a_file_without_kubernetes_is_no_error() {
    let s = shop();
    s.write("values.yaml", "a: [1\nb: 2\n");
    s.run(&format!("check . {OURS} -v")).ends(1, &["Skipped: values.yaml: no YAML that can be read, and no sign"]);
    // A file that the user names is meant.
    s.run(&format!("check values.yaml {OURS}")).ends(3, &["yaml/invalid"]);
}

#[cfg(unix)]
#[test]
fn links_are_skipped_in_folders_and_read_by_name() {
    let s = shop();
    s.write("elsewhere/x.yaml", deployment("x", 1));
    std::fs::create_dir(s.path("in")).unwrap();
    std::os::unix::fs::symlink("../elsewhere/x.yaml", s.path("in/link.yaml")).unwrap();
    s.run(&format!("check in {OURS} -v")).ends(4, &["Skipped: in/link.yaml: symbolic link"]);
    assert_eq!(found(&short(&s, "in/link.yaml")), ["in/link.yaml:7:13"]);
}

#[test]
fn differing_copies_are_one_info_and_not_judged_twice() {
    let s = shop();
    s.write("a-v2.yaml", deployment("cart", 3));
    let said = s.run("check . --rules rules --select ops,alternatives --min-severity info --format short");
    said.ends(1, &["info[input/alternatives] Deployment \"cart\" stands in differing copies"]);
}

/// Text that costs much more than its length, if anything does.
fn bombs() -> Vec<(&'static str, String)> {
    let head = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n";
    let level = |i: usize| vec![format!("*m{}", i - 1); 10].join(", ");
    let aliases: String = (1..30).map(|i| format!("m{i}: &m{i} [{}]\n", level(i))).collect();
    let merges: String = (1..30).map(|i| format!("m{i}: &m{i}\n  <<: [{}]\n  k{i}: v\n", level(i))).collect();
    vec![
        ("brackets", format!("{head}x: {}{}\n", "[".repeat(100_000), "]".repeat(100_000))),
        ("maps", format!("{head}x: {}\n", "{a: ".repeat(100_000))),
        ("blocks", format!("{head}{}", (0..2_000).map(|i| " ".repeat(i) + "x:\n").collect::<String>())),
        ("aliases", format!("{head}m0: &m0 [x, x]\n{aliases}last: *m29\n")),
        ("merges", format!("{head}m0: &m0 {{k: v}}\n{merges}data:\n  <<: *m29\n")),
        ("itself", format!("{head}data: &m\n  a: *m\n  <<: *m\n")),
        ("quotes", format!("{head}x: \"{}\n", "\\".repeat(100_000))),
        ("comments", format!("{head}{}", "# x\n".repeat(50_000))),
        ("documents", "---\n".repeat(20_000) + head),
    ]
}

#[test]
fn hostile_text_ends_without_a_crash() {
    let s = Scratch::new::<&str>(&[]);
    for (name, text) in bombs() {
        s.write(&format!("{name}.yaml"), text);
        let said = s.run(&format!("check {name}.yaml --format short"));
        assert!(matches!(said.status, 0 | 3), "{name}: {said}");
        assert!(!said.err.contains("panicked") && said.out.len() < 10_000, "{name}: {}", said.err);
    }
}

#[test]
fn what_kubectl_refuses_for_its_aliases_is_no_failure_of_a_rule() {
    let s = shop();
    let level = |i: usize| vec![format!("*m{}", i - 1); 10].join(", ");
    let merges: String = (1..30).map(|i| format!("m{i}: &m{i}\n  <<: [{}]\n  k{i}: v\n", level(i))).collect();
    let text = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{ name: cart, namespace: shop }}\nm0: &m0 {{ k: v }}\n{merges}spec:\n  <<: *m29\n  replicas: 1\n"
    );
    s.write("a.yaml", text);
    s.run("check a.yaml --rules rules").ends(3, &["error[yaml/invalid]", "refuses"]).lacks(&["failed"]);
}

#[test]
fn manifests_in_json_and_flow_style_that_break_off_are_3() {
    for text in [
        "{apiVersion: v1, kind: Service, spec: {\n",
        "{\n  \"apiVersion\": \"v1\",\n  \"items\": [\n",
        "\"kind\": Service\na: [\n",
    ] {
        let s = Scratch::new(&[("a.yaml", text)]);
        s.run("check .").ends(3, &["yaml/invalid"]);
    }
    Scratch::new(&[("a.yaml", "{{ a: [\n")]).run("check .").ends(4, &[]);
}

#[test]
fn text_in_utf_16_and_nul_bytes_are_told() {
    let utf_16 = |big: bool| -> Vec<u8> {
        let text = "\u{feff}apiVersion: v1\nkind: Service\n";
        text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    for bytes in [utf_16(false), utf_16(true)] {
        Scratch::new(&[("a.yaml", bytes)]).run("check .").ends(3, &["UTF-16 is not read; save it as UTF-8"]);
    }
    Scratch::new(&[("a.yaml", "kind: Service\napiVersion: v1\0\n")]).run("check .").ends(3, &["yaml/invalid", "␀"]);
}

#[test]
#[cfg(unix)]
fn links_in_a_circle_end() {
    let s = Scratch::new(&[("a/b.yaml", deployment("cart", 2))]);
    std::os::unix::fs::symlink("..", s.path("a/up")).unwrap();
    std::os::unix::fs::symlink("circle.yaml", s.path("a/circle.yaml")).unwrap();
    s.run("check . -v").ends(0, &["1 resource", "symbolic link"]);
    s.run("check a/circle.yaml").ends(3, &["input/unreadable-file"]);
}
