//! Prometheus and what it scrapes of Istio.

use super::super::Mesh;
use super::super::injection::Component;
use super::super::reach::{Hop, Peer};
use super::super::workload::WorkloadId;
use super::tcp;
use crate::yaml::Node;

/// The metrics of istiod.
const ISTIOD: [u16; 1] = [15014];
/// The metrics of a proxy: merged with the application's, or Envoy's own alone.
const PROXY: [u16; 2] = [15020, 15090];

impl Mesh {
    /// From Prometheus to istiods and proxies, on the first of the ports that has their metrics, where it
    /// reaches none of them. A Prometheus that was not read may be any pod.
    pub fn scrapes_blocked(&self) -> Vec<Hop> {
        let mut from: Vec<Peer> = self.ends().filter(|id| self.is_prometheus(*id)).map(Peer::Workload).collect();
        if from.is_empty() {
            from.push(Peer::UnknownPod);
        }
        let target = |id: WorkloadId| match self.injection(id).component {
            Some(Component::Istiod) => Some(&ISTIOD[..]),
            Some(Component::IstioCni) => None,
            Some(_) => Some(&PROXY[..]),
            None => self.injection(id).sidecar.is_yes().then_some(&PROXY[..]),
        };
        let mut hops = Vec::new();
        for id in self.ends() {
            let Some(ports) = target(id) else { continue };
            let hop = |from: Peer, number: u16| Hop { from, to: Peer::Workload(id), port: tcp(number) };
            let mut all = from.iter().flat_map(|from| ports.iter().map(|number| hop(*from, *number)));
            if all.all(|hop| self.is_blocked(hop)) {
                hops.push(hop(from[0], ports[0]));
            }
        }
        hops
    }

    /// Whether a workload runs the image of Prometheus.
    fn is_prometheus(&self, id: WorkloadId) -> bool {
        let workload = self.workload(id);
        let runs = |container: Node<'_>| {
            let image = container.get("image").and_then(Node::text).unwrap_or_default();
            let repository = image.split([':', '@']).next().unwrap_or_default();
            repository.ends_with("prom/prometheus") || repository.ends_with("prometheus/prometheus")
        };
        self.running_containers(workload).into_iter().any(runs)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::test_mesh;
    use super::super::tests::texts;

    const ISTIOD: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: istiod, namespace: istio-system}\nspec: {template: {metadata: {labels: {app: istiod}}, spec: {containers: [{name: discovery}]}}}\n";
    const CART: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: cart, namespace: shop}\nspec: {template: {metadata: {labels: {sidecar.istio.io/inject: 'true'}}, spec: {}}}\n";
    const PROMETHEUS: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: prometheus, namespace: monitoring}\nspec: {template: {metadata: {labels: {app: prometheus}}, spec: {containers: [{name: p, image: 'quay.io/prometheus/prometheus:v3.1.0'}]}}}\n";

    fn policy(namespace: &str, ingress: &str) -> String {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p, namespace: {namespace}}}\nspec: {{ingress: [{ingress}]}}\n"
        )
    }

    fn blocked(documents: &[&str]) -> Vec<String> {
        let mesh = test_mesh(documents);
        texts(&mesh, &mesh.scrapes_blocked())
    }

    #[test]
    fn a_prometheus_that_was_not_read_may_be_what_a_rule_selects() {
        let closed = [policy("istio-system", "{ports: [{port: 15012}]}"), policy("shop", "")];
        assert_eq!(
            blocked(&[ISTIOD, CART, &closed[0], &closed[1]]),
            ["UnknownPod > istio-system/istiod 15014/TCP", "UnknownPod > shop/cart 15020/TCP"]
        );
        let open = [policy("istio-system", "{from: [{podSelector: {}}]}"), policy("shop", "{ports: [{port: 15090}]}")];
        assert!(blocked(&[ISTIOD, CART, &open[0], &open[1]]).is_empty());
    }

    #[test]
    fn one_that_was_read_is_asked_for() {
        let own = policy("istio-system", "{from: [{podSelector: {}}]}");
        assert_eq!(blocked(&[ISTIOD, PROMETHEUS, &own]), ["monitoring/prometheus > istio-system/istiod 15014/TCP"]);
        assert!(
            blocked(&[ISTIOD, PROMETHEUS, &policy("istio-system", "{from: [{namespaceSelector: {}}]}")]).is_empty()
        );
    }
}
