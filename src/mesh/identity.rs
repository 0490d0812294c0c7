//! Resources by kind, namespace and name.
//!
//! Every look-up takes borrowed texts and answers with a slice: rules ask for every resource, and
//! what is cheap among ten has to stay cheap among a hundred thousand.

use std::collections::HashMap;

use super::Mesh;
use crate::resource::{Copy, Part, Resource, ResourceId};
use crate::yaml::scalar::is_unknown;

/// Where to find which resources.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// By group, then by kind.
    kinds: HashMap<Box<str>, HashMap<Box<str>, OfKind>>,
}

#[derive(Debug, Default)]
struct OfKind {
    /// Each identity once, in canonical order.
    once: Vec<ResourceId>,
    /// Whether one stands in a namespace that the input does not show.
    hides_namespace: bool,
    namespaces: HashMap<Box<str>, InNamespace>,
}

#[derive(Debug, Default)]
struct InNamespace {
    /// Each identity once, in canonical order.
    once: Vec<ResourceId>,
    /// Whether one has a name that the input does not show.
    hides_name: bool,
    /// All that have a name, sorted by it; copies stand side by side in canonical order.
    by_name: Vec<ResourceId>,
}

impl Index {
    /// Sorts the resources in. `mark` gets all resources of each identity that stands more than once,
    /// and says what their copies are to each other.
    pub(super) fn new(resources: &mut [Resource], mark: impl Fn(&mut [Resource], &[ResourceId])) -> Index {
        let mut index = Index::default();
        for (id, resource) in numbered(resources).filter(|(_, r)| !r.name.is_empty()) {
            index.home(resource).by_name.push(id);
        }
        for home in index.kinds.values_mut().flat_map(HashMap::values_mut).flat_map(|k| k.namespaces.values_mut()) {
            // The sort is stable, so that copies keep their order.
            home.by_name.sort_by(|a, b| name(resources, *a).cmp(name(resources, *b)));
            let mut rest = home.by_name.as_slice();
            while let Some(first) = rest.first() {
                let copies = rest.partition_point(|id| name(resources, *id) == name(resources, *first));
                if copies > 1 {
                    mark(resources, &rest[..copies]);
                }
                rest = &rest[copies..];
            }
        }
        for (id, resource) in numbered(resources) {
            if !index.counts(resources, id) {
                continue;
            }
            // A base is applied under the name and in the namespace that its overlays give it.
            if is_unknown(resource.namespace()) || resource.part == Part::Base {
                index.of_kind_mut(resource).hides_namespace = true;
            }
            index.of_kind_mut(resource).once.push(id);
            let home = index.home(resource);
            home.hides_name |= resource.name.is_empty() || is_unknown(&resource.name);
            home.once.push(id);
        }
        index
    }

    /// Sorts in what charts would render, behind all that was read. It is no copy of anything: two
    /// releases that make the same are for different clusters.
    pub(super) fn add(&mut self, resources: &mut Vec<Resource>, resource: Resource) {
        let id = ResourceId(resources.len() as u32);
        resources.push(resource);
        let resource = &resources[id.0 as usize];
        let hides_name = is_unknown(&resource.name);
        let kind = self.of_kind_mut(resource);
        kind.hides_namespace |= is_unknown(resource.namespace());
        kind.once.push(id);
        let home = self.home(resource);
        home.hides_name |= hides_name;
        home.once.push(id);
        let at = home.by_name.partition_point(|other| name(resources, *other) <= &*resource.name);
        home.by_name.insert(at, id);
    }

    fn of_kind_mut(&mut self, resource: &Resource) -> &mut OfKind {
        let kinds = self.kinds.entry(resource.group.clone()).or_default();
        kinds.entry(resource.kind.clone()).or_default()
    }

    fn home(&mut self, resource: &Resource) -> &mut InNamespace {
        self.of_kind_mut(resource).namespaces.entry(resource.namespace().into()).or_default()
    }

    fn of_kind(&self, group: &str, kind: &str) -> Option<&OfKind> {
        self.kinds.get(group)?.get(kind)
    }

    fn in_namespace(&self, group: &str, kind: &str, namespace: &str) -> Option<&InNamespace> {
        self.of_kind(group, kind)?.namespaces.get(namespace)
    }

    fn named(&self, resources: &[Resource], group: &str, kind: &str, namespace: &str, wanted: &str) -> &[ResourceId] {
        let Some(home) = self.in_namespace(group, kind, namespace) else { return &[] };
        let start = home.by_name.partition_point(|id| name(resources, *id) < wanted);
        let from = &home.by_name[start..];
        &from[..from.partition_point(|id| name(resources, *id) == wanted)]
    }

    fn counts(&self, resources: &[Resource], id: ResourceId) -> bool {
        let resource = &resources[id.0 as usize];
        match resource.copy {
            Copy::Only | Copy::First => true,
            Copy::Repeated => false,
            Copy::Alternative => {
                let copies =
                    self.named(resources, &resource.group, &resource.kind, resource.namespace(), &resource.name);
                copies.first() == Some(&id)
            }
        }
    }
}

fn numbered(resources: &[Resource]) -> impl Iterator<Item = (ResourceId, &Resource)> {
    resources.iter().enumerate().map(|(i, resource)| (ResourceId(i as u32), resource))
}

fn name(resources: &[Resource], id: ResourceId) -> &str {
    &resources[id.0 as usize].name
}

impl Mesh {
    /// All resources of a kind, each identity once, in canonical order.
    pub fn of_kind(&self, group: &str, kind: &str) -> impl ExactSizeIterator<Item = ResourceId> {
        self.identities.of_kind(group, kind).map_or(&[][..], |k| &k.once).iter().copied()
    }

    /// The resources of a kind in one namespace, each identity once, in canonical order; `namespace` is
    /// empty for cluster-scoped kinds.
    pub fn of_kind_in(&self, group: &str, kind: &str, namespace: &str) -> &[ResourceId] {
        self.identities.in_namespace(group, kind, namespace).map_or(&[], |home| &home.once)
    }

    /// Whether a resource stands for its identity: copies are counted once.
    pub fn counts(&self, id: ResourceId) -> bool {
        self.identities.counts(&self.resources, id)
    }

    /// All copies of a resource, itself included.
    pub fn copies(&self, resource: &Resource) -> &[ResourceId] {
        self.named(&resource.group, &resource.kind, resource.namespace(), &resource.name)
    }

    /// All resources of that identity, in canonical order; `namespace` is empty for cluster-scoped kinds.
    pub fn named(&self, group: &str, kind: &str, namespace: &str, name: &str) -> &[ResourceId] {
        self.identities.named(&self.resources, group, kind, namespace, name)
    }

    /// The groups that have a kind of that name.
    pub(super) fn groups_of<'m>(&'m self, kind: &'m str) -> impl Iterator<Item = &'m str> {
        self.identities.kinds.iter().filter(move |(_, kinds)| kinds.contains_key(kind)).map(|(group, _)| &**group)
    }

    /// Whether a resource of a kind may stand in a namespace under a name that the input does not show.
    pub fn has_hidden_names(&self, group: &str, kind: &str, namespace: &str) -> bool {
        let home = || self.identities.in_namespace(group, kind, namespace);
        self.identities.of_kind(group, kind).is_some_and(|k| k.hides_namespace)
            || home().is_some_and(|home| home.hides_name)
    }

    /// The same for any namespace.
    pub fn has_hidden_names_anywhere(&self, group: &str, kind: &str) -> bool {
        let hides = |kind: &OfKind| kind.hides_namespace || kind.namespaces.values().any(|home| home.hides_name);
        self.identities.of_kind(group, kind).is_some_and(hides)
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_mesh;
    use super::*;

    #[test]
    fn look_ups_by_name_and_namespace() {
        let service = |name: &str, namespace: &str| {
            format!("apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: {namespace}}}\n")
        };
        let mesh = test_mesh(&[
            &service("b", "shop"),
            &service("a", "shop"),
            &service("a", "other"),
            &service("a", "shop"),
            "apiVersion: v1\nkind: Service\nmetadata: {generateName: a-, namespace: shop}\n",
        ]);
        assert_eq!(mesh.named("", "Service", "shop", "a"), [ResourceId(1), ResourceId(3)]);
        assert_eq!(mesh.named("", "Service", "shop", "c"), []);
        assert_eq!(mesh.named("apps", "Service", "shop", "a"), []);
        assert_eq!(mesh.of_kind_in("", "Service", "shop"), [ResourceId(0), ResourceId(1), ResourceId(4)]);
        assert_eq!(mesh.of_kind("", "Service").len(), 4);
        assert!(mesh.has_hidden_names("", "Service", "shop") && !mesh.has_hidden_names("", "Service", "other"));
    }
}
