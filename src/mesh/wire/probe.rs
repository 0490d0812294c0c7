//! Probes of ambient pods: istio-cni gives them an address of their own, so that ztunnel lets them pass.

use super::super::Mesh;
use super::super::reach::{Hop, Peer};
use super::super::workload::container_ports;
use super::tcp;
use crate::yaml::Node;

const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];
const ACTIONS: [&str; 3] = ["httpGet", "tcpSocket", "grpc"];

impl Mesh {
    /// From the kubelet to the ports that ambient pods are probed on.
    pub fn ambient_probes(&self) -> Vec<Hop> {
        let mut hops = Vec::new();
        for id in self.ends().filter(|id| self.injection(*id).ambient.is_yes()) {
            for container in self.running_containers(self.workload(id)) {
                let ports = PROBES.iter().flat_map(|p| ACTIONS.map(|a| container.at(&[p, a, "port"]))).flatten();
                let ports = ports.filter_map(|port| probed(container, port));
                hops.extend(ports.map(|number| Hop {
                    from: Peer::AmbientProbe,
                    to: Peer::Workload(id),
                    port: tcp(number),
                }));
            }
        }
        hops
    }
}

/// A number, or the container's port of that name.
fn probed(container: Node<'_>, port: Node<'_>) -> Option<u16> {
    let number = port.int().or_else(|| {
        let name = port.string()?;
        container_ports(container).find(|p| p.name == Some(name))?.number
    });
    number?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::super::super::{Declared, test_mesh, test_mesh_with};
    use super::super::tests::{blocks, texts};

    const POD: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: shop}\nspec: {template: {metadata: {labels: {istio.io/dataplane-mode: ambient}}, spec: {containers: [{name: c, ports: [{name: web, containerPort: 8080}], livenessProbe: {httpGet: {port: web}}, readinessProbe: {grpc: {port: 9000}}, startupProbe: {exec: {command: [x]}}}]}}}\n";
    const DENY: &str = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny, namespace: shop}\nspec: {ingress: []}\n";

    #[test]
    fn probes_come_to_the_ports_they_name() {
        let mesh = test_mesh(&[POD]);
        let hops = mesh.ambient_probes();
        assert_eq!(texts(&mesh, &hops), ["AmbientProbe > shop/a 8080/TCP", "AmbientProbe > shop/a 9000/TCP"]);
        assert!(test_mesh(&[&POD.replace("ambient", "none")]).ambient_probes().is_empty());
    }

    #[test]
    fn policies_see_the_address_that_istio_cni_gives_them() {
        let ask = |rules: &str, more: &str| {
            let mesh = test_mesh(&[POD, &DENY.replace("[]", rules), more]);
            blocks(&mesh, &mesh.blocked_hops(mesh.ambient_probes()))
        };
        let from = |cidr: &str| format!("[{{from: [{{ipBlock: {{cidr: {cidr}}}}}]}}]");
        assert_eq!(ask("[]", ""), ["ingress deny: 8080/TCP 9000/TCP"]);
        assert_eq!(ask("[{from: [{namespaceSelector: {}}]}]", ""), ["ingress deny: 8080/TCP 9000/TCP"]);
        assert!(ask(&from("169.254.7.127/32"), "").is_empty());
        assert_eq!(ask("[{ports: [{port: 8080}]}]", ""), ["ingress deny: 9000/TCP"]);
        let cni = "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: cni, namespace: istio-system}\nspec: {template: {metadata: {labels: {k8s-app: istio-cni-node}}, spec: {containers: [{name: i, env: [{name: HOST_PROBE_SNAT_IP, value: 169.254.9.9}]}]}}}\n";
        assert_eq!(ask(&from("169.254.7.127/32"), cni), ["ingress deny: 8080/TCP 9000/TCP"]);
        assert!(ask(&from("169.254.9.9/32"), cni).is_empty());
        let none = Declared { cni: Some("none".into()), ..Declared::default() };
        let mesh = test_mesh_with(&[POD, DENY], none);
        assert!(mesh.blocked_hops(mesh.ambient_probes()).groups.is_empty());
    }
}
