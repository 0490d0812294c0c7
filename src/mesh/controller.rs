//! What made a resource, and what happened to the pods it made: facts of a cluster's dump.

use super::Mesh;
use crate::resource::ResourceId;
use crate::yaml::Node;

/// The controller of a resource, as its `ownerReferences` name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Controller {
    /// API group; empty for the core group.
    pub group: Box<str>,
    /// Kind.
    pub kind: Box<str>,
    /// Name; it stands in the namespace of what it controls.
    pub name: Box<str>,
}

impl Mesh {
    /// What controls a resource. A Pod's ReplicaSet that was not read is passed over for the Deployment
    /// that named it, if that was read: `<deployment>-<pod-template-hash>` (`pkg/controller/deployment`).
    pub fn controller(&self, id: ResourceId) -> Option<Controller> {
        let root = self.root(id);
        let namespace = self.resource(id).namespace();
        let owners = root.at(&["metadata", "ownerReferences"]).into_iter().flat_map(Node::items);
        let owner = owners.into_iter().find(|o| o.get("controller").and_then(Node::bool) == Some(true))?;
        let text = |key: &str| owner.get(key).and_then(Node::text).unwrap_or("");
        let group = text("apiVersion").split_once('/').map_or("", |(group, _)| group);
        let (kind, name) = (text("kind"), text("name"));
        let is_read = |kind: &str, name: &str| !self.named(group, kind, namespace, name).is_empty();
        let hash = root.at(&["metadata", "labels", "pod-template-hash"]).and_then(Node::text);
        if kind == "ReplicaSet" && !is_read(kind, name) {
            let deployment = hash.and_then(|hash| name.strip_suffix(hash)?.strip_suffix('-'));
            if let Some(deployment) = deployment.filter(|deployment| is_read("Deployment", deployment)) {
                return Some(Controller { group: group.into(), kind: "Deployment".into(), name: deployment.into() });
            }
        }
        Some(Controller { group: group.into(), kind: kind.into(), name: name.into() })
    }

    /// What controls a resource in the end: of a Pod of a ReplicaSet of a Deployment, the Deployment;
    /// the resource itself where nothing that was read controls it.
    pub fn top_controller(&self, id: ResourceId) -> ResourceId {
        let mut top = id;
        // A Pod's owner's owner has none.
        for _ in 0..4 {
            let namespace = self.resource(top).namespace();
            let above =
                self.controller(top).and_then(|c| self.named(&c.group, &c.kind, namespace, &c.name).first().copied());
            match above {
                Some(above) if above != top => top = above,
                _ => break,
            }
        }
        top
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_mesh;
    use super::*;

    fn owned(kind: &str, name: &str, owner: &str) -> String {
        let (group, owner_kind, owner_name) = match owner.split_once('/') {
            Some((kind, name)) => ("apps/v1", kind, name),
            None => ("v1", "Node", owner),
        };
        format!(
            "apiVersion: {}\nkind: {kind}\nmetadata:\n  name: {name}\n  namespace: shop\n  labels: {{pod-template-hash: 7d4f9}}\n  ownerReferences: [{{apiVersion: {group}, kind: {owner_kind}, name: {owner_name}, controller: true}}]\nspec: {{containers: [], template: {{spec: {{}}}}}}\n",
            if kind == "Pod" { "v1" } else { "apps/v1" }
        )
    }

    const DEPLOYMENT: &str =
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec: {template: {spec: {}}}\n";

    #[test]
    fn a_pod_leads_to_its_deployment() {
        let pod = owned("Pod", "web-7d4f9-x", "ReplicaSet/web-7d4f9");
        let set = owned("ReplicaSet", "web-7d4f9", "Deployment/web");
        let mesh = test_mesh(&[&pod, &set, DEPLOYMENT]);
        assert_eq!(mesh.top_controller(ResourceId(0)), ResourceId(2));
        assert!(mesh.is_derived(ResourceId(0)) && mesh.is_derived(ResourceId(1)) && !mesh.is_derived(ResourceId(2)));
        // Without the ReplicaSet between them.
        let mesh = test_mesh(&[&pod, DEPLOYMENT]);
        assert_eq!(mesh.top_controller(ResourceId(0)), ResourceId(1));
        assert!(mesh.is_derived(ResourceId(0)));
        // A hash that is not the pod's own proves nothing.
        let other = pod.replace("pod-template-hash: 7d4f9", "pod-template-hash: other");
        let mesh = test_mesh(&[&other, DEPLOYMENT]);
        assert_eq!(mesh.top_controller(ResourceId(0)), ResourceId(0));
        assert_eq!(mesh.controller(ResourceId(0)).unwrap().name, "web-7d4f9".into());
        let mesh = test_mesh(&[&owned("Pod", "etcd", "node-1")]);
        assert!(!mesh.is_derived(ResourceId(0)));
    }
}
