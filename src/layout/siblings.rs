//! Sibling folders that declare mostly the same resources: one cluster each.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Place, path};
use crate::resource::{Part, Resource};
use crate::source::{FileId, Sources};
use crate::yaml::scalar::is_unknown;

/// Of siblings that declare the same resource, each is compared with that many others.
const MOST_PARTNERS: usize = 32;

/// A folder with the resources below it.
#[derive(Default)]
struct Folder {
    children: BTreeMap<String, Folder>,
    /// Numbers of identities, those of folders inside included.
    identities: BTreeSet<u32>,
}

/// A folder that is a cluster.
struct Found {
    path: String,
    name: String,
    why: String,
}

/// The names of the clusters, and for each file those that it goes to.
pub(super) fn split(
    sources: &Sources,
    resources: &[Resource],
    by_file: &BTreeMap<FileId, Vec<usize>>,
) -> (Vec<String>, Vec<Place>) {
    let name_of = |file: &FileId| path::normal(&sources.file(*file).name).trim_start_matches('/').to_string();
    let paths: Vec<String> = by_file.keys().map(name_of).collect();
    let root = tree(resources, by_file, &paths);
    let mut found = Vec::new();
    descend(&root, "", "", &mut found);
    if found.is_empty() {
        let only = (vec![0], "everything is one cluster".to_string());
        return (vec![String::new()], vec![only; paths.len()]);
    }
    let all: BTreeSet<&str> = found.iter().map(|f| f.name.as_str()).collect();
    let inside = |name: &str, outer: &str| {
        outer.is_empty() || name == outer || name.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
    };
    // A cluster with clusters inside stands for those.
    let names: Vec<String> = all
        .iter()
        .filter(|name| !all.iter().any(|other| other != *name && inside(other, name)))
        .map(|name| name.to_string())
        .collect();
    let places = paths
        .iter()
        .map(|file| {
            let around =
                found.iter().filter(|f| path::folder(file) == f.path || file.starts_with(&format!("{}/", f.path)));
            let own = around.max_by_key(|f| f.path.len());
            let name = own.map_or("", |f| f.name.as_str());
            let clusters: Vec<usize> = (0..names.len()).filter(|n| inside(&names[*n], name)).collect();
            let why = match own {
                Some(own) if clusters.len() == 1 => own.why.clone(),
                Some(own) => format!("shared by the clusters of folder \"{}\"", own.path),
                None => "outside of the folders that are clusters: shared by all".to_string(),
            };
            (clusters, why)
        })
        .collect();
    (names, places)
}

fn tree(resources: &[Resource], by_file: &BTreeMap<FileId, Vec<usize>>, paths: &[String]) -> Folder {
    let mut numbers: HashMap<(&str, &str, &str, &str), u32> = HashMap::new();
    let mut root = Folder::default();
    for (path, members) in paths.iter().zip(by_file.values()) {
        let mut identities = BTreeSet::new();
        for resource in members.iter().map(|n| &resources[*n]) {
            // A namespace is declared by many folders that use it; what a component or an unreadable
            // name declares is not known.
            let says_nothing = &*resource.kind == "Namespace"
                || resource.part == Part::Component
                || resource.name.is_empty()
                || is_unknown(&resource.name)
                || is_unknown(resource.namespace());
            if !says_nothing {
                let identity = (&*resource.group, &*resource.kind, resource.namespace(), &*resource.name);
                let next = numbers.len() as u32;
                identities.insert(*numbers.entry(identity).or_insert(next));
            }
        }
        let mut folder = &mut root;
        folder.identities.extend(&identities);
        for part in path::folder(path).split('/').filter(|p| !p.is_empty()) {
            folder = folder.children.entry(part.to_string()).or_default();
            folder.identities.extend(&identities);
        }
    }
    root
}

fn descend(folder: &Folder, path: &str, prefix: &str, found: &mut Vec<Found>) {
    let children: Vec<(&String, &Folder)> = folder.children.iter().collect();
    let overlapping = overlaps(&children);
    for (number, (name, child)) in children.iter().enumerate() {
        let path = if path.is_empty() { (*name).clone() } else { format!("{path}/{name}") };
        match overlapping.get(&number) {
            None => descend(child, &path, prefix, found),
            Some((sibling, twice)) => {
                let (sibling, _) = &children[*sibling];
                let what = if *twice == 1 { "a resource".to_string() } else { format!("{twice} resources") };
                let why = format!("folder \"{name}\" declares {what} that \"{sibling}\" beside it declares, too");
                let name = if prefix.is_empty() { (*name).clone() } else { format!("{prefix}/{name}") };
                descend(child, &path, &name, found);
                found.push(Found { path, name, why });
            }
        }
    }
}

/// Siblings that declare at least half of what the smaller of the two declares, with the sibling that
/// they have most in common with and how much that is.
fn overlaps(children: &[(&String, &Folder)]) -> BTreeMap<usize, (usize, usize)> {
    let mut owners: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (number, (_, folder)) in children.iter().enumerate() {
        for identity in &folder.identities {
            owners.entry(*identity).or_default().push(number);
        }
    }
    let mut shared: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for owners in owners.values() {
        for (i, a) in owners.iter().enumerate() {
            for b in owners[i + 1..].iter().take(MOST_PARTNERS) {
                *shared.entry((*a, *b)).or_default() += 1;
            }
        }
    }
    let mut found: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for ((a, b), count) in shared {
        let smaller = children[a].1.identities.len().min(children[b].1.identities.len());
        if count * 2 < smaller {
            continue;
        }
        for (one, other) in [(a, b), (b, a)] {
            let best = found.entry(one).or_insert((other, count));
            if count > best.1 {
                *best = (other, count);
            }
        }
    }
    found
}
