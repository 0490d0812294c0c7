//! What a dump of a cluster shows of pods that run or were refused.

use std::collections::HashMap;

use super::Mesh;
use super::controller::Controller;
use super::namespace::SYSTEM;
use super::selector::Tri;
use crate::resource::ResourceId;
use crate::yaml::{Node, Place};

/// The annotation of the pods that a kubelet made by itself; the API server only mirrors them.
const MIRROR: &str = "kubernetes.io/config.mirror";

/// By what made them in the end.
#[derive(Debug, Default)]
pub(super) struct Index {
    pods: HashMap<ResourceId, Vec<ResourceId>>,
    refusals: HashMap<ResourceId, Vec<Place>>,
}

impl Index {
    pub(super) fn new(mesh: &Mesh) -> Index {
        let mut index = Index::default();
        if !mesh.is_dump() {
            return index;
        }
        // Of pods whose controller was not read, the first stands for all.
        let mut firsts: HashMap<(&str, Controller), ResourceId> = HashMap::new();
        for id in mesh.of_kind("", "Pod").filter(|id| mesh.resource(*id).live) {
            let top = mesh.top_controller(id);
            let first = match mesh.controller(top) {
                _ if mesh.hides_owner(top) => continue,
                None => top,
                Some(unread) if mesh.may_be_read(top, &unread) => continue,
                Some(unread) => *firsts.entry((mesh.resource(top).namespace(), unread)).or_insert(top),
            };
            index.pods.entry(first).or_default().push(id);
        }
        for (group, kind) in [("apps", "ReplicaSet"), ("apps", "Deployment"), ("", "ReplicationController")] {
            for id in mesh.of_kind(group, kind) {
                let conditions = mesh.root(id).at(&["status", "conditions"]).into_iter().flat_map(Node::items);
                for condition in conditions.filter(|c| says(*c, "type", "ReplicaFailure") && says(*c, "status", "True"))
                {
                    index.refuse(mesh, id, id, condition, "message");
                }
            }
        }
        for (group, about, message) in [("", "involvedObject", "message"), ("events.k8s.io", "regarding", "note")] {
            for id in mesh.of_kind(group, "Event") {
                let event = mesh.root(id);
                let Some(subject) = event.get(about).and_then(|object| mesh.referred(object)) else { continue };
                index.refuse(mesh, subject, id, event, message);
            }
        }
        index
    }

    /// Notes the message of a condition or an event of `said_by` with which `subject` got no pod.
    fn refuse(&mut self, mesh: &Mesh, subject: ResourceId, said_by: ResourceId, said: Node<'_>, message: &str) {
        if let Some(message) = said.get(message).filter(|_| says(said, "reason", "FailedCreate")) {
            let place = Place { tree: mesh.resource(said_by).root.tree, node: message.id() };
            self.refusals.entry(mesh.top_controller(subject)).or_default().push(place);
        }
    }
}

fn says(node: Node<'_>, key: &str, text: &str) -> bool {
    node.get(key).and_then(Node::text) == Some(text)
}

impl Mesh {
    /// The Pods of a dump that a resource made, itself included if it is one.
    pub fn live_pods(&self, id: ResourceId) -> &[ResourceId] {
        self.live.pods.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The messages with which pods of a resource were not created: of conditions, then of events.
    pub fn refusals(&self, id: ResourceId) -> &[Place] {
        self.live.refusals.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Whether a Pod of a dump runs without a proxy, although a webhook that was read injects pods such as
    /// it. What is assumed about injection does not count: the Pod is there to be looked at.
    pub fn runs_without_proxy(&self, pod: ResourceId) -> bool {
        let Some(id) = self.workload_of(pod).filter(|_| self.resource(pod).live) else { return false };
        let workload = self.workload(id);
        let root = self.root(pod);
        let runs = root.at(&["status", "phase"]).and_then(Node::text) == Some("Running")
            && root.at(&["metadata", "deletionTimestamp"]).is_none();
        let is_proxy =
            |c: &Node<'_>| c.get("name").is_none_or(|name| name.is_unknown() || name.text() == Some("istio-proxy"));
        let has_proxy = self.containers(workload).iter().any(is_proxy);
        if !runs
            || has_proxy
            || workload.annotations.value(MIRROR).is_some()
            || SYSTEM.contains(&&*workload.namespace)
            || self.host_network(workload) != Tri::No
            || self.injection(id).component.is_some()
            || self.installation.webhooks.is_empty()
        {
            return false;
        }
        let (selected, revision) = self.selected_by_webhook(workload);
        selected.is_yes() && self.istiod_injects(workload, &revision).is_yes()
    }

    /// Whether the input does not show in full what owns a resource.
    fn hides_owner(&self, id: ResourceId) -> bool {
        let owners = self.root(id).at(&["metadata", "ownerReferences"]);
        owners.into_iter().flat_map(Node::items).flat_map(Node::entries).any(|(_, value)| value.is_unknown())
    }

    /// Whether a controller that was not found may be there under a name that the input does not show.
    fn may_be_read(&self, id: ResourceId, controller: &Controller) -> bool {
        let namespace = self.resource(id).namespace();
        let Controller { group, kind, name } = controller;
        let hash = self.root(id).at(&["metadata", "labels", "pod-template-hash"]).and_then(Node::text);
        self.has_hidden_names(group, kind, namespace)
            || (&**kind == "ReplicaSet" && hash.is_none_or(|hash| !name.ends_with(hash)))
            || (&**kind == "ReplicaSet" && self.has_hidden_names(group, "Deployment", namespace))
    }

    /// The resource that an event is about, if it was read.
    fn referred(&self, object: Node<'_>) -> Option<ResourceId> {
        let text = |key: &str| object.get(key).and_then(Node::text).unwrap_or("");
        let group = text("apiVersion").split_once('/').map_or("", |(group, _)| group);
        self.named(group, text("kind"), text("namespace"), text("name")).first().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Declared, test_mesh, test_mesh_with};
    use super::*;

    fn pod(name: &str, more: &str, containers: &str, phase: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: shop, uid: {name}{more}}}\nspec: {{containers: [{containers}]}}\nstatus: {{phase: {phase}}}\n"
        )
    }

    const NAMESPACE: &str =
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {istio-injection: enabled}}\n";
    const WEBHOOK: &str = "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\nmetadata: {name: istio-sidecar-injector}\nwebhooks: [{name: namespace.sidecar-injector.istio.io, namespaceSelector: {matchLabels: {istio-injection: enabled}}}]\n";

    fn bare(texts: &[&str]) -> bool {
        test_mesh(texts).runs_without_proxy(ResourceId(0))
    }

    #[test]
    fn pods_without_a_proxy_where_a_webhook_injects() {
        let plain = pod("a", "", "{name: app}", "Running");
        assert!(bare(&[&plain, NAMESPACE, WEBHOOK]));
        assert!(!bare(&[&plain, NAMESPACE]), "no webhook was read");
        assert!(!bare(&[&plain, WEBHOOK]), "the namespace's labels were not read");
        assert!(!bare(&[&plain, &NAMESPACE.replace("enabled", "disabled"), WEBHOOK]));
        assert!(!bare(&[&plain.replace(", uid: a", ""), NAMESPACE, WEBHOOK]), "no dump");
        for (more, containers, phase) in [
            ("", "{name: app}, {name: istio-proxy}", "Running"),
            ("", "{name: app}", "Succeeded"),
            ("", "{name: app}", "Pending"),
            (", labels: {sidecar.istio.io/inject: 'false'}", "{name: app}", "Running"),
            (", deletionTimestamp: x", "{name: app}", "Running"),
            (", annotations: {kubernetes.io/config.mirror: x}", "{name: app}", "Running"),
        ] {
            assert!(!bare(&[&pod("a", more, containers, phase), NAMESPACE, WEBHOOK]), "{more} {containers} {phase}");
        }
        // Whoever assumes sidecars does not make one of a pod that has none.
        let declared = Declared { injection: Some("sidecar".into()), ..Declared::default() };
        let mesh = test_mesh_with(&[&plain, &NAMESPACE.replace("istio-injection: enabled", "a: b"), WEBHOOK], declared);
        assert!(!mesh.runs_without_proxy(ResourceId(0)));
    }

    #[test]
    fn the_first_pod_stands_for_those_of_a_controller_that_was_not_read() {
        let owned = |name: &str, hash: &str| {
            let more = format!(
                ", labels: {{pod-template-hash: {hash}}}, ownerReferences: [{{apiVersion: apps/v1, kind: ReplicaSet, name: web-7d4f9, controller: true}}]"
            );
            pod(name, &more, "{name: app}", "Running")
        };
        let mesh = test_mesh(&[&owned("b", "7d4f9"), &owned("a", "7d4f9"), &owned("odd", "other")]);
        assert_eq!(mesh.live_pods(ResourceId(0)), [ResourceId(0), ResourceId(1)]);
        assert!(mesh.live_pods(ResourceId(1)).is_empty() && mesh.live_pods(ResourceId(2)).is_empty());
        let hidden = DEPLOYMENT.replace("name: web", "name: '${NAME}'");
        assert!(test_mesh(&[&owned("b", "7d4f9"), &hidden]).live_pods(ResourceId(0)).is_empty());
    }

    const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop, uid: d}\nspec: {template: {spec: {}}}\n";
    const SET: &str = "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata:\n  name: web-1\n  namespace: shop\n  uid: r\n  ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web, controller: true}]\nspec: {template: {spec: {}}}\nstatus: {conditions: [{type: ReplicaFailure, status: 'True', reason: FailedCreate, message: refused}]}\n";

    #[test]
    fn pods_and_refusals_are_those_of_the_top_controller() {
        let owned = pod(
            "a",
            ", ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-1, controller: true}]",
            "",
            "Running",
        );
        let event = "apiVersion: v1\nkind: Event\nmetadata: {name: e, namespace: shop}\ninvolvedObject: {apiVersion: apps/v1, kind: ReplicaSet, namespace: shop, name: web-1}\nreason: FailedCreate\nmessage: again\n";
        let newer = "apiVersion: events.k8s.io/v1\nkind: Event\nmetadata: {name: f, namespace: shop}\nregarding: {apiVersion: apps/v1, kind: Deployment, namespace: shop, name: web}\nreason: FailedCreate\nnote: still\n";
        let other = event.replace("FailedCreate", "SuccessfulCreate").replace("name: e", "name: g");
        let mesh = test_mesh(&[DEPLOYMENT, SET, &owned, event, newer, &other]);
        assert_eq!(mesh.live_pods(ResourceId(0)), [ResourceId(2)]);
        assert!(mesh.live_pods(ResourceId(1)).is_empty());
        let said: Vec<_> = mesh.refusals(ResourceId(0)).iter().map(|p| mesh.trees.node(*p).text().unwrap()).collect();
        assert_eq!(said, ["refused", "again", "still"]);
        let fine = SET.replace("status: 'True'", "status: 'False'");
        assert!(test_mesh(&[DEPLOYMENT, &fine]).refusals(ResourceId(0)).is_empty());
        assert!(
            test_mesh(&[&DEPLOYMENT.replace(", uid: d", ""), &SET.replace("  uid: r\n", "")])
                .refusals(ResourceId(0))
                .is_empty()
        );
    }
}
