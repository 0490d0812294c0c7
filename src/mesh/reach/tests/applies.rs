//! Cases 1 to 23: which policies apply, and in which direction.

use super::*;
use crate::mesh::selector::Tri;

fn shop(spec: &str) -> Mesh {
    mesh(&[deployment("shop/a", "{app: a}"), deployment("shop/b", "{app: b}"), policy("shop/p", spec)])
}

/// Whether `b` is isolated for ingress and for egress.
fn isolated(mesh: &Mesh) -> (Tri, Tri) {
    let b = id(mesh, "shop/b");
    (mesh.isolated(b, Direction::Ingress), mesh.isolated(b, Direction::Egress))
}

#[test]
fn case_01_without_a_policy_everything_is_open() {
    let m = shop("{podSelector: {matchLabels: {app: other}}}");
    assert_eq!(says(&m, "shop/a", "shop/b", "80"), "allowed");
    assert_eq!(isolated(&m), (Tri::No, Tri::No));
}

#[test]
fn case_02_a_policy_of_another_namespace_does_not_apply() {
    let m = mesh(&[deployment("shop/a", "{app: a}"), deployment("shop/b", "{app: b}"), deny("pay/p")]);
    assert_eq!(says(&m, "shop/a", "shop/b", "80"), "allowed");
}

#[test]
fn case_03_an_empty_or_missing_pod_selector_is_all_pods() {
    for spec in ["{podSelector: {}}", "{podSelector: }", "{podSelector: null}", "{ingress: []}", "{}", ""] {
        assert_eq!(says(&shop(spec), "shop/a", "shop/b", "80"), "ingress blocked by p", "{spec}");
    }
}

#[test]
fn case_04_labels_of_the_deployment_itself_do_not_count() {
    let deployment = deployment("shop/b", "{app: b}").replace("name: b,", "name: b, labels: {tier: web},");
    let m = mesh(&[deployment, deploy_a(), policy("shop/p", "{podSelector: {matchLabels: {tier: web}}}")]);
    assert_eq!(says(&m, "shop/a", "shop/b", "80"), "allowed");
}

fn deploy_a() -> String {
    deployment("shop/a", "{app: a}")
}

#[test]
fn case_05_a_selector_that_matches_nothing_is_no_error() {
    let m = shop("{podSelector: {matchLabels: {app: elsewhere}}, ingress: []}");
    assert_eq!(says(&m, "shop/a", "shop/b", "80"), "allowed");
    assert!(m.reach.refused().is_empty());
}

#[test]
fn case_06_without_policy_types_and_egress_it_is_ingress() {
    assert_eq!(isolated(&shop("{podSelector: {}}")), (Tri::Yes, Tri::No));
}

#[test]
fn case_07_egress_without_policy_types_denies_ingress_too() {
    let m = shop("{podSelector: {}, egress: [{}]}");
    assert_eq!(isolated(&m), (Tri::Yes, Tri::Yes));
    assert_eq!(says(&m, "shop/a", "shop/b", "80"), "ingress blocked by p");
}

#[test]
fn case_08_an_empty_egress_without_policy_types_leaves_egress_open() {
    assert_eq!(isolated(&shop("{podSelector: {}, egress: []}")), (Tri::Yes, Tri::No));
}

#[test]
fn case_09_empty_policy_types_are_missing_ones() {
    for types in ["[]", "null", ""] {
        let m = shop(&format!("{{podSelector: {{}}, policyTypes: {types}}}"));
        assert_eq!(isolated(&m), (Tri::Yes, Tri::No), "{types}");
    }
}

#[test]
fn case_10_rules_of_an_unlisted_direction_are_dead() {
    let m = shop("{podSelector: {}, policyTypes: [Egress], ingress: [{from: [{podSelector: {}}]}], egress: [{}]}");
    assert_eq!(isolated(&m), (Tri::No, Tri::Yes));
    assert_eq!(says(&m, "api", "shop/b", "80"), "allowed");
}

#[test]
fn case_11_a_type_may_stand_twice() {
    assert_eq!(isolated(&shop("{policyTypes: [Ingress, Ingress]}")), (Tri::Yes, Tri::No));
    assert_eq!(refusal("{policyTypes: [Ingress, Ingress, Egress]}"), "there are two policy types at most @ Egress");
}

#[test]
fn case_12_other_policy_types_are_refused() {
    for word in ["ingress", "Both", "1"] {
        let text = refusal(&format!("{{policyTypes: [{word}]}}"));
        assert_eq!(text, format!("a policy type is Ingress or Egress @ {word}"));
    }
}

#[test]
fn case_13_missing_and_empty_rules_both_deny_all() {
    for rules in ["", ", ingress: ", ", ingress: null", ", ingress: []"] {
        let m = shop(&format!("{{podSelector: {{}}, policyTypes: [Ingress]{rules}}}"));
        assert_eq!(says(&m, "shop/a", "shop/b", "80"), "ingress blocked by p", "{rules}");
    }
}

#[test]
fn case_14_an_empty_rule_allows_everything() {
    for rule in ["{}", "null", "~"] {
        let m = shop(&format!("{{podSelector: {{}}, ingress: [{rule}]}}"));
        assert_eq!(says(&m, "shop/a", "shop/b", "80/UDP"), "allowed");
        assert_eq!(says(&m, "api", "shop/b", "80"), "allowed");
    }
}

#[test]
fn case_15_an_empty_peer_is_refused() {
    for peer in ["{}", "{podSelector: null}", "null", "{pods: {}}"] {
        assert!(refusal(&format!("{{ingress: [{{from: [{peer}]}}]}}")).starts_with("a peer needs"), "{peer}");
    }
}

#[test]
fn case_16_missing_peers_are_any_source() {
    for from in ["", "from: null, ", "from: [], "] {
        let m = shop(&format!("{{ingress: [{{{from}ports: [{{port: 80}}]}}]}}"));
        for source in ["shop/a", "api", "8.8.8.8/32", "stranger"] {
            assert_eq!(says(&m, source, "shop/b", "80"), "allowed", "{source}");
        }
    }
}

#[test]
fn case_17_policies_add_up() {
    let m = mesh(&[
        deploy_a(),
        deployment("shop/b", "{app: b}"),
        deployment("shop/c", "{app: c}"),
        deny("shop/zz"),
        policy(
            "shop/aa",
            "{podSelector: {matchLabels: {app: b}}, ingress: [{from: [{podSelector: {matchLabels: {app: a}}}]}]}",
        ),
    ]);
    assert_eq!(says(&m, "shop/a", "shop/b", "80"), "allowed");
    assert_eq!(says(&m, "shop/c", "shop/b", "80"), "ingress blocked by aa, zz");
    assert_eq!(says(&m, "shop/a", "shop/c", "80"), "ingress blocked by zz");
}

#[test]
fn case_18_the_sources_own_egress_counts() {
    let m = mesh(&[
        deploy_a(),
        deployment("pay/b", "{app: b}"),
        policy("pay/open", "{ingress: [{}]}"),
        policy("shop/closed", "{policyTypes: [Egress]}"),
    ]);
    assert_eq!(says(&m, "shop/a", "pay/b", "80"), "egress blocked by closed");
    let m =
        mesh(&[deploy_a(), deployment("pay/b", "{}"), policy("shop/out", "{policyTypes: [Egress]}"), deny("pay/in")]);
    assert_eq!(says(&m, "shop/a", "pay/b", "80"), "egress blocked by out");
}

#[test]
fn case_21_pods_of_one_owner_are_judged_one_by_one() {
    let pod = |name: &str, labels: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: shop, labels: {labels}, ownerReferences: [{{kind: ReplicaSet, name: x}}]}}\n"
        )
    };
    let m = mesh(&[
        pod("one", "{app: b}"),
        pod("two", "{app: b, canary: \"1\"}"),
        policy("shop/p", "{podSelector: {matchExpressions: [{key: canary, operator: Exists}]}}"),
    ]);
    assert_eq!(says(&m, "shop/two", "shop/one", "80"), "allowed");
    assert_eq!(says(&m, "shop/one", "shop/two", "80"), "ingress blocked by p");
}

#[test]
fn case_22_the_old_api_has_no_effect() {
    let m = mesh(&[deploy_a(), deny("shop/p").replace("networking.k8s.io/v1", "extensions/v1beta1")]);
    assert_eq!(says(&m, "shop/a", "shop/a", "80"), "allowed");
}

#[test]
fn case_23_without_support_policies_have_no_effect() {
    let m = mesh_on(Some("none"), &[deploy_a(), deny("shop/p")]);
    assert_eq!(says(&m, "shop/a", "shop/a", "80"), "allowed");
    assert_eq!(m.isolated(id(&m, "shop/a"), Direction::Ingress), Tri::No);
}
