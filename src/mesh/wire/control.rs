//! From proxies to what they can't start without: istiod and DNS.

use super::super::Mesh;
use super::super::injection::Component;
use super::super::installation::DEFAULT_REVISION;
use super::super::listener::Listener;
use super::super::reach::{Hop, Peer, Port, Protocol};
use super::super::workload::WorkloadId;
use super::tcp;
use crate::resource::ResourceId;
use crate::yaml::Node;

/// Where istiod serves configuration unless its arguments move it.
const DISCOVERY: u16 = 15012;

/// Revisions of Google's managed control plane, which is no pod of the cluster.
const MANAGED_ELSEWHERE: &str = "asm-managed";

impl Mesh {
    /// From each proxy to the istiod of its revision; to one that was not read if no istiod was, unless the
    /// mesh configuration or the pod leads elsewhere.
    pub fn to_istiod(&self) -> Vec<Hop> {
        if self.istiods.is_empty() {
            return self.to_unread_istiod();
        }
        let mut hops = Vec::new();
        for istiod in self.istiods.iter().filter(|i| !self.workload(i.workload).alternative) {
            let Some(port) = self.listens(istiod.workload, Listener::Discovery) else { continue };
            if self.is_plain(&istiod.revision) {
                continue;
            }
            let to = Peer::Workload(istiod.workload);
            let proxies = self.proxies_of(istiod).filter(|id| self.is_ordinary(*id)).map(Peer::Workload);
            let managed = self.managed_gateways().filter(|id| self.is_of_revision(*id, &istiod.revision));
            let managed = managed.filter_map(|id| self.reach.pods_of_gateway(id));
            hops.extend(proxies.chain(managed).map(|from| Hop { from, to, port: tcp(port) }));
        }
        hops
    }

    fn to_unread_istiod(&self) -> Vec<Hop> {
        let leads_elsewhere = self.installation.mesh_configs.iter().any(|config| {
            let address = self.trees.get(config.config, &["defaultConfig", "discoveryAddress"]);
            address.is_some_and(|a| !self.trees.node(a).text().is_some_and(|t| t.ends_with(".svc:15012")))
        });
        if leads_elsewhere || self.declared.platform.as_deref() == Some("gke") {
            return Vec::new();
        }
        let to = self.reach.unread_istiod();
        let proxies = self
            .proxies()
            .filter(|id| self.is_ordinary(*id) && !self.injection(*id).revision.starts_with(MANAGED_ELSEWHERE));
        let all = proxies.map(Peer::Workload).chain(self.managed_pods());
        all.map(|from| Hop { from, to, port: tcp(DISCOVERY) }).collect()
    }

    /// The namespace of an istiod that was not read: where a webhook or the mesh configuration calls it.
    pub(in super::super) fn unread_istiod_namespace(&self) -> Option<&str> {
        let mut namespaces = self.installation.calls.iter().filter(|call| {
            // A Service without a selector leads out of the cluster.
            let leads_out =
                |id: &ResourceId| self.root(*id).at(&["spec", "selector"]).is_none_or(|s| s.entries().next().is_none());
            let services = self.named("", "Service", &call.service.0, &call.service.1);
            call.service.1.starts_with("istiod") && !services.iter().any(leads_out)
        });
        let first = &*namespaces.next()?.service.0;
        (self.istiods.is_empty() && namespaces.all(|call| *call.service.0 == *first)).then_some(first)
    }

    /// Whether proxies of a revision fetch their configuration without TLS, on another port.
    fn is_plain(&self, revision: &str) -> bool {
        let config = self.mesh_config(revision).map(|c| c.config);
        let address = config.and_then(|c| self.trees.get(c, &["defaultConfig", "discoveryAddress"]));
        address.is_some_and(|a| !self.trees.node(a).text().is_some_and(|t| t.ends_with(":15012")))
    }

    fn is_of_revision(&self, gateway: ResourceId, revision: &str) -> bool {
        let own = self.root(gateway).at(&["metadata", "labels", "istio.io/rev"]).and_then(Node::text);
        own.unwrap_or(DEFAULT_REVISION) == revision
    }

    /// Whether a workload is one end, and its pods don't choose their istiod themselves.
    fn is_ordinary(&self, id: WorkloadId) -> bool {
        let workload = self.workload(id);
        let own = self.proxy_setting(workload, "proxy.istio.io/config");
        let chooses = own.is_some_and(|place| {
            self.trees.node(place).text().is_none_or(|config| config.contains("discoveryAddress"))
        });
        self.counts(workload.resource) && !self.is_derived(workload.resource) && !chooses
    }

    /// From proxies and istiods to the cluster's DNS, over UDP and over TCP. Ambient pods are not among
    /// them: ztunnel answers their queries before they leave the pod.
    pub fn to_dns(&self) -> Vec<Hop> {
        let istiods = self.ends().filter(|id| self.injection(*id).component == Some(Component::Istiod));
        let pods = self.proxies().chain(istiods).filter(|id| self.asks_cluster_dns(*id)).map(Peer::Workload);
        let both = [Protocol::Udp, Protocol::Tcp];
        let hops = |from| both.map(|protocol| Hop { from, to: Peer::Dns, port: Port { protocol, number: 53 } });
        pods.chain(self.managed_pods()).flat_map(hops).collect()
    }

    fn asks_cluster_dns(&self, id: WorkloadId) -> bool {
        let policy = self.pod_spec(self.workload(id)).and_then(|s| s.get("dnsPolicy"));
        policy.is_none_or(|p| matches!(p.text(), Some("ClusterFirst" | "ClusterFirstWithHostNet")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{Declared, test_mesh, test_mesh_with};
    use super::super::tests::{blocks, texts};

    const ISTIOD: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: istiod, namespace: istio-system}\nspec: {template: {metadata: {labels: {app: istiod}}, spec: {containers: [{name: discovery, args: ['--secureGRPCAddr=:16012']}]}}}\n";
    const WAYPOINT: &str = "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: waypoint, namespace: shop}\nspec: {gatewayClassName: istio-waypoint}\n";

    fn cart(annotation: &str, spec: &str) -> String {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: cart, namespace: shop}}\nspec: {{template: {{metadata: {{labels: {{app: cart, sidecar.istio.io/inject: 'true'}}, annotations: {{{annotation}}}}}, spec: {{{spec}}}}}}}\n"
        )
    }

    fn egress(rules: &str) -> String {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p, namespace: shop}}\nspec: {{policyTypes: [Egress], egress: [{rules}]}}\n"
        )
    }

    #[test]
    fn proxies_call_the_istiod_of_their_revision_where_it_listens() {
        let mesh = test_mesh(&[ISTIOD, &cart("", ""), WAYPOINT]);
        let hops = mesh.to_istiod();
        assert_eq!(
            texts(&mesh, &hops),
            ["shop/cart > istio-system/istiod 16012/TCP", "shop/waypoint > istio-system/istiod 16012/TCP"]
        );
        let own = cart("proxy.istio.io/config: 'discoveryAddress: other:15012'", "");
        assert!(test_mesh(&[ISTIOD, &own]).to_istiod().is_empty());
    }

    #[test]
    fn an_istiod_that_was_not_read_is_blocked_only_if_every_place_of_it_is() {
        let ask = |rules: &str, more: &str| {
            let mesh = test_mesh(&[&cart("", ""), &egress(rules), more]);
            blocks(&mesh, &mesh.blocked_hops(mesh.to_istiod()))
        };
        let own = "{to: [{podSelector: {}}]}";
        assert_eq!(ask("{ports: [{port: 53, protocol: UDP}]}", ""), ["egress p: 15012/TCP"]);
        assert!(ask(own, "").is_empty());
        assert!(ask("{to: [{namespaceSelector: {matchLabels: {istio: system}}}]}", "").is_empty());
        let config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata: {mesh: 'defaultConfig: {discoveryAddress: \"istiod.istio-system.svc:15012\"}'}\n";
        assert_eq!(ask(own, config), ["egress p: 15012/TCP"]);
        assert!(ask(own, &config.replace("istiod.istio-system.svc:15012", "istiod.example.com:15012")).is_empty());
        let system = "{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: istio-system}}}]}";
        assert!(ask(system, config).is_empty());
        let gke = Declared { platform: Some("gke".into()), ..Declared::default() };
        assert!(test_mesh_with(&[&cart("", "")], gke).to_istiod().is_empty());
    }

    #[test]
    fn dns_is_blocked_only_if_every_place_of_it_is() {
        let ask = |rules: &str, more: &str| {
            let mesh = test_mesh(&[&cart("", ""), &egress(rules), more]);
            blocks(&mesh, &mesh.blocked_hops(mesh.to_dns()))
        };
        let to = |peer: &str, port: u16, protocol: &str| {
            format!("{{to: [{peer}], ports: [{{port: {port}, protocol: {protocol}}}]}}")
        };
        let named =
            |name: &str| format!("{{namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {name}}}}}}}");
        assert_eq!(ask("{to: [{podSelector: {}}]}", ""), ["egress p: 53/TCP 53/UDP"]);
        assert_eq!(ask("{ports: [{port: 53}]}", ""), ["egress p: 53/UDP"]);
        assert_eq!(ask(&to(&named("kube-system"), 53, "UDP"), ""), ["egress p: 53/TCP"]);
        assert_eq!(ask(&to(&named("openshift-dns"), 5353, "UDP"), ""), ["egress p: 53/TCP"]);
        assert_eq!(ask(&to("{ipBlock: {cidr: 169.254.20.10/32}}", 53, "UDP"), ""), ["egress p: 53/TCP"]);
        // What the input does not show may be the way: addresses, labels of kube-system, the cache's pods.
        assert!(ask("{to: [{ipBlock: {cidr: 10.96.0.10/32}}]}", "").is_empty());
        assert!(ask("{to: [{namespaceSelector: {matchLabels: {name: kube-system}}}]}", "").is_empty());
        let cache = "{namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: node-local-dns}}}";
        assert!(ask(&format!("{{to: [{cache}]}}"), "").is_empty());
        let labelled = "apiVersion: v1\nkind: Namespace\nmetadata: {name: kube-system, labels: {a: b}}\n";
        assert_eq!(
            ask("{to: [{namespaceSelector: {matchLabels: {name: kube-system}}}]}", labelled),
            Vec::<String>::new(),
            "openshift-dns may have that label"
        );
    }

    #[test]
    fn dns_that_was_read_is_asked_where_it_listens() {
        let dns = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: coredns, namespace: kube-system}\nspec: {template: {metadata: {labels: {k8s-app: kube-dns}}, spec: {containers: [{name: c, ports: [{name: dns, containerPort: 1053, protocol: UDP}]}]}}}\n";
        let mesh = test_mesh(&[dns, &cart("", ""), &egress("{ports: [{port: 1053, protocol: UDP}]}")]);
        assert_eq!(blocks(&mesh, &mesh.blocked_hops(mesh.to_dns())), ["egress p: 53/TCP"]);
        for own in ["dnsPolicy: None", "dnsPolicy: Default", "dnsPolicy: '${P}'"] {
            assert!(test_mesh(&[&cart("", own)]).to_dns().is_empty(), "{own}");
        }
        let texts = texts(&mesh, &mesh.to_dns());
        assert_eq!(texts, ["shop/cart > Dns 53/UDP", "shop/cart > Dns 53/TCP"]);
    }
}
