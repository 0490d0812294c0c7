//! What kustomizations say about the files beside them, without rendering anything.
//!
//! Source: the `Kustomization` API of kustomize 5 (`api/types/kustomization.go`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::path;
use crate::mesh::absence::Elsewhere;
use crate::resource::{Part, Resource};
use crate::source::{FileId, Sources};
use crate::yaml::{Node, Tree, Trees};

/// Overlays on overlays deeper than that are not followed.
const DEEPEST: usize = 16;

/// Lists of `kustomization.yaml` whose items, or the `path` of whose items, are files that configure
/// kustomize itself.
const CONFIGURATION: [&str; 7] =
    ["generators", "transformers", "validators", "configurations", "replacements", "openapi", "crds"];

/// Keys that change names, namespaces or labels of what is rendered.
const REWRITES: [&str; 12] = [
    "namePrefix",
    "nameSuffix",
    "commonLabels",
    "labels",
    "commonAnnotations",
    "components",
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "images",
    "replicas",
    "vars",
];

/// Whether a file is a kustomization by its name.
pub fn is_kustomization(name: &str) -> bool {
    matches!(name.rsplit('/').next(), Some("kustomization.yaml" | "kustomization.yml" | "Kustomization"))
}

/// What kustomize makes of the files that were read.
#[derive(Debug, Default)]
pub struct Kustomize {
    /// Patches and configuration by normal path: files that are no resources, with the reason.
    passed_over: BTreeMap<String, String>,
    rendered: BTreeMap<String, Rendered>,
    /// Kinds of the core group that are generated; none for anything, fetched or rendered by others.
    unseen: BTreeSet<Option<&'static str>>,
}

/// What happens to the resources of a file.
#[derive(Debug, Clone, Default)]
struct Rendered {
    /// The namespace that every kustomization which renders it sets; `None` if they differ or set none.
    namespace: Option<String>,
    roots: usize,
    rewritten: bool,
    component: bool,
    targets: BTreeSet<Target>,
    /// The kustomization that renders it, to name it in a hint.
    by: String,
}

/// Which resources a patch changes. What is not said, or said by an expression, fits everything.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Target {
    kind: Option<String>,
    name: Option<String>,
    /// A word that must occur in the resource (an image).
    mentions: Option<String>,
}

/// One file `kustomization.yaml`.
struct Kustomization<'t> {
    name: &'t str,
    folder: String,
    root: Node<'t>,
    is_component: bool,
}

impl Kustomize {
    /// Reads all kustomizations among the files.
    pub fn read(sources: &Sources, trees: &Trees) -> Kustomize {
        let trees_by_name: BTreeMap<String, (&str, &Tree)> = trees
            .files()
            .map(|(_, tree)| {
                let name = sources.file(tree.file).name.as_str();
                (path::normal(name), (name, tree))
            })
            .collect();
        let by_folder: BTreeMap<String, Kustomization<'_>> = trees_by_name
            .iter()
            .filter(|(normal, _)| is_kustomization(normal))
            .filter_map(|(normal, (name, tree))| {
                let root = tree.documents.iter().find_map(|d| d.root).map(|id| tree.node(id)).filter(|n| n.is_map())?;
                let is_component = root.get("kind").and_then(Node::text) == Some("Component");
                let folder = path::folder(normal).to_string();
                Some((folder.clone(), Kustomization { name, folder, root, is_component }))
            })
            .collect();
        let mut reader = Reader { trees: &trees_by_name, by_folder: &by_folder, found: Kustomize::default() };
        let mut included = BTreeSet::new();
        for kustomization in by_folder.values() {
            reader.pass_over(kustomization);
            included.extend(kustomization.folders(&by_folder));
        }
        for (folder, kustomization) in &by_folder {
            if kustomization.is_component || !included.contains(folder) {
                reader.render(kustomization);
            }
        }
        for (name, (_, tree)) in &trees_by_name {
            let is_patch = |root: Node<'_>| root.get("$patch").is_some();
            if tree.documents.iter().filter_map(|d| d.root).any(|id| is_patch(tree.node(id))) {
                reader.found.passed_over.entry(name.clone()).or_insert_with(|| "kustomize patch".to_string());
            }
        }
        reader.found
    }

    /// What kustomizations add that no file shows: generated, fetched or rendered by others.
    pub fn unseen(&self) -> Vec<Elsewhere> {
        let kind = |kind: &str| (String::new(), kind.to_string());
        self.unseen.iter().map(|k| Elsewhere { kind: k.map(kind), namespace: None }).collect()
    }

    /// Why a file is no manifest of its own: a patch, or configuration of kustomize.
    pub fn passed_over(&self, name: &str) -> Option<&str> {
        if is_kustomization(name) {
            return Some("kustomization");
        }
        self.passed_over.get(&path::normal(name)).map(String::as_str)
    }

    /// Marks what kustomize makes of a resource of a file, and gives it the namespace that kustomize
    /// gives it where that is all that happens.
    pub fn mark(&self, name: &str, trees: &Trees, resource: &mut Resource) {
        let Some(rendered) = self.rendered.get(&path::normal(name)) else { return };
        let patched = || rendered.targets.iter().any(|target| target.fits(trees, resource));
        resource.part = if rendered.component {
            Part::Component
        } else if patched() {
            Part::Patched
        } else if rendered.rewritten {
            Part::Base
        } else {
            Part::Whole
        };
        if let (Some(namespace), Some(own)) = (&rendered.namespace, &mut resource.namespace) {
            *own = namespace.as_str().into();
        }
    }

    /// The kustomization that renders a file, as the user knows it.
    pub fn rendered_by(&self, name: &str) -> Option<&str> {
        self.rendered.get(&path::normal(name)).map(|r| r.by.as_str())
    }
}

impl Kustomization<'_> {
    /// The texts of a list.
    fn texts(&self, key: &str) -> impl Iterator<Item = &str> {
        self.root.get(key).into_iter().flat_map(Node::items).filter_map(Node::text)
    }

    /// What `resources` and `bases` name.
    fn members(&self) -> impl Iterator<Item = &str> {
        self.texts("resources").chain(self.texts("bases"))
    }

    fn local(&self, reference: &str) -> String {
        path::join(&self.folder, reference)
    }

    /// Folders with kustomizations that this one includes.
    fn folders(&self, all: &BTreeMap<String, Kustomization<'_>>) -> Vec<String> {
        let named = self.members().chain(self.texts("components")).map(|m| self.local(m));
        named.filter(|folder| all.contains_key(folder)).collect()
    }
}

struct Reader<'a, 't> {
    trees: &'a BTreeMap<String, (&'t str, &'t Tree)>,
    by_folder: &'a BTreeMap<String, Kustomization<'t>>,
    found: Kustomize,
}

/// What one root does to everything that it renders.
#[derive(Clone, Default)]
struct Chain {
    namespace: Option<String>,
    rewritten: bool,
    targets: Vec<Target>,
}

impl Reader<'_, '_> {
    /// Files that are patches or configuration.
    fn pass_over(&mut self, kustomization: &Kustomization<'_>) {
        let mut add = |reference: &str, what: &str| {
            let reason = format!("{what} of {}", kustomization.name);
            self.found.passed_over.insert(kustomization.local(reference), reason);
        };
        for reference in kustomization.texts("patchesStrategicMerge").filter(|text| !text.contains('\n')) {
            add(reference, "kustomize patch");
        }
        let path_of = |item: Node<'_>| item.get("path").and_then(Node::text).map(str::to_string);
        for key in ["patches", "patchesJson6902"] {
            for reference in kustomization.root.get(key).into_iter().flat_map(Node::items).filter_map(path_of) {
                add(&reference, "kustomize patch");
            }
        }
        for key in CONFIGURATION {
            let Some(value) = kustomization.root.get(key) else { continue };
            let items = value.items().chain(std::iter::once(value).filter(|v| v.is_map()));
            for reference in items.filter_map(|item| path_of(item).or_else(|| item.text().map(str::to_string))) {
                add(&reference, "configuration");
            }
        }
        // A values file may look like anything.
        for chart in kustomization.root.get("helmCharts").into_iter().flat_map(Node::items) {
            if let Some(file) = chart.get("valuesFile").and_then(Node::text) {
                add(file, "values");
            }
        }
    }

    fn render(&mut self, root: &Kustomization<'_>) {
        let mut files = BTreeMap::new();
        self.walk(root, &Chain::default(), false, 0, &mut BTreeSet::new(), &mut files);
        for (file, (chain, component)) in files {
            let entry = self.found.rendered.entry(file).or_insert_with(|| Rendered {
                namespace: chain.namespace.clone(),
                by: root.name.to_string(),
                ..Rendered::default()
            });
            entry.roots += 1;
            entry.component |= component;
            // The last word on a namespace is the root's; of two roots, none has it.
            let differs = entry.namespace != chain.namespace;
            if differs {
                entry.namespace = None;
            }
            if (chain.rewritten || differs) && !entry.rewritten {
                entry.by = root.name.to_string();
            }
            entry.rewritten |= chain.rewritten || differs;
            entry.targets.extend(chain.targets);
        }
    }

    fn walk(
        &mut self,
        kustomization: &Kustomization<'_>,
        outer: &Chain,
        component: bool,
        depth: usize,
        open: &mut BTreeSet<String>,
        files: &mut BTreeMap<String, (Chain, bool)>,
    ) {
        if depth > DEEPEST || !open.insert(kustomization.folder.clone()) {
            return;
        }
        let component = component || kustomization.is_component;
        let mut chain = outer.clone();
        self.apply(kustomization, &mut chain);
        let components: Vec<String> = kustomization.texts("components").map(|c| kustomization.local(c)).collect();
        for folder in &components {
            match self.by_folder.get(folder) {
                Some(part) => self.apply(part, &mut chain),
                None => {
                    self.found.unseen.insert(None);
                }
            }
        }
        for (key, kind) in [("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")] {
            if kustomization.root.get(key).is_some() {
                self.found.unseen.insert(Some(kind));
            }
        }
        if ["helmCharts", "helmChartInflationGenerator", "generators"]
            .iter()
            .any(|k| kustomization.root.get(k).is_some())
        {
            self.found.unseen.insert(None);
        }
        for reference in kustomization.members() {
            let local = kustomization.local(reference);
            if let Some(inner) = self.by_folder.get(&local) {
                self.walk(inner, &chain, component, depth + 1, open, files);
            } else if self.trees.contains_key(&local) {
                files.insert(local, (chain.clone(), component));
            } else {
                self.found.unseen.insert(None);
            }
        }
        for folder in components {
            if let Some(inner) = self.by_folder.get(&folder) {
                self.walk(inner, &chain, true, depth + 1, open, files);
            }
        }
        open.remove(&kustomization.folder);
    }

    /// Adds what one kustomization does to everything that it renders.
    fn apply(&self, kustomization: &Kustomization<'_>, chain: &mut Chain) {
        let root = kustomization.root;
        if chain.namespace.is_none() {
            chain.namespace = root.get("namespace").and_then(Node::text).map(str::to_string);
        }
        let is_set = |key: &str| root.get(key).is_some_and(|v| !v.is_null() && (!v.is_seq() || v.items().count() > 0));
        chain.rewritten |= REWRITES.iter().any(|key| is_set(key));
        if ["replacements", "transformers"].into_iter().any(is_set) {
            chain.targets.push(Target { kind: None, name: None, mentions: None });
        }
        for patch in ["patches", "patchesJson6902"].iter().flat_map(|k| root.get(k).into_iter().flat_map(Node::items)) {
            match patch.get("target") {
                Some(target) => chain.targets.push(Target::selector(target)),
                None => match (patch.get("path").and_then(Node::text), patch.get("patch").and_then(Node::text)) {
                    (Some(path), _) => self.targets_of_file(&kustomization.local(path), chain),
                    (_, Some(text)) => targets_of_text(text, chain),
                    _ => {}
                },
            }
        }
        for patch in kustomization.texts("patchesStrategicMerge") {
            if patch.contains('\n') {
                targets_of_text(patch, chain);
            } else {
                self.targets_of_file(&kustomization.local(patch), chain);
            }
        }
        let named = |key: &str| root.get(key).into_iter().flat_map(Node::items).filter_map(|i| i.get("name")?.text());
        for image in named("images") {
            chain.targets.push(Target { kind: None, name: None, mentions: Some(image.to_string()) });
        }
        for name in named("replicas") {
            chain.targets.push(Target { kind: None, name: Some(name.to_string()), mentions: None });
        }
    }

    fn targets_of_file(&self, file: &str, chain: &mut Chain) {
        match self.trees.get(file) {
            Some((_, tree)) => targets_of(tree, chain),
            None => chain.targets.push(Target { kind: None, name: None, mentions: None }),
        }
    }
}

fn targets_of_text(text: &str, chain: &mut Chain) {
    targets_of(&crate::yaml::parse::parse(FileId(0), Arc::from(text)), chain);
}

/// A strategic merge patch names what it changes by kind and name.
fn targets_of(tree: &Tree, chain: &mut Chain) {
    for root in tree.documents.iter().filter_map(|d| d.root).map(|id| tree.node(id)) {
        let text = |path: &[&str]| root.at(path).and_then(Node::text).map(str::to_string);
        chain.targets.push(Target { kind: text(&["kind"]), name: text(&["metadata", "name"]), mentions: None });
    }
}

impl Target {
    /// From `target:` of a patch: kind and name are anchored regular expressions.
    fn selector(target: Node<'_>) -> Target {
        let plain = |key: &str| {
            let text = target.get(key).and_then(Node::text)?;
            let is_plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
            is_plain.then(|| text.to_string())
        };
        Target { kind: plain("kind"), name: plain("name"), mentions: None }
    }

    fn fits(&self, trees: &Trees, resource: &Resource) -> bool {
        let is = |wanted: &Option<String>, own: &str| wanted.as_deref().is_none_or(|w| w == own);
        let node = trees.node(resource.root);
        is(&self.kind, &resource.kind)
            && is(&self.name, &resource.name)
            && self.mentions.as_deref().is_none_or(|word| {
                let text = node.tree().text();
                text.get(node.local_range()).is_some_and(|text| text.contains(word))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceFile;

    const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: app, image: shop/web}]}}}\n";

    /// What becomes of the resources of each file: `part namespace`, or why there are none.
    fn marks(files: &[(&str, &str)]) -> Vec<String> {
        let sources = Sources::new(files.iter().map(|(n, t)| SourceFile::new(*n, None, *t)).collect());
        let trees = Trees::new(sources.iter().map(|(id, f)| crate::yaml::parse::parse(id, f.text.clone())));
        let kustomize = Kustomize::read(&sources, &trees);
        let mut marks = Vec::new();
        for (number, tree) in trees.files() {
            let name = &sources.file(tree.file).name;
            if let Some(reason) = kustomize.passed_over(name) {
                if reason != "kustomization" {
                    marks.push(reason.to_string());
                }
                continue;
            }
            for mut resource in crate::resource::find(&trees, number, "default", false).resources {
                kustomize.mark(name, &trees, &mut resource);
                marks.push(format!("{:?} {}", resource.part, resource.namespace()));
            }
        }
        marks
    }

    #[test]
    fn a_namespace_alone_is_known() {
        let plain = "namespace: shop\nresources: [web.yaml]\n";
        assert_eq!(marks(&[("a/kustomization.yaml", plain), ("a/web.yaml", DEPLOYMENT)]), ["Whole shop"]);
        let files = [("o/kustomization.yaml", "resources: [../b]\nnamespace: prod\n"), ("b/kustomization.yaml", plain)];
        assert_eq!(marks(&[files[0], files[1], ("b/web.yaml", DEPLOYMENT)]), ["Whole prod"]);
        // Two overlays, two namespaces: nobody knows which.
        let other = ("p/kustomization.yml", "resources: [../b]\nnamespace: test\n");
        assert_eq!(marks(&[files[0], other, files[1], ("b/web.yaml", DEPLOYMENT)]), ["Base default"]);
    }

    #[test]
    fn patches_are_no_resources_and_open_what_they_change() {
        let base = ("b/kustomization.yaml", "resources: [web.yaml]\n");
        let with = |overlay: &str, patch: &str| {
            marks(&[base, ("b/web.yaml", DEPLOYMENT), ("o/kustomization.yaml", overlay), ("o/p.yaml", patch)])
        };
        let patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n";
        let reason = "kustomize patch of o/kustomization.yaml";
        let patched = ["Patched default", reason];
        assert_eq!(with("resources: [../b]\npatches: [{path: p.yaml}]\n", patch), patched);
        assert_eq!(with("bases: [../b]\npatchesStrategicMerge: [p.yaml]\n", patch), patched);
        let target = "resources: [../b]\npatchesJson6902: [{path: p.yaml, target: {kind: Deployment, name: w.*}}]\n";
        assert_eq!(with(target, "- {op: remove, path: /spec}\n"), patched);
        let other = patch.replace("name: web", "name: other");
        assert_eq!(with("resources: [../b]\npatches: [{path: p.yaml}]\n", &other), ["Base default", reason]);
        let inline =
            "resources: [../b, p.yaml]\npatches:\n- patch: |-\n    kind: Deployment\n    metadata: {name: web}\n";
        assert_eq!(with(inline, &other), ["Patched default", "Base default"]);
        let image = "resources: [../b, p.yaml]\nimages: [{name: shop/web, newTag: v2}]\n";
        assert_eq!(with(image, &other), ["Patched default", "Base default"]);
    }

    #[test]
    fn components_are_marked_wherever_they_are_used() {
        let component = ("c/kustomization.yaml", "kind: Component\nresources: [web.yaml]\n");
        assert_eq!(marks(&[component, ("c/web.yaml", DEPLOYMENT)]), ["Component default"]);
        let user = ("o/kustomization.yaml", "resources: [x.yaml]\ncomponents: [../c]\n");
        let x = DEPLOYMENT.replace("web", "x");
        assert_eq!(
            marks(&[component, ("c/web.yaml", DEPLOYMENT), user, ("o/x.yaml", &x)]),
            ["Component default", "Base default"]
        );
    }

    #[test]
    fn circles_end_and_what_is_fetched_is_unseen() {
        let read = |files: &[(&str, &str)]| {
            let sources = Sources::new(files.iter().map(|(n, t)| SourceFile::new(*n, None, *t)).collect());
            let trees = Trees::new(sources.iter().map(|(id, f)| crate::yaml::parse::parse(id, f.text.clone())));
            Kustomize::read(&sources, &trees).unseen
        };
        let circle = [("a/kustomization.yaml", "resources: [../b]\n"), ("b/kustomization.yaml", "resources: [../a]\n")];
        assert_eq!(read(&circle), BTreeSet::new());
        let remote = "resources: [github.com/a/b]\nsecretGenerator: [{name: s}]\n";
        assert_eq!(read(&[("kustomization.yaml", remote)]), BTreeSet::from([None, Some("Secret")]));
    }
}
