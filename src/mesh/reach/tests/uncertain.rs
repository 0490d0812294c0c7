//! What is not known is never blocked: substitutions, copies, open labels, other APIs.

use super::*;
use crate::mesh::selector::Tri;

fn ask(spec: &str) -> String {
    let m = mesh(&[deployment("shop/a", "{app: a}"), deployment("shop/b", "{app: b}"), policy("shop/p", spec)]);
    assert!(m.reach.refused().is_empty(), "{spec}: {:?}", m.reach.refused());
    says(&m, "shop/a", "shop/b", "80")
}

#[test]
fn values_that_stand_elsewhere_depend() {
    for spec in [
        "{ingress: [{ports: [{port: \"${PORT}\"}]}]}",
        "{ingress: [{ports: [{port: 80, protocol: \"${P}\"}]}]}",
        "{ingress: [{ports: [{port: 70, endPort: \"${P}\"}]}]}",
        "{ingress: [{ports: \"${PORTS}\"}]}",
        "{ingress: [{from: [{podSelector: {matchLabels: {app: \"${APP}\"}}}]}]}",
        "{ingress: [{from: [{podSelector: {matchLabels: {\"${KEY}\": x}}}]}]}",
        "{ingress: [{from: [{podSelector: {matchLabels: \"${L}\"}}]}]}",
        "{ingress: [{from: [{podSelector: {matchExpressions: [{key: app, operator: \"${OP}\", values: [a]}]}}]}]}",
        "{ingress: [{from: [{podSelector: {matchExpressions: [{key: app, operator: In, values: \"${V}\"}]}}]}]}",
        "{ingress: [{from: [{podSelector: {matchExpressions: [\"${E}\"]}}]}]}",
        "{ingress: [{from: [{podSelector: \"${S}\"}]}]}",
        "{ingress: [{from: [{podSelector: {matchLabels: {app: \"${A}\"}, matchExpressions: [{key: app, operator: Exists}]}}]}]}",
        "{ingress: [{from: [{ipBlock: {cidr: \"${CIDR}\"}}]}]}",
        "{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: \"${E}\"}}]}]}",
        "{ingress: [{from: [{ipBlock: \"${B}\"}]}]}",
        "{ingress: [{from: \"${PEERS}\"}]}",
        "{ingress: [\"${RULE}\"]}",
        "{ingress: \"${RULES}\"}",
        "{podSelector: {matchLabels: {app: \"${APP}\"}}}",
        "{policyTypes: [\"${TYPE}\"]}",
        "{policyTypes: \"${TYPES}\"}",
        "\"${SPEC}\"",
        "ENC[AES256_GCM,data:x]",
    ] {
        assert_eq!(ask(spec), "depends: substitution", "{spec}");
    }
}

#[test]
fn what_is_known_beside_them_still_decides() {
    assert_eq!(ask("{ingress: [{ports: [{port: \"${PORT}\", protocol: UDP}]}]}"), "ingress blocked by p");
    assert_eq!(
        ask("{ingress: [{from: [{podSelector: {matchLabels: {x: v, app: \"${APP}\"}}}]}]}"),
        "ingress blocked by p"
    );
    assert_eq!(ask("{podSelector: {matchLabels: {app: \"${APP}\"}}, ingress: [{}]}"), "allowed");
    assert_eq!(ask("{policyTypes: [Ingress, \"${TYPE}\"]}"), "ingress blocked by p");
}

#[test]
fn labels_and_ports_of_pods_may_stand_elsewhere() {
    let deny = policy("shop/p", "{podSelector: {matchLabels: {app: b}}, ingress: [{ports: [{port: http}]}]}");
    let ask = |labels: &str, ports: &str| {
        let spec = format!("{{containers: [{{name: main, ports: [{ports}]}}]}}");
        let m = mesh(&[deployment("shop/a", "{app: a}"), deployment_with("shop/b", labels, &spec), deny.clone()]);
        says(&m, "shop/a", "shop/b", "80")
    };
    assert_eq!(ask("{app: \"${APP}\"}", ""), "depends: labels-unknown");
    assert_eq!(ask("\"${LABELS}\"", ""), "depends: labels-unknown");
    assert_eq!(ask("{\"${KEY}\": b}", ""), "depends: labels-unknown");
    assert_eq!(ask("{app: b}", "{name: http, containerPort: \"${PORT}\"}"), "depends: substitution");
    assert_eq!(ask("{app: b}", "{name: \"${NAME}\", containerPort: 80}"), "depends: substitution");
    assert_eq!(ask("{app: b}", "{name: \"${NAME}\", containerPort: 81}"), "ingress blocked by p");
}

#[test]
fn copies_of_a_policy_that_differ_depend_unless_they_agree() {
    let ask = |one: &str, other: &str| {
        let m = mesh(&[deployment("shop/a", "{app: a}"), policy("shop/p", one), policy("shop/p", other)]);
        says(&m, "shop/a", "shop/a", "80")
    };
    assert_eq!(ask("{}", "{ingress: [{}]}"), "depends: copies-differ");
    assert_eq!(ask("{}", "{podSelector: {matchLabels: {x: v}}}"), "depends: copies-differ");
    assert_eq!(ask("{}", "{ingress: [{ports: [{port: 0}]}]}"), "depends: copies-differ");
    assert_eq!(ask("{}", "{ingress: [{ports: [{port: 81}]}]}"), "ingress blocked by p");
    assert_eq!(ask("{ingress: [{}]}", "{ingress: [{ports: [{port: 80}]}]}"), "allowed");
    // Equal copies are one.
    assert_eq!(ask("{}", "{}"), "ingress blocked by p");
}

#[test]
fn copies_of_a_workload_that_differ_are_known_in_what_they_share() {
    let m = mesh(&[
        deployment_with(
            "shop/a",
            "{app: a, v: one, x: y}",
            "{containers: [{name: m, ports: [{name: http, containerPort: 80}]}]}",
        ),
        deployment_with("shop/a", "{app: a, v: two}", "{hostNetwork: false}"),
        policy("shop/p", "{podSelector: {matchLabels: {app: a}}, ingress: [{ports: [{port: http}]}]}"),
    ]);
    assert_eq!(m.isolated(WorkloadId(0), Direction::Ingress), Tri::Yes);
    assert_eq!(m.pod_labels(WorkloadId(0)).is("v", "one"), Tri::Unknown);
    assert_eq!(m.pod_labels(WorkloadId(0)).has("x"), Tri::Unknown);
    assert_eq!(says(&m, "shop/a", "shop/a", "80"), "depends: copies-differ");
    assert_eq!(says(&m, "shop/a", "shop/a", "81"), "ingress blocked by p");
}

#[test]
fn one_policy_that_may_apply_is_no_block_beside_one_that_allows() {
    let m = mesh(&[
        deployment("shop/a", "{app: a}"),
        policy("shop/may", "{podSelector: {matchLabels: {app: \"${APP}\"}}}"),
        policy("shop/open", "{ingress: [{}]}"),
    ]);
    assert_eq!(says(&m, "shop/a", "shop/a", "80"), "allowed");
}

#[test]
fn policies_of_other_apis_make_answers_depend() {
    let ask = |api: &str, kind: &str, policies: &[&str]| {
        let mut all = vec![deployment("shop/a", "{}"), deployment("pay/b", "{}"), workload(api, kind, "pay/x", "{}")];
        all.extend(policies.iter().map(|at| deny(at)));
        let m = mesh(&all);
        (says(&m, "shop/a", "shop/a", "80"), says(&m, "shop/a", "pay/b", "80"), says(&m, "node", "pay/b", "80"))
    };
    let depends = || "depends: other-policy-api".to_string();
    let allowed = || "allowed".to_string();
    for (api, kind) in [
        ("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy"),
        ("policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy"),
        ("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"),
        ("cilium.io/v2", "CiliumClusterwideNetworkPolicy"),
        ("projectcalico.org/v3", "GlobalNetworkPolicy"),
        ("crd.projectcalico.org/v1", "GlobalNetworkPolicy"),
    ] {
        assert_eq!(ask(api, kind, &["pay/p"]), (depends(), depends(), allowed()), "{kind}");
    }
    for (api, kind) in [
        ("cilium.io/v2", "CiliumNetworkPolicy"),
        ("projectcalico.org/v3", "NetworkPolicy"),
        ("crd.projectcalico.org/v1", "NetworkPolicy"),
    ] {
        assert_eq!(ask(api, kind, &["pay/p"]), (allowed(), depends(), allowed()), "{kind}");
        assert_eq!(ask(api, kind, &["shop/p"]).0, "ingress blocked by p", "{kind}");
    }
    let m = mesh(&[deployment("shop/a", "{}"), workload("cilium.io/v2", "CiliumNetworkPolicy", "shop/x", "{}")]);
    assert_eq!(m.isolated(WorkloadId(0), Direction::Ingress), Tri::Unknown);
}

#[test]
fn reasons_have_words() {
    assert_eq!(Reason::HostNetwork.code(), "hostnetwork");
    assert_eq!(Reason::Substitution.to_string(), "a value stands elsewhere");
}

#[test]
fn a_namespace_that_stands_elsewhere_may_be_any() {
    let ask = |one: &str, two: &str| {
        let closed = policy("shop/p", "{ingress: [{from: [{podSelector: {}}]}]}");
        let m = mesh(&[
            deployment(&format!("{one}/a"), "{}"),
            deployment("shop/b", "{}"),
            closed,
            policy(two, "{ingress: [{}]}"),
        ]);
        says(&m, &format!("{}/a", one.trim_matches('"')), "shop/b", "80")
    };
    assert_eq!(ask("pay", "other/open"), "ingress blocked by p");
    assert_eq!(ask("\"${NS}\"", "other/open").as_str(), "depends: substitution");
    assert_eq!(ask("pay", "\"${NS}\"/open"), "depends: copies-differ");
    let by_name = "{ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: pay}}}]}]}";
    let m = mesh(&[deployment("\"${NS}\"/a", "{}"), deployment("shop/b", "{}"), policy("shop/p", by_name)]);
    assert_eq!(says(&m, "${NS}/a", "shop/b", "80"), "depends: namespace-labels-unknown");
}

#[test]
fn a_policy_that_is_refused_may_be_repaired() {
    let m = mesh(&[
        deployment("shop/a", "{app: a}"),
        deny("shop/deny"),
        policy("shop/open", "{ingress: [{ports: [{port: \"80\"}]}]}"),
    ]);
    assert_eq!(says(&m, "shop/a", "shop/a", "80"), "depends: refused-policy");
}
