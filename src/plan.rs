//! The capacity plan: what a mesh asks for, what it will need, and what to change.
//!
//! Everything here is plain data about one cluster. `sections` says it in words, once; the other files
//! beside it draw those words for a terminal, for Markdown and for a browser, or write the data as JSON
//! and as values for Helm. What the input does not show is counted as unknown, never guessed.

mod advice;
mod figures;
pub mod helm;
pub mod html;
mod istiod;
pub mod json;
pub mod markdown;
mod scope;
mod sections;
mod sidecars;
mod spot;
pub mod table;
#[cfg(test)]
mod tests;
pub mod what_if;

use std::fmt;

use crate::mesh::capacity::{Allocatable, Amount, Pods};
use crate::mesh::injection::Component;
use crate::mesh::proxy::{ProxyResources, Setting};
use crate::mesh::{Mesh, WorkloadId};
use crate::resource::ResourceId;
use crate::source::Sources;
use crate::units::{Quantity, Version};
use crate::yaml::Node;
use crate::yaml::composed::From;

pub use advice::Advice;
pub use figures::{Figures, Measured, Profile, Tier};
pub use istiod::Istiod;
pub use scope::Scope;
pub use sidecars::{Namespace, Sidecars, Sum};
pub use spot::Spot;
pub use what_if::WhatIf;

/// The plan of one cluster.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The cluster's name; empty while there is only one.
    pub cluster: String,
    /// The environment, if one is declared.
    pub environment: Option<String>,
    /// What is assumed instead of what was read.
    pub what_if: WhatIf,
    /// The version of Istio, where the input shows it.
    pub istio: Option<Version>,
    /// Services that istiod sees; those of `what_if` if it says how many.
    pub services: u64,
    /// VirtualServices, DestinationRules, ServiceEntries, EnvoyFilters and AuthorizationPolicies.
    pub objects: u64,
    /// Everything with pods.
    pub workloads: Tally,
    /// Whether proxies trace; nothing where the input does not show it.
    pub tracing: Option<bool>,
    /// Whose figures the tiers are, as in "field experience".
    pub figures: &'static str,
    /// What istiod has to have for so many Services; nothing for a mesh below all tiers.
    pub tier: Option<Tier>,
    /// What was measured for a mesh of that size; nothing beyond what anybody measured.
    pub measured: Option<Measured>,
    /// What istiod asks for of CPU by field experience.
    pub guided_cpu: Option<Quantity>,
    /// Every istiod of the input.
    pub istiods: Vec<Istiod>,
    /// What has Istio installed without being read, as in `HelmRelease "istiod"`.
    pub unread_installation: Option<String>,
    /// The proxies beside applications.
    pub sidecars: Sidecars,
    /// Gateways, waypoints, ztunnels and node agents.
    pub components: Vec<Part>,
    /// What proxies need by what they do, from the least to the most.
    pub profiles: Vec<Profile>,
    /// What a sidecar was measured to need.
    pub measured_sidecar: Option<Measured>,
    /// What the nodes have, where Nodes were read.
    pub nodes: Option<Nodes>,
    /// What narrower `Sidecar` scopes would save.
    pub scope: Option<Scope>,
    /// What the input does not show.
    pub unknown: Vec<String>,
    /// What to change, the most important first; at most five.
    pub advice: Vec<Advice>,
}

/// A count of workloads and of their pods.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Workloads.
    pub workloads: u64,
    /// Pods that run at least, of the workloads of which that is known.
    pub least: u64,
    /// Pods that run at most.
    pub most: u64,
    /// Workloads that say nothing about replicas and count as one pod.
    pub unsaid: u64,
    /// Workloads with a pod on each node, where no Node was read; they count no pods.
    pub each_node: u64,
    /// Workloads whose replicas the input does not show; they count no pods.
    pub unknown: u64,
}

impl Tally {
    fn add(&mut self, pods: Pods) {
        self.workloads += 1;
        let (least, most) = bounds(pods);
        self.least += least;
        self.most += most;
        match pods {
            Pods::Between(..) => {}
            Pods::Unsaid => self.unsaid += 1,
            Pods::EachNode => self.each_node += 1,
            Pods::Unknown => self.unknown += 1,
        }
    }

    fn plus(self, other: Tally) -> Tally {
        Tally {
            workloads: self.workloads + other.workloads,
            least: self.least + other.least,
            most: self.most + other.most,
            unsaid: self.unsaid + other.unsaid,
            each_node: self.each_node + other.each_node,
            unknown: self.unknown + other.unknown,
        }
    }
}

/// How many pods run at least and at most; none where that is not known.
fn bounds(pods: Pods) -> (u64, u64) {
    match pods {
        Pods::Between(least, most) => (least, most),
        Pods::Unsaid => (1, 1),
        Pods::EachNode | Pods::Unknown => (0, 0),
    }
}

/// An amount as a manifest has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// How much.
    pub amount: Amount,
    /// As it is written; empty where nothing is.
    pub text: String,
    /// Where it stands, or where it is missing.
    pub spot: Option<Spot>,
    /// Nothing sets it: it is the default of Istio's charts.
    pub default: bool,
}

/// What one pod, or a container of it, asks for and may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resources {
    /// Memory that it asks for.
    pub memory: Asked,
    /// Memory that it may use.
    pub memory_limit: Asked,
    /// CPU that it asks for.
    pub cpu: Asked,
    /// CPU that it may use.
    pub cpu_limit: Asked,
}

/// A workload of Istio's own beside istiod.
#[derive(Debug, Clone)]
pub struct Part {
    /// What it is.
    pub component: Component,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its pods.
    pub pods: Tally,
    /// What the proxy of one pod asks for and may use.
    pub resources: Resources,
}

/// What the nodes have beside what all workloads of the input ask for, sidecars included.
#[derive(Debug, Clone, Copy)]
pub struct Nodes {
    /// What they have.
    pub has: Allocatable,
    /// Memory that is asked for with the fewest and the most replicas.
    pub memory: (Quantity, Quantity),
    /// CPU that is asked for with the fewest and the most replicas.
    pub cpu: (Quantity, Quantity),
    /// Workloads whose pods or requests are not known, and count nothing.
    pub unknown: u64,
}

/// What a plan is made from.
struct Scene<'a> {
    mesh: &'a Mesh,
    sources: &'a Sources,
    figures: &'a Figures<'a>,
    what_if: &'a WhatIf,
    /// Workloads that are not made by others that were read, each identity once.
    workloads: Vec<WorkloadId>,
}

impl Scene<'_> {
    /// A setting with the text and the place that it has.
    fn asked(&self, setting: Setting) -> Asked {
        let amount = self.mesh.amount(setting);
        let text = match setting {
            Setting::At(place) => self.mesh.trees.node(place).text().unwrap_or_default().to_string(),
            Setting::Default(text, _) => text.to_string(),
            _ => String::new(),
        };
        let spot = match setting {
            Setting::At(place) | Setting::Unset(place) | Setting::Default(_, place) => Some(self.spot(place)),
            Setting::Unknown => None,
        };
        let default = match setting {
            Setting::At(place) => self.mesh.trees.origin(place).is_some_and(|origin| origin.from == From::Default),
            _ => matches!(setting, Setting::Default(..)),
        };
        Asked { amount, text, spot, default }
    }

    fn resource(&self, id: WorkloadId) -> ResourceId {
        self.mesh.workload(id).resource
    }
}

impl Plan {
    /// Plans for a cluster. `sources` are the texts its places point into, `figures` the parameters and tables.
    pub fn new(mesh: &Mesh, sources: &Sources, figures: &Figures<'_>, what_if: &WhatIf) -> Plan {
        let has = mesh.allocatable();
        let all = (0..mesh.workloads.len() as u32).map(WorkloadId);
        let own = |id: &WorkloadId| {
            let resource = mesh.workload(*id).resource;
            mesh.counts(resource) && !mesh.is_derived(resource)
        };
        let scene = Scene { mesh, sources, figures, what_if, workloads: all.filter(own).collect() };
        let mut workloads = Tally::default();
        scene.workloads.iter().for_each(|id| workloads.add(mesh.pods_of(*id)));
        let kinds = [
            ("networking.istio.io", "VirtualService"),
            ("networking.istio.io", "DestinationRule"),
            ("networking.istio.io", "ServiceEntry"),
            ("networking.istio.io", "EnvoyFilter"),
            ("security.istio.io", "AuthorizationPolicy"),
        ];
        let sidecars = Sidecars::of(&scene);
        let services = what_if.services.unwrap_or(mesh.seen_services().count() as u64);
        let objects = kinds.iter().map(|(group, kind)| mesh.of_kind(group, kind).len() as u64).sum();
        let of_istiod = mesh.istiods.first().map(|istiod| scene.resource(istiod.workload));
        let mut plan = Plan {
            cluster: mesh.cluster.clone(),
            environment: mesh.declared.environment.clone(),
            what_if: what_if.clone(),
            istio: mesh.istio_version(),
            services,
            objects,
            workloads,
            tracing: what_if.tracing.or_else(|| scene.tracing()),
            figures: figures.whose(mesh),
            tier: figures.tier(mesh, of_istiod, services, objects),
            measured: figures.measured_istiod(services, what_if.sidecars.unwrap_or(sidecars.certain.most)),
            guided_cpu: figures.istiod_cpu(),
            istiods: mesh.istiods.iter().map(|istiod| scene.istiod(istiod)).collect(),
            unread_installation: mesh.unrendered_installation().filter(|_| mesh.istiods.is_empty()).map(|id| {
                let resource = mesh.resource(id);
                format!("{} \"{}\"", resource.kind, resource.name)
            }),
            components: scene.components(),
            profiles: figures.profiles(),
            measured_sidecar: figures.measured("sidecar"),
            nodes: has.map(|has| scene.nodes(has, &sidecars)),
            scope: scene.scope(services),
            sidecars,
            unknown: Vec::new(),
            advice: Vec::new(),
        };
        plan.unknown = unknown(&plan);
        plan.advice = scene.advice(&plan);
        plan
    }

    /// The profile that fits what is known of the proxies.
    pub fn profile(&self) -> Option<&Profile> {
        let name = if self.tracing == Some(true) { "tracing" } else { "basic" };
        self.profiles.iter().find(|profile| profile.name == name)
    }
}

impl Scene<'_> {
    fn tracing(&self) -> Option<bool> {
        let installed = self.mesh.istiods.first().map(|istiod| self.resource(istiod.workload));
        let configured = || self.mesh.installation.mesh_configs.first().map(|config| config.resource);
        match self.mesh.tracing(installed.or_else(configured)?) {
            Ok(_) => Some(true),
            Err(absence) => (absence.certainty == crate::mesh::absence::Certainty::Certain).then_some(false),
        }
    }

    fn components(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        for id in &self.workloads {
            let component = self.mesh.injection(*id).component.filter(|c| *c != Component::Istiod);
            let Some(component) = component else { continue };
            let workload = self.mesh.workload(*id);
            let mut pods = Tally::default();
            pods.add(self.mesh.pods_of(*id));
            let resources = match component {
                Component::IstioCni => self.container(*id, self.mesh.running_containers(workload).into_iter().next()),
                _ => self.proxy(self.mesh.proxy(*id)),
            };
            let resource = self.mesh.resource(workload.resource);
            let (namespace, name) = (workload.namespace.to_string(), resource.name.to_string());
            parts.push(Part { component, namespace, name, pods, resources });
        }
        parts
    }

    /// What a container asks for and may use; nothing is known of one that is not there.
    fn container(&self, id: WorkloadId, container: Option<Node<'_>>) -> Resources {
        let request = |resource| container.map_or(Setting::Unknown, |c| self.mesh.request(id, c, resource));
        let limit = |resource| container.map_or(Setting::Unknown, |c| self.mesh.container_limit(id, c, resource));
        Resources {
            memory: self.asked(request("memory")),
            memory_limit: self.asked(limit("memory")),
            cpu: self.asked(request("cpu")),
            cpu_limit: self.asked(limit("cpu")),
        }
    }

    fn proxy(&self, proxy: ProxyResources) -> Resources {
        Resources {
            memory: self.asked(proxy.memory_request),
            memory_limit: self.asked(proxy.memory_limit),
            cpu: self.asked(proxy.cpu_request),
            cpu_limit: self.asked(proxy.cpu_limit),
        }
    }

    fn nodes(&self, has: Allocatable, sidecars: &Sidecars) -> Nodes {
        let none = (Quantity::default(), Quantity::default());
        let mut nodes = Nodes { has, memory: none, cpu: none, unknown: 0 };
        for id in &self.workloads {
            let pods = self.mesh.pods_of(*id);
            let (least, most) = bounds(pods);
            let asked = self.mesh.pod_request(*id, "memory").zip(self.mesh.pod_request(*id, "cpu"));
            let Some((memory, cpu)) = asked.filter(|_| pods != Pods::Unknown) else {
                nodes.unknown += 1;
                continue;
            };
            for (sum, each) in [(&mut nodes.memory, memory), (&mut nodes.cpu, cpu)] {
                sum.0 = sum.0.plus(each.times(least as f64));
                sum.1 = sum.1.plus(each.times(most as f64));
            }
        }
        for (sum, more) in [(&mut nodes.memory, &sidecars.added_memory), (&mut nodes.cpu, &sidecars.added_cpu)] {
            sum.0 = sum.0.plus(more.0);
            sum.1 = sum.1.plus(more.1);
        }
        nodes
    }
}

/// What the input does not show, in words.
fn unknown(plan: &Plan) -> Vec<String> {
    let mut unknown = Vec::new();
    let counted = |n: u64, what: &str| crate::report::summary::count(n as usize, what);
    if plan.sidecars.possible.workloads > 0 {
        let open = plan.sidecars.open.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        let more = plan.sidecars.open.len().saturating_sub(5);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let workloads = counted(plan.sidecars.possible.workloads, "workload");
        unknown.push(format!("whether {workloads} of {open}{more} get a sidecar"));
    }
    if plan.workloads.unknown > 0 {
        unknown.push(format!("the replicas of {}, which count no pods", counted(plan.workloads.unknown, "workload")));
    }
    if plan.workloads.unsaid > 0 {
        let workloads = counted(plan.workloads.unsaid, "workload");
        let verb = if plan.workloads.unsaid == 1 { "says" } else { "say" };
        unknown.push(format!("what scales {workloads} that {verb} no replicas: one pod each is counted"));
    }
    if plan.workloads.each_node > 0 {
        let sets = counted(plan.workloads.each_node, "DaemonSet");
        let run = if plan.workloads.each_node == 1 { "runs" } else { "run" };
        unknown.push(format!("how many nodes there are: {sets} {run} a pod on each"));
    }
    if plan.sidecars.by_default > 0 {
        let workloads = counted(plan.sidecars.by_default, "workload");
        unknown.push(format!("the injector's values: the charts' defaults count for {workloads}"));
    }
    if plan.istiods.is_empty() {
        unknown.push(match &plan.unread_installation {
            Some(by) => format!("what istiod asks for, which {by} brings"),
            None => "what istiod asks for: none was read".to_string(),
        });
    }
    unknown
}
impl fmt::Display for Tally {
    /// `3`, `3 to 9`, with a plus where the pods of some are not known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = if self.unknown > 0 { "+" } else { "" };
        if self.least == self.most {
            write!(f, "{}{open}", self.most)
        } else {
            write!(f, "{} to {}{open}", self.least, self.most)
        }
    }
}
