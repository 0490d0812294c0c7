//! On which Nodes pods may run: node selector, required affinity, taints and tolerations.
//!
//! Source: `pkg/scheduler/framework/plugins` of Kubernetes 1.34, `nodeaffinity` and `tainttoleration`.

use super::Mesh;
use super::selector::{Labels, Selector, Tri};
use super::workload::WorkloadId;
use crate::resource::ResourceId;
use crate::yaml::Node;

/// Taints that tell of a moment and not of what the Node is for: conditions, start, removal.
const PASSING: [&str; 6] = [
    "node.kubernetes.io/",
    "node.cloudprovider.kubernetes.io/",
    "node.cilium.io/",
    "cni.istio.io/",
    "karpenter.sh/",
    "ToBeDeletedByClusterAutoscaler",
];

impl Mesh {
    /// Whether pods of a workload may be put on a Node. Taints that pass by themselves count as tolerated; what a
    /// chart would render is not known so exactly.
    pub fn admits(&self, node: ResourceId, workload: WorkloadId) -> Tri {
        self.admits_with(&self.node_labels(node), node, workload)
    }

    /// The first of some workloads whose pods certainly may be put on a Node.
    pub fn admitted(&self, node: ResourceId, workloads: impl IntoIterator<Item = WorkloadId>) -> Option<WorkloadId> {
        let labels = self.node_labels(node);
        workloads.into_iter().find(|workload| self.admits_with(&labels, node, *workload).is_yes())
    }

    fn node_labels(&self, node: ResourceId) -> Labels {
        Labels::read(self.root(node).at(&["metadata", "labels"]))
    }

    fn admits_with(&self, labels: &Labels, node: ResourceId, workload: WorkloadId) -> Tri {
        if self.is_virtual(self.workload(workload).resource) {
            return Tri::Unknown;
        }
        let spec = self.pod_spec(self.workload(workload));
        let get = |key: &str| spec.and_then(|s| s.get(key));
        let selected = match get("nodeSelector") {
            Some(selector) if selector.is_unknown() => Tri::Unknown,
            selector => Selector::equality(selector).matches(labels),
        };
        let required = spec.and_then(|s| {
            s.at(&["affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"])
        });
        let affine = match required {
            None if get("affinity").is_some_and(Node::is_unknown) => Tri::Unknown,
            None => Tri::Yes,
            Some(terms) => terms.items().fold(Tri::No, |any, term| any.or(term_matches(term, labels))),
        };
        selected.and(affine).and(self.tolerates(node, get("tolerations")))
    }

    fn tolerates(&self, node: ResourceId, tolerations: Option<Node<'_>>) -> Tri {
        if tolerations.is_some_and(Node::is_unknown) {
            return Tri::Unknown;
        }
        let taints = self.root(node).at(&["spec", "taints"]).into_iter().flat_map(Node::items);
        taints.fold(Tri::Yes, |all, taint| {
            let text = |key: &str| taint.get(key).and_then(Node::text).unwrap_or("");
            let (key, effect) = (text("key"), text("effect"));
            if !matches!(effect, "NoSchedule" | "NoExecute") || PASSING.iter().any(|start| key.starts_with(start)) {
                return all;
            }
            let tolerated = tolerations.into_iter().flat_map(Node::items).any(|t| {
                let of = |key: &str| t.get(key).and_then(Node::text).unwrap_or("");
                let key_fits = of("key") == key || (of("key").is_empty() && of("operator") == "Exists");
                let value_fits = of("operator") == "Exists" || of("value") == text("value");
                key_fits && value_fits && (of("effect").is_empty() || of("effect") == effect)
            });
            let hidden = || {
                let items = tolerations.into_iter().flat_map(Node::items);
                items.flat_map(Node::entries).any(|(_, value)| value.is_unknown())
                    || taint.entries().any(|(_, value)| value.is_unknown())
            };
            match tolerated {
                true => all,
                false if hidden() => all.and(Tri::Unknown),
                false => Tri::No,
            }
        })
    }
}

/// Whether one term of a required affinity matches; what else it may say than conditions on labels is not judged.
fn term_matches(term: Node<'_>, labels: &Labels) -> Tri {
    let expressions = || term.get("matchExpressions").into_iter().flat_map(Node::items);
    let compares = expressions().any(|e| matches!(e.get("operator").and_then(Node::text), Some("Gt" | "Lt")));
    match term.get("matchFields") {
        None if term.get("matchExpressions").is_none() => Tri::No,
        None if !compares => Selector::read(Some(term)).matches(labels),
        _ => Tri::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_mesh;
    use super::*;

    /// Whether a Node with these labels and taints admits a pod of that spec.
    fn admits(labels: &str, taints: &str, spec: &str) -> Tri {
        let mesh = test_mesh(&[
            &format!(
                "apiVersion: v1\nkind: Node\nmetadata: {{name: a, labels: {{{labels}}}}}\nspec: {{taints: [{taints}]}}\n"
            ),
            &format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: p, namespace: shop}}\nspec: {{{spec}}}\n"),
        ]);
        mesh.admits(ResourceId(0), WorkloadId(0))
    }

    #[test]
    fn node_selectors_and_required_affinity() {
        assert_eq!(admits("os: linux", "", ""), Tri::Yes);
        assert_eq!(admits("os: linux", "", "nodeSelector: {os: linux}"), Tri::Yes);
        assert_eq!(admits("os: linux", "", "nodeSelector: {os: windows}"), Tri::No);
        assert_eq!(admits("os: linux", "", "nodeSelector: {os: '${OS}'}"), Tri::Unknown);
        assert_eq!(admits("os: linux", "", "affinity: '${AFFINITY}'"), Tri::Unknown);
        let affinity = |terms: &str| {
            format!(
                "affinity: {{nodeAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: {{nodeSelectorTerms: [{terms}]}}}}}}"
            )
        };
        let pool = |value: &str| format!("{{matchExpressions: [{{key: pool, operator: In, values: [{value}]}}]}}");
        assert_eq!(admits("pool: a", "", &affinity(&pool("a"))), Tri::Yes);
        assert_eq!(admits("pool: a", "", &affinity(&pool("b"))), Tri::No);
        assert_eq!(admits("pool: a", "", &affinity(&format!("{}, {}", pool("b"), pool("a")))), Tri::Yes);
        let more = "{matchExpressions: [{key: cores, operator: Gt, values: ['4']}]}";
        assert_eq!(admits("cores: '8'", "", &affinity(more)), Tri::Unknown);
        assert_eq!(
            admits("pool: a", "", &affinity("{matchFields: [{key: metadata.name, operator: In, values: [a]}]}")),
            Tri::Unknown
        );
    }

    #[test]
    fn the_first_that_a_node_admits() {
        let pod = |name: &str, spec: &str| {
            format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: shop}}\nspec: {{{spec}}}\n")
        };
        let mesh = test_mesh(&[
            "apiVersion: v1\nkind: Node\nmetadata: {name: a, labels: {pool: big}}\n",
            &pod("p", "nodeSelector: {pool: small}"),
            &pod("q", "nodeSelector: {pool: '${POOL}'}"),
            &pod("r", ""),
        ]);
        let admitted = |all: &[u32]| mesh.admitted(ResourceId(0), all.iter().map(|n| WorkloadId(*n)));
        assert_eq!(admitted(&[0, 1, 2]), Some(WorkloadId(2)));
        assert_eq!(admitted(&[0, 1]), None);
    }

    #[test]
    fn taints_and_tolerations() {
        let gpu = "{key: gpu, value: 'yes', effect: NoSchedule}";
        assert_eq!(admits("", gpu, ""), Tri::No);
        for toleration in [
            "{operator: Exists}",
            "{key: gpu, operator: Exists}",
            "{key: gpu, value: 'yes'}",
            "{key: gpu, value: 'yes', effect: NoSchedule}",
        ] {
            assert_eq!(admits("", gpu, &format!("tolerations: [{toleration}]")), Tri::Yes, "{toleration}");
        }
        for toleration in
            ["{key: gpu, value: 'no'}", "{operator: Exists, effect: NoExecute}", "{key: other, operator: Exists}"]
        {
            assert_eq!(admits("", gpu, &format!("tolerations: [{toleration}]")), Tri::No, "{toleration}");
        }
        assert_eq!(admits("", gpu, "tolerations: [{key: '${KEY}', operator: Exists}]"), Tri::Unknown);
        assert_eq!(admits("", "{key: gpu, effect: PreferNoSchedule}", ""), Tri::Yes);
        assert_eq!(admits("", "{key: node.kubernetes.io/not-ready, effect: NoExecute}", ""), Tri::Yes);
        assert_eq!(admits("", "{key: cni.istio.io/not-ready, effect: NoSchedule}", ""), Tri::Yes);
    }
}
