//! What belongs together: which files go to one API server, and what kustomize makes of them.
//!
//! Manifests that go to one API server share one mesh; sizes, look-ups and duplicates never cross
//! clusters. The first answer wins: what the configuration declares; sibling folders that declare
//! mostly the same resources are a cluster each; everything is one cluster.

pub mod elsewhere;
pub mod kustomize;
pub mod path;
mod siblings;
pub mod umbrella;

use std::collections::{BTreeMap, BTreeSet};

use crate::mesh::Declared;
use crate::resource::Resource;
use crate::source::pattern::Patterns;
use crate::source::{FileId, Sources};

/// What the configuration says about clusters.
#[derive(Debug, Clone, Default)]
pub struct Clusters {
    /// In the order of their names.
    pub declared: Vec<DeclaredCluster>,
    /// Patterns of files that go to every cluster.
    pub shared: Patterns,
}

/// A cluster of the configuration.
#[derive(Debug, Clone)]
pub struct DeclaredCluster {
    /// Its name.
    pub name: String,
    /// Patterns of its files.
    pub files: Patterns,
    /// What is declared about it.
    pub declared: Declared,
}

/// What one API server gets.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Its name; empty if there is only one and nobody named it.
    pub name: String,
    /// What is declared about it.
    pub declared: Declared,
    /// Its resources: numbers in the list that was laid out, in order.
    pub resources: Vec<usize>,
}

/// Where the resources of a file go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    /// The file.
    pub file: FileId,
    /// Numbers of clusters, in order.
    pub clusters: Vec<usize>,
    /// Why.
    pub why: String,
}

/// All clusters of the input.
#[derive(Debug, Default)]
pub struct Layout {
    /// In the order of their names.
    pub clusters: Vec<Cluster>,
    /// Every file with resources, in order.
    pub files: Vec<Assigned>,
}

/// The name of the cluster of files that no pattern of the configuration matches.
pub const REST: &str = "(rest)";

impl Layout {
    /// Finds the clusters of resources. `path_of` gives the path of a file relative to the
    /// configuration, and `declared` is what holds for clusters that nobody declared.
    pub fn new(
        sources: &Sources,
        resources: &[Resource],
        clusters: &Clusters,
        declared: &Declared,
        path_of: impl Fn(FileId) -> String,
    ) -> Layout {
        let mut by_file: BTreeMap<FileId, Vec<usize>> = BTreeMap::new();
        for (number, resource) in resources.iter().enumerate() {
            by_file.entry(resource.file).or_default().push(number);
        }
        let files: Vec<FileId> = by_file.keys().copied().collect();
        let (mut names, mut places) = if clusters.declared.is_empty() {
            siblings::split(sources, resources, &by_file)
        } else {
            by_pattern(clusters, &files, path_of)
        };
        by_set(sources, &files, &mut names, &mut places);
        let declared_for = |name: &str| {
            let found = clusters.declared.iter().find(|c| c.name == name);
            found.map_or(declared, |c| &c.declared).clone()
        };
        let mut layout = Layout {
            clusters: names
                .iter()
                .map(|name| Cluster { name: name.clone(), declared: declared_for(name), resources: Vec::new() })
                .collect(),
            files: files
                .into_iter()
                .zip(places)
                .map(|(file, (clusters, why))| Assigned { file, clusters, why })
                .collect(),
        };
        for assigned in &layout.files {
            for cluster in &assigned.clusters {
                layout.clusters[*cluster].resources.extend(&by_file[&assigned.file]);
            }
        }
        for cluster in &mut layout.clusters {
            cluster.resources.sort_unstable();
        }
        layout
    }
}

/// The clusters of a file by number, and why it goes there.
type Place = (Vec<usize>, String);

fn by_pattern(clusters: &Clusters, files: &[FileId], path_of: impl Fn(FileId) -> String) -> (Vec<String>, Vec<Place>) {
    let mut names: Vec<String> = clusters.declared.iter().map(|c| c.name.clone()).collect();
    let all: Vec<usize> = (0..names.len()).collect();
    let mut rest = false;
    let mut with_files = std::collections::BTreeSet::new();
    let mut places: Vec<Place> = files
        .iter()
        .map(|file| {
            let path = path_of(*file);
            let matching = |(i, c): (usize, &DeclaredCluster)| Some((i, c.files.matching(&path)?.to_string()));
            let own: Vec<(usize, String)> = clusters.declared.iter().enumerate().filter_map(matching).collect();
            if let Some((_, pattern)) = own.first() {
                with_files.extend(own.iter().map(|(i, _)| *i));
                let why = format!("clusters: \"{pattern}\"");
                (own.iter().map(|(i, _)| *i).collect(), why)
            } else if let Some(pattern) = clusters.shared.matching(&path) {
                (all.clone(), format!("shared: \"{pattern}\""))
            } else {
                rest = true;
                (vec![names.len()], "no pattern of clusters or shared matches it".to_string())
            }
        })
        .collect();
    if rest {
        with_files.insert(names.len());
        names.push(REST.to_string());
    }
    // A cluster of which only what it shares with others was given has nothing to say beside them.
    let used: Vec<usize> = if with_files.is_empty() { all } else { with_files.into_iter().collect() };
    for (clusters, _) in &mut places {
        clusters.retain(|c| used.contains(c));
        for cluster in clusters {
            *cluster = used.binary_search(cluster).unwrap_or(0);
        }
    }
    (used.iter().map(|n| names[*n].clone()).collect(), places)
}

/// A set of values is a cluster: the one of that name, or one more. What every cluster shares goes
/// there, too.
fn by_set(sources: &Sources, files: &[FileId], names: &mut Vec<String>, places: &mut [Place]) {
    let set = |file: FileId| {
        let rendered = sources.file(file).rendered.as_ref()?;
        (!rendered.set.is_empty()).then_some(rendered.set.as_str())
    };
    let sets: BTreeSet<&str> = files.iter().filter_map(|file| set(*file)).collect();
    if sets.is_empty() {
        return;
    }
    let before = names.len();
    let is_unnamed = names.iter().all(String::is_empty);
    names.extend(
        sets.iter().filter(|set| !names.iter().any(|name| name == *set)).map(|set| set.to_string()).collect::<Vec<_>>(),
    );
    for (file, (clusters, why)) in files.iter().zip(places.iter_mut()) {
        match set(*file) {
            Some(set) => {
                *clusters = (0..names.len()).filter(|n| names[*n] == set).collect();
                *why = format!("set \"{set}\" of values files");
            }
            None if clusters.len() == before => {
                clusters.extend(before..names.len());
                if is_unnamed {
                    *why = "no set of values files: shared by all".to_string();
                }
            }
            None => {}
        }
    }
    // The clusters in order of their names, without one that has no name beside others.
    let mut order: Vec<usize> = (0..names.len()).filter(|n| !names[*n].is_empty()).collect();
    order.sort_by(|a, b| names[*a].cmp(&names[*b]));
    for (clusters, _) in places {
        *clusters = order.iter().enumerate().filter(|(_, old)| clusters.contains(old)).map(|(new, _)| new).collect();
    }
    *names = order.iter().map(|n| names[*n].clone()).collect();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceFile;
    use crate::yaml::Trees;

    fn patterns(texts: &[&str]) -> Patterns {
        Patterns::new(&texts.iter().map(|t| t.to_string()).collect::<Vec<_>>()).unwrap()
    }

    /// `file: clusters` for files that declare the Services of these names.
    fn assigned(files: &[(&str, &str)], clusters: &Clusters) -> Vec<String> {
        let text = |names: &str| {
            let service = |name| format!("apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\n");
            names.split(' ').map(service).collect::<Vec<_>>().join("---\n")
        };
        let sources = Sources::new(files.iter().map(|(n, names)| SourceFile::new(*n, None, text(names))).collect());
        let trees = Trees::new(sources.iter().map(|(id, f)| crate::yaml::parse::parse(id, f.text.clone())));
        let resources: Vec<Resource> = trees
            .files()
            .flat_map(|(n, _)| {
                crate::resource::find(&trees, n, crate::resource::Origin { namespace: "default", ..Default::default() })
                    .resources
            })
            .collect();
        let path_of = |file| sources.file(file).name.clone();
        let layout = Layout::new(&sources, &resources, clusters, &Declared::default(), path_of);
        let names = |clusters: &[usize]| {
            clusters.iter().map(|c| layout.clusters[*c].name.as_str()).collect::<Vec<_>>().join(", ")
        };
        layout.files.iter().map(|a| format!("{}: {}", sources.file(a.file).name, names(&a.clusters))).collect()
    }

    #[test]
    fn everything_is_one_cluster_without_a_name() {
        let none = Clusters::default();
        assert_eq!(assigned(&[("a/x.yaml", "a b"), ("b/x.yaml", "c d")], &none), ["a/x.yaml: ", "b/x.yaml: "]);
        // A third of the smaller folder is not half of it.
        assert_eq!(assigned(&[("a/x.yaml", "a b c"), ("b/x.yaml", "c d e")], &none), ["a/x.yaml: ", "b/x.yaml: "]);
    }

    #[test]
    fn siblings_that_declare_the_same_are_clusters() {
        let none = Clusters::default();
        let files =
            [("base/x.yaml", "z"), ("envs/prod/a.yaml", "a b"), ("envs/test/a.yaml", "b"), ("envs/other/a.yaml", "q")];
        assert_eq!(
            assigned(&files, &none),
            [
                "base/x.yaml: prod, test",
                "envs/other/a.yaml: prod, test",
                "envs/prod/a.yaml: prod",
                "envs/test/a.yaml: test"
            ]
        );
        // The same names in another part of the tree mean the same clusters.
        let files = [
            ("apps/prod/a.yaml", "a"),
            ("apps/test/a.yaml", "a"),
            ("infra/prod/b.yaml", "b"),
            ("infra/test/b.yaml", "b"),
            ("infra/x.yaml", "c"),
        ];
        let places = assigned(&files, &none);
        assert_eq!(places[2], "infra/prod/b.yaml: prod");
        assert_eq!(places[4], "infra/x.yaml: prod, test");
    }

    #[test]
    fn clusters_in_clusters_have_both_names() {
        let files =
            [("prod/eu/a.yaml", "a b"), ("prod/us/a.yaml", "a b"), ("prod/x.yaml", "c"), ("test/a.yaml", "a b c")];
        assert_eq!(
            assigned(&files, &Clusters::default()),
            [
                "prod/eu/a.yaml: prod/eu",
                "prod/us/a.yaml: prod/us",
                "prod/x.yaml: prod/eu, prod/us",
                "test/a.yaml: test"
            ]
        );
    }

    #[test]
    fn the_configuration_decides_first() {
        let cluster = |name: &str, files: &[&str]| DeclaredCluster {
            name: name.to_string(),
            files: patterns(files),
            declared: Declared::default(),
        };
        let clusters = Clusters {
            declared: vec![
                cluster("eu", &["envs/eu/**"]),
                cluster("unused", &["x/**"]),
                cluster("us", &["envs/us/**"]),
            ],
            shared: patterns(&["base/**"]),
        };
        let files = [("base/a.yaml", "a"), ("envs/eu/a.yaml", "a"), ("envs/us/a.yaml", "a"), ("z.yaml", "z")];
        assert_eq!(
            assigned(&files, &clusters),
            ["base/a.yaml: eu, us", "envs/eu/a.yaml: eu", "envs/us/a.yaml: us", "z.yaml: (rest)"]
        );
    }
}
