//! Plans of small meshes, as data and as text.

use super::*;
use crate::mesh::{Declared, Mesh};
use crate::plan::sections::size;
use crate::report::Style;
use crate::rule::{RuleSet, Setting};
use crate::source::SourceFile;

const ISTIOD: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: istiod, namespace: istio-system}
spec:
  template:
    metadata: {labels: {app: istiod}}
    spec:
      containers:
      - name: discovery
        image: docker.io/istio/pilot:1.30.2
        resources: {requests: {cpu: 500m, memory: 2048Mi}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: istiod, namespace: istio-system}
spec:
  scaleTargetRef: {kind: Deployment, name: istiod}
  minReplicas: 1
  maxReplicas: 5
---
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data: {mesh: \"enableTracing: false\"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: istio-sidecar-injector, namespace: istio-system}
data:
  values: '{\"global\": {\"proxy\": {\"resources\": {\"requests\": {\"cpu\": \"10m\", \"memory\": \"16Mi\"}, \"limits\": {\"memory\": \"150Mi\"}}}}}'
";

fn namespace(name: &str, labels: &str) -> String {
    format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: {{{labels}}}}}\n")
}

fn app(namespace: &str, name: &str, replicas: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {{selector: {{app: {name}}}, ports: [{{port: 80}}]}}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec:\n  {replicas}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n    spec: {{containers: [{{name: app, resources: {{requests: {{cpu: 1, memory: 1Gi}}}}}}]}}\n"
    )
}

fn built_in() -> (RuleSet, Vec<Setting>) {
    let (set, problems) = crate::rule::load::load(&[], &[]);
    assert!(problems.is_empty(), "{problems:?}");
    let setting = |rule: &crate::rule::Rule| Setting {
        on: true,
        params: rule.header.params.iter().map(|p| (p.name.clone(), p.default.clone())).collect(),
        ..Setting::default()
    };
    let settings = set.rules.iter().map(setting).collect();
    (set, settings)
}

fn plan_with(texts: &[String], what_if: &str, declared: Declared) -> Plan {
    let (set, settings) = built_in();
    let mesh: Mesh = crate::mesh::test_mesh_with(&texts.iter().map(String::as_str).collect::<Vec<_>>(), declared);
    let files = texts.iter().enumerate().map(|(n, text)| SourceFile::new(format!("{n}.yaml"), None, text.as_str()));
    let sources = Sources::new(files.collect());
    let what_if = WhatIf::parse(what_if.split(',').filter(|text| !text.is_empty())).unwrap();
    Plan::new(&mesh, &sources, &Figures { set: &set, settings: &settings }, &what_if)
}

fn plan(texts: &[String], what_if: &str) -> Plan {
    plan_with(texts, what_if, Declared::default())
}

fn shop() -> Vec<String> {
    let mut texts = vec![ISTIOD.to_string(), namespace("shop", "istio-injection: enabled"), namespace("batch", "")];
    texts.extend((0..10).map(|n| app("shop", &format!("web{n}"), "replicas: 2")));
    texts.push(app("batch", "night", "replicas: 3"));
    texts.push(app("unread", "other", ""));
    texts
}

fn advice(plan: &Plan) -> Vec<String> {
    let place = |advice: &Advice| advice.spots.first().map_or(String::new(), |spot| format!(" @ {spot}"));
    plan.advice.iter().map(|advice| format!("{}{}", advice.what, place(advice))).collect()
}

#[test]
fn what_is_certain_is_summed_and_what_is_possible_is_counted() {
    let plan = plan(&shop(), "");
    assert_eq!((plan.services, plan.objects), (12, 0));
    assert_eq!(plan.sidecars.certain, Tally { workloads: 10, least: 20, most: 20, ..Tally::default() });
    assert_eq!(plan.sidecars.possible, Tally { workloads: 1, least: 1, most: 1, unsaid: 1, ..Tally::default() });
    assert_eq!(plan.sidecars.open, ["namespace unread (its labels were not read)"]);
    assert_eq!(size(plan.sidecars.memory.most), "320Mi");
    assert_eq!((size(plan.sidecars.memory.limit), plan.sidecars.cpu.unlimited), ("2.9Gi".to_string(), 20));
    assert_eq!(plan.workloads.workloads, 13);
    assert_eq!(plan.tracing, Some(false));
    assert_eq!(plan.tier.map(|tier| (tier.services, size(tier.request))), Some((10, "4Gi".to_string())));
    assert_eq!(plan.measured.as_ref().map(|m| m.whose.as_str()), Some("Istio"));
}

#[test]
fn the_most_important_change_comes_first_with_its_place() {
    assert_eq!(
        advice(&plan(&shop(), "")),
        [
            "let istiod ask for 4Gi of memory, not 2048Mi @ 0.yaml:11",
            "let the proxies of 20 pods use up to 200Mi of memory, not 150Mi @ 0.yaml:30",
            "run 2 replicas of istiod at least, not 1 @ 0.yaml:18",
            "let the proxies of 20 pods ask for 200Mi of memory, not 16Mi @ 0.yaml:30",
            "say who is injected: the Namespaces' manifests, or --assume injection=sidecar",
        ]
    );
    let declared = Declared { environment: Some("staging".into()), ..Declared::default() };
    assert!(!advice(&plan_with(&shop(), "", declared)).iter().any(|what| what.starts_with("run 2 replicas")));
}

#[test]
fn a_mesh_that_asks_for_enough_is_left_alone() {
    let enough = ISTIOD
        .replace("memory: 2048Mi", "memory: 4Gi")
        .replace("minReplicas: 1", "minReplicas: 2")
        .replace("16Mi", "256Mi")
        .replace("150Mi", "1Gi");
    let plan = plan(
        &[enough, namespace("shop", "istio-injection: enabled"), app("shop", "web", "replicas: 2")],
        "services=20",
    );
    assert_eq!(advice(&plan), [""; 0]);
    let drawn = table::render(&[plan], &style(80));
    assert!(drawn.contains("nothing: what is asked for covers what is known of the mesh"), "{drawn}");
}

#[test]
fn assumptions_replace_what_was_read() {
    let plan = plan(&shop(), "services=300,sidecars=2000,tracing=on");
    assert_eq!(plan.tier.map(|tier| size(tier.request)), Some("16Gi".to_string()));
    assert_eq!(plan.sidecars.pods, (2000, 2000));
    assert_eq!(size(plan.sidecars.memory.most), "31.3Gi");
    assert_eq!(plan.profile().map(|profile| profile.name), Some("tracing"));
    let scope = plan.scope.unwrap();
    assert_eq!((scope.wide, scope.all, scope.unsure), (2000, 300, true));
    // Ten of the twelve Services are the proxies' own namespace's; the root namespace has none.
    assert!((scope.own - 250.0).abs() < 1e-6, "{}", scope.own);
}

#[test]
fn a_scope_is_advised_where_it_narrows_much() {
    let mut texts = shop();
    texts.extend((0..50).map(|n| app("others", &format!("other{n}"), "replicas: 10")));
    let wide = plan(&texts, "");
    let advised = |plan: &Plan| plan.advice.iter().any(|advice| advice.what.starts_with("write a Sidecar"));
    assert!(advised(&wide), "{:?}", advice(&wide));
    let scope = wide.scope.unwrap();
    assert_eq!((scope.all, scope.own), (62, 10.0));
    // Twenty proxies that know of 504 pods of others, 0.2 MB each.
    assert_eq!(scope.memory.map(size), Some("1.9Gi".to_string()));
    texts.push("apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: default, namespace: istio-system}\nspec: {egress: [{hosts: ['./*']}]}\n".to_string());
    let narrow = plan(&texts, "");
    assert!(!advised(&narrow));
    assert_eq!(narrow.scope.map(|scope| (scope.wide, scope.narrowed)), Some((0, 20)));
}

#[test]
fn nobody_measured_some_meshes() {
    let measured = |what_if: &str| plan(&shop(), what_if).measured.map(|m| (m.whose, m.sidecars));
    assert_eq!(measured("services=1001"), None);
    assert_eq!(measured("sidecars=2001"), Some(("Microsoft (AKS)".to_string(), Some(15000))));
    assert_eq!(measured("sidecars=20000"), Some(("Microsoft (AKS)".to_string(), Some(25000))));
    assert_eq!(measured("sidecars=25001"), None);
}

#[test]
fn sidecars_count_on_top_of_what_manifests_ask_for() {
    let node = "apiVersion: v1\nkind: Node\nmetadata: {name: a}\nstatus: {allocatable: {cpu: '8', memory: 16Gi}}\n";
    let mut texts = shop();
    texts.push(node.to_string());
    let plan = plan(&texts, "");
    let nodes = plan.nodes.unwrap();
    // istiod's five, twenty of the shop with 16Mi more each, three by night, one unread.
    assert_eq!((size(nodes.memory.0), size(nodes.memory.1)), ("26.3Gi".to_string(), "34.3Gi".to_string()));
    assert!(plan.advice[1].what.starts_with("add nodes, or ask for less memory"), "{:?}", advice(&plan));
    assert_eq!(plan.advice[1].why, "34.3Gi is asked for, the nodes have 16Gi: pods will stay pending");
}

#[test]
fn alternatives_and_unreadable_amounts_are_not_known() {
    let mut texts = shop();
    texts[0] = texts[0].replace("memory: 2048Mi", "memory: '${MEMORY}'");
    texts.push(app("shop", "twice", "replicas: 1"));
    texts.push(app("shop", "twice", "replicas: 9"));
    let plan = plan(&texts, "");
    assert_eq!(plan.istiods[0].resources.memory.amount, Amount::Unknown);
    assert!(!advice(&plan)[0].starts_with("let istiod"));
    assert!(plan.sidecars.open.contains(&"namespace shop (copies differ)".to_string()), "{:?}", plan.sidecars.open);
}

fn style(width: usize) -> Style {
    let color = false;
    Style {
        color,
        unicode: true,
        width,
        min_severity: crate::finding::Severity::Info,
        max_per_rule: 0,
        quiet: false,
        verbose: false,
        statistics: false,
        suppressed: false,
    }
}

#[test]
fn every_line_fits_a_terminal() {
    let plans = [plan(&shop(), ""), plan(&shop(), "services=300,sidecars=123456")];
    for width in [80, 100, 120, 200] {
        let drawn = table::render(&plans, &style(width));
        for line in drawn.lines() {
            assert!(line.chars().count() <= width.min(120), "{width}: {line}");
        }
    }
    let ascii = table::render(&plans, &Style { unicode: false, ..style(80) });
    assert!(ascii.is_ascii(), "{ascii}");
    let colored = table::render(&plans, &Style { color: true, ..style(80) });
    assert!(colored.contains("\u{1b}[36m") && !table::render(&plans, &style(80)).contains('\u{1b}'));
}

#[test]
fn a_page_is_well_formed_and_names_are_only_text() {
    let evil = "a<script>alert(1)</script>&\"'";
    let mut plan = plan(&shop(), "");
    plan.cluster = evil.to_string();
    plan.sidecars.namespaces[0].name = evil.to_string();
    plan.unknown.push(evil.to_string());
    let page = html::render(&[plan]);
    let text = page.strip_prefix("<!doctype html>\n").unwrap();
    let document = roxmltree::Document::parse(text).unwrap();
    assert!(!document.descendants().any(|node| node.has_tag_name("script")));
    let said = document.descendants().filter(|node| node.is_text()).filter(|node| node.text().unwrap().contains(evil));
    // The cluster, the namespace in two tables, and what is not known.
    assert_eq!(said.count(), 4);
    // Figures do not need their bars, and every table says what it is about.
    for bar in document.descendants().filter(|node| node.attribute("class").is_some_and(|c| c.starts_with("bar "))) {
        assert_eq!(bar.attribute("aria-hidden"), Some("true"));
    }
    for table in document.descendants().filter(|node| node.has_tag_name("table")) {
        assert!(table.children().any(|node| node.has_tag_name("caption") && node.text().is_some()));
    }
    assert!(!page.contains("http"), "nothing comes from elsewhere");
}

#[test]
fn markdown_keeps_names_in_their_cells() {
    let mut plan = plan(&shop(), "");
    plan.sidecars.namespaces[0].name = "a|b<b>".to_string();
    let text = markdown::render(&[plan]);
    assert!(!text.contains("| a|b") && !text.contains("a|b<b> "), "{text}");
}

#[test]
fn json_has_numbers() {
    let value: serde_json::Value = serde_json::from_str(&json::render(&[plan(&shop(), "tracing=on")])).unwrap();
    assert_eq!(value["version"], 1);
    let cluster = &value["clusters"][0];
    assert_eq!(cluster["istiods"][0]["resources"]["memory"]["amount"], 2_147_483_648u64);
    assert_eq!(cluster["istiods"][0]["resources"]["memory"]["location"]["line"], 11);
    assert_eq!(cluster["istiods"][0]["resources"]["memoryLimit"]["state"], "unset");
    assert_eq!(cluster["sidecars"]["possible"]["workloads"], 1);
    assert_eq!(cluster["whatIf"], serde_json::json!({ "tracing": true }));
    assert_eq!(cluster["profiles"][1]["upper"], 629_145_600);
    assert!(cluster.get("nodes").is_none());
    assert_eq!(cluster["advice"][0]["locations"][0]["path"], "0.yaml");
}

#[test]
fn values_are_yaml_and_never_less_than_today() {
    let gateway = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: in, namespace: edge}\nspec:\n  replicas: 3\n  template:\n    metadata: {annotations: {inject.istio.io/templates: gateway}}\n    spec: {containers: [{name: istio-proxy, image: auto, resources: {requests: {memory: 2Gi}}}]}\n";
    let mut texts = shop();
    texts.push(gateway.to_string());
    let read = |texts: &[String], what_if: &str| -> Vec<serde_yaml::Value> {
        let text = helm::render(&[plan(texts, what_if)]);
        use serde::Deserialize;
        serde_yaml::Deserializer::from_str(&text).map(|d| serde_yaml::Value::deserialize(d).unwrap()).collect()
    };
    let documents = read(&texts, "");
    assert_eq!(documents.len(), 2);
    let istiod = &documents[0];
    assert_eq!(istiod["resources"]["requests"]["memory"], "4Gi");
    assert_eq!(istiod["autoscaleMin"], 2);
    assert_eq!(istiod["global"]["proxy"]["resources"]["requests"]["memory"], "200Mi");
    assert_eq!(istiod["global"]["proxy"]["resources"]["limits"]["memory"], "200Mi");
    assert_eq!(istiod["global"]["proxy"]["resources"]["limits"].get("cpu"), None);
    assert_eq!(documents[1]["resources"]["requests"]["memory"], "2Gi");
    assert_eq!(documents[1]["autoscaling"]["minReplicas"], 3);
    assert_eq!(read(&texts, "tracing=on")[0]["global"]["proxy"]["resources"]["limits"]["memory"], "600Mi");
    texts[0] = texts[0].replace("memory: 2048Mi", "memory: 32Gi").replace("pilot:1.30.2", "pilot:1.20.0");
    assert_eq!(read(&texts, "")[0]["pilot"]["resources"]["requests"]["memory"], "32Gi");
}
