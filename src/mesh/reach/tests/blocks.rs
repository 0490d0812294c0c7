//! Cases 41 to 54: addresses, and ends that selectors do not reach.

use super::peers::{BLOCKED, from};
use super::*;

fn to(blocks: &str) -> Mesh {
    mesh(&[
        deployment("shop/a", "{app: a}"),
        deployment("shop/b", "{app: b}"),
        policy("shop/p", &format!("{{policyTypes: [Egress], egress: [{{to: {blocks}}}]}}")),
    ])
}

#[test]
fn case_41_except_is_a_hole_and_no_deny() {
    let m = to("[{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}]");
    assert_eq!(says(&m, "shop/a", "10.2.0.1/32", "443"), "allowed");
    assert_eq!(says(&m, "shop/a", "10.1.0.1/32", "443"), "egress blocked by p");
    assert_eq!(says(&m, "shop/a", "11.0.0.1/32", "443"), "egress blocked by p");
    assert_eq!(says(&m, "shop/a", "10.0.0.0/12", "443"), "depends: part-of-range");
    let m = to("[{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}, {ipBlock: {cidr: 10.1.0.1/32}}]");
    assert_eq!(says(&m, "shop/a", "10.1.0.1/32", "443"), "allowed");
}

#[test]
fn case_42_malformed_blocks_are_refused() {
    for block in [
        "{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}",
        "{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}}",
        "{ipBlock: {cidr: 10.0.0.0/8, except: [0.0.0.0/0]}}",
        "{ipBlock: {cidr: 10.0.0.0/8, except: [fd00::/16]}}",
        "{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}",
        "{ipBlock: {except: [10.0.0.0/8]}}",
        "{ipBlock: {}}",
        "{ipBlock: {cidr: 10.0.0.1}}",
        "{ipBlock: {cidr: }}",
        "{ipBlock: 10.0.0.0/8}",
    ] {
        refusal(&format!("{{ingress: [{{from: [{block}]}}]}}"));
    }
}

#[test]
fn case_43_a_block_may_cover_pods() {
    assert_eq!(says(&to("[{ipBlock: {cidr: 10.0.0.0/8}}]"), "shop/a", "shop/b", "80"), "depends: ipblock-vs-pod");
    // No pod has a link-local address.
    assert_eq!(says(&to("[{ipBlock: {cidr: 169.254.169.254/32}}]"), "shop/a", "shop/b", "80"), "egress blocked by p");
    let cilium = mesh_on(
        Some("cilium"),
        &[deployment("shop/a", "{}"), policy("shop/p", "{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}")],
    );
    assert_eq!(says(&cilium, "shop/a", "shop/a", "80"), BLOCKED);
}

#[test]
fn case_44_all_of_one_family_is_not_the_other() {
    let m = to("[{ipBlock: {cidr: 0.0.0.0/0}}]");
    assert_eq!(says(&m, "shop/a", "8.8.8.8/32", "443"), "allowed");
    assert_eq!(says(&m, "shop/a", "2001:db8::1/128", "443"), "egress blocked by p");
    assert_eq!(says(&m, "shop/a", "shop/b", "443"), "depends: ipblock-vs-pod");
}

#[test]
fn case_45_the_address_of_an_outside_client_may_be_rewritten() {
    assert_eq!(says(&from("[{ipBlock: {cidr: 8.8.8.0/24}}]"), "8.8.8.8/32", "shop/b", "80"), "depends: source-address");
    assert_eq!(says(&from("[{ipBlock: {cidr: 9.0.0.0/8}}]"), "8.8.8.8/32", "shop/b", "80"), "depends: source-address");
    assert_eq!(says(&from("[{ipBlock: {cidr: 0.0.0.0/0}}]"), "8.8.8.8/32", "shop/b", "80"), "allowed");
    assert_eq!(says(&from("[]"), "8.8.8.8/32", "shop/b", "80"), "allowed");
}

#[test]
fn case_46_a_block_of_service_addresses_is_not_counted_as_allowing_pods() {
    assert_eq!(says(&to("[{ipBlock: {cidr: 10.96.0.0/12}}]"), "shop/a", "shop/b", "80"), "depends: ipblock-vs-pod");
}

#[test]
fn case_47_no_selector_matches_the_api_server_as_source() {
    for peers in
        ["[{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}]", "[{podSelector: {}}]"]
    {
        assert_eq!(says(&from(peers), "api", "shop/b", "15017"), BLOCKED);
    }
    assert_eq!(says(&from("[]"), "api", "shop/b", "15017"), "allowed");
    assert_eq!(says(&from("[{ipBlock: {cidr: 0.0.0.0/0}}]"), "api", "shop/b", "15017"), "allowed");
    assert_eq!(says(&from("[{ipBlock: {cidr: \"::/0\"}}]"), "api", "shop/b", "15017"), "allowed");
    assert_eq!(says(&from("[{ipBlock: {cidr: 10.0.0.0/8}}]"), "api", "shop/b", "15017"), "depends: api-server-address");
    assert_eq!(
        says(&from("[{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]"), "api", "shop/b", "15017"),
        "depends: api-server-address"
    );
}

#[test]
fn case_48_no_selector_matches_the_api_server_as_destination() {
    assert_eq!(
        says(
            &to("[{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}]"),
            "shop/a",
            "api",
            "6443"
        ),
        "egress blocked by p"
    );
    assert_eq!(says(&to("[]"), "shop/a", "api", "6443"), "allowed");
    assert_eq!(says(&to("[{ipBlock: {cidr: 172.16.0.0/12}}]"), "shop/a", "api", "6443"), "depends: api-server-address");
    assert_eq!(says(&from("[]"), "shop/b", "api", "6443"), "allowed");
    let m = mesh(&[deployment("shop/a", "{}"), policy("shop/p", "{egress: [{ports: [{port: 443}]}]}")]);
    assert_eq!(says(&m, "shop/a", "api", "6443"), "egress blocked by p");
}

fn with_host(spec: &str) -> Mesh {
    mesh(&[
        deployment_with("shop/host", "{app: h}", "{hostNetwork: true, containers: [{name: main}]}"),
        deployment("shop/b", "{app: b}"),
        policy("shop/p", spec),
    ])
}

#[test]
fn case_49_a_policy_may_have_no_effect_on_the_nodes_network() {
    let m = with_host("{podSelector: {matchLabels: {app: h}}}");
    assert_eq!(says(&m, "shop/b", "shop/host", "80"), "depends: hostnetwork");
    assert_eq!(m.isolated(id(&m, "shop/host"), Direction::Ingress), crate::mesh::selector::Tri::Unknown);
    // Whatever the plugin does, a policy that allows it does not block it.
    let m = with_host("{podSelector: {matchLabels: {app: h}}, ingress: [{}]}");
    assert_eq!(says(&m, "shop/b", "shop/host", "80"), "allowed");
    let m = with_host("{podSelector: {matchLabels: {app: b}}}");
    assert_eq!(says(&m, "shop/b", "shop/host", "80"), "allowed");
}

#[test]
fn case_50_selectors_may_not_match_the_nodes_network() {
    let m = with_host("{podSelector: {matchLabels: {app: b}}, ingress: [{from: [{podSelector: {}}]}]}");
    assert_eq!(says(&m, "shop/host", "shop/b", "80"), "depends: hostnetwork");
    let m = with_host("{podSelector: {matchLabels: {app: b}}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}");
    assert_eq!(says(&m, "shop/host", "shop/b", "80"), "depends: hostnetwork");
    let m = with_host("{podSelector: {matchLabels: {app: b}}}");
    assert_eq!(says(&m, "shop/host", "shop/b", "80"), BLOCKED);
}

#[test]
fn case_51_an_ingress_controller_on_the_nodes_network() {
    let m = mesh(&[
        deployment_with("ingress-nginx/nginx", "{}", "{hostNetwork: true, containers: [{name: main}]}"),
        deployment("shop/b", "{}"),
        policy(
            "shop/p",
            "{ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress-nginx}}}]}]}",
        ),
    ]);
    assert_eq!(says(&m, "ingress-nginx/nginx", "shop/b", "80"), "depends: hostnetwork");
}

#[test]
fn case_52_each_pod_behind_a_service_has_its_own_answer() {
    let m = mesh(&[
        deployment("shop/a", "{}"),
        deployment("shop/old", "{app: x, version: v1}"),
        deployment("shop/new", "{app: x, version: v2}"),
        policy("shop/p", "{podSelector: {matchLabels: {version: v2}}}"),
    ]);
    let all = ["shop/old", "shop/new"].map(|name| end(&m, name));
    let blocked = m.blocked(&[end(&m, "shop/a")], &all, port("80"));
    assert_eq!(blocked.groups.len(), 1);
    assert_eq!(blocked.groups[0].destinations, [end(&m, "shop/new")]);
}

#[test]
fn case_53_an_external_name_is_an_address_outside() {
    assert_eq!(says(&to("[{namespaceSelector: {}}]"), "shop/a", "8.8.8.8/32", "443"), "egress blocked by p");
}

#[test]
fn case_54_a_pod_that_was_not_read_is_let_in_by_rules_for_all_pods() {
    assert_eq!(says(&from("[{namespaceSelector: {}}]"), "stranger", "shop/b", "80"), "allowed");
    assert_eq!(says(&from("[{namespaceSelector: {}, podSelector: {}}]"), "stranger", "shop/b", "80"), "allowed");
    assert_eq!(says(&from("[{podSelector: {}}]"), "stranger", "shop/b", "80"), "depends: unknown-pod");
    assert_eq!(says(&from("[]"), "shop/a", "stranger", "80"), "depends: unknown-pod");
    let m = mesh(&[deployment("shop/b", "{}"), deny("shop/p")]);
    assert_eq!(says(&m, "stranger", "shop/b", "80"), BLOCKED);
}
