//! What policies say about ports, whoever the other end is.

use super::super::Mesh;
use super::super::selector::{Requirement, Selector, Tri};
use super::super::service::Target;
use super::super::workload::{WorkloadId, container_ports};
use super::policy::{Choice, PortItem, Ports, Rule, Who};
use super::question::{Decision, End, PodEnd};
use super::verdict::Answer;
use super::{Direction, Hop, Peer, Policy, Port, Protocol};
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
    /// The rules for pods on a side that name ports, and not that one among them.
    pub fn rules_without(&self, id: WorkloadId, side: Direction, port: Port) -> Vec<&Rule> {
        let End::Pod(pod) = End::of(self, Peer::Workload(id)) else { return Vec::new() };
        let policies = self.reach.policies(pod.namespace, &pod.pod.labels).into_iter();
        let variants = policies.flat_map(|policy| &policy.variants);
        let applying = variants.filter(|variant| pod.isolated_by(variant, side) != Answer::No);
        let lacks = |rule: &&Rule| !rule.ports.is_empty() && !rule.may_open(port);
        applying.flat_map(|variant| &variant.section(side).rules).filter(lacks).collect()
    }

    /// The pods that a rule of a policy of that namespace may mean, found by their labels.
    pub fn pods_named_by(&self, rule: &Rule, own: &str) -> Vec<WorkloadId> {
        if rule.peers.is_empty() {
            return (0..self.workloads.len() as u32).map(WorkloadId).collect();
        }
        let everything = Selector::default();
        let mut found = Vec::new();
        for item in &rule.peers {
            let Who::Pods { pods, namespaces } = &item.who else { continue };
            let pods = pods.as_ref().map_or(&everything, |choice| &choice.selector);
            for namespace in self.namespaces_of(namespaces.as_ref(), own) {
                found.extend(self.selected(namespace, pods).into_iter().map(|(id, _)| id));
            }
        }
        found
    }

    /// The namespaces that a `namespaceSelector` may mean, in order; the policy's own where there is none.
    fn namespaces_of<'m>(&'m self, choice: Option<&Choice>, own: &'m str) -> Vec<&'m str> {
        let Some(choice) = choice else { return vec![own] };
        if let Some(("kubernetes.io/metadata.name", name)) =
            choice.selector.requirements.first().and_then(Requirement::single)
        {
            return self.namespace(name).map(|namespace| &*namespace.name).into_iter().collect();
        }
        let matching = self.namespaces.values().filter(|n| choice.selector.matches(&n.labels) != Tri::No);
        let mut names: Vec<&str> = matching.map(|namespace| &*namespace.name).collect();
        names.sort_unstable();
        names
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
                ports.extend(all.filter(|port| self.is_closed(port, found, namespace)));
            }
        }
        ports
    }

    /// The pods that the ports of a rule are about: the policy's own, or those that it lets them call.
    fn pods_that_listen(&self, policy: &Policy, rule: &Rule, side: Direction, namespace: &str) -> Vec<WorkloadId> {
        let pod = |id: WorkloadId| match End::of(self, Peer::Workload(id)) {
            End::Pod(pod) => Some(pod),
            _ => None,
        };
        let meant = |pod: &PodEnd<'_>| rule.peers.iter().any(|peer| is_meant(pod, &peer.who, namespace));
        match side {
            Direction::Ingress => self.isolated_pods(policy, side, namespace),
            Direction::Egress if rule.ports.is_empty() || rule.peers.is_empty() => Vec::new(),
            Direction::Egress => self
                .pods_named_by(rule, namespace)
                .into_iter()
                .filter(|id| pod(*id).is_some_and(|p| meant(&p)))
                .collect(),
        }
    }

    /// The pods that a policy certainly isolates on a side.
    fn isolated_pods(&self, policy: &Policy, side: Direction, namespace: &str) -> Vec<WorkloadId> {
        let isolated = |id: &WorkloadId| match End::of(self, Peer::Workload(*id)) {
            End::Pod(pod) => policy.variants.iter().all(|v| pod.isolated_by(v, side) == Answer::Yes),
            _ => false,
        };
        self.workloads_in(namespace).iter().copied().filter(isolated).collect()
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
    fn is_closed(&self, found: &ServicePort, policy: &Policy, namespace: &str) -> bool {
        let to = Peer::Workload(found.workload);
        let port = Port { protocol: Protocol::Tcp, number: found.pod_port };
        let from: Vec<Peer> = match found.side {
            Direction::Ingress => vec![Peer::UnknownPod],
            side => self.isolated_pods(policy, side, namespace).into_iter().map(Peer::Workload).collect(),
        };
        let closed = |from| self.decide(Hop { from, to, port }).0 == Decision::Blocked(found.side);
        !from.is_empty() && from.into_iter().all(closed)
    }
}

/// Whether an item of `to` names pods, and certainly these. All pods of a namespace are no particular ones.
fn is_meant(pod: &PodEnd<'_>, who: &Who, own: &str) -> bool {
    let Who::Pods { pods: Some(pods), namespaces } = who else { return false };
    let there = namespaces.as_ref().map_or_else(|| pod.is_in(own), |n| pod.namespace_selected_by(n));
    !pods.is_empty() && there.and(pod.selected_by(pods)) == Answer::Yes
}
