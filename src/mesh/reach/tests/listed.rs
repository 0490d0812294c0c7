//! Ports that policies list: a Service's where the pods listen on another.

use super::*;

fn service(spec: &str) -> String {
    workload("v1", "Service", "shop/cart", spec)
}

/// The ports that are a Service's, as `80 for 8080`.
fn found(documents: &[String]) -> Vec<String> {
    let mesh = mesh(documents);
    let policies: Vec<_> = mesh.of_kind("networking.k8s.io", "NetworkPolicy").collect();
    let all = policies.into_iter().flat_map(|id| mesh.service_ports_in(id));
    all.map(|p| format!("{} for {}", mesh.trees.node(p.place).text().unwrap(), p.pod_port)).collect()
}

fn cart(ports: &str) -> String {
    deployment_with("shop/cart", "{app: cart}", &format!("{{containers: [{{name: c, ports: [{ports}]}}]}}"))
}

const TO_8080: &str = "{selector: {app: cart}, ports: [{port: 80, targetPort: 8080}]}";

#[test]
fn a_services_port_in_a_policy_opens_nothing() {
    let ask = |spec: &str, service_spec: &str, ports: &str| {
        found(&[cart(ports), service(service_spec), policy("shop/p", spec)])
    };
    let rule = "{ingress: [{ports: [{port: 80}]}]}";
    assert_eq!(ask(rule, TO_8080, "{containerPort: 8080}"), ["80 for 8080"]);
    assert_eq!(ask(rule, TO_8080, ""), ["80 for 8080"]);
    assert!(ask(rule, TO_8080, "{containerPort: 80}").is_empty());
    assert!(ask(rule, "{selector: {app: cart}, ports: [{port: 80}]}", "").is_empty());
    assert!(ask("{ingress: [{ports: [{port: 80}, {port: 8080}]}]}", TO_8080, "").is_empty());
    assert!(ask("{ingress: [{ports: [{port: 80, endPort: 90}]}]}", TO_8080, "").is_empty());
    let split = "{ingress: [{ports: [{port: 80}]}, {from: [{podSelector: {}}], ports: [{port: 8080}]}]}";
    assert!(ask(split, TO_8080, "").is_empty());
    let both = "{selector: {app: cart}, ports: [{port: 80, targetPort: 8080}, {port: 81, targetPort: 80}]}";
    assert!(ask(rule, both, "").is_empty());
}

#[test]
fn calls_to_chosen_pods_are_asked_like_it() {
    let ask = |to: &str, ports: &str| {
        let spec = format!(
            "{{podSelector: {{matchLabels: {{app: web}}}}, policyTypes: [Egress], egress: [{{to: [{to}], ports: [{ports}]}}]}}"
        );
        let web = deployment_with("shop/web", "{app: web}", "{}");
        found(&[cart(""), web, service(TO_8080), policy("shop/p", &spec)])
    };
    let cart = "{podSelector: {matchLabels: {app: cart}}}";
    assert_eq!(ask(cart, "{port: 80}"), ["80 for 8080"]);
    assert!(ask(cart, "{port: 8080}").is_empty());
    assert!(ask("{podSelector: {}}", "{port: 80}").is_empty());
    assert!(ask("{namespaceSelector: {}}", "{port: 80}").is_empty());
}
