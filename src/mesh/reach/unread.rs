//! Pods that no manifest shows, but of which enough is known to ask for them: those that istiod runs for
//! a Gateway, the cluster's DNS, an istiod whose namespace something names.
//!
//! DNS and istiod carry more labels than are known, so a selector that asks for others neither holds nor fails.

use super::super::Mesh;
use super::super::selector::{Labels, Tri};
use super::super::workload::{WorkloadId, container_ports};
use super::pod::Pod;
use super::verdict::{Answer, Reason};
use super::{Cidr, Peer, Port};
use crate::mesh::Component;
use crate::mesh::namespace::NAME_LABEL;
use crate::resource::ResourceId;
use crate::yaml::Node;

/// The number of pods that were not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnreadId(u32);

/// What is known of them.
#[derive(Debug)]
pub(super) struct Unread {
    /// The Gateway that they are run for.
    pub(super) resource: Option<ResourceId>,
    /// How a text calls them: `shop/waypoint`, "the cluster's DNS".
    pub(super) name: Box<str>,
    pub(super) namespace: Box<str>,
    pub(super) namespace_labels: Labels,
    pub(super) pod: Pod,
}

/// Everything of a cluster that was not read but can be asked for.
#[derive(Debug, Default)]
pub(super) struct All {
    pods: Vec<Unread>,
    /// Where DNS may be answered, and on which port.
    dns: Vec<(Peer, u16)>,
    istiod: Option<UnreadId>,
    /// The address that probes of ambient pods come from, where it is not the usual one.
    probe_source: Option<Cidr>,
}

/// The label of the cluster's DNS pods, and that of OpenShift's. OpenShift's listen on 5353 (case 84).
const DNS: [(&str, &str, &str, u16); 2] = [
    ("kube-system", "k8s-app", "kube-dns", 53),
    ("openshift-dns", "dns.operator.openshift.io/daemonset-dns", "default", 5353),
];

/// Where caches of the node and resolvers of clouds listen, mostly on 169.254.20.10 (case 83).
const NODE_LOCAL: &str = "169.254.0.0/16";

impl All {
    pub(super) fn new(mesh: &Mesh) -> All {
        let mut all = All { probe_source: probe_source(mesh), ..All::default() };
        for id in mesh.managed_gateways() {
            let gateway = mesh.resource(id);
            let name = format!("{}/{}", gateway.namespace(), gateway.name);
            all.add(mesh, Some(id), &name, gateway.namespace(), labels_of(mesh, id));
        }
        all.find_dns(mesh);
        if let Some(namespace) = mesh.unread_istiod_namespace() {
            let mut labels = Labels::open();
            labels.set("app", "istiod");
            all.istiod = Some(all.add(mesh, None, "istiod", namespace, labels));
        }
        all
    }

    fn add(
        &mut self,
        mesh: &Mesh,
        resource: Option<ResourceId>,
        name: &str,
        namespace: &str,
        labels: Labels,
    ) -> UnreadId {
        let mut only_name = Labels::open();
        only_name.set(NAME_LABEL, namespace);
        let namespace_labels = mesh.namespace(namespace).map_or(only_name, |n| n.labels.clone());
        let pod = Pod { labels, injected: Tri::No, host_network: Answer::No, single: false };
        self.pods.push(Unread { resource, name: name.into(), namespace: namespace.into(), namespace_labels, pod });
        UnreadId(self.pods.len() as u32 - 1)
    }

    fn find_dns(&mut self, mesh: &Mesh) {
        for (i, workload) in mesh.workloads.iter().enumerate() {
            let id = WorkloadId(i as u32);
            let own = DNS.iter().find(|(_, key, value, _)| workload.labels.value(key) == Some(value));
            if let Some((.., port)) = own {
                self.dns.push((Peer::Workload(id), mesh.dns_port(id).unwrap_or(*port)));
            }
        }
        let openshift = mesh.declared.platform.as_deref() == Some("openshift");
        for (namespace, key, value, port) in DNS {
            let may_be = self.dns.is_empty() || namespace == DNS[1].0;
            if may_be && (!openshift || namespace == DNS[1].0) {
                let mut labels = Labels::open();
                labels.set(key, value);
                let id = self.add(mesh, None, "the cluster's DNS", namespace, labels);
                self.dns.push((Peer::Unread(id), port));
            }
        }
        // NodeLocal DNSCache is reached by an address of the node, or by its pods where Cilium redirects.
        self.dns.extend(Cidr::parse(NODE_LOCAL).map(|address| (Peer::External(address), 53)));
        let mut labels = Labels::open();
        labels.set("k8s-app", "node-local-dns");
        let cache = self.add(mesh, None, "the node's DNS cache", DNS[0].0, labels);
        self.pods[cache.0 as usize].pod.host_network = Answer::Maybe(Reason::HostNetwork);
        self.dns.push((Peer::Unread(cache), 53));
    }
}

/// The labels of the pods that istiod runs for a Gateway: its own, those of `infrastructure`, and those of
/// the templates (`files/kube-gateway.yaml` and `files/waypoint.yaml` of the istiod chart 1.32); open where a
/// ConfigMap may add others.
fn labels_of(mesh: &Mesh, gateway: ResourceId) -> Labels {
    let root = mesh.root(gateway);
    let own = Labels::read(root.at(&["metadata", "labels"]));
    let wanted = Labels::read(root.at(&["spec", "infrastructure", "labels"]));
    let mut labels = Labels::default();
    labels.open = own.open || wanted.open || root.at(&["spec", "infrastructure", "parametersRef"]).is_some();
    // What is put there depends on the version of Istio.
    for key in ["gateway.istio.io/managed", "istio.io/gateway-name", "istio.io/rev", "istio.io/dataplane-mode"] {
        labels.set_unknown(key);
    }
    for key in ["service.istio.io/canonical-name", "service.istio.io/canonical-revision", "pod-template-hash"] {
        labels.set_unknown(key);
    }
    labels.set("sidecar.istio.io/inject", "false");
    // Its own are left out where `infrastructure` has some.
    let is_given = wanted.iter().next().is_some();
    for label in own.iter() {
        match &label.value {
            Some(value) if !is_given => labels.set(&label.key, value),
            _ => labels.set_unknown(&label.key),
        }
    }
    for label in wanted.iter() {
        match &label.value {
            Some(value) => labels.set(&label.key, value),
            None => labels.set_unknown(&label.key),
        }
    }
    let class = root.at(&["spec", "gatewayClassName"]).and_then(Node::text).unwrap_or_default();
    labels.set("gateway.networking.k8s.io/gateway-name", &mesh.resource(gateway).name);
    labels.set("gateway.networking.k8s.io/gateway-class-name", class);
    labels
}

impl super::Index {
    pub(super) fn unread(&self, id: UnreadId) -> &Unread {
        &self.unread.pods[id.0 as usize]
    }

    /// The Gateway that pods are run for.
    pub fn gateway(&self, id: UnreadId) -> Option<ResourceId> {
        self.unread(id).resource
    }

    /// The pods that istiod runs for a Gateway, unless their workload was read.
    pub fn pods_of_gateway(&self, gateway: ResourceId) -> Option<Peer> {
        let at = self.unread.pods.iter().position(|unread| unread.resource == Some(gateway))?;
        Some(Peer::Unread(UnreadId(at as u32)))
    }

    /// An istiod that was not read; its namespace is not known where nothing names it.
    pub fn unread_istiod(&self) -> Peer {
        self.unread.istiod.map_or(Peer::UnknownPod, Peer::Unread)
    }

    /// Where a connection may lead: all places of the cluster's DNS, of anything else itself.
    pub(super) fn places(&self, to: Peer, port: Port) -> impl Iterator<Item = (Peer, Port)> {
        let dns = if to == Peer::Dns { self.unread.dns.as_slice() } else { &[] };
        let itself = (to != Peer::Dns).then_some((to, port));
        dns.iter().map(move |(peer, number)| (*peer, Port { number: *number, ..port })).chain(itself)
    }

    /// The address of the kubelet's probes as ambient pods and their policies see it.
    pub(super) fn probe_source(&self) -> Cidr {
        self.unread.probe_source.unwrap_or(Cidr::AMBIENT_PROBES[0])
    }
}

/// `HOST_PROBE_SNAT_IP` of an istio-cni that was read (`cni/pkg/config` of istio/istio 1.31).
fn probe_source(mesh: &Mesh) -> Option<Cidr> {
    let agents = mesh.workloads.iter().filter(|w| mesh.component(w) == Some(Component::IstioCni));
    let containers = agents.flat_map(|w| mesh.containers(w));
    let mut env = containers.flat_map(|c| c.get("env")).flat_map(Node::items);
    let set = env.find(|e| e.get("name").and_then(Node::text) == Some("HOST_PROBE_SNAT_IP"))?;
    set.get("value")?.text()?.parse().ok().map(Cidr::host)
}

impl Mesh {
    /// The port of DNS pods that answers on 53 of their Service: the one that they name so.
    fn dns_port(&self, id: WorkloadId) -> Option<u16> {
        let mut ports = self.running_containers(self.workload(id)).into_iter().flat_map(container_ports);
        ports.find(|p| p.name == Some("dns")).and_then(|p| p.number)?.try_into().ok()
    }
}
