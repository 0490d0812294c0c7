//! From a workload to its pods, as a policy sees them: their labels, named ports and network.

use std::collections::HashMap;

use super::super::Mesh;
use super::super::selector::{Labels, Tri};
use super::super::workload::{WorkloadId, container_ports};
use super::Port;
use super::verdict::{Answer, Reason};
use crate::resource::ResourceId;
use crate::yaml::Node;

/// The labels that injection adds where the pod does not set them, and the one that it adds
/// depending on settings of the mesh (case 20).
const INJECTED: [&str; 3] =
    ["security.istio.io/tlsMode", "service.istio.io/canonical-name", "service.istio.io/canonical-revision"];
const TUNNEL: &str = "networking.istio.io/tunnel";

/// The one named port that injection adds (case 65).
const ENVOY_PROM: (&str, Port) = ("http-envoy-prom", Port { protocol: super::Protocol::Tcp, number: 15090 });

/// Whether injection may add a label of that key.
pub(super) fn may_be_injected(key: &str) -> bool {
    key == TUNNEL || INJECTED.contains(&key)
}

/// What is known of a workload's pods.
#[derive(Debug)]
pub(super) struct Pod {
    pub(super) labels: Labels,
    pub(super) injected: Tri,
    pub(super) host_network: Answer,
    /// Whether there is but one of it, so that a connection to its own workload is one to itself.
    pub(super) single: bool,
}

/// What the copies of a workload agree on.
#[derive(Clone)]
struct Agreed {
    labels: Labels,
    host_network: Answer,
}

impl Pod {
    /// The pods of all workloads, by number.
    pub(super) fn all(mesh: &Mesh) -> Vec<Pod> {
        // Copies that differ may be many, and what they agree on is the same for each of them.
        let mut agreed: HashMap<(ResourceId, Tri), Agreed> = HashMap::new();
        let ids = (0..mesh.workloads.len() as u32).map(WorkloadId);
        let pods = ids.map(|id| {
            let workload = mesh.workload(id);
            let resource = mesh.resource(workload.resource);
            let injected = mesh.injected(id);
            let Agreed { labels, host_network } = if workload.alternative {
                let first = mesh.copies(resource).first().copied().unwrap_or(workload.resource);
                agreed.entry((first, injected)).or_insert_with(|| mesh.agreed(id, injected)).clone()
            } else {
                mesh.agreed(id, injected)
            };
            let single = &*resource.kind == "Pod"
                || mesh.root(workload.resource).at(&["spec", "replicas"]).and_then(Node::int) == Some(1);
            Pod { labels, injected, host_network, single }
        });
        pods.collect()
    }

    /// Why a label that is not among the known ones may exist all the same.
    pub(super) fn doubt(&self, key: &str) -> Option<Reason> {
        let doubtful = match self.injected {
            Tri::No => false,
            Tri::Yes => key == TUNNEL,
            Tri::Unknown => may_be_injected(key),
        };
        doubtful.then_some(Reason::Injection)
    }
}

impl Mesh {
    /// The labels of a workload's pods: the template's, those that controllers add (case 19) and those
    /// that injection adds (case 20). Of workloads whose copies differ, what all copies say.
    pub fn pod_labels(&self, id: WorkloadId) -> Labels {
        self.labels_with(id, self.injected(id))
    }

    /// Whether the pods are injected with a sidecar: what is asked for labels and ports of injection.
    pub(crate) fn injected(&self, id: WorkloadId) -> Tri {
        self.injection(id).sidecar
    }

    fn agreed(&self, id: WorkloadId, injected: Tri) -> Agreed {
        let hosts = self.variants(id).into_iter().map(|v| match self.host_network(self.workload(v)) {
            Tri::Unknown => Answer::Maybe(Reason::HostNetwork),
            known => Answer::of(known, Reason::HostNetwork),
        });
        Agreed { labels: self.labels_with(id, injected), host_network: Answer::agreed(hosts).unwrap_or(Answer::No) }
    }

    /// The copies of a workload that differ, itself included.
    fn variants(&self, id: WorkloadId) -> Vec<WorkloadId> {
        let workload = self.workload(id);
        if !workload.alternative {
            return vec![id];
        }
        self.copies(self.resource(workload.resource)).iter().filter_map(|copy| self.workload_of(*copy)).collect()
    }

    pub(super) fn labels_with(&self, id: WorkloadId, injected: Tri) -> Labels {
        let mut all = self.variants(id).into_iter().map(|variant| self.own_labels(variant, injected));
        let Some(mut first) = all.next() else {
            return Labels::open();
        };
        for other in all {
            first = common(&first, &other);
        }
        first
    }

    fn own_labels(&self, id: WorkloadId, injected: Tri) -> Labels {
        let workload = self.workload(id);
        let template = self.trees.node(workload.template);
        let mut labels = Labels::read(template.at(&["metadata", "labels"]));
        self.add_controller_labels(id, &mut labels);
        if injected == Tri::Yes {
            let name = &self.resource(workload.resource).name;
            let [mode, canonical_name, revision] = INJECTED;
            default_label(&mut labels, mode, &[], "istio");
            default_label(&mut labels, canonical_name, &["app.kubernetes.io/name", "app"], name);
            default_label(&mut labels, revision, &["app.kubernetes.io/version", "version"], "latest");
        }
        labels
    }

    /// Labels that controllers put on their pods, with the values that can be told beforehand.
    fn add_controller_labels(&self, id: WorkloadId, labels: &mut Labels) {
        let workload = self.workload(id);
        let resource = self.resource(workload.resource);
        let name = &*resource.name;
        let spec = |path: &[&str]| self.root(workload.resource).get("spec").and_then(|s| s.at(path));
        let made_up: &[&str] = match &*resource.kind {
            "Deployment" => &["pod-template-hash"],
            "Rollout" => &["rollouts-pod-template-hash"],
            "DaemonSet" => &["controller-revision-hash", "pod-template-generation"],
            "StatefulSet" => {
                &["controller-revision-hash", "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"]
            }
            "DeploymentConfig" => &["deployment"],
            "Job" => &["controller-uid", "batch.kubernetes.io/controller-uid"],
            "CronJob" => {
                &["controller-uid", "batch.kubernetes.io/controller-uid", "job-name", "batch.kubernetes.io/job-name"]
            }
            _ => &[],
        };
        for key in made_up {
            labels.set_unknown(key);
        }
        let mut known: Vec<(&str, String)> = Vec::new();
        match &*resource.kind {
            "Job" if spec(&["completionMode"]).is_some() => {
                labels.set_unknown("batch.kubernetes.io/job-completion-index");
            }
            "StatefulSet" if spec(&["replicas"]).is_none_or(|r| r.int() == Some(1)) => {
                let ordinal = match spec(&["ordinals", "start"]) {
                    None => Some(0),
                    Some(start) => start.int(),
                };
                if let Some(ordinal) = ordinal {
                    known.push(("statefulset.kubernetes.io/pod-name", format!("{name}-{ordinal}")));
                    known.push(("apps.kubernetes.io/pod-index", ordinal.to_string()));
                }
            }
            "DeploymentConfig" => known.push(("deploymentconfig", name.to_string())),
            _ => {}
        }
        if &*resource.kind == "Job" {
            known.extend(["job-name", "batch.kubernetes.io/job-name"].map(|key| (key, name.to_string())));
        }
        for (key, value) in known {
            match value.is_empty() {
                true => labels.set_unknown(key),
                false => labels.set(key, &value),
            }
        }
    }

    /// Whether a port of the pods has a name (cases 62 to 67).
    pub(super) fn has_named_port(&self, id: WorkloadId, name: &str, port: Port) -> Answer {
        let answers = self.variants(id).into_iter().map(|variant| {
            let workload = self.workload(variant);
            let declared = self.running_containers(workload).into_iter().flat_map(container_ports).map(|p| {
                let is = |key: &str, known: bool| match p.node.get(key) {
                    Some(node) if node.is_unknown() => Answer::Maybe(Reason::Substitution),
                    _ => known.into(),
                };
                is("name", p.name == Some(name))
                    .and(is("protocol", p.protocol == port.protocol.as_str()))
                    .and(is("containerPort", p.number == Some(i64::from(port.number))))
            });
            let added = match (name, port) == ENVOY_PROM {
                true => Answer::of(self.reach.pods[id.0 as usize].injected, Reason::Injection),
                false => Answer::No,
            };
            Answer::any(declared.chain([added]))
        });
        Answer::agreed(answers).unwrap_or(Answer::No)
    }
}

/// What injection writes under a key that the pod does not set: the first of other labels, else a text.
fn default_label(labels: &mut Labels, key: &str, others: &[&str], fallback: &str) {
    if labels.get(key).is_some() {
        return;
    }
    let from = others.iter().find_map(|other| labels.get(other)).map(|label| label.value.clone());
    match from {
        Some(Some(value)) => labels.set(key, &value),
        Some(None) => labels.set_unknown(key),
        None if labels.open && !others.is_empty() => labels.set_unknown(key),
        None => labels.set(key, fallback),
    }
}

/// What two sets of labels agree on.
fn common(a: &Labels, b: &Labels) -> Labels {
    let mut common = if a.open || b.open { Labels::open() } else { Labels::default() };
    for label in a.iter() {
        match (b.get(&label.key), &label.value) {
            (Some(other), Some(value)) if other.value == label.value => common.set(&label.key, value),
            (Some(_), _) => common.set_unknown(&label.key),
            (None, _) => common.open = true,
        }
    }
    common.open |= b.iter().any(|label| a.get(&label.key).is_none());
    common
}
