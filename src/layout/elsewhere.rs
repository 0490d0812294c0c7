//! What the cluster holds beyond the files: what charts, operators and other repositories bring.

use std::collections::BTreeSet;

use super::path;
use crate::mesh::absence::Elsewhere;
use crate::resource::Resource;
use crate::yaml::{Node, Trees};

/// Kinds that make a Secret of their own name, or of one that they name.
const MAKERS_OF_SECRETS: [(&str, &str); 4] = [
    ("bitnami.com", "SealedSecret"),
    ("cert-manager.io", "Certificate"),
    ("external-secrets.io", "ExternalSecret"),
    ("isindir.github.com", "SopsSecret"),
];

/// The folders of the input, to tell whether a path that a resource names was read.
#[derive(Debug, Default)]
pub struct Folders {
    all: BTreeSet<String>,
    /// Those of charts: what they hold has to be rendered.
    charts: BTreeSet<String>,
    /// The folder that holds them all, and those above it.
    roots: Vec<String>,
}

impl Folders {
    /// The folders of files.
    pub fn new<'a>(files: impl Iterator<Item = &'a str>) -> Folders {
        let mut folders = Folders::default();
        for file in files {
            let file = path::normal(file);
            let folder = path::folder(&file);
            if file.rsplit('/').next() == Some("Chart.yaml") {
                folders.charts.insert(folder.to_string());
            }
            if folders.all.contains(folder) {
                continue;
            }
            let mut above = folder;
            while folders.all.insert(above.to_string()) && !above.is_empty() {
                above = path::folder(above);
            }
        }
        let mut common = folders.all.last().cloned().unwrap_or_default();
        let holds = |common: &str, folder: &String| {
            folder.is_empty() || common.is_empty() || is_below(folder, common) || is_below(common, folder)
        };
        while !folders.all.iter().all(|folder| holds(&common, folder)) {
            common = path::folder(&common).to_string();
        }
        folders.roots.push(common.clone());
        while !common.is_empty() {
            common = path::folder(&common).to_string();
            folders.roots.push(common.clone());
        }
        folders
    }

    /// Whether a path from the root of the repository, wherever that is, names a folder of manifests that
    /// was read. The root itself proves nothing: another repository has one, too.
    fn holds(&self, reference: &str) -> bool {
        let reference = path::normal(reference);
        let folder = |root: &String| path::join(root, &reference);
        let is_read = |folder: String| self.all.contains(&folder) && !self.charts.contains(&folder);
        !reference.is_empty() && self.roots.iter().map(folder).any(is_read)
    }

    /// Whether one of the files lies in a folder or below it.
    pub fn has_files(&self, folder: &str) -> bool {
        self.all.contains(folder)
    }

    /// Takes charts for folders of manifests, and so the charts in them: they are rendered.
    pub fn forget_charts(&mut self, rendered: &BTreeSet<String>) {
        self.charts.retain(|chart| !rendered.iter().any(|folder| is_below(chart, folder)));
    }

    /// Folders of charts, in order.
    pub fn charts(&self) -> impl Iterator<Item = &str> {
        self.charts.iter().map(String::as_str)
    }
}

/// Whether a folder is another or lies below it.
pub fn is_below(folder: &str, outer: &str) -> bool {
    outer.is_empty() || folder.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What resources bring that no file shows.
pub fn brought<'a>(trees: &Trees, resources: impl Iterator<Item = &'a Resource>, folders: &Folders) -> Vec<Elsewhere> {
    let mut all = Vec::new();
    for resource in resources {
        let root = trees.node(resource.root);
        let text = |path: &[&str]| root.at(path).and_then(Node::text).filter(|t| !t.is_empty());
        let own = resource.namespace();
        let whole = |namespace: Option<&str>| Elsewhere {
            kind: None,
            named: false,
            // One that a template or a variable names may be any.
            namespace: namespace.filter(|n| !n.contains("{{") && !n.contains("${")).map(str::to_string),
        };
        let is_read = |folder: Option<&str>| folder.is_some_and(|folder| folders.holds(folder));
        match (&*resource.group, &*resource.kind) {
            ("helm.toolkit.fluxcd.io", "HelmRelease") => {
                all.push(whole(Some(text(&["spec", "targetNamespace"]).unwrap_or(own))));
            }
            ("helm.cattle.io", "HelmChart") => all.push(whole(Some(text(&["spec", "targetNamespace"]).unwrap_or(own)))),
            ("kustomize.toolkit.fluxcd.io", "Kustomization") if !is_read(text(&["spec", "path"])) => {
                all.push(whole(text(&["spec", "targetNamespace"])));
            }
            ("argoproj.io", "Application") => all.extend(application(root, &["spec"], &whole, &is_read)),
            ("argoproj.io", "ApplicationSet") => {
                all.extend(application(root, &["spec", "template", "spec"], &whole, &is_read));
            }
            ("install.istio.io", "IstioOperator") => {
                all.push(whole(Some(text(&["spec", "namespace"]).unwrap_or("istio-system"))));
            }
            ("sailoperator.io", "Istio" | "IstioCNI" | "ZTunnel") => {
                all.push(whole(Some(text(&["spec", "namespace"]).unwrap_or("istio-system"))));
            }
            (group, kind) if MAKERS_OF_SECRETS.contains(&(group, kind)) => all.push(Elsewhere {
                kind: Some((String::new(), "Secret".to_string())),
                named: false,
                namespace: Some(own.to_string()),
            }),
            _ => {}
        }
    }
    all
}

/// What an Argo CD Application installs: everything of its sources that is not in the input.
fn application(
    root: Node<'_>,
    spec: &[&str],
    whole: &impl Fn(Option<&str>) -> Elsewhere,
    is_read: &impl Fn(Option<&str>) -> bool,
) -> Option<Elsewhere> {
    let spec = root.at(spec)?;
    let one = spec.get("source").into_iter();
    let mut sources = one.chain(spec.get("sources").into_iter().flat_map(Node::items));
    let all_read = sources.all(|s| s.get("chart").is_none() && is_read(s.get("path").and_then(Node::text)));
    (!all_read).then(|| whole(spec.at(&["destination", "namespace"]).and_then(Node::text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_counts_from_the_root_of_the_input_or_from_above() {
        let folders = Folders::new(
            ["r/apps/base/x.yaml", "r/apps/prod/y.yaml", "r/charts/a/Chart.yaml", "r/z/deep/er/x.yaml"].into_iter(),
        );
        for (reference, read) in [
            ("./apps/prod", true),
            ("apps/base/", true),
            ("z/deep", true),
            ("r/apps/prod", true),
            ("prod", false),
            ("deep/er", false),
            ("charts/a", false),
            (".", false),
            ("", false),
        ] {
            assert_eq!(folders.holds(reference), read, "{reference}");
        }
        assert!(Folders::new(["apps/prod/x.yaml", "apps/prod/y.yaml"].into_iter()).holds("apps/prod"));
    }
}
