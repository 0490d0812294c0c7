//! Answers of the mesh that are no values: a proxy's resources, what keeps traffic out, calls.

use std::rc::Rc;

use rhai::Dynamic;

use super::list::L;
use super::value::V;
use super::vocabulary::{On, Words};
use super::{Context, Result};
use crate::mesh::WorkloadId;
use crate::mesh::listener::Listener;
use crate::mesh::proxy::{ProxyResources, Setting};
use crate::mesh::reach::{BlockGroup, Cidr, Peer, Port};
use crate::resource::ResourceId;

/// A proxy's resources.
#[derive(Debug, Clone, Copy)]
pub(crate) struct P(pub(crate) ProxyResources);

/// What keeps traffic out.
#[derive(Debug, Clone)]
pub(crate) struct B(pub(crate) Rc<BlockGroup>);

/// A call that Istio makes to a Service.
#[derive(Debug, Clone)]
pub(crate) struct CallTo {
    pub(crate) port: u16,
    pub(crate) at: V,
    pub(crate) caller: &'static str,
    pub(crate) listener: Listener,
}

/// An end of a connection that is no workload.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End(pub(crate) Peer);

/// A port of a pod.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PodPort(pub(crate) Port);

impl Context {
    /// A setting as a value: a default stands at the place where it could be written.
    pub(crate) fn setting(&self, setting: Setting) -> V {
        match setting {
            Setting::At(place) => V::at(place),
            Setting::Unset(place) => self.missing(place, Vec::new(), None),
            Setting::Default(text, place) => self.missing(place, Vec::new(), Some(text.into())),
            Setting::Unknown => self.unknown_at(self.nowhere(), "resources of proxies"),
        }
    }

    /// The port of istiod's pods on which it serves something.
    pub(crate) fn pod_port(&self, istiod: WorkloadId, listener: Listener) -> Dynamic {
        match self.mesh.listens(istiod, listener) {
            Some(port) => Dynamic::from(i64::from(port)),
            None => Dynamic::from(self.unknown_at(self.mesh.workload(istiod).template, "arguments of istiod")),
        }
    }

    /// `shop/cart`: how a message names a workload.
    pub(crate) fn full_name(&self, id: ResourceId) -> String {
        let resource = self.mesh.resource(id);
        if resource.namespace().is_empty() {
            resource.name.to_string()
        } else {
            format!("{}/{}", resource.namespace(), resource.name)
        }
    }

    /// "shop/cart", "shop/cart and shop/web", "12 workloads (among them shop/cart and shop/web)".
    pub(crate) fn in_words(&self, list: &L) -> String {
        let name = |v: &V| self.as_resource(*v).map_or_else(|| self.shown(*v), |id| self.full_name(id));
        let mut names: Vec<String> = list.items.iter().map(name).collect();
        // A message must not depend on the files in which its workloads stand.
        names.sort();
        match names.as_slice() {
            [] => "nothing".to_string(),
            [one] => one.clone(),
            [one, other] => format!("{one} and {other}"),
            [one, other, ..] => format!("{} workloads (among them {one} and {other})", names.len()),
        }
    }
}

/// The words of these answers.
pub(super) fn register(words: &mut Words<'_>) {
    let c = words.context();
    for (signature, meaning, field) in [
        ("cpu_request()", "what it asks for", (|p| p.cpu_request) as fn(ProxyResources) -> Setting),
        ("memory_request()", "what it asks for", |p| p.memory_request),
        ("cpu_limit()", "the most it may use", |p| p.cpu_limit),
        ("memory_limit()", "the most it may use", |p| p.memory_limit),
    ] {
        let x = c.clone();
        words.word(On::Proxy, signature, meaning, "", move |proxy: P| x.setting(field(proxy.0)));
    }
    let x = c.clone();
    words.word(
        On::Proxy,
        "annotated()",
        "those of the four that annotations of the pod set, as a list",
        "",
        move |P(proxy): P| {
            let all = [proxy.cpu_request, proxy.cpu_limit, proxy.memory_request, proxy.memory_limit];
            let set = all.into_iter().filter_map(|setting| match setting {
                Setting::At(place) => Some(V::at(place)),
                _ => None,
            });
            let by_pod = |v: &V| {
                let key = x.node(*v).key().and_then(crate::yaml::Node::text);
                key.is_some_and(|key| key.starts_with("sidecar.istio.io/proxy"))
            };
            L::new(set.filter(by_pod).collect(), None, None)
        },
    );
    words.word(On::Call, "port()", "the port of the Service that is called", "", |call: CallTo| i64::from(call.port));
    words.word(On::Call, "place()", "where the call is written", "", |call: CallTo| call.at);
    words.word(On::Call, "caller()", "who calls, in words", "", |call: CallTo| call.caller);
    let x = c.clone();
    words.fallible(
        On::Call,
        "pod_port(istiod)",
        "the port of istiod's pods that answers it; unknown if its arguments don't show it",
        "Istiod",
        move |call: CallTo, istiod: V| -> Result<Dynamic> {
            x.need_workload(istiod, "pod_port()").map(|id| x.pod_port(id, call.listener))
        },
    );
    let x = c;
    words.word(On::List, "in_words()", "\"12 workloads (among them shop/cart and shop/web)\"", "", move |list: L| {
        x.in_words(&list)
    });
    words.word(On::Function, "api_server()", "the API server, as one end of a connection", "", || End(Peer::ApiServer));
    words.word(On::Function, "node()", "the pod's own node, as one end of a connection", "", || End(Peer::Node));
    words.fallible(
        On::Function,
        "external(cidr)",
        "addresses outside the cluster, as one end of a connection",
        "",
        |text: rhai::ImmutableString| match Cidr::parse(&text) {
            Some(cidr) => Ok(End(Peer::External(cidr))),
            None => super::fail(format!("\"{text}\" is no CIDR")),
        },
    );
    words.fallible(On::Function, "tcp(number)", "a TCP port of a pod", "", |n: i64| {
        port(n, crate::mesh::reach::Protocol::Tcp)
    });
    words.fallible(On::Function, "udp(number)", "a UDP port of a pod", "", |n: i64| {
        port(n, crate::mesh::reach::Protocol::Udp)
    });
}

fn port(number: i64, protocol: crate::mesh::reach::Protocol) -> Result<PodPort> {
    match u16::try_from(number) {
        Ok(number) => Ok(PodPort(Port { protocol, number })),
        Err(_) => super::fail(format!("{number} is no port")),
    }
}
