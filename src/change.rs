//! What a change did: the findings that were not there before it, and the resources that it deletes.
//!
//! Both sides are judged by the same rules and the same configuration. A finding is known again by its
//! fingerprint, the text at its place and the names in its message: neither moves nor other lines make it
//! new, another value does, and so does another cluster that has it now.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::finding::{Finding, Place, Severity};
use crate::resource::{Identity, Resource, Was};
use crate::source::{Failure, SourceFile, Sources};
use crate::yaml::Trees;

/// Texts at a place are compared up to that length.
const LONGEST: usize = 200;

/// What was there before a change.
#[derive(Debug, Clone, Default)]
pub struct Before {
    /// How reports call it, as in `main (1a2b3c4)`.
    pub name: String,
    /// Charts and kustomizations that could not be rendered: what they made then is not known.
    pub failures: Vec<Failure>,
    /// How grave each finding was, and in which clusters it was found; what is said several times in the
    /// same way stands as often.
    found: HashMap<Key, Vec<(Severity, Vec<String>)>>,
    /// Where each resource stood, by cluster.
    resources: BTreeMap<String, HashMap<Identity, Was>>,
}

/// What a finding is known by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    fingerprint: String,
    text: String,
    names: String,
    /// The path of a finding that no resource owns.
    path: String,
}

/// The figures of a comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compared {
    /// What it is compared with.
    pub before: String,
    /// Findings that were there before, and still are.
    pub old: usize,
    /// Findings that are gone.
    pub fixed: usize,
}

impl Before {
    /// Remembers what was found; the fingerprints are not numbered yet.
    pub fn remember(&mut self, sources: &Sources, findings: &[Finding]) {
        for finding in findings {
            let found = (finding.severity, finding.clusters.clone());
            self.found.entry(key(sources, finding)).or_default().push(found);
        }
        self.found.values_mut().for_each(|found| found.sort_unstable());
    }

    /// Remembers the resources of a cluster.
    pub fn remember_resources<'a>(
        &mut self,
        sources: &Sources,
        trees: &Trees,
        cluster: &str,
        resources: impl Iterator<Item = &'a Resource>,
    ) {
        let was = |resource: &Resource| {
            let host = || trees.node(resource.root).at(&["spec", "host"])?.text().map(str::to_string);
            let file = sources.file(resource.file).name.clone();
            Was { file, host: if &*resource.kind == "DestinationRule" { host() } else { None } }
        };
        let named = resources.filter(|r| !r.name.is_empty()).map(|r| (r.identity(), was(r)));
        self.resources.entry(cluster.to_string()).or_default().extend(named);
    }

    /// What a cluster had before and has no more, with the file in which it stood.
    pub fn deleted<'a>(&self, cluster: &str, now: impl Iterator<Item = &'a Resource>) -> HashMap<Identity, Was> {
        let Some(before) = self.resources.get(cluster) else { return HashMap::new() };
        let mut left: HashMap<&Identity, &Was> = before.iter().collect();
        for resource in now {
            left.remove(&resource.identity());
        }
        left.into_iter().map(|(identity, was)| (identity.clone(), was.clone())).collect()
    }

    /// Keeps the findings that are new, or graver than before.
    pub fn compare(&self, sources: &Sources, findings: &mut Vec<Finding>) -> Compared {
        let mut left = self.found.clone();
        let mut compared = Compared { before: self.name.clone(), ..Compared::default() };
        findings.retain(|finding| {
            let Some(found) = left.get_mut(&key(sources, finding)) else { return true };
            // A cluster that was there and did not have it has it now.
            let spreads = |clusters: &Vec<String>| {
                finding.clusters.iter().any(|c| self.resources.contains_key(c) && !clusters.contains(c))
            };
            let is_old =
                |(severity, clusters): &(Severity, Vec<String>)| *severity >= finding.severity && !spreads(clusters);
            // One that got graver is new, but nothing was fixed.
            let same = found.iter().position(is_old);
            let worse = found.iter().position(|(_, clusters)| clusters.iter().all(|c| finding.clusters.contains(c)));
            if let Some(at) = same.or(worse) {
                found.remove(at);
            }
            compared.old += usize::from(same.is_some());
            same.is_none()
        });
        compared.fixed = left.values().map(Vec::len).sum();
        compared
    }
}

fn key(sources: &Sources, finding: &Finding) -> Key {
    let span = finding.primary.span;
    let path = if finding.resource.is_none() { sources.file(span.file).name.clone() } else { String::new() };
    let text = sources.slice(span).chars().take(LONGEST).collect();
    // Names stand in quotes, figures do not.
    let names = finding.message.split('"').skip(1).step_by(2).collect::<Vec<_>>().join("\"");
    Key { fingerprint: finding.unnumbered.clone(), text, names, path }
}

/// The files that a change touches, as a hook names them.
#[derive(Debug, Clone, Default)]
pub struct Focus {
    files: HashSet<PathBuf>,
}

impl Focus {
    /// Files and folders that are there or were deleted, as the user calls them.
    pub fn new(files: impl Iterator<Item = PathBuf>) -> Focus {
        Focus { files: files.map(|file| real(&file)).collect() }
    }

    /// How the files touch each text, in the order of the texts.
    pub fn touch(&self, sources: &Sources) -> Vec<Touch> {
        sources.iter().map(|(_, file)| self.touch_one(file)).collect()
    }

    fn touch_one(&self, file: &SourceFile) -> Touch {
        let holds = |path: &Path| real(path).ancestors().any(|part| self.files.contains(part));
        let Some(rendered) = &file.rendered else {
            return if file.path.as_deref().is_some_and(holds) { Touch::Whole } else { Touch::Nothing };
        };
        // A file that makes some resources touches those; one that plays a part in all, all of them.
        let templates: BTreeMap<PathBuf, &str> =
            rendered.templates.values().map(|template| (real(Path::new(&template.path)), &*template.path)).collect();
        let inputs: Vec<PathBuf> = rendered.inputs.iter().map(|input| real(input)).collect();
        let plays_a_part =
            |file: &PathBuf| inputs.iter().any(|input| file.starts_with(input) || input.starts_with(file));
        if self.files.iter().any(|file| !templates.contains_key(file) && plays_a_part(file)) {
            return Touch::Whole;
        }
        let touched = templates.iter().filter(|(file, _)| self.files.contains(*file));
        let touched: Vec<String> = touched.map(|(_, path)| path.to_string()).collect();
        if touched.is_empty() { Touch::Nothing } else { Touch::Templates(touched) }
    }
}

/// How files in focus touch a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Touch {
    /// Not at all.
    Nothing,
    /// They are that text, or all of it may depend on them.
    Whole,
    /// What these templates make of it.
    Templates(Vec<String>),
}

impl Touch {
    /// Whether a place of that text is touched.
    fn is_at(&self, place: &Place) -> bool {
        match self {
            Touch::Nothing => false,
            Touch::Whole => true,
            Touch::Templates(paths) => place.template.as_ref().is_some_and(|template| paths.contains(template)),
        }
    }
}

/// Whether the primary place of a finding, or another place of it, is touched.
pub fn touches(touch: &[Touch], finding: &Finding) -> bool {
    let places = std::iter::once(&finding.primary).chain(finding.labels.iter().map(|label| &label.place));
    places.into_iter().any(|place| touch[place.span.file.0 as usize].is_at(place))
}

/// A path without links and dots, of a file that may be gone.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_path_buf())
}
