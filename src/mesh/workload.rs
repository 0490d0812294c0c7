//! Everything with a pod template, and the containers and ports in it.

use std::collections::HashMap;

use super::Mesh;
use super::absence::Absence;
use super::selector::{Labels, Requirement, Selector, Tri};
use crate::resource::{Copy, ResourceId};
use crate::yaml::scalar::is_unknown;
use crate::yaml::{Node, Place};

/// The number of a workload in its mesh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkloadId(pub u32);

/// A resource with a pod template, or a bare Pod.
#[derive(Debug, Clone)]
pub struct Workload {
    /// The resource.
    pub resource: ResourceId,
    /// Its namespace.
    pub namespace: Box<str>,
    /// The map that holds the pod's `metadata` and `spec`.
    pub template: Place,
    /// Labels of its pods.
    pub labels: Labels,
    /// Annotations of its pods.
    pub annotations: Labels,
    /// Whether other resources of the same identity differ from it.
    pub alternative: bool,
}

/// Where the pod template lies, by group and kind.
const TEMPLATES: &[(&str, &str, &[&str])] = &[
    ("", "Pod", &[]),
    ("", "ReplicationController", &["spec", "template"]),
    ("apps", "Deployment", &["spec", "template"]),
    ("apps", "StatefulSet", &["spec", "template"]),
    ("apps", "DaemonSet", &["spec", "template"]),
    ("apps", "ReplicaSet", &["spec", "template"]),
    ("batch", "Job", &["spec", "template"]),
    ("batch", "CronJob", &["spec", "jobTemplate", "spec", "template"]),
    ("argoproj.io", "Rollout", &["spec", "template"]),
    ("apps.openshift.io", "DeploymentConfig", &["spec", "template"]),
];

/// The path to the pod template of a kind; nothing for kinds without one.
pub fn template_path(group: &str, kind: &str) -> Option<&'static [&'static str]> {
    TEMPLATES.iter().find(|(g, k, _)| *g == group && *k == kind).map(|(_, _, path)| *path)
}

/// The kinds that have one, with their API groups.
pub fn template_kinds() -> impl Iterator<Item = (&'static str, &'static str)> {
    TEMPLATES.iter().map(|(group, kind, _)| (*group, *kind))
}

pub(super) fn index(mesh: &Mesh) -> Vec<Workload> {
    let mut workloads = Vec::new();
    for (i, resource) in mesh.resources.iter().enumerate() {
        let id = ResourceId(i as u32);
        let Some(path) = template_path(&resource.group, &resource.kind) else { continue };
        let Some(template) = mesh.at(id, path) else { continue };
        if resource.copy == Copy::Repeated || !mesh.trees.node(template).is_map() {
            continue;
        }
        let node = mesh.trees.node(template);
        workloads.push(Workload {
            resource: id,
            namespace: resource.namespace().into(),
            template,
            labels: Labels::read(node.at(&["metadata", "labels"])),
            annotations: Labels::read(node.at(&["metadata", "annotations"])),
            alternative: resource.is_open(),
        });
    }
    workloads
}

/// What is scaled, and by which HorizontalPodAutoscaler: the first that names its kind and name.
pub(super) fn autoscalers(mesh: &Mesh) -> HashMap<ResourceId, ResourceId> {
    let mut autoscalers = HashMap::new();
    let mut all: Vec<ResourceId> = mesh.of_kind("autoscaling", "HorizontalPodAutoscaler").collect();
    // Of two with one target, which one is meant must not depend on the files.
    all.sort_by_key(|id| mesh.resource(*id).name.clone());
    for id in all {
        let Some(target) = mesh.root(id).at(&["spec", "scaleTargetRef"]) else { continue };
        let text = |key: &str| target.get(key).and_then(Node::text);
        let (Some(kind), Some(name)) = (text("kind"), text("name")) else { continue };
        for group in mesh.groups_of(kind) {
            let own = mesh.resource(id).release;
            for scaled in mesh.named(group, kind, mesh.resource(id).namespace(), name) {
                if own.is_none() || own == mesh.resource(*scaled).release {
                    autoscalers.entry(*scaled).or_insert(id);
                }
            }
        }
    }
    autoscalers
}

/// A port that a container declares.
#[derive(Debug, Clone, Copy)]
pub struct ContainerPort<'m> {
    /// Its map.
    pub node: Node<'m>,
    /// `name`
    pub name: Option<&'m str>,
    /// `containerPort`
    pub number: Option<i64>,
    /// `protocol`, TCP where it is not said.
    pub protocol: &'m str,
}

/// The ports of one container.
pub fn container_ports(container: Node<'_>) -> impl Iterator<Item = ContainerPort<'_>> {
    container.get("ports").into_iter().flat_map(Node::items).filter(|p| p.is_map()).map(|node| ContainerPort {
        node,
        name: node.get("name").and_then(Node::text),
        number: node.get("containerPort").and_then(Node::int),
        protocol: node.get("protocol").and_then(Node::text).unwrap_or("TCP"),
    })
}

impl Mesh {
    /// The workload of that number.
    pub fn workload(&self, id: WorkloadId) -> &Workload {
        &self.workloads[id.0 as usize]
    }

    /// The workload that a resource is.
    pub fn workload_of(&self, resource: ResourceId) -> Option<WorkloadId> {
        self.workloads.binary_search_by_key(&resource, |w| w.resource).ok().map(|i| WorkloadId(i as u32))
    }

    /// The HorizontalPodAutoscaler that scales a resource.
    pub fn autoscaler_of(&self, resource: ResourceId) -> Option<ResourceId> {
        self.autoscalers.get(&resource).copied()
    }

    /// Whether a controller that was read made a resource: a ReplicaSet of a Deployment, a Pod of either.
    /// What is wrong with it is wrong with its controller.
    pub fn is_derived(&self, id: ResourceId) -> bool {
        let namespace = self.resource(id).namespace();
        self.controller(id).is_some_and(|c| !self.named(&c.group, &c.kind, namespace, &c.name).is_empty())
    }

    /// The pod's `spec`.
    pub fn pod_spec(&self, workload: &Workload) -> Option<Node<'_>> {
        self.trees.node(workload.template).get("spec")
    }

    /// Containers that run with the pod: `containers` and native sidecars (init containers with
    /// `restartPolicy: Always`).
    pub fn running_containers(&self, workload: &Workload) -> Vec<Node<'_>> {
        let spec = self.pod_spec(workload);
        let list = |key| spec.and_then(|s| s.get(key)).into_iter().flat_map(Node::items).filter(|c| c.is_map());
        let native = list("initContainers").filter(|c| c.get("restartPolicy").and_then(Node::text) == Some("Always"));
        list("containers").chain(native).collect()
    }

    /// All containers, init containers included.
    pub fn containers(&self, workload: &Workload) -> Vec<Node<'_>> {
        let spec = self.pod_spec(workload);
        let list = |key| spec.and_then(|s| s.get(key)).into_iter().flat_map(Node::items).filter(|c| c.is_map());
        list("containers").chain(list("initContainers")).collect()
    }

    /// What an environment variable of a container is set to, or what it proves that it is not: unknown
    /// where the variable, or some others, come from elsewhere.
    pub fn variable(&self, id: WorkloadId, container: &str, name: &str) -> Result<Place, Absence> {
        let workload = self.workload(id);
        let unknown = || Absence::unknown(format!("environment of container {container}"));
        let named = |node: &Node<'_>, name: &str| node.get("name").and_then(Node::text) == Some(name);
        let container = self.containers(workload).into_iter().find(|c| named(c, container)).ok_or_else(unknown)?;
        let env = container.get("env");
        let hides = |node: Node<'_>| node.is_unknown() || node.get("name").is_some_and(Node::is_unknown);
        let hidden = env.is_some_and(|env| hides(env) || env.items().any(hides));
        // The last of equal names wins.
        match env.into_iter().flat_map(Node::items).filter(|e| named(e, name)).last() {
            Some(entry) => match entry.get("value") {
                Some(value) => Ok(Place { tree: workload.template.tree, node: value.id() }),
                None if entry.get("valueFrom").is_some() => Err(unknown()),
                None => Err(Absence::certain()),
            },
            None if hidden || container.get("envFrom").is_some_and(|from| from.items().next().is_some()) => {
                Err(unknown())
            }
            None => Err(Absence::certain()),
        }
    }

    /// Whether the pods use the node's network.
    pub fn host_network(&self, workload: &Workload) -> Tri {
        match self.pod_spec(workload).and_then(|s| s.get("hostNetwork")) {
            Some(node) if node.is_unknown() => Tri::Unknown,
            Some(node) => (node.bool() == Some(true)).into(),
            None => Tri::No,
        }
    }

    /// Workloads of a namespace whose pods a selector may match, with the answer, in order. An empty
    /// selector matches all of them: for a Service, ask only with a selector that has conditions.
    pub fn selected(&self, namespace: &str, selector: &Selector) -> Vec<(WorkloadId, Tri)> {
        let index = &self.workload_index;
        let mut candidates: Vec<WorkloadId> = match selector.requirements.iter().find_map(Requirement::single) {
            None => self.workloads_in(namespace).to_vec(),
            Some((key, value)) => {
                let exact = index.by_label.get(&(namespace.into(), key.into(), value.into()));
                exact.into_iter().chain(index.uncertain.get(namespace)).flatten().copied().collect()
            }
        };
        candidates.sort();
        candidates.dedup();
        candidates
            .into_iter()
            .map(|id| (id, selector.matches(&self.workload(id).labels)))
            .filter(|(_, answer)| *answer != Tri::No)
            .collect()
    }

    /// Whether the pods of a resource have an annotation: a workload's own, those of a Namespace, and of
    /// anything else those in its namespace. Unknown where some of their annotations are.
    pub fn pods_have_annotation(&self, id: ResourceId, key: &str) -> Tri {
        if let Some(workload) = self.workload_of(id) {
            return self.workload(workload).annotations.has(key);
        }
        let resource = self.resource(id);
        let is_namespace = &*resource.kind == "Namespace" && resource.group.is_empty();
        let namespace = if is_namespace { &*resource.name } else { resource.namespace() };
        // A namespace that the input does not show may be any.
        let together = |other: &str| other == namespace || is_unknown(namespace) || is_unknown(other);
        let namespaces = self.workload_index.by_namespace.iter().filter(|(other, _)| together(other));
        let pods = namespaces.flat_map(|(_, pods)| pods).map(|workload| self.workload(*workload));
        pods.fold(Tri::No, |answer, workload| answer.or(workload.annotations.has(key)))
    }

    /// The workloads of a namespace.
    pub fn workloads_in(&self, namespace: &str) -> &[WorkloadId] {
        self.workload_index.by_namespace.get(namespace).map_or(&[], Vec::as_slice)
    }
}

/// Namespace, key, value.
type NamespacedLabel = (Box<str>, Box<str>, Box<str>);

/// Workloads by what selectors ask for.
#[derive(Debug, Default)]
pub(super) struct Index {
    by_namespace: HashMap<Box<str>, Vec<WorkloadId>>,
    by_label: HashMap<NamespacedLabel, Vec<WorkloadId>>,
    /// Those of which some label is not known.
    uncertain: HashMap<Box<str>, Vec<WorkloadId>>,
}

impl Index {
    pub(super) fn new(workloads: &[Workload]) -> Index {
        let mut index = Index::default();
        for (i, workload) in workloads.iter().enumerate() {
            let id = WorkloadId(i as u32);
            let namespace = &workload.namespace;
            index.by_namespace.entry(namespace.clone()).or_default().push(id);
            for label in workload.labels.iter() {
                if let Some(value) = &label.value {
                    let key = (namespace.clone(), label.key.clone(), value.clone());
                    index.by_label.entry(key).or_default().push(id);
                }
            }
            if workload.labels.open || workload.labels.iter().any(|l| l.value.is_none()) {
                index.uncertain.entry(namespace.clone()).or_default().push(id);
            }
        }
        index
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_mesh;
    use super::*;

    #[test]
    fn annotations_of_the_pods_that_a_resource_concerns() {
        let pod = |name: &str, namespace: &str, annotations: &str| {
            format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: {namespace}, annotations: {{{annotations}}}}}\nspec: {{}}\n"
            )
        };
        let mesh = test_mesh(&[
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n",
            "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: shop}\n",
            "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: other}\n",
            &pod("a", "shop", "x: y"),
            &pod("b", "shop", "'${KEY}': y"),
            &pod("a", "other", "z: y"),
            "apiVersion: v1\nkind: Service\nmetadata: {name: b, namespace: '${NS}'}\n",
        ]);
        let has = |id: u32, key: &str| mesh.pods_have_annotation(ResourceId(id), key);
        assert_eq!([has(0, "x"), has(1, "x"), has(2, "x")], [Tri::Yes, Tri::Yes, Tri::No]);
        assert_eq!([has(6, "x"), has(6, "z")], [Tri::Yes, Tri::Yes]);
        assert_eq!([has(0, "z"), has(3, "z"), has(4, "z")], [Tri::Unknown, Tri::No, Tri::Unknown]);
    }

    #[test]
    fn variables_of_a_container() {
        use super::super::absence::Certainty;
        let told = |container: &str, name: &str| {
            let mesh = test_mesh(&[&format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {{containers: [{{name: app, {container}}}]}}\n"
            )]);
            let text = |place| mesh.trees.node(place).text().unwrap().to_string();
            mesh.variable(WorkloadId(0), "app", name).map(text).map_err(|absence| absence.certainty)
        };
        let env = "env: [{name: A, value: a}, {name: B, valueFrom: {}}, {name: A, value: b}]";
        assert_eq!(told(env, "A"), Ok("b".to_string()));
        assert_eq!(told(env, "B"), Err(Certainty::Unknown));
        assert_eq!(told(env, "C"), Err(Certainty::Certain));
        assert_eq!(told("env: [{name: '${NAME}', value: a}]", "A"), Err(Certainty::Unknown));
        assert_eq!(told("envFrom: [{configMapRef: {name: x}}]", "A"), Err(Certainty::Unknown));
    }
}
