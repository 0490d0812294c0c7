//! Texts to resources: which texts are manifests, what kustomize and charts make of them, and what they
//! name that is not there.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::config::Settings;
use crate::layout::elsewhere::Folders;
use crate::layout::kustomize::Kustomize;
use crate::layout::umbrella::{self, Umbrella};
use crate::layout::{self, Layout};
use crate::mesh::absence::Elsewhere;
use crate::mesh::release::Release;
use crate::progress::{Progress, Stage};
use crate::report::Skipped;
use crate::resource::{self, Origin, Resource};
use crate::source::render::Rendered;
use crate::source::{self, FileId, Sources};
use crate::yaml::{self, Error, ErrorKind, Tree, Trees};

/// The trees of all texts, in the order of the texts, parsed on at most `jobs` threads.
pub(crate) fn parse(sources: &Sources, jobs: usize, progress: &Progress) -> Trees {
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
pub(crate) struct Read {
    pub(crate) trees: Arc<Trees>,
    pub(crate) resources: Vec<Resource>,
    /// Trees that hold a resource.
    pub(crate) used: HashSet<u32>,
    pub(crate) errors: Vec<Error>,
    pub(crate) skipped: Vec<Skipped>,
    pub(crate) documents: usize,
    /// Files that are manifests and could not be read as a whole.
    pub(crate) broken: BTreeSet<FileId>,
    pub(crate) folders: Folders,
    /// What kustomizations and charts add that no file shows, with the folder of each.
    unseen: Vec<(String, Elsewhere)>,
    /// Charts around Istio's.
    pub(crate) umbrellas: Vec<Umbrella>,
}

/// Reads the resources of the texts, and notes what the texts name and do not hold.
pub(crate) fn read(sources: &Sources, trees: &Arc<Trees>, settings: &Settings) -> Read {
    let kustomize = Kustomize::read(sources, trees);
    let renderings = Renderings::of(sources);
    let manifests = sources.iter().filter(|(_, file)| !settings.suppressing.is_beside(&file.name));
    let mut folders = Folders::new(manifests.map(|(_, file)| file.name.as_str()));
    folders.forget_charts(&renderings.charts);
    let umbrellas = umbrella::releases(sources, trees);
    let mut read = Read { trees: trees.clone(), folders, umbrellas, ..Read::default() };
    read.note_unseen(&kustomize, &renderings, settings);
    let mut patched: BTreeMap<String, usize> = BTreeMap::new();
    for (number, tree) in trees.files() {
        let file = sources.file(tree.file);
        if settings.suppressing.is_beside(&file.name) {
            continue;
        }
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
        let rendered = file.rendered.as_deref();
        let origin = Origin {
            namespace: rendered.and_then(|r| r.namespace.as_deref()).unwrap_or(&settings.namespace),
            generated: rendered.is_some() || file.name == source::walk::STDIN,
            rendered,
        };
        let mut found = resource::find(trees, number, origin);
        read.documents += found.documents;
        let unreadable = tree.is_broken();
        let is_manifest = !found.resources.is_empty()
            || resource::looks_like_one(tree.text())
            || settings.named.contains(&layout::path::normal(&file.name));
        let rendered_by = kustomize.rendered_by(&file.name, &renderings.kustomizations);
        let rendered_by = rendered_by.map(|folder| format!("rendered by {}", shown(folder)));
        let no_manifest = kustomize.passed_over(&file.name).or(rendered_by.as_deref());
        if let Some(reason) = no_manifest {
            found.resources.clear();
            if !settings.context.contains(&file.name) {
                skip(reason);
            }
        }
        if found.resources.is_empty() && read.umbrellas.iter().any(|umbrella| umbrella.values == tree.file) {
            read.used.insert(number);
            continue;
        }
        if found.resources.is_empty() && !(unreadable && is_manifest) {
            if no_manifest.is_none() && rendered.is_none() {
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
    patched.retain(|kustomization, _| !settings.context.contains(kustomization) && !renderings.include(kustomization));
    for (kustomization, count) in patched {
        let what =
            if count == 1 { "it patches a resource".to_string() } else { format!("it patches {count} resources") };
        let folder = shown(layout::path::folder(&kustomization));
        let reason = format!("{what}; render it: --render, or kustomize build {folder} | plimsoll check -");
        read.skipped.push(Skipped { path: kustomization, reason, notable: true });
    }
    read
}

/// A folder for a command.
fn shown(folder: &str) -> &str {
    if folder.is_empty() { "." } else { folder }
}

/// What was rendered.
struct Renderings<'a> {
    sources: &'a Sources,
    /// Normal paths.
    charts: BTreeSet<String>,
    kustomizations: BTreeSet<String>,
    /// Folders that a rendering is made of.
    inputs: BTreeSet<&'a Path>,
}

impl<'a> Renderings<'a> {
    fn of(sources: &'a Sources) -> Renderings<'a> {
        let all: Vec<&Rendered> = sources.iter().filter_map(|(_, file)| file.rendered.as_deref()).collect();
        let (charts, kustomizations): (Vec<&Rendered>, Vec<&Rendered>) = all.iter().partition(|r| r.is_chart);
        let folders = |all: Vec<&Rendered>| all.iter().map(|r| layout::path::normal(&r.folder)).collect();
        Renderings {
            sources,
            charts: folders(charts),
            kustomizations: folders(kustomizations),
            inputs: all
                .iter()
                .filter(|r| !r.is_chart)
                .flat_map(|rendered| rendered.inputs.iter().map(PathBuf::as_path))
                .collect(),
        }
    }

    /// Whether a rendering is made of a kustomization, given by its file.
    fn include(&self, name: &str) -> bool {
        if self.kustomizations.is_empty() {
            return false;
        }
        let file = self.sources.iter().find(|(_, file)| file.name == name);
        let path = file.and_then(|(_, file)| file.path.as_ref()?.canonicalize().ok());
        path.as_deref().and_then(Path::parent).is_some_and(|folder| self.inputs.contains(folder))
    }
}

impl Read {
    /// What kustomizations and charts bring, and a word about what they name and nobody gave.
    fn note_unseen(&mut self, kustomize: &Kustomize, renderings: &Renderings<'_>, settings: &Settings) {
        for unseen in kustomize.unseen().filter(|unseen| !renderings.include(&unseen.by)) {
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

    /// What comes to a cluster unseen, and what charts around Istio's bring to it: from folders in which it
    /// has files, and from those in which none has.
    pub(crate) fn unseen_in(
        &self,
        number: usize,
        layout: &Layout,
        sources: &Sources,
        all: &Folders,
    ) -> (Vec<Elsewhere>, Vec<Release>) {
        let own = folders_of(sources, layout.files.iter().filter(|a| a.clusters.contains(&number)));
        let several = layout.clusters.len() > 1;
        let comes = |folder: &str| !several || own.has_files(folder) || !all.has_files(folder);
        let umbrellas = self.umbrellas.iter().filter(|umbrella| comes(&umbrella.folder));
        let releases = umbrellas.map(|umbrella| umbrella.release.clone()).collect();
        let unseen = self.unseen.iter().filter(|(folder, _)| comes(folder)).map(|(_, elsewhere)| elsewhere.clone());
        // A chart that has a set of values for other clusters only may go to this one with other values.
        let rendered = |file: FileId| sources.file(file).rendered.as_ref().filter(|rendered| !rendered.set.is_empty());
        let (mut here, mut anywhere) = (BTreeSet::new(), BTreeSet::new());
        for assigned in &layout.files {
            let Some(rendered) = rendered(assigned.file) else { continue };
            anywhere.insert(&rendered.folder);
            if assigned.clusters.contains(&number) {
                here.insert(&rendered.folder);
            }
        }
        let missing = anywhere.difference(&here).map(|_| Elsewhere { kind: None, namespace: None, named: false });
        (unseen.chain(missing).collect(), releases)
    }
}

/// The folders of files with resources.
pub(crate) fn folders_of<'a>(sources: &Sources, files: impl Iterator<Item = &'a layout::Assigned>) -> Folders {
    Folders::new(files.map(|assigned| sources.file(assigned.file).name.as_str()))
}
