//! How many pods there will be, what they ask for, and what the nodes have.

use super::Mesh;
use super::proxy::Setting;
use super::selector::Tri;
use super::workload::WorkloadId;
use crate::resource::ResourceId;
use crate::units::Quantity;
use crate::yaml::{Node, Place};

/// How many pods of a workload run at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pods {
    /// At least and at most so many.
    Between(u64, u64),
    /// One, because nothing says otherwise: the API's default, or an autoscaler that was not read.
    Unsaid,
    /// One on each node that admits it, and no Node was read.
    EachNode,
    /// The input does not show it.
    Unknown,
}

/// An amount of memory or CPU that a manifest sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// So much.
    Of(Quantity),
    /// Nothing sets it.
    Unset,
    /// The input does not show it, or it can't be read.
    Unknown,
}

impl Amount {
    /// The quantity, if it is known.
    pub fn known(self) -> Option<Quantity> {
        match self {
            Amount::Of(quantity) => Some(quantity),
            _ => None,
        }
    }
}

/// What the schedulable nodes of the input have for pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allocatable {
    /// Nodes that take pods.
    pub nodes: u64,
    /// Nodes that are cordoned.
    pub cordoned: u64,
    /// CPU cores; nothing if a node does not say how many.
    pub cpu: Option<Quantity>,
    /// Bytes of memory; nothing if a node does not say how many.
    pub memory: Option<Quantity>,
}

impl Mesh {
    /// How many pods of a workload run at a time: between the bounds of its autoscaler, else its
    /// replicas. A Job's may be none, and as many as run in parallel.
    pub fn pods_of(&self, id: WorkloadId) -> Pods {
        let resource = self.workload(id).resource;
        let number = |path: &[&str]| {
            let node = self.root(resource).at(path).filter(|node| !node.is_null());
            node.map(|node| node.int().filter(|_| !node.is_unknown()).and_then(|n| u64::try_from(n).ok()))
        };
        let kind = &*self.resource(resource).kind;
        match kind {
            "Pod" | "Job" if self.is_over(resource) => return Pods::Between(0, 0),
            "Pod" => return Pods::Between(1, 1),
            "DaemonSet" => {
                return match number(&["status", "desiredNumberScheduled"]) {
                    Some(Some(pods)) => Pods::Between(pods, pods),
                    _ => self.pods_on_nodes(id),
                };
            }
            "Job" | "CronJob" => {
                let path: &[&str] = if kind == "Job" {
                    &["spec", "parallelism"]
                } else {
                    &["spec", "jobTemplate", "spec", "parallelism"]
                };
                return number(path).unwrap_or(Some(1)).map_or(Pods::Unknown, |most| Pods::Between(0, most));
            }
            _ => {}
        }
        if let Some(hpa) = self.autoscaler_of(resource) {
            let bound = |key: &str| self.root(hpa).at(&["spec", key]).filter(|node| !node.is_null());
            let read = |node: Node<'_>| node.int().filter(|_| !node.is_unknown()).and_then(|n| u64::try_from(n).ok());
            let least = bound("minReplicas").map_or(Some(1), read);
            return match (least, bound("maxReplicas").and_then(read)) {
                (Some(least), Some(most)) if !self.resource(hpa).is_open() => Pods::Between(least, most.max(least)),
                _ => Pods::Unknown,
            };
        }
        if self.may_be_scaled(resource) {
            return Pods::Unknown;
        }
        match number(&["spec", "replicas"]) {
            Some(Some(replicas)) => Pods::Between(replicas, replicas),
            Some(None) => Pods::Unknown,
            None => Pods::Unsaid,
        }
    }

    /// Whether a Pod or Job of a dump has done its work.
    fn is_over(&self, resource: ResourceId) -> bool {
        let status = |key: &str| self.root(resource).at(&["status", key]).and_then(Node::text);
        matches!(status("phase"), Some("Succeeded" | "Failed")) || status("completionTime").is_some()
    }

    fn pods_on_nodes(&self, id: WorkloadId) -> Pods {
        let nodes = self.of_kind("", "Node");
        if nodes.len() == 0 {
            return Pods::EachNode;
        }
        let admit: Vec<Tri> = nodes.map(|node| self.admits(node, id)).collect();
        let count = |fits: fn(&Tri) -> bool| admit.iter().filter(|answer| fits(answer)).count() as u64;
        Pods::Between(count(|answer| *answer == Tri::Yes), count(|answer| *answer != Tri::No))
    }

    /// What a setting comes to.
    pub fn amount(&self, setting: Setting) -> Amount {
        match setting {
            Setting::At(place) => self.read_amount(self.trees.node(place)),
            Setting::Default(text, _) => Quantity::parse(text).map_or(Amount::Unknown, Amount::Of),
            Setting::Unset(_) => Amount::Unset,
            Setting::Unknown => Amount::Unknown,
        }
    }

    fn read_amount(&self, node: Node<'_>) -> Amount {
        let text = node.text().filter(|_| !node.is_unknown());
        text.and_then(Quantity::parse).map_or(Amount::Unknown, Amount::Of)
    }

    /// The limit that a container's manifest sets for `cpu` or `memory`.
    pub fn container_limit(&self, id: WorkloadId, container: Node<'_>, resource: &str) -> Setting {
        let place = |node: Node<'_>| Place { tree: self.workload(id).template.tree, node: node.id() };
        match container.at(&["resources", "limits", resource]) {
            Some(node) if node.is_unknown() => Setting::Unknown,
            Some(node) if !node.is_null() => Setting::At(place(node)),
            _ => Setting::Unset(place(container)),
        }
    }

    /// What the scheduler reserves of `cpu` or `memory` for one pod as its template stands, without what
    /// injection adds; nothing where a part of it is not known. Source:
    /// <https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers>
    pub fn pod_request(&self, id: WorkloadId, resource: &str) -> Option<Quantity> {
        let spec = self.pod_spec(self.workload(id))?;
        let list = |key| spec.get(key).into_iter().flat_map(Node::items).filter(|c| c.is_map());
        let request = |container: Node<'_>| match self.amount(self.request(id, container, resource)) {
            Amount::Of(quantity) => Some(quantity),
            Amount::Unset => Some(Quantity::whole(0)),
            Amount::Unknown => None,
        };
        let (mut running, mut starting) = (Quantity::whole(0), Quantity::whole(0));
        for container in list("initContainers") {
            let asked = running.plus(request(container)?);
            starting = starting.max(asked);
            if container.get("restartPolicy").and_then(Node::text) == Some("Always") {
                running = asked;
            }
        }
        for container in list("containers") {
            running = running.plus(request(container)?);
        }
        let overhead = spec.at(&["overhead", resource]).map(|node| self.read_amount(node));
        let overhead = overhead.map_or(Some(Quantity::whole(0)), Amount::known)?;
        Some(running.max(starting).plus(overhead))
    }

    /// What the nodes of the input have for pods; nothing where no Node was read.
    pub fn allocatable(&self) -> Option<Allocatable> {
        let mut sum =
            Allocatable { nodes: 0, cordoned: 0, cpu: Some(Quantity::whole(0)), memory: Some(Quantity::whole(0)) };
        for id in self.of_kind("", "Node") {
            let node = self.root(id);
            if node.at(&["spec", "unschedulable"]).and_then(Node::bool) == Some(true) {
                sum.cordoned += 1;
                continue;
            }
            sum.nodes += 1;
            let has = |resource: &str| self.read_amount(node.at(&["status", "allocatable", resource])?).known();
            sum.cpu = sum.cpu.zip(has("cpu")).map(|(a, b)| a.plus(b));
            sum.memory = sum.memory.zip(has("memory")).map(|(a, b)| a.plus(b));
        }
        (sum.nodes + sum.cordoned > 0).then_some(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_mesh;
    use super::*;

    fn workload(kind: &str, spec: &str) -> String {
        let group = if kind == "Job" { "batch/v1" } else { "apps/v1" };
        format!(
            "apiVersion: {group}\nkind: {kind}\nmetadata: {{name: a, namespace: shop}}\nspec: {{{spec} template: {{spec: {{containers: [{{name: a}}]}}}}}}\n"
        )
    }

    fn pods(kind: &str, spec: &str, other: &str) -> Pods {
        test_mesh(&[&workload(kind, spec), other]).pods_of(WorkloadId(0))
    }

    const HPA: &str = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: a, namespace: shop}\nspec: {scaleTargetRef: {kind: Deployment, name: a}, maxReplicas: 5}\n";

    #[test]
    fn pods_are_counted_by_what_scales_them() {
        assert_eq!(pods("Deployment", "replicas: 3,", ""), Pods::Between(3, 3));
        assert_eq!(pods("Deployment", "", ""), Pods::Unsaid);
        assert_eq!(pods("Deployment", "replicas: null,", ""), Pods::Unsaid);
        assert_eq!(pods("Deployment", "replicas: '${N}',", ""), Pods::Unknown);
        assert_eq!(pods("Deployment", "replicas: 3,", HPA), Pods::Between(1, 5));
        assert_eq!(pods("Deployment", "", &HPA.replace("maxReplicas: 5", "maxReplicas: '${N}'")), Pods::Unknown);
        assert_eq!(pods("Deployment", "", &HPA.replace("name: a}, max", "name: '${A}'}, max")), Pods::Unknown);
        let keda = HPA.replace("autoscaling/v2", "keda.sh/v1alpha1").replace("HorizontalPodAutoscaler", "ScaledObject");
        assert_eq!(pods("Deployment", "replicas: 3,", &keda), Pods::Unknown);
        assert_eq!(pods("StatefulSet", "replicas: 0,", ""), Pods::Between(0, 0));
        assert_eq!(pods("DaemonSet", "", ""), Pods::EachNode);
        let node = "apiVersion: v1\nkind: Node\nmetadata: {name: a}\n";
        assert_eq!(pods("DaemonSet", "", node), Pods::Between(1, 1));
        assert_eq!(pods("Job", "parallelism: 4,", ""), Pods::Between(0, 4));
        let done = workload("Job", "") + "status: {completionTime: '2026-11-24T10:00:00Z'}\n";
        assert_eq!(test_mesh(&[&done]).pods_of(WorkloadId(0)), Pods::Between(0, 0));
        let live = workload("DaemonSet", "") + "status: {desiredNumberScheduled: 7}\n";
        assert_eq!(test_mesh(&[&live]).pods_of(WorkloadId(0)), Pods::Between(7, 7));
    }

    fn asked(spec: &str, resource: &str) -> Option<String> {
        let pod = format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: a, namespace: shop}}\nspec: {{{spec}}}\n");
        test_mesh(&[&pod]).pod_request(WorkloadId(0), resource).map(|quantity| quantity.to_string())
    }

    #[test]
    fn a_pod_asks_for_what_runs_together() {
        let container = |name: &str, memory: &str, more: &str| {
            format!("{{name: {name}, resources: {{requests: {{memory: {memory}}}}}{more}}}")
        };
        let two = format!("containers: [{}, {}]", container("a", "1Gi", ""), container("b", "1Gi", ""));
        assert_eq!(asked(&two, "memory").unwrap(), "2Gi");
        assert_eq!(asked(&two, "cpu").unwrap(), "0");
        let setup = format!("{two}, initContainers: [{}]", container("i", "3Gi", ""));
        assert_eq!(asked(&setup, "memory").unwrap(), "3Gi");
        let native = container("n", "1Gi", ", restartPolicy: Always");
        assert_eq!(asked(&format!("{two}, initContainers: [{native}]"), "memory").unwrap(), "3Gi");
        let both = format!("{two}, initContainers: [{native}, {}]", container("i", "3Gi", ""));
        assert_eq!(asked(&both, "memory").unwrap(), "4Gi");
        assert_eq!(asked(&format!("{two}, overhead: {{memory: 1Gi}}"), "memory").unwrap(), "3Gi");
        assert_eq!(asked(&two.replacen("1Gi", "'${M}'", 1), "memory"), None);
    }

    #[test]
    fn nodes_have_what_is_allocatable() {
        let node = |name: &str, more: &str| {
            format!(
                "apiVersion: v1\nkind: Node\nmetadata: {{name: {name}}}\nspec: {{{more}}}\nstatus: {{allocatable: {{cpu: 3920m, memory: 14Gi}}}}\n"
            )
        };
        let mesh = test_mesh(&[&node("a", ""), &node("b", ""), &node("c", "unschedulable: true")]);
        let has = mesh.allocatable().unwrap();
        assert_eq!((has.nodes, has.cordoned), (2, 1));
        assert_eq!(has.memory.unwrap().to_string(), "28Gi");
        assert_eq!(has.cpu.unwrap().to_string(), "7840m");
        let silent = node("a", "").replace("cpu: 3920m, ", "");
        assert_eq!(test_mesh(&[&silent]).allocatable().unwrap().cpu, None);
        assert_eq!(test_mesh(&[]).allocatable(), None);
    }
}
