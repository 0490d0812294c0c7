//! What a rule may ask about connections: which ones there are, and what of policies keeps them out.

use std::rc::Rc;

use rhai::{Array, Dynamic};

use super::answers::{B, End, PodPort};
use super::list::L;
use super::mesh::M;
use super::value::V;
use super::vocabulary::{On, Words};
use super::{Context, Result, fail};
use crate::mesh::Mesh;
use crate::mesh::reach::{Blocked, Direction, Hop, NearKind, Peer, Reason, ServicePort};

/// Connections, for `mesh.blocked(…)`.
#[derive(Debug, Clone)]
pub(crate) struct Hops(Rc<Vec<Hop>>);

/// A port of a policy that is a Service's.
#[derive(Debug, Clone)]
pub(crate) struct Misplaced(Rc<ServicePort>);

impl Context {
    fn end(&self, v: V) -> Result<Peer> {
        let id = self.need_resource(v, "blocked()")?;
        match self.mesh.reach.pods_of_gateway(id) {
            Some(peer) => Ok(peer),
            None => self.need_workload(v, "blocked()").map(Peer::Workload),
        }
    }

    fn ends(&self, x: &Dynamic, into: &mut Vec<Peer>) -> Result<()> {
        if let Some(list) = x.read_lock::<L>() {
            for v in list.items.iter() {
                into.push(self.end(*v)?);
            }
        } else if let Some(v) = x.read_lock::<V>() {
            into.push(self.end(*v)?);
        } else if let Some(end) = x.read_lock::<End>() {
            into.push(end.0);
        } else if let Some(array) = x.read_lock::<Array>() {
            for x in array.iter() {
                self.ends(x, into)?;
            }
        } else {
            return fail("blocked() takes workloads, lists of them, api_server(), node() or external(cidr)");
        }
        Ok(())
    }

    fn blocks(&self, blocked: Blocked) -> Array {
        // Nobody can say more about a pod that is any pod.
        for reason in blocked.depends.iter().filter(|reason| **reason != Reason::UnknownPod) {
            self.note_unknown(&format!("what NetworkPolicies admit ({reason})"));
        }
        blocked.groups.into_iter().map(|group| Dynamic::from(B(Rc::new(group)))).collect()
    }

    fn blocked(&self, from: &Dynamic, to: &Dynamic, port: PodPort) -> Result<Array> {
        let (mut sources, mut destinations) = (Vec::new(), Vec::new());
        self.ends(from, &mut sources)?;
        self.ends(to, &mut destinations)?;
        Ok(self.blocks(self.mesh.blocked(&sources, &destinations, port.0)))
    }

    /// The workloads among some ends, and the Gateways whose pods istiod runs.
    pub(crate) fn peers(&self, peers: &[Peer]) -> L {
        let resources = peers.iter().filter_map(|p| match p {
            Peer::Workload(id) => Some(self.workload_root(*id)),
            Peer::Unread(id) => self.mesh.reach.gateway(*id).map(|gateway| self.root(gateway)),
            _ => None,
        });
        L::new(resources.collect(), None, None)
    }

    /// The list that a port of the nearest rule stands in, if a port is all that it lacks.
    fn ports_to_add_to(&self, block: &B) -> V {
        let nowhere = || self.missing(block.0.block.isolating_place, Vec::new(), None);
        let Some(near) = &block.0.block.nearest else { return nowhere() };
        if !matches!(near.kind, NearKind::ServicePort | NearKind::Protocol | NearKind::Port) {
            return nowhere();
        }
        let mut node = Some(self.mesh.trees.node(near.place));
        while let Some(inner) = node.filter(|n| !n.is_seq()) {
            node = inner.parent();
        }
        node.map_or_else(nowhere, |list| V::at(crate::yaml::Place { tree: near.place.tree, node: list.id() }))
    }
}

/// The words about connections.
pub(super) fn register(words: &mut Words<'_>) {
    let c = words.context();
    let x = c.clone();
    words.fallible(
        On::Mesh,
        "blocked(from, to, port)",
        "what keeps connections out, one block per deciding set of policies; `from` and `to` are one end or many, the port is the pod's; or `blocked(connections)`",
        "NetworkPolicy, Namespace, workloads",
        move |_: M, from: Dynamic, to: Dynamic, port: PodPort| x.blocked(&from, &to, port),
    );
    let x = c.clone();
    words.silent("blocked", move |_: M, hops: Hops| x.blocks(x.mesh.blocked_hops(hops.0.iter().copied())));
    for (signature, meaning, reads, connections) in [
        (
            "to_istiod()",
            "connections: of proxies to the istiod of their revision, for configuration and certificates",
            "workloads, Namespace, Istiod, Gateway.gateway.networking.k8s.io",
            Mesh::to_istiod as fn(&Mesh) -> Vec<Hop>,
        ),
        (
            "to_dns()",
            "connections: of proxies and istiods to the cluster's DNS, over UDP and TCP",
            "workloads, Namespace, Gateway.gateway.networking.k8s.io",
            Mesh::to_dns,
        ),
        (
            "to_gateways()",
            "connections: from outside the cluster to the ports of gateways' pods that are open to it",
            "GatewayWorkload, Service, Gateway.gateway.networking.k8s.io",
            Mesh::to_gateways,
        ),
        (
            "tunnels()",
            "connections: through ambient's tunnel (15008), of pods that policies let reach the application's port, and of waypoints",
            "AmbientWorkload, Service, Gateway.gateway.networking.k8s.io",
            Mesh::tunnels,
        ),
        (
            "ambient_probes()",
            "connections: of the kubelet to the ports that ambient pods are probed on, as policies see them; `blocked` does not ask whether the CNI plugin exempts them",
            "AmbientWorkload",
            Mesh::ambient_probes,
        ),
        (
            "scrapes_blocked()",
            "connections: of Prometheus to istiods and proxies whose metrics it reaches on no port",
            "workloads, NetworkPolicy",
            Mesh::scrapes_blocked,
        ),
    ] {
        let x = c.clone();
        words.word(On::Mesh, signature, meaning, reads, move |_: M| Hops(Rc::new(connections(&x.mesh))));
    }
    let x = c.clone();
    words.fallible(
        On::Mesh,
        "service_ports_in(policy)",
        "the ports of a NetworkPolicy that are a Service's, where the pods listen on another",
        "NetworkPolicy, Service, workloads",
        move |_: M, v: V| -> Result<Array> {
            let all = x.mesh.service_ports_in(x.need_resource(v, "service_ports_in()")?);
            Ok(all.into_iter().map(|found| Dynamic::from(Misplaced(Rc::new(found)))).collect())
        },
    );
    let x = c.clone();
    words.fallible(
        On::Mesh,
        "mtls(workload, port)",
        "the `mode` of the PeerAuthentication that is in force for a port of its pods; missing where the default is, `PERMISSIVE`",
        "PeerAuthentication, Namespace",
        move |_: M, v: V, port: Dynamic| -> Result<V> {
            let number = port.as_int().ok().or_else(|| x.node(port.try_cast::<V>()?).int());
            let port = number.and_then(|n| n.try_into().ok());
            Ok(match x.mesh.mtls(x.need_workload(v, "mtls()")?, port) {
                Ok(place) => V::at(place),
                Err(absence) => x.absent(v.place, absence),
            })
        },
    );
    let x = c;
    words.fallible(
        On::Mesh,
        "cilium_endpoints(policy)",
        "the workloads whose pods the `endpointSelector` of a policy of Cilium's selects",
        "workloads, Namespace",
        move |_: M, v: V| -> Result<L> {
            let found = x.mesh.cilium_endpoints(x.need_resource(v, "cilium_endpoints()")?);
            let absence = crate::mesh::absence::Absence::unknown("workloads");
            Ok(L::new(found.into_iter().map(|id| x.workload_root(id)).collect(), None, Some(absence)))
        },
    );
    register_blocks(words);
    register_ports(words);
}

/// What a block answers.
fn register_blocks(words: &mut Words<'_>) {
    let c = words.context();
    let x = c.clone();
    words.word(On::Block, "policy()", "the first of the policies that decide", "", move |block: B| {
        block.0.block.isolating.first().map_or_else(|| V::at(x.nowhere()), |id| x.root(*id))
    });
    let x = c.clone();
    words.word(On::Block, "policies()", "all policies that decide together", "", move |block: B| {
        L::new(block.0.block.isolating.iter().map(|id| x.root(*id)).collect(), None, None)
    });
    words.word(On::Block, "isolates()", "the place that isolates the pods", "", |block: B| {
        V::at(block.0.block.isolating_place)
    });
    words.word(On::Block, "side()", "`ingress` or `egress`", "", |block: B| block.0.block.side.as_str());
    let x = c.clone();
    words.word(
        On::Block,
        "nearest()",
        "the place that almost admits it; missing if there is none",
        "",
        move |block: B| match &block.0.block.nearest {
            Some(near) => V::at(near.place),
            None => x.missing(block.0.block.isolating_place, Vec::new(), None),
        },
    );
    words.word(On::Block, "nearest_why()", "why the nearest rule does not admit it", "", |block: B| {
        block.0.block.nearest.as_ref().map_or(String::new(), |near| near.text.clone())
    });
    let x = c.clone();
    words.word(
        On::Block,
        "ports_beside()",
        "the list of the nearest rule's ports, to append the right one to; missing if it lacks more than a port",
        "",
        move |block: B| x.ports_to_add_to(&block),
    );
    let x = c.clone();
    words
        .word(On::Block, "sources()", "the workloads that are kept out", "", move |block: B| x.peers(&block.0.sources));
    let x = c.clone();
    words.word(On::Block, "destinations()", "the workloads that are not reached", "", move |block: B| {
        x.peers(&block.0.destinations)
    });
    words.word(On::Block, "ports()", "the numbers of the ports that are not reached", "", |block: B| -> Array {
        let mut numbers: Vec<i64> = block.0.ports.iter().map(|p| i64::from(p.number)).collect();
        numbers.dedup();
        numbers.into_iter().map(Dynamic::from).collect()
    });
    words.word(
        On::Block,
        "is_over(protocol)",
        "whether one of the ports is `TCP`, `UDP` or `SCTP`",
        "",
        |block: B, word: rhai::ImmutableString| block.0.ports.iter().any(|p| p.protocol.as_str() == word.as_str()),
    );
}

/// What a Service's port in a policy answers.
fn register_ports(words: &mut Words<'_>) {
    let c = words.context();
    words.word(On::ServicePort, "place()", "the port in the policy", "", |p: Misplaced| V::at(p.0.place));
    words.word(On::ServicePort, "service_port()", "the port of the Service", "", |p: Misplaced| V::at(p.0.service));
    words.word(On::ServicePort, "pod_port()", "the number of the port that the pods listen on", "", |p: Misplaced| {
        i64::from(p.0.pod_port)
    });
    words.word(On::ServicePort, "side()", "`ingress` or `egress`", "", |p: Misplaced| match p.0.side {
        Direction::Ingress => "ingress",
        Direction::Egress => "egress",
    });
    let x = c;
    words.word(On::ServicePort, "workload()", "the pods that the Service's port leads to", "", move |p: Misplaced| {
        x.workload_root(p.0.workload)
    });
}
