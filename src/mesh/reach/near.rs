//! The rule that would have let a blocked connection through but for one thing. A second pass, made
//! only for connections that are blocked.

use super::super::Mesh;
use super::super::selector::{Labels, Operator, Requirement, Selector, Tri};
use super::super::workload::{WorkloadId, container_ports};
use super::policy::{PeerItem, PortItem, Ports, Rule, Who};
use super::question::{End, PodEnd, Question};
use super::verdict::{Answer, NearKind, NearMiss, Reason};
use super::{Choice, Direction, Port, Protocol};
use crate::resource::ResourceId;
use crate::yaml::{Node, Place};

/// A miss while the nearest is looked for; what is compared stands first.
struct Candidate {
    kind: NearKind,
    /// How many conditions of a selector fail.
    failing: usize,
    place: Place,
    policy: ResourceId,
    text: String,
}

impl Question<'_> {
    /// The nearest miss among the rules of the policies that isolate a side.
    pub(super) fn nearest(&self, direction: Direction) -> Option<NearMiss> {
        let End::Pod(target) = self.target(direction) else {
            return None;
        };
        let mut candidates = Vec::new();
        for policy in self.isolating(direction) {
            for variant in &policy.variants {
                for rule in &variant.section(direction).rules {
                    self.misses(rule, target.namespace, direction, variant.id, &mut candidates);
                }
            }
        }
        candidates.into_iter().min_by_key(|c| (c.kind, c.failing, c.policy, c.place)).map(|c| NearMiss {
            policy: c.policy,
            place: c.place,
            kind: c.kind,
            text: c.text,
        })
    }

    fn misses(&self, rule: &Rule, own: &str, side: Direction, policy: ResourceId, into: &mut Vec<Candidate>) {
        let tree = rule.place.tree;
        if self.ports(rule) != Answer::No {
            for item in &rule.peers {
                let miss = self.peer_miss(item, own, side, tree);
                into.extend(miss.map(|(kind, failing, place, text)| Candidate { kind, failing, place, policy, text }));
            }
        } else if self.means_the_other_end(rule, own, side) {
            for item in &rule.ports {
                let (kind, text) = self.port_miss(item);
                into.push(Candidate { kind, failing: 0, place: item.place, policy, text });
            }
        }
    }

    /// Whether the peers of a rule hold the other end, or may, by more than labels that nobody knows.
    fn means_the_other_end(&self, rule: &Rule, own: &str, side: Direction) -> bool {
        !matches!(self.peers(rule, own, side), Answer::No | Answer::Maybe(Reason::UnknownPod | Reason::PodLabels))
    }

    /// Why a port is not the one asked for.
    fn port_miss(&self, item: &PortItem) -> (NearKind, String) {
        let asked = self.port;
        let protocol = item.protocol.unwrap_or(Protocol::Tcp);
        let same_number = match &item.ports {
            Ports::All => true,
            Ports::Range(first, last) => (*first..=*last).contains(&asked.number),
            Ports::Named(_) | Ports::Unknown => false,
        };
        if protocol != asked.protocol && same_number {
            return (NearKind::Protocol, format!("opens {protocol}, not {}", asked.protocol));
        }
        match (&item.ports, &self.to) {
            (Ports::Range(first, last), End::Pod(pod))
                if first == last && protocol == asked.protocol && self.mesh.service_maps(pod, *first, asked) =>
            {
                let text = format!("{first} is the Service's port; a policy sees the pod's, {}", asked.number);
                (NearKind::ServicePort, text)
            }
            (Ports::Range(first, last), _) if first < last => {
                (NearKind::Port, format!("opens {first}-{last}/{protocol}, not {asked}"))
            }
            (Ports::Range(first, _), _) => (NearKind::Port, format!("opens {first}/{protocol}, not {asked}")),
            (Ports::Named(name), End::Pod(pod)) => {
                let numbers = pod.id.map_or_else(Vec::new, |id| self.mesh.named_ports(id, name, protocol));
                let whose = self.mesh.pods_name(pod);
                let text = match numbers.as_slice() {
                    [] => format!("no {protocol} port of {whose} has the name \"{name}\""),
                    [number, ..] => {
                        format!("\"{name}\" of {whose} is {number}/{protocol}, not {asked}")
                    }
                };
                (NearKind::Port, text)
            }
            (Ports::Named(name), _) => (NearKind::Port, format!("only pods have ports with names such as \"{name}\"")),
            (Ports::All | Ports::Unknown, _) => (NearKind::Port, format!("opens {protocol}, not {asked}")),
        }
    }

    /// Why a peer is not the other end, if it is but for one thing.
    fn peer_miss(
        &self,
        item: &PeerItem,
        own: &str,
        direction: Direction,
        tree: u32,
    ) -> Option<(NearKind, usize, Place, String)> {
        match (&item.who, self.peer(direction)) {
            (Who::Pods { .. }, End::ApiServer) => {
                let text = "only pods match these selectors; the API server is no pod";
                Some((NearKind::NotAPod, 0, item.place, text.to_string()))
            }
            // No rule for pods was meant for the kubelet.
            (Who::Pods { .. }, End::External(address)) => {
                let text = format!("only pods match these selectors; {address} is none's address");
                Some((NearKind::NotAPod, 0, item.place, text))
            }
            (Who::Pods { pods, namespaces }, End::Pod(pod)) => {
                self.selector_miss(item.place, pods.as_ref(), namespaces.as_ref(), pod, own, tree)
            }
            (Who::Block { cidr, except }, End::External(address) | End::AmbientProbe(address)) => {
                let text = match except.iter().find(|hole| cidr.contains(*address) && hole.overlaps(*address)) {
                    Some(hole) => format!("{hole} is left out of {cidr}, and {address} with it"),
                    None => format!("{address} is not in {cidr}"),
                };
                Some((NearKind::Address, 0, item.place, text))
            }
            _ => None,
        }
    }

    fn selector_miss(
        &self,
        item: Place,
        pods: Option<&Choice>,
        namespaces: Option<&Choice>,
        pod: &PodEnd<'_>,
        own: &str,
        tree: u32,
    ) -> Option<(NearKind, usize, Place, String)> {
        let whose = self.mesh.pods_name(pod);
        let pods_match = pods.map_or(Answer::Yes, |p| pod.selected_by(p)) != Answer::No;
        let place = |requirement: &Requirement| requirement.node.map_or(item, |node| Place { tree, node });
        match namespaces {
            None if pod.namespace != own => pods_match.then(|| {
                let text = format!(
                    "a podSelector alone means pods of the policy's own namespace, {own}; {whose} is in {}",
                    pod.namespace
                );
                (NearKind::OwnNamespace, 0, pods.and_then(|p| p.place).unwrap_or(item), text)
            }),
            Some(wanted) if pod.namespace_selected_by(wanted) == Answer::No => {
                let labels = pod.namespace_labels?;
                let failing = failing(&wanted.selector, labels);
                let first = failing.first().filter(|_| pods_match)?;
                let text = miss_text(first, labels, &format!("namespace {}", pod.namespace));
                Some((NearKind::Namespace, failing.len(), place(first), text))
            }
            _ => {
                let labels = &pod.pod.labels;
                let failing = failing(&pods?.selector, labels);
                let first = failing.first()?;
                let mut text = miss_text(first, labels, &whose);
                let Some(id) = pod.id else { return Some((NearKind::PodLabels, failing.len(), place(first), text)) };
                let resource = self.mesh.workload(id).resource;
                let own_labels = Labels::read(self.mesh.root(resource).at(&["metadata", "labels"]));
                if first.matches(labels) == Tri::No && first.matches(&own_labels) == Tri::Yes {
                    let kind = &self.mesh.resource(resource).kind;
                    text.push_str(&format!("; the label is on the {kind}, not on its pods"));
                }
                Some((NearKind::PodLabels, failing.len(), place(first), text))
            }
        }
    }
}

impl Mesh {
    fn pods_name(&self, pod: &PodEnd<'_>) -> String {
        let Some(id) = pod.id else { return pod.name.to_string() };
        let resource = self.resource(self.workload(id).resource);
        format!("{}/{}", resource.namespace(), resource.name)
    }

    /// The numbers of a workload's ports of a name and protocol.
    fn named_ports(&self, id: WorkloadId, name: &str, protocol: Protocol) -> Vec<i64> {
        self.running_containers(self.workload(id))
            .into_iter()
            .flat_map(container_ports)
            .filter(|p| p.name == Some(name) && p.protocol == protocol.as_str())
            .filter_map(|p| p.number)
            .collect()
    }

    /// Whether a Service of the pods has one port and leads to another (cases 70 to 72).
    fn service_maps(&self, pod: &PodEnd<'_>, service_port: u16, port: Port) -> bool {
        let number = |node: Option<Node<'_>>, wanted: u16| node.and_then(Node::int) == Some(i64::from(wanted));
        self.of_kind_in("", "Service", pod.namespace).iter().any(|id| {
            let spec = self.root(*id).get("spec");
            let selector = Selector::equality(spec.and_then(|s| s.get("selector")));
            if selector.is_empty() || selector.matches(&pod.pod.labels) != Tri::Yes {
                return false;
            }
            spec.and_then(|s| s.get("ports")).into_iter().flat_map(Node::items).any(|item| {
                let target = item.get("targetPort");
                number(item.get("port"), service_port)
                    && item.get("protocol").and_then(Node::text).unwrap_or("TCP") == port.protocol.as_str()
                    && match target.and_then(Node::string) {
                        Some(name) => pod.id.is_some_and(|id| self.has_named_port(id, name, port) == Answer::Yes),
                        None => number(target, port.number),
                    }
            })
        })
    }
}

/// The conditions that certainly fail.
fn failing<'s>(selector: &'s Selector, labels: &Labels) -> Vec<&'s Requirement> {
    selector.requirements.iter().filter(|r| r.matches(labels) == Tri::No).collect()
}

/// What a condition asks for, and what there is instead.
fn miss_text(requirement: &Requirement, labels: &Labels, whose: &str) -> String {
    let key = &requirement.key;
    let values = || requirement.values.iter().map(|v| v.as_deref().unwrap_or("?")).collect::<Vec<_>>().join(", ");
    let wanted = match (requirement.operator, requirement.single()) {
        (_, Some((key, value))) => format!("{key}={value}"),
        (Operator::In, None) => format!("{key} in ({})", values()),
        (Operator::NotIn, _) => format!("{key} not in ({})", values()),
        (Operator::Exists, _) => format!("a label {key}"),
        (Operator::DoesNotExist, _) => format!("no label {key}"),
    };
    match labels.value(key) {
        Some(value) => format!("asks for {wanted}; {whose} has {key}={value}"),
        None => format!("asks for {wanted}; {whose} has no such label"),
    }
}
