//! Which pods a policy of Cilium's is about: CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy.
//!
//! Source: <https://docs.cilium.io/en/stable/security/policy/kubernetes/>.

use super::Mesh;
use super::namespace::NAME_LABEL;
use super::selector::{Labels, Requirement, Selector, Tri};
use super::workload::WorkloadId;
use crate::resource::ResourceId;

/// The namespace of a pod, and its labels, as keys of an `endpointSelector`.
const NAMESPACE: &str = "io.kubernetes.pod.namespace";
const NAMESPACE_LABEL: &str = "io.cilium.k8s.namespace.labels.";

impl Mesh {
    /// The workloads whose pods the `endpointSelector` of a policy certainly selects, in its own namespace
    /// or, of a cluster-wide one, in all. None where `specs` says more than one thing.
    pub fn cilium_endpoints(&self, policy: ResourceId) -> Vec<WorkloadId> {
        let Some(selector) = self.root(policy).at(&["spec", "endpointSelector"]).filter(|s| !s.is_unknown()) else {
            return Vec::new();
        };
        let selector = Selector::read(Some(selector));
        let own = self.resource(policy).namespace.as_deref();
        let all = (0..self.workloads.len() as u32).map(WorkloadId);
        all.filter(|id| {
            let workload = self.workload(*id);
            let here = own.is_none_or(|namespace| namespace == &*workload.namespace);
            here && !workload.alternative && self.is_endpoint(*id, &selector)
        })
        .collect()
    }

    fn is_endpoint(&self, id: WorkloadId, selector: &Selector) -> bool {
        let labels = self.pod_labels(id);
        let open = Labels::open();
        let namespace = self.namespace(&self.workload(id).namespace).map_or(&open, |n| &n.labels);
        selector.requirements.iter().all(|requirement| {
            let key = bare(&requirement.key);
            let (key, labels) = match key.strip_prefix(NAMESPACE_LABEL) {
                Some(label) => (label, namespace),
                None if key == NAMESPACE => (NAME_LABEL, namespace),
                None => (key, &labels),
            };
            Requirement { key: key.into(), ..requirement.clone() }.matches(labels) == Tri::Yes
        })
    }
}

/// A label's key without the source that Cilium puts before it: `k8s:app`. Pods never have reserved ones.
fn bare(key: &str) -> &str {
    key.strip_prefix("k8s:").or_else(|| key.strip_prefix("any:")).unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::super::test_mesh;

    const SHOP: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {team: a}}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: cart, namespace: shop, labels: {app: cart}}\nspec: {}\n";

    fn selected(kind: &str, spec: &str) -> bool {
        let namespace = if kind == "CiliumNetworkPolicy" { ", namespace: shop" } else { "" };
        let policy =
            format!("apiVersion: cilium.io/v2\nkind: {kind}\nmetadata: {{name: p{namespace}}}\nspec: {{{spec}}}\n");
        let mesh = test_mesh(&[SHOP, &policy]);
        let id = mesh.of_kind("cilium.io", kind).next().unwrap();
        !mesh.cilium_endpoints(id).is_empty()
    }

    #[test]
    fn keys_may_name_their_source() {
        for (selector, expected) in [
            ("{}", true),
            ("{matchLabels: {app: cart}}", true),
            ("{matchLabels: {'k8s:app': cart}}", true),
            ("{matchLabels: {'any:app': cart}}", true),
            ("{matchLabels: {'k8s:app': web}}", false),
            ("{matchLabels: {'reserved:host': ''}}", false),
            ("{matchExpressions: [{key: 'k8s:app', operator: In, values: [cart]}]}", true),
            ("'${SELECTOR}'", false),
            ("{matchLabels: {app: '${APP}'}}", false),
        ] {
            assert_eq!(
                selected("CiliumNetworkPolicy", &format!("endpointSelector: {selector}")),
                expected,
                "{selector}"
            );
        }
        assert!(!selected("CiliumNetworkPolicy", ""));
    }

    #[test]
    fn a_cluster_wide_policy_may_choose_namespaces() {
        let ask = |label: &str| {
            selected("CiliumClusterwideNetworkPolicy", &format!("endpointSelector: {{matchLabels: {{{label}}}}}"))
        };
        assert!(ask("'k8s:io.kubernetes.pod.namespace': shop"));
        assert!(!ask("'k8s:io.kubernetes.pod.namespace': other"));
        assert!(ask("'k8s:io.cilium.k8s.namespace.labels.team': a"));
        assert!(!ask("io.cilium.k8s.namespace.labels.team: b"));
    }
}
