//! What a rule may ask about what the cluster runs on: its platform and its CNI plugins.

use std::cell::OnceCell;
use std::rc::Rc;

use rhai::{Array, Dynamic};

use super::mesh::M;
use super::value::V;
use super::vocabulary::{On, Words};
use super::{Context, Ghost};
use crate::kinds;
use crate::mesh::cni::{Cni, Fingerprint};
use crate::mesh::selector::Tri;

/// The table of what CNI plugins are known by.
const TABLE: &str = "cni-fingerprints";

/// A CNI plugin that was found.
#[derive(Debug, Clone)]
pub(crate) struct C(Rc<Cni>);

impl Context {
    fn fingerprints(&self) -> Vec<Fingerprint> {
        let rows = self.rules.tables.get(TABLE).into_iter().flat_map(|table| &table.rows);
        let fingerprint = |(name, row): (&String, &std::collections::BTreeMap<String, serde_yaml::Value>)| {
            let text = |key: &str| row.get(key).and_then(serde_yaml::Value::as_str).map(str::to_string);
            let texts = |key: &str| -> Vec<String> {
                let items = row.get(key).and_then(serde_yaml::Value::as_sequence).into_iter().flatten();
                items.filter_map(|item| item.as_str().map(str::to_string)).collect()
            };
            let mark = |mark: &String| {
                let (kind, name) = mark.split_once('/').unwrap_or((mark.as_str(), ""));
                let (group, kind) = kinds::resolve(kind)?;
                Some((group.to_string(), kind.to_string(), name.to_string()))
            };
            Fingerprint {
                name: name.clone(),
                marks: texts("marks").iter().filter_map(mark).collect(),
                node_annotations: texts("node_annotations"),
                networks: row.get("networks").and_then(serde_yaml::Value::as_bool) != Some(false),
                enforces: row.get("enforces").and_then(serde_yaml::Value::as_bool),
                enforced_by: texts("enforced_by"),
                switched_off_by: text("switched_off_by"),
                beside: texts("beside"),
            }
        };
        rows.map(fingerprint).collect()
    }
}

/// The words about platform and CNI plugins.
pub(super) fn register(words: &mut Words<'_>) {
    let c = words.context();
    let x = c.clone();
    // The mesh never changes: what was found once is kept.
    let platform = Rc::new(OnceCell::new());
    let kept = platform.clone();
    words.word(
        On::Mesh,
        "platform()",
        "`gke`, `openshift` …: declared, or shown by Nodes and Istio's settings; unknown where nothing shows it",
        "Node, Istiod, injector",
        move |_: M| {
            let found = kept.get_or_init(|| x.mesh.platform());
            x.declared(found.as_ref().map(|platform| &*platform.name), "platform")
        },
    );
    let x = c.clone();
    words.word(
        On::Mesh,
        "shows_platform()",
        "the version, label or setting that shows the platform; missing where it is declared",
        "Node, Istiod, injector",
        move |_: M| {
            let found = platform.get_or_init(|| x.mesh.platform()).as_ref().and_then(|platform| platform.shown_by);
            let nothing = || Ghost::Missing { keys: Vec::new(), default: None, absence: None };
            found.map_or_else(|| V { place: x.nowhere(), ghost: x.ghost(nothing()) }, V::at)
        },
    );
    let x = c.clone();
    let kept = OnceCell::new();
    words.word(
        On::Mesh,
        "cni()",
        "`cilium`, `calico` …, the CNI plugin: declared, or shown by its DaemonSet; unknown where nothing shows it",
        "DaemonSet, ConfigMap, Node",
        move |_: M| x.declared(kept.get_or_init(|| x.mesh.cni(&x.fingerprints())).as_deref(), "CNI plugin"),
    );
    let x = c.clone();
    let kept = OnceCell::new();
    words.word(
        On::Mesh,
        "cnis()",
        "the CNI plugins of which something was read, as an array",
        "DaemonSet, ConfigMap, Node",
        move |_: M| -> Array {
            let found: &Vec<C> =
                kept.get_or_init(|| x.mesh.cnis(&x.fingerprints()).into_iter().map(|cni| C(Rc::new(cni))).collect());
            found.iter().cloned().map(Dynamic::from).collect()
        },
    );
    words.word(On::Cni, "name()", "its name, a row of the table `cni-fingerprints`", "", |cni: C| {
        cni.0.name.to_string()
    });
    let x = c;
    words.word(On::Cni, "shown_by()", "the resource that shows it, mostly its DaemonSet", "", move |cni: C| {
        x.root(cni.0.shown_by)
    });
    words.word(
        On::Cni,
        "enforces()",
        "whether it enforces NetworkPolicies: `\"yes\"`, `\"no\"`, or `\"unknown\"`",
        "",
        |cni: C| match cni.0.enforces {
            Tri::Yes => "yes",
            Tri::No => "no",
            Tri::Unknown => "unknown",
        },
    );
}
