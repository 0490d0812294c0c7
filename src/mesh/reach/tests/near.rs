//! The nearest miss, its place, and groups of blocked connections.

use super::*;

/// The nearest miss of a blocked connection as a text: policy, kind, what stands there, words.
fn near(mesh: &Mesh, from: &str, to: &str, on: &str) -> String {
    let Verdict::Blocked(block) = mesh.reach(end(mesh, from), end(mesh, to), port(on)) else {
        panic!("{}", says(mesh, from, to, on))
    };
    let Some(miss) = block.nearest else {
        return "none".to_string();
    };
    let span = mesh.trees.node(miss.place).place();
    let text = &mesh.trees.tree(miss.place.tree).text()[span.start as usize..span.end as usize];
    format!("{:?} @ {text}: {}", miss.kind, miss.text)
}

const ISTIOD: &str = "{containers: [{name: discovery, ports: [{name: https-webhook, containerPort: 15017}]}]}";

fn istiod(ingress: &str, service: &str) -> Mesh {
    mesh(&[
        deployment_with("istio-system/istiod", "{app: istiod}", ISTIOD),
        deployment("shop/cart", "{app: cart}"),
        workload("v1", "Service", "istio-system/istiod", &format!("{{selector: {{app: istiod}}, ports: [{service}]}}")),
        policy("istio-system/p", &format!("{{podSelector: {{matchLabels: {{app: istiod}}}}, ingress: [{ingress}]}}")),
    ])
}

#[test]
fn case_70_the_services_port_instead_of_the_pods() {
    let m = istiod("{ports: [{port: 15012}, {port: 443}]}", "{port: 443, targetPort: 15017}");
    let text = "ServicePort @ 443: 443 is the Service's port; a policy sees the pod's, 15017";
    assert_eq!(near(&m, "api", "istio-system/istiod", "15017"), text);
}

#[test]
fn case_71_a_services_target_may_be_a_name() {
    let m = istiod("{ports: [{port: 443}]}", "{port: 443, targetPort: https-webhook}");
    assert!(near(&m, "api", "istio-system/istiod", "15017").starts_with("ServicePort @ 443"));
    let m = istiod("{ports: [{port: 443}]}", "{port: 443, targetPort: absent}");
    assert_eq!(near(&m, "api", "istio-system/istiod", "15017"), "Port @ 443: opens 443/TCP, not 15017/TCP");
}

#[test]
fn case_72_a_service_without_target_has_the_pods_port() {
    let m = istiod("{ports: [{port: 443}]}", "{port: 443}");
    assert_eq!(says(&m, "api", "istio-system/istiod", "443"), "allowed");
    assert!(near(&m, "api", "istio-system/istiod", "15017").starts_with("Port @"));
}

#[test]
fn case_47_selectors_where_the_source_is_the_api_server() {
    let m = istiod("{from: [{namespaceSelector: {}}], ports: [{port: 15017}]}", "{port: 443, targetPort: 15017}");
    assert_eq!(
        near(&m, "api", "istio-system/istiod", "15017"),
        "NotAPod @ namespaceSelector: only pods match these selectors; the API server is no pod"
    );
    // Wrong peers and wrong ports together are no near miss.
    let m = istiod("{from: [{namespaceSelector: {}}], ports: [{port: 443}]}", "{port: 443, targetPort: 15017}");
    assert_eq!(near(&m, "api", "istio-system/istiod", "15017"), "none");
}

#[test]
fn case_55_the_other_protocol() {
    let m = istiod("{ports: [{port: 80}, {port: 53}]}", "");
    assert_eq!(near(&m, "shop/cart", "istio-system/istiod", "53/UDP"), "Protocol @ 53: opens TCP, not UDP");
}

#[test]
fn case_24_a_pod_selector_without_the_namespace() {
    let m = istiod("{from: [{podSelector: {matchLabels: {app: cart}}}]}", "");
    assert_eq!(
        near(&m, "shop/cart", "istio-system/istiod", "15012"),
        "OwnNamespace @ podSelector: a podSelector alone means pods of the policy's own namespace, istio-system; shop/cart is in shop"
    );
}

#[test]
fn another_namespace_or_other_labels() {
    let m = istiod("{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: pay}}}]}", "");
    assert_eq!(
        near(&m, "shop/cart", "istio-system/istiod", "15012"),
        "Namespace @ pay: asks for kubernetes.io/metadata.name=pay; namespace shop has kubernetes.io/metadata.name=shop"
    );
    let m = istiod("{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: card}}}]}", "");
    assert_eq!(
        near(&m, "shop/cart", "istio-system/istiod", "15012"),
        "PodLabels @ card: asks for app=card; shop/cart has app=cart"
    );
    let m = istiod(
        "{from: [{namespaceSelector: {}, podSelector: {matchExpressions: [{key: mesh, operator: Exists}]}}]}",
        "",
    );
    assert!(
        near(&m, "shop/cart", "istio-system/istiod", "15012")
            .ends_with("asks for a label mesh; shop/cart has no such label")
    );
}

#[test]
fn case_04_the_label_is_on_the_deployment() {
    let m = mesh(&[
        deployment("shop/a", "{app: a}").replace("name: a,", "name: a, labels: {tier: web},"),
        deployment("shop/b", "{app: b}"),
        policy(
            "shop/p",
            "{podSelector: {matchLabels: {app: b}}, ingress: [{from: [{podSelector: {matchLabels: {tier: web}}}]}]}",
        ),
    ]);
    assert!(near(&m, "shop/a", "shop/b", "80").ends_with("; the label is on the Deployment, not on its pods"));
}

#[test]
fn names_and_addresses_that_miss() {
    let m = istiod("{ports: [{port: https-webhook}]}", "");
    assert!(
        near(&m, "shop/cart", "istio-system/istiod", "80")
            .ends_with("\"https-webhook\" of istio-system/istiod is 15017/TCP, not 80/TCP")
    );
    let m = istiod("{ports: [{port: grpc}]}", "");
    assert!(
        near(&m, "shop/cart", "istio-system/istiod", "80")
            .ends_with("no TCP port of istio-system/istiod has the name \"grpc\"")
    );
    let egress = |block: &str| {
        let m = mesh(&[
            deployment("shop/a", "{}"),
            policy("shop/p", &format!("{{egress: [{{to: [{{ipBlock: {block}}}]}}]}}")),
        ]);
        near(&m, "shop/a", "10.1.0.1/32", "443")
    };
    assert_eq!(egress("{cidr: 11.0.0.0/8}"), "Address @ ipBlock: 10.1.0.1/32 is not in 11.0.0.0/8");
    assert!(
        egress("{cidr: 10.0.0.0/8, except: [10.1.0.0/16]}")
            .ends_with("10.1.0.0/16 is left out of 10.0.0.0/8, and 10.1.0.1/32 with it")
    );
}

#[test]
fn the_isolating_place_is_the_selector_else_the_types_else_the_spec() {
    for (spec, text) in [
        ("{policyTypes: [Ingress], podSelector: {}}", "podSelector"),
        ("{policyTypes: [Ingress]}", "policyTypes"),
        ("{ingress: []}", "spec"),
    ] {
        let m = mesh(&[deployment("shop/a", "{}"), policy("shop/p", spec)]);
        let a = end(&m, "shop/a");
        let Verdict::Blocked(block) = m.reach(a, a, port("80")) else { panic!() };
        let span = m.trees.node(block.isolating_place).place();
        assert_eq!(&m.trees.tree(block.isolating_place.tree).text()[span.start as usize..span.end as usize], text);
    }
}

#[test]
fn blocked_connections_are_grouped_by_what_blocks_them() {
    let m = mesh(&[
        deployment("a/one", "{}"),
        deployment("a/two", "{}"),
        deployment("b/one", "{}"),
        deployment("c/one", "{}"),
        deployment_with("d/host", "{}", "{hostNetwork: true}"),
        deployment("istio-system/istiod", "{}"),
        policy("a/out", "{policyTypes: [Egress]}"),
        policy("b/out", "{policyTypes: [Egress]}"),
        policy("d/out", "{policyTypes: [Egress]}"),
        policy("istio-system/in", "{ingress: [{from: [{namespaceSelector: {}}], ports: [{port: 15012}]}]}"),
    ]);
    let mut sources: Vec<_> = ["d/host", "c/one", "b/one", "a/two", "a/one", "a/one"].map(|n| end(&m, n)).to_vec();
    sources.push(Peer::ApiServer);
    let blocked = m.blocked(&sources, &[end(&m, "istio-system/istiod")], port("15012"));
    let groups: Vec<_> = blocked.groups.iter().map(|g| (g.block.side, g.sources.len(), g.destinations.len())).collect();
    assert_eq!(groups, [(Direction::Egress, 2, 1), (Direction::Egress, 1, 1), (Direction::Ingress, 1, 1)]);
    assert_eq!(blocked.groups[0].sources, ["a/one", "a/two"].map(|n| end(&m, n)));
    assert_eq!((blocked.undecided, blocked.depends), (1, vec![Reason::HostNetwork]));
}

#[test]
fn what_one_policy_blocks_is_one_group_whatever_stands_beside_it() {
    let own = |name: &str, egress: &str| {
        policy(
            &format!("shop/{name}"),
            &format!("{{podSelector: {{matchLabels: {{app: {name}}}}}, policyTypes: [Egress], egress: [{egress}]}}"),
        )
    };
    let groups = |a: &str, b: &str| {
        let m = mesh(&[
            deployment("shop/a", "{app: a}"),
            deployment("shop/b", "{app: b}"),
            deployment("dns/c", "{app: c}"),
            policy("shop/deny", "{policyTypes: [Egress]}"),
            own("a", a),
            own("b", b),
        ]);
        let from = ["shop/a", "shop/b"].map(|name| end(&m, name));
        let blocked = m.blocked(&from, &[end(&m, "dns/c")], port("53/UDP"));
        let names = |g: &BlockGroup| g.block.isolating.iter().map(|id| m.resource(*id).name.to_string()).collect();
        blocked.groups.iter().map(names).collect::<Vec<Vec<String>>>()
    };
    let elsewhere = "{to: [{podSelector: {matchLabels: {app: x}}}], ports: [{port: 80}]}";
    assert_eq!(groups(elsewhere, elsewhere), [["deny"]]);
    // A rule that lacks one thing is a cause of its own.
    assert_eq!(groups("{ports: [{port: 53}]}", elsewhere), [["deny", "b"], ["a", "deny"]]);
}
