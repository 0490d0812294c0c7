//! plimsoll tells whether a service mesh is fit for production before anything is applied.
//!
//! The journey of the data, and the module that owns each step:
//!
//! | step | module | what comes out |
//! |---|---|---|
//! | source | [`source`] | every text with its name, ordered by path |
//! | yaml | [`yaml`] | a span tree: every key and every value knows its bytes |
//! | resource | `input`, [`resource`] | Kubernetes resources, items of lists included |
//! | layout | [`layout`] | which resources go to which cluster, and what kustomize makes of them |
//! | mesh | [`mesh`] | one cluster's resources, indexed once: facts without opinions |
//! | rule | [`rule`] | rules as plain data: header, page, examples |
//! | script | [`script`] | the rule language; the only place that knows Rhai |
//! | run | [`run`] | rules × resources → findings |
//! | finding | [`finding`], [`native`] | findings with places and edits; those that Rust makes itself |
//! | judgement | [`suppress`], [`baseline`], [`change`] | what is switched off, by whom; what a change did not do |
//! | ending | [`report`], [`fix`] | text for people and programs; edited files |
//! | plan | [`plan`] | from the meshes alone: what the mesh asks for, and what it will need |
//!
//! [`check`] is that journey on one screen. Configuration and flags become [`config::Settings`];
//! [`cli`] is the only place that prints and writes files.

pub mod baseline;
pub mod change;
pub mod cli;
pub mod config;
pub mod example;
pub mod finding;
pub mod fix;
mod input;
pub mod kinds;
pub mod layout;
pub mod mesh;
pub mod native;
pub mod plan;
pub mod progress;
pub mod report;
pub mod resource;
pub mod rule;
pub mod run;
pub mod script;
pub mod source;
pub mod spelling;
pub mod suppress;
pub mod units;
pub mod values;
pub mod yaml;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use change::{Before, Touch};
use config::Settings;
use finding::{Finding, Problem, Severity};
use input::{Read, folders_of};
use layout::{Cluster, Layout};
use mesh::absence::Elsewhere;
use mesh::{Declared, Mesh};
use progress::Stage;
use report::{Skipped, Summary, Unknown};
use resource::Resource;
use run::Loaded;
use script::Taken;
use source::{SourceFile, Sources, Span};
use suppress::Suppressed;
use yaml::Trees;

/// What a check came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Active findings in canonical order, infos included.
    pub findings: Vec<Finding>,
    /// Findings that are switched off, in canonical order.
    pub suppressed: Vec<Suppressed>,
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
    /// Fingerprints in the baseline that match nothing.
    pub stale: Vec<String>,
    /// Findings that came after an empty look-up without resting on it; `plimsoll test` fails them.
    pub unfounded: Vec<Finding>,
}

/// Checks texts by rules: the whole pipeline, without reading or writing a file.
pub fn check(sources: &Sources, loaded: &Loaded, settings: &Settings) -> Outcome {
    let trees = Arc::new(input::parse(sources, settings.jobs, &settings.progress));
    settings.progress.begin(Stage::Resources, 0);
    let input = input::read(sources, &trees, settings);
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
        let (unseen, releases) = input.unseen_in(number, &layout, sources, &all_folders);
        let resources = || cluster.resources.iter().map(|n| &input.resources[*n]);
        if settings.remember {
            outcome.before.remember_resources(sources, &trees, &cluster.name, resources());
        }
        let deleted = settings.before.as_ref().map(|before| before.deleted(&cluster.name, resources()));
        let declared = Declared {
            deleted: deleted.unwrap_or_default(),
            chart_defaults: loaded.chart_defaults.clone(),
            releases,
            ..cluster.declared.clone()
        };
        let mut part = judge(sources, &input, (cluster, declared, unseen), &rules, &taken, loaded, settings);
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
    settings.grade_native(&mut outcome.findings, set);
    put_in_order(&mut outcome.findings);
    run::number_fingerprints(&mut outcome.findings, |finding| set_of(sources, finding));
    let findings = std::mem::take(&mut outcome.findings);
    // What concerns an installation that was not read is no word about what was read.
    let doubts = unknown.iter().filter(|(what, _)| !what.starts_with(INSTALLATION));
    let doubtful: BTreeSet<usize> = doubts.flat_map(|(_, rules)| rules).chain(&failed).copied().collect();
    let mut answer = suppressed(findings, (sources, &input), set, &doubtful, settings);
    answer.extra.retain(|finding| is_on(finding.rule.as_str()));
    settings.grade_native(&mut answer.extra, set);
    outcome.findings = answer.active;
    outcome.findings.append(&mut answer.extra);
    put_in_order(&mut outcome.findings);
    if settings.remember {
        outcome.before.remember(sources, &outcome.findings);
    }
    let compared = settings.before.as_ref().map(|before| before.compare(sources, &mut outcome.findings));
    let found = outcome.findings.len();
    if let Some(focus) = &settings.focus {
        let touch = focus.touch(sources);
        outcome.findings.retain(|finding| change::touches(&touch, finding));
        outcome.broken_input = input.broken.iter().any(|file| touch[file.0 as usize] != Touch::Nothing);
    }

    let out_of_focus = found - outcome.findings.len();
    fold_sets(sources, &mut outcome.findings);

    outcome.secrets = trees.secrets();
    outcome.summary = Summary {
        configuration: settings.configuration.clone(),
        files: sources.len() - settings.context.len() - settings.suppressing.texts().count(),
        documents: input.documents,
        // A chart around one of Istio's is checked as the release that it makes.
        resources: input.resources.len() + input.umbrellas.len(),
        clusters: if several { layout.clusters.into_iter().map(|c| c.name).collect() } else { Vec::new() },
        rules: on.iter().filter(|on| **on).count(),
        judged: judged.len(),
        idle: (0..set.rules.len()).filter(|n| on[*n] && !judged.contains(n)).map(|n| set.rules[n].id.clone()).collect(),
        today: settings.declared.today.clone(),
        answered: judged.difference(&failed).map(|n| set.rules[*n].id.clone()).collect(),
        suppressed: answer.suppressed.len(),
        baselined: answer.baselined,
        compared,
        out_of_focus,
        unknown: unknown
            .into_iter()
            .map(|(what, rules)| unknown_thing(what, rules.len(), &settings.declared))
            .collect(),
        skipped: input.skipped.into_iter().chain(rest_note(rest)).collect(),
        ..Summary::default()
    };
    outcome.suppressed = answer.suppressed;
    outcome.stale = answer.stale;
    outcome
}

/// What stays of findings after comments, annotations, the configuration and the baseline had their say.
fn suppressed(
    findings: Vec<Finding>,
    (sources, input): (&Sources, &Read),
    set: &rule::RuleSet,
    doubtful: &BTreeSet<usize>,
    settings: &Settings,
) -> suppress::Outcome {
    let suppressing = &settings.suppressing;
    if suppressing.off {
        return suppress::Outcome { active: findings, ..suppress::Outcome::default() };
    }
    let mut suppressions = Vec::new();
    let mut resources = input.resources.as_slice();
    for (number, tree) in input.trees.files() {
        let is = |file: &Option<Arc<SourceFile>>| {
            file.as_ref().is_some_and(|file| file.name == sources.file(tree.file).name)
        };
        if is(&suppressing.configuration) {
            suppressions.extend(suppress::of_configuration(tree));
        } else if is(&suppressing.baseline) {
            suppressions.extend(suppress::of_baseline(tree.file, sources.file(tree.file)));
        } else if input.used.contains(&number) {
            // Resources stand in the order of the files.
            let own;
            (own, resources) = resources.split_at(resources.partition_point(|r| r.file <= tree.file));
            suppressions.extend(suppress::of_manifest(tree, own.iter().map(|r| (input.trees.node(r.root), r))));
        }
    }
    let scene = suppress::Scene {
        today: &settings.declared.today,
        names: &set.names(),
        all_rules: settings.all_rules,
        doubtful: &doubtful.iter().flat_map(|number| set.rules[*number].names()).collect(),
        path_of_template: &|template| settings.path_of_name(template),
        path_of: &|file| settings.path_of(sources.file(file)),
        resources: &input.resources,
        whole_project: suppressing.whole_project,
        whole_baseline: suppressing.whole_baseline,
    };
    let mut answer = suppress::apply(findings, &suppressions, &scene);
    // What is of no use with one set of values may be with another.
    answer.extra.retain(|finding| finding.rule.as_str() != suppress::UNUSED || set_of(sources, finding).is_empty());
    for finding in &mut answer.extra {
        // What was rendered is never edited.
        if sources.file(finding.primary.span.file).path.is_none() {
            finding.fixes.clear();
        }
        if let Some(rule) = set.rules.iter().find(|r| r.id == finding.rule) {
            finding.why.clone_from(&rule.page.why);
        }
        own(finding, &input.trees, &input.resources);
        if finding.fingerprint.is_empty() {
            finding.fingerprint = run::fingerprint(finding.rule.as_str(), None, &finding.message);
        }
    }
    run::number_fingerprints(&mut answer.extra, |finding| set_of(sources, finding));
    answer
}

/// A word about files that no cluster of the configuration holds: they are judged by themselves.
fn rest_note(files: usize) -> Option<Skipped> {
    let what = if files == 1 { "a file matches".to_string() } else { format!("{files} files match") };
    let reason = format!("{what} no pattern of the clusters and is judged apart; `plimsoll clusters` lists what");
    (files > 0).then(|| Skipped { path: layout::REST.to_string(), reason, notable: true })
}

/// Which resources of the texts go to which cluster.
pub fn clusters(sources: &Sources, settings: &Settings) -> Layout {
    let trees = Arc::new(input::parse(sources, settings.jobs, &settings.progress));
    lay_out(sources, &input::read(sources, &trees, settings), settings)
}

fn lay_out(sources: &Sources, input: &Read, settings: &Settings) -> Layout {
    let path_of = |file| settings.path_of(sources.file(file));
    Layout::new(sources, &input.resources, &settings.clusters, &settings.declared, path_of)
}

/// What a plan is made from: the meshes of the input, without any rule having run.
#[derive(Debug, Default)]
pub struct Survey {
    /// Each cluster's mesh, and how each rule takes part in it, for its parameters.
    pub clusters: Vec<(Mesh, Vec<rule::Setting>)>,
    /// Names of manifests that could not be read as a whole.
    pub broken: Vec<String>,
    /// What was left out.
    pub skipped: Vec<Skipped>,
}

/// Reads texts up to the meshes.
pub fn survey(sources: &Sources, loaded: &Loaded, settings: &Settings) -> Survey {
    let trees = Arc::new(input::parse(sources, settings.jobs, &settings.progress));
    let input = input::read(sources, &trees, settings);
    let layout = lay_out(sources, &input, settings);
    let conditions = settings.conditions(sources);
    let all_folders = folders_of(sources, layout.files.iter());
    let clusters = layout.clusters.iter().enumerate().filter(|(_, cluster)| !cluster.resources.is_empty());
    let clusters = clusters.map(|(number, cluster)| {
        let (unseen, releases) = input.unseen_in(number, &layout, sources, &all_folders);
        let chart_defaults = loaded.chart_defaults.clone();
        let declared = Declared { chart_defaults, releases, ..cluster.declared.clone() };
        let mesh = mesh_of(&input, cluster, declared, unseen);
        (mesh, settings.rules_in(cluster, &loaded.set, &conditions))
    });
    Survey {
        clusters: clusters.collect(),
        broken: input.broken.iter().map(|file| sources.file(*file).name.clone()).collect(),
        skipped: input.skipped.clone(),
    }
}

/// The index of one cluster.
fn mesh_of(input: &Read, cluster: &Cluster, mut declared: Declared, unseen: Vec<Elsewhere>) -> Mesh {
    let resources: Vec<Resource> = cluster.resources.iter().map(|n| input.resources[*n].clone()).collect();
    let mut elsewhere = layout::elsewhere::brought(&input.trees, resources.iter(), &input.folders);
    elsewhere.extend(unseen);
    // A dump says of which kinds it holds all.
    let dumps: BTreeSet<u32> = resources.iter().filter(|r| r.live).map(|r| r.root.tree).collect();
    let collected = dumps.iter().flat_map(|tree| resource::collected(input.trees.tree(*tree)));
    declared.complete.extend(collected.map(str::to_string));
    Mesh::new(&cluster.name, input.trees.clone(), resources, declared, elsewhere)
}

/// What the rules find in one cluster, and what Rust finds there.
fn judge(
    sources: &Sources,
    input: &Read,
    (cluster, declared, unseen): (&Cluster, Declared, Vec<Elsewhere>),
    rules: &[rule::Setting],
    taken: &[Taken],
    loaded: &Loaded,
    settings: &Settings,
) -> run::Ran {
    settings.progress.begin(Stage::Mesh, 0);
    let mesh = Arc::new(mesh_of(input, cluster, declared, unseen));
    let mut ran = run::run(&mesh, loaded, rules, taken, settings.jobs, &settings.progress);
    settings.progress.begin(Stage::Report, 0);
    for finding in ran.findings.iter_mut().filter(|finding| finding.values.is_empty()) {
        finding.values.extend(values::candidates(sources.file(finding.primary.span.file), finding));
    }
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

/// The set of values files that the text of a finding is rendered with; empty where there is only one.
fn set_of<'s>(sources: &'s Sources, finding: &Finding) -> &'s str {
    sources.file(finding.primary.span.file).rendered.as_ref().map_or("", |rendered| rendered.set.as_str())
}

/// What is found alike in renderings of one chart with several sets of values is one finding. Until here
/// they were several: one set may have what another has not, a suppression for example.
fn fold_sets(sources: &Sources, findings: &mut Vec<Finding>) {
    let mut firsts: HashMap<(String, String, String, Severity), usize> = HashMap::new();
    let mut folded: Vec<Finding> = Vec::with_capacity(findings.len());
    for mut finding in findings.drain(..) {
        let file = sources.file(finding.primary.span.file);
        if let Some(rendered) = file.rendered.as_ref().filter(|rendered| !rendered.set.is_empty()) {
            let same = (finding.fingerprint.clone(), finding.message.clone(), finding.severity);
            match firsts.entry((rendered.folder.clone(), same.0, same.1, same.2)) {
                Entry::Occupied(first) => {
                    let clusters = &mut folded[*first.get()].clusters;
                    clusters.append(&mut finding.clusters);
                    clusters.sort();
                    clusters.dedup();
                    continue;
                }
                Entry::Vacant(first) => first.insert(folded.len()),
            };
        }
        folded.push(finding);
    }
    *findings = folded;
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

/// Rules about the installation that had nothing to judge, where nothing of one was read, or that may have
/// missed something, where some of its values stand elsewhere.
fn note_missing_installation(
    mesh: &Mesh,
    loaded: &Loaded,
    rules: &[rule::Setting],
    unknown: &mut BTreeMap<String, BTreeSet<usize>>,
) {
    use rule::header::{Role, Subject};
    let called = |id| format!("{} \"{}\"", mesh.resource(id).kind, mesh.resource(id).name);
    let what = match (mesh.partly_shown_installation(), mesh.unrendered_installation()) {
        _ if mesh.resources.is_empty() => return,
        (Some(id), _) => format!("{ELSEWHERE} {}", called(id)),
        _ if mesh.has_installation() => return,
        (None, Some(id)) => format!("{INSTALLATION}, which {} brings", called(id)),
        (None, None) => INSTALLATION.to_string(),
    };
    let needs = [Role::Istiod, Role::MeshConfig, Role::InjectorConfig, Role::IstiodService];
    let silent = loaded.set.rules.iter().zip(rules).enumerate().filter(|(_, (rule, setting))| {
        setting.on && rule.subjects().iter().all(|s| matches!(s, Subject::Role(role) if needs.contains(role)))
    });
    let silent: BTreeSet<usize> = silent.filter(|(_, (rule, _))| !rule.header.native).map(|(n, _)| n).collect();
    if !silent.is_empty() {
        unknown.entry(what).or_default().extend(silent);
    }
}

/// What is not known where nothing of an installation was read.
const INSTALLATION: &str = "Istio installation";

/// What is not known where a release takes values from elsewhere.
const ELSEWHERE: &str = "values from elsewhere of";

/// How something that is not known can be declared.
fn unknown_thing(what: String, rules: usize, declared: &mesh::Declared) -> Unknown {
    let declare = if what.starts_with("Istio installation, which") || what.starts_with(ELSEWHERE) {
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
