//! `new rule`: what it writes works at once.

use super::scratch::{Said, Scratch, deployment};

const ROUTE: &str = "apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
  namespace: shop
spec:
  hosts: [reviews]
  http:
    - retries: { attempts: 2, perTryTimeout: 2s }   # a comment
      route:
        - destination:
            host: \"reviews\"
";

/// Writes a rule around two manifests and tests it.
fn new(bad: Option<&str>, good: Option<&str>) -> (Scratch, Said) {
    let s = Scratch::new::<&str>(&[]);
    let mut arguments = "new rule shop/fresh".to_string();
    for (flag, text) in [("bad", bad), ("good", good)] {
        if let Some(text) = text {
            s.write(&format!("{flag}.yaml"), text);
            arguments += &format!(" --{flag} {flag}.yaml");
        }
    }
    let said = s.run(&arguments);
    (s, said)
}

#[track_caller]
fn works(bad: Option<&str>, good: Option<&str>) -> String {
    let (s, said) = new(bad, good);
    said.ends(0, &["rules/shop/fresh.rhai", "plimsoll test rules"]);
    s.run("test rules").ends(0, &["2 examples passed, 0 failed"]);
    s.run("rules --rules rules").ends(0, &["shop/fresh"]);
    s.read("rules/shop/fresh.rhai")
}

#[test]
fn without_manifests_it_is_a_sample() {
    assert!(works(None, None).contains("resource.spec.replicas"));
}

#[test]
fn it_names_the_value_that_differs() {
    let rule = works(Some(ROUTE), Some(&ROUTE.replace("attempts: 2", "attempts: 0")));
    assert!(rule.contains("checks: VirtualService") && rule.contains(".retries.attempts"), "{rule}");
    let rule = works(Some(&deployment("cart", 1)), Some(&deployment("cart", 3)));
    assert!(rule.contains("let value = resource.spec.replicas;\n    if value == \"1\" {"), "{rule}");
}

#[test]
fn it_names_the_key_that_is_missing() {
    let rule = works(Some(ROUTE), Some(&ROUTE.replace("  http:", "  exportTo: [\".\"]\n  http:")));
    assert!(rule.contains("let value = resource.spec.exportTo;\n    if value.missing() {"), "{rule}");
}

#[test]
fn it_names_the_key_that_is_too_much() {
    let rule =
        works(Some(&deployment("cart", 1).replace("spec:", "spec:\n  paused: true")), Some(&deployment("cart", 1)));
    assert!(rule.contains("resource.spec.paused"), "{rule}");
}

#[test]
fn one_manifest_is_enough() {
    works(Some(ROUTE), None);
    works(Some(&deployment("cart", 1)), None);
    works(None, Some(&deployment("web", 4)));
    works(None, Some(ROUTE));
}

#[test]
fn awkward_manifests_work_too() {
    let many = format!("{}---\n{}---\n{ROUTE}", deployment("a", 1), deployment("b", 1));
    works(Some(&many), Some(&many.replace("replicas: 1", "replicas: 2")));
    let list = format!("apiVersion: v1\nkind: List\nitems:\n- {}", ROUTE.trim_end().replace('\n', "\n  "));
    works(Some(&list), Some(&list.replace("attempts: 2", "attempts: 0")));
    let odd = ROUTE
        .replace("  namespace:", "  annotations: { \"a.b/c\": \"x \\\"y\\\" \\\\ ${z\", count: \"1\" }\n  namespace:");
    works(Some(&odd), Some(&odd.replace("${z", "z")));
    works(Some(&odd), Some(&odd.replace("count: \"1\"", "count: \"2\"")));
    works(Some(&ROUTE.replace('\n', "\r\n")), Some(&ROUTE.replace("attempts: 2", "attempts: 0").replace('\n', "\r\n")));
    let own = ROUTE.replace("networking.istio.io/v1", "own.example/v1").replace("VirtualService", "Own");
    assert!(works(Some(&own), Some(&own.replace("2s", "3s"))).contains("checks: Own.own.example"));
}

#[test]
fn manifests_that_say_the_same_are_told() {
    let (s, said) = new(Some(ROUTE), Some(ROUTE));
    said.ends(2, &[]).complains(&["the examples do not differ in what they say of a VirtualService"]);
    assert!(!s.path("rules").exists());
}

#[test]
fn what_cannot_be_used_is_told() {
    for (bad, part) in [
        ("a: [", "the bad example can't be read"),
        ("a: 1\n", "the bad example holds no Kubernetes resource"),
        ("kind: X\nx: |\n  ```\n", "can't stand on a page"),
    ] {
        new(Some(bad), None).1.ends(2, &[]).complains(&[part]);
    }
    let s = Scratch::new::<&str>(&[]);
    s.run("new rule x/y --bad gone.yaml").ends(2, &[]).complains(&["gone.yaml"]);
    for id in ["x", "X/y", "x/y/z", "x/", "/y", "x/y_z", "../x/y"] {
        s.run(&format!("new rule {id}")).ends(2, &[]).complains(&["is no rule: write topic/id"]);
    }
}

#[test]
fn a_rule_that_is_there_is_never_overwritten() {
    let s = Scratch::new::<&str>(&[]);
    s.run("new rule x/y --into mine").ends(0, &["mine/x/y.rhai"]);
    s.write("mine/x/y.rhai", "mine");
    s.run("new rule x/y --into mine").ends(2, &[]).complains(&["mine/x/y.rhai is there already"]);
    assert_eq!(s.read("mine/x/y.rhai"), "mine");
}
