//! From outside the cluster to gateways.

use std::net::{IpAddr, Ipv4Addr};

use super::super::Mesh;
use super::super::injection::Component;
use super::super::reach::{Cidr, Hop, Peer, Port, Protocol};
use super::super::service::Target;
use super::tcp;
use crate::resource::ResourceId;
use crate::yaml::Node;

/// Where load balancers ask whether a gateway is up.
const STATUS: u16 = 15021;

impl Mesh {
    /// From anywhere to each gateway: to the ports of the pod that its Services of type LoadBalancer or
    /// NodePort lead to, and to the listeners of Gateways whose pods istiod runs.
    pub fn to_gateways(&self) -> Vec<Hop> {
        let Some(from) = Cidr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0).map(Peer::External) else { return Vec::new() };
        let mut hops = Vec::new();
        for id in self.ends().filter(|id| self.injection(*id).component == Some(Component::Gateway)) {
            let services = self.services_of(id).filter(|s| self.is_open_to_the_outside(*s));
            for item in services.flat_map(|s| self.service_ports(s)) {
                let item = self.trees.node(item);
                let protocol = match item.get("protocol") {
                    None => Some(Protocol::Tcp),
                    Some(word) => word.text().and_then(Protocol::parse),
                };
                if let (Some(protocol), Target::Port(number)) = (protocol, self.target_port(item, id)) {
                    hops.push(Hop { from, to: Peer::Workload(id), port: Port { protocol, number } });
                }
            }
        }
        for id in self.managed_gateways().filter(|id| !self.is_waypoint(*id)) {
            let Some(to) = self.reach.pods_of_gateway(id) else { continue };
            let ports = self.listener_ports(id).into_iter();
            hops.extend(ports.map(|port| Hop { from, to, port: tcp(port) }));
        }
        hops
    }

    fn is_open_to_the_outside(&self, service: ResourceId) -> bool {
        let kind = self.root(service).at(&["spec", "type"]).and_then(Node::text);
        matches!(kind, Some("LoadBalancer" | "NodePort"))
    }

    /// The ports of a Gateway that istiod makes a LoadBalancer Service for; none if it asks for another
    /// Service, or something that was not read may.
    fn listener_ports(&self, gateway: ResourceId) -> Vec<u16> {
        let root = self.root(gateway);
        let set = |path: &[&str]| root.at(path).is_some_and(|n| !n.is_null());
        let other = set(&["metadata", "annotations", "networking.istio.io/service-type"])
            || set(&["spec", "infrastructure", "annotations", "networking.istio.io/service-type"])
            || set(&["spec", "infrastructure", "parametersRef"]);
        if other {
            return Vec::new();
        }
        let listeners = root.at(&["spec", "listeners"]).into_iter().flat_map(Node::items);
        let ports = listeners.filter_map(|l| l.get("port")?.int()?.try_into().ok());
        ports.chain([STATUS]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::test_mesh;
    use super::super::tests::texts;

    const GATEWAY: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: edge, namespace: ingress}\nspec: {template: {metadata: {labels: {istio: edge}, annotations: {inject.istio.io/templates: gateway}}, spec: {}}}\n";

    fn hops(kind: &str) -> Vec<String> {
        let service = format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: edge, namespace: ingress}}\nspec: {{type: {kind}, selector: {{istio: edge}}, ports: [{{port: 80, targetPort: 8080}}, {{port: 443}}, {{port: 444, targetPort: nope}}, {{port: 443, protocol: UDP}}]}}\n"
        );
        let mesh = test_mesh(&[GATEWAY, &service]);
        texts(&mesh, &mesh.to_gateways())
    }

    #[test]
    fn the_outside_reaches_the_ports_of_the_pod() {
        let all = ["8080/TCP", "443/TCP", "443/UDP"].map(|port| format!("0.0.0.0/0 > ingress/edge {port}"));
        assert_eq!(hops("LoadBalancer"), all);
        assert_eq!(hops("NodePort"), all);
        assert!(hops("ClusterIP").is_empty());
    }

    #[test]
    fn gateways_of_the_gateway_api_listen_on_the_ports_of_their_listeners() {
        let hops = |annotations: &str, class: &str| {
            let mesh = test_mesh(&[&format!(
                "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {{name: g, namespace: shop, annotations: {{{annotations}}}}}\nspec: {{gatewayClassName: {class}, listeners: [{{port: 80}}, {{port: '${{P}}'}}]}}\n"
            )]);
            texts(&mesh, &mesh.to_gateways())
        };
        assert_eq!(hops("", "istio"), ["0.0.0.0/0 > shop/g 80/TCP", "0.0.0.0/0 > shop/g 15021/TCP"]);
        assert!(hops("networking.istio.io/service-type: ClusterIP", "istio").is_empty());
        assert!(hops("", "istio-waypoint").is_empty());
    }
}
