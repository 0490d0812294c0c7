//! Cases 55 to 76: ports and protocols.

use super::*;

/// `b` has a container with ports of which the policy opens some.
fn opens(ports: &str) -> Mesh {
    opens_on(
        "{containers: [{name: main, ports: [{name: http, containerPort: 8080}, {name: dns, containerPort: 5353, protocol: UDP}]}]}",
        ports,
    )
}

fn opens_on(spec: &str, ports: &str) -> Mesh {
    mesh(&[
        namespace("shop", "{}"),
        deployment("shop/a", "{app: a}"),
        deployment_with("shop/b", "{app: b}", spec),
        policy("shop/p", &format!("{{podSelector: {{matchLabels: {{app: b}}}}, ingress: [{{ports: {ports}}}]}}")),
    ])
}

fn open(mesh: &Mesh, on: &str) -> bool {
    match says(mesh, "shop/a", "shop/b", on).as_str() {
        "allowed" => true,
        "ingress blocked by p" => false,
        other => panic!("{on}: {other}"),
    }
}

#[test]
fn case_55_a_missing_protocol_is_tcp() {
    let m = opens("[{port: 53}]");
    assert!(open(&m, "53") && !open(&m, "53/UDP"));
}

#[test]
fn case_56_a_protocol_alone_is_all_its_ports() {
    let m = opens("[{protocol: UDP}]");
    assert!(open(&m, "1/UDP") && open(&m, "65535/UDP") && !open(&m, "53"));
}

#[test]
fn case_57_an_empty_item_is_all_tcp_ports() {
    for item in ["{}", "null"] {
        let m = opens(&format!("[{item}]"));
        assert!(open(&m, "1") && !open(&m, "1/UDP") && !open(&m, "1/SCTP"));
    }
}

#[test]
fn case_58_numbers_out_of_range_are_refused() {
    for item in [
        "port: 0",
        "port: 65536",
        "port: -1",
        "port: 80.5",
        "port: true",
        "port: [80]",
        "port: 80, endPort: 79",
        "port: http, endPort: 90",
        "endPort: 90",
        "port: 80, endPort: 70000",
        "port: 80, endPort: x",
        "port: 80, protocol: tcp",
        "port: 80, protocol: ICMP",
        "protocol: \"\"",
    ] {
        refusal(&format!("{{ingress: [{{ports: [{{{item}}}]}}]}}"));
    }
    // Rules of a direction that is not listed are checked as well.
    refusal("{policyTypes: [Ingress], egress: [{ports: [{port: 0}]}]}");
    refusal("{ingress: {}}");
    refusal("{ingress: [{ports: {port: 80}}]}");
    assert!(accepted("{ingress: [{ports: [{port: 80, endPort: 80}]}]}"));
}

#[test]
fn case_59_a_number_in_quotes_is_refused() {
    let text = refusal("{ingress: [{ports: [{port: \"80\"}]}]}");
    assert_eq!(text, "a number in quotes is a port's name, and names need a letter @ \"80\"");
}

#[test]
fn case_60_malformed_names_are_refused() {
    for name in ["a-name-that-is-long", "HTTP", "a--b", "-a", "a-", "a_b"] {
        refusal(&format!("{{ingress: [{{ports: [{{port: {name}}}]}}]}}"));
    }
    assert!(accepted("{ingress: [{ports: [{port: 8080-tcp}, {port: exactly-15-char}]}]}"));
}

#[test]
fn case_61_a_range_includes_both_ends() {
    let m = opens("[{port: 8000, endPort: 9000}]");
    assert!(open(&m, "8000") && open(&m, "9000") && !open(&m, "7999") && !open(&m, "9001"));
}

#[test]
fn case_62_a_name_is_resolved_on_each_destination() {
    let ports = |number| format!("{{containers: [{{name: main, ports: [{{name: http, containerPort: {number}}}]}}]}}");
    let m = mesh(&[
        deployment("shop/a", "{app: a}"),
        deployment_with("shop/b", "{app: b}", &ports(80)),
        deployment_with("shop/c", "{app: b}", &ports(8080)),
        policy("shop/p", "{podSelector: {matchLabels: {app: b}}, ingress: [{ports: [{port: http}]}]}"),
        policy(
            "shop/q",
            "{podSelector: {matchLabels: {app: a}}, policyTypes: [Egress], egress: [{ports: [{port: http}]}]}",
        ),
    ]);
    assert_eq!(says(&m, "shop/a", "shop/b", "80"), "allowed");
    assert_eq!(says(&m, "shop/a", "shop/c", "8080"), "allowed");
    assert_eq!(says(&m, "shop/a", "shop/b", "8080"), "egress blocked by q");
    assert_eq!(says(&m, "shop/a", "shop/c", "80"), "egress blocked by q");
}

#[test]
fn case_63_a_name_of_several_containers_is_all_of_them() {
    let m = opens_on(
        "{containers: [{name: x, ports: [{name: http, containerPort: 1}]}, {name: y, ports: [{name: http, containerPort: 2}]}]}",
        "[{port: http}]",
    );
    assert!(open(&m, "1") && open(&m, "2") && !open(&m, "3"));
}

#[test]
fn case_64_names_of_native_sidecars_count() {
    let init = |policy: &str| {
        format!(
            "{{initContainers: [{{name: istio-proxy, {policy}ports: [{{name: http-envoy-prom, containerPort: 15090}}]}}], containers: [{{name: main}}]}}"
        )
    };
    assert!(open(&opens_on(&init("restartPolicy: Always, "), "[{port: http-envoy-prom}]"), "15090"));
    assert!(!open(&opens_on(&init(""), "[{port: http-envoy-prom}]"), "15090"));
}

#[test]
fn case_65_the_name_that_injection_adds_needs_injection() {
    use crate::mesh::selector::Tri;
    let mut m = opens("[{port: http-envoy-prom}]");
    let WorkloadId(b) = id(&m, "shop/b");
    for (injected, answer) in
        [(Tri::No, "ingress blocked by p"), (Tri::Yes, "allowed"), (Tri::Unknown, "depends: injection-unknown")]
    {
        m.reach.pods[b as usize].injected = injected;
        assert_eq!(says(&m, "shop/a", "shop/b", "15090"), answer);
        assert_eq!(says(&m, "shop/a", "shop/b", "15020"), "ingress blocked by p");
    }
}

#[test]
fn case_66_a_name_that_a_pod_lacks_matches_nothing() {
    let m = opens("[{port: metrics}, {port: 9090}]");
    assert!(!open(&m, "8080") && open(&m, "9090"));
}

#[test]
fn case_67_a_name_of_another_protocol_does_not_match() {
    assert!(!open(&opens("[{port: dns}]"), "5353"));
    assert!(!open(&opens("[{port: dns}]"), "5353/UDP"));
    assert!(open(&opens("[{port: dns, protocol: UDP}]"), "5353/UDP"));
}

#[test]
fn case_68_addresses_have_no_named_ports() {
    let m = mesh(&[
        deployment("shop/a", "{}"),
        policy("shop/p", "{egress: [{to: [{ipBlock: {cidr: 8.0.0.0/8}}], ports: [{port: https}]}]}"),
    ]);
    assert!(m.reach.refused().is_empty());
    assert_eq!(says(&m, "shop/a", "8.8.8.8/32", "443"), "egress blocked by p");
}

#[test]
fn case_69_a_number_needs_no_declared_port() {
    assert!(open(&opens("[{port: 12345}]"), "12345"));
}

#[test]
fn case_70_a_policy_sees_the_pods_port() {
    assert!(!open(&opens("[{port: 443}]"), "15017"));
}

#[test]
fn case_73_a_host_port_is_the_container_port() {
    let m = opens_on("{containers: [{name: main, ports: [{containerPort: 8080, hostPort: 80}]}]}", "[{port: 80}]");
    assert!(!open(&m, "8080"));
}

#[test]
fn case_74_sctp_has_its_own_ports() {
    let m = opens("[{port: 80, protocol: SCTP}]");
    assert!(open(&m, "80/SCTP") && !open(&m, "80"));
}

#[test]
fn case_76_no_ports_are_all_ports_of_all_protocols() {
    for ports in ["", "null", "[]"] {
        let m = opens(ports);
        assert!(open(&m, "1") && open(&m, "1/UDP") && open(&m, "1/SCTP"));
    }
}
