//! Cases 19 and 20: labels that no manifest holds.

use super::*;
use crate::mesh::selector::Tri;

const TEMPLATE: &str = "template: {metadata: {labels: {app: a}}, spec: {containers: [{name: main}]}}";

fn selected(document: String, labels: &str) -> Tri {
    let m = mesh(&[document, policy("shop/p", &format!("{{podSelector: {{matchLabels: {labels}}}}}"))]);
    assert!(m.reach.refused().is_empty());
    m.isolated(WorkloadId(0), Direction::Ingress)
}

#[test]
fn case_19_labels_of_controllers_are_added() {
    let job = |kind: &str, spec: &str| workload("batch/v1", kind, "shop/a", spec);
    let plain = job("Job", &format!("{{{TEMPLATE}}}"));
    assert_eq!(selected(plain.clone(), "{job-name: a}"), Tri::Yes);
    assert_eq!(selected(plain.clone(), "{batch.kubernetes.io/job-name: b}"), Tri::No);
    assert_eq!(selected(plain.clone(), "{batch.kubernetes.io/controller-uid: x}"), Tri::Unknown);
    assert_eq!(selected(plain, "{never: set}"), Tri::No);
    let cron = job("CronJob", &format!("{{jobTemplate: {{spec: {{{TEMPLATE}}}}}}}"));
    assert_eq!(selected(cron, "{job-name: a-28912}"), Tri::Unknown);

    let set = |replicas: &str| workload("apps/v1", "StatefulSet", "shop/a", &format!("{{{replicas}{TEMPLATE}}}"));
    assert_eq!(selected(set(""), "{statefulset.kubernetes.io/pod-name: a-0}"), Tri::Yes);
    assert_eq!(selected(set("replicas: 3, "), "{statefulset.kubernetes.io/pod-name: a-0}"), Tri::Unknown);
    assert_eq!(selected(set("ordinals: {start: 5}, "), "{apps.kubernetes.io/pod-index: \"5\"}"), Tri::Yes);
    assert_eq!(selected(set(""), "{controller-revision-hash: x}"), Tri::Unknown);

    assert_eq!(selected(deployment("shop/a", "{app: a}"), "{pod-template-hash: abc}"), Tri::Unknown);
    let daemon = workload("apps/v1", "DaemonSet", "shop/a", &format!("{{{TEMPLATE}}}"));
    assert_eq!(selected(daemon, "{pod-template-hash: abc}"), Tri::No);
}

#[test]
fn case_20_labels_of_injection_are_added() {
    let labels = |labels: &str, injected| {
        let m = mesh(&[deployment("shop/cart", labels)]);
        m.labels_with(WorkloadId(0), injected)
    };
    let value = |own: &str, key: &str| labels(own, Tri::Yes).value(key).map(str::to_string);
    let name = "service.istio.io/canonical-name";
    let revision = "service.istio.io/canonical-revision";
    assert_eq!(value("{}", name).as_deref(), Some("cart"));
    assert_eq!(value("{app: x}", name).as_deref(), Some("x"));
    assert_eq!(value("{app: x, app.kubernetes.io/name: y}", name).as_deref(), Some("y"));
    assert_eq!(value("{app: x, service.istio.io/canonical-name: z}", name).as_deref(), Some("z"));
    assert_eq!(value("{}", revision).as_deref(), Some("latest"));
    assert_eq!(value("{version: v2}", revision).as_deref(), Some("v2"));
    assert_eq!(value("{version: \"${V}\"}", revision), None);
    assert_eq!(value("{}", "security.istio.io/tlsMode").as_deref(), Some("istio"));
    assert_eq!(labels("{}", Tri::No).get(name), None);
}

#[test]
fn case_20_labels_that_injection_may_add_are_in_doubt() {
    let pod = |injected| pod::Pod {
        labels: crate::mesh::selector::Labels::default(),
        injected,
        host_network: verdict::Answer::No,
        single: false,
    };
    let (mode, tunnel) = ("security.istio.io/tlsMode", "networking.istio.io/tunnel");
    assert_eq!(pod(Tri::Unknown).doubt(mode), Some(Reason::Injection));
    assert_eq!(pod(Tri::Yes).doubt(mode), None);
    assert_eq!(pod(Tri::Yes).doubt(tunnel), Some(Reason::Injection));
    assert_eq!(pod(Tri::No).doubt(tunnel), None);
    assert_eq!(pod(Tri::Unknown).doubt("app"), None);
}
