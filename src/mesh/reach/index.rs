//! All policies of a cluster by namespace, read once.

use std::collections::{HashMap, HashSet};

use super::super::Mesh;
use super::compile::{Refusal, compile};
use super::pod::Pod;
use super::policy::{Policy, Variant};
use crate::resource::{Copy, Part, ResourceId};
use crate::yaml::Place;

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
    policies: HashMap<Box<str>, Vec<Policy>>,
    refused: Vec<Refused>,
    others_everywhere: bool,
    others_in: HashSet<Box<str>>,
    /// By number of the workload.
    pub(super) pods: Vec<Pod>,
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
            // Its name may be changed, so that it stands beside another; or nobody adds its component.
            index.add(resource.namespace(), id, resource.part != Part::Whole, read);
        }
        // By name, not by file: which policy a finding is about must not depend on where it stands.
        for policies in index.policies.values_mut() {
            policies.sort_by_key(|policy| mesh.resource(policy.id).name.clone());
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
        index
    }

    fn add(&mut self, namespace: &str, id: ResourceId, open: bool, read: Vec<(ResourceId, Result<Variant, Refusal>)>) {
        let copies = read.len();
        let mut variants = Vec::new();
        for (resource, result) in read {
            match result {
                Ok(variant) => variants.push(variant),
                Err(Refusal { place, reason }) => self.refused.push(Refused { resource, place, reason }),
            }
        }
        if !variants.is_empty() {
            let policy = Policy { id, may_be_absent: open || variants.len() < copies, variants };
            self.policies.entry(namespace.into()).or_default().push(policy);
        }
    }

    /// The policies of a namespace that have an effect, in order.
    pub fn policies(&self, namespace: &str) -> &[Policy] {
        self.policies.get(namespace).map_or(&[], Vec::as_slice)
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
