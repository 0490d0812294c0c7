//! What policies say about ports, whoever the other end is.

use super::super::Mesh;
use super::super::selector::Tri;
use super::super::service::Target;
use super::super::workload::{WorkloadId, container_ports};
use super::policy::{PortItem, Ports, Rule, Who};
use super::question::{End, PodEnd};
use super::verdict::{Answer, Verdict};
use super::{Direction, Peer, Policy, Port, Protocol};
use crate::resource::ResourceId;
use crate::yaml::{Node, Place};

/// A port of a policy that is a Service's, where the pods listen on another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicePort {
    /// The port in the policy.
    pub place: Place,
    /// The side of the rule that holds it.
    pub side: Direction,
    /// The Service's port.
    pub service: Place,
    /// The pods that it leads to, the first of them.
    pub workload: WorkloadId,
    /// The port of the pods.
    pub pod_port: u16,
}

impl Mesh {
    /// Whether a policy that isolates pods on a side names TCP ports, and not that one among them.
    pub fn names_ports_without(&self, id: WorkloadId, side: Direction, port: Port) -> bool {
        let End::Pod(pod) = End::of(self, Peer::Workload(id)) else { return false };
        let may_open = |item: &PortItem| {
            item.protocol.is_none_or(|p| p == port.protocol)
                && match &item.ports {
                    Ports::Range(first, last) => (*first..=*last).contains(&port.number),
                    Ports::All | Ports::Unknown => true,
                    Ports::Named(_) => false,
                }
        };
        let lacks = |rule: &Rule| !rule.ports.is_empty() && !rule.ports.iter().any(may_open);
        self.reach.policies(pod.namespace, &pod.pod.labels).into_iter().any(|policy| {
            let variants = policy.variants.iter();
            let applying = variants.filter(|v| pod.isolated_by(v, side) != Answer::No);
            applying.flat_map(|v| &v.section(side).rules).any(lacks)
        })
    }

    /// The ports of a policy that are a Service's, while none of the pods it speaks of listens there and
    /// no policy opens the port that they do listen on.
    pub fn service_ports_in(&self, policy: ResourceId) -> Vec<ServicePort> {
        let namespace = self.resource(policy).namespace();
        let Some(found) = self.reach.policy_of(namespace, policy) else { return Vec::new() };
        let [variant] = found.variants.as_slice() else { return Vec::new() };
        let mut ports = Vec::new();
        for side in [Direction::Ingress, Direction::Egress] {
            if variant.section(side).isolates != Tri::Yes || found.may_be_absent {
                continue;
            }
            for rule in &variant.section(side).rules {
                let pods = self.pods_that_listen(found, rule, side, namespace);
                let all = rule.ports.iter().filter_map(|item| self.service_port(item, side, &pods));
                ports.extend(all.filter(|found| self.is_closed(found, policy)));
            }
        }
        ports
    }

    /// The pods that the ports of a rule are about: the policy's own, or those that it lets them call.
    fn pods_that_listen(&self, policy: &Policy, rule: &Rule, side: Direction, namespace: &str) -> Vec<WorkloadId> {
        let selected = |id: &WorkloadId| {
            let End::Pod(pod) = End::of(self, Peer::Workload(*id)) else { return false };
            match side {
                Direction::Ingress => policy.variants.iter().all(|v| pod.isolated_by(v, side) == Answer::Yes),
                Direction::Egress => rule.peers.iter().any(|peer| is_meant(&pod, &peer.who, namespace)),
            }
        };
        match side {
            Direction::Ingress => self.workloads_in(namespace).iter().copied().filter(selected).collect(),
            Direction::Egress if rule.ports.is_empty() => Vec::new(),
            Direction::Egress => (0..self.workloads.len() as u32).map(WorkloadId).filter(selected).collect(),
        }
    }

    fn service_port(&self, item: &PortItem, side: Direction, pods: &[WorkloadId]) -> Option<ServicePort> {
        let Ports::Range(number, last) = item.ports else { return None };
        let protocol = item.protocol.filter(|_| number == last)?;
        let mut found = None;
        for id in pods {
            let port = Port { protocol, number };
            if self.may_listen(*id, port) {
                return None;
            }
            if let (None, Some((service, pod_port))) = (&found, self.led_to(*id, port)) {
                found = Some(ServicePort { place: item.place, side, service, workload: *id, pod_port });
            }
        }
        found
    }

    /// Whether a container declares the port, or a Service leads to it, or either may.
    fn may_listen(&self, id: WorkloadId, port: Port) -> bool {
        let mut declared = self.running_containers(self.workload(id)).into_iter().flat_map(container_ports);
        let mut services = self.services_of(id).flat_map(|s| self.service_ports(s));
        self.workload(id).alternative
            || declared.any(|p| p.number.is_none_or(|n| n == i64::from(port.number)))
            || services.any(|item| match self.target_port(self.trees.node(item), id) {
                Target::Port(number) => number == port.number,
                Target::NoSuchName => false,
                Target::Unknown => true,
            })
    }

    /// The Service's item of that port, and the port of the pods that it leads to. A headless Service
    /// leads to the pods themselves.
    fn led_to(&self, id: WorkloadId, port: Port) -> Option<(Place, u16)> {
        let replaces = |service: &ResourceId| {
            let address = self.root(*service).at(&["spec", "clusterIP"]).and_then(Node::text);
            address != Some("None")
        };
        self.services_of(id).filter(replaces).flat_map(|s| self.service_ports(s)).find_map(|place| {
            let item = self.trees.node(place);
            let protocol = item.get("protocol").and_then(Node::text).unwrap_or(Protocol::Tcp.as_str());
            let is_it = item.get("port").and_then(Node::int) == Some(i64::from(port.number));
            match self.target_port(item, id) {
                Target::Port(number) if is_it && protocol == port.protocol.as_str() => {
                    let tree = place.tree;
                    Some((Place { tree, node: item.get("port")?.id() }, number))
                }
                _ => None,
            }
        })
    }

    /// Whether nothing else on that side opens the port of the pods to anybody.
    fn is_closed(&self, found: &ServicePort, policy: ResourceId) -> bool {
        let to = Peer::Workload(found.workload);
        let port = Port { protocol: Protocol::Tcp, number: found.pod_port };
        let from = match found.side {
            Direction::Ingress => vec![Peer::UnknownPod],
            Direction::Egress => {
                let own = self.workloads_in(self.resource(policy).namespace()).iter().copied();
                let selected = own.filter(|id| {
                    let End::Pod(pod) = End::of(self, Peer::Workload(*id)) else { return false };
                    let namespace = self.resource(policy).namespace();
                    let found = self.reach.policy_of(namespace, policy);
                    found.is_some_and(|p| {
                        p.variants.iter().all(|v| pod.isolated_by(v, Direction::Egress) == Answer::Yes)
                    })
                });
                selected.map(Peer::Workload).collect()
            }
        };
        !from.is_empty()
            && from.into_iter().all(|from| match self.reach(from, to, port) {
                Verdict::Blocked(block) => block.side == found.side,
                _ => false,
            })
    }
}

/// Whether an item of `to` names pods, and certainly these. All pods of a namespace are no particular ones.
fn is_meant(pod: &PodEnd<'_>, who: &Who, own: &str) -> bool {
    let Who::Pods { pods: Some(pods), namespaces } = who else { return false };
    let there = namespaces.as_ref().map_or_else(|| pod.is_in(own), |n| pod.namespace_selected_by(n));
    !pods.is_empty() && there.and(pod.selected_by(pods)) == Answer::Yes
}
