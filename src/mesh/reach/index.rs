//! All policies of a cluster by namespace, read once.

use std::collections::{HashMap, HashSet};

use super::super::Mesh;
use super::super::selector::{Labels, Requirement};
use super::compile::{Refusal, compile};
use super::pod::{Pod, may_be_injected};
use super::policy::{Policy, Variant};
use super::unread;
use crate::resource::{Copy, Part, ResourceId};
use crate::yaml::Place;
use crate::yaml::scalar::is_unknown;

const GROUP: &str = "networking.k8s.io";

/// Other APIs whose policies allow and deny as well, by group and kind. A cluster-wide policy
/// concerns every pod, the others those of their namespace.
const OTHERS: [(&str, &str); 9] = [
    ("cilium.io", "CiliumClusterwideNetworkPolicy"),
    ("cilium.io", "CiliumNetworkPolicy"),
    ("crd.projectcalico.org", "GlobalNetworkPolicy"),
    ("crd.projectcalico.org", "NetworkPolicy"),
    ("policy.networking.k8s.io", "AdminNetworkPolicy"),
    ("policy.networking.k8s.io", "BaselineAdminNetworkPolicy"),
    ("policy.networking.k8s.io", "ClusterNetworkPolicy"),
    ("projectcalico.org", "GlobalNetworkPolicy"),
    ("projectcalico.org", "NetworkPolicy"),
];

/// What questions about reachability are answered from.
#[derive(Debug, Default)]
pub struct Index {
    policies: HashMap<Box<str>, Policies>,
    refused: Vec<Refused>,
    others_everywhere: bool,
    others_in: HashSet<Box<str>>,
    refuses_in: HashSet<Box<str>>,
    /// By number of the workload.
    pub(super) pods: Vec<Pod>,
    pub(super) unread: unread::All,
}

/// The policies of one namespace.
#[derive(Debug, Default)]
struct Policies {
    /// In order.
    all: Vec<Policy>,
    /// Those whose pods must have one value of one label, by key and value.
    by_label: HashMap<Box<str>, HashMap<Box<str>, Vec<usize>>>,
    /// The others.
    others: Vec<usize>,
}

impl Policies {
    fn new(all: Vec<Policy>) -> Policies {
        let mut policies = Policies { all, ..Policies::default() };
        for (number, policy) in policies.all.iter().enumerate() {
            // Labels that injection may add make a selector match pods that don't have them yet.
            let label = match policy.variants.as_slice() {
                [only] => {
                    let requirements = only.pods.selector.requirements.iter();
                    requirements.filter_map(Requirement::single).find(|(key, _)| !may_be_injected(key))
                }
                _ => None,
            };
            match label {
                Some((key, value)) => {
                    let values = policies.by_label.entry(key.into()).or_default();
                    values.entry(value.into()).or_default().push(number);
                }
                None => policies.others.push(number),
            }
        }
        policies
    }

    /// The policies that may select pods with these labels, in order.
    fn concerning(&self, labels: &Labels) -> Vec<&Policy> {
        if labels.open || self.by_label.is_empty() {
            return self.all.iter().collect();
        }
        let mut numbers = self.others.clone();
        for label in labels.iter() {
            let Some(values) = self.by_label.get(&label.key) else { continue };
            match &label.value {
                Some(value) => numbers.extend(values.get(value).into_iter().flatten()),
                None => numbers.extend(values.values().flatten()),
            }
        }
        numbers.sort_unstable();
        numbers.dedup();
        numbers.into_iter().map(|number| &self.all[number]).collect()
    }
}

/// A policy that the API server refuses: it isolates nothing (cases 12, 15, 34, 42, 58 to 60).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The policy.
    pub resource: ResourceId,
    /// The value that is refused.
    pub place: Place,
    /// Why.
    pub reason: String,
}

impl Index {
    /// Reads all policies. `extensions/v1beta1` was removed in Kubernetes 1.16 and has no effect
    /// (case 22).
    pub(in super::super) fn new(mesh: &Mesh) -> Index {
        let mut index = Index::default();
        let mut policies: HashMap<&str, Vec<Policy>> = HashMap::new();
        for id in mesh.of_kind(GROUP, "NetworkPolicy") {
            let resource = mesh.resource(id);
            let copies = match resource.copy {
                Copy::Alternative => mesh.copies(resource),
                _ => &[id],
            };
            let read: Vec<_> = copies
                .iter()
                .filter(|copy| &*mesh.resource(**copy).version == "v1")
                .map(|copy| (*copy, compile(mesh, *copy)))
                .collect();
            if read.iter().any(|(_, variant)| variant.is_err()) {
                index.refuses_in.insert(resource.namespace().into());
            }
            // Its name may be changed, so that it stands beside another; or nobody adds its component.
            let policy = index.policy(id, resource.part != Part::Whole, read);
            policies.entry(resource.namespace()).or_default().extend(policy);
        }
        // A policy whose namespace stands elsewhere may be one of any namespace.
        let anywhere: Vec<Policy> =
            policies.iter().filter(|(name, _)| is_unknown(name)).flat_map(|(_, all)| all).cloned().collect();
        for (_, all) in policies.iter_mut().filter(|(name, _)| !is_unknown(name)) {
            all.extend(anywhere.iter().map(|policy| Policy { may_be_absent: true, ..policy.clone() }));
        }
        for (namespace, mut all) in policies {
            // By name, not by file: which policy a finding is about must not depend on where it stands.
            all.sort_by_key(|policy| mesh.resource(policy.id).name.clone());
            index.policies.insert(namespace.into(), Policies::new(all));
        }
        for (group, kind) in OTHERS {
            for id in mesh.of_kind(group, kind) {
                match &mesh.resource(id).namespace {
                    Some(namespace) => {
                        index.others_in.insert(namespace.clone());
                    }
                    None => index.others_everywhere = true,
                }
            }
        }
        index.pods = Pod::all(mesh);
        index.unread = unread::All::new(mesh);
        index
    }

    /// A policy of the copies that the API server takes; the others are noted.
    fn policy(
        &mut self,
        id: ResourceId,
        open: bool,
        read: Vec<(ResourceId, Result<Variant, Refusal>)>,
    ) -> Option<Policy> {
        let copies = read.len();
        let mut variants = Vec::new();
        for (resource, result) in read {
            match result {
                Ok(variant) => variants.push(variant),
                Err(Refusal { place, reason }) => self.refused.push(Refused { resource, place, reason }),
            }
        }
        let may_be_absent = open || variants.len() < copies;
        (!variants.is_empty()).then_some(Policy { id, may_be_absent, variants })
    }

    /// The policies of a namespace that may select pods with these labels, in order; the others
    /// certainly don't.
    pub(super) fn policies(&self, namespace: &str, labels: &Labels) -> Vec<&Policy> {
        self.policies.get(namespace).map_or_else(Vec::new, |policies| policies.concerning(labels))
    }

    /// A policy of a namespace, by any of its copies.
    pub(super) fn policy_of(&self, namespace: &str, id: ResourceId) -> Option<&Policy> {
        self.policies.get(namespace)?.all.iter().find(|policy| policy.id == id)
    }

    /// Whether the API server refuses a policy of a namespace, so that what it means is not known.
    pub(super) fn refuses_in(&self, namespace: &str) -> bool {
        self.refuses_in.contains(namespace)
    }

    /// The policies that the API server refuses, in order.
    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }

    /// Whether policies of another API concern pods of a namespace.
    pub fn others(&self, namespace: &str) -> bool {
        self.others_everywhere || self.others_in.contains(namespace)
    }
}
