//! Cases 24 to 40: whom selectors mean.

use super::*;

/// `b` in shop lets in what the peers say; `a` runs in shop, `c` in pay (team: money), `d` in a
/// namespace that was not read.
pub(super) fn from(peers: &str) -> Mesh {
    mesh(&[
        namespace("shop", "{team: web}"),
        namespace("pay", "{team: money}"),
        deployment("shop/a", "{app: a}"),
        deployment("shop/b", "{app: b}"),
        deployment("pay/c", "{app: a}"),
        deployment("dark/d", "{app: a}"),
        policy("shop/p", &format!("{{podSelector: {{matchLabels: {{app: b}}}}, ingress: [{{from: {peers}}}]}}")),
    ])
}

pub(super) const BLOCKED: &str = "ingress blocked by p";

/// The answers for `a`, `c`, `d`, as letters: yes, no, unknown.
fn who(peers: &str) -> String {
    let m = from(peers);
    assert!(m.reach.refused().is_empty(), "{peers}: {:?}", m.reach.refused());
    ["shop/a", "pay/c", "dark/d"]
        .map(|source| match says(&m, source, "shop/b", "80").as_str() {
            "allowed" => 'y',
            BLOCKED => 'n',
            "depends: namespace-labels-unknown" => '?',
            other => panic!("{other}"),
        })
        .iter()
        .collect()
}

#[test]
fn case_24_a_pod_selector_alone_is_the_own_namespace() {
    assert_eq!(who("[{podSelector: {matchLabels: {app: a}}}]"), "ynn");
}

#[test]
fn case_25_an_empty_pod_selector_is_all_of_the_own_namespace() {
    assert_eq!(who("[{podSelector: {}}]"), "ynn");
}

#[test]
fn case_26_a_namespace_selector_alone_is_all_its_pods() {
    assert_eq!(who("[{namespaceSelector: {matchLabels: {team: money}}}]"), "ny?");
}

#[test]
fn case_27_an_empty_namespace_selector_is_all_pods_but_nothing_else() {
    assert_eq!(who("[{namespaceSelector: {}}]"), "yyy");
    let m = from("[{namespaceSelector: {}}]");
    assert_eq!(says(&m, "api", "shop/b", "80"), BLOCKED);
    assert_eq!(says(&m, "8.8.8.8/32", "shop/b", "80"), BLOCKED);
}

#[test]
fn case_28_both_selectors_in_one_item_must_match() {
    assert_eq!(who("[{namespaceSelector: {matchLabels: {team: web}}, podSelector: {matchLabels: {app: b}}}]"), "nnn");
    assert_eq!(who("[{namespaceSelector: {matchLabels: {team: web}}, podSelector: {matchLabels: {app: a}}}]"), "yn?");
}

#[test]
fn case_29_two_items_are_an_or() {
    assert_eq!(
        who("[{namespaceSelector: {matchLabels: {team: money}}}, {podSelector: {matchLabels: {app: a}}}]"),
        "yy?"
    );
}

#[test]
fn case_30_a_null_selector_is_absent() {
    assert_eq!(who("[{namespaceSelector: {matchLabels: {team: money}}, podSelector: null}]"), "ny?");
}

#[test]
fn case_31_labels_and_expressions_must_all_match() {
    let expression = "matchExpressions: [{key: team, operator: In, values: [web, money]}]";
    assert_eq!(who(&format!("[{{namespaceSelector: {{matchLabels: {{team: web}}, {expression}}}}}]")), "yn?");
}

#[test]
fn case_32_not_in_and_does_not_exist_match_without_the_key() {
    assert_eq!(who("[{podSelector: {matchExpressions: [{key: x, operator: NotIn, values: [v]}]}}]"), "ynn");
    assert_eq!(who("[{podSelector: {matchExpressions: [{key: x, operator: DoesNotExist}]}}]"), "ynn");
}

#[test]
fn case_33_in_does_not_match_without_the_key() {
    assert_eq!(who("[{podSelector: {matchExpressions: [{key: x, operator: In, values: [v]}]}}]"), "nnn");
}

#[test]
fn case_34_malformed_selectors_are_refused() {
    for selector in [
        "{matchExpressions: [{key: a, operator: In, values: []}]}",
        "{matchExpressions: [{key: a, operator: NotIn}]}",
        "{matchExpressions: [{key: a, operator: Exists, values: [b]}]}",
        "{matchExpressions: [{key: a, operator: exists}]}",
        "{matchExpressions: [{operator: Exists}]}",
        "{matchExpressions: {key: a}}",
        "{matchLabels: {app: \"with space\"}}",
        "{matchLabels: {app: 1}}",
        "{matchLabels: {app: true}}",
        "{matchLabels: {app: {}}}",
        "{matchLabels: {\"a/b/c\": x}}",
        "{matchLabels: {\"Upper.Domain/x\": x}}",
        "{matchLabels: {-x: x}}",
        "{matchLabels: [app]}",
        "app",
    ] {
        refusal(&format!("{{podSelector: {selector}}}"));
        refusal(&format!("{{ingress: [{{from: [{{namespaceSelector: {selector}}}]}}]}}"));
    }
    assert!(accepted("{podSelector: {matchLabels: {example.com/App_1.x: \"\", b: }}}"));
}

#[test]
fn case_35_every_namespace_has_its_name_as_a_label() {
    assert_eq!(who("[{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: pay}}}]"), "nyn");
}

#[test]
fn case_36_the_true_name_wins() {
    let m = mesh(&[
        namespace("pay", "{kubernetes.io/metadata.name: shop}"),
        deployment("pay/c", "{}"),
        deployment("shop/b", "{}"),
        policy(
            "shop/p",
            "{ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}]}]}",
        ),
    ]);
    assert_eq!(says(&m, "pay/c", "shop/b", "80"), BLOCKED);
}

#[test]
fn case_37_the_name_decides_for_a_namespace_that_was_not_read() {
    assert_eq!(who("[{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: dark}}}]"), "nny");
}

#[test]
fn case_38_other_labels_of_such_a_namespace_are_unknown() {
    assert_eq!(who("[{namespaceSelector: {matchExpressions: [{key: x, operator: NotIn, values: [v]}]}}]"), "yy?");
    assert_eq!(who("[{namespaceSelector: {matchLabels: {x: v}}}]"), "nn?");
}

#[test]
fn case_39_labels_that_platforms_set_are_unknown_unless_written() {
    for key in [
        "pod-security.kubernetes.io/enforce",
        "field.cattle.io/projectId",
        "network.openshift.io/policy-group",
        "policy-group.network.openshift.io/ingress",
    ] {
        assert_eq!(who(&format!("[{{namespaceSelector: {{matchLabels: {{{key}: x}}}}}}]")), "???", "{key}");
    }
    let m = mesh(&[
        namespace("pay", "{field.cattle.io/projectId: p1}"),
        deployment("pay/c", "{}"),
        deployment("shop/b", "{}"),
        policy("shop/p", "{ingress: [{from: [{namespaceSelector: {matchLabels: {field.cattle.io/projectId: p2}}}]}]}"),
    ]);
    assert_eq!(says(&m, "pay/c", "shop/b", "80"), BLOCKED);
}

#[test]
fn case_40_a_peer_that_matches_nothing_allows_nothing() {
    assert_eq!(who("[{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: gone}}}]"), "nnn");
}
