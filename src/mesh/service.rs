//! Services, the workloads behind them, and their ports on the pod.

use std::collections::HashMap;

use super::Mesh;
use super::selector::{Selector, Tri};
use super::workload::{WorkloadId, container_ports};
use crate::resource::ResourceId;
use crate::yaml::{Node, Place};

/// Which Services select which workloads.
#[derive(Debug, Default)]
pub(super) struct Index {
    workloads: HashMap<ResourceId, Vec<(WorkloadId, Tri)>>,
    services: HashMap<WorkloadId, Vec<(ResourceId, Tri)>>,
}

impl Index {
    pub(super) fn new(mesh: &Mesh) -> Index {
        let mut index = Index::default();
        for id in mesh.of_kind("", "Service") {
            let selector = Selector::equality(mesh.root(id).at(&["spec", "selector"]));
            // An empty selector selects nothing: somebody else keeps the endpoints.
            if selector.is_empty() {
                continue;
            }
            let differs = mesh.resource(id).is_open();
            for (workload, answer) in mesh.selected(mesh.resource(id).namespace(), &selector) {
                let answer = if differs || mesh.workload(workload).alternative { Tri::Unknown } else { answer };
                index.workloads.entry(id).or_default().push((workload, answer));
                index.services.entry(workload).or_default().push((id, answer));
            }
        }
        index
    }
}

/// A Service port as it arrives at a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// That port of the pod.
    Port(u16),
    /// A name that no container of the pod declares: the pod is no endpoint of this port.
    NoSuchName,
    /// Not known.
    Unknown,
}

impl Mesh {
    /// The workloads that a Service certainly selects.
    pub fn workloads_of(&self, service: ResourceId) -> impl Iterator<Item = WorkloadId> {
        let all = self.service_index.workloads.get(&service);
        all.into_iter().flatten().filter(|(_, answer)| answer.is_yes()).map(|(id, _)| *id)
    }

    /// The Services that certainly select a workload.
    pub fn services_of(&self, workload: WorkloadId) -> impl Iterator<Item = ResourceId> {
        let all = self.service_index.services.get(&workload);
        all.into_iter().flatten().filter(|(_, answer)| answer.is_yes()).map(|(id, _)| *id)
    }

    /// The port of the pod that an item of a Service's `ports` leads to: `targetPort`, a name
    /// resolved against the pod's containers (native sidecars included), `port` where it is missing.
    pub fn target_port(&self, port: Node<'_>, workload: WorkloadId) -> Target {
        let target = port.get("targetPort").filter(|t| !t.is_null()).or_else(|| port.get("port"));
        let Some(target) = target.filter(|t| !t.is_unknown()) else { return Target::Unknown };
        let protocol = port.get("protocol").and_then(Node::text).unwrap_or("TCP");
        if let Some(number) = target.int() {
            return u16::try_from(number).map_or(Target::Unknown, Target::Port);
        }
        // What the API server refuses as a name leads nowhere, but that is not what is asked here.
        let is_name =
            |t: &&str| t.len() <= 15 && t.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let Some(name) = target.text().filter(is_name) else { return Target::Unknown };
        let mut hidden = false;
        for container in self.running_containers(self.workload(workload)) {
            for port in container_ports(container) {
                hidden |=
                    ["name", "protocol"].iter().any(|key| port.node.get(key).is_some_and(|node| node.is_unknown()));
                if port.name == Some(name) && port.protocol == protocol {
                    return match port.number.map(u16::try_from) {
                        Some(Ok(number)) => Target::Port(number),
                        _ => Target::Unknown,
                    };
                }
            }
        }
        // A port whose name the input does not show may be the one.
        if hidden { Target::Unknown } else { Target::NoSuchName }
    }

    /// The items of a Service's `ports`.
    pub fn service_ports(&self, service: ResourceId) -> Vec<Place> {
        let tree = self.resource(service).root.tree;
        let ports = self.root(service).at(&["spec", "ports"]);
        ports.into_iter().flat_map(Node::items).map(|node| Place { tree, node: node.id() }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_mesh;
    use super::*;

    const SHOP: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec:\n  selector: {app: web}\n  ports:\n  - {port: 80, targetPort: http}\n  - {port: 81}\n  - {port: 82, targetPort: 8082}\n  - {port: 83, targetPort: nope}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec:\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers: [{name: a}]\n      initContainers:\n      - {name: n, restartPolicy: Always, ports: [{name: http, containerPort: 8080}]}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: empty, namespace: shop}\nspec: {}\n";

    #[test]
    fn services_select_and_ports_resolve() {
        let mesh = test_mesh(&[SHOP]);
        let service = mesh.of_kind("", "Service").next().unwrap();
        let workload = mesh.workloads_of(service).next().unwrap();
        assert_eq!(mesh.services_of(workload).count(), 1);
        let targets: Vec<_> =
            mesh.service_ports(service).iter().map(|p| mesh.target_port(mesh.trees.node(*p), workload)).collect();
        assert_eq!(targets, [Target::Port(8080), Target::Port(81), Target::Port(8082), Target::NoSuchName]);
        let mesh = test_mesh(&[&SHOP.replace("name: http,", "name: '${PORT}',")]);
        let ports = mesh.service_ports(service);
        assert_eq!(mesh.target_port(mesh.trees.node(ports[0]), workload), Target::Unknown);
    }
}
