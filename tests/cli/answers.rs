//! What words of the rule language answer, asked by rules.

use super::scratch::{Said, Scratch, deployment};

const HEAD: &str = "//! ---
//! severity: error
//! checks: Deployment
//! ---
//! # title
//!
//! Why.

";

const BUDGET: &str = "---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: budget, namespace: shop }
spec:
  selector: { matchLabels: { app: web } }
";

/// Asks by that code about the Deployment `cart` of the namespace `shop` and what else is there.
fn asked(code: &str, also: &str, flags: &str) -> Said {
    let s = Scratch::new::<&str>(&[]);
    s.write("rules/own/asks.rhai", format!("{HEAD}fn check(d, mesh) {{\n{code}\n}}\n"));
    let pods = "  template: { metadata: { labels: { app: cart } }, spec: { containers: [{ name: a, ports: [{ containerPort: 8080 }] }] } }\n";
    s.write("a.yaml", deployment("cart", 1) + pods + also);
    s.run(&format!("check a.yaml --rules rules --select own --format short {flags}"))
}

/// What it reports about the Deployment.
#[track_caller]
fn says(code: &str, also: &str, text: &str) {
    asked(&format!("report(d, {code});"), also, "--fail-on none").ends(0, &[&format!(" {text}\n")]);
}

#[test]
fn a_list_of_a_kind_weighs_what_it_proves() {
    let kept = "let all = mesh.all(\"PodDisruptionBudget\"); let own = all.filter(|b| b.name() == d.name());";
    let code = format!("{kept} if own.is_empty() {{ report(d, \"has none\").rests_on(own); }}");
    asked(&code, "", "").ends(0, &[]).lacks(&["has none"]);
    asked(&code, "", "--complete=PodDisruptionBudget").ends(1, &["error", "has none"]);
    asked(&code, BUDGET, "").ends(0, &["warning", "has none"]);
    asked(&code, &BUDGET.replace("name: budget", "name: '${NAME}'"), "--complete").ends(0, &[]).lacks(&["has none"]);
    asked(&code, &BUDGET.replace("name: budget", "name: cart"), "").ends(0, &[]).lacks(&["has none"]);
    let code = format!("{kept} report(d, own.absent());");
    asked(&code, BUDGET, "").ends(1, &["not the one PodDisruptionBudget read"]);
}

#[test]
fn what_proves_nothing_is_a_mistake() {
    for (lookup, what) in [
        ("mesh.revisions()", "this array proves nothing: hand `.rests_on()` the look-up that came back empty"),
        ("d.metadata.name", "a value that was found proves nothing"),
        ("d", "a value that was found proves nothing"),
        ("1", "this proves nothing"),
    ] {
        asked(&format!("report(d, \"x\").rests_on({lookup});"), "", "").ends(2, &[what]);
    }
    for lookup in ["d.metadata.annotations", "mesh.hpa_of(d)", "mesh.services_of(d)", "d.containers()"] {
        assert_ne!(asked(&format!("report(d, \"x\").rests_on({lookup});"), "", "").status, 2, "{lookup}");
    }
}

#[test]
fn what_a_selector_selects() {
    let code = "for b in mesh.all(\"PodDisruptionBudget\") {
        let found = mesh.selected_by(b.spec.selector, b);
        if found.is_empty() { report(d, \"selects nothing\").rests_on(found); } else { report(d, \"selects cart\"); }
    }";
    for (selector, status, text) in [
        ("selector: { matchLabels: { app: cart } }", 1, "selects cart"),
        ("selector: {}", 1, "selects cart"),
        ("minAvailable: 1", 1, "error[own/asks] selects nothing"),
        ("selector:", 1, "error[own/asks] selects nothing"),
        ("selector: { matchLabels: { app: web } }", 0, "warning"),
        ("selector: { matchLabels: { app: \"${APP}\" } }", 0, "no errors"),
        ("selector: { matchLabels: { tier: \"${TIER}\" } }", 0, "no errors"),
        ("selector: { matchExpressions: [{ key: app, operator: In, values: [\"${APP}\"] }] }", 0, "no errors"),
        ("selector: \"${SELECTOR}\"", 0, "no errors"),
    ] {
        asked(code, &BUDGET.replace("selector: { matchLabels: { app: web } }", selector), "").ends(status, &[text]);
    }
}

#[test]
fn a_port_that_is_no_number_is_missing() {
    says("`${d.port(8080).path()}`", "", "spec.template.spec.containers[0].ports[0]");
    for number in ["8081", "\"http\"", "d.metadata.name", "d.spec.nothing", "true"] {
        says(&format!("`${{d.port({number}).missing()}}`"), "", "true");
    }
    says("`${d.port(\"8080\").exists()}`", "", "true");
    let unknown = "---\napiVersion: v1\nkind: Service\nmetadata: { name: \"${X}\", namespace: shop }\n";
    says("`${d.port(mesh.services().first().metadata.name).unknown()}`", unknown, "true");
}

#[test]
fn the_keys_of_a_table_are_a_list() {
    says("table(\"istio-annotations\").keys().closest(d.metadata.name.or(\"\")).or(\"none\").text()", "", "none");
    let keys = "table(\"istio-annotations\").keys()";
    says(&format!("`${{\"sidecar.istio.io/inject\" in {keys}}}`"), "", "true");
    says(&format!("{keys}.closest(d.spec.x.or(\"sidecar.istio.io/injct\"))"), "", "sidecar.istio.io/inject");
}

#[test]
fn a_deployment_without_pods_has_no_containers() {
    let other = "---\n".to_string() + &deployment("empty", 1).replace("spec:\n  replicas: 1", "spec: {}");
    let code = "if d.name() != \"empty\" { return; }
        let counts = [d.containers(), d.app_containers(), d.ports()].map(|l| l.count()).join(\", \");
        report(d, `${counts} ${d.pod().missing()} ${d.container(\"a\").missing()} ${d.port(80).missing()}`);";
    asked(code, &other, "").ends(1, &["0, 0, 0 true true true"]);
    let hidden = other.replace("spec: {}", "spec: { template: '${TEMPLATE}' }");
    let code = "report(d, \"lacks a\").rests_on(d.containers());";
    asked(&format!("if d.name() == \"empty\" {{ {code} }}"), &hidden, "").ends(0, &[]).lacks(&["lacks a"]);
}

/// The blocks of `rules/README.md` in a language.
fn shown(language: &str) -> Vec<String> {
    let readme = include_str!("../../rules/README.md");
    let fence = format!("\n```{language}\n");
    readme.split(&fence).skip(1).map(|rest| rest.split("\n```\n").next().unwrap().to_string()).collect()
}

#[test]
fn what_the_readme_of_rules_shows_works() {
    let rules = shown("rhai");
    assert_eq!(rules.len(), 2);
    let s = Scratch::new(&[("my-rules/sizes/replicas-too-few.rhai", &rules[0])]);
    s.write("plimsoll.yaml", &shown("yaml")[0]);
    s.write("data/teams.yaml", "source: us\ndate: 2026-01-01\nrows: { shop: { chat: x } }\n");
    s.write("prod/a.yaml", deployment("cart", 2));
    s.write("staging/a.yaml", deployment("cart", 1).replace("shop", "stage"));
    s.run("check . --select sizes --format short")
        .ends(1, &["prod/a.yaml:7:13: error[sizes/replicas-too-few] cart runs 2", " 1 error"]);
    s.run("test").ends(0, &["2 examples passed, 0 failed"]);
    asked(&rules[1], &BUDGET.replace("shop", "web"), "")
        .ends(0, &["warning", "nothing protects cart"])
        .lacks(&["error["]);
}
