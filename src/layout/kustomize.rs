//! What kustomizations say about the files beside them, without rendering anything.
//!
//! Source: the `Kustomization` API of kustomize 5 (`api/types/kustomization.go`).

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use super::elsewhere::is_below;
use super::path;
use crate::resource::{Part, Resource};
use crate::source::walk::KUSTOMIZATIONS;
use crate::source::{FileId, SourceFile, Sources};
use crate::yaml::{Node, Tree, Trees};

/// Overlays on overlays deeper than that are not followed.
const DEEPEST: usize = 16;

/// So many folders and files are visited for all roots; references may lead anywhere again and again.
const MOST_VISITS: usize = 500_000;

/// So many kustomizations are remembered for one file.
const MOST_ROOTS: usize = 64;

/// A kustomization with more patches than that is taken to patch everything.
const MOST_TARGETS: usize = 500;

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
    name.rsplit('/').next().is_some_and(|name| KUSTOMIZATIONS.contains(&name))
}

/// Trees by their normal path, with the names that the user knows.
type Named<'t> = BTreeMap<String, (&'t str, &'t Tree)>;

fn by_name<'t>(sources: &'t Sources, trees: &'t Trees) -> Named<'t> {
    let named = |tree: &'t Tree| {
        let name = sources.file(tree.file).name.as_str();
        (path::normal(name), (name, tree))
    };
    trees.files().map(|(_, tree)| named(tree)).collect()
}

/// The kustomizations among them, by their folders.
fn by_folder<'t>(trees: &Named<'t>) -> BTreeMap<String, Kustomization<'t>> {
    let read = |(normal, (name, tree)): (&String, &(&'t str, &'t Tree))| {
        let root = tree.documents.iter().find_map(|d| d.root).map(|id| tree.node(id)).filter(|n| n.is_map())?;
        let is_component = root.get("kind").and_then(Node::text) == Some("Component");
        let folder = path::folder(normal).to_string();
        Some((folder.clone(), Kustomization { name, folder, root, is_component }))
    };
    trees.iter().filter(|(normal, _)| is_kustomization(normal)).filter_map(read).collect()
}

/// The folders of kustomizations that no other one renders and that are no components, as the user calls
/// them.
pub fn roots(sources: &Sources) -> Vec<String> {
    let parse = |(id, file): (FileId, &SourceFile)| {
        let text = if is_kustomization(&file.name) { file.text.clone() } else { Arc::from("") };
        crate::yaml::parse::parse(id, text)
    };
    let trees = Trees::new(sources.iter().map(parse));
    let by_folder = by_folder(&by_name(sources, &trees));
    let included: BTreeSet<String> = by_folder.values().flat_map(|k| k.folders(&by_folder)).collect();
    let is_root = |k: &&Kustomization<'_>| !k.is_component && !included.contains(&k.folder);
    let shown = |k: &Kustomization<'_>| match k.name.rsplit_once('/') {
        Some((folder, _)) => folder.to_string(),
        None => ".".to_string(),
    };
    by_folder.values().filter(is_root).map(shown).collect()
}

/// What kustomize makes of the files that were read.
#[derive(Debug, Default)]
pub struct Kustomize {
    /// Patches and configuration by normal path: files that are no resources, with the reason.
    passed_over: BTreeMap<String, String>,
    rendered: BTreeMap<String, Rendered>,
    unseen: BTreeSet<Unseen>,
}

/// Something that a kustomization adds and that no file shows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unseen {
    /// The kustomization's file, as the user knows it.
    pub by: String,
    /// The kind of the core group that is generated; anything if there is none.
    pub kind: Option<&'static str>,
    /// What was named and not read, if that is the reason.
    pub reference: Option<String>,
}

/// What happens to the resources of a file.
#[derive(Debug, Clone, Default)]
struct Rendered {
    /// The namespace that every kustomization which renders it sets; `None` if they differ or set none.
    namespace: Option<String>,
    rewritten: bool,
    component: bool,
    /// The kustomizations that render it, with what their patches change.
    roots: Vec<(String, Targets)>,
}

/// What the patches of a chain of kustomizations change, in parts that they share.
type Targets = Vec<Rc<Vec<Target>>>;

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
        let trees_by_name = by_name(sources, trees);
        let by_folder = by_folder(&trees_by_name);
        let mut reader = Reader {
            trees: &trees_by_name,
            by_folder: &by_folder,
            found: Kustomize::default(),
            visits: 0,
            targets: BTreeMap::new(),
        };
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
        // What somebody renders is a manifest, whoever else calls it a patch.
        let Kustomize { passed_over, rendered, .. } = &mut reader.found;
        passed_over.retain(|file, _| !rendered.contains_key(file));
        reader.found
    }

    /// What kustomizations add that no file shows: generated, fetched or rendered by others.
    pub fn unseen(&self) -> impl Iterator<Item = &Unseen> {
        self.unseen.iter()
    }

    /// Why a file is no manifest of its own: a patch, or configuration of kustomize.
    pub fn passed_over(&self, name: &str) -> Option<&str> {
        if is_kustomization(name) {
            return Some("kustomization");
        }
        self.passed_over.get(&path::normal(name)).map(String::as_str)
    }

    /// The folder of a kustomization that renders a file, if its rendering is among those at hand.
    pub fn rendered_by(&self, name: &str, renderings: &BTreeSet<String>) -> Option<&str> {
        if renderings.is_empty() {
            return None;
        }
        let roots = &self.rendered.get(&path::normal(name))?.roots;
        let mut folders = roots.iter().map(|(root, _)| path::folder(root));
        folders.find(|folder| renderings.contains(&path::normal(folder)))
    }

    /// Marks what kustomize makes of a resource of a file, and gives it the namespace that kustomize
    /// gives it where that is all that happens.
    ///
    /// Answers the kustomizations that patch it. It is taken for patched if all that render it do; where
    /// one does not, it is applied as it stands.
    pub fn mark(&self, name: &str, trees: &Trees, resource: &mut Resource) -> Vec<&str> {
        let Some(rendered) = self.rendered.get(&path::normal(name)) else { return Vec::new() };
        let patches =
            |targets: &Targets| targets.iter().flat_map(|t| t.iter()).any(|target| target.fits(trees, resource));
        let patched: Vec<&str> =
            rendered.roots.iter().filter(|(_, targets)| patches(targets)).map(|(by, _)| by.as_str()).collect();
        resource.part = if rendered.component {
            Part::Component
        } else if patched.len() == rendered.roots.len() {
            Part::Patched
        } else if rendered.rewritten {
            Part::Base
        } else {
            Part::Whole
        };
        if let (Some(namespace), Some(own)) = (&rendered.namespace, &mut resource.namespace) {
            *own = namespace.as_str().into();
        }
        patched
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
    visits: usize,
    /// What patches change, by the folder of their kustomization.
    targets: BTreeMap<String, Rc<Vec<Target>>>,
}

/// What one root leads to.
struct Walk<'w> {
    /// Folders that were visited, and how many are open.
    seen: BTreeSet<String>,
    depth: usize,
    files: &'w mut BTreeMap<String, (Chain, bool)>,
}

/// What one root does to everything that it renders.
#[derive(Clone, Default)]
struct Chain {
    namespace: Option<String>,
    rewritten: bool,
    targets: Targets,
}

impl Reader<'_, '_> {
    /// Files that are patches or configuration.
    fn pass_over(&mut self, kustomization: &Kustomization<'_>) {
        let mut add = |reference: &str, what: &str| {
            // kustomize itself refuses files outside of the kustomization's folder.
            if !is_below(&kustomization.local(reference), &kustomization.folder) {
                return;
            }
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
        let mut walk = Walk { seen: BTreeSet::new(), depth: 0, files: &mut files };
        self.walk(root, &Chain::default(), false, &mut walk);
        for (file, (chain, component)) in files {
            let entry = self.found.rendered.entry(file);
            let entry = entry.or_insert_with(|| Rendered { namespace: chain.namespace.clone(), ..Rendered::default() });
            // Whoever else takes it for a component, one that renders it whole applies it.
            entry.component = component && (entry.component || entry.roots.is_empty());
            // The last word on a namespace is the root's; of two roots, none has it.
            let differs = entry.namespace != chain.namespace;
            if differs {
                entry.namespace = None;
            }
            entry.rewritten |= chain.rewritten || differs;
            if entry.roots.len() < MOST_ROOTS {
                entry.roots.push((root.name.to_string(), chain.targets));
            }
        }
    }

    fn walk(&mut self, kustomization: &Kustomization<'_>, outer: &Chain, component: bool, walk: &mut Walk<'_>) {
        self.visits += 1;
        let too_much = walk.depth > DEEPEST || self.visits > MOST_VISITS;
        // Once is enough, also of a circle: what is included twice stays what it is.
        if too_much || !walk.seen.insert(kustomization.folder.clone()) {
            if too_much {
                self.unseen(kustomization, None, None);
            }
            return;
        }
        walk.depth += 1;
        let component = component || kustomization.is_component;
        let mut chain = outer.clone();
        self.apply(kustomization, &mut chain);
        let components: Vec<String> = kustomization.texts("components").map(|c| kustomization.local(c)).collect();
        for folder in &components {
            match self.by_folder.get(folder) {
                Some(part) => self.apply(part, &mut chain),
                None => self.unseen(kustomization, None, Some(folder)),
            }
        }
        for (key, kind) in [("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")] {
            if kustomization.root.get(key).is_some() {
                self.unseen(kustomization, Some(kind), None);
            }
        }
        if ["helmCharts", "helmChartInflationGenerator", "generators"]
            .iter()
            .any(|k| kustomization.root.get(k).is_some())
        {
            self.unseen(kustomization, None, None);
        }
        for reference in kustomization.members() {
            let local = kustomization.local(reference);
            if let Some(inner) = self.by_folder.get(&local) {
                self.walk(inner, &chain, component, walk);
            } else if self.trees.contains_key(&local) && is_below(&local, &kustomization.folder) {
                self.visits += 1;
                walk.files.insert(local, (chain.clone(), component));
            } else {
                self.unseen(kustomization, None, Some(reference));
            }
        }
        for folder in components {
            if let Some(inner) = self.by_folder.get(&folder) {
                self.walk(inner, &chain, true, walk);
            }
        }
        walk.depth -= 1;
    }

    fn unseen(&mut self, kustomization: &Kustomization<'_>, kind: Option<&'static str>, reference: Option<&str>) {
        let reference = reference.map(str::to_string);
        self.found.unseen.insert(Unseen { by: kustomization.name.to_string(), kind, reference });
    }

    /// Adds what one kustomization does to everything that it renders.
    fn apply(&mut self, kustomization: &Kustomization<'_>, chain: &mut Chain) {
        let root = kustomization.root;
        if chain.namespace.is_none() {
            chain.namespace = root.get("namespace").and_then(Node::text).map(str::to_string);
        }
        let is_set = |key: &str| root.get(key).is_some_and(|v| !v.is_null() && (!v.is_seq() || v.items().count() > 0));
        chain.rewritten |= REWRITES.iter().any(|key| is_set(key));
        let targets = match self.targets.get(&kustomization.folder) {
            Some(known) => known.clone(),
            None => {
                let targets = Rc::new(self.read_targets(kustomization));
                self.targets.insert(kustomization.folder.clone(), targets.clone());
                targets
            }
        };
        if !targets.is_empty() {
            chain.targets.push(targets);
        }
    }

    /// What the patches of a kustomization change.
    fn read_targets(&self, kustomization: &Kustomization<'_>) -> Vec<Target> {
        let root = kustomization.root;
        let mut targets = Vec::new();
        let is_set = |key: &str| root.get(key).is_some_and(|v| !v.is_null());
        if ["replacements", "transformers"].into_iter().any(is_set) {
            targets.push(Target { kind: None, name: None, mentions: None });
        }
        for patch in ["patches", "patchesJson6902"].iter().flat_map(|k| root.get(k).into_iter().flat_map(Node::items)) {
            match patch.get("target") {
                Some(target) => targets.push(Target::selector(target)),
                None => match (patch.get("path").and_then(Node::text), patch.get("patch").and_then(Node::text)) {
                    (Some(path), _) => self.targets_of_file(&kustomization.local(path), &mut targets),
                    (_, Some(text)) => targets_of_text(text, &mut targets),
                    _ => {}
                },
            }
        }
        for patch in kustomization.texts("patchesStrategicMerge") {
            if patch.contains('\n') {
                targets_of_text(patch, &mut targets);
            } else {
                self.targets_of_file(&kustomization.local(patch), &mut targets);
            }
        }
        let named = |key: &str| root.get(key).into_iter().flat_map(Node::items).filter_map(|i| i.get("name")?.text());
        for image in named("images") {
            targets.push(Target { kind: None, name: None, mentions: Some(image.to_string()) });
        }
        for name in named("replicas") {
            targets.push(Target { kind: None, name: Some(name.to_string()), mentions: None });
        }
        if targets.len() > MOST_TARGETS {
            targets = vec![Target { kind: None, name: None, mentions: None }];
        }
        targets
    }

    fn targets_of_file(&self, file: &str, targets: &mut Vec<Target>) {
        match self.trees.get(file) {
            Some((_, tree)) => targets_of(tree, targets),
            None => targets.push(Target { kind: None, name: None, mentions: None }),
        }
    }
}

fn targets_of_text(text: &str, targets: &mut Vec<Target>) {
    targets_of(&crate::yaml::parse::parse(FileId(0), Arc::from(text)), targets);
}

/// A strategic merge patch names what it changes by kind and name.
fn targets_of(tree: &Tree, targets: &mut Vec<Target>) {
    for root in tree.documents.iter().filter_map(|d| d.root).map(|id| tree.node(id)) {
        let text = |path: &[&str]| root.at(path).and_then(Node::text).map(str::to_string);
        targets.push(Target { kind: text(&["kind"]), name: text(&["metadata", "name"]), mentions: None });
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
            for mut resource in crate::resource::find(
                &trees,
                number,
                crate::resource::Origin { namespace: "default", ..Default::default() },
            )
            .resources
            {
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
        // Ten ways to the same folder at each of sixteen steps: as many trees as nobody can walk.
        let name = |n: usize| format!("f{n}/kustomization.yaml");
        let text = |n: usize| format!("resources: [{}]\n", format!("../f{0}, ../f{0}/, ../f{0}/., ", n + 1).repeat(3));
        let steps: Vec<(String, String)> = (0..17).map(|n| (name(n), text(n))).collect();
        let steps: Vec<(&str, &str)> = steps.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
        assert!(!read(&steps).is_empty());
        let remote = "resources: [github.com/a/b]\nsecretGenerator: [{name: s}]\n";
        let unseen = read(&[("kustomization.yaml", remote)]);
        let said: Vec<_> = unseen.iter().map(|u| (u.kind, u.reference.as_deref())).collect();
        assert_eq!(said, [(None, Some("github.com/a/b")), (Some("Secret"), None)]);
    }
}
