//! plimsoll tells whether a service mesh is fit for production before anything is applied.
//!
//! The journey of the data, and the module that owns each step:
//!
//! | step | module | what comes out |
//! |---|---|---|
//! | source | [`source`] | every text with its name, ordered by path |
//! | yaml | [`yaml`] | a span tree: every key and every value knows its bytes |
//! | resource | [`resource`] | Kubernetes resources, items of lists included |
//! | layout | [`layout`] | which resources go to which cluster, and what kustomize makes of them |
//! | mesh | [`mesh`] | one cluster's resources, indexed once: facts without opinions |
//! | rule | [`rule`] | rules as plain data: header, page, examples |
//! | script | [`script`] | the rule language; the only place that knows Rhai |
//! | run | [`run`] | rules × resources → findings |
//! | finding | [`finding`], [`native`] | findings with places and edits; those that Rust makes itself |
//! | judgement | [`suppress`], [`change`] | what comments switch off; what a change did not do |
//! | ending | [`report`], [`fix`] | text for people and programs; edited files |
//!
//! [`check`] is that journey on one screen. Configuration and flags become [`config::Settings`];
//! [`cli`] is the only place that prints and writes files.

pub mod change;
pub mod cli;
pub mod config;
pub mod example;
pub mod finding;
pub mod fix;
pub mod kinds;
pub mod layout;
pub mod mesh;
pub mod native;
pub mod progress;
pub mod report;
pub mod resource;
pub mod rule;
pub mod run;
pub mod script;
pub mod source;
pub mod suppress;
pub mod units;
pub mod yaml;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use change::Before;
use config::Settings;
use finding::{Finding, Problem};
use layout::elsewhere::Folders;
use layout::kustomize::Kustomize;
use layout::{Cluster, Layout};
use mesh::absence::Elsewhere;
use mesh::{Declared, Mesh};
use progress::{Progress, Stage};
use report::{Skipped, Summary, Unknown};
use resource::{Identity, Resource};
use run::Loaded;
use script::Taken;
use source::{FileId, Sources, Span};
use yaml::{Error, ErrorKind, Tree, Trees};

/// What a check came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Active findings in canonical order, infos included.
    pub findings: Vec<Finding>,
    /// Failures of rules.
    pub problems: Vec<Problem>,
    /// The figures under the report.
    pub summary: Summary,
    /// Some input that is a manifest could not be read or parsed.
    pub broken_input: bool,
    /// Places whose text must not be shown: secrets.
    pub secrets: Vec<Span>,
    /// What is remembered for the comparison with a later state, where the settings ask for it.
    pub before: Before,
    /// Findings that came after an empty look-up without resting on it; `plimsoll test` fails them.
    pub unfounded: Vec<Finding>,
}

/// Checks texts by rules: the whole pipeline, without reading or writing a file.
pub fn check(sources: &Sources, loaded: &Loaded, settings: &Settings) -> Outcome {
    let trees = Arc::new(parse(sources, settings.jobs, &settings.progress));
    settings.progress.begin(Stage::Resources, 0);
    let input = read(sources, &trees, settings);
    let layout = lay_out(sources, &input, settings);
    let set = &loaded.set;
    let rest =
        layout.files.iter().filter(|a| a.clusters.iter().any(|c| layout.clusters[*c].name == layout::REST)).count();
    let mut outcome = Outcome { broken_input: !input.broken.is_empty(), ..Outcome::default() };
    let mut judged = BTreeSet::new();
    let mut on = vec![false; set.rules.len()];
    let mut unknown = BTreeMap::new();
    let several = layout.clusters.len() > 1;
    let resources = layout.clusters.iter().map(|cluster| cluster.resources.len()).sum();
    let taken: Vec<Taken> = set.rules.iter().map(|_| Taken::over(resources)).collect();
    let mut failed = BTreeSet::new();
    let conditions = settings.conditions(sources);
    let all_folders = folders_of(sources, layout.files.iter());
    for (number, cluster) in layout.clusters.iter().enumerate() {
        let mut rules = settings.rules_in(cluster, set, &conditions);
        // A rule that failed in one cluster is not asked again.
        failed.iter().for_each(|rule: &usize| rules[*rule].on = false);
        let unseen = input.unseen_in(number, &layout, sources, &all_folders);
        let resources = || cluster.resources.iter().map(|n| &input.resources[*n]);
        if settings.remember {
            outcome.before.remember_resources(sources, &cluster.name, resources());
        }
        let deleted = settings.before.as_ref().map(|before| before.deleted(&cluster.name, resources()));
        let mut part =
            judge(sources, &input, (cluster, unseen, deleted.unwrap_or_default()), &rules, &taken, loaded, settings);
        if several || !cluster.name.is_empty() {
            part.findings.iter_mut().for_each(|f| f.clusters = vec![cluster.name.clone()]);
        }
        outcome.findings.extend(part.findings);
        failed.extend(part.problems.keys());
        outcome.problems.extend(part.problems.into_values());
        outcome.unfounded.extend(part.unfounded);
        judged.extend(part.judged);
        on.iter_mut().zip(&rules).for_each(|(on, rule)| *on |= rule.on);
        for (what, rules) in part.unknown {
            unknown.entry(what).or_insert_with(BTreeSet::new).extend(rules);
        }
    }
    if input.documents > 0 {
        judged.extend((0..set.rules.len()).filter(|n| on[*n] && set.rules[*n].header.native));
    }
    let is_on = |id: &str| set.rules.iter().zip(&settings.rules).any(|(rule, s)| rule.id.as_str() == id && s.on);
    // What can't be read is shown whatever is selected: the exit status speaks of it.
    outcome.findings.extend(sources.iter().filter_map(|(id, file)| native::unreadable_file(set, id, file)));
    let errors = input.errors.iter().map(|error| native::yaml_error(set, error));
    outcome.findings.extend(errors.filter(|f| f.rule.as_str() == native::INVALID || is_on(f.rule.as_str())));
    outcome.findings.iter_mut().for_each(|found| own(found, &trees, &input.resources));
    put_in_order(&mut outcome.findings);

    let suppressions: Vec<_> =
        trees.files().filter(|(n, _)| input.used.contains(n)).flat_map(|(_, tree)| suppress::parse(tree)).collect();
    let names = set.names();
    let findings = std::mem::take(&mut outcome.findings);
    let answer = suppress::apply(findings, &suppressions, &settings.declared.today, settings.all_rules, &names);
    outcome.findings = answer.active;
    for mut about_comment in answer.extra.into_iter().filter(|f| is_on(f.rule.as_str())) {
        if let Some(rule) = set.rules.iter().find(|r| r.id == about_comment.rule) {
            about_comment.why.clone_from(&rule.page.why);
        }
        own(&mut about_comment, &trees, &input.resources);
        outcome.findings.push(about_comment);
    }
    settings.grade_native(&mut outcome.findings, set);
    put_in_order(&mut outcome.findings);
    run::number_fingerprints(&mut outcome.findings);
    if settings.remember {
        outcome.before.remember(sources, &outcome.findings);
    }
    let compared = settings.before.as_ref().map(|before| before.compare(sources, &mut outcome.findings));
    let found = outcome.findings.len();
    if let Some(focus) = &settings.focus {
        outcome.findings.retain(|finding| focus.touches(sources, finding));
        outcome.broken_input = input.broken.iter().any(|file| focus.holds(sources, *file));
    }

    outcome.secrets = trees.secrets();
    outcome.summary = Summary {
        configuration: settings.configuration.clone(),
        files: sources.len() - settings.context.len(),
        documents: input.documents,
        resources: input.resources.len(),
        clusters: if several { layout.clusters.into_iter().map(|c| c.name).collect() } else { Vec::new() },
        rules: on.iter().filter(|on| **on).count(),
        judged: judged.len(),
        idle: (0..set.rules.len()).filter(|n| on[*n] && !judged.contains(n)).map(|n| set.rules[n].id.clone()).collect(),
        today: settings.declared.today.clone(),
        suppressed: answer.suppressed.len(),
        compared,
        out_of_focus: found - outcome.findings.len(),
        unknown: unknown
            .into_iter()
            .map(|(what, rules)| unknown_thing(what, rules.len(), &settings.declared))
            .collect(),
        skipped: input.skipped.into_iter().chain(rest_note(rest)).collect(),
        ..Summary::default()
    };
    outcome
}

/// A word about files that no cluster of the configuration holds: they are judged by themselves.
fn rest_note(files: usize) -> Option<Skipped> {
    let what = if files == 1 { "a file matches".to_string() } else { format!("{files} files match") };
    let reason = format!("{what} no pattern of the clusters and is judged apart; `plimsoll clusters` lists what");
    (files > 0).then(|| Skipped { path: layout::REST.to_string(), reason, notable: true })
}

/// Which resources of the texts go to which cluster.
pub fn clusters(sources: &Sources, settings: &Settings) -> Layout {
    let trees = Arc::new(parse(sources, settings.jobs, &settings.progress));
    lay_out(sources, &read(sources, &trees, settings), settings)
}

fn lay_out(sources: &Sources, input: &Read, settings: &Settings) -> Layout {
    let path_of = |file| settings.path_of(sources.file(file));
    Layout::new(sources, &input.resources, &settings.clusters, &settings.declared, path_of)
}

/// What the rules find in one cluster, and what Rust finds there.
fn judge(
    sources: &Sources,
    input: &Read,
    (cluster, unseen, deleted): (&Cluster, Vec<Elsewhere>, HashMap<Identity, String>),
    rules: &[rule::Setting],
    taken: &[Taken],
    loaded: &Loaded,
    settings: &Settings,
) -> run::Ran {
    settings.progress.begin(Stage::Mesh, 0);
    let trees = &input.trees;
    let resources: Vec<Resource> = cluster.resources.iter().map(|n| input.resources[*n].clone()).collect();
    let mut elsewhere = layout::elsewhere::brought(trees, resources.iter(), &input.folders);
    elsewhere.extend(unseen);
    let declared = Declared { deleted, ..cluster.declared.clone() };
    let mesh = Mesh::new(&cluster.name, trees.clone(), resources, declared, elsewhere);
    let mesh = Arc::new(mesh);
    let mut ran = run::run(&mesh, loaded, rules, taken, settings.jobs, &settings.progress);
    settings.progress.begin(Stage::Report, 0);
    let set = &loaded.set;
    let is_on = |id: &str| set.rules.iter().zip(rules).any(|(rule, s)| rule.id.as_str() == id && s.on);
    if is_on(native::UNREADABLE_VALUE) {
        // What a rule speaks of needs no second finding.
        let spoken: HashSet<Span> = ran.findings.iter().map(|f| f.primary.span).collect();
        ran.unreadable.retain(|(place, _)| !spoken.contains(&mesh.trees.node(*place).place()));
        ran.unreadable.extend(mesh.installation.broken.iter().map(|place| (*place, "YAML or JSON")));
        let values = ran.unreadable.iter().map(|(place, wanted)| native::unreadable_value(&mesh, set, *place, wanted));
        ran.findings.extend(values.collect::<Vec<_>>());
        ran.findings.extend(mesh.reach.refused().iter().map(|refused| native::refused_policy(&mesh, set, refused)));
    }
    if is_on(native::ALTERNATIVES) {
        let folder = |id| {
            let name = &sources.file(mesh.resource(id).file).name;
            name.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_string())
        };
        ran.findings.extend(native::alternatives(&mesh, set, folder));
    }
    note_missing_installation(&mesh, loaded, rules, &mut ran.unknown);
    ran
}

/// The trees of all texts, in the order of the texts, parsed on at most `jobs` threads.
fn parse(sources: &Sources, jobs: usize, progress: &Progress) -> Trees {
    progress.begin(Stage::Parse, sources.len());
    let next = AtomicUsize::new(0);
    let done: Mutex<BTreeMap<usize, Tree>> = Mutex::default();
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= sources.len() {
                break;
            }
            let id = FileId(index as u32);
            let tree = yaml::parse::parse(id, sources.file(id).text.clone());
            done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(index, tree);
            progress.advance(1);
        }
    };
    let threads = jobs.clamp(1, sources.len().max(1));
    if threads == 1 {
        work();
    } else {
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(work);
            }
        });
    }
    Trees::new(done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).into_values())
}

/// What the texts hold.
#[derive(Default)]
struct Read {
    trees: Arc<Trees>,
    resources: Vec<Resource>,
    /// Trees that hold a resource.
    used: HashSet<u32>,
    errors: Vec<Error>,
    skipped: Vec<Skipped>,
    documents: usize,
    /// Files that are manifests and could not be read as a whole.
    broken: BTreeSet<FileId>,
    folders: Folders,
    /// What kustomizations and charts add that no file shows, with the folder of each.
    unseen: Vec<(String, Elsewhere)>,
}

fn read(sources: &Sources, trees: &Arc<Trees>, settings: &Settings) -> Read {
    let kustomize = Kustomize::read(sources, trees);
    let folders = Folders::new(sources.iter().map(|(_, file)| file.name.as_str()));
    let mut read = Read { trees: trees.clone(), folders, ..Read::default() };
    read.note_unseen(&kustomize, settings);
    let mut patched: BTreeMap<String, usize> = BTreeMap::new();
    for (number, tree) in trees.files() {
        let file = sources.file(tree.file);
        if file.unreadable.is_some() {
            read.broken.insert(tree.file);
            continue;
        }
        let mut skip = |reason: &str| {
            read.skipped.push(Skipped { path: file.name.clone(), reason: reason.to_string(), notable: false });
        };
        if yaml::is_template_text(tree) {
            skip("a template that has to be rendered first");
            continue;
        }
        let mut found = resource::find(trees, number, &settings.namespace, file.name == source::walk::STDIN);
        read.documents += found.documents;
        let unreadable = tree.is_broken();
        let is_manifest = !found.resources.is_empty()
            || resource::looks_like_one(tree.text())
            || settings.named.contains(&layout::path::normal(&file.name));
        let no_manifest = kustomize.passed_over(&file.name);
        if let Some(reason) = no_manifest {
            found.resources.clear();
            if !settings.context.contains(&file.name) {
                skip(reason);
            }
        }
        if found.resources.is_empty() && !(unreadable && is_manifest) {
            if no_manifest.is_none() {
                skip(if unreadable {
                    "no YAML that can be read, and no sign of Kubernetes"
                } else {
                    "no Kubernetes resource"
                });
            }
            continue;
        }
        read.used.insert(number);
        if unreadable {
            read.broken.insert(tree.file);
        }
        read.errors.extend(
            tree.errors.iter().filter(|e| is_manifest || !matches!(e.kind, ErrorKind::DuplicateKey(_))).cloned(),
        );
        for resource in &mut found.resources {
            for kustomization in kustomize.mark(&file.name, trees, resource) {
                *patched.entry(kustomization.to_string()).or_default() += 1;
            }
        }
        read.resources.extend(found.resources);
    }
    patched.retain(|kustomization, _| !settings.context.contains(kustomization));
    for (kustomization, count) in patched {
        let what =
            if count == 1 { "it patches a resource".to_string() } else { format!("it patches {count} resources") };
        let folder = layout::path::folder(&kustomization);
        let folder = if folder.is_empty() { "." } else { folder };
        let reason = format!("{what}; render it: kustomize build {folder} | plimsoll check -");
        read.skipped.push(Skipped { path: kustomization, reason, notable: true });
    }
    read
}

impl Read {
    /// What kustomizations and charts bring, and a word about what they name and nobody gave.
    fn note_unseen(&mut self, kustomize: &Kustomize, settings: &Settings) {
        for unseen in kustomize.unseen() {
            let folder = layout::path::folder(&layout::path::normal(&unseen.by)).to_string();
            let kind = unseen.kind.map(|kind| (String::new(), kind.to_string()));
            self.unseen.push((folder, Elsewhere { kind, namespace: None, named: true }));
            if let Some(reference) = unseen.reference.as_ref().filter(|_| !settings.context.contains(&unseen.by)) {
                let remote = ["://", "github.com", "git@", "?ref="].iter().any(|part| reference.contains(part));
                let reason = match remote {
                    true => format!("it adds {reference}, which is not looked at"),
                    false => format!("it adds {reference}, which was not read; check both together"),
                };
                self.skipped.push(Skipped { path: unseen.by.clone(), reason, notable: !remote });
            }
        }
        // Where the manifests of a chart go, and whether they do, only its release says.
        let chart = |folder: &str| (folder.to_string(), Elsewhere { kind: None, namespace: None, named: false });
        self.unseen.extend(self.folders.charts().map(chart).collect::<Vec<_>>());
    }

    /// What comes to a cluster unseen: from folders in which it has files, and from those in which none has.
    fn unseen_in(&self, number: usize, layout: &Layout, sources: &Sources, all: &Folders) -> Vec<Elsewhere> {
        let own = folders_of(sources, layout.files.iter().filter(|a| a.clusters.contains(&number)));
        let several = layout.clusters.len() > 1;
        let comes = |folder: &str| !several || own.has_files(folder) || !all.has_files(folder);
        self.unseen.iter().filter(|(folder, _)| comes(folder)).map(|(_, elsewhere)| elsewhere.clone()).collect()
    }
}

/// The folders of files with resources.
fn folders_of<'a>(sources: &Sources, files: impl Iterator<Item = &'a layout::Assigned>) -> Folders {
    Folders::new(files.map(|assigned| sources.file(assigned.file).name.as_str()))
}

/// Gives a finding that Rust made the resource that it lies in.
fn own(found: &mut Finding, trees: &Trees, resources: &[Resource]) {
    if found.resource.is_some() {
        return;
    }
    let span = found.primary.span;
    let extent = |r: &Resource| trees.node(r.root).span();
    // Resources stand in the order of the files and never overlap.
    let after = resources.partition_point(|r| (r.file, extent(r).start) <= (span.file, span.start));
    let owner = after.checked_sub(1).map(|last| &resources[last]);
    if let Some(resource) = owner.filter(|r| extent(r).contains(span)) {
        found.resource = Some(resource.reference());
        found.primary.template = resource.template.as_deref().map(str::to_string);
        found.fingerprint = run::fingerprint(found.rule.as_str(), found.resource.as_ref(), &found.message);
    }
}

/// Canonical order: path, place, rule, message, cluster; files are numbered by path. What is said
/// twice, or in several clusters, is said once.
pub(crate) fn put_in_order(findings: &mut Vec<Finding>) {
    let key = |f: &Finding| {
        let place = &f.primary;
        (place.span.file, place.span.start, f.rule.clone(), f.message.clone(), place.span.end, place.yaml_path.clone())
    };
    findings.sort_by_cached_key(|f| (key(f), f.clusters.clone()));
    findings.dedup_by(|next, first| {
        let same = key(next) == key(first) && next.primary == first.primary;
        if same {
            first.severity = first.severity.max(next.severity);
            first.clusters.append(&mut next.clusters);
            first.clusters.dedup();
            // In another cluster another file may take part.
            next.labels.retain(|label| !first.labels.contains(label));
            first.labels.append(&mut next.labels);
        }
        same
    });
}

/// Rules about the installation that had nothing to judge, where nothing of one was read.
fn note_missing_installation(
    mesh: &Mesh,
    loaded: &Loaded,
    rules: &[rule::Setting],
    unknown: &mut BTreeMap<String, BTreeSet<usize>>,
) {
    use rule::header::{Role, Subject};
    if mesh.has_installation() || mesh.resources.is_empty() {
        return;
    }
    let needs = [Role::Istiod, Role::MeshConfig, Role::InjectorConfig, Role::IstiodService];
    let silent = loaded.set.rules.iter().zip(rules).enumerate().filter(|(_, (rule, setting))| {
        setting.on && rule.subjects().iter().all(|s| matches!(s, Subject::Role(role) if needs.contains(role)))
    });
    let silent: BTreeSet<usize> = silent.filter(|(_, (rule, _))| !rule.header.native).map(|(n, _)| n).collect();
    if !silent.is_empty() {
        let what = match mesh.unrendered_installation() {
            Some(id) => {
                let resource = mesh.resource(id);
                format!("Istio installation, which {} \"{}\" brings", resource.kind, resource.name)
            }
            None => "Istio installation".to_string(),
        };
        unknown.entry(what).or_default().extend(silent);
    }
}

/// How something that is not known can be declared.
fn unknown_thing(what: String, rules: usize, declared: &mesh::Declared) -> Unknown {
    let declare = if what.starts_with("Istio installation, which") {
        Some("render it")
    } else if what.starts_with("labels of namespace") {
        Some("--assume injection=sidecar")
    } else if what.contains("version of Istio") {
        Some("--assume istio=1.30")
    } else if what.contains("version of Kubernetes") {
        Some("--assume kubernetes=1.34")
    } else if what == "platform" {
        Some("--assume platform=gke")
    } else if what == "CNI plugin" {
        Some("--assume cni=cilium")
    } else if what.contains(" of namespace ") && declared.complete.is_empty() {
        Some("--complete")
    } else {
        None
    };
    Unknown { what, rules, declare: declare.map(str::to_string) }
}
