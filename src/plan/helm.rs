//! Values for Istio's charts that satisfy a plan: one YAML document for each release, with the reasons.
//! Nothing in it is below what is asked for today.

use super::{Asked, Istiod, Part, Plan, Resources};
use crate::mesh::capacity::Amount;
use crate::mesh::injection::Component;
use crate::report::sanitize::one_line;
use crate::units::{Quantity, Version};

/// The charts' own figures since 1.10, for what was not read.
const CHART: [&str; 4] = ["128Mi", "1024Mi", "100m", "2000m"];

/// Replicas of istiod with which one may restart.
const REPLICAS: u64 = 2;

/// The documents of all plans.
pub fn render(plans: &[Plan]) -> String {
    let mut out = String::new();
    for plan in plans {
        let unread = [None];
        let istiods: Vec<Option<&Istiod>> =
            if plan.istiods.is_empty() { unread.to_vec() } else { plan.istiods.iter().map(Some).collect() };
        let mut documents: Vec<Document> = istiods.into_iter().map(|istiod| of_istiod(plan, istiod)).collect();
        documents.extend(plan.components.iter().filter_map(of_part));
        for document in documents {
            out += "---\n";
            if !plan.cluster.is_empty() {
                out += &format!("# cluster {}\n", one_line(&plan.cluster));
            }
            out += &document.text;
        }
    }
    out
}

/// A document that is being written.
#[derive(Default)]
struct Document {
    text: String,
}

impl Document {
    fn about(text: &str) -> Document {
        Document { text: format!("# {}\n", one_line(text)) }
    }

    fn key(&mut self, depth: usize, key: &str, why: &str) {
        self.line(depth, &format!("{key}:"), why);
    }

    fn value(&mut self, depth: usize, key: &str, value: &str, why: &str) {
        self.line(depth, &format!("{key}: {value}"), why);
    }

    fn line(&mut self, depth: usize, text: &str, why: &str) {
        let why = if why.is_empty() { String::new() } else { format!("  # {}", one_line(why)) };
        self.text += &format!("{}{text}{why}\n", "  ".repeat(depth));
    }

    /// `requests` and `limits`: memory, its limit, CPU, its limit, each with its reason.
    fn resources(&mut self, depth: usize, figures: [Option<(String, String)>; 4]) {
        let [memory, memory_limit, cpu, cpu_limit] = figures;
        self.key(depth, "resources", "");
        for (key, cpu, memory) in [("requests", cpu, memory), ("limits", cpu_limit, memory_limit)] {
            if cpu.is_none() && memory.is_none() {
                continue;
            }
            self.key(depth + 1, key, "");
            for (key, figure) in [("cpu", cpu), ("memory", memory)] {
                if let Some((value, why)) = figure {
                    self.value(depth + 2, key, &value, &why);
                }
            }
        }
    }
}

/// What is asked for, or more where more is wanted.
fn raised(asked: &Asked, wanted: Option<Quantity>, why: &str) -> Option<(String, String)> {
    match (asked.amount, wanted) {
        (Amount::Of(amount), Some(wanted)) if amount >= wanted => Some((asked.text.clone(), "as it is".to_string())),
        (Amount::Of(_), Some(wanted)) => Some((wanted.to_string(), format!("{why}; {} now", asked.text))),
        (Amount::Of(_), None) => Some((asked.text.clone(), "as it is".to_string())),
        (_, wanted) => wanted.map(|wanted| (wanted.to_string(), why.to_string())),
    }
}

/// A limit is raised where there is one; where there is none, none is made.
fn raised_limit(asked: &Asked, wanted: Option<Quantity>, why: &str) -> Option<(String, String)> {
    if asked.amount == Amount::Unset { None } else { raised(asked, wanted, why) }
}

fn of_istiod(plan: &Plan, istiod: Option<&Istiod>) -> Document {
    let release = istiod.map_or("of which nothing was read".to_string(), |i| format!("{} in {}", i.name, i.namespace));
    let services = crate::report::summary::count(plan.services as usize, "Service");
    let mut document = Document::about(&format!("Values for the chart \"istiod\", {release}; {services}"));
    // Charts before 1.24 know the keys only below `pilot`; later ones take both.
    let nested = plan.istio.is_none_or(|version| version < Version { major: 1, minor: 24, patch: None });
    let depth = usize::from(nested);
    if nested {
        document.key(0, "pilot", "where the charts before 1.24 look; later ones look here, too");
    }
    let why = plan.tier.map_or(String::new(), |tier| format!("{} from {} Services on", plan.figures, tier.services));
    let unread = unread();
    let now = istiod.map_or(&unread, |istiod| &istiod.resources);
    let limit = istiod.and_then(|_| raised_limit(&now.memory_limit, plan.tier.map(|tier| tier.limit), &why));
    let cpu_limit = istiod.and_then(|_| raised_limit(&now.cpu_limit, None, ""));
    let cpu = raised(&now.cpu, plan.guided_cpu, "field experience");
    let memory = raised(&now.memory, plan.tier.map(|tier| tier.request), &why);
    let figures = [memory, limit, cpu, cpu_limit];
    if figures.iter().any(Option::is_some) {
        document.resources(depth, figures);
    }
    if let Some(istiod) = istiod {
        let least = istiod.pods.least.max(REPLICAS);
        let why =
            if istiod.pods.least < REPLICAS { "one replica stops injection whenever it restarts" } else { "as it is" };
        if istiod.autoscaled {
            document.value(depth, "autoscaleMin", &least.to_string(), why);
            document.value(depth, "autoscaleMax", &istiod.pods.most.max(least).to_string(), "");
        } else if istiod.pods.unknown == 0 {
            document.value(depth, "autoscaleEnabled", "false", "as it is");
            document.value(depth, "replicaCount", &least.to_string(), why);
        }
    }
    document.key(0, "global", "");
    document.key(1, "proxy", "what every sidecar gets that says nothing itself");
    let each = plan.sidecars.each.clone().unwrap_or(unread);
    let profile = plan.profile();
    let why = profile.map_or(String::new(), |profile| format!("field experience for {} workloads", profile.name));
    let figures = [
        raised(&each.memory, profile.map(|profile| profile.memory), &why),
        raised_limit(&each.memory_limit, profile.map(|profile| profile.upper), &why),
        raised(&each.cpu, None, ""),
        raised_limit(&each.cpu_limit, None, ""),
    ];
    document.resources(2, figures);
    document
}

/// Gateways and ztunnels keep what they have: nobody can tell from manifests what their traffic needs.
fn of_part(part: &Part) -> Option<Document> {
    let chart = match part.component {
        Component::Gateway => "gateway",
        Component::Ztunnel => "ztunnel",
        _ => return None,
    };
    let now = &part.resources;
    let mut document =
        Document::about(&format!("Values for the chart \"{chart}\", {} in {}", part.name, part.namespace));
    let [memory, memory_limit, cpu, cpu_limit] = CHART.map(Quantity::parse);
    let default = "the chart's default";
    let wanted = |asked: &Asked, default: Option<Quantity>| default.filter(|_| asked.amount.known().is_none());
    document.resources(
        0,
        [
            raised(&now.memory, wanted(&now.memory, memory), default),
            raised_limit(&now.memory_limit, wanted(&now.memory_limit, memory_limit), default),
            raised(&now.cpu, wanted(&now.cpu, cpu), default),
            raised_limit(&now.cpu_limit, wanted(&now.cpu_limit, cpu_limit), default),
        ],
    );
    if part.component == Component::Gateway && part.pods.unknown == 0 {
        let least = part.pods.least.max(REPLICAS);
        let why =
            if part.pods.least < REPLICAS { "one replica stops traffic whenever it restarts" } else { "as it is" };
        document.key(0, "autoscaling", "");
        document.value(1, "minReplicas", &least.to_string(), why);
        document.value(1, "maxReplicas", &part.pods.most.max(least).max(5).to_string(), "");
    }
    Some(document)
}

/// Of what nothing was read.
fn unread() -> Resources {
    let unknown = Asked { amount: Amount::Unknown, text: String::new(), spot: None, default: false };
    Resources { memory: unknown.clone(), memory_limit: unknown.clone(), cpu: unknown.clone(), cpu_limit: unknown }
}
