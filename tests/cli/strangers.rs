//! Rules of strangers: what they may take, and what they must not see.

use super::scratch::{Said, Scratch, deployment};

/// A run of one rule with this code over one Deployment and what else is given.
fn run(code: &str, more: &[(&str, &str)], arguments: &str) -> Said {
    let header = "//! ---\n//! severity: warning\n//! checks: [Deployment, ConfigMap, Secret]\n//! ---\n//! # it\n//!\n//! It hurts.\n";
    let s = Scratch::new(more);
    s.write("a.yaml", deployment("cart", 1));
    s.write("rules/x/it.rhai", format!("{header}\n{code}"));
    s.run(&format!("check . --rules rules --select x {arguments}"))
}

/// 32 KiB of text, and as much in many pieces.
const LONG: &str = "let s = \"x\"; let items = \"x,\"; for i in range(0, 14) { s += s; items += items; } s += s;";

#[test]
fn a_rule_that_takes_too_much_ends_with_an_error_at_its_place() {
    for (body, reason) in [
        // A path of ever more keys that are not there.
        ("let x = d; for i in range(0, 30000) { x = x[\"a\"]; } report(d, \"x\");", "too many values and texts"),
        ("for i in range(0, 30000) { report(d, `${i}`); }", "says too much"),
        ("let f = report(d, \"x\"); for i in range(0, 30000) { f.label(d, \"x\"); }", "says too much"),
        ("let f = report(d, \"x\"); for i in range(0, 30000) { f.help(`${i}`); }", "says too much"),
        ("for i in range(0, 30000) { report(d, s); }", "says too much"),
        (
            "let f = report(d, \"x\"); for i in range(0, 30000) { f.suggest(\"x\", set(d.spec.replicas, i)); }",
            "says too much",
        ),
        ("let f = report(d, \"x\"); for i in range(0, 30000) { f.why(`${i}`); }", "says too much"),
        ("let f = report(d, \"x\"); for i in range(0, 30000) { f.why(s); }", "says too much"),
        // Texts that become keys, defaults and paths.
        ("let b = []; for i in range(0, 30000) { b.push(d[s + i]); } report(d, \"x\");", "too many values and texts"),
        ("for i in range(0, 30000) { d.x.or(s); } report(d, \"x\");", "too many values and texts"),
        ("let x = d[s]; for i in range(0, 30000) { report(x, \"x\"); }", "says too much"),
        ("let f = report(d, \"x\"); let x = d[s]; for i in range(0, 30000) { f.label(x, \"x\"); }", "says too much"),
        ("let c = s[0]; let t = s; t.replace(c, s); report(d, t);", "too many values and texts"),
        // Rhai's own checks come after the text is there.
        ("let t = s; t.replace(\"x\", s); report(d, t);", "too many values and texts"),
        ("items.split(\",\").map(|x| s + x); report(d, \"x\");", "too many values and texts"),
        ("let b = []; for i in range(0, 9) { b.push(items.split(\",\")); }", "too large"),
        ("for i in range(0, 6000000) { }", "five million steps"),
    ] {
        let said = run(&format!("fn check(d, mesh) {{ {LONG} {body} }}"), &[], "--format short");
        said.ends(2, &["rule x/it failed", "rules/x/it.rhai:", reason, "1 problem"]);
        assert!(said.out.len() < 3_000, "{}", said.out.len());
    }
}

#[test]
fn what_a_rule_may_take_is_counted_for_each_resource() {
    let more: String = (0..4).map(|n| format!("---\n{}", deployment(&format!("d{n}"), 1))).collect();
    let code = "fn check(d, mesh) { for i in range(0, 700000) { } for i in range(0, 5000) { report(d, `${i}`); } }";
    run(code, &[("b.yaml", &more)], "--format json").ends(0, &["\"warnings\": 25000", "\"problems\": []"]);
}

#[test]
fn long_names_and_texts_of_manifests_are_no_failure_of_a_rule() {
    let long = format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {}\n", "n".repeat(100_000));
    let code = "fn check(d, mesh) { report(d, `${d.name()} ${d.name()} has ${d.name().text().len()}`); }";
    run(code, &[("b.yaml", &long)], "--format short").ends(0, &["… has 0", "cart cart has 4"]);
}

/// Everything a rule can ask of a value, for every value.
const NOSY: &str = r#"
fn check(d, mesh) { nose(d, d.data); nose(d, d.stringData); nose(d, d.metadata.annotations); nose(d, d.spec.inner.data); }
fn nose(d, map) {
    report(d, `map ${map} ${map.values().join(",")} ${map.keys().join(",")}`);
    for v in map.values() {
        report(v, `${v} ${v.text()} ${v.number()} ${v.text().len()} ${v.path()} ${v.part("hunter")} ${v.part("hunter2").text()}`)
            .label(v, `${v.or("x")} ${v.text().to_upper()}`).suggest("copy it", set(d.metadata.name, v));
        if v == "hunter2" || v.starts_with("hunter") || "hunter2" in map || v.number() == 82734651 || v > 82000000 { report(d, "guessed"); }
        let inner = v.parse();
        report(d, `parsed ${inner} ${inner.data} ${inner.data.values().join(",")} ${inner.data.password}`);
        for item in v.items() { report(item, `item ${item} ${item.text()}`); }
    }
}
"#;

#[test]
fn a_rule_sees_no_secret_wherever_it_stands() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: { name: a }\n";
    let values = "password: hunter2\n  pin: 82734651\n  list: [hunter2, \"hunter2\"]\n  block: |\n    hunter2\n";
    let applied = "metadata: { name: b, annotations: { kubectl.kubernetes.io/last-applied-configuration: '{\"kind\":\"Secret\",\"data\":{\"password\":\"hunter2\",\"pin\":82734651}}' } }";
    let texts = [
        format!("{secret}stringData:\n  {values}"),
        format!("{secret}data: {{ password: hunter2 }}\ndata:\n  {values}"),
        format!(
            "apiVersion: v1\nkind: List\nitems:\n- {}  stringData:\n    password: hunter2\n",
            secret.replace('\n', "\n  ").trim_end_matches(' ')
        ),
        format!("apiVersion: v1\nkind: Secret\n{applied}\ndata:\n  {values}"),
        "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: c }\ndata:\n  x: |\n    kind: Secret\n    data: { password: hunter2 }\nspec: { inner: { kind: Secret, data: { password: hunter2, pin: 82734651 } } }\n"
            .to_string(),
        format!("{secret}data:\n  {values}  - {{\n"),
    ];
    for text in &texts {
        for arguments in
            ["--min-severity info --max-per-rule 0", "--format json", "--format short", "--diff", "--fix=unsafe"]
        {
            let said = run(NOSY, &[("b.yaml", text)], arguments);
            let all = said.to_string();
            assert!(!all.contains("hunter2") && !all.contains("HUNTER2") && !all.contains("82734651"), "{text}\n{all}");
            assert!(!all.contains("guessed") && !all.contains("failed on"), "{text}\n{all}");
        }
    }
}

#[test]
#[cfg(unix)]
fn rule_files_behind_links_are_read_and_folders_behind_links_are_told() {
    use std::os::unix::fs::symlink;
    let s = Scratch::new(&[super::scratch::REPLICAS]);
    s.write("a.yaml", deployment("cart", 1));
    // As Kubernetes mounts a ConfigMap.
    s.write("mounted/..2026_11/replicas.rhai", s.read("rules/ops/replicas.rhai"));
    symlink("..2026_11", s.path("mounted/..data")).unwrap();
    symlink("..data/replicas.rhai", s.path("mounted/replicas.rhai")).unwrap();
    s.run("check a.yaml --rules mounted").ends(1, &["error[custom/replicas]"]);
    symlink("gone.rhai", s.path("mounted/gone.rhai")).unwrap();
    s.run("check a.yaml --rules mounted").ends(2, &["rule file \"mounted/gone.rhai\""]);
    std::fs::create_dir(s.path("linked")).unwrap();
    symlink("../rules/ops", s.path("linked/ops")).unwrap();
    symlink(".", s.path("linked/circle")).unwrap();
    s.run("check a.yaml --rules linked")
        .ends(0, &["warning: rules folder \"linked/ops\" is a link", "--rules linked/ops"]);
}
