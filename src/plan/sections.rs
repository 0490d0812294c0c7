//! A plan in words: titles, facts, bars and tables, which every format draws in its way.

use super::{Asked, Istiod, Namespace, Part, Plan, Spot, Sum, Tally};
use crate::mesh::capacity::Amount;
use crate::mesh::injection::Component;
use crate::report::summary::count;
use crate::units::Quantity;

/// A part of the plan under a title.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Section {
    pub(super) title: String,
    /// What stands beside the title: a place, a count.
    pub(super) beside: String,
    pub(super) blocks: Vec<Block>,
}

/// What a section holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Block {
    /// Names with what is to say of each.
    Facts(Vec<(String, String)>),
    /// Amounts that are compared.
    Bars(Vec<Bar>),
    /// Amounts by name; all columns but the first hold figures.
    Table { head: Vec<String>, rows: Vec<Row> },
    /// Sentences.
    Notes(Vec<String>),
    /// What to change: what, why, where.
    Steps(Vec<[String; 3]>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) value: String,
    /// Of the longest of its block, 0 to 1; nothing where there is no amount.
    pub(super) share: Option<f64>,
    pub(super) tone: Tone,
    pub(super) note: String,
}

/// Whose figure a bar shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Asked,
    Guided,
    Measured,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) cells: Vec<String>,
    /// Of the longest of its table, 0 to 1; nothing where it has no bar.
    pub(super) share: Option<f64>,
    /// Whether it sums others up.
    pub(super) total: bool,
}

/// Namespaces that are told one by one.
const NAMESPACES: usize = 20;

/// Memory: `640Mi`, `4Gi`, `1.5Gi`.
pub(super) fn size(quantity: Quantity) -> String {
    let bytes = quantity.as_f64();
    let (unit, name) = match bytes {
        b if b >= 1024f64.powi(4) => (1024f64.powi(4), "Ti"),
        b if b >= 1024f64.powi(3) => (1024f64.powi(3), "Gi"),
        _ => (1024f64.powi(2), "Mi"),
    };
    let shown = (bytes / unit * 10.0).round() / 10.0;
    if name == "Mi" { format!("{:.0}Mi", shown.round()) } else { format!("{shown}{name}") }
}

/// CPU: `250m`, `1.5`.
pub(super) fn cores(quantity: Quantity) -> String {
    let cores = quantity.as_f64();
    if cores < 1.0 { format!("{:.0}m", cores * 1000.0) } else { format!("{}", (cores * 10.0).round() / 10.0) }
}

impl Plan {
    /// The whole plan in words.
    pub(super) fn sections(&self) -> Vec<Section> {
        let mut sections = vec![self.head()];
        for (number, istiod) in self.istiods.iter().enumerate() {
            // Copies that ask for the same are told once.
            if !self.istiods[..number].iter().any(|earlier| earlier.is_like(istiod)) {
                sections.push(self.istiod(istiod));
            }
        }
        if self.sidecars.certain.workloads > 0 || self.what_if.sidecars.is_some() {
            sections.extend([self.memory(), self.cpu()]);
        }
        sections.extend((!self.components.is_empty()).then(|| self.parts()));
        sections.extend(self.of_nodes());
        sections.extend(self.of_scope());
        if !self.unknown.is_empty() {
            let (title, beside) = ("Not known".to_string(), String::new());
            sections.push(Section { title, beside, blocks: vec![Block::Notes(self.unknown.clone())] });
        }
        let steps = self.advice.iter().map(|advice| [advice.what.clone(), advice.why.clone(), listed(&advice.spots)]);
        let steps: Vec<_> = steps.collect();
        let block = if steps.is_empty() {
            Block::Notes(vec!["nothing: what is asked for covers what is known of the mesh".to_string()])
        } else {
            Block::Steps(steps)
        };
        sections.push(Section { title: "What to change".to_string(), beside: String::new(), blocks: vec![block] });
        sections
    }

    fn head(&self) -> Section {
        let environment = self.environment.clone().unwrap_or_else(|| "production, as nothing else is declared".into());
        let beside = if self.cluster.is_empty() { environment } else { format!("{} ({environment})", self.cluster) };
        let mut facts = Vec::new();
        let mut fact = |name: &str, text: String| facts.push((name.to_string(), text));
        if !self.what_if.is_empty() {
            fact("what if", self.what_if.in_words());
        }
        fact(
            "services",
            format!(
                "{} that istiod sees, {}",
                self.services,
                count(self.objects as usize, "routing and policy object")
            ),
        );
        fact("workloads", pods(self.workloads));
        let sidecars = &self.sidecars;
        let open = match sidecars.possible.workloads {
            0 => String::new(),
            _ => format!("; possible: {}", pods(sidecars.possible)),
        };
        fact("sidecars", format!("certain: {}{open}", pods(sidecars.certain)));
        if sidecars.ambient.workloads > 0 {
            fact("ambient", pods(sidecars.ambient));
        }
        for (component, name) in NAMES {
            let mut tally = Tally::default();
            self.components.iter().filter(|p| p.component == component).for_each(|p| tally = tally.plus(p.pods));
            if tally.workloads > 0 {
                fact(name, pods(tally));
            }
        }
        let tracing = match self.tracing {
            Some(true) => "on",
            Some(false) => "off: nothing names a provider",
            None => "not known: no mesh configuration was read, or its copies differ",
        };
        fact("tracing", tracing.to_string());
        fact("tier", self.tier_in_words());
        let blocks = vec![Block::Facts(facts)];
        Section { title: "Capacity plan".to_string(), beside, blocks }
    }

    fn tier_in_words(&self) -> String {
        let Some(tier) = self.tier else { return format!("none: {} has none for so few services", self.figures) };
        let limit = if tier.limit == tier.request { String::new() } else { format!(", up to {}", size(tier.limit)) };
        let because = if tier.by_objects { " and many routing objects" } else { "" };
        format!(
            "{} or more services{because}: {}{limit} for istiod ({})",
            tier.services,
            size(tier.request),
            self.figures
        )
    }

    /// An istiod: what it asks for, what is guided, what was measured.
    fn istiod(&self, istiod: &Istiod) -> Section {
        let measured = self.measured.as_ref();
        let of = measured.map_or_else(
            || "nobody measured a mesh of this size".to_string(),
            |m| {
                let services = m.services.map(|n| format!("{} services, ", grouped(n)));
                let sidecars = m.sidecars.map(|n| format!("{} sidecars", grouped(n)));
                format!("{}: {}{}", m.whose, services.unwrap_or_default(), sidecars.unwrap_or_default())
            },
        );
        let guided = self.tier.map(|tier| tier.request);
        let memory = compared(
            ("memory", &istiod.resources.memory, &istiod.resources.memory_limit),
            (guided, self.figures),
            (measured.and_then(|m| m.memory), &of),
        );
        let cpu = compared(
            ("CPU", &istiod.resources.cpu, &istiod.resources.cpu_limit),
            (self.guided_cpu, "field experience"),
            (measured.and_then(|m| m.cpu), &of),
        );
        let revision = if istiod.revision == crate::mesh::installation::DEFAULT_REVISION {
            String::new()
        } else {
            format!(", revision {}", istiod.revision)
        };
        let replicas = replicas(istiod.pods);
        let spots: Vec<_> = self.istiods.iter().filter(|i| i.is_like(istiod)).map(|i| i.spot.clone()).collect();
        Section {
            title: format!("istiod \"{}\" in {}{revision}", istiod.name, istiod.namespace),
            beside: format!("{replicas} · {}", listed(&spots)),
            blocks: vec![Block::Bars(memory.into_iter().chain(cpu).collect())],
        }
    }

    fn memory(&self) -> Section {
        let measured = self.measured_sidecar.as_ref().and_then(|m| m.memory);
        let mut head: Vec<String> = ["namespace", "pods", "measured", "requested", "limit"].map(str::to_string).into();
        head.extend(self.profiles.iter().map(|profile| profile.name.to_string()));
        let row = |name: &str, shown: &str, pods: u64, sum: &Sum, request: Quantity| {
            let times = |each: Quantity| size(each.times(pods as f64));
            let mut cells = vec![name.to_string(), shown.to_string()];
            cells.push(measured.map_or("?".to_string(), times));
            cells.push(partly(size(request), sum.unknown));
            cells.push(limit(sum, size));
            cells.extend(self.profiles.iter().map(|profile| times(profile.upper)));
            Row { cells, share: None, total: false }
        };
        let rows = self.rows(&self.sidecars.memory, |n| &n.memory, &row);
        let profile = |p: &super::Profile| match p.upper == p.memory {
            true => format!("{} {}", p.name, p.memory),
            false => format!("{} {} to {}", p.name, p.memory, p.upper),
        };
        let profiles: Vec<_> = self.profiles.iter().map(profile).collect();
        let who = self.measured_sidecar.as_ref().map_or("", |m| m.whose.as_str());
        let measured =
            measured.map_or(String::new(), |m| format!("measured: {m} for one at 1,000 requests a second ({who}); "));
        let notes = vec![format!("{measured}field experience for one: {}", profiles.join(", "))];
        Section {
            title: "Sidecar memory".to_string(),
            beside: "with the most replicas".to_string(),
            blocks: vec![Block::Table { head, rows }, Block::Notes(notes)],
        }
    }

    fn cpu(&self) -> Section {
        let measured = self.measured_sidecar.as_ref().and_then(|m| m.cpu);
        let head = ["namespace", "pods", "measured", "requested", "limit"].map(str::to_string).into();
        let row = |name: &str, shown: &str, pods: u64, sum: &Sum, request: Quantity| {
            let measured = measured.map_or("?".to_string(), |each| cores(each.times(pods as f64)));
            let cells = vec![
                name.to_string(),
                shown.to_string(),
                measured,
                partly(cores(request), sum.unknown),
                limit(sum, cores),
            ];
            Row { cells, share: None, total: false }
        };
        let rows = self.rows(&self.sidecars.cpu, |n| &n.cpu, &row);
        let note = measured.map(|each| format!("measured: {} for one at 1,000 requests a second", cores(each)));
        Section {
            title: "Sidecar CPU".to_string(),
            beside: "with the most replicas".to_string(),
            blocks: vec![Block::Table { head, rows }, Block::Notes(note.into_iter().collect())],
        }
    }

    /// A row for each namespace, and those of all together.
    fn rows(
        &self,
        sum: &Sum,
        of: impl Fn(&Namespace) -> &Sum,
        row: &dyn Fn(&str, &str, u64, &Sum, Quantity) -> Row,
    ) -> Vec<Row> {
        let sidecars = &self.sidecars;
        let mut namespaces: Vec<_> = sidecars.namespaces.iter().filter(|n| n.certain.workloads > 0).collect();
        if namespaces.len() > NAMESPACES {
            namespaces.sort_by_key(|n| std::cmp::Reverse(of(n).most));
        }
        let longest = namespaces.iter().map(|n| of(n).most.as_f64()).fold(0.0, f64::max);
        let mut rows: Vec<Row> = Vec::new();
        for namespace in namespaces.iter().take(NAMESPACES) {
            let (sum, tally) = (of(namespace), namespace.certain);
            let mut row = row(&namespace.name, &short(tally), tally.most, sum, sum.most);
            row.share = (longest > 0.0).then(|| sum.most.as_f64() / longest);
            rows.push(row);
        }
        let more = namespaces.len().saturating_sub(NAMESPACES);
        if more > 0 {
            let mut cells = vec![format!("and {} more", count(more, "namespace"))];
            cells.resize(5, String::new());
            rows.push(Row { cells, share: None, total: false });
        }
        let (least, most) = sidecars.pods;
        let assumed = if self.what_if.sidecars.is_some() { "what if" } else { "all" };
        let mut total = |name: &str, pods: u64, request: Quantity| {
            let row = row(name, &pods.to_string(), pods, sum, request);
            rows.push(Row { total: true, ..row });
        };
        if least != most {
            total("all, fewest", least, sum.least);
            total("all, most", most, sum.most);
        } else {
            total(assumed, most, sum.most);
        }
        rows
    }

    fn parts(&self) -> Section {
        let head = ["component", "pods", "memory", "limit", "CPU", "limit"].map(str::to_string).into();
        let rows = self.components.iter().map(|part: &Part| {
            let name = NAMES.iter().find(|(c, _)| *c == part.component).map_or("", |(_, name)| name);
            let mut cells = vec![format!("{name} {}/{}", part.namespace, part.name), short(part.pods)];
            let of = &part.resources;
            cells.extend([&of.memory, &of.memory_limit, &of.cpu, &of.cpu_limit].map(written));
            Row { cells, share: None, total: false }
        });
        let rows = rows.collect();
        let blocks = vec![Block::Table { head, rows }];
        Section { title: "Gateways and node agents".to_string(), beside: "for one pod".to_string(), blocks }
    }

    fn of_nodes(&self) -> Option<Section> {
        let nodes = self.nodes.as_ref()?;
        let mut bars = Vec::new();
        let parts: [(&str, _, _, &dyn Fn(Quantity) -> String); 2] =
            [("memory", nodes.memory, nodes.has.memory, &size), ("CPU", nodes.cpu, nodes.has.cpu, &cores)];
        for (what, asked, has, show) in parts {
            let Some(has) = has else { continue };
            let longest = has.as_f64().max(asked.1.as_f64()).max(1e-9);
            let percent =
                |quantity: Quantity| format!("{:.0}% of what the nodes have", quantity.as_f64() / has.as_f64() * 100.0);
            let mut bar = |label: &str, quantity: Quantity, tone, note: String| {
                let share = Some(quantity.as_f64() / longest);
                bars.push(Bar { label: format!("{what} {label}"), value: show(quantity), share, tone, note });
            };
            bar("allocatable", has, Tone::Measured, String::new());
            if asked.0 != asked.1 {
                bar("asked, fewest", asked.0, Tone::Asked, percent(asked.0));
                bar("asked, most", asked.1, Tone::Asked, percent(asked.1));
            } else {
                bar("asked", asked.1, Tone::Asked, percent(asked.1));
            }
        }
        let mut notes = vec!["all workloads of the input, their sidecars included".to_string()];
        if nodes.unknown > 0 {
            notes.push(format!(
                "{} count nothing: their replicas or requests are not known",
                count(nodes.unknown as usize, "workload")
            ));
        }
        let cordoned =
            if nodes.has.cordoned > 0 { format!(", {} cordoned", nodes.has.cordoned) } else { String::new() };
        Some(Section {
            title: "Nodes".to_string(),
            beside: format!("{}{cordoned}", count(nodes.has.nodes as usize, "node")),
            blocks: vec![Block::Bars(bars), Block::Notes(notes)],
        })
    }

    fn of_scope(&self) -> Option<Section> {
        let scope = self.scope.as_ref()?;
        let mut notes = Vec::new();
        if scope.narrowed > 0 {
            notes.push(format!(
                "{} already have a Sidecar that narrows what they receive",
                count(scope.narrowed as usize, "pod")
            ));
        }
        if scope.wide > 0 {
            let unless = if scope.unsure { ", unless a Sidecar narrows it that was not read" } else { "" };
            let own = (scope.own * 10.0).round() / 10.0;
            let (wide, all, root) = (count(scope.wide as usize, "pod"), scope.all, &scope.root);
            notes.push(format!(
                "{wide} receive all {all} services{unless}; {own} each, on average, with `[\"./*\", \"{root}/*\"]`"
            ));
            let some = |saved: &Quantity| saved.as_f64() >= 1024.0 * 1024.0;
            notes.push(match (scope.memory.filter(some), scope.each) {
                (Some(saved), Some(each)) => format!(
                    "saves about {} of proxies' memory, assuming {:.1} MB for each pod that a proxy knows of (istio/istio#35828)",
                    size(saved),
                    each.as_f64() / 1e6
                ),
                _ => "saves next to nothing: what they receive is their own namespace's".to_string(),
            });
        }
        let blocks = vec![Block::Notes(notes)];
        Some(Section {
            title: "What a Sidecar scope would save".to_string(),
            beside: "an estimate".to_string(),
            blocks,
        })
    }
}

const NAMES: [(Component, &str); 4] = [
    (Component::Gateway, "gateway"),
    (Component::Waypoint, "waypoint"),
    (Component::Ztunnel, "ztunnel"),
    (Component::IstioCni, "istio-cni"),
];

/// What is asked for, may be used, is guided and was measured, on one scale.
fn compared(
    (what, asked, limit): (&str, &Asked, &Asked),
    (guided, whose): (Option<Quantity>, &str),
    (measured, of): (Option<Quantity>, &str),
) -> Vec<Bar> {
    let amounts = [asked.amount.known(), limit.amount.known(), guided, measured];
    let longest = amounts.iter().flatten().map(|q| q.as_f64()).fold(0.0, f64::max).max(1e-9);
    let share = |quantity: Option<Quantity>| quantity.map(|q| q.as_f64() / longest);
    let bar = |label: &str, value: String, quantity, tone, note: &str| Bar {
        label: format!("{what} {label}"),
        value,
        share: share(quantity),
        tone,
        note: note.to_string(),
    };
    let shown = |quantity: Option<Quantity>| quantity.map_or("none".to_string(), |q| q.to_string());
    vec![
        bar("asked", written(asked), amounts[0], Tone::Asked, if asked.default { "the chart's default" } else { "" }),
        bar("limit", written(limit), amounts[1], Tone::Asked, ""),
        bar("guided", shown(guided), guided, Tone::Guided, if guided.is_some() { whose } else { "" }),
        bar("measured", shown(measured), measured, Tone::Measured, of),
    ]
}

/// The first place, and how many more there are.
fn listed(spots: &[Spot]) -> String {
    match spots {
        [] => String::new(),
        [first] => first.to_string(),
        [first, second] => format!("{first}, {second}"),
        [first, rest @ ..] => format!("{first} and {}", count(rest.len(), "more place")),
    }
}

/// `1,000`
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// As it is written.
fn written(asked: &Asked) -> String {
    match asked.amount {
        Amount::Unset => "none".to_string(),
        Amount::Unknown => "?".to_string(),
        Amount::Of(_) => asked.text.clone(),
    }
}

fn limit(sum: &Sum, show: impl Fn(Quantity) -> String) -> String {
    match (sum.unlimited, sum.limit.as_f64() > 0.0) {
        (0, _) => partly(show(sum.limit), sum.unknown),
        (_, false) => "none".to_string(),
        _ => format!("{}+", show(sum.limit)),
    }
}

fn partly(text: String, unknown: u64) -> String {
    if unknown > 0 { format!("{text}+") } else { text }
}

fn short(tally: Tally) -> String {
    if tally.each_node > 0 && tally.most == 0 {
        "each node".to_string()
    } else {
        tally.to_string().replace(" to ", "-")
    }
}

fn replicas(tally: Tally) -> String {
    match (tally.unknown, tally.most) {
        (1.., _) => "replicas not known".to_string(),
        (_, 1) if tally.least == 1 => "1 replica".to_string(),
        _ => format!("{tally} replicas"),
    }
}

/// `3 workloads (3 to 9 pods)`
fn pods(tally: Tally) -> String {
    let workloads = count(tally.workloads as usize, "workload");
    let pods = match (tally.each_node > 0 && tally.most == 0, tally.most) {
        (true, _) => "a pod on each node".to_string(),
        (_, 1) if tally.least == 1 && tally.unknown == 0 => "1 pod".to_string(),
        _ => format!("{tally} pods"),
    };
    format!("{workloads} ({pods})")
}
