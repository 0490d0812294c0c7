//! Mesh traffic of ambient pods: it arrives at 15008 of the pod or of its waypoint, whatever port the
//! application has.
//!
//! Which pods talk to each other no manifest says. That a policy means them to is taken from what it
//! admits: whoever may connect to the application's own port has to get through the tunnel.

use std::collections::BTreeMap;

use super::super::Mesh;
use super::super::injection::Component;
use super::super::reach::{Direction, Hop, Peer, Port, Protocol};
use super::super::selector::{Labels, Tri};
use super::super::service::Target;
use super::super::workload::{WorkloadId, container_ports};
use super::{HBONE, tcp};
use crate::yaml::Node;

/// Ports of a proxy, which are nobody's application.
const PROXY_PORTS: [u16; 4] = [15008, 15020, 15021, 15090];

/// How the traffic to pods goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Direct,
    Through(Peer),
    /// The input does not show whether there is a waypoint, or not the waypoint itself.
    Unknown,
}

struct Server {
    id: WorkloadId,
    /// The application's ports.
    ports: Vec<Port>,
    way: Way,
}

impl Mesh {
    /// The hops of traffic that policies admit by the application's port: from an ambient pod to another
    /// or to its waypoint, and from a waypoint to the pods behind it. For each pod whose policies name
    /// ports without that of the tunnel, one such connection stands for all.
    pub fn tunnels(&self) -> Vec<Hop> {
        let ambient: Vec<WorkloadId> = self.ends().filter(|id| self.injection(*id).ambient.is_yes()).collect();
        let server = |id: &WorkloadId| Server { id: *id, ports: self.application_ports(*id), way: self.way_to(*id) };
        let servers: BTreeMap<WorkloadId, Server> = ambient.iter().map(|id| (*id, server(id))).collect();
        let mut hops = Vec::new();
        for server in servers.values() {
            match server.way {
                Way::Through(waypoint) => {
                    hops.push(Hop { from: waypoint, to: Peer::Workload(server.id), port: HBONE });
                    // A waypoint that admits nobody serves nobody.
                    hops.push(Hop { from: Peer::UnknownPod, to: waypoint, port: HBONE });
                }
                Way::Direct => hops.extend(self.client_cut_off(server, &servers)),
                Way::Unknown => {}
            }
        }
        hops.extend(ambient.into_iter().filter_map(|client| self.server_cut_off(client, &servers)));
        hops
    }

    /// The hop of some client that a rule of the server's admits to its ports, but not through the tunnel; of
    /// any pod where rules mean any to reach the ports, and admit none.
    fn client_cut_off(&self, server: &Server, ambient: &BTreeMap<WorkloadId, Server>) -> Option<Hop> {
        let any = Hop { from: Peer::UnknownPod, to: Peer::Workload(server.id), port: HBONE };
        let namespace = &*self.workload(server.id).namespace;
        let rules = self.rules_without(server.id, Direction::Ingress, HBONE).into_iter();
        let mut rules = rules.filter(|rule| server.ports.iter().any(|port| rule.may_open(*port))).peekable();
        if rules.peek().is_none() || self.is_allowed(any) {
            return None;
        }
        let hop = rules.find_map(|rule| {
            let clients = self.pods_named_by(rule, namespace).into_iter().filter(|id| ambient.contains_key(id));
            clients.into_iter().find_map(|client| self.cut_off(client, server))
        })?;
        let everybody = server.ports.iter().any(|port| self.is_allowed(Hop { port: *port, ..any }));
        Some(if everybody && self.is_blocked(any) { any } else { hop })
    }

    /// The hop to some server that a rule of the client's lets it out to, but not through the tunnel.
    fn server_cut_off(&self, client: WorkloadId, ambient: &BTreeMap<WorkloadId, Server>) -> Option<Hop> {
        let namespace = &*self.workload(client).namespace;
        self.rules_without(client, Direction::Egress, HBONE).into_iter().find_map(|rule| {
            let servers = self.pods_named_by(rule, namespace).into_iter().filter_map(|id| ambient.get(&id));
            let mut named = servers.filter(|server| server.ports.iter().any(|port| rule.may_open(*port)));
            named.find_map(|server| self.cut_off(client, server))
        })
    }

    /// The hop that a client lacks to a server whose application it may reach.
    fn cut_off(&self, client: WorkloadId, server: &Server) -> Option<Hop> {
        let (from, to) = (Peer::Workload(client), Peer::Workload(server.id));
        let next = match server.way {
            Way::Direct => to,
            Way::Through(waypoint) => waypoint,
            Way::Unknown => return None,
        };
        let hop = Hop { from, to: next, port: HBONE };
        let meant = |port: &Port| self.is_allowed(Hop { from, to, port: *port });
        (client != server.id && self.is_blocked(hop) && server.ports.iter().any(meant)).then_some(hop)
    }

    /// The TCP ports that Services lead to; where there is no Service, those that containers declare.
    fn application_ports(&self, id: WorkloadId) -> Vec<Port> {
        let items = self.services_of(id).flat_map(|service| self.service_ports(service));
        let items = items.map(|place| self.trees.node(place));
        let is_tcp = |item: &Node<'_>| item.get("protocol").is_none_or(|p| p.text() == Some(Protocol::Tcp.as_str()));
        let mut numbers: Vec<u16> = items
            .filter(is_tcp)
            .filter_map(|item| match self.target_port(item, id) {
                Target::Port(number) => Some(number),
                _ => None,
            })
            .collect();
        if numbers.is_empty() {
            let declared = self.running_containers(self.workload(id)).into_iter().flat_map(container_ports);
            let declared = declared.filter(|p| p.protocol == Protocol::Tcp.as_str());
            numbers = declared.filter_map(|p| p.number?.try_into().ok()).collect();
        }
        numbers.retain(|number| !PROXY_PORTS.contains(number));
        numbers.sort_unstable();
        numbers.dedup();
        numbers.into_iter().map(tcp).collect()
    }

    /// Whether a waypoint stands before pods: the label of their Services, else of their namespace. Nothing
    /// stands before pods without a Service.
    fn way_to(&self, id: WorkloadId) -> Way {
        let namespace = &*self.workload(id).namespace;
        if self.services_of(id).next().is_none() {
            return Way::Direct;
        }
        let of_services = self.services_of(id).map(|service| {
            let labels = Labels::read(self.root(service).at(&["metadata", "labels"]));
            self.named_waypoint(&labels, namespace)
        });
        let mut ways: Vec<Way> = of_services.flatten().collect();
        if ways.is_empty() {
            let labels = self.namespace(namespace).map(|n| &n.labels);
            ways.extend(labels.map_or(Some(Way::Unknown), |labels| self.named_waypoint(labels, namespace)));
        }
        ways.dedup();
        match ways.as_slice() {
            [] => Way::Direct,
            [way] => *way,
            _ => Way::Unknown,
        }
    }

    /// What labels say about a waypoint, if anything.
    fn named_waypoint(&self, labels: &Labels, own: &str) -> Option<Way> {
        match labels.has("istio.io/use-waypoint") {
            Tri::No => return None,
            Tri::Unknown => return Some(Way::Unknown),
            Tri::Yes => {}
        }
        let Some(name) = labels.value("istio.io/use-waypoint") else { return Some(Way::Unknown) };
        if name == "none" {
            return Some(Way::Direct);
        }
        let namespace = match labels.get("istio.io/use-waypoint-namespace") {
            Some(label) => label.value.as_deref().unwrap_or_default(),
            None => own,
        };
        Some(self.waypoint(namespace, name).map_or(Way::Unknown, Way::Through))
    }

    fn waypoint(&self, namespace: &str, name: &str) -> Option<Peer> {
        let pods = self.workloads_in(namespace).iter().copied();
        let mut read = pods.filter(|id| {
            let label = "gateway.networking.k8s.io/gateway-name";
            self.injection(*id).component == Some(Component::Waypoint)
                && self.workload(*id).labels.value(label) == Some(name)
        });
        let gateway = self.named("gateway.networking.k8s.io", "Gateway", namespace, name).first();
        let serves_services = gateway.is_none_or(|id| {
            let label = self.root(*id).at(&["metadata", "labels", "istio.io/waypoint-for"]);
            label.is_none_or(|l| matches!(l.text(), Some("service" | "all")))
        });
        if !serves_services {
            return None;
        }
        let managed = || gateway.filter(|id| self.is_waypoint(**id)).and_then(|id| self.reach.pods_of_gateway(*id));
        read.next().map(Peer::Workload).or_else(managed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::test_mesh;
    use super::super::tests::{blocks, texts};

    const SHOP: &str =
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {istio.io/dataplane-mode: ambient}}\n";
    const WAYPOINT: &str = "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: waypoint, namespace: shop}\nspec: {gatewayClassName: istio-waypoint}\n";

    fn app(name: &str) -> String {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: shop}}\nspec: {{template: {{metadata: {{labels: {{app: {name}}}}}, spec: {{containers: [{{name: c, ports: [{{containerPort: 8080}}]}}]}}}}}}\n"
        )
    }

    fn policy(name: &str, spec: &str) -> String {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: {name}, namespace: shop}}\nspec: {{{spec}}}\n"
        )
    }

    const SERVICE: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: cart, namespace: shop}\nspec: {selector: {app: cart}, ports: [{port: 8080}]}\n";

    fn ask(namespace: &str, more: &[&str]) -> Vec<String> {
        let (cart, web) = (app("cart"), app("web"));
        let mut all = vec![namespace, &cart, &web, SERVICE];
        all.extend(more);
        let mesh = test_mesh(&all);
        blocks(&mesh, &mesh.blocked_hops(mesh.tunnels()))
    }

    const CART: &str = "podSelector: {matchLabels: {app: cart}}";
    const FROM_WEB: &str = "from: [{podSelector: {matchLabels: {app: web}}}]";

    #[test]
    fn who_may_reach_the_application_needs_the_tunnel_too() {
        let rule = |ports: &str| policy("p", &format!("{CART}, ingress: [{{{FROM_WEB}, ports: [{ports}]}}]"));
        assert_eq!(ask(SHOP, &[&rule("{port: 8080}")]), ["ingress p: 15008/TCP"]);
        assert!(ask(SHOP, &[&rule("{port: 8080}, {port: 15008}")]).is_empty());
        assert!(ask(SHOP, &[&rule("{port: 8000, endPort: 16000}")]).is_empty());
        assert!(ask(SHOP, &[&rule("")]).is_empty());
        // Another rule may open the tunnel.
        assert!(ask(SHOP, &[&rule("{port: 8080}"), &policy("t", "ingress: [{ports: [{port: 15008}]}]")]).is_empty());
        // Nobody is meant to reach these.
        assert!(ask(SHOP, &[&rule("{port: 9090}")]).is_empty());
        assert!(ask(SHOP, &[&policy("deny", "ingress: []")]).is_empty());
        // Outside of the mesh the application's port is what arrives.
        assert!(ask("", &[&rule("{port: 8080}")]).is_empty());
    }

    #[test]
    fn where_everybody_is_meant_everybody_is_named() {
        let open = policy("p", &format!("{CART}, ingress: [{{ports: [{{port: 8080}}]}}]"));
        let mesh = test_mesh(&[SHOP, &app("cart"), &app("web"), &open]);
        assert_eq!(texts(&mesh, &mesh.tunnels()), ["UnknownPod > shop/cart 15008/TCP"]);
        let some = policy("q", &format!("{CART}, ingress: [{{{FROM_WEB}, ports: [{{port: 15008}}]}}]"));
        let mesh = test_mesh(&[SHOP, &app("cart"), &app("web"), &app("job"), &open, &some]);
        assert_eq!(texts(&mesh, &mesh.tunnels()), ["shop/job > shop/cart 15008/TCP"]);
    }

    #[test]
    fn a_clients_own_side_needs_it_as_well() {
        let web = "podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]";
        let to = "to: [{podSelector: {matchLabels: {app: cart}}}]";
        let rule = |ports: &str| policy("p", &format!("{web}, egress: [{{{to}, ports: [{ports}]}}]"));
        assert_eq!(ask(SHOP, &[&rule("{port: 8080}")]), ["egress p: 15008/TCP"]);
        assert!(ask(SHOP, &[&rule("{port: 8080}, {port: 15008}")]).is_empty());
    }

    #[test]
    fn a_waypoint_stands_between() {
        let shop = SHOP.replace("ambient}", "ambient, istio.io/use-waypoint: waypoint}");
        let from = |label: &str| {
            policy(
                "p",
                &format!(
                    "{CART}, ingress: [{{from: [{{podSelector: {{matchLabels: {{{label}}}}}}}], ports: [{{port: 15008}}]}}]"
                ),
            )
        };
        assert_eq!(
            ask(&shop, &[WAYPOINT, &from("gateway.networking.k8s.io/gateway-name: other")]),
            ["ingress p: 15008/TCP"]
        );
        assert!(ask(&shop, &[WAYPOINT, &from("gateway.networking.k8s.io/gateway-name: waypoint")]).is_empty());
        // Labels that the Gateway hands on, that istiod puts there, or that a ConfigMap may.
        assert_eq!(ask(&shop, &[WAYPOINT, &from("team: mesh")]), ["ingress p: 15008/TCP"]);
        let labelled = WAYPOINT.replace("namespace: shop", "namespace: shop, labels: {team: mesh}");
        assert!(ask(&shop, &[&labelled, &from("team: mesh")]).is_empty());
        assert!(ask(&shop, &[WAYPOINT, &from("istio.io/dataplane-mode: none")]).is_empty());
        let more = WAYPOINT.replace("waypoint}\n", "waypoint, infrastructure: {parametersRef: {name: x}}}\n");
        assert!(ask(&shop, &[&more, &from("team: mesh")]).is_empty());
        // The waypoint itself admits nobody.
        assert_eq!(
            ask(&shop, &[WAYPOINT, &policy("deny", "ingress: [{ports: [{port: 8080}]}]")]),
            ["ingress deny: 15008/TCP"]
        );
        // Not read: nothing is known.
        assert!(ask(&shop, &[&from("gateway.networking.k8s.io/gateway-name: other")]).is_empty());
        let mesh = test_mesh(&[&shop, WAYPOINT, &app("cart"), SERVICE]);
        assert_eq!(
            texts(&mesh, &mesh.tunnels()),
            ["shop/waypoint > shop/cart 15008/TCP", "UnknownPod > shop/waypoint 15008/TCP"]
        );
    }

    #[test]
    fn a_client_that_may_reach_the_pods_must_reach_their_waypoint() {
        let shop = SHOP.replace("ambient}", "ambient, istio.io/use-waypoint: waypoint}");
        let egress = |more: &str| {
            policy(
                "p",
                &format!(
                    "podSelector: {{matchLabels: {{app: web}}}}, policyTypes: [Egress], egress: [{{to: [{{podSelector: {{matchLabels: {{app: cart}}}}}}], ports: [{{port: 8080}}]}}{more}]"
                ),
            )
        };
        assert_eq!(ask(&shop, &[WAYPOINT, &egress("")]), ["egress p: 15008/TCP"]);
        let by_name = ", {to: [{podSelector: {matchLabels: {gateway.networking.k8s.io/gateway-name: waypoint}}}]}";
        assert!(ask(&shop, &[WAYPOINT, &egress(by_name)]).is_empty());
        assert!(ask(&shop, &[WAYPOINT, &egress(", {ports: [{port: 15008}]}")]).is_empty());
    }
}
