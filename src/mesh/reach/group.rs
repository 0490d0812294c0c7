//! Questions as rules ask them: one pair, or all pairs of two sets.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Mesh;
use super::super::selector::Tri;
use super::super::workload::WorkloadId;
use super::question::{Decision, End, PodEnd, Question, has_policies};
use super::verdict::Answer;
use super::{Block, Direction, Peer, Port, Reason, Verdict};
use crate::resource::ResourceId;

/// What blocks connections from one set of ends to another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blocked {
    /// The connections that certainly are blocked, each in one group, by side and policies.
    pub groups: Vec<BlockGroup>,
    /// How many pairs may be blocked; they are in no group.
    pub undecided: usize,
    /// Why they are undecided, each reason once.
    pub depends: Vec<Reason>,
}

/// The connections that the same policies block on the same side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockGroup {
    /// The side, the policies, and the nearest miss of the first source and destination.
    pub block: Block,
    /// The ends that can't connect to some of the destinations, in order.
    pub sources: Vec<Peer>,
    /// The ends that some of the sources can't connect to, in order.
    pub destinations: Vec<Peer>,
}

#[derive(Default)]
struct Ends {
    sources: BTreeSet<Peer>,
    destinations: BTreeSet<Peer>,
}

impl Mesh {
    /// Whether one end may open a connection to another; the port is that of the destination pod. A
    /// workload as both ends is one replica and another (case 79).
    pub fn reach(&self, from: Peer, to: Peer, port: Port) -> Verdict {
        let question = Question { mesh: self, from: End::of(self, from), to: End::of(self, to), port };
        match question.decide() {
            Decision::Allowed => Verdict::Allowed,
            Decision::Depends(reason) => Verdict::Depends(reason),
            Decision::Blocked(side) => self.block(&question, side).map_or(Verdict::Allowed, Verdict::Blocked),
        }
    }

    /// All connections from any of the sources to any of the destinations that certainly are blocked,
    /// in groups of the same policies.
    pub fn blocked(&self, from: &[Peer], to: &[Peer], port: Port) -> Blocked {
        let ends = |peers: &[Peer]| -> Vec<(Peer, End<'_>)> {
            let sorted: BTreeSet<Peer> = peers.iter().copied().collect();
            sorted.into_iter().map(|peer| (peer, End::of(self, peer))).collect()
        };
        let (sources, destinations) = (ends(from), ends(to));
        let mut groups: BTreeMap<(Direction, Vec<ResourceId>), (Question<'_>, Ends)> = BTreeMap::new();
        let mut undecided = 0;
        let mut depends = BTreeSet::new();
        for (source, from) in &sources {
            for (destination, to) in &destinations {
                let question = Question { mesh: self, from: *from, to: *to, port };
                match question.decide() {
                    Decision::Allowed => {}
                    Decision::Depends(reason) => {
                        undecided += 1;
                        depends.insert(reason);
                    }
                    Decision::Blocked(side) => {
                        let key = (side, question.isolating_ids(side));
                        let (_, ends) = groups.entry(key).or_insert_with(|| (question, Ends::default()));
                        ends.sources.insert(*source);
                        ends.destinations.insert(*destination);
                    }
                }
            }
        }
        let groups = groups.into_iter().filter_map(|((side, _), (question, ends))| {
            Some(BlockGroup {
                block: self.block(&question, side)?,
                sources: ends.sources.into_iter().collect(),
                destinations: ends.destinations.into_iter().collect(),
            })
        });
        Blocked { groups: groups.collect(), undecided, depends: depends.into_iter().collect() }
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
        let isolating = question.isolating(side);
        Some(Block {
            side,
            isolating_place: isolating.first()?.variants.first()?.place,
            isolating: isolating.into_iter().map(|policy| policy.id).collect(),
            nearest: question.nearest(side),
        })
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
