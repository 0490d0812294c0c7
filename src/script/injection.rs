//! What a rule may ask the mesh about webhooks, and about which pods get a proxy from them.

use rhai::{Array, Dynamic, ImmutableString};

use super::list::L;
use super::mesh::M;
use super::value::V;
use super::vocabulary::{On, Words};
use super::{Context, Result, fail};
use crate::mesh::absence::{Absence, Certainty};
use crate::mesh::selector::Tri;
use crate::resource::ResourceId;
use crate::yaml::Place;

impl Context {
    /// A place that was found, or what it proves that none was; `from` asked.
    fn found(&self, found: std::result::Result<Place, Absence>, from: V) -> V {
        match found {
            Ok(place) => V::at(place),
            Err(absence) if absence.certainty == Certainty::Unknown => self.unknown_at(from.place, &absence.what),
            Err(absence) => self.absent(from.place, absence),
        }
    }

    /// A workload or a Namespace.
    fn need_pods(&self, v: V, word: &str) -> Result<ResourceId> {
        let id = self.need_resource(v, word)?;
        if self.mesh.workload_of(id).is_some() || self.is_namespace(id) {
            return Ok(id);
        }
        fail(format!("{word} is asked of a workload or a Namespace, and this is a {}", self.mesh.resource(id).kind))
    }

    fn keeps_out(&self, v: V) -> Result<V> {
        let id = self.need_workload(v, "keeps_out()")?;
        Ok(match self.mesh.keeps_out(id) {
            Ok(Some(obstacle)) => V::at(obstacle.place),
            Ok(None) => self.missing(v.place, Vec::new(), None),
            Err(absence) => self.unknown_at(v.place, &absence.what),
        })
    }

    fn relies_on_injection(&self, v: V) -> Result<L> {
        let id = self.need_pods(v, "relies_on_injection()")?;
        let own = self.mesh.workload_of(id);
        let all = || self.mesh.workloads_in(&self.mesh.resource(id).name).iter().copied();
        let workloads: Vec<_> = own.map_or_else(|| all().collect(), |own| vec![own]);
        let places = workloads.into_iter().flat_map(|workload| self.mesh.relies_on_injection(workload));
        Ok(L::new(places.map(V::at).collect(), None, None))
    }

    fn webhooks(&self, places: impl Iterator<Item = Place>, absence: Option<Absence>) -> L {
        L::new(places.map(V::at).collect(), None, absence)
    }
}

/// The words about injection.
pub(super) fn register(words: &mut Words<'_>) {
    use On::Mesh;
    let c = words.context();
    let x = c.clone();
    words.fallible(
        Mesh,
        "webhook_for(resource)",
        "the injection webhook that is called for the pods of a workload, or of a Namespace for pods without labels of their own; missing if none is",
        "Namespace, webhooks",
        move |_: M, v: V| -> Result<V> {
            let id = x.need_pods(v, "webhook_for()")?;
            Ok(x.found(x.mesh.webhook_for(id).map(|webhook| webhook.place), v))
        },
    );
    let x = c.clone();
    words.fallible(
        Mesh,
        "webhooks_of(istiod)",
        "the injection webhooks of its revision, those of its tags included",
        "webhooks",
        move |_: M, v: V| -> Result<L> {
            x.need_workload(v, "webhooks_of()")?;
            let (places, absence) = x.mesh.webhooks_of(&x.revision_of(v));
            Ok(x.webhooks(places.into_iter(), Some(absence)))
        },
    );
    let x = c.clone();
    words.fallible(
        Mesh,
        "keeps_out(workload)",
        "the value that keeps its pods from getting a proxy; missing if they get one; a gateway's count, too",
        "Namespace, webhooks, injector",
        move |_: M, v: V| x.keeps_out(v),
    );
    let x = c.clone();
    words.fallible(
        Mesh,
        "keeps_out_why(workload)",
        "what that is: `ignored namespace`, `host network`, `refused`, `namespace disabled`, `not selected`, `declined`; empty if nothing does",
        "Namespace, webhooks, injector",
        move |_: M, v: V| -> Result<ImmutableString> {
            let id = x.need_workload(v, "keeps_out_why()")?;
            Ok(x.mesh.keeps_out(id).ok().flatten().map_or("", |obstacle| obstacle.why.as_str()).into())
        },
    );
    let x = c.clone();
    words.fallible(
        Mesh,
        "relies_on_injection(resource)",
        "what of a workload, or of all workloads of a Namespace, makes sense only with an injected proxy: an image `auto`, a template, the label or annotation that asks for it",
        "workloads",
        move |_: M, v: V| x.relies_on_injection(v),
    );
    let x = c.clone();
    words.fallible(
        Mesh,
        "revision(resource)",
        "what of the input makes the revision or tag known that its label `istio.io/rev` names; missing if nothing does, or it names none",
        "webhooks, Istiod",
        move |_: M, v: V| -> Result<V> {
            let id = x.need_pods(v, "revision()")?;
            Ok(match x.mesh.revision_label(id) {
                Some(label) => x.found(x.mesh.revision_named(label), v),
                None => x.missing(v.place, Vec::new(), None),
            })
        },
    );
    let x = c.clone();
    words.word(Mesh, "tags()", "the revision tags that were read, as an array", "webhooks", move |_: M| -> Array {
        let tags = x.mesh.installation.webhooks.iter().filter_map(|w| w.tag.as_deref());
        let tags: std::collections::BTreeSet<_> = tags.collect();
        tags.into_iter().map(|tag| Dynamic::from(ImmutableString::from(tag))).collect()
    });
    let x = c.clone();
    words.word(
        Mesh,
        "called_service(caller)",
        "the Service that a webhook calls, or that an address such as `istiod.istio-system.svc:15012` names; missing if it was not read",
        "Service, Istiod",
        move |_: M, caller: V| match x.mesh.called_service(caller.place).filter(|_| !x.is_unknown(caller)) {
            Some(called) => x.found(called.map(|id| x.mesh.resource(id).root), caller),
            None => x.unknown_at(caller.place, "what is called"),
        },
    );
    let x = c.clone();
    words.word(
        Mesh,
        "overlapping(webhook)",
        "injection webhooks that are called for pods for which this one is called, too, of configurations whose names come later",
        "webhooks",
        move |_: M, webhook: V| x.webhooks(x.mesh.overlapping(webhook.place).into_iter().map(|w| w.place), None),
    );
    let x = c.clone();
    words.word(
        Mesh,
        "is_called_for_pods(webhook, namespace)",
        "whether a webhook, of whatever product, is certainly called for every new pod of a namespace",
        "Namespace",
        move |_: M, webhook: V, namespace: ImmutableString| {
            x.mesh.is_called_for_pods(webhook.place, &namespace) == Tri::Yes
        },
    );
    let x = c;
    words.word(
        Mesh,
        "redirects_by_cni(seen_from)",
        "the injector's value that says whether istio-cni redirects traffic, so that pods get no `istio-init`; unknown where it was not read",
        "injector",
        move |_: M, from: V| x.found(x.mesh.redirected_by(&x.revision_of(from)), from),
    );
}
