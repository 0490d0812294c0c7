//! One question: may this end open a connection to that one on that port?

use super::super::Mesh;
use super::super::selector::Labels;
use super::super::workload::WorkloadId;
use super::pod::Pod;
use super::policy::{PeerItem, Policy, PortItem, Ports, Rule, Variant, Who};
use super::verdict::{Answer, Reason};
use super::{Choice, Cidr, Direction, Peer, Port};
use crate::yaml::scalar::is_unknown;

/// Namespace labels that platforms set on their own: not in the manifest does not mean not there
/// (case 39).
const FOREIGN: [&str; 4] =
    ["pod-security.kubernetes.io/", "field.cattle.io/", "network.openshift.io/", "policy-group."];

/// An end with what is known of it.
#[derive(Debug, Clone, Copy)]
pub(super) enum End<'m> {
    Pod(PodEnd<'m>),
    ApiServer,
    Node,
    External(Cidr),
    AmbientProbe(Cidr),
    UnknownPod,
}

/// Pods of the input.
#[derive(Debug, Clone, Copy)]
pub(super) struct PodEnd<'m> {
    /// Nothing for pods that were not read.
    pub(super) id: Option<WorkloadId>,
    pub(super) pod: &'m Pod,
    pub(super) namespace: &'m str,
    pub(super) namespace_labels: Option<&'m Labels>,
    /// How a text calls pods that were not read.
    pub(super) name: &'m str,
}

impl<'m> End<'m> {
    pub(super) fn of(mesh: &'m Mesh, peer: Peer) -> End<'m> {
        match peer {
            Peer::Workload(id) => {
                let namespace = &*mesh.workload(id).namespace;
                End::Pod(PodEnd {
                    id: Some(id),
                    pod: &mesh.reach.pods[id.0 as usize],
                    namespace,
                    namespace_labels: mesh.namespace(namespace).map(|n| &n.labels),
                    name: "",
                })
            }
            Peer::Unread(id) => {
                let unread = mesh.reach.unread(id);
                End::Pod(PodEnd {
                    id: None,
                    pod: &unread.pod,
                    namespace: &unread.namespace,
                    namespace_labels: Some(&unread.namespace_labels),
                    name: &unread.name,
                })
            }
            Peer::AmbientProbe => End::AmbientProbe(mesh.reach.probe_source()),
            // Asked for as the places where it may be.
            Peer::Dns => End::UnknownPod,
            Peer::ApiServer => End::ApiServer,
            Peer::Node => End::Node,
            Peer::External(cidr) => End::External(cidr),
            Peer::UnknownPod => End::UnknownPod,
        }
    }

    fn pod(&self) -> Option<&PodEnd<'m>> {
        match self {
            End::Pod(pod) => Some(pod),
            _ => None,
        }
    }
}

impl PodEnd<'_> {
    /// Whether the pods are in a namespace; either may be a name that stands elsewhere.
    pub(super) fn is_in(&self, namespace: &str) -> Answer {
        let hidden = is_unknown(self.namespace) || is_unknown(namespace);
        match self.namespace == namespace {
            false if hidden => Answer::Maybe(Reason::Substitution),
            same => same.into(),
        }
    }

    pub(super) fn selected_by(&self, pods: &Choice) -> Answer {
        pods.selects(&self.pod.labels, Reason::PodLabels, |key| self.pod.doubt(key))
    }

    /// Whether the pods' namespace has the labels (cases 26, 27, 35 to 39).
    pub(super) fn namespace_selected_by(&self, namespaces: &Choice) -> Answer {
        let Some(labels) = self.namespace_labels else {
            return Answer::Maybe(Reason::NamespaceLabels);
        };
        namespaces.selects(labels, Reason::NamespaceLabels, |key| {
            FOREIGN.iter().any(|prefix| key.starts_with(prefix)).then_some(Reason::NamespaceLabels)
        })
    }

    /// Whether a policy selects the pods and isolates them in a direction. In the node's network a
    /// policy may have no effect (case 49).
    pub(super) fn isolated_by(&self, variant: &Variant, direction: Direction) -> Answer {
        Answer::of(variant.section(direction).isolates, Reason::Substitution)
            .and(self.selected_by(&variant.pods))
            .and(self.in_node_network())
    }

    /// Yes for pods with a network of their own: what selectors say of them holds.
    fn in_node_network(&self) -> Answer {
        match self.pod.host_network {
            Answer::No => Answer::Yes,
            _ => Answer::Maybe(Reason::HostNetwork),
        }
    }
}

/// What is decided about a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    Allowed,
    Blocked(Direction),
    Depends(Reason),
}

/// A question with its ends looked up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'m> {
    pub(super) mesh: &'m Mesh,
    pub(super) from: End<'m>,
    pub(super) to: End<'m>,
    pub(super) port: Port,
}

impl<'m> Question<'m> {
    /// The answer, without an explanation.
    pub(super) fn decide(&self) -> Decision {
        let ends = [&self.from, &self.to];
        let exempt = |end: &End<'_>| match end {
            End::Node => true,
            End::External(cidr) => cidr.is_loopback(),
            _ => false,
        };
        if ends.into_iter().any(exempt) || !has_policies(self.mesh) {
            return Decision::Allowed;
        }
        if ends.into_iter().filter_map(End::pod).any(|p| self.mesh.reach.others(p.namespace)) {
            return Decision::Depends(Reason::OtherPolicyApi);
        }
        let sides = [Direction::Egress, Direction::Ingress].map(|direction| (direction, self.side(direction)));
        if let Some((direction, _)) = sides.iter().find(|(_, answer)| *answer == Answer::No) {
            return match self.special(*direction) {
                Some(reason) => Decision::Depends(reason),
                None => Decision::Blocked(*direction),
            };
        }
        match sides.iter().find_map(|(_, answer)| answer.reason()) {
            Some(reason) => Decision::Depends(reason),
            None => Decision::Allowed,
        }
    }

    /// Why a connection that the policies block may pass all the same.
    fn special(&self, direction: Direction) -> Option<Reason> {
        match (&self.from, &self.to) {
            (End::Pod(a), End::Pod(b)) if a.id == b.id && a.id.is_some() && a.pod.single => Some(Reason::Loopback),
            (End::External(probe), _) if direction == Direction::Ingress && Cidr::AMBIENT_PROBES.contains(probe) => {
                // Cilium takes the probes for traffic from outside (istio.io, ambient and NetworkPolicy).
                (!is_cilium(self.mesh)).then_some(Reason::AmbientProbe)
            }
            // Whoever repairs it may have meant to admit this.
            _ => match self.target(direction) {
                End::Pod(target) if self.mesh.reach.refuses_in(target.namespace) => Some(Reason::RefusedPolicy),
                _ => None,
            },
        }
    }

    /// The pods whose policies decide a side.
    pub(super) fn target(&self, direction: Direction) -> &End<'m> {
        match direction {
            Direction::Egress => &self.from,
            Direction::Ingress => &self.to,
        }
    }

    /// The end that the rules of a side speak of.
    pub(super) fn peer(&self, direction: Direction) -> &End<'m> {
        match direction {
            Direction::Egress => &self.to,
            Direction::Ingress => &self.from,
        }
    }

    /// Whether a side lets it through.
    fn side(&self, direction: Direction) -> Answer {
        let target = match self.target(direction) {
            End::Pod(target) => target,
            End::UnknownPod if direction == Direction::Ingress => {
                return Answer::Maybe(Reason::UnknownPod);
            }
            _ => return Answer::Yes,
        };
        let mut all = Outcomes { absent: true, ..Outcomes::default() };
        for policy in self.mesh.reach.policies(target.namespace, &target.pod.labels) {
            all = all.together(self.outcomes(policy, target, direction));
        }
        match (all.absent || all.allows, all.denies) {
            (true, false) => Answer::Yes,
            (false, _) => Answer::No,
            (true, true) => Answer::Maybe(all.reason.unwrap_or(Reason::CopiesDiffer)),
        }
    }

    fn outcomes(&self, policy: &Policy, target: &PodEnd<'_>, direction: Direction) -> Outcomes {
        let absent = Outcomes { absent: policy.may_be_absent, ..Outcomes::default() };
        policy.variants.iter().fold(absent, |any, variant| {
            let applies = target.isolated_by(variant, direction);
            let matches = match applies {
                Answer::No => Answer::No,
                _ => Answer::any(
                    variant
                        .section(direction)
                        .rules
                        .iter()
                        .map(|rule| self.ports(rule).and(self.peers(rule, target.namespace, direction))),
                ),
            };
            any.or(Outcomes {
                absent: applies != Answer::Yes,
                allows: applies != Answer::No && matches != Answer::No,
                denies: applies != Answer::No && matches != Answer::Yes,
                reason: matches.reason().or(applies.reason()),
            })
        })
    }

    /// The policies that certainly isolate a side.
    pub(super) fn isolating(&self, direction: Direction) -> Vec<&'m Policy> {
        let End::Pod(target) = self.target(direction) else {
            return Vec::new();
        };
        let certain = |policy: &&'m Policy| {
            !policy.may_be_absent
                && policy.variants.iter().all(|variant| target.isolated_by(variant, direction) == Answer::Yes)
        };
        self.mesh.reach.policies(target.namespace, &target.pod.labels).into_iter().filter(certain).collect()
    }

    /// Whether the peers of a rule hold the other end (case 16: none is anything).
    pub(super) fn peers(&self, rule: &Rule, namespace: &str, direction: Direction) -> Answer {
        if rule.peers.is_empty() {
            return Answer::Yes;
        }
        Answer::any(rule.peers.iter().map(|item| self.is_peer(item, namespace, direction)))
    }

    pub(super) fn is_peer(&self, item: &PeerItem, namespace: &str, direction: Direction) -> Answer {
        let peer = self.peer(direction);
        match &item.who {
            Who::Unknown => Answer::Maybe(Reason::Substitution),
            Who::Pods { pods, namespaces } => in_selectors(peer, pods.as_ref(), namespaces.as_ref(), namespace),
            Who::Block { cidr, except } => self.in_block(peer, *cidr, except, direction),
        }
    }

    /// Whether a range of addresses covers an end (cases 41, 43 to 48).
    fn in_block(&self, peer: &End<'_>, cidr: Cidr, except: &[Cidr], direction: Direction) -> Answer {
        let everything = cidr.is_everything() && except.is_empty();
        match peer {
            End::External(address) if direction == Direction::Ingress && !address.is_special() && !everything => {
                Answer::Maybe(Reason::SourceAddress)
            }
            End::External(address) | End::AmbientProbe(address) => {
                if !cidr.overlaps(*address) || except.iter().any(|hole| hole.contains(*address)) {
                    Answer::No
                } else if cidr.contains(*address) && !except.iter().any(|hole| hole.overlaps(*address)) {
                    Answer::Yes
                } else {
                    Answer::Maybe(Reason::PartOfRange)
                }
            }
            _ if cidr.is_special() => Answer::No,
            End::ApiServer if everything => Answer::Yes,
            End::ApiServer | End::Node => Answer::Maybe(Reason::ApiServerAddress),
            End::Pod(pod) if pod.pod.host_network != Answer::No => Answer::Maybe(Reason::HostNetwork),
            // Cilium's CIDR rules never match pods.
            End::Pod(_) | End::UnknownPod if is_cilium(self.mesh) => Answer::No,
            End::Pod(_) | End::UnknownPod => Answer::Maybe(Reason::IpBlockVsPod),
        }
    }

    /// Whether the ports of a rule hold the port (case 76: none is any).
    pub(super) fn ports(&self, rule: &Rule) -> Answer {
        if rule.ports.is_empty() {
            return Answer::Yes;
        }
        Answer::any(rule.ports.iter().map(|item| self.is_port(item)))
    }

    pub(super) fn is_port(&self, item: &PortItem) -> Answer {
        let protocol = match item.protocol {
            None => Answer::Maybe(Reason::Substitution),
            Some(protocol) => (protocol == self.port.protocol).into(),
        };
        protocol.and(match &item.ports {
            Ports::All => Answer::Yes,
            Ports::Range(first, last) => (*first..=*last).contains(&self.port.number).into(),
            Ports::Named(name) => match &self.to {
                End::Pod(PodEnd { id: Some(id), .. }) => self.mesh.has_named_port(*id, name, self.port),
                End::Pod(_) => Answer::Maybe(Reason::UnknownPod),
                End::UnknownPod => Answer::Maybe(Reason::UnknownPod),
                // Addresses have no named ports (case 68).
                _ => Answer::No,
            },
            Ports::Unknown => Answer::Maybe(Reason::Substitution),
        })
    }
}

/// Whether the network plugin knows policies at all (case 23).
pub(super) fn has_policies(mesh: &Mesh) -> bool {
    mesh.declared.cni.as_deref() != Some("none")
}

fn is_cilium(mesh: &Mesh) -> bool {
    mesh.declared.cni.as_deref() == Some("cilium")
}

/// Whether selectors hold an end (cases 24 to 30); only pods can be selected.
fn in_selectors(peer: &End<'_>, pods: Option<&Choice>, namespaces: Option<&Choice>, own: &str) -> Answer {
    match peer {
        End::Pod(pod) => {
            let there = namespaces.map_or_else(|| pod.is_in(own), |n| pod.namespace_selected_by(n));
            if there == Answer::No {
                return Answer::No;
            }
            there.and(pods.map_or(Answer::Yes, |p| pod.selected_by(p))).and(pod.in_node_network())
        }
        End::UnknownPod => match (pods, namespaces) {
            (None, Some(n)) if n.is_empty() => Answer::Yes,
            (Some(p), Some(n)) if n.is_empty() && p.is_empty() => Answer::Yes,
            _ => Answer::Maybe(Reason::UnknownPod),
        },
        End::ApiServer | End::Node | End::External(_) | End::AmbientProbe(_) => Answer::No,
    }
}

/// What may come of a policy, or of several: which copy is applied, and whether it selects the pods and
/// matches, may all be open.
#[derive(Debug, Clone, Copy, Default)]
struct Outcomes {
    absent: bool,
    allows: bool,
    denies: bool,
    reason: Option<Reason>,
}

impl Outcomes {
    /// One or the other.
    fn or(self, other: Outcomes) -> Outcomes {
        Outcomes {
            absent: self.absent || other.absent,
            allows: self.allows || other.allows,
            denies: self.denies || other.denies,
            reason: self.reason.or(other.reason),
        }
    }

    /// Both: policies add up, so one that allows is enough, and one that denies isolates (case 17).
    fn together(self, other: Outcomes) -> Outcomes {
        let quiet = |o: Outcomes| o.absent || o.denies;
        Outcomes {
            absent: self.absent && other.absent,
            allows: self.allows || other.allows,
            denies: (self.denies && quiet(other)) || (quiet(self) && other.denies),
            reason: self.reason.or(other.reason),
        }
    }
}
