//! A policy after reading: plain data, with the place of every part.

use super::super::selector::{Labels, Selector, Tri};
use super::verdict::{Answer, Reason};
use super::{Cidr, Direction, Port, Protocol};
use crate::resource::ResourceId;
use crate::yaml::Place;

/// A NetworkPolicy, with all copies that may be the one that is applied.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The first of its copies.
    pub id: ResourceId,
    /// Its copies that differ, mostly one.
    pub variants: Vec<Variant>,
    /// Whether one of its copies is refused by the API server, so that there may be no policy.
    pub may_be_absent: bool,
}

impl Policy {
    /// Whether it selects all pods of its namespace.
    pub fn is_for_all(&self) -> bool {
        self.variants.iter().all(|variant| variant.pods.is_empty())
    }
}

/// One copy.
#[derive(Debug, Clone)]
pub struct Variant {
    /// Its resource.
    pub id: ResourceId,
    /// Its `podSelector`, or `policyTypes`, or `spec`, or the resource.
    pub place: Place,
    /// Its `policyTypes`.
    pub types: Option<Place>,
    /// `podSelector`, confined to the policy's namespace (case 2); missing means all (case 3).
    pub pods: Choice,
    /// `ingress`
    pub ingress: Section,
    /// `egress`
    pub egress: Section,
}

impl Variant {
    /// The rules of one direction.
    pub fn section(&self, direction: Direction) -> &Section {
        match direction {
            Direction::Ingress => &self.ingress,
            Direction::Egress => &self.egress,
        }
    }
}

/// The rules of one direction.
#[derive(Debug, Clone)]
pub struct Section {
    /// Whether the policy isolates in this direction: the effective `policyTypes` (cases 6 to 10).
    pub isolates: Tri,
    /// Its rules; missing and empty are the same (case 13).
    pub rules: Vec<Rule>,
}

/// One item of `ingress` or `egress`.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The item.
    pub place: Place,
    /// `from` or `to`; none is anything (case 16).
    pub peers: Vec<PeerItem>,
    /// `ports`; none is all of all protocols (case 76).
    pub ports: Vec<PortItem>,
}

impl Rule {
    /// Whether its ports may hold that one; a name may be any.
    pub fn may_open(&self, port: Port) -> bool {
        let may = |item: &PortItem| {
            let holds = match &item.ports {
                Ports::Range(first, last) => (*first..=*last).contains(&port.number),
                Ports::All | Ports::Named(_) | Ports::Unknown => true,
            };
            holds && item.protocol.is_none_or(|protocol| protocol == port.protocol)
        };
        self.ports.is_empty() || self.ports.iter().any(may)
    }
}

/// One item of `from` or `to`.
#[derive(Debug, Clone)]
pub struct PeerItem {
    /// The item.
    pub place: Place,
    /// Whom it means.
    pub who: Who,
}

/// Whom an item of `from` or `to` means.
#[derive(Debug, Clone)]
pub enum Who {
    /// Pods that both selectors match (case 28); without a `namespaceSelector` those of the policy's
    /// own namespace (case 24), without a `podSelector` all (case 26).
    Pods {
        /// `podSelector`
        pods: Option<Choice>,
        /// `namespaceSelector`
        namespaces: Option<Choice>,
    },
    /// Addresses; `except` is a hole in this item, no deny (case 41).
    Block {
        /// `cidr`
        cidr: Cidr,
        /// `except`
        except: Vec<Cidr>,
    },
    /// A value that stands elsewhere.
    Unknown,
}

/// One item of `ports`.
#[derive(Debug, Clone)]
pub struct PortItem {
    /// The number or name, else the item.
    pub place: Place,
    /// Its protocol: TCP where it is missing (case 55), nothing where it stands elsewhere.
    pub protocol: Option<Protocol>,
    /// Which of them.
    pub ports: Ports,
}

/// Which ports of a protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ports {
    /// All (cases 56 and 57).
    All,
    /// From the first to the last, both included (case 61).
    Range(u16, u16),
    /// The pod's port of that name (case 62).
    Named(Box<str>),
    /// The number stands elsewhere.
    Unknown,
}

/// A label selector of a policy that the API server accepts.
#[derive(Debug, Clone)]
pub struct Choice {
    /// Where it stands; nothing if it is missing.
    pub place: Option<Place>,
    /// Its conditions.
    pub selector: Selector,
    /// Whether there are conditions that stand elsewhere.
    pub unknown: bool,
}

impl Choice {
    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.selector.is_empty() && !self.unknown
    }

    /// Whether the labels meet it. `doubt` tells why a key that is not among them may exist all the
    /// same; `open` is the reason where the labels themselves are not known.
    pub(super) fn selects(&self, labels: &Labels, open: Reason, doubt: impl Fn(&str) -> Option<Reason>) -> Answer {
        let mut all = if self.unknown { Answer::Maybe(Reason::Substitution) } else { Answer::Yes };
        for requirement in &self.selector.requirements {
            let answer = match doubt(&requirement.key) {
                Some(reason) if labels.get(&requirement.key).is_none() => Answer::Maybe(reason),
                _ if requirement.values.contains(&None) => {
                    Answer::of(requirement.matches(labels), Reason::Substitution)
                }
                _ => Answer::of(requirement.matches(labels), open),
            };
            all = all.and(answer);
            if all == Answer::No {
                break;
            }
        }
        all
    }
}
