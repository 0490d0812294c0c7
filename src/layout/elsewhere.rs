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

/// What resources bring that no file shows. `folders` are those of all files, as normal paths.
pub fn brought<'a>(
    trees: &Trees,
    resources: impl Iterator<Item = &'a Resource>,
    folders: &BTreeSet<String>,
) -> Vec<Elsewhere> {
    let mut all = Vec::new();
    for resource in resources {
        let root = trees.node(resource.root);
        let text = |path: &[&str]| root.at(path).and_then(Node::text).filter(|t| !t.is_empty());
        let own = resource.namespace();
        let whole = |namespace: Option<&str>| Elsewhere {
            kind: None,
            // One that a template or a variable names may be any.
            namespace: namespace.filter(|n| !n.contains("{{") && !n.contains("${")).map(str::to_string),
        };
        let is_read = |folder: Option<&str>| {
            let normal = folder.map(path::normal);
            normal.is_some_and(|f| f.is_empty() || folders.iter().any(|g| *g == f || g.ends_with(&format!("/{f}"))))
        };
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
