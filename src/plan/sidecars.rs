//! The proxies beside applications: how many there are, and what they ask for and may use.

use std::collections::BTreeMap;

use super::{Resources, Scene, Tally, bounds};
use crate::mesh::capacity::Amount;
use crate::mesh::installation::DEFAULT_REVISION;
use crate::mesh::proxy::Setting;
use crate::mesh::selector::Tri;
use crate::mesh::{self, Mesh, WorkloadId};
use crate::resource::{Copy, Part};
use crate::units::Quantity;
use crate::yaml::Node;

/// All sidecars of a cluster.
#[derive(Debug, Clone, Default)]
pub struct Sidecars {
    /// Workloads whose pods certainly get one.
    pub certain: Tally,
    /// Workloads of which the input does not show it.
    pub possible: Tally,
    /// By namespace, in the order of their names; those without any are left out.
    pub namespaces: Vec<Namespace>,
    /// Why some are only possible, as in "namespace shop (its labels were not read)".
    pub open: Vec<String>,
    /// Workloads for whose proxies the charts' defaults are taken, because no injector was read.
    pub by_default: u64,
    /// Workloads that ztunnel carries instead.
    pub ambient: Tally,
    /// Memory that sidecars add to what the manifests ask for, with the fewest and the most replicas.
    pub added_memory: (Quantity, Quantity),
    /// CPU that sidecars add.
    pub added_cpu: (Quantity, Quantity),
    /// Memory of all certain ones together; of those that are assumed if it is assumed how many.
    pub memory: Sum,
    /// CPU of all of them.
    pub cpu: Sum,
    /// What one of them gets that says nothing itself.
    pub each: Option<Resources>,
    /// How many pods the sums are about, at least and at most.
    pub pods: (u64, u64),
}

/// The sidecars of one namespace.
#[derive(Debug, Clone, Default)]
pub struct Namespace {
    /// Its name.
    pub name: String,
    /// Workloads that certainly have one.
    pub certain: Tally,
    /// Workloads that may have one.
    pub possible: Tally,
    /// Their memory.
    pub memory: Sum,
    /// Their CPU.
    pub cpu: Sum,
}

/// What proxies ask for and may use together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// Asked for with the fewest replicas.
    pub least: Quantity,
    /// Asked for with the most replicas.
    pub most: Quantity,
    /// May be used with the most replicas, by those that have a limit.
    pub limit: Quantity,
    /// Pods without a limit, with the most replicas.
    pub unlimited: u64,
    /// Pods whose request or limit is not known, with the most replicas.
    pub unknown: u64,
}

impl Sum {
    fn add(&mut self, request: Amount, limit: Amount, (least, most): (u64, u64)) {
        if request == Amount::Unknown || limit == Amount::Unknown {
            self.unknown += most;
        }
        if let Amount::Of(request) = request {
            self.least = self.least.plus(request.times(least as f64));
            self.most = self.most.plus(request.times(most as f64));
        }
        match limit {
            Amount::Of(limit) => self.limit = self.limit.plus(limit.times(most as f64)),
            Amount::Unset => self.unlimited += most,
            Amount::Unknown => {}
        }
    }
}

impl Sidecars {
    pub(super) fn of(scene: &Scene<'_>) -> Sidecars {
        let mesh = scene.mesh;
        let mut all = Sidecars::default();
        let mut namespaces: BTreeMap<&str, Namespace> = BTreeMap::new();
        for id in &scene.workloads {
            let workload = mesh.workload(*id);
            let pods = mesh.pods_of(*id);
            let sidecar = has_sidecar(mesh, *id);
            if sidecar == Tri::No {
                if mesh.injection(*id).ambient.is_yes() {
                    all.ambient.add(pods);
                }
                continue;
            }
            let home = namespaces.entry(&workload.namespace).or_default();
            if sidecar == Tri::Unknown {
                all.possible.add(pods);
                home.possible.add(pods);
                let why = why_open(mesh, *id);
                if !all.open.contains(&why) {
                    all.open.push(why);
                }
                continue;
            }
            all.certain.add(pods);
            home.certain.add(pods);
            let proxy = mesh.proxy(*id);
            all.by_default += u64::from(matches!(proxy.memory_request, Setting::Default(..)));
            let pods = bounds(pods);
            let [memory, memory_limit] = [proxy.memory_request, proxy.memory_limit].map(|s| mesh.amount(s));
            let [cpu, cpu_limit] = [proxy.cpu_request, proxy.cpu_limit].map(|s| mesh.amount(s));
            for (sums, request, limit) in [
                ([&mut all.memory, &mut home.memory], memory, memory_limit),
                ([&mut all.cpu, &mut home.cpu], cpu, cpu_limit),
            ] {
                sums.into_iter().for_each(|sum| sum.add(request, limit, pods));
            }
            let present = mesh
                .running_containers(workload)
                .iter()
                .any(|c| c.get("name").and_then(Node::text) == Some("istio-proxy"));
            if !present {
                for (sum, each) in [(&mut all.added_memory, memory), (&mut all.added_cpu, cpu)] {
                    let each = each.known().unwrap_or_default();
                    sum.0 = sum.0.plus(each.times(pods.0 as f64));
                    sum.1 = sum.1.plus(each.times(pods.1 as f64));
                }
            }
        }
        all.pods = (all.certain.least, all.certain.most);
        if let Some(place) = mesh.resources.first().map(|resource| resource.root) {
            let revision = mesh.istiods.first().map_or(DEFAULT_REVISION, |istiod| &istiod.revision);
            let each = scene.proxy(mesh.default_proxy(revision, place));
            if let Some(assumed) = scene.what_if.sidecars {
                all.assume(&each, assumed);
            }
            all.each = Some(each);
        }
        for (name, mut namespace) in namespaces {
            namespace.name = name.to_string();
            all.namespaces.push(namespace);
        }
        all
    }

    /// Sums for so many proxies that say nothing themselves.
    fn assume(&mut self, each: &Resources, sidecars: u64) {
        self.pods = (sidecars, sidecars);
        let (memory, cpu) = (self.memory, self.cpu);
        (self.memory, self.cpu) = (Sum::default(), Sum::default());
        self.memory.add(each.memory.amount, each.memory_limit.amount, self.pods);
        self.cpu.add(each.cpu.amount, each.cpu_limit.amount, self.pods);
        // What pods that were read already have is in their own requests.
        for (added, sum, was) in [(&mut self.added_memory, self.memory, memory), (&mut self.added_cpu, self.cpu, cpu)] {
            let more = |added: Quantity, sum: Quantity, was: Quantity| sum.plus(added).plus(was.times(-1.0));
            added.0 = more(added.0, sum.least, was.least).max(Quantity::default());
            added.1 = more(added.1, sum.most, was.most).max(Quantity::default());
        }
    }
}

/// Whether pods get a sidecar; not known where a kustomization changes what is applied, unless it is
/// assumed of all.
fn has_sidecar(mesh: &Mesh, id: WorkloadId) -> Tri {
    let injection = mesh.injection(id);
    let resource = mesh.resource(mesh.workload(id).resource);
    let open = resource.copy == Copy::Alternative || matches!(resource.part, Part::Patched | Part::Component);
    let is_app = injection.component.is_none() && !mesh::namespace::SYSTEM.contains(&resource.namespace());
    let assumed = mesh.declared.injection.is_some() && injection.sidecar.is_yes();
    if open && is_app && !assumed { Tri::Unknown } else { injection.sidecar }
}

fn why_open(mesh: &Mesh, id: WorkloadId) -> String {
    let workload = mesh.workload(id);
    let namespace = &workload.namespace;
    let resource = mesh.resource(workload.resource);
    let why = match (resource.copy, resource.part) {
        (Copy::Alternative, _) => "copies differ",
        (_, Part::Patched) => "kustomize patches them",
        (_, Part::Component) => "a component may add them",
        _ if mesh.namespace(namespace).is_none_or(|n| n.resource.is_none()) => "its labels were not read",
        _ => "what decides it is not known",
    };
    format!("namespace {namespace} ({why})")
}
