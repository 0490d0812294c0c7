//! plimsoll tells whether a service mesh is fit for production before anything is applied.
//!
//! The journey of the data, and the module that owns each step:
//!
//! | step | module | what comes out |
//! |---|---|---|
//! | source | [`source`] | every text with its name, ordered by path |
//! | yaml | [`yaml`] | a span tree: every key and every value knows its bytes |
//! | resource | [`resource`] | Kubernetes resources, items of lists included |
//! | mesh | [`mesh`] | one cluster's resources, indexed once: facts without opinions |
//! | rule | [`rule`] | rules as plain data: header, page, examples |
//! | script | [`script`] | the rule language; the only place that knows Rhai |
//! | run | [`run`] | rules × resources → findings |
//! | finding | [`finding`], [`native`] | findings with places and edits; those that Rust makes itself |
//! | judgement | [`suppress`] | what comments switch off |
//! | ending | [`report`], [`fix`] | text for people and programs; edited files |
//!
//! [`check`] is that journey on one screen. Configuration and flags become [`config::Settings`];
//! [`cli`] is the only place that prints and writes files.

pub mod cli;
pub mod config;
pub mod example;
pub mod finding;
pub mod fix;
pub mod kinds;
pub mod mesh;
pub mod native;
pub mod report;
pub mod resource;
pub mod rule;
pub mod run;
pub mod script;
pub mod source;
pub mod suppress;
pub mod units;
pub mod yaml;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use config::Settings;
use finding::{Finding, Problem};
use mesh::Mesh;
use report::{Skipped, Summary, Unknown};
use resource::Resource;
use run::Loaded;
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
    /// Findings that came after an empty look-up without resting on it; `plimsoll test` fails them.
    pub unfounded: Vec<Finding>,
}

/// Checks texts by rules: the whole pipeline, without reading or writing a file.
pub fn check(sources: &Sources, loaded: &Loaded, settings: &Settings) -> Outcome {
    let trees = Arc::new(parse(sources, settings.jobs));
    let input = read(sources, &trees, settings);
    let mesh = Arc::new(Mesh::new("", trees.clone(), input.resources, settings.declared.clone()));
    let ran = run::run(&mesh, loaded, &settings.rules, settings.jobs);

    let set = &loaded.set;
    let mut findings = ran.findings;
    let is_on = |id: &str| set.rules.iter().zip(&settings.rules).any(|(rule, s)| rule.id.as_str() == id && s.on);
    // What can't be read is shown whatever is selected: the exit status speaks of it.
    let errors = input.errors.iter().map(|error| owned(&mesh, native::yaml_error(set, error)));
    findings.extend(errors.filter(|f| f.rule.as_str() == native::INVALID || is_on(f.rule.as_str())));
    if is_on(native::UNREADABLE_VALUE) {
        let mut unreadable = ran.unreadable;
        unreadable.extend(mesh.installation.broken.iter().map(|place| (*place, "YAML or JSON")));
        findings.extend(unreadable.iter().map(|(place, wanted)| native::unreadable_value(&mesh, set, *place, wanted)));
        findings.extend(mesh.reach.refused().iter().map(|refused| native::refused_policy(&mesh, set, refused)));
    }
    if is_on(native::ALTERNATIVES) {
        let folder = |id| {
            let name = &sources.file(mesh.resource(id).file).name;
            name.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_string())
        };
        findings.extend(native::alternatives(&mesh, set, folder));
    }
    put_in_order(&mut findings);

    let suppressions: Vec<_> =
        trees.files().filter(|(n, _)| input.used.contains(n)).flat_map(|(_, tree)| suppress::parse(tree)).collect();
    let names = set.names();
    let judged = suppress::apply(findings, &suppressions, &settings.declared.today, settings.all_rules, &names);
    let mut findings = judged.active;
    for mut about_comment in judged.extra.into_iter().filter(|f| is_on(f.rule.as_str())) {
        if let Some(rule) = set.rules.iter().find(|r| r.id == about_comment.rule) {
            about_comment.why.clone_from(&rule.page.why);
        }
        findings.push(owned(&mesh, about_comment));
    }
    put_in_order(&mut findings);
    run::number_fingerprints(&mut findings);

    let mut unknown = ran.unknown;
    note_missing_installation(&mesh, loaded, settings, &mut unknown);
    Outcome {
        findings,
        problems: ran.problems,
        broken_input: input.broken,
        secrets: secrets(sources, &mesh),
        unfounded: ran.unfounded,
        summary: Summary {
            files: sources.len(),
            documents: input.documents,
            resources: mesh.resources.len(),
            rules: settings.rules.iter().filter(|s| s.on).count(),
            judged: ran.judged.len()
                + set.rules.iter().zip(&settings.rules).filter(|(r, s)| r.header.native && s.on).count(),
            today: settings.declared.today.clone(),
            suppressed: judged.suppressed.len(),
            unknown: unknown.into_iter().map(|(what, rules)| unknown_thing(what, rules.len())).collect(),
            skipped: input.skipped,
            ..Summary::default()
        },
    }
}

/// The trees of all texts, in the order of the texts, parsed on at most `jobs` threads.
fn parse(sources: &Sources, jobs: usize) -> Trees {
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
    resources: Vec<Resource>,
    /// Trees that hold a resource.
    used: HashSet<u32>,
    errors: Vec<Error>,
    skipped: Vec<Skipped>,
    documents: usize,
    broken: bool,
}

fn read(sources: &Sources, trees: &Trees, settings: &Settings) -> Read {
    let mut read = Read::default();
    for (number, tree) in trees.files() {
        let file = sources.file(tree.file);
        let skip = |reason: &str, notable| Skipped { path: file.name.clone(), reason: reason.to_string(), notable };
        if yaml::is_template_text(tree) {
            read.skipped.push(skip("a template that has to be rendered first", false));
            continue;
        }
        let found = resource::find(trees, number, &settings.namespace, file.name == source::walk::STDIN);
        read.documents += found.documents;
        let unreadable = tree.is_broken();
        let is_manifest =
            !found.resources.is_empty() || looks_like_manifest(tree.text()) || settings.named.contains(&file.name);
        if found.resources.is_empty() && !(unreadable && is_manifest) {
            read.skipped.push(skip(
                if unreadable {
                    "no YAML that can be read, and no sign of Kubernetes"
                } else {
                    "no Kubernetes resource"
                },
                false,
            ));
            continue;
        }
        read.used.insert(number);
        read.broken |= unreadable;
        read.errors.extend(
            tree.errors.iter().filter(|e| is_manifest || !matches!(e.kind, ErrorKind::DuplicateKey(_))).cloned(),
        );
        read.resources.extend(found.resources);
    }
    read
}

/// `apiVersion:` or `kind:` at the start of a line.
fn looks_like_manifest(text: &str) -> bool {
    ["apiVersion:", "kind:"].iter().any(|key| text.starts_with(key) || text.contains(&format!("\n{key}")))
}

/// Gives a finding that Rust made the resource that it lies in.
fn owned(mesh: &Mesh, mut found: Finding) -> Finding {
    let span = found.primary.span;
    let owner = mesh.resources.iter().find(|r| r.file == span.file && mesh.trees.node(r.root).span().contains(span));
    if let Some(resource) = owner.filter(|_| found.resource.is_none()) {
        found.resource = Some(resource.reference());
        found.primary.template = resource.template.as_deref().map(str::to_string);
        found.fingerprint = run::fingerprint(found.rule.as_str(), found.resource.as_ref(), &found.message);
    }
    found
}

/// Canonical order: path, place, rule, message; files are numbered by path. What is said twice is
/// said once.
pub(crate) fn put_in_order(findings: &mut Vec<Finding>) {
    let key = |f: &Finding| (f.primary.span.file, f.primary.span.start, f.rule.clone(), f.message.clone());
    findings.sort_by_key(key);
    findings.dedup_by(|a, b| key(a) == key(b) && a.primary == b.primary);
}

/// Rules about the installation that had nothing to judge, where nothing of one was read.
fn note_missing_installation(
    mesh: &Mesh,
    loaded: &Loaded,
    settings: &Settings,
    unknown: &mut BTreeMap<String, BTreeSet<usize>>,
) {
    use rule::header::{Role, Subject};
    if mesh.has_installation() || mesh.resources.is_empty() {
        return;
    }
    let needs = [Role::Istiod, Role::MeshConfig, Role::InjectorConfig, Role::IstiodService];
    let silent = loaded.set.rules.iter().zip(&settings.rules).enumerate().filter(|(_, (rule, setting))| {
        setting.on && rule.subjects().iter().all(|s| matches!(s, Subject::Role(role) if needs.contains(role)))
    });
    let silent: BTreeSet<usize> = silent.filter(|(_, (rule, _))| !rule.header.native).map(|(n, _)| n).collect();
    if !silent.is_empty() {
        unknown.entry("Istio installation".to_string()).or_default().extend(silent);
    }
}

/// How something that is not known can be declared.
fn unknown_thing(what: String, rules: usize) -> Unknown {
    let declare = if what.starts_with("labels of namespace") {
        Some("--assume injection=sidecar")
    } else if what.contains("version of Istio") {
        Some("--assume istio=1.30")
    } else if what.contains("version of Kubernetes") {
        Some("--assume kubernetes=1.34")
    } else if what == "platform" {
        Some("--assume platform=gke")
    } else if what == "CNI plugin" {
        Some("--assume cni=cilium")
    } else if what.contains(" of namespace ") {
        Some("--complete")
    } else {
        None
    };
    Unknown { what, rules, declare: declare.map(str::to_string) }
}

/// Values of Secrets and private keys.
fn secrets(sources: &Sources, mesh: &Mesh) -> Vec<Span> {
    let mut spans = Vec::new();
    for secret in mesh.resources.iter().filter(|r| r.holds_secrets()) {
        let root = mesh.trees.node(secret.root);
        for key in ["data", "stringData"] {
            spans.extend(root.get(key).into_iter().flat_map(yaml::Node::entries).map(|(_, value)| value.span()));
        }
    }
    // Of a Secret that can't be read nobody knows where its values stand.
    for (_, tree) in mesh.trees.files().filter(|(_, tree)| tree.is_broken() && tree.text().contains("Secret")) {
        spans.push(Span::new(tree.file, 0, tree.text().len()));
    }
    for (id, file) in sources.iter() {
        let mut from = 0;
        while let Some(at) = file.text[from..].find("PRIVATE KEY-----").map(|n| from + n) {
            let body = at + "PRIVATE KEY-----".len();
            let end = file.text[body..].find("-----END").map_or(file.text.len(), |n| body + n);
            spans.push(Span::new(id, body, end));
            from = (end + "-----END".len()).min(file.text.len());
            // The end's own marker opens no other key: at most `ENCRYPTED ` stands before it.
            from += file.text[from..].find("PRIVATE KEY-----").map_or(0, |n| if n < 16 { n + 16 } else { 0 });
        }
    }
    spans
}
