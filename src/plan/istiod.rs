//! What an istiod asks for.

use super::{Resources, Scene, Spot, Tally};
use crate::mesh;
use crate::yaml::{Node, Place};

/// One istiod of the input.
#[derive(Debug, Clone)]
pub struct Istiod {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its revision.
    pub revision: String,
    /// Where it stands.
    pub spot: Spot,
    /// Its replicas.
    pub pods: Tally,
    /// Where its replicas are said, or could be.
    pub replicas: Spot,
    /// Whether an autoscaler sets them.
    pub autoscaled: bool,
    /// What one replica asks for and may use.
    pub resources: Resources,
}

impl Istiod {
    /// Whether another is called the same, and asks for the same.
    pub(super) fn is_like(&self, other: &Istiod) -> bool {
        let said = |i: &Istiod| {
            let Resources { memory, memory_limit, cpu, cpu_limit } = &i.resources;
            let amounts = [memory, memory_limit, cpu, cpu_limit].map(|asked| asked.amount);
            (i.namespace.clone(), i.name.clone(), i.revision.clone(), i.pods, amounts)
        };
        said(self) == said(other)
    }
}

impl Scene<'_> {
    pub(super) fn istiod(&self, istiod: &mesh::Istiod) -> Istiod {
        let id = istiod.workload;
        let workload = self.mesh.workload(id);
        let resource = self.mesh.resource(workload.resource);
        let containers = self.mesh.containers(workload);
        let discovery = containers.into_iter().find(|c| c.get("name").and_then(Node::text) == Some("discovery"));
        let mut pods = Tally::default();
        pods.add(self.mesh.pods_of(id));
        let hpa = self.mesh.autoscaler_of(workload.resource);
        let said = match hpa {
            Some(hpa) => self.mesh.at(hpa, &["spec", "minReplicas"]),
            None => self.mesh.at(workload.resource, &["spec", "replicas"]),
        };
        let name = |root: Place| self.mesh.trees.get(root, &["metadata", "name"]).unwrap_or(root);
        let place = said.unwrap_or(hpa.map_or(resource.root, |hpa| self.mesh.resource(hpa).root));
        Istiod {
            namespace: workload.namespace.to_string(),
            name: resource.name.to_string(),
            revision: istiod.revision.to_string(),
            spot: self.spot(name(resource.root)),
            pods,
            replicas: self.spot(name(place)),
            autoscaled: hpa.is_some(),
            resources: self.container(id, discovery),
        }
    }
}
