//! What a rule may ask about versions and about the date.

use rhai::Dynamic;

use super::list::L;
use super::mesh::M;
use super::value::V;
use super::vocabulary::{On, Words};
use super::{Context, Ghost, Result};
use crate::mesh::version::{Answer, Stated, tag};
use crate::units::{Date, Version};

impl Context {
    /// A version at its place: only the tag of an image is underlined.
    fn stated(&self, stated: Stated) -> V {
        if stated.declared {
            return self.missing(stated.place, Vec::new(), Some(stated.version.to_string().into()));
        }
        let node = self.mesh.trees.node(stated.place);
        let range = node.local_range();
        let written = node.text().map_or("", tag);
        let text = node.tree().text().get(range.clone()).unwrap_or_default();
        match text.rfind(written).filter(|_| !written.is_empty()) {
            Some(at) => {
                let start = (range.start + at) as u32;
                V { place: stated.place, ghost: self.ghost(Ghost::Part(start, start + written.len() as u32)) }
            }
            None => V::at(stated.place),
        }
    }

    fn versions(&self, all: &[Stated]) -> L {
        L::new(all.iter().map(|stated| self.stated(*stated)).collect(), None, None)
    }

    /// The version in whatever a rule hands over.
    fn version(&self, x: &Dynamic) -> Option<Version> {
        match x.read_lock::<V>() {
            Some(v) => self.text(*v).and_then(|text| Version::parse(&text)),
            None => x
                .read_lock::<Version>()
                .map(|version| *version)
                .or_else(|| Version::parse(&super::compare::plain_text(x)?)),
        }
    }

    fn number_or_missing(&self, number: Option<i64>) -> Dynamic {
        number.map_or_else(|| Dynamic::from(self.missing(self.nowhere(), Vec::new(), None)), Dynamic::from)
    }
}

/// The words about versions and the date.
pub(super) fn register(words: &mut Words<'_>) {
    use On::Mesh;
    let c = words.context();
    let x = c.clone();
    words.word(
        Mesh,
        "istio()",
        "the version of Istio, the oldest of several control planes; unknown where nothing shows it",
        "Istiod",
        move |_: M| match x.mesh.istio_version() {
            Some(version) => Dynamic::from(version),
            None => x.declared(None, "version of Istio"),
        },
    );
    let x = c.clone();
    words.word(
        Mesh,
        "kubernetes()",
        "the version of Kubernetes: declared, or that of the newest kubelet, which the API server has at least; else unknown",
        "Node",
        move |_: M| match x.mesh.kubernetes_version() {
            Some(version) => Dynamic::from(version),
            None => x.declared(None, "version of Kubernetes"),
        },
    );
    let x = c.clone();
    words.word(
        Mesh,
        "istio_versions()",
        "the places that say which versions of Istio run, one for each version, the oldest first: istiods, or what shows it in their stead",
        "Istiod",
        move |_: M| {
            // Who has no installation does not miss its version.
            if x.mesh.istio_versions().is_empty() && x.mesh.has_installation() {
                x.note_unknown("version of Istio");
            }
            x.versions(x.mesh.istio_versions())
        },
    );
    let x = c.clone();
    words.word(
        Mesh,
        "kubernetes_versions()",
        "the places that say which versions Nodes' kubelets have, one for each version, the oldest first",
        "Node",
        move |_: M| x.versions(x.mesh.kubernetes_versions()),
    );
    let x = c.clone();
    words.fallible(
        Mesh,
        "version_of(resource)",
        "the version of an istiod, proxy, ztunnel, istio-cni or CRD of Istio's, where it is written; unknown for a digest, `latest` and a vendor's build; missing for all else",
        "Istiod",
        move |_: M, v: V| -> Result<V> {
            let id = x.need_resource(v, "version_of()")?;
            Ok(match x.mesh.version_of(id) {
                Answer::Is(stated) => x.stated(stated),
                Answer::Unknown(place) => x.unknown_at(place, "version of Istio"),
                Answer::None => x.missing(v.place, Vec::new(), None),
            })
        },
    );
    let x = c.clone();
    words.word(Mesh, "today()", "the date of the run, `2026-11-24`", "", move |_: M| {
        match Date::parse(&x.mesh.declared.today) {
            Some(date) => Dynamic::from(date),
            None => x.declared(None, "date"),
        }
    });
    let x = c.clone();
    words.word(
        On::Unit,
        "series()",
        "of a version, or a value that holds one: `1.30` of 1.30.2, as tables name it; empty if it is none",
        "",
        move |v: V| x.version(&Dynamic::from(v)).map_or_else(String::new, Version::series),
    );
    words.silent("series", |version: Version| version.series());
    let x = c.clone();
    words.word(
        On::Unit,
        "patch()",
        "of a version, or a value that holds one: 2 of 1.30.2; missing if it does not say it",
        "",
        move |v: V| x.number_or_missing(x.version(&Dynamic::from(v)).and_then(|v| v.patch).map(i64::from)),
    );
    let x = c.clone();
    words.silent("patch", move |version: Version| x.number_or_missing(version.patch.map(i64::from)));
    let x = c.clone();
    words.word(
        On::Unit,
        "minors_after(version)",
        "how many minor versions it comes after another one: 2 for 1.31 after 1.29; missing where either is none",
        "",
        move |v: V, other: Dynamic| {
            let versions = x.version(&Dynamic::from(v)).zip(x.version(&other));
            x.number_or_missing(versions.and_then(|(own, other)| own.minors_after(other)))
        },
    );
    let x = c;
    words.silent("minors_after", move |version: Version, other: Dynamic| {
        x.number_or_missing(x.version(&other).and_then(|other| version.minors_after(other)))
    });
}
