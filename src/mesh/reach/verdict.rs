//! Answers, with the reason where there is none.

use std::fmt;

use super::super::selector::Tri;
use super::Direction;
use crate::resource::ResourceId;
use crate::yaml::Place;

/// Whether a connection may be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Both sides let it through, whatever the network plugin.
    Allowed,
    /// One side certainly does not.
    Blocked(Block),
    /// The input does not show it.
    Depends(Reason),
}

/// Why an answer is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// A selector matches a pod in the node's network: plugins differ (cases 49 and 50).
    HostNetwork,
    /// An `ipBlock` may cover the pod's address: plugins differ (case 43).
    IpBlockVsPod,
    /// Labels of a namespace that was not read (case 38) or that others set (case 39).
    NamespaceLabels,
    /// Labels of a pod that were not read, or that controllers make up (case 19).
    PodLabels,
    /// Whether the pod is injected, and so has the labels and ports of injection (cases 20 and 65).
    Injection,
    /// A pod that connects to itself (case 78).
    Loopback,
    /// A value in the policy or the pod that stands elsewhere: `${PORT}`.
    Substitution,
    /// Copies of one policy or workload say different things.
    CopiesDiffer,
    /// A policy of another API may allow or deny it.
    OtherPolicyApi,
    /// A policy beside is refused by the API server: what it says once it is repaired is not known.
    RefusedPolicy,
    /// An `ipBlock` may cover the API server's address (cases 47 and 48).
    ApiServerAddress,
    /// The address of an outside client may be rewritten on its way (case 45).
    SourceAddress,
    /// An `ipBlock` holds a part of the addresses asked for.
    PartOfRange,
    /// Whether the plugin exempts kubelet probes of ambient pods (case 82).
    AmbientProbe,
    /// Nothing is known of the pod at one end (case 54).
    UnknownPod,
}

impl Reason {
    /// The word for data: `hostnetwork`.
    pub fn code(self) -> &'static str {
        self.texts().0
    }

    fn texts(self) -> (&'static str, &'static str) {
        match self {
            Reason::HostNetwork => ("hostnetwork", "pods with hostNetwork are treated differently by network plugins"),
            Reason::IpBlockVsPod => ("ipblock-vs-pod", "whether an ipBlock covers pods depends on the network plugin"),
            Reason::NamespaceLabels => ("namespace-labels-unknown", "labels of the namespace are not known"),
            Reason::PodLabels => ("labels-unknown", "labels of the pods are not known"),
            Reason::Injection => ("injection-unknown", "whether the pods are injected is not known"),
            Reason::Loopback => ("loopback", "whether policies apply to a pod's connections to itself is undefined"),
            Reason::Substitution => ("substitution", "a value stands elsewhere"),
            Reason::CopiesDiffer => ("copies-differ", "copies of one resource differ"),
            Reason::OtherPolicyApi => ("other-policy-api", "policies of another API apply too"),
            Reason::RefusedPolicy => ("refused-policy", "the API server refuses a policy of the namespace"),
            Reason::ApiServerAddress => ("api-server-address", "the API server's address is not known"),
            Reason::SourceAddress => ("source-address", "a client's address may be rewritten on its way"),
            Reason::PartOfRange => ("part-of-range", "an ipBlock covers only a part of the addresses"),
            Reason::AmbientProbe => {
                ("ambient-probe", "whether probes of ambient pods are exempt depends on the network plugin")
            }
            Reason::UnknownPod => ("unknown-pod", "nothing is known of the pod"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.texts().1)
    }
}

/// What blocks a connection. Where both sides do, it is the egress side: it comes first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The side.
    pub side: Direction,
    /// The policies that certainly isolate the pod on that side: first the one with the nearest miss, then
    /// those for all pods of the namespace, then by name.
    pub isolating: Vec<ResourceId>,
    /// The first one's `podSelector`, or `policyTypes`, or `spec`.
    pub isolating_place: Place,
    /// The rule that would have matched but for one thing.
    pub nearest: Option<NearMiss>,
}

/// A rule that matches in all but one respect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearMiss {
    /// Its policy.
    pub policy: ResourceId,
    /// What does not match: the port, the label, the peer.
    pub place: Place,
    /// In which respect.
    pub kind: NearKind,
    /// In words.
    pub text: String,
}

/// In which respect a rule misses, the nearest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NearKind {
    /// The port of the Service instead of the pod's (case 70).
    ServicePort,
    /// The right port of another protocol (case 55).
    Protocol,
    /// Selectors, where the other end is no pod (case 47).
    NotAPod,
    /// A `podSelector` alone, where the pods are in another namespace (case 24).
    OwnNamespace,
    /// Another namespace.
    Namespace,
    /// Other labels.
    PodLabels,
    /// Another port.
    Port,
    /// Another address.
    Address,
}

/// [`Tri`] with the reason of an unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    No,
    Maybe(Reason),
}

impl Answer {
    pub(super) fn of(tri: Tri, reason: Reason) -> Answer {
        match tri {
            Tri::Yes => Answer::Yes,
            Tri::No => Answer::No,
            Tri::Unknown => Answer::Maybe(reason),
        }
    }

    pub(super) fn and(self, other: Answer) -> Answer {
        match (self, other) {
            (Answer::No, _) | (_, Answer::No) => Answer::No,
            (Answer::Maybe(reason), _) | (_, Answer::Maybe(reason)) => Answer::Maybe(reason),
            _ => Answer::Yes,
        }
    }

    /// Whether one of the answers is yes; none are no.
    pub(super) fn any(answers: impl IntoIterator<Item = Answer>) -> Answer {
        let mut any = Answer::No;
        for answer in answers {
            match (answer, any) {
                (Answer::Yes, _) => return Answer::Yes,
                (Answer::Maybe(_), Answer::No) => any = answer,
                _ => {}
            }
        }
        any
    }

    /// The one answer that all give; where they differ, it depends on which of the copies is applied.
    pub(super) fn agreed(answers: impl IntoIterator<Item = Answer>) -> Option<Answer> {
        answers.into_iter().reduce(|a, b| if a == b { a } else { Answer::Maybe(Reason::CopiesDiffer) })
    }

    pub(super) fn reason(self) -> Option<Reason> {
        match self {
            Answer::Maybe(reason) => Some(reason),
            _ => None,
        }
    }
}

impl From<bool> for Answer {
    fn from(value: bool) -> Answer {
        if value { Answer::Yes } else { Answer::No }
    }
}
