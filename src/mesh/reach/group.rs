//! Questions as rules ask them: one pair, or all pairs of two sets.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Mesh;
use super::super::selector::Tri;
use super::super::workload::WorkloadId;
use super::question::{Decision, End, PodEnd, Question, has_policies};
use super::verdict::Answer;
use super::{Block, Direction, Peer, Port, Reason, Verdict};
use crate::resource::ResourceId;

/// One connection as policies see it; the port is that of the destination pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hop {
    /// Who opens it.
    pub from: Peer,
    /// Where it ends.
    pub to: Peer,
    /// On which port.
    pub port: Port,
}

/// What blocks connections.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blocked {
    /// The connections that certainly are blocked, each in one group, by side and policies.
    pub groups: Vec<BlockGroup>,
    /// How many connections may be blocked; they are in no group.
    pub undecided: usize,
    /// Why they are undecided, each reason once.
    pub depends: Vec<Reason>,
}

/// The connections that one policy blocks on one side: the one with the nearest miss, else one for all
/// pods of its namespace; without either, the same policies together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockGroup {
    /// The side, the policies, and the nearest miss of the first connection.
    pub block: Block,
    /// The ends that can't connect to some of the destinations, in order.
    pub sources: Vec<Peer>,
    /// The ends that some of the sources can't connect to, in order.
    pub destinations: Vec<Peer>,
    /// The ports that some of the sources can't reach, in order.
    pub ports: Vec<Port>,
}

#[derive(Default)]
struct Ends {
    sources: BTreeSet<Peer>,
    destinations: BTreeSet<Peer>,
    ports: BTreeSet<Port>,
}

impl Ends {
    fn add(&mut self, hop: Hop) {
        self.sources.insert(hop.from);
        self.destinations.insert(hop.to);
        self.ports.insert(hop.port);
    }
}

impl Mesh {
    /// Whether one end may open a connection to another; the port is that of the destination pod. A
    /// workload as both ends is one replica and another (case 79).
    pub fn reach(&self, from: Peer, to: Peer, port: Port) -> Verdict {
        let (decision, question) = self.decide(Hop { from, to, port });
        match decision {
            Decision::Allowed => Verdict::Allowed,
            Decision::Depends(reason) => Verdict::Depends(reason),
            Decision::Blocked(side) => self.block(&question, side).map_or(Verdict::Allowed, Verdict::Blocked),
        }
    }

    /// All connections from any of the sources to any of the destinations that certainly are blocked,
    /// in groups of the same policies.
    pub fn blocked(&self, from: &[Peer], to: &[Peer], port: Port) -> Blocked {
        let hops = from.iter().flat_map(|from| to.iter().map(move |to| Hop { from: *from, to: *to, port }));
        self.blocked_hops(hops)
    }

    /// Those of the connections that certainly are blocked, in groups of the same policies.
    pub fn blocked_hops(&self, hops: impl IntoIterator<Item = Hop>) -> Blocked {
        let hops: BTreeSet<Hop> = hops.into_iter().collect();
        let mut groups: BTreeMap<(Direction, Vec<ResourceId>), (Block, Ends)> = BTreeMap::new();
        let mut undecided = 0;
        let mut depends = BTreeSet::new();
        for hop in hops {
            match self.decide(hop) {
                (Decision::Allowed, _) => {}
                (Decision::Depends(reason), _) => {
                    undecided += 1;
                    depends.insert(reason);
                }
                (Decision::Blocked(side), question) => {
                    let Some(block) = self.block(&question, side) else { continue };
                    let key = (side, self.deciding(&block).to_vec());
                    let (first, ends) = groups.entry(key).or_insert_with(|| (block.clone(), Ends::default()));
                    // What all of them share.
                    first.isolating.retain(|id| block.isolating.contains(id));
                    ends.add(hop);
                }
            }
        }
        let groups = groups.into_values().map(|(block, ends)| BlockGroup {
            block,
            sources: ends.sources.into_iter().collect(),
            destinations: ends.destinations.into_iter().collect(),
            ports: ends.ports.into_iter().collect(),
        });
        Blocked { groups: groups.collect(), undecided, depends: depends.into_iter().collect() }
    }

    /// Whether a connection certainly is blocked.
    pub fn is_blocked(&self, hop: Hop) -> bool {
        matches!(self.decide(hop).0, Decision::Blocked(_))
    }

    /// Whether a connection certainly is let through.
    pub fn is_allowed(&self, hop: Hop) -> bool {
        self.decide(hop).0 == Decision::Allowed
    }

    /// What is decided about a connection. One that may lead to several places is blocked if it is
    /// blocked on its way to each of them.
    pub(super) fn decide(&self, hop: Hop) -> (Decision, Question<'_>) {
        let from = End::of(self, hop.from);
        let ask = |(to, port)| {
            let question = Question { mesh: self, from, to: End::of(self, to), port };
            (question.decide(), question)
        };
        let rank = |decision: &Decision| match decision {
            Decision::Allowed => 0,
            Decision::Depends(_) => 1,
            Decision::Blocked(_) => 2,
        };
        let mut answers = self.reach.places(hop.to, hop.port).map(ask);
        let first = answers.next().unwrap_or_else(|| ask((hop.to, hop.port)));
        answers.fold(first, |best, next| if rank(&next.0) < rank(&best.0) { next } else { best })
    }

    /// Whether some policy isolates the pods of a workload in a direction. Policies of other APIs may
    /// isolate where no NetworkPolicy does.
    pub fn isolated(&self, id: WorkloadId, direction: Direction) -> Tri {
        let End::Pod(pod) = End::of(self, Peer::Workload(id)) else {
            return Tri::No;
        };
        if !has_policies(self) {
            return Tri::No;
        }
        let others = if self.reach.others(pod.namespace) { Tri::Unknown } else { Tri::No };
        let policies = self.reach.policies(pod.namespace, &pod.pod.labels);
        policies.into_iter().fold(others, |any, policy| any.or(isolates(policy, &pod, direction)))
    }

    /// What blocks a side; nothing if no policy isolates it, for then it is open (case 1).
    fn block(&self, question: &Question<'_>, side: Direction) -> Option<Block> {
        let mut isolating = question.isolating(side);
        let nearest = question.nearest(side);
        // A stable sort: among equals, the order of names.
        isolating.sort_by_key(|policy| {
            let is_near = nearest.as_ref().is_some_and(|near| policy.variants.iter().any(|v| v.id == near.policy));
            (!is_near, !policy.is_for_all())
        });
        Some(Block {
            side,
            isolating_place: isolating.first()?.variants.first()?.place,
            isolating: isolating.into_iter().map(|policy| policy.id).collect(),
            nearest,
        })
    }

    /// The one policy that decides, or all of them.
    fn deciding<'b>(&self, block: &'b Block) -> &'b [ResourceId] {
        let (first, all) = (&block.isolating[..1], &block.isolating[..]);
        let namespace = self.resource(first[0]).namespace();
        let for_all = || self.reach.policy_of(namespace, first[0]).is_some_and(super::Policy::is_for_all);
        if block.nearest.is_some() || for_all() { first } else { all }
    }
}

fn isolates(policy: &super::Policy, pod: &PodEnd<'_>, direction: Direction) -> Tri {
    let answers = policy.variants.iter().map(|variant| pod.isolated_by(variant, direction));
    match Answer::agreed(answers) {
        Some(Answer::Yes) if !policy.may_be_absent => Tri::Yes,
        Some(Answer::No) | None => Tri::No,
        _ => Tri::Unknown,
    }
}
