//! What narrower `Sidecar` scopes would save.

use std::collections::HashMap;

use super::{Scene, bounds};
use crate::mesh::absence::Certainty;
use crate::units::Quantity;

/// An estimate: each proxy receives all Services unless a `Sidecar` narrows its view.
#[derive(Debug, Clone, PartialEq)]
pub struct Scope {
    /// The root namespace, whose Services all are to see.
    pub root: String,
    /// Pods with a sidecar that a `Sidecar` already narrows, with the most replicas.
    pub narrowed: u64,
    /// Pods that receive everything.
    pub wide: u64,
    /// Whether a `Sidecar` that was not read may narrow those.
    pub unsure: bool,
    /// Services that each of those receives.
    pub all: u64,
    /// Services that each would receive of its own namespace and the root namespace, on average.
    pub own: f64,
    /// Memory that they would need less together; nothing where no figure is known.
    pub memory: Option<Quantity>,
    /// Memory that a proxy needs for one pod that it knows of.
    pub each: Option<Quantity>,
}

impl Scene<'_> {
    /// What the scope `["./*", "<root namespace>/*"]` would save; nothing where no pod certainly has a sidecar.
    pub(super) fn scope(&self, services: u64) -> Option<Scope> {
        let mesh = self.mesh;
        let root = mesh.root_namespace();
        let (mut by_namespace, mut endpoints): (HashMap<&str, u64>, HashMap<&str, u64>) = Default::default();
        let mut read = 0u64;
        for service in mesh.seen_services() {
            let namespace = mesh.resource(service).namespace();
            read += 1;
            *by_namespace.entry(namespace).or_default() += 1;
            let pods: u64 = mesh.workloads_of(service).map(|id| bounds(mesh.pods_of(id)).1).sum();
            *endpoints.entry(namespace).or_default() += pods;
        }
        let known: u64 = endpoints.values().sum();
        let each = self.figures.measured("known endpoint").and_then(|measured| measured.memory);
        let grown = if read == 0 { 1.0 } else { services as f64 / read as f64 };
        let mut scope = Scope {
            root: root.to_string(),
            narrowed: 0,
            wide: 0,
            unsure: false,
            all: services,
            own: 0.0,
            memory: None,
            each,
        };
        let (mut own, mut saved) = (0.0, 0.0);
        for id in &self.workloads {
            if !mesh.injection(*id).sidecar.is_yes() {
                continue;
            }
            let pods = bounds(mesh.pods_of(*id)).1;
            match mesh.sidecar_of(*id) {
                Ok(_) => scope.narrowed += pods,
                Err(absence) => {
                    scope.unsure |= absence.certainty != Certainty::Certain;
                    scope.wide += pods;
                    let namespace = &*mesh.workload(*id).namespace;
                    let near = |counts: &HashMap<&str, u64>| {
                        let outside = if namespace == root { 0 } else { counts.get(root).copied().unwrap_or(0) };
                        (counts.get(namespace).copied().unwrap_or(0) + outside) as f64
                    };
                    own += near(&by_namespace) * pods as f64;
                    saved += (known as f64 - near(&endpoints)) * grown * pods as f64;
                }
            }
        }
        if scope.wide + scope.narrowed == 0 {
            return None;
        }
        if scope.wide > 0 {
            scope.own = own * grown / scope.wide as f64;
        }
        if let (Some(assumed), true) = (self.what_if.sidecars, scope.wide > 0) {
            saved *= assumed as f64 / scope.wide as f64;
            scope.wide = assumed;
        }
        scope.memory = each.map(|each| each.times(saved));
        Some(scope)
    }
}
