//! Gateways of the Gateway API whose pods istiod runs.

use super::super::Mesh;
use crate::resource::ResourceId;
use crate::yaml::Node;

const GROUP: &str = "gateway.networking.k8s.io";

/// Classes that istiod has pods run for (`pilot/pkg/config/kube/gateway/conditions.go` of 1.31).
const CLASSES: [&str; 3] = ["istio", WAYPOINT, "istio-east-west"];
const WAYPOINT: &str = "istio-waypoint";

/// The label by which its pods know their Gateway.
const NAME: &str = "gateway.networking.k8s.io/gateway-name";

impl Mesh {
    /// Gateways for which istiod runs pods that were not read.
    pub fn managed_gateways(&self) -> impl Iterator<Item = ResourceId> + '_ {
        self.of_kind(GROUP, "Gateway").filter(|id| {
            let resource = self.resource(*id);
            let spec = self.root(*id).get("spec");
            let get = |key: &str| spec.and_then(|s| s.get(key)).filter(|n| !n.is_null());
            let class = get("gatewayClassName").and_then(Node::text);
            // With an address it is bound to pods that somebody else runs.
            let is_bound = get("addresses").is_some_and(|a| a.is_unknown() || a.items().next().is_some());
            let was_read = || {
                let pods = self.workloads_in(resource.namespace()).iter();
                pods.copied().any(|w| self.workload(w).labels.value(NAME) == Some(&resource.name))
            };
            class.is_some_and(|c| CLASSES.contains(&c)) && !is_bound && !resource.is_open() && !was_read()
        })
    }

    /// Whether a Gateway is a waypoint.
    pub(super) fn is_waypoint(&self, gateway: ResourceId) -> bool {
        self.root(gateway).at(&["spec", "gatewayClassName"]).and_then(Node::text) == Some(WAYPOINT)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::test_mesh;

    #[test]
    fn istiod_runs_pods_for_its_classes_unless_they_were_read_or_bound() {
        let found = |spec: &str, other: &str| {
            let gateway = format!(
                "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {{name: g, namespace: shop}}\nspec: {{{spec}}}\n"
            );
            test_mesh(&[&gateway, other]).managed_gateways().count()
        };
        let pods = |name: &str| {
            format!(
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: x, namespace: shop}}\nspec: {{template: {{metadata: {{labels: {{gateway.networking.k8s.io/gateway-name: {name}}}}}, spec: {{}}}}}}\n"
            )
        };
        assert_eq!(found("gatewayClassName: istio", ""), 1);
        assert_eq!(found("gatewayClassName: istio-waypoint", &pods("other")), 1);
        assert_eq!(found("gatewayClassName: istio-waypoint", &pods("g")), 0);
        assert_eq!(found("gatewayClassName: istio, addresses: [{value: a}]", ""), 0);
        assert_eq!(found("gatewayClassName: nginx", ""), 0);
        assert_eq!(found("gatewayClassName: '${CLASS}'", ""), 0);
    }
}
