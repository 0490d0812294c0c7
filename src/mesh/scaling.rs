//! What scales a workload, and what its containers ask for in the end.

use super::Mesh;
use super::absence::Absence;
use super::proxy::Setting;
use super::selector::{Selector, Tri};
use super::workload::WorkloadId;
use crate::resource::ResourceId;
use crate::yaml::scalar::is_unknown;
use crate::yaml::{Node, Place};

/// Kinds whose `replicas` are one where nothing is written.
const REPLICATED: [&str; 5] = ["Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "Rollout"];

impl Mesh {
    /// The HorizontalPodAutoscaler that scales a workload, or what its absence proves. Unknown where a
    /// ScaledObject of KEDA makes one, where copies differ, or where a target is not shown.
    pub fn hpa_of(&self, workload: ResourceId) -> Result<ResourceId, Absence> {
        let namespace = self.resource(workload).namespace();
        let unknown = || Err(Absence::unknown(format!("HorizontalPodAutoscalers of namespace {namespace}")));
        if let Some(found) = self.autoscaler_of(workload) {
            return if self.resource(found).is_open() { unknown() } else { Ok(found) };
        }
        if self.may_be_scaled(workload) {
            return unknown();
        }
        Err(self.absence("autoscaling", "HorizontalPodAutoscaler", namespace))
    }

    /// Whether something may scale a workload whose target the input does not show, or that makes an
    /// autoscaler of its own.
    pub fn may_be_scaled(&self, workload: ResourceId) -> bool {
        let namespace = self.resource(workload).namespace();
        [("autoscaling", "HorizontalPodAutoscaler"), ("keda.sh", "ScaledObject")].into_iter().any(|(group, kind)| {
            let target = |id| self.root(id).at(&["spec", "scaleTargetRef"]);
            let near = |id: &ResourceId| {
                let other = self.resource(*id).namespace();
                other == namespace || is_unknown(other) || is_unknown(namespace)
            };
            self.of_kind(group, kind).filter(near).any(|id| self.names(target(id), workload) != Some(false))
        })
    }

    /// What says how few pods of a workload run: `minReplicas` of its HorizontalPodAutoscaler, else its own
    /// `replicas`. Where neither is written it is one, at the place of the first and with what proves that
    /// nothing else says it; that is unknown for kinds that count otherwise.
    pub fn fewest_replicas(&self, workload: ResourceId) -> Result<Place, (Place, Absence)> {
        let resource = self.resource(workload);
        let written = |id: ResourceId, key: &str| {
            let place = self.at(id, &["spec", key])?;
            Some(place).filter(|place| !self.trees.node(*place).is_null())
        };
        let spec = |id: ResourceId| self.at(id, &["spec"]).unwrap_or(self.resource(id).root);
        if !REPLICATED.contains(&&*resource.kind) {
            return Err((resource.root, Absence::unknown(format!("how many pods a {} has", resource.kind))));
        }
        match (self.hpa_of(workload), written(workload, "replicas")) {
            (Ok(hpa), _) => written(hpa, "minReplicas").ok_or_else(|| (spec(hpa), Absence::certain())),
            (Err(absence), Some(_)) if self.may_be_scaled(workload) => Err((resource.root, absence)),
            // No autoscaler that stands elsewhere could keep to a figure of its own.
            (Err(_), Some(place)) => Ok(place),
            (Err(absence), None) => Err((spec(workload), absence)),
        }
    }

    /// The PodDisruptionBudgets that select a workload's pods, and what it proves that another is not among
    /// them: unknown where one may select them, or a chart that was not rendered may bring one.
    pub fn budgets_of(&self, id: WorkloadId) -> (Vec<ResourceId>, Absence) {
        let workload = self.workload(id);
        let mut found = Vec::new();
        let mut absence = match self.is_virtual(workload.resource) {
            true => Absence::unknown("PodDisruptionBudgets that its chart brings"),
            false => self.absence("policy", "PodDisruptionBudget", &workload.namespace),
        };
        for budget in self.of_kind_in("policy", "PodDisruptionBudget", &workload.namespace) {
            let Some(selector) = self.root(*budget).at(&["spec", "selector"]).filter(|node| !node.is_null()) else {
                continue;
            };
            let hidden = selector.is_unknown() || self.resource(*budget).is_open();
            match Selector::read(Some(selector)).matches(&workload.labels) {
                Tri::Yes if !hidden => found.push(*budget),
                Tri::No if !hidden => {}
                _ => absence = Absence::unknown("which PodDisruptionBudgets select it"),
            }
        }
        (found, absence)
    }

    /// What a container asks for of `cpu` or `memory`: its request, else its limit, else the default of a
    /// LimitRange of the namespace. Unknown where a VerticalPodAutoscaler or the pod as a whole sets it.
    pub fn request(&self, id: WorkloadId, container: Node<'_>, resource: &str) -> Setting {
        let workload = self.workload(id);
        let tree = workload.template.tree;
        for part in ["requests", "limits"] {
            match container.at(&["resources", part, resource]) {
                Some(node) if node.is_unknown() => return Setting::Unknown,
                Some(node) if !node.is_null() => return Setting::At(Place { tree, node: node.id() }),
                _ => {}
            }
        }
        // A merge or a substitution may hold it.
        let hidden = [&["resources"][..], &["resources", "requests"], &["resources", "limits"]];
        if hidden.iter().any(|path| container.at(path).is_some_and(|node| node.is_unknown())) {
            return Setting::Unknown;
        }
        let whole = self.pod_spec(workload).and_then(|spec| spec.get("resources"));
        let scaled = self.of_kind_in("autoscaling.k8s.io", "VerticalPodAutoscaler", &workload.namespace);
        let scales = |id: &ResourceId| self.names(self.root(*id).at(&["spec", "targetRef"]), workload.resource);
        if whole.is_some() || scaled.iter().any(|id| scales(id) != Some(false)) {
            return Setting::Unknown;
        }
        for range in self.of_kind_in("", "LimitRange", &workload.namespace) {
            for item in self.root(*range).at(&["spec", "limits"]).into_iter().flat_map(Node::items) {
                let kind = item.get("type");
                let default = ["defaultRequest", "default"].into_iter().find_map(|key| item.at(&[key, resource]));
                if kind.is_some_and(|node| node.is_unknown()) && default.is_some() {
                    return Setting::Unknown;
                }
                if let (Some("Container"), Some(node)) = (kind.and_then(Node::text), default) {
                    return Setting::At(Place { tree: self.resource(*range).root.tree, node: node.id() });
                }
            }
        }
        Setting::Unset(Place { tree, node: container.id() })
    }

    /// Whether a reference of kind and name is to a resource; nothing where it does not show that.
    fn names(&self, reference: Option<Node<'_>>, resource: ResourceId) -> Option<bool> {
        let resource = self.resource(resource);
        let mut sure = true;
        // KEDA means a Deployment where no kind is written.
        for (key, wanted) in [("kind", &resource.kind), ("name", &resource.name)] {
            match reference.and_then(|r| r.get(key)) {
                Some(node) if node.is_unknown() || is_unknown(wanted) => sure = false,
                Some(node) if node.text() != Some(wanted) => return Some(false),
                None if key == "name" || &**wanted != "Deployment" => return Some(false),
                _ => {}
            }
        }
        sure.then_some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::absence::Certainty;
    use super::super::{Mesh, test_mesh};
    use super::*;

    const ISTIOD: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: istiod, namespace: istio-system}\nspec: {template: {spec: {containers: [{name: discovery, resources: {limits: {cpu: 1}}}]}}}\n";

    fn scaler(head: &str, reference: &str) -> String {
        format!(
            "apiVersion: {head}\nmetadata: {{name: a, namespace: istio-system}}\nspec: {{scaleTargetRef: {{{reference}}}, targetRef: {{{reference}}}}}\n"
        )
    }

    fn hpa(other: &str) -> Result<ResourceId, Certainty> {
        test_mesh(&[ISTIOD, other]).hpa_of(ResourceId(0)).map_err(|absence| absence.certainty)
    }

    #[test]
    fn autoscalers_are_found_by_their_target() {
        let head = "autoscaling/v2\nkind: HorizontalPodAutoscaler";
        assert_eq!(hpa(&scaler(head, "kind: Deployment, name: istiod")), Ok(ResourceId(1)));
        assert_eq!(hpa(&scaler(head, "kind: Deployment, name: other")), Err(Certainty::Likely));
        assert_eq!(hpa(&scaler(head, "kind: StatefulSet, name: istiod")), Err(Certainty::Likely));
        assert_eq!(hpa(&scaler(head, "kind: Deployment, name: '${NAME}'")), Err(Certainty::Unknown));
        let elsewhere = scaler(head, "kind: Deployment, name: istiod").replace("istio-system", "'${NS}'");
        assert_eq!(hpa(&elsewhere), Err(Certainty::Unknown));
        assert_eq!(hpa(&scaler("keda.sh/v1alpha1\nkind: ScaledObject", "name: istiod")), Err(Certainty::Unknown));
        assert_eq!(hpa("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n"), Err(Certainty::Unknown));
    }

    #[test]
    fn how_few_pods_run() {
        let fewest = |texts: &[&str]| {
            let mesh = test_mesh(texts);
            let read = |place| mesh.trees.node(place).text().unwrap_or_default().to_string();
            mesh.fewest_replicas(ResourceId(0)).map(read).map_err(|(_, absence)| absence.certainty)
        };
        let head = "autoscaling/v2\nkind: HorizontalPodAutoscaler";
        let other = scaler(head, "kind: Deployment, name: other");
        let own = scaler(head, "kind: Deployment, name: istiod");
        let keda = scaler("keda.sh/v1alpha1\nkind: ScaledObject", "name: istiod");
        let three = ISTIOD.replace("spec: {template", "spec: {replicas: 3, template");
        assert_eq!(fewest(&[ISTIOD]), Err(Certainty::Unknown));
        assert_eq!(fewest(&[ISTIOD, &other]), Err(Certainty::Likely));
        assert_eq!(fewest(&[ISTIOD, &own]), Err(Certainty::Certain));
        assert_eq!(fewest(&[&three, &own]), Err(Certainty::Certain));
        assert_eq!(fewest(&[&three]), Ok("3".into()));
        assert_eq!(fewest(&[&three, &keda]), Err(Certainty::Unknown));
        assert_eq!(fewest(&[ISTIOD, &own.replace("spec: {", "spec: {minReplicas: 2, ")]), Ok("2".into()));
        assert_eq!(fewest(&[&ISTIOD.replace("Deployment", "DaemonSet")]), Err(Certainty::Unknown));
    }

    #[test]
    fn budgets_are_found_by_their_selector() {
        let budget = |spec: &str| {
            format!(
                "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {{name: b, namespace: istio-system}}\nspec: {{{spec}}}\n"
            )
        };
        let labelled = ISTIOD.replace("{spec: {c", "{metadata: {labels: {app: istiod}}, spec: {c");
        let found = |spec: &str| {
            let (found, absence) = test_mesh(&[&labelled, &budget(spec)]).budgets_of(WorkloadId(0));
            (found.len(), absence.certainty)
        };
        assert_eq!(found("selector: {matchLabels: {app: istiod}}"), (1, Certainty::Likely));
        assert_eq!(found("selector: {}"), (1, Certainty::Likely));
        assert_eq!(found("minAvailable: 1"), (0, Certainty::Likely));
        assert_eq!(found("selector: {matchLabels: {app: other}}"), (0, Certainty::Likely));
        assert_eq!(found("selector: {matchLabels: {app: '${APP}'}}"), (0, Certainty::Unknown));
        assert_eq!(found("selector: '${SELECTOR}'"), (0, Certainty::Unknown));
    }

    fn asked(others: &[&str], resource: &str) -> String {
        let mut texts = vec![ISTIOD];
        texts.extend(others);
        let mesh: Mesh = test_mesh(&texts);
        let container = mesh.containers(&mesh.workloads[0])[0];
        match mesh.request(WorkloadId(0), container, resource) {
            Setting::At(place) => mesh.trees.node(place).text().unwrap().to_string(),
            other => format!("{other:?}").split('(').next().unwrap().to_string(),
        }
    }

    #[test]
    fn requests_come_from_limits_and_limit_ranges() {
        assert_eq!(asked(&[], "cpu"), "1");
        assert_eq!(asked(&[], "memory"), "Unset");
        let range = "apiVersion: v1\nkind: LimitRange\nmetadata: {name: a, namespace: istio-system}\nspec: {limits: [{type: Pod, default: {memory: 1Gi}}, {type: Container, default: {memory: 2Gi}}]}\n";
        assert_eq!(asked(&[range], "memory"), "2Gi");
        assert_eq!(asked(&[&range.replace("istio-system", "shop")], "memory"), "Unset");
        let vertical = scaler("autoscaling.k8s.io/v1\nkind: VerticalPodAutoscaler", "kind: Deployment, name: istiod");
        assert_eq!(asked(&[&vertical], "memory"), "Unknown");
    }
}
