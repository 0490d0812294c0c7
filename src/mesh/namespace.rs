//! Namespaces and their labels.

use std::collections::HashMap;

use super::Mesh;
use super::selector::Labels;
use crate::resource::ResourceId;
use crate::yaml::scalar::is_unknown;

/// A namespace that is declared or used.
#[derive(Debug, Clone)]
pub struct Namespace {
    /// Its name.
    pub name: Box<str>,
    /// Its labels, `kubernetes.io/metadata.name` included; open where no manifest was read.
    pub labels: Labels,
    /// Its manifest.
    pub resource: Option<ResourceId>,
}

/// The label that the API server puts on every namespace since Kubernetes 1.21.
pub const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Namespaces that istiod never injects into (`pkg/kube/inject`, `IgnoredNamespaces`).
pub const SYSTEM: [&str; 4] = ["kube-system", "kube-public", "kube-node-lease", "local-path-storage"];

pub(super) fn index(mesh: &Mesh) -> HashMap<Box<str>, Namespace> {
    let mut namespaces: HashMap<Box<str>, Namespace> = HashMap::new();
    for id in mesh.of_kind("", "Namespace") {
        let resource = mesh.resource(id);
        let mut labels = Labels::read(mesh.root(id).at(&["metadata", "labels"]));
        // Which of several differing manifests is applied is not known, so neither are its labels.
        if resource.is_open() {
            labels = Labels::open();
        }
        set_name(&mut labels, &resource.name);
        let name = resource.name.clone();
        namespaces.insert(name.clone(), Namespace { name, labels, resource: Some(id) });
    }
    for resource in &mesh.resources {
        let Some(name) = &resource.namespace else { continue };
        if !namespaces.contains_key(name) {
            let mut labels = Labels::open();
            set_name(&mut labels, name);
            namespaces.insert(name.clone(), Namespace { name: name.clone(), labels, resource: None });
        }
    }
    namespaces
}

/// The label that the API server sets; a name that stands elsewhere (`${NAMESPACE}`) makes no value.
fn set_name(labels: &mut Labels, name: &str) {
    if is_unknown(name) { labels.set_unknown(NAME_LABEL) } else { labels.set(NAME_LABEL, name) }
}
