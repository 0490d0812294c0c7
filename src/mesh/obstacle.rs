//! What keeps pods from the proxy that they are meant to get.
//!
//! Source: `pkg/kube/inject` of istio/istio 1.31.

use super::Mesh;
use super::absence::{Absence, Certainty};
use super::injection::{INJECT, INJECTION};
use super::namespace::SYSTEM;
use super::proxy::may_be_proxy;
use super::selector::{Label, Tri};
use super::workload::{Workload, WorkloadId};
use crate::yaml::{Node, Place};

/// What keeps pods from a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// istiod skips the namespace.
    IgnoredNamespace,
    /// istiod skips pods on the network of their node.
    HostNetwork,
    /// The pod's label or annotation says no.
    Refused,
    /// `istio-injection: disabled`, which excludes every webhook of Istio's charts.
    NamespaceDisabled,
    /// No webhook selects the pod.
    NotSelected,
    /// The injector's configuration says no.
    Declined,
}

impl Why {
    /// The word of the rule language.
    pub fn as_str(self) -> &'static str {
        match self {
            Why::IgnoredNamespace => "ignored namespace",
            Why::HostNetwork => "host network",
            Why::Refused => "refused",
            Why::NamespaceDisabled => "namespace disabled",
            Why::NotSelected => "not selected",
            Why::Declined => "declined",
        }
    }
}

/// What keeps pods from a proxy, and where that is written.
#[derive(Debug, Clone, Copy)]
pub struct Obstacle {
    /// What it is.
    pub why: Why,
    /// The value that decides.
    pub place: Place,
}

impl Mesh {
    /// What of a workload only makes sense with a proxy that is injected: an image `auto`, a template, the
    /// label or annotation that asks for it. Nothing where a proxy is there already.
    pub fn relies_on_injection(&self, id: WorkloadId) -> Vec<Place> {
        let workload = self.workload(id);
        let place = |node: Node<'_>| Place { tree: workload.template.tree, node: node.id() };
        if self.has_proxy(workload) {
            return Vec::new();
        }
        let images = self.containers(workload).into_iter().filter_map(|c| c.get("image"));
        let mut found: Vec<_> = images.filter(|image| image.text() == Some("auto")).map(place).collect();
        let yes = |label: &&Label| label.value.as_deref() == Some("true");
        let templates = workload.annotations.get("inject.istio.io/templates");
        let label = workload.labels.get(INJECT);
        let annotation = workload.annotations.get(INJECT).filter(|_| label.is_none());
        let asking = label.or(annotation).filter(yes);
        let nodes = templates.into_iter().chain(asking).filter_map(|l| l.node);
        found.extend(nodes.map(|node| Place { tree: workload.template.tree, node }));
        found
    }

    /// Whether a container is a proxy already, or may be, and is not only the place for one.
    fn has_proxy(&self, workload: &Workload) -> bool {
        let is_place = |c: Node<'_>| c.get("image").and_then(Node::text) == Some("auto");
        let is_proxy = |c: Node<'_>| c.get("name").and_then(Node::text) == Some("istio-proxy") || may_be_proxy(c);
        self.running_containers(workload).into_iter().any(|c| is_proxy(c) && !is_place(c))
    }

    /// What keeps the pods of a workload from a proxy, gateways with a container to fill included; nothing
    /// where they get one or have one.
    pub fn keeps_out(&self, id: WorkloadId) -> Result<Option<Obstacle>, Absence> {
        let workload = self.workload(id);
        let at = |node| Place { tree: workload.template.tree, node };
        let found = |why, place| Ok(Some(Obstacle { why, place }));
        if self.has_proxy(workload) {
            return Ok(None);
        }
        if SYSTEM.contains(&&*workload.namespace) {
            let namespace = self.at(workload.resource, &["metadata", "namespace"]);
            return found(Why::IgnoredNamespace, namespace.unwrap_or(workload.template));
        }
        let spec = self.pod_spec(workload);
        match self.host_network(workload) {
            Tri::Yes => {
                let node = spec.and_then(|s| s.get("hostNetwork")).map_or(workload.template.node, |n| n.id());
                return found(Why::HostNetwork, at(node));
            }
            Tri::Unknown => return Err(Absence::unknown("hostNetwork")),
            Tri::No => {}
        }
        if let Some(wish) = workload.labels.get(INJECT).or_else(|| workload.annotations.get(INJECT)) {
            match (wish.value.as_deref(), wish.node) {
                (Some("false"), Some(node)) => return found(Why::Refused, at(node)),
                (None, _) => return Err(Absence::unknown("labels")),
                _ => {}
            }
        }
        let namespace = self.namespace(&workload.namespace);
        if let Some((namespace, label)) = namespace.and_then(|n| Some((n.resource?, n.labels.get(INJECTION)?)))
            && let (Some("disabled"), Some(node)) = (label.value.as_deref(), label.node)
        {
            return found(Why::NamespaceDisabled, Place { tree: self.resource(namespace).root.tree, node });
        }
        match self.webhook_for(workload.resource) {
            Err(absence) if absence.certainty == Certainty::Unknown => Err(absence),
            Err(_) => {
                let asking = self.relies_on_injection(id).last().copied();
                found(Why::NotSelected, asking.unwrap_or(workload.template))
            }
            Ok(webhook) => match self.istiod_injects(workload, &webhook.revision) {
                Tri::Yes => Ok(None),
                Tri::No => {
                    let config = self.injector(&webhook.revision).and_then(|i| i.config);
                    found(Why::Declined, config.unwrap_or(webhook.place))
                }
                Tri::Unknown => Err(Absence::unknown("selectors of the injector")),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::webhook::tests::{canary, mesh, namespace, pod, webhooks};
    use crate::resource::ResourceId;

    fn obstacle(texts: &[String]) -> Option<&'static str> {
        let mesh = mesh(texts);
        let id = mesh.workload_of(ResourceId(0)).unwrap();
        mesh.keeps_out(id).map(|found| found.map_or("", |o| o.why.as_str())).ok()
    }

    #[test]
    fn what_keeps_pods_from_a_proxy() {
        let yes = "sidecar.istio.io/inject: 'true'";
        let no = "sidecar.istio.io/inject: 'false'";
        let default = || webhooks("d", "istio.io/rev: default", "default");
        let enabled = || namespace("shop", "istio-injection: enabled");
        let bare = || namespace("shop", "team: a");
        for (texts, expected) in [
            ([pod("shop", "", "", ""), enabled(), default()], Some("")),
            ([pod("shop", no, "", ""), enabled(), default()], Some("refused")),
            ([pod("shop", "", no, ""), enabled(), default()], Some("refused")),
            ([pod("shop", yes, no, ""), enabled(), default()], Some("")),
            ([pod("shop", yes, "", "hostNetwork: true"), enabled(), default()], Some("host network")),
            (
                [pod("shop", yes, "", ""), namespace("shop", "istio-injection: disabled"), default()],
                Some("namespace disabled"),
            ),
            ([pod("kube-system", yes, "", ""), enabled(), default()], Some("ignored namespace")),
            ([pod("shop", "", yes, ""), bare(), default()], Some("not selected")),
            ([pod("shop", yes, "", ""), bare(), default()], Some("")),
            ([pod("shop", yes, "", ""), bare(), canary()], Some("not selected")),
            ([pod("shop", "", yes, ""), bare(), bare()], None),
            ([pod("shop", "", "", "containers: [{name: istio-proxy, image: x}]"), bare(), default()], Some("")),
            (
                [pod("shop", "", "", "containers: [{name: istio-proxy, image: auto}]"), bare(), default()],
                Some("not selected"),
            ),
            ([pod("shop", "sidecar.istio.io/inject: '${X}'", "", ""), enabled(), default()], None),
        ] {
            assert_eq!(obstacle(&texts), expected, "{}{}", texts[0], texts[1]);
        }
        let never = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio-sidecar-injector, namespace: istio-system}\ndata: {config: 'neverInjectSelector: [{matchLabels: {job: x}}]'}\n";
        assert_eq!(obstacle(&[pod("shop", "job: x", "", ""), enabled(), default(), never.into()]), Some("declined"));
    }

    #[test]
    fn what_relies_on_injection() {
        let count = |text: String| {
            let mesh = mesh(&[text]);
            mesh.relies_on_injection(mesh.workload_of(ResourceId(0)).unwrap()).len()
        };
        let yes = "sidecar.istio.io/inject: 'true'";
        assert_eq!(count(pod("a", "", "", "")), 0);
        assert_eq!(count(pod("a", yes, yes, "")), 1);
        assert_eq!(count(pod("a", "sidecar.istio.io/inject: 'false'", yes, "")), 0);
        let gateway =
            pod("a", yes, "inject.istio.io/templates: gateway", "containers: [{name: istio-proxy, image: auto}]");
        assert_eq!(count(gateway.clone()), 3);
        assert_eq!(count(gateway.replace("auto", "proxyv2")), 0);
    }
}
