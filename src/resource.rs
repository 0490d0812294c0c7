//! Documents to resources: identity, origin, and items of lists.

pub mod pattern;

use crate::finding::ResourceRef;
use crate::kinds::is_cluster_scoped;
use crate::source::FileId;
use crate::source::render::Rendered;
use crate::yaml::{Document, Node, Place, Tree, Trees};

/// The number of a resource in its mesh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceId(pub u32);

/// One Kubernetes resource of the input.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Its map.
    pub root: Place,
    /// The file it stands in.
    pub file: FileId,
    /// `apps` of `apps/v1`; empty for the core group.
    pub group: Box<str>,
    /// `v1` of `apps/v1`.
    pub version: Box<str>,
    /// `Deployment`
    pub kind: Box<str>,
    /// Nothing for kinds that are known to be cluster-scoped.
    pub namespace: Option<Box<str>>,
    /// `metadata.name`; empty if there is none (`generateName`, or no name at all).
    pub name: Box<str>,
    /// The template or file it was rendered from: Helm's `# Source:`, kustomize's origin annotation.
    pub template: Option<Box<str>>,
    /// The chart that it was rendered from, as `# Source:` names it: `istiod`, or `mesh/istiod` for a
    /// chart in a chart.
    pub chart: Option<Box<str>>,
    /// Written by a tool or read from standard input: edits would be lost.
    pub generated: bool,
    /// Read from a cluster (`metadata.uid`).
    pub live: bool,
    /// What becomes of other resources of the same identity.
    pub copy: Copy,
    /// What kustomize makes of it.
    pub part: Part,
    /// The release, by its number in the mesh, whose chart would render it; nothing for what was read.
    pub release: Option<u32>,
}

/// What the API server knows a resource by, whatever its version.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    /// API group; empty for the core group.
    pub group: Box<str>,
    /// Kind.
    pub kind: Box<str>,
    /// Namespace; empty for cluster-scoped kinds.
    pub namespace: Box<str>,
    /// Name.
    pub name: Box<str>,
}

/// What is remembered of a resource that was there before a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Was {
    /// The file in which it stood.
    pub file: String,
    /// Of a DestinationRule: its host, as it was written.
    pub host: Option<String>,
}

/// The comment of a dump that says which kinds it holds: all there were of each.
pub const COLLECTED: &str = "# plimsoll: collected ";

/// The kinds that a dump says it holds, as the configuration would name them.
pub fn collected(tree: &Tree) -> impl Iterator<Item = &str> {
    let comments = tree.comments.iter().map(|c| &tree.text()[c.start as usize..c.end as usize]);
    let lists = comments.filter_map(|comment| comment.strip_prefix(COLLECTED));
    lists.flat_map(|list| list.split(',')).map(str::trim).filter(|kind| !kind.is_empty())
}

/// What a resource is to kustomize, as far as the kustomizations that were read say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Part {
    /// It is applied as it stands.
    #[default]
    Whole,
    /// A kustomization may change its name, namespace or labels.
    Base,
    /// A kustomization changes its fields: what will be applied is not known.
    Patched,
    /// It belongs to a component, which some kustomizations add and others do not.
    Component,
}

/// Whether other resources of the input have the same identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copy {
    /// None has.
    Only,
    /// The first of several; the others say the same.
    First,
    /// Says the same as an earlier one.
    Repeated,
    /// Others say something else: which one is applied is not known.
    Alternative,
}

impl Resource {
    /// The identity for reports.
    pub fn reference(&self) -> ResourceRef {
        ResourceRef {
            api_version: self.api_version(),
            kind: self.kind.to_string(),
            namespace: self.namespace.as_deref().map(str::to_string),
            name: self.name.to_string(),
        }
    }

    /// Its identity.
    pub fn identity(&self) -> Identity {
        Identity {
            group: self.group.clone(),
            kind: self.kind.clone(),
            namespace: self.namespace().into(),
            name: self.name.clone(),
        }
    }

    /// `apps/v1`, or `v1` for the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_string() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Whether it is not known that exactly this is applied: another copy may be, or what kustomize
    /// makes of it.
    pub fn is_open(&self) -> bool {
        self.copy == Copy::Alternative || self.part != Part::Whole
    }

    /// Its namespace, or nothing as an empty text.
    pub fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or("")
    }
}

/// What a file turned out to hold.
#[derive(Debug, Default)]
pub struct Found {
    /// Resources in order, items of lists in place of the lists.
    pub resources: Vec<Resource>,
    /// Documents that are something else.
    pub other_documents: usize,
    /// Documents with content.
    pub documents: usize,
}

/// What is known about the resources of a file before it is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Origin<'a> {
    /// What a namespaced resource without `metadata.namespace` is applied to.
    pub namespace: &'a str,
    /// Standard input, or what another program rendered.
    pub generated: bool,
    /// What made it, if that is known.
    pub rendered: Option<&'a Rendered>,
}

/// Finds the resources of one file.
pub fn find(trees: &Trees, number: u32, origin: Origin<'_>) -> Found {
    let tree = trees.tree(number);
    let mut found = Found::default();
    for document in &tree.documents {
        let Some(root) = document.root.map(|id| tree.node(id)) else { continue };
        if root.is_null() && root.text() == Some("") {
            continue;
        }
        found.documents += 1;
        let source = helm_source(tree, document);
        let before = found.resources.len();
        collect(number, root, source, origin, &mut found.resources, 0);
        if found.resources.len() == before && !is_empty_list(root) {
            found.other_documents += 1;
        }
    }
    found
}

fn is_empty_list(root: Node<'_>) -> bool {
    root.get("kind").and_then(Node::string).is_some_and(|kind| kind.ends_with("List")) && root.get("items").is_some()
}

fn collect(tree: u32, root: Node<'_>, source: Option<&str>, origin: Origin<'_>, into: &mut Vec<Resource>, depth: u8) {
    // A strategic merge patch looks like a resource.
    let Some((api_version, kind)) = type_of(root).filter(|_| root.get("$patch").is_none()) else { return };
    if kind.ends_with("List") && root.get("items").is_some_and(Node::is_seq) && depth < 4 {
        for item in root.get("items").into_iter().flat_map(Node::items) {
            collect(tree, item, source, origin, into, depth + 1);
        }
        return;
    }
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let metadata = |key: &str| root.at(&["metadata", key]).and_then(Node::text).filter(|t| !t.is_empty());
    let annotation = |key: &str| root.at(&["metadata", "annotations", key]).and_then(Node::text);
    let base = annotation("config.kubernetes.io/origin").map(kustomize_origin);
    let live = metadata("uid").is_some();
    let template = source.map(str::to_string).or(base);
    // Where that file is on disk, it is called as the user would call it.
    let on_disk = |template: &String| Some(origin.rendered?.templates.get(template)?.path.clone());
    let template = template.map(|template| on_disk(&template).unwrap_or(template));
    into.push(Resource {
        root: Place { tree, node: root.id() },
        file: root.tree().file,
        group: group.into(),
        version: version.into(),
        kind: kind.into(),
        namespace: (!is_cluster_scoped(group, kind)).then(|| metadata("namespace").unwrap_or(origin.namespace).into()),
        name: metadata("name").unwrap_or("").into(),
        chart: source.and_then(chart_of).map(Into::into),
        generated: origin.generated || live || template.is_some(),
        template: template.map(Into::into),
        live,
        copy: Copy::Only,
        part: Part::Whole,
        release: None,
    });
}

/// `apiVersion` and `kind`, if both are there.
fn type_of(root: Node<'_>) -> Option<(&str, &str)> {
    let text = |key| root.get(key).and_then(Node::text).filter(|t| !t.is_empty());
    Some((text("apiVersion")?, text("kind")?))
}

/// Helm writes `# Source: chart/templates/x.yaml` above every document that it renders.
fn helm_source<'t>(tree: &'t Tree, document: &Document) -> Option<&'t str> {
    let from = tree.comments.partition_point(|c| c.start < document.start);
    let first_node = tree.node(document.root?).local_range().start as u32;
    tree.comments[from..].iter().take_while(|c| c.start < first_node).find_map(|comment| {
        let text = &tree.text()[comment.start as usize..comment.end as usize];
        text.trim_start_matches('#').trim().strip_prefix("Source: ").map(str::trim)
    })
}

/// The charts of `mesh/charts/istiod/templates/x.yaml`: `mesh/istiod`.
fn chart_of(source: &str) -> Option<String> {
    let (charts, _) = source.split_once("/templates/")?;
    Some(charts.replace("/charts/", "/"))
}

/// The value of kustomize's origin annotation is YAML of its own: `path: base/x.yaml`, or the file that
/// configures what generated the resource.
fn kustomize_origin(text: &str) -> String {
    let value = |key: &str| text.lines().find_map(|line| line.trim().strip_prefix(key));
    value("path:")
        .or_else(|| value("configuredIn:"))
        .map_or_else(|| text.trim().to_string(), |path| path.trim().to_string())
}

/// Whether a text, which may not be readable, is meant as a manifest: `apiVersion` or `kind` stands as
/// a key at the start of a line, or anywhere in a document that is one flow: `{"kind": …`.
pub fn looks_like_one(text: &str) -> bool {
    let mut in_flow = false;
    let mut starts_document = true;
    for line in text.trim_start_matches('\u{feff}').lines() {
        let rest = line.strip_prefix("---").map(str::trim_start);
        starts_document |= rest.is_some();
        let line = rest.unwrap_or(line);
        if starts_document && !line.trim().is_empty() && !line.starts_with(['#', '%']) {
            starts_document = false;
            in_flow = line.trim_start().starts_with('{');
        }
        let is_key = |at: usize, key: &str| {
            let (before, behind) = (&line[..at], &line[at + key.len()..]);
            let (before, behind) = match before.chars().next_back().filter(|c| matches!(c, '"' | '\'')) {
                Some(quote) => (&before[..at - 1], behind.strip_prefix(quote).unwrap_or("")),
                None => (before, behind),
            };
            let starts = before.is_empty()
                || (in_flow && before.trim_end().chars().next_back().is_none_or(|c| matches!(c, '{' | ',')));
            starts && behind.trim_start().starts_with(':')
        };
        if ["apiVersion", "kind"].iter().any(|key| line.match_indices(key).any(|(at, _)| is_key(at, key))) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_meant_as_a_manifest() {
        for text in [
            "apiVersion: v1\na: [",
            "\u{feff}kind: Service\na: [",
            "a: 1\n---\n\"apiVersion\": v1\na: [",
            "'kind' : x\na: [",
            "--- {apiVersion: v1, kind: Service, spec: {",
            "# c\n{a: 1, kind: Service",
            "{\n    \"apiVersion\": \"v1\",\n    \"items\": [",
            "{\"items\":[{\"kind\":\"Pod\"",
        ] {
            assert!(looks_like_one(text), "{text}");
        }
        for text in [
            "a:\n  kind: x\nb: [",
            "a: {kind: x",
            "kinds: x\na: [",
            "text: \"kind: x\na: [",
            "{a: b-kind: x",
            "mankind: [",
            "\"kind: x\na: [",
            "# kind: x\na: [",
            "[{kind: x",
        ] {
            assert!(!looks_like_one(text), "{text}");
        }
    }
    use std::sync::Arc;

    fn resources(text: &str) -> Found {
        let tree = crate::yaml::parse::parse(FileId(0), Arc::from(text));
        let trees = Trees::new([tree]);
        find(&trees, 0, Origin { namespace: "default", ..Origin::default() })
    }

    #[test]
    fn identity_and_default_namespace() {
        let found = resources(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n---\nx: 1\n",
        );
        assert_eq!(found.resources.len(), 2);
        assert_eq!((found.documents, found.other_documents), (3, 1));
        assert_eq!(found.resources[0].namespace.as_deref(), Some("default"));
        assert_eq!(found.resources[0].api_version(), "apps/v1");
        assert_eq!(found.resources[1].namespace, None);
    }

    #[test]
    fn list_items_are_resources() {
        let found = resources(
            "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata: {name: a, namespace: x}\n- apiVersion: v1\n  kind: Service\n  metadata: {name: b}\n---\napiVersion: v1\nkind: List\nitems: []\n",
        );
        assert_eq!(found.resources.len(), 2);
        assert_eq!(found.other_documents, 0);
        assert_eq!(found.resources[0].namespace(), "x");
    }

    #[test]
    fn origins_are_kept() {
        let found = resources(
            "---\n# Source: shop/templates/a.yaml\napiVersion: v1\nkind: Service\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Service\nmetadata:\n  name: b\n  annotations:\n    config.kubernetes.io/origin: |\n      path: base/b.yaml\n---\n# note\napiVersion: v1\nkind: Service\nmetadata: {name: c}\n",
        );
        let templates: Vec<_> = found.resources.iter().map(|r| r.template.as_deref()).collect();
        assert_eq!(templates, [Some("shop/templates/a.yaml"), Some("base/b.yaml"), None]);
        assert!(found.resources[0].generated && !found.resources[2].generated);
    }
}
