//! Cases 77 to 84: traffic that policies do not decide, and addresses that are easily forgotten.

use super::*;

fn closed(cni: Option<&str>) -> Mesh {
    mesh_on(
        cni,
        &[
            deployment("shop/a", "{app: a}"),
            "apiVersion: v1\nkind: Pod\nmetadata: {name: lone, namespace: shop}\nspec: {}\n".to_string(),
            policy("shop/p", "{policyTypes: [Ingress, Egress]}"),
        ],
    )
}

#[test]
fn case_77_loopback_never_leaves_the_pod() {
    assert_eq!(says(&closed(None), "shop/a", "127.0.0.1/32", "80"), "allowed");
    assert_eq!(says(&closed(None), "shop/a", "::1/128", "80"), "allowed");
}

#[test]
fn case_78_a_pod_to_itself_is_undefined() {
    assert_eq!(says(&closed(None), "shop/lone", "shop/lone", "80"), "depends: loopback");
    let m =
        mesh(&[workload("apps/v1", "Deployment", "shop/a", "{replicas: 1, template: {metadata: {}}}"), deny("shop/p")]);
    assert_eq!(says(&m, "shop/a", "shop/a", "80"), "depends: loopback");
}

#[test]
fn case_79_replicas_are_ordinary_pods() {
    assert_eq!(says(&closed(None), "shop/a", "shop/a", "80"), "egress blocked by p");
}

#[test]
fn case_80_a_pods_own_node_is_always_let_in() {
    assert_eq!(says(&closed(None), "node", "shop/a", "80"), "allowed");
    assert_eq!(says(&closed(None), "shop/a", "node", "10250"), "allowed");
}

#[test]
fn case_81_another_node_is_an_address() {
    let m = mesh(&[deployment("shop/a", "{}"), policy("shop/p", "{ingress: [{from: [{namespaceSelector: {}}]}]}")]);
    assert_eq!(says(&m, "10.0.0.4/32", "shop/a", "80"), "ingress blocked by p");
}

#[test]
fn case_82_probes_of_ambient_pods_come_from_an_address() {
    for probe in ["169.254.7.127/32", "fd16:9254:7127:1337:ffff:ffff:ffff:ffff/128"] {
        assert_eq!(says(&closed(None), probe, "shop/a", "80"), "depends: ambient-probe");
        assert_eq!(says(&closed(Some("cilium")), probe, "shop/a", "80"), "ingress blocked by p");
        let rule = policy("shop/p", &format!("{{ingress: [{{from: [{{ipBlock: {{cidr: \"{probe}\"}}}}]}}]}}"));
        let m = mesh(&[deployment("shop/a", "{}"), rule]);
        assert_eq!(says(&m, probe, "shop/a", "80"), "allowed");
    }
}

#[test]
fn case_83_a_dns_cache_on_the_node_is_no_pod() {
    let dns = "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}, podSelector: {matchLabels: {k8s-app: kube-dns}}}";
    let to = |peers: &str| {
        mesh(&[
            deployment("shop/a", "{}"),
            policy("shop/p", &format!("{{egress: [{{to: [{peers}], ports: [{{port: 53, protocol: UDP}}]}}]}}")),
        ])
    };
    assert_eq!(says(&to(dns), "shop/a", "169.254.20.10/32", "53/UDP"), "egress blocked by p");
    let both = format!("{dns}, {{ipBlock: {{cidr: 169.254.20.10/32}}}}");
    assert_eq!(says(&to(&both), "shop/a", "169.254.20.10/32", "53/UDP"), "allowed");
}

#[test]
fn case_84_dns_on_openshift_has_another_pod_port() {
    let m = mesh(&[
        deployment("shop/a", "{}"),
        deployment("openshift-dns/dns", "{}"),
        policy("shop/p", "{policyTypes: [Egress], egress: [{ports: [{port: 53, protocol: UDP}]}]}"),
    ]);
    assert_eq!(says(&m, "shop/a", "openshift-dns/dns", "5353/UDP"), "egress blocked by p");
}
