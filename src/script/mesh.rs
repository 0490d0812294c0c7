//! The mesh as a rule asks it.

use std::collections::BTreeSet;

use rhai::{Array, Dynamic, ImmutableString};

use super::answers::{CallTo, P};
use super::list::L;
use super::value::V;
use super::vocabulary::{EVERY_KIND, On, Words};
use super::{Context, Result, fail};
use crate::kinds;
use crate::mesh::WorkloadId;
use crate::mesh::absence::Absence;
use crate::mesh::host::Answer;
use crate::mesh::installation::DEFAULT_REVISION;
use crate::mesh::listener::Listener;
use crate::mesh::selector::{Selector, Tri};
use crate::resource::ResourceId;
use crate::rule::header::Role;
use crate::yaml::Node;

/// The mesh; everything about it stands in the context.
#[derive(Debug, Clone, std::marker::Copy)]
pub(crate) struct M;

impl Context {
    fn namespace_of(&self, v: V) -> String {
        self.resource_of(v).map_or_else(String::new, |id| self.mesh.resource(id).namespace().to_string())
    }

    pub(super) fn roots(&self, ids: impl IntoIterator<Item = ResourceId>, absence: Absence) -> L {
        L::new(ids.into_iter().map(|id| self.root(id)).collect(), None, Some(absence))
    }

    pub(crate) fn is_namespace(&self, id: ResourceId) -> bool {
        let resource = self.mesh.resource(id);
        &*resource.kind == "Namespace" && resource.group.is_empty()
    }

    /// What it proves that no workload was found in a namespace; most of them are Deployments.
    fn no_workload(&self, namespace: &str) -> Absence {
        self.mesh.absence("apps", "Deployment", namespace)
    }

    /// A list that is the same for every call, made once.
    fn kept<I: IntoIterator<Item = ResourceId>>(&self, what: &str, make: impl FnOnce() -> (I, Absence)) -> L {
        if let Some(list) = self.lists.borrow().get(what) {
            return list.clone();
        }
        let (ids, absence) = make();
        let list = self.roots(ids, absence);
        // A rule may make up any number of names; few of them have resources.
        if !list.items.is_empty() {
            self.lists.borrow_mut().insert(what.to_string(), list.clone());
        }
        list
    }

    fn kind(&self, name: &str) -> Result<(String, String)> {
        match kinds::resolve(name) {
            Some((group, kind)) => Ok((group.to_string(), kind.to_string())),
            None => fail(super::check::no_kind(name).unwrap_or_default()),
        }
    }

    fn find(&self, kind: &str, name: &str, from: V) -> Result<V> {
        let (group, kind) = self.kind(kind)?;
        let namespace = if kinds::is_cluster_scoped(&group, &kind) { String::new() } else { self.namespace_of(from) };
        Ok(match self.mesh.named(&group, &kind, &namespace, name).first() {
            Some(id) if self.mesh.resource(*id).is_open() => {
                self.note_unknown(&format!("which copy of {kind} {name} is applied"));
                self.unknown_at(self.mesh.resource(*id).root, "alternatives")
            }
            Some(id) => self.root(*id),
            None if self.mesh.is_external(&group, &kind, &namespace, name) => self.unknown_at(from.place, "externals"),
            None => self.absent(from.place, self.mesh.absence_of(&group, &kind, &namespace, name)),
        })
    }

    fn host(&self, host: V, from: V) -> V {
        let Some(text) = self.text(host) else { return self.unknown_at(host.place, "host") };
        match self.mesh.host(&text, &self.namespace_of(from)) {
            Answer::Found(entry) => V::at(entry.place),
            Answer::Elsewhere => self.unknown_at(host.place, "host"),
            Answer::Hidden(entry) => self.unknown_at(entry.place, "exportTo"),
            Answer::Missing(absence) => self.absent(host.place, absence),
        }
    }

    fn subsets(&self, host: V, from: V) -> L {
        let Some(text) = self.text(host) else {
            return L::new(Vec::new(), Some(host), Some(Absence::unknown("hosts")));
        };
        let (places, absence) = self.mesh.subsets(&text, &self.namespace_of(from));
        if places.is_empty() {
            self.empty_lookup.set(true);
        }
        let items: Vec<V> = places.into_iter().map(V::at).collect();
        // A label on them all points at the key `subsets`.
        let list = items.first().and_then(|v| self.node(*v).parent()).and_then(Node::parent);
        let place = items.first().zip(list).map(|(first, list)| self.sibling(*first, list));
        L::new(items, place.or(Some(host)), Some(absence))
    }

    fn selected_by(&self, selector: V, from: V) -> L {
        if self.is_missing(selector) {
            return L::new(Vec::new(), Some(selector), Some(Absence::certain()));
        }
        let node = (selector.ghost == 0).then(|| self.node(selector));
        let hidden = self.is_unknown(selector) || node.is_none_or(|n| holds_unknown(n, SELECTOR_DEPTH));
        let label_selector =
            node.is_some_and(|n| n.get("matchLabels").is_some() || n.get("matchExpressions").is_some());
        let selector = if label_selector { Selector::read(node) } else { Selector::equality(node) };
        let found = self.mesh.selected(&self.namespace_of(from), &selector);
        let open = hidden || found.iter().any(|(_, answer)| *answer == Tri::Unknown);
        let selected = found.iter().filter(|(_, a)| a.is_yes() && !hidden).map(|(id, _)| self.workload_root(*id));
        let items = selected.collect();
        let absence =
            if open { Absence::unknown("labels of pods") } else { self.no_workload(&self.namespace_of(from)) };
        L::new(items, None, Some(absence))
    }

    /// Services that istiod sees.
    fn services(&self) -> L {
        self.kept("services()", || (self.mesh.seen_services(), self.mesh.absence_anywhere("", "Service")))
    }

    fn injected(&self, id: WorkloadId) -> Dynamic {
        let injection = self.mesh.injection(id);
        let answer = match (injection.sidecar, injection.ambient) {
            (Tri::Yes, _) => "sidecar",
            (Tri::No, Tri::Yes) => "ambient",
            (Tri::No, Tri::No) => "none",
            _ => {
                let what = format!("labels of namespace {}", self.mesh.workload(id).namespace);
                return Dynamic::from(self.unknown_at(self.mesh.workload(id).template, &what));
            }
        };
        Dynamic::from(ImmutableString::from(answer))
    }

    fn proxies_of(&self, istiod: V) -> Result<L> {
        let id = self.need_workload(istiod, "proxies_of()")?;
        let proxies = self.mesh.istiods.iter().filter(|i| i.workload == id).flat_map(|i| self.mesh.proxies_of(i));
        let proxies = proxies.map(|w| self.mesh.workload(w).resource);
        Ok(self.roots(proxies, self.mesh.absence_anywhere("apps", "Deployment")))
    }

    fn proxy(&self, v: V) -> Result<P> {
        let id = self.need_resource(v, "proxy()")?;
        match self.mesh.workload_of(id) {
            Some(workload) => Ok(P(self.mesh.proxy(workload))),
            None => Ok(P(self.mesh.proxy_defaults(id))),
        }
    }

    fn hpa_of(&self, v: V) -> Result<V> {
        let id = self.need_resource(v, "hpa_of()")?;
        Ok(match self.mesh.hpa_of(id) {
            Ok(found) => self.root(found),
            Err(absence) => self.absent(v.place, absence),
        })
    }

    fn istiod_for(&self, v: V) -> Result<V> {
        let id = self.need_workload(v, "istiod_for()")?;
        let revision = &self.mesh.injection(id).revision;
        Ok(match self.mesh.istiods.iter().find(|i| i.revision == *revision) {
            Some(istiod) => self.workload_root(istiod.workload),
            None => self.absent(v.place, Absence::unknown("Istio installation")),
        })
    }

    /// The revision whose configuration concerns a resource.
    pub(crate) fn revision_of(&self, v: V) -> String {
        let workload = self.resource_of(v).and_then(|id| self.mesh.workload_of(id));
        if let Some(id) = workload {
            if let Some(istiod) = self.mesh.istiods.iter().find(|i| i.workload == id) {
                return istiod.revision.to_string();
            }
            return self.mesh.injection(id).revision.to_string();
        }
        if let Some(id) = self.as_resource(v).filter(|id| self.is_namespace(*id)) {
            return self.mesh.revision_for_namespace(id).to_string();
        }
        DEFAULT_REVISION.to_string()
    }

    fn installed(&self, place: Option<crate::yaml::Place>, from: V) -> V {
        match place {
            Some(place) => V::at(place),
            None => self.absent(from.place, Absence::unknown("Istio installation")),
        }
    }

    /// A setting that is declared or read, as text; unknown where neither is.
    pub(super) fn declared(&self, text: Option<&str>, what: &str) -> Dynamic {
        match text {
            Some(text) => Dynamic::from(ImmutableString::from(text)),
            None => {
                self.note_unknown(what);
                Dynamic::from(self.unknown_at(self.nowhere(), what))
            }
        }
    }
}

/// How deep values stand in a label selector: `matchExpressions`, its items, `values`, their items.
const SELECTOR_DEPTH: u8 = 4;

/// Whether a key or value below a node stands elsewhere (`${NAME}`).
fn holds_unknown(node: Node<'_>, depth: u8) -> bool {
    let below = |n: Node<'_>| depth > 0 && holds_unknown(n, depth - 1);
    node.is_unknown() || node.items().any(below) || node.entries().any(|(key, value)| key.is_unknown() || below(value))
}

/// The words of the mesh.
pub(super) fn register(words: &mut Words<'_>) {
    use On::Mesh;
    let c = words.context();
    let x = c.clone();
    words.fallible(
        Mesh,
        "all(kind)",
        "all resources of a kind or a role, each identity once: `mesh.all(\"Istiod\")`",
        EVERY_KIND,
        move |_: M, name: ImmutableString| {
            if let Some(role) = Role::parse(&name) {
                // One that may have the role, or was not read, is not among them.
                return Ok(x.kept(&name, || (x.mesh.with_role(role), Absence::unknown(format!("every {name}")))));
            }
            let (group, kind) = x.kind(&name)?;
            Ok(x.kept(&name, || (x.mesh.of_kind(&group, &kind), x.mesh.absence_anywhere(&group, &kind))))
        },
    );
    let x = c.clone();
    words.fallible(
        Mesh,
        "find(kind, name, seen_from)",
        "the resource of that name, in the namespace of `seen_from`; missing if it was not read",
        EVERY_KIND,
        move |_: M, kind: ImmutableString, name: Dynamic, from: V| {
            let name = match name.clone().try_cast::<V>() {
                Some(v) if x.is_unknown(v) => return Ok(v),
                Some(v) => x.text(v).unwrap_or_default(),
                None => name.into_immutable_string().unwrap_or_default(),
            };
            x.find(&kind, &name, from)
        },
    );
    let x = c.clone();
    words.word(
        Mesh,
        "host(name, seen_from)",
        "what declares a host: a Service's name or the item of a ServiceEntry's `hosts`; missing if nothing does",
        "Service, ServiceEntry",
        move |_: M, host: V, from: V| x.host(host, from),
    );
    let x = c.clone();
    words.word(
        Mesh,
        "closest_host(name, seen_from)",
        "the Service whose name is spelt most alike; missing if none is",
        "Service",
        move |_: M, host: V, from: V| {
            let text = x.text(host).unwrap_or_default();
            match x.mesh.closest_service(&text, &x.namespace_of(from)) {
                Some(entry) => V::at(entry.place),
                None => x.missing(host.place, Vec::new(), None),
            }
        },
    );
    let x = c.clone();
    words.word(
        Mesh,
        "subsets(host, seen_from)",
        "the names of the subsets that DestinationRules declare for a host",
        "DestinationRule",
        move |_: M, host: V, from: V| x.subsets(host, from),
    );
    let x = c.clone();
    words.word(
        Mesh,
        "selected_by(selector, seen_from)",
        "workloads in the namespace of `seen_from` whose pods a selector matches, a `LabelSelector` or a map of labels: `{}` selects all, a missing one none, one with an unknown value gives an empty list that proves nothing",
        "workloads",
        move |_: M, selector: V, from: V| x.selected_by(selector, from),
    );
    let x = c.clone();
    words.word(
        Mesh,
        "services()",
        "Services that istiod sees (inside `discoverySelectors`)",
        "Service",
        move |_: M| x.services(),
    );
    let x = c.clone();
    words.word(Mesh, "workloads()", "everything with a pod template", "workloads", move |_: M| {
        x.kept("workloads()", || {
            let workloads = x.mesh.workloads.iter().map(|w| w.resource).filter(|id| x.mesh.counts(*id));
            (workloads, x.mesh.absence_anywhere("apps", "Deployment"))
        })
    });
    let x = c.clone();
    words.fallible(
        Mesh,
        "proxies_of(istiod)",
        "workloads that take their configuration from it: meshed ones, gateways, waypoints, ztunnels of its revision",
        "workloads, Namespace",
        move |_: M, v: V| x.proxies_of(v),
    );
    let x = c.clone();
    words.fallible(Mesh, "services_of(workload)", "the Services that select its pods", "Service", move |_: M, v: V| {
        let id = x.need_workload(v, "services_of()")?;
        Ok(x.roots(x.mesh.services_of(id), x.mesh.absence("", "Service", &x.mesh.workload(id).namespace)))
    });
    let x = c.clone();
    words.fallible(
        Mesh,
        "workloads_of(resource)",
        "the workloads whose pods a Service selects, or that stand in a Namespace",
        "workloads",
        move |_: M, v: V| {
            let id = x.need_resource(v, "workloads_of()")?;
            let resource = x.mesh.resource(id);
            let is_namespace = x.is_namespace(id);
            let namespace = if is_namespace { &*resource.name } else { resource.namespace() };
            let workloads: Vec<_> =
                if is_namespace { x.mesh.workloads_in(namespace).to_vec() } else { x.mesh.workloads_of(id).collect() };
            Ok(x.roots(workloads.into_iter().map(|w| x.mesh.workload(w).resource), x.no_workload(namespace)))
        },
    );
    let x = c.clone();
    words.fallible(
        Mesh,
        "hpa_of(workload)",
        "the HorizontalPodAutoscaler that scales it",
        "HorizontalPodAutoscaler",
        move |_: M, v: V| x.hpa_of(v),
    );
    let x = c.clone();
    words.fallible(Mesh, "istiod_for(workload)", "the istiod of its revision", "Istiod", move |_: M, v: V| {
        x.istiod_for(v)
    });
    let x = c.clone();
    words.fallible(
        Mesh,
        "injection(workload)",
        "`\"sidecar\"`, `\"ambient\"` or `\"none\"`; unknown where the input does not show it",
        "Namespace, webhooks, injector",
        move |_: M, v: V| x.need_workload(v, "injection()").map(|id| x.injected(id)),
    );
    let x = c.clone();
    words.fallible(
        Mesh,
        "proxy(workload)",
        "the resources that its proxy gets; of an injector, those of proxies that say nothing themselves",
        "injector",
        move |_: M, v: V| x.proxy(v),
    );
    let x = c.clone();
    words.fallible(
        Mesh,
        "proxy_defaults(workload)",
        "the resources that its proxy would get if the pod said nothing about it",
        "injector",
        move |_: M, v: V| x.need_workload(v, "proxy_defaults()").map(|id| P(x.mesh.mesh_wide_proxy(id))),
    );
    let x = c.clone();
    words.word(Mesh, "mesh_config(seen_from)", "the mesh configuration", "mesh configuration", move |_: M, from: V| {
        x.installed(x.mesh.mesh_config(&x.revision_of(from)).map(|m| m.config), from)
    });
    let x = c.clone();
    words.word(Mesh, "injector(seen_from)", "the values of the injector", "injector", move |_: M, from: V| {
        x.installed(x.mesh.injector(&x.revision_of(from)).and_then(|i| i.values), from)
    });
    let x = c.clone();
    words.word(
        Mesh,
        "revisions()",
        "the revisions of which an istiod was read, as an array",
        "Istiod",
        move |_: M| -> Array {
            let revisions: BTreeSet<_> = x.mesh.istiods.iter().map(|i| i.revision.to_string()).collect();
            revisions.into_iter().map(Dynamic::from).collect()
        },
    );
    let x = c.clone();
    words.word(Mesh, "environment()", "`prod` unless something else is declared", "", move |_: M| {
        ImmutableString::from(x.mesh.declared.environment.as_deref().unwrap_or("prod"))
    });
    let x = c.clone();
    words.word(Mesh, "is_production()", "the environment is not declared to be something else", "", move |_: M| {
        x.mesh.declared.is_production()
    });
    let x = c.clone();
    words.word(Mesh, "is_dump()", "the input was read from a cluster", "", move |_: M| x.mesh.is_dump());
    let x = c.clone();
    words.word(
        Mesh,
        "calls_to(service)",
        "who of Istio's calls a Service, and on which port",
        "webhooks, mesh configuration",
        move |_: M, v: V| -> Array {
            let Some(id) = x.as_resource(v) else { return Array::new() };
            let call = |call: &crate::mesh::installation::Call| CallTo {
                port: call.port,
                at: V::at(call.place),
                caller: call.caller,
                listener: call.listener,
            };
            x.mesh.calls_to(id).map(|c| Dynamic::from(call(c))).collect()
        },
    );
    let x = c;
    words.fallible(
        Mesh,
        "webhook_port(istiod)",
        "the port of istiod's pods on which the API server calls its webhooks; unknown if its arguments don't show it",
        "Istiod",
        move |_: M, v: V| x.need_workload(v, "webhook_port()").map(|id| x.pod_port(id, Listener::Webhooks)),
    );
}
