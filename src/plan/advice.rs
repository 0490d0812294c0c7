//! What to change: at most five things, the most important first, each with its place.

use std::collections::BTreeMap;

use super::{Asked, Plan, Scene, Spot};
use crate::mesh::capacity::Amount;
use crate::mesh::proxy::{ProxyResources, Setting};
use crate::plan::sections::size;
use crate::report::summary::count;
use crate::units::Quantity;

/// One thing to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// An imperative with the exact value.
    pub what: String,
    /// What happens otherwise, and whose figure it is.
    pub why: String,
    /// Where; several places if what stands there is the same.
    pub spots: Vec<Spot>,
}

/// How many a person acts on.
const MOST: usize = 5;

/// How much a piece of advice weighs: what stops the mesh, what wears it out, what is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    IstiodMemory,
    Nodes,
    ProxyLimit,
    Replicas,
    ProxyRequest,
    Scope,
    Unknown,
}

impl Scene<'_> {
    pub(super) fn advice(&self, plan: &Plan) -> Vec<Advice> {
        let mut all = Vec::new();
        self.about_istiod(plan, &mut all);
        about_nodes(plan, &mut all);
        self.about_proxies(plan, &mut all);
        self.about_scope(plan, &mut all);
        about_unknown(plan, &mut all);
        all.sort_by_key(|(weight, _)| *weight);
        let mut advice: Vec<Advice> = Vec::new();
        for (_, mut next) in all {
            // Two installations that lack the same are one thing to change.
            match advice.iter_mut().find(|known| known.what == next.what) {
                Some(known) => {
                    next.spots.retain(|spot| !known.spots.contains(spot));
                    known.spots.append(&mut next.spots);
                }
                None => advice.push(next),
            }
        }
        advice.truncate(MOST);
        advice
    }

    fn about_istiod(&self, plan: &Plan, all: &mut Vec<(Weight, Advice)>) {
        const RULE: &str = "sizing/istiod-single-replica";
        for istiod in &plan.istiods {
            let of = self.mesh.istiods.iter().map(|i| self.resource(i.workload));
            let of = of.map(|id| (self.mesh, id)).find(|(mesh, id)| *mesh.resource(*id).name == *istiod.name);
            if let Some(tier) = plan.tier {
                let services = count(plan.services as usize, "Service");
                let why = format!(
                    "{} for {services}; short of it, istiod is killed and proxies lose their source of configuration",
                    plan.figures
                );
                let mut lacks = |asked: &Asked, wanted: Quantity, verb: &str| {
                    let what = match asked.amount {
                        Amount::Of(amount) if amount < wanted => {
                            format!("let istiod {verb} {} of memory, not {}", size(wanted), asked.text)
                        }
                        Amount::Unset if verb == "ask for" => format!("let istiod {verb} {} of memory", size(wanted)),
                        _ => return,
                    };
                    all.push((
                        Weight::IstiodMemory,
                        Advice { what, why: why.clone(), spots: asked.spot.iter().cloned().collect() },
                    ));
                };
                lacks(&istiod.resources.memory, tier.request, "ask for");
                lacks(&istiod.resources.memory_limit, tier.limit, "use up to");
            }
            let least = self.figures.number(RULE, "least", of).filter(|_| self.mesh.declared.is_production());
            if let Some(least) = least.filter(|least| istiod.pods.unknown == 0 && istiod.pods.least < *least) {
                let runs = if istiod.pods.least == 1 { "1 replica" } else { "no replica" };
                let what = format!("run {least} replicas of istiod at least, not {}", istiod.pods.least);
                let why = format!("with {runs}, a restart stops injection and new certificates for its time");
                all.push((Weight::Replicas, Advice { what, why, spots: vec![istiod.replicas.clone()] }));
            }
        }
    }

    /// What proxies lack, once for each place that sets it.
    fn about_proxies(&self, plan: &Plan, all: &mut Vec<(Weight, Advice)>) {
        let Some(profile) = plan.profile() else { return };
        let mut by_place: BTreeMap<(bool, String), (Asked, u64)> = BTreeMap::new();
        let mut note = |proxy: ProxyResources, pods: u64| {
            for (is_limit, setting) in [(false, proxy.memory_request), (true, proxy.memory_limit)] {
                let asked = self.asked(setting);
                // Where the charts' default is only assumed, nobody knows where it would be changed.
                let (false, Some(spot)) = (matches!(setting, Setting::Default(..)), &asked.spot) else { continue };
                by_place.entry((is_limit, spot.to_string())).or_insert((asked, 0)).1 += pods;
            }
        };
        for injector in &self.mesh.installation.injectors {
            note(self.mesh.proxy_defaults(injector.resource), 0);
        }
        for id in self.workloads.iter().filter(|id| self.mesh.injection(**id).sidecar.is_yes()) {
            note(self.mesh.proxy(*id), super::bounds(self.mesh.pods_of(*id)).1);
        }
        let mut lacking: Vec<_> = by_place.into_iter().collect();
        lacking.sort_by_key(|(_, (_, pods))| std::cmp::Reverse(*pods));
        let measured = plan.measured_sidecar.as_ref().and_then(|m| m.memory);
        for ((is_limit, _), (asked, pods)) in lacking {
            let Amount::Of(amount) = asked.amount else { continue };
            if amount >= profile.memory {
                continue;
            }
            let (wanted, name) = (size(if is_limit { profile.upper } else { profile.memory }), profile.name);
            let who = if pods == 0 {
                "proxies".to_string()
            } else {
                format!("the proxies of {}", count(pods as usize, "pod"))
            };
            let text = &asked.text;
            let (weight, what, why) = if is_limit {
                let why = format!(
                    "field experience for {name} workloads; a proxy at its limit is killed with all its connections"
                );
                (Weight::ProxyLimit, format!("let {who} use up to {wanted} of memory, not {text}"), why)
            } else {
                let lack = (profile.memory.as_f64() - amount.as_f64()) * pods as f64;
                let sum =
                    if pods > 0 { format!("{} of it is reserved nowhere; ", rounded(lack)) } else { String::new() };
                let below = measured.filter(|least| amount < *least);
                let below = below.map_or(String::new(), |least| format!("; Istio measured {least} for a lean one"));
                let weight = if below.is_empty() { Weight::Scope } else { Weight::ProxyRequest };
                let why = format!("{sum}field experience for {name} workloads{below}");
                (weight, format!("let {who} ask for {wanted} of memory, not {text}"), why)
            };
            all.push((weight, Advice { what, why, spots: asked.spot.into_iter().collect() }));
        }
    }

    fn about_scope(&self, plan: &Plan, all: &mut Vec<(Weight, Advice)>) {
        let from = self.figures.number("sizing/mesh-without-sidecar-scope", "services", None);
        let Some(scope) = plan.scope.as_ref().filter(|scope| scope.wide > 0) else { return };
        // One that leaves most of it in view is not worth its upkeep.
        if from.is_none_or(|from| plan.services < from) || scope.own * 2.0 > scope.all as f64 {
            return;
        }
        let root = self.mesh.root_namespace();
        let unless = if scope.unsure { ", unless a Sidecar does it that was not read" } else { "" };
        let what =
            format!("write a Sidecar \"default\" in {root} with `egress.hosts: [\"./*\", \"{root}/*\"]`{unless}");
        let why = format!(
            "the proxies of {} receive all {} Services, and every one that is added grows them all",
            count(scope.wide as usize, "pod"),
            scope.all
        );
        let spots = self.mesh.installation.mesh_configs.first().map(|config| self.spot(config.config));
        all.push((Weight::Scope, Advice { what, why, spots: spots.into_iter().collect() }));
    }
}

fn rounded(bytes: f64) -> String {
    size(Quantity::whole(bytes as i64))
}

fn about_nodes(plan: &Plan, all: &mut Vec<(Weight, Advice)>) {
    let Some(nodes) = &plan.nodes else { return };
    for (what, asked, has) in [("memory", nodes.memory, nodes.has.memory), ("CPU", nodes.cpu, nodes.has.cpu)] {
        let Some(has) = has.filter(|has| asked.1 > *has) else { continue };
        let show = |quantity| if what == "memory" { size(quantity) } else { super::sections::cores(quantity) };
        let always = if asked.0 > has { "" } else { " with all replicas that autoscalers allow" };
        let advice = Advice {
            what: format!("add nodes, or ask for less {what}"),
            why: format!(
                "{} is asked for{always}, the nodes have {}: pods will stay pending",
                show(asked.1),
                show(has)
            ),
            spots: Vec::new(),
        };
        all.push((Weight::Nodes, advice));
    }
}

fn about_unknown(plan: &Plan, all: &mut Vec<(Weight, Advice)>) {
    let mut say = |what: &str, why: String| {
        all.push((Weight::Unknown, Advice { what: what.to_string(), why, spots: Vec::new() }));
    };
    if plan.istiods.is_empty() {
        let why = match &plan.unread_installation {
            Some(by) => format!("{by} brings it, and what comes of its values was not read"),
            None => "without it, there is nothing to compare the tiers with".to_string(),
        };
        say("hand in istiod's manifests or values, too: PATHs, --helm, --render", why);
    }
    if plan.sidecars.possible.workloads > 0 {
        let workloads = count(plan.sidecars.possible.workloads as usize, "workload");
        say(
            "say who is injected: the Namespaces' manifests, or --assume injection=sidecar",
            format!("of {workloads} it is not known, so they are in no sum"),
        );
    }
}
