//! `test`: what it finds wrong with the examples of a rule's page.

use super::scratch::{Said, Scratch};

const GOOD: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: cart
  labels: { team: shop }
spec:
  replicas: 2
";

/// Tests a rule about Deployments with that code, a Bad example without `replicas` and these Good ones.
pub(crate) fn tested(code: &str, good: &[&str]) -> Said {
    let s = Scratch::new::<&str>(&[]);
    let mut page = "---
severity: error
checks: Deployment
params:
  allowed: { type: list of text, default: [shop], help: teams }
---
# title

Why.

## Bad

```yaml
apiVersion: apps/v1
kind: Deployment
metadata: { name: cart, labels: { team: nobody } } # finding: bad
spec: {}
```

## Good
"
    .to_string();
    good.iter().for_each(|text| page += &format!("\n```yaml\n{text}```\n"));
    let header: String = page.lines().map(|line| format!("//! {line}\n")).collect();
    s.write("rules/own/rule.rhai", format!("{header}\nfn check(d, mesh) {{\n{code}\n}}\n"));
    s.run("test rules")
}

const REPLICAS: &str = "if d.spec.replicas.missing() { report(d, \"bad\"); }";

#[test]
fn an_example_that_nobody_can_read_fails() {
    tested(REPLICAS, &[GOOD]).ends(0, &["2 examples passed"]);
    for (text, what) in [
        (GOOD.replace("{ team: shop }", "[ team"), "Unreadable: line "),
        (GOOD.replace("  replicas", "\treplicas"), "Unreadable: line 7 of example.yaml: "),
        (GOOD.replace("kind: Deployment\n", ""), "Unreadable: line 1 of example.yaml: a resource has `kind:`"),
        (format!("{GOOD}---\nkind: Service\n"), "Unreadable: line 9 of example.yaml: a resource has `apiVersion:`"),
        ("# nothing\n".to_string(), "Unreadable: line 1 of example.yaml: there is no resource"),
    ] {
        tested(REPLICAS, &[&text]).ends(1, &["FAIL  own/rule::good-1", what, "1 examples passed, 1 failed"]);
    }
}

#[test]
fn a_rule_that_takes_the_unknown_for_wrong_fails() {
    let team = "let team = d.metadata.labels.team;";
    let noisy = format!("{team} if team in param(\"allowed\") {{ return; }} report(d, \"bad\");");
    let told = "Noisy with \"${X}\" on line 5: bad";
    tested(&noisy, &[GOOD]).ends(1, &["FAIL  own/rule::good-1", told]);
    tested(&noisy.replace(".labels.team", "[\"labels\"][\"team\"]"), &[GOOD]).ends(1, &[told]);
    tested(&noisy.replace("d.metadata.labels.team", "d.labels().values().first()"), &[]).ends(1, &["no example"]);
    let asks = noisy.replace("if team in", "if team.unknown() || team in");
    tested(&asks, &[GOOD]).ends(0, &["2 examples passed"]);
    // The items of a list, too.
    let list = "if d.spec.x.items().some(|x| x == \"a\") { return; } report(d, \"bad\");";
    tested(list, &[&GOOD.replace("  replicas: 2", "  x: [a]")]).ends(1, &["Noisy with \"${X}\" on line 7: bad"]);
}

#[test]
fn keys_that_no_example_has_are_noted_as_a_whole() {
    let code = format!("if d.spec.replica == 3 || d.metadata.labels.team == \"x\" {{ return; }} {REPLICAS}");
    tested(&code, &[GOOD]).ends(0, &["no example has a key \"replica\""]).lacks(&["key \"team\""]);
    let column = format!("if table(\"istio-annotations\").row(\"x\").kinds == 3 {{ return; }} {REPLICAS}");
    tested(&column, &[GOOD]).ends(0, &["2 examples passed"]).lacks(&["no example has a key"]);
}
