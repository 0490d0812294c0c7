//! One cluster's resources, indexed once and never changed: the facts that rules ask for.
//!
//! Every file below has one topic. They answer what *is*, with unit tests and without opinions;
//! whether that is a problem is for a rule to say. Whatever the input does not show is unknown
//! ([`selector::Tri`], [`absence`]), never assumed.

pub mod absence;
pub mod address;
pub mod capacity;
pub mod certificate;
pub mod cilium;
pub mod cni;
pub mod controller;
pub mod defaults;
pub mod host;
mod identity;
pub mod injection;
pub mod installation;
pub mod listener;
pub mod live;
pub mod mtls;
pub mod namespace;
pub mod node;
pub mod obstacle;
pub mod platform;
pub mod proxy;
pub mod rbac;
pub mod reach;
pub mod redirection;
pub mod release;
pub mod roles;
pub mod scaling;
pub mod scope;
pub mod selector;
pub mod service;
pub mod tracing;
pub mod variables;
pub mod version;
pub mod webhook;
pub mod wire;
pub mod workload;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use crate::resource::{Copy, Identity, Resource, ResourceId, Was};
use crate::yaml::{Node, NodeId, Place, Trees};

pub use injection::{Component, Injection};
pub use installation::{Installation, Istiod};
pub use namespace::Namespace;
pub use workload::{Workload, WorkloadId};

/// What is declared about a cluster rather than read: `assume`, `complete`, `today`.
#[derive(Debug, Clone, Default)]
pub struct Declared {
    /// `--assume istio=1.30`
    pub istio: Option<String>,
    /// `--assume kubernetes=1.34`
    pub kubernetes: Option<String>,
    /// `--assume injection=sidecar|ambient|none`
    pub injection: Option<String>,
    /// `--assume environment=prod`; production where nothing is declared.
    pub environment: Option<String>,
    /// `--assume platform=gke`
    pub platform: Option<String>,
    /// `--assume cni=cilium`
    pub cni: Option<String>,
    /// Kinds of which every resource is in the input; `*` for all kinds.
    pub complete: Vec<String>,
    /// The date that rules take for today, `2026-11-24`.
    pub today: String,
    /// Parameters hold the projects' own figures instead of field experience.
    pub official: bool,
    /// What exists outside of the input.
    pub externals: Vec<absence::External>,
    /// What was there before the change that is checked, and is no more.
    pub deleted: HashMap<Identity, Was>,
    /// What Istio's charts take where no value is written.
    pub chart_defaults: Arc<release::defaults::Defaults>,
    /// Releases of Istio's charts that no resource asks for, but a chart of the input.
    pub releases: Vec<release::Release>,
}

/// Whether an environment of that name is for production.
pub fn is_production(environment: &str) -> bool {
    let name = environment.to_lowercase();
    name.starts_with("prod") || name.starts_with("prd") || name == "live"
}

impl Declared {
    /// Whether the cluster is for production: the environment is not declared to be anything else.
    pub fn is_production(&self) -> bool {
        self.environment.as_deref().is_none_or(is_production)
    }
}

/// The index of one cluster.
#[derive(Debug)]
pub struct Mesh {
    /// The cluster's name; empty while there is only one.
    pub cluster: String,
    /// The trees that all places point into.
    pub trees: Arc<Trees>,
    /// Resources in canonical order.
    pub resources: Vec<Resource>,
    /// What was declared.
    pub declared: Declared,
    /// Everything with a pod template, in the order of the resources. Repeated copies are left out.
    pub workloads: Vec<Workload>,
    /// NetworkPolicies, ready to be asked.
    pub reach: reach::Index,
    /// What other repositories, charts and operators bring.
    pub elsewhere: Vec<absence::Elsewhere>,
    identities: identity::Index,
    namespaces: HashMap<Box<str>, Namespace>,
    workload_index: workload::Index,
    service_index: service::Index,
    hosts: host::Index,
    destination_rules: host::DestinationRules,
    /// The HorizontalPodAutoscaler of what is scaled.
    autoscalers: HashMap<ResourceId, ResourceId>,
    /// Every istiod of the input.
    pub istiods: Vec<Istiod>,
    /// The rest of the installation.
    pub installation: Installation,
    /// Releases of Istio's charts.
    pub releases: Vec<release::Release>,
    injections: Vec<Injection>,
    live: live::Index,
    versions: version::Versions,
    /// Where Gateways name each Secret, from the first question on.
    credentials: OnceLock<HashMap<ResourceId, Vec<Place>>>,
}

impl Mesh {
    /// Indexes resources that are in canonical order.
    pub fn new(
        cluster: &str,
        trees: Arc<Trees>,
        mut resources: Vec<Resource>,
        declared: Declared,
        elsewhere: Vec<absence::Elsewhere>,
    ) -> Mesh {
        let mut identities = identity::Index::new(&mut resources, |all, copies| mark_copies(&trees, all, copies));
        let mut releases = release::read(&trees, &resources);
        releases.extend(declared.releases.iter().cloned());
        for drawn in release::draw(&trees, &releases, &resources, &declared.chart_defaults) {
            identities.add(&mut resources, drawn);
        }
        let mut mesh = Mesh {
            cluster: cluster.to_string(),
            trees,
            resources,
            declared,
            workloads: Vec::new(),
            reach: reach::Index::default(),
            elsewhere,
            identities,
            namespaces: HashMap::new(),
            workload_index: workload::Index::default(),
            service_index: service::Index::default(),
            hosts: host::Index::default(),
            destination_rules: host::DestinationRules::default(),
            autoscalers: HashMap::new(),
            istiods: Vec::new(),
            installation: Installation::default(),
            releases,
            injections: Vec::new(),
            live: live::Index::default(),
            versions: version::Versions::default(),
            credentials: OnceLock::new(),
        };
        mesh.namespaces = namespace::index(&mesh);
        mesh.workloads = workload::index(&mesh);
        mesh.workload_index = workload::Index::new(&mesh.workloads);
        mesh.service_index = service::Index::new(&mesh);
        mesh.hosts = host::Index::new(&mesh);
        mesh.destination_rules = host::DestinationRules::new(&mesh);
        mesh.autoscalers = workload::autoscalers(&mesh);
        mesh.istiods = installation::istiods(&mesh);
        mesh.installation = Installation::new(&mesh);
        mesh.injections = mesh.workloads.iter().map(|w| mesh.decide_injection(w)).collect();
        mesh.versions = version::Versions::new(&mesh);
        mesh.reach = reach::Index::new(&mesh);
        mesh.live = live::Index::new(&mesh);
        mesh
    }

    /// The resource of that number.
    pub fn resource(&self, id: ResourceId) -> &Resource {
        &self.resources[id.0 as usize]
    }

    /// Its map.
    pub fn root(&self, id: ResourceId) -> Node<'_> {
        self.trees.node(self.resource(id).root)
    }

    /// A place below a resource's map.
    pub fn at(&self, id: ResourceId, path: &[&str]) -> Option<Place> {
        self.trees.get(self.resource(id).root, path)
    }

    /// A namespace; one without a manifest has open labels.
    pub fn namespace(&self, name: &str) -> Option<&Namespace> {
        self.namespaces.get(name)
    }

    /// Whether a resource is not in the input, but what a chart would render.
    pub fn is_virtual(&self, id: ResourceId) -> bool {
        self.resource(id).release.is_some()
    }

    /// The resource that a place belongs to.
    pub fn owner(&self, place: Place) -> Option<ResourceId> {
        let place = self.trees.outermost(place);
        let at = self.resources.partition_point(|r| (r.root.tree, r.root.node) <= (place.tree, place.node));
        let id = at.checked_sub(1)?;
        let root = self.trees.node(self.resources[id].root);
        let inside = self.resources[id].root.tree == place.tree
            && root.local_range().end >= self.trees.node(place).local_range().start;
        inside.then_some(ResourceId(id as u32))
    }
}

/// Whether copies of one identity say the same, whatever their comments and order of files.
fn mark_copies(trees: &Trees, resources: &mut [Resource], copies: &[ResourceId]) {
    let first = trees.node(resources[copies[0].0 as usize].root);
    let is_same = |id: &ResourceId| same(first, trees.node(resources[id.0 as usize].root), 64, &mut HashSet::new());
    let same = copies[1..].iter().all(is_same);
    for (i, id) in copies.iter().enumerate() {
        resources[id.0 as usize].copy = match (same, i) {
            (false, _) => Copy::Alternative,
            (true, 0) => Copy::First,
            (true, _) => Copy::Repeated,
        };
    }
}

/// Whether two values are equal to the API server. Two that aliases name are compared once: `seen` holds
/// their pairs, and if one pair differs, the whole does.
fn same(a: Node<'_>, b: Node<'_>, depth: u8, seen: &mut HashSet<(NodeId, NodeId)>) -> bool {
    use crate::yaml::Kind;
    if depth == 0 {
        return false;
    }
    if (a.is_alias() || b.is_alias()) && !seen.insert((a.target().id(), b.target().id())) {
        return true;
    }
    match (a.kind(), b.kind()) {
        (Kind::Map, Kind::Map) => {
            let count = a.entries().count();
            if count != b.entries().count() {
                return false;
            }
            let index = (count > 16).then(|| b.index());
            let other = |key: &str| index.as_ref().map_or_else(|| b.get(key), |index| index.get(key).copied());
            a.entries()
                .all(|(key, value)| key.text().and_then(other).is_some_and(|other| same(value, other, depth - 1, seen)))
        }
        (Kind::Seq, Kind::Seq) => {
            a.items().count() == b.items().count() && a.items().zip(b.items()).all(|(x, y)| same(x, y, depth - 1, seen))
        }
        (Kind::Scalar, Kind::Scalar) => a.scalar() == b.scalar(),
        _ => false,
    }
}

/// A mesh from texts, for tests: each is a file of its own.
#[cfg(test)]
pub(crate) fn test_mesh(texts: &[&str]) -> Mesh {
    let chart_defaults = Arc::new(release::defaults::delivered());
    test_mesh_with(texts, Declared { today: "2026-11-22".to_string(), chart_defaults, ..Declared::default() })
}

/// [`test_mesh`] with declarations.
#[cfg(test)]
pub(crate) fn test_mesh_with(texts: &[&str], declared: Declared) -> Mesh {
    use crate::source::FileId;
    let trees = Trees::new(
        texts.iter().enumerate().map(|(i, text)| crate::yaml::parse::parse(FileId(i as u32), Arc::from(*text))),
    );
    for (_, tree) in trees.files() {
        assert!(tree.errors.is_empty(), "{:?}", tree.errors);
    }
    let resources = (0..texts.len())
        .flat_map(|i| {
            crate::resource::find(
                &trees,
                i as u32,
                crate::resource::Origin { namespace: "default", ..Default::default() },
            )
            .resources
        })
        .collect();
    Mesh::new("", Arc::new(trees), resources, declared, Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_copies_count_once_and_differing_ones_are_alternatives() {
        let service = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80}]}\n";
        let mesh = test_mesh(&[
            service,
            "# other\nkind: Service\napiVersion: v1\nmetadata: {name: a}\nspec: {ports: [{port: 80}]}\n",
        ]);
        assert_eq!(mesh.of_kind("", "Service").count(), 1);
        assert_eq!(mesh.resources[1].copy, Copy::Repeated);
        let mesh = test_mesh(&[service, &service.replace("80", "81")]);
        assert_eq!(mesh.of_kind("", "Service").count(), 1);
        assert_eq!(mesh.resources[0].copy, Copy::Alternative);
    }

    #[test]
    fn a_name_that_is_not_shown_may_be_the_one() {
        let service = |name: &str, namespace: &str| {
            format!("apiVersion: v1\nkind: Service\nmetadata: {{name: \"{name}\", namespace: \"{namespace}\"}}\n")
        };
        let certainty =
            |other: &str| test_mesh(&[&service("a", "shop"), other]).absence("", "Service", "shop").certainty;
        use super::absence::Certainty;
        assert_eq!(certainty(&service("b", "shop")), Certainty::Likely);
        assert_eq!(certainty(&service("${NAME}", "other")), Certainty::Likely);
        assert_eq!(certainty(&service("${NAME}", "shop")), Certainty::Unknown);
        assert_eq!(certainty(&service("b", "${NS}")), Certainty::Unknown);
    }

    #[test]
    fn copies_of_an_alias_bomb_are_compared_in_no_time() {
        let mut bomb = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nx0: &a0 {k: v}\n".to_string();
        for i in 1..8 {
            bomb += &format!("x{i}: &a{i} {{a: *a{0}, b: *a{0}}}\n", i - 1);
        }
        let copy = |text: String| test_mesh(&[&bomb, &text]).resources[1].copy;
        assert_eq!(copy(format!("{bomb}# the same\n")), Copy::Repeated);
        assert_eq!(copy(format!("{bomb}z: 1\n")), Copy::Alternative);
        assert_eq!(copy(bomb.replace("{k: v}", "{k: w}")), Copy::Alternative);
    }

    #[test]
    fn copies_of_large_maps_are_compared_in_no_time() {
        let entries = |order: &mut dyn Iterator<Item = u32>| order.map(|n| format!("  k{n}: v\n")).collect::<String>();
        let text = |data: String| {
            format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {name}\ndata:\n{data}", name = "{name: a}")
        };
        let first = text(entries(&mut (0..20_000)));
        let copy = |other: &str| test_mesh(&[&first, other]).resources[1].copy;
        let turned = text(entries(&mut (0..20_000).rev()));
        assert_eq!(copy(&turned), Copy::Repeated);
        assert_eq!(copy(&turned.replace("k7: v", "k7: w")), Copy::Alternative);
        assert_eq!(copy(&turned.replace("k7: v", "other: v")), Copy::Alternative);
    }

    #[test]
    fn owners_are_found_by_place() {
        let mesh = test_mesh(&[
            "apiVersion: v1\nkind: A\nmetadata: {name: a}\n---\napiVersion: v1\nkind: B\nmetadata: {name: b}\n",
        ]);
        let place = mesh.at(ResourceId(1), &["metadata", "name"]).unwrap();
        assert_eq!(mesh.owner(place), Some(ResourceId(1)));
    }
}
