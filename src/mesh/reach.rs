//! Whether one end may open a connection to another: NetworkPolicy (`networking.k8s.io/v1`), with
//! three answers.
//!
//! `allowed(a, b, port) = egress_ok(a → b) and ingress_ok(b ← a)`. A side without a policy that
//! selects the pod in that direction is open; otherwise some rule of some such policy must match.
//! The port is the one of the destination *pod*: a policy never sees the Service's.
//!
//! What the network plugin decides, or what the input does not show, is neither allowed nor blocked
//! but [`Verdict::Depends`]. "Case 47" in these files is the fact that the test `case_47_…` pins.

mod cidr;
mod compile;
mod group;
mod index;
mod listed;
mod near;
mod pod;
mod policy;
mod question;
mod syntax;
#[cfg(test)]
mod tests;
mod unread;
mod verdict;

use std::fmt;

use super::workload::WorkloadId;

pub use cidr::Cidr;
pub use group::{BlockGroup, Blocked, Hop};
pub use index::{Index, Refused};
pub use listed::ServicePort;
pub use policy::{Choice, PeerItem, Policy, PortItem, Ports, Rule, Section, Variant, Who};
pub use unread::UnreadId;
pub use verdict::{Block, NearKind, NearMiss, Reason, Verdict};

/// One end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Peer {
    /// The pods of a workload.
    Workload(WorkloadId),
    /// Pods that were not read but are known to be there.
    Unread(UnreadId),
    /// Whatever of the cluster's DNS answers, on port 53 of its Service (cases 83 and 84).
    Dns,
    /// The kubelet's probes of ambient pods, where nothing exempts them (case 82).
    AmbientProbe,
    /// The API server: no pod to a policy, even where it runs as one (cases 47 and 48).
    ApiServer,
    /// The node that the other end runs on (case 80).
    Node,
    /// Addresses that are no pod's, as the policy sees them (cases 41, 44, 45, 82).
    External(Cidr),
    /// A pod that is not in the input, such as an ingress controller's (case 54).
    UnknownPod,
}

/// A transport that NetworkPolicy knows; others are undefined by the API (case 75).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// `TCP`, also where a policy names none (case 55).
    Tcp,
    /// `UDP`
    Udp,
    /// `SCTP`, with a port space of its own (case 74).
    Sctp,
}

impl Protocol {
    /// From the word in a manifest, whose case matters.
    pub fn parse(word: &str) -> Option<Protocol> {
        match word {
            "TCP" => Some(Protocol::Tcp),
            "UDP" => Some(Protocol::Udp),
            "SCTP" => Some(Protocol::Sctp),
            _ => None,
        }
    }

    /// The word in a manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Protocol::Tcp => "TCP",
            Protocol::Udp => "UDP",
            Protocol::Sctp => "SCTP",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A port of the destination pod; never a Service's (case 70).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Port {
    /// The transport.
    pub protocol: Protocol,
    /// The number.
    pub number: u16,
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.protocol)
    }
}

/// A side of a connection, seen from the pod that a policy selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// The source's own side.
    Egress,
    /// The destination's.
    Ingress,
}

impl Direction {
    /// The word in prose: `egress`.
    pub fn as_str(self) -> &'static str {
        match self {
            Direction::Egress => "egress",
            Direction::Ingress => "ingress",
        }
    }
}
