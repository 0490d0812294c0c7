//! Rules × resources → findings, in canonical order whatever the threads do.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::Instant;

use crate::finding::{Finding, Problem, ResourceRef, Severity};
use crate::mesh::release::defaults::{self, Defaults};
use crate::mesh::selector::Tri;
use crate::mesh::{Mesh, roles};
use crate::progress::{Calls, Progress, Stage};
use crate::resource::{Copy, Part as Kustomized, ResourceId};
use crate::rule::header::{Role, Subject};
use crate::rule::{RuleSet, Setting};
use crate::script::check::Checked;
use crate::script::{Outcome, Raw, Runner, Taken, fits};
use crate::values;
use crate::yaml::{Node, Place, key_hash};

/// Rules that are ready to run.
#[derive(Debug)]
pub struct Loaded {
    /// The rules.
    pub set: Arc<RuleSet>,
    /// What their code uses.
    pub checked: Checked,
    /// Rules and tables that can't be used.
    pub problems: Vec<Problem>,
    /// What Istio's charts take where no value is written.
    pub chart_defaults: Arc<Defaults>,
}

impl Loaded {
    /// Checks the code of rules that were read.
    pub fn new(set: RuleSet, mut problems: Vec<Problem>) -> Loaded {
        let (checked, more) = crate::script::check::check(&set);
        problems.extend(more);
        let chart_defaults = set.tables.get(defaults::TABLE).map(|table| Defaults::new(&table.rows));
        Loaded { set: Arc::new(set), checked, problems, chart_defaults: Arc::new(chart_defaults.unwrap_or_default()) }
    }
}

/// What all rules together found.
#[derive(Debug, Default)]
pub struct Ran {
    /// Findings of rules; order and fingerprints come later.
    pub findings: Vec<Finding>,
    /// Failures of rules, by their numbers.
    pub problems: BTreeMap<usize, Problem>,
    /// Rules that had something to judge, by number.
    pub judged: BTreeSet<usize>,
    /// What is not known, with the rules that it keeps silent.
    pub unknown: BTreeMap<String, BTreeSet<usize>>,
    /// Values that rules needed and could not read, with what they have to be.
    pub unreadable: BTreeSet<(Place, &'static str)>,
    /// Findings that came after an empty look-up without `.rests_on`: a mistake of the rule's author.
    pub unfounded: Vec<Finding>,
}

/// Which rules concern which resources.
struct Plan {
    /// By group, then by kind.
    by_kind: HashMap<String, HashMap<String, Vec<usize>>>,
    by_role: Vec<(Role, Vec<usize>)>,
    mesh: Vec<usize>,
    /// Keys by rule, with their hashes: a document in which none occurs is skipped.
    mentions: Vec<Vec<(String, u32)>>,
}

impl Plan {
    fn new(loaded: &Loaded, settings: &[Setting]) -> Plan {
        let mut plan = Plan { by_kind: HashMap::new(), by_role: Vec::new(), mesh: Vec::new(), mentions: Vec::new() };
        for (number, rule) in loaded.set.rules.iter().enumerate() {
            plan.mentions.push(rule.header.mentions.iter().map(|key| (key.clone(), key_hash(key))).collect());
            if !settings[number].on || rule.header.native || loaded.checked.broken[number] {
                continue;
            }
            for subject in rule.subjects() {
                match subject {
                    Subject::Kind(group, kind) => {
                        let kinds = plan.by_kind.entry(group.clone()).or_default();
                        kinds.entry(kind.clone()).or_default().push(number);
                    }
                    Subject::Role(Role::Mesh) => plan.mesh.push(number),
                    Subject::Role(role) => match plan.by_role.iter_mut().find(|(r, _)| r == role) {
                        Some((_, rules)) => rules.push(number),
                        None => plan.by_role.push((*role, vec![number])),
                    },
                }
            }
        }
        plan
    }

    /// The rules for one resource, and those whose role it only may have.
    fn rules(&self, mesh: &Mesh, id: ResourceId) -> (Vec<usize>, Vec<(Role, &[usize])>) {
        let resource = mesh.resource(id);
        let mut certain: Vec<usize> = Vec::new();
        let mut possible = Vec::new();
        let of_kind = self.by_kind.get(&*resource.group).and_then(|kinds| kinds.get(&*resource.kind));
        if let Some(rules) = of_kind.filter(|_| !mesh.is_virtual(id)) {
            certain.extend(rules.iter().copied());
        }
        for (role, rules) in &self.by_role {
            match roles::has(mesh, id, *role) {
                Tri::Yes => certain.extend(rules.iter().copied()),
                Tri::Unknown => possible.push((*role, rules.as_slice())),
                Tri::No => {}
            }
        }
        certain.sort_unstable();
        certain.dedup();
        certain.retain(|number| self.mentions[*number].is_empty() || mentions(mesh.root(id), &self.mentions[*number]));
        (certain, possible)
    }
}

/// Whether one of these keys occurs anywhere in a resource. What several aliases name is looked at
/// once, or a bomb of them would take forever.
fn mentions(root: Node<'_>, keys: &[(String, u32)]) -> bool {
    // Most rules end here.
    let tree = root.tree();
    let document = tree.document_number(root.id()).map(|number| &tree.documents[number]);
    if document.is_some_and(|d| !keys.iter().any(|(_, hash)| d.keys.may_hold(*hash))) {
        return false;
    }
    let mut open = vec![root];
    let mut seen = HashSet::new();
    while let Some(node) = open.pop() {
        if node.is_alias() && !seen.insert(node.target().id()) {
            continue;
        }
        for (key, value) in node.entries() {
            if key.text().is_some_and(|k| keys.iter().any(|(wanted, _)| wanted == k)) {
                return true;
            }
            open.push(value);
        }
        open.extend(node.items());
    }
    false
}

/// Runs all rules that are on over a mesh, on at most `jobs` threads. `taken` is by rule what it took in
/// other clusters of the run, and grows.
pub fn run(
    mesh: &Arc<Mesh>,
    loaded: &Loaded,
    settings: &[Setting],
    taken: &[Taken],
    jobs: usize,
    progress: &Progress,
) -> Ran {
    progress.begin(Stage::Compile, 0);
    let plan = Plan::new(loaded, settings);
    let total = mesh.resources.len();
    let threads = jobs.clamp(1, total.div_ceil(CHUNK).max(1));
    let shared = Shared {
        mesh,
        loaded,
        plan: &plan,
        progress,
        next: AtomicUsize::new(0),
        failed: loaded.set.rules.iter().map(|_| AtomicU32::new(u32::MAX)).collect(),
        taken,
    };
    let parts: Vec<Part> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|_| {
                let shared = &shared;
                // A rule may call functions 16 deep, each with expressions 64 deep: more than the main
                // thread's stack holds.
                let builder = std::thread::Builder::new().stack_size(64 << 20);
                builder.spawn_scoped(scope, move || work(shared, settings))
            })
            .collect();
        // A thread that panics takes the run with it: its findings must not be missed in silence.
        let join = |handle: ScopedJoinHandle<'_, Part>| handle.join().unwrap_or_else(|panic| resume_unwind(panic));
        handles.into_iter().flatten().map(join).collect()
    });
    // Where the system gives no thread, the work is done here.
    let parts = if parts.is_empty() { vec![work(&shared, settings)] } else { parts };
    collect(mesh, loaded, settings, parts)
}

/// Resources that a thread takes at a time.
const CHUNK: usize = 64;

struct Shared<'a> {
    mesh: &'a Arc<Mesh>,
    loaded: &'a Loaded,
    plan: &'a Plan,
    progress: &'a Progress,
    next: AtomicUsize,
    /// By rule: the first subject on which it failed. Later ones are left out, so that what a broken
    /// rule says does not depend on the threads.
    failed: Vec<AtomicU32>,
    /// By rule: what it took so far.
    taken: &'a [Taken],
}

#[derive(Default)]
struct Part {
    findings: Vec<(usize, u32, Raw)>,
    failures: Vec<(usize, u32, Problem)>,
    judged: BTreeSet<usize>,
    unknown: BTreeMap<String, BTreeSet<usize>>,
    unreadable: BTreeSet<(Place, &'static str)>,
}

fn work(shared: &Shared<'_>, settings: &[Setting]) -> Part {
    let runner = Runner::new(shared.mesh.clone(), shared.loaded.set.clone(), &shared.loaded.checked, settings);
    let mut part = Part::default();
    let mut calls = vec![Calls::default(); shared.loaded.set.rules.len()];
    let mut subjects: Vec<Vec<ResourceId>> = vec![Vec::new(); calls.len()];
    let total = shared.mesh.resources.len();
    shared.progress.begin_once(Stage::Rules, total);
    loop {
        let from = shared.next.fetch_add(CHUNK, Ordering::Relaxed);
        if from == 0 {
            for rule in &shared.plan.mesh {
                // The mesh comes before every resource.
                let clock = Instant::now();
                part.take(shared, *rule, 0, runner.call_mesh(*rule, &shared.taken[*rule]));
                calls[*rule].add(1, clock.elapsed());
            }
        }
        if from >= total {
            break;
        }
        for index in from..(from + CHUNK).min(total) {
            let id = ResourceId(index as u32);
            let resource = shared.mesh.resource(id);
            // What a patch will change can't be judged before.
            if resource.copy == Copy::Repeated || resource.part == Kustomized::Patched || shared.mesh.is_derived(id) {
                continue;
            }
            let (rules, possible) = shared.plan.rules(shared.mesh, id);
            for (role, rules) in possible {
                let what = match role {
                    Role::MeshedWorkload | Role::AmbientWorkload => {
                        format!("labels of namespace {}", shared.mesh.resource(id).namespace())
                    }
                    other => other.as_str().to_string(),
                };
                part.unknown.entry(what).or_default().extend(rules.iter().copied());
            }
            for rule in rules {
                if shared.failed[rule].load(Ordering::Relaxed) > index as u32 {
                    subjects[rule].push(id);
                }
            }
        }
        for (rule, subjects) in subjects.iter_mut().enumerate().filter(|(_, subjects)| !subjects.is_empty()) {
            let clock = Instant::now();
            let outcomes = runner.call(rule, subjects, &shared.taken[rule]);
            calls[rule].add(outcomes.len(), clock.elapsed());
            for (id, outcome) in outcomes {
                part.take(shared, rule, id.0 + 1, outcome);
            }
            subjects.clear();
        }
        shared.progress.advance(CHUNK);
    }
    for (rule, calls) in calls.into_iter().enumerate().filter(|(_, calls)| calls.count > 0) {
        shared.progress.add_calls(rule, calls);
    }
    part.unreadable = runner.take_unreadable();
    part
}

impl Part {
    fn take(&mut self, shared: &Shared<'_>, rule: usize, subject: u32, outcome: Outcome) {
        self.judged.insert(rule);
        self.findings.extend(outcome.findings.into_iter().map(|raw| (rule, subject, raw)));
        for what in outcome.unknown {
            self.unknown.entry(what).or_default().insert(rule);
        }
        if let Some(problem) = outcome.failure {
            shared.failed[rule].fetch_min(subject, Ordering::Relaxed);
            self.failures.push((rule, subject, problem));
        }
    }
}

fn collect(mesh: &Mesh, loaded: &Loaded, settings: &[Setting], parts: Vec<Part>) -> Ran {
    let mut ran = Ran::default();
    let mut failures: BTreeMap<usize, (u32, Problem)> = BTreeMap::new();
    let mut raws = Vec::new();
    for part in parts {
        raws.extend(part.findings);
        ran.judged.extend(part.judged);
        ran.unreadable.extend(part.unreadable);
        for (what, rules) in part.unknown {
            ran.unknown.entry(what).or_default().extend(rules);
        }
        for (rule, subject, problem) in part.failures {
            match failures.get(&rule) {
                Some((earlier, _)) if *earlier <= subject => {}
                _ => {
                    failures.insert(rule, (subject, problem));
                }
            }
        }
    }
    // Whose words survive where findings are alike must not depend on the threads either.
    raws.sort_by_key(|(number, subject, _)| (*subject, *number));
    for (number, subject, raw) in raws {
        if failures.get(&number).is_some_and(|(failed, _)| subject > *failed) {
            continue;
        }
        let unfounded = raw.unfounded;
        let Some(found) = finding(mesh, loaded, &settings[number], number, raw) else { continue };
        if unfounded && found.severity > Severity::Info {
            ran.unfounded.push(found.clone());
        }
        ran.findings.push(found);
    }
    ran.problems = failures.into_iter().map(|(number, (_, problem))| (number, problem)).collect();
    ran
}

/// The finding of a rule; nothing where the rule is off for its resource.
fn finding(mesh: &Mesh, loaded: &Loaded, setting: &Setting, number: usize, raw: Raw) -> Option<Finding> {
    let rule = &loaded.set.rules[number];
    let resource = raw.resource.map(|id| mesh.resource(id).reference());
    let fitting =
        setting.overrides.iter().rev().filter(|o| raw.resource.is_some_and(|id| fits(&o.condition, mesh, id)));
    let severity = match fitting.filter_map(|o| o.severity).next() {
        Some(severity) => severity?,
        None => setting.severity.unwrap_or(rule.header.severity),
    };
    // What our own rules say of values holds for Istio's own charts.
    let is_known = !rule.built_in || raw.resource.is_none_or(|id| values::may_be_istios(mesh.resource(id)));
    let values = if raw.values.is_empty() || !is_known { key_of_istio(mesh, loaded, &raw) } else { raw.values };
    Some(Finding {
        rule: rule.id.clone(),
        aliases: rule.header.aka.clone().into(),
        severity: severity.min(raw.cap),
        message: raw.message,
        why: raw.why.unwrap_or_else(|| rule.page.why.clone()),
        fingerprint: fingerprint(rule.id.as_str(), resource.as_ref(), &raw.named_path),
        primary: raw.primary,
        resource,
        labels: raw.labels,
        help: raw.help,
        values,
        notes: raw.notes,
        links: raw.links,
        fixes: raw.fixes,
        clusters: Vec::new(),
        unnumbered: String::new(),
    })
}

/// The values key of one of Istio's own charts for the place of a finding.
fn key_of_istio(mesh: &Mesh, loaded: &Loaded, raw: &Raw) -> Vec<String> {
    let Some(id) = raw.resource else { return Vec::new() };
    let (resource, Some(table)) = (mesh.resource(id), loaded.set.tables.get(values::TABLE)) else { return Vec::new() };
    let label = || mesh.at(id, &["metadata", "labels", "app.kubernetes.io/part-of"]);
    let is_istio = || label().is_some_and(|place| mesh.trees.node(place).text() == Some("istio"));
    let key = resource.chart.is_some().then(|| values::exact(table, resource, &raw.named_path, is_istio())).flatten();
    key.map(|key| values::set(resource.chart.as_deref(), &key, None)).into_iter().collect()
}

/// What a finding is known by over time: rule, resource and place, but never its line or its words.
/// FNV-1a, 64 bits, as 16 hexadecimal digits.
pub fn fingerprint(rule: &str, resource: Option<&ResourceRef>, path: &str) -> String {
    let group = |r: &ResourceRef| r.api_version.rsplit_once('/').map_or(String::new(), |(g, _)| g.to_string());
    let owner = resource.map_or(String::new(), |r| {
        format!("{}\0{}\0{}\0{}", group(r), r.kind, r.namespace.as_deref().unwrap_or(""), r.name)
    });
    hash(&format!("{rule}\0{owner}\0{path}"))
}

fn hash(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

/// Tells equal fingerprints apart by their order; the findings are in canonical order. What stands in
/// different sets of values is counted apart.
pub fn number_fingerprints<'s>(findings: &mut [Finding], set_of: impl Fn(&Finding) -> &'s str) {
    let mut seen: HashMap<(&str, String), u32> = HashMap::new();
    for finding in findings {
        let count = seen.entry((set_of(finding), finding.fingerprint.clone())).or_default();
        finding.unnumbered.clone_from(&finding.fingerprint);
        if *count > 0 {
            finding.fingerprint = hash(&format!("{}\0{count}", finding.fingerprint));
        }
        *count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::test_mesh;

    #[test]
    fn whose_words_survive_does_not_depend_on_the_threads() {
        let code = "//! ---\n//! severity: warning\n//! checks: ConfigMap\n//! ---\n//! # it\n//!\n//! It hurts.\n\nfn check(d, mesh) {\n    for i in range(0, if d.name() == \"c000\" { 20000 } else { 1 }) { let x = `${i}`; }\n    report(mesh.all(\"ConfigMap\").first().data, \"alike\").help(`from ${d.name()}`);\n}\n";
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("x")).unwrap();
        std::fs::write(folder.path().join("x/it.rhai"), code).unwrap();
        let (set, problems) = crate::rule::load::load(&[folder.path().to_path_buf()], &[]);
        let loaded = Loaded::new(set, problems);
        assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
        let on = |rule: &crate::rule::Rule| Setting { on: rule.id.as_str() == "x/it", ..Setting::default() };
        let settings: Vec<Setting> = loaded.set.rules.iter().map(on).collect();
        let texts: Vec<String> = (0..400)
            .map(|n| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{n:03}}}\ndata: {{a: b}}\n"))
            .collect();
        let mesh = Arc::new(test_mesh(&texts.iter().map(String::as_str).collect::<Vec<_>>()));
        let helps = |jobs| {
            let taken: Vec<Taken> = settings.iter().map(|_| Taken::over(400)).collect();
            let ran = run(&mesh, &loaded, &settings, &taken, jobs, &Progress::default());
            ran.findings.into_iter().map(|finding| finding.help).collect::<Vec<_>>()
        };
        assert_eq!(helps(1)[0], ["from c000"]);
        assert_eq!(helps(4), helps(1));
    }

    #[test]
    fn keys_are_found_behind_aliases_and_bombs_of_them_end() {
        let mut bomb = "apiVersion: v1\nkind: Service\nx0: &a0 {wanted: v}\n".to_string();
        for i in 1..5 {
            bomb += &format!("x{i}: &a{i} {{a: *a{0}, b: [*a{0}, *a{0}]}}\n", i - 1);
        }
        let mesh = test_mesh(&[
            &bomb,
            "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: A, x: &x {wanted: 1}}\n- {apiVersion: v1, kind: B, y: [*x]}\n",
        ]);
        let has =
            |resource: u32, key: &str| mentions(mesh.root(ResourceId(resource)), &[(key.to_string(), key_hash(key))]);
        assert!(has(0, "wanted") && !has(0, "other"));
        assert!(has(2, "wanted"));
    }
}
