//! The wire: who opens a connection to whom, and on which port of the pod, before any policy is asked.
//!
//! | from | to | port of the pod |
//! |---|---|---|
//! | a proxy | istiod | its `--secureGRPCAddr`, 15012 |
//! | a proxy, istiod | the cluster's DNS | 53, UDP and TCP |
//! | outside | a gateway | where its LoadBalancer or NodePort Service leads |
//! | an ambient pod | an ambient pod | 15008, never the application's |
//! | an ambient pod | a waypoint, and that on to the pods behind it | 15008 |
//! | the kubelet, as 169.254.7.127 | an ambient pod | that of the probe |
//! | Prometheus | istiod; a proxy | 15014; 15020 or 15090 |
//!
//! Each function answers with hops for [`Mesh::blocked_hops`](super::Mesh::blocked_hops). Who can't be sure
//! to open a connection is not among them. Sources: `architecture/ambient`, `manifests/charts` and
//! `pkg/kube/inject` of istio/istio 1.31; istio.io, "Application Requirements" and "Ambient and Kubernetes
//! NetworkPolicy".

mod control;
mod edge;
mod managed;
mod probe;
mod scrape;
mod tunnel;

use super::Mesh;
use super::injection::Component;
use super::reach::{Peer, Port, Protocol};
use super::workload::WorkloadId;

/// HBONE: mesh traffic to ambient pods and waypoints arrives here, whatever the application's port.
pub const HBONE: Port = tcp(15008);

const fn tcp(number: u16) -> Port {
    Port { protocol: Protocol::Tcp, number }
}

impl Mesh {
    /// Workloads as ends of connections: each identity once, without those whose copies differ and those
    /// whose controller was read.
    fn ends(&self) -> impl Iterator<Item = WorkloadId> + '_ {
        (0..self.workloads.len() as u32).map(WorkloadId).filter(|id| {
            let workload = self.workload(*id);
            !workload.alternative && self.counts(workload.resource) && !self.is_derived(workload.resource)
        })
    }

    /// The ends that certainly run an Envoy or a ztunnel.
    fn proxies(&self) -> impl Iterator<Item = WorkloadId> + '_ {
        self.ends().filter(|id| {
            let injection = self.injection(*id);
            let own =
                matches!(injection.component, Some(Component::Gateway | Component::Waypoint | Component::Ztunnel));
            own || injection.sidecar.is_yes()
        })
    }

    /// The pods that istiod runs for Gateways.
    fn managed_pods(&self) -> impl Iterator<Item = Peer> + '_ {
        self.managed_gateways().filter_map(|id| self.reach.pods_of_gateway(id))
    }
}

/// Helpers of the tests beside: peers by name.
#[cfg(test)]
mod tests {
    use super::super::reach::{Blocked, Hop};
    use super::*;

    /// A hop as `shop/a > istio-system/istiod 15012/TCP`.
    pub(super) fn texts(mesh: &Mesh, hops: &[Hop]) -> Vec<String> {
        hops.iter().map(|h| format!("{} > {} {}", name(mesh, h.from), name(mesh, h.to), h.port)).collect()
    }

    fn name(mesh: &Mesh, peer: Peer) -> String {
        let full = |id| {
            let resource = mesh.resource(id);
            format!("{}/{}", resource.namespace(), resource.name)
        };
        match peer {
            Peer::Workload(id) => full(mesh.workload(id).resource),
            Peer::Unread(id) => mesh.reach.gateway(id).map_or("unread".to_string(), full),
            Peer::External(cidr) => cidr.to_string(),
            other => format!("{other:?}"),
        }
    }

    /// The names of the policies that block hops, side first.
    pub(super) fn blocks(mesh: &Mesh, blocked: &Blocked) -> Vec<String> {
        let policies = |g: &super::super::reach::BlockGroup| {
            let names: Vec<_> = g.block.isolating.iter().map(|id| &*mesh.resource(*id).name).collect();
            let ports: Vec<_> = g.ports.iter().map(ToString::to_string).collect();
            format!("{} {}: {}", g.block.side.as_str(), names.join(", "), ports.join(" "))
        };
        blocked.groups.iter().map(policies).collect()
    }
}
