//! The annotation `ignore.plimsoll.dev/<rule>` on a resource or its pod template.

use std::collections::HashSet;

use super::{Covers, Mistake, Name, Removal, Removals, Said, Source, Suppression, is_date};
use crate::kinds;
use crate::mesh::workload::template_path;
use crate::resource::Resource;
use crate::yaml::{Node, NodeId, Tree};

/// What the key starts with.
const PREFIX: &str = "ignore.plimsoll.dev/";

const MISPLACED: &str = "this annotation stands where Kubernetes keeps no annotations";
const MOVE: &str = "move it to the annotations under the resource's metadata, or under its pod template's";

/// API groups whose resources hold values or resources of others: there such a key may be right.
const CARRIERS: [&str; 6] = [
    "argoproj.io",
    "helm.toolkit.fluxcd.io",
    "kustomize.toolkit.fluxcd.io",
    "kustomize.config.k8s.io",
    "install.istio.io",
    "sailoperator.io",
];

/// Reads the annotations of the resources of a text.
pub(super) fn read_all<'t>(
    tree: &'t Tree,
    resources: impl Iterator<Item = (Node<'t>, &'t Resource)>,
) -> Vec<Suppression<'t>> {
    let mut found = Vec::new();
    // Most texts end here.
    if !tree.text().contains(PREFIX) {
        return found;
    }
    let mut open: Vec<(std::ops::Range<usize>, bool)> = Vec::new();
    let mut placed: HashSet<NodeId> = HashSet::new();
    for (root, resource) in resources {
        let known = kinds::KNOWN.iter().any(|k| k.group == &*resource.group && k.kind == &*resource.kind);
        open.push((root.local_range(), known && !CARRIERS.contains(&&*resource.group)));
        for map in homes(root, resource) {
            for (key, value) in map.entries() {
                if !key.text().is_some_and(|text| text.starts_with(PREFIX)) {
                    continue;
                }
                placed.insert(key.id());
                found.push(read(key, value, Covers::Place(root.span())));
            }
        }
    }
    let keys = (0..tree.len()).map(|number| tree.node(NodeId(number as u32))).filter(|node| node.is_key());
    for key in keys.filter(|key| key.text().is_some_and(|text| text.starts_with(PREFIX))) {
        let Some((_, value)) = key.entry().filter(|_| !placed.contains(&key.id())) else { continue };
        let at = key.local_range().start;
        let inside = open.partition_point(|(range, _)| range.start <= at).checked_sub(1).map(|last| &open[last]);
        let Some((_, has_own_places)) = inside.filter(|(range, _)| range.contains(&at)) else { continue };
        if *has_own_places || is_label(key, inside.map_or(0, |(range, _)| range.start)) {
            found.push(read(key, value, Covers::Nothing(MISPLACED, MOVE)));
        }
    }
    found
}

/// The maps in which the annotation counts.
fn homes<'r>(root: Node<'r>, resource: &Resource) -> Vec<Node<'r>> {
    let own = root.at(&["metadata", "annotations"]);
    let template = match template_path(&resource.group, &resource.kind) {
        Some([]) => None,
        Some(path) => root.at(path),
        // Knative's Service and others that are made like a Deployment.
        None if kinds::KNOWN.iter().any(|k| k.group == &*resource.group && k.kind == &*resource.kind) => None,
        None => root.at(&["spec", "template"]).filter(|template| template.get("spec").is_some()),
    };
    own.into_iter().chain(template.and_then(|t| t.at(&["metadata", "annotations"]))).collect()
}

/// Whether a key stands among the labels of the resource that starts at a place.
fn is_label(key: Node<'_>, root: usize) -> bool {
    let labels = key.parent();
    let metadata = labels.and_then(Node::parent);
    let is_called = |node: Option<Node<'_>>, name: &str| node.and_then(Node::key).and_then(Node::text) == Some(name);
    is_called(labels, "labels")
        && is_called(metadata, "metadata")
        && metadata.and_then(Node::parent).is_some_and(|resource| resource.local_range().start == root)
}

fn read<'t>(key: Node<'t>, value: Node<'t>, covers: Covers) -> Suppression<'t> {
    Suppression {
        source: Source::Annotation,
        place: key.span(),
        covers,
        said: said(key, value),
        removal: Removal::Node(value),
    }
}

fn said(key: Node<'_>, value: Node<'_>) -> Result<Said<'static>, Mistake> {
    let mistake = |node: Node<'_>, message: String| Mistake { span: node.place(), message };
    let name = key.text().and_then(|text| text.strip_prefix(PREFIX)).unwrap_or("");
    if name.is_empty() {
        return Err(mistake(key, "annotation names no rule".to_string()));
    }
    let written = value.string().unwrap_or("").trim();
    let (until, reason) = match written.strip_prefix("until ") {
        None => (None, written),
        Some(rest) => {
            let (date, reason) = rest.split_once(':').unwrap_or((rest, ""));
            let date = date.trim();
            if !is_date(date) {
                let date = if date.chars().count() > 20 { "what follows \"until\"" } else { &format!("\"{date}\"") };
                return Err(mistake(value, format!("{date} is no date such as 2027-01-31")));
            }
            (Some(Name { text: date.to_string(), span: value.place() }), reason.trim())
        }
    };
    if reason.is_empty() {
        let is_other = value.string().is_none() && !value.is_null();
        let message = if is_other { "the reason is no text; put it in quotes" } else { "annotation gives no reason" };
        return Err(mistake(value, message.to_string()));
    }
    // The part of the key that names the rule, in quotes or not.
    let (start, end) = (key.local_range().start as u32, key.local_range().end as u32);
    let source = &key.tree().text()[key.local_range()];
    let slash = source.find('/').map_or(0, |at| at as u32 + 1);
    let quote = u32::from(source.ends_with(['"', '\'']));
    let span = key.tree().span(start + slash, end - quote);
    let names = vec![Name { text: name.to_string(), span }];
    Ok(Said { names, removals: Removals::None, until, reason: reason.to_string() })
}
