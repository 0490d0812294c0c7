//! The entries under `ignore:` of the configuration: what they say, and which findings they are about.

use std::collections::HashMap;

use super::{Covers, Name, Removal, Removals, Said, Scene, Source, Suppression, is_date, names_of};
use crate::finding::{Finding, ResourceRef};
use crate::resource::pattern::ResourcePattern;
use crate::source::FileId;
use crate::source::pattern::Patterns;
use crate::yaml::{Node, Tree};

/// Why a last day can't be read; nothing if it can.
pub fn until_problem(date: &str) -> Option<String> {
    (!is_date(date)).then(|| format!("\"{date}\" is no date such as 2027-01-31"))
}

/// Reads the entries of a configuration, which was checked when it was loaded.
pub(super) fn read_all(tree: &Tree) -> Vec<Suppression<'_>> {
    let list = tree.roots().next().and_then(|root| root.get("ignore"));
    list.into_iter().flat_map(|list| list.items()).map(read).collect()
}

fn read(entry: Node<'_>) -> Suppression<'_> {
    let texts = |key: &str| -> Vec<String> {
        let items = entry.get(key).into_iter().flat_map(|list| list.items());
        items.filter_map(|item| item.text().map(str::to_string)).collect()
    };
    let rules = entry.get("rules");
    let items: Vec<_> = rules.into_iter().flat_map(|rules| rules.items()).collect();
    let name = |item: &Node<'_>| Name { text: item.text().unwrap_or("").to_string(), span: item.span() };
    let removals = match (items.first(), items.last()) {
        (Some(first), Some(last)) if rules.is_some_and(Node::is_flow) => {
            let (start, end) = (first.local_range().start as u32, last.local_range().end as u32);
            Removals::List(entry.tree().span(start, end))
        }
        _ => Removals::Items(items.clone()),
    };
    let until = entry.get("until").map(|node| Name { text: node.text().unwrap_or("").to_string(), span: node.place() });
    let reason = entry.get("reason").and_then(Node::text).unwrap_or("").trim().to_string();
    let resources = texts("resources").iter().filter_map(|text| ResourcePattern::parse(text).ok()).collect();
    Suppression {
        source: Source::Configuration,
        place: rules.unwrap_or(entry).place(),
        covers: Covers::Entry { resources, paths: texts("paths") },
        said: Ok(Said { names: items.iter().map(name).collect(), removals, until, reason }),
        removal: Removal::Node(entry),
    }
}

/// The entries that hold, by what they are about: thousands of them are not asked one by one.
pub(super) struct Entries<'s> {
    entries: Vec<Entry<'s>>,
    /// Group, kind, and what stands before the first `*` of `namespace/name`.
    by_resource: ByStart<'s>,
    paths: Patterns,
    /// The entry of each pattern of paths.
    owners: Vec<usize>,
    path_of: &'s dyn Fn(FileId) -> String,
    path_of_template: &'s dyn Fn(&str) -> String,
    of_file: HashMap<(FileId, Option<String>), Vec<usize>>,
    of_resource: HashMap<ResourceRef, Vec<usize>>,
}

/// Patterns with the number of their entry, by group, kind and start.
type ByStart<'s> = HashMap<(&'s str, &'s str, String), Vec<(usize, &'s ResourcePattern)>>;

struct Entry<'s> {
    /// Its number among the suppressions.
    number: usize,
    names: Vec<&'s str>,
    needs_resource: bool,
    needs_path: bool,
}

impl<'s> Entries<'s> {
    pub(super) fn new(suppressions: &'s [Suppression<'_>], scene: &Scene<'s>) -> Entries<'s> {
        let mut entries = Vec::new();
        let mut by_resource = ByStart::new();
        let (mut texts, mut owners) = (Vec::new(), Vec::new());
        for (number, suppression) in suppressions.iter().enumerate() {
            let Covers::Entry { resources, paths } = &suppression.covers else { continue };
            let Some(said) = suppression.holds(scene.today) else { continue };
            let own = entries.len();
            for pattern in resources {
                let text = format!("{}/{}", pattern.namespace, pattern.name);
                let start = text.split('*').next().unwrap_or("").to_string();
                by_resource.entry((&*pattern.group, &*pattern.kind, start)).or_default().push((own, pattern));
            }
            texts.extend(paths.iter().cloned());
            owners.extend(paths.iter().map(|_| own));
            entries.push(Entry {
                number,
                names: said.names.iter().map(|name| name.text.as_str()).collect(),
                needs_resource: !resources.is_empty(),
                needs_path: !paths.is_empty(),
            });
        }
        Entries {
            entries,
            by_resource,
            paths: Patterns::new(&texts).unwrap_or_default(),
            owners,
            path_of: scene.path_of,
            path_of_template: scene.path_of_template,
            of_file: HashMap::new(),
            of_resource: HashMap::new(),
        }
    }

    /// Names each entry that is about a finding's resource and file and names its rule.
    pub(super) fn matching(&mut self, finding: &Finding, matched: &mut dyn FnMut(usize, usize)) {
        if self.entries.is_empty() {
            return;
        }
        let Entries { entries, by_resource, paths, owners, path_of, path_of_template, of_file, of_resource } = self;
        let file = finding.primary.span.file;
        // What was rendered lies where its template lies, too.
        let template = finding.primary.template.clone();
        let in_file = of_file.entry((file, template.clone())).or_insert_with(|| {
            let own = paths.all_matching(&path_of(file)).into_iter();
            let of_template = template.map(|template| paths.all_matching(&path_of_template(&template)));
            let mut found: Vec<usize> = own.chain(of_template.into_iter().flatten()).map(|n| owners[n]).collect();
            found.sort_unstable();
            found.dedup();
            found
        });
        let none = Vec::new();
        let of_resource = match &finding.resource {
            Some(resource) if !of_resource.contains_key(resource) => {
                let found = about(by_resource, resource);
                &*of_resource.entry(resource.clone()).or_insert(found)
            }
            Some(resource) => &of_resource[resource],
            None => &none,
        };
        let only_file = in_file.iter().filter(|n| !entries[**n].needs_resource);
        let both = of_resource.iter().filter(|n| !entries[**n].needs_path || in_file.binary_search(n).is_ok());
        for entry in only_file.chain(both).map(|n| &entries[*n]) {
            for (nth, name) in entry.names.iter().enumerate() {
                if names_of(finding).any(|own| own == *name) {
                    matched(entry.number, nth);
                }
            }
        }
    }
}

/// The entries with a pattern that means a resource.
fn about(by_resource: &ByStart<'_>, resource: &ResourceRef) -> Vec<usize> {
    let group = resource.api_version.rsplit_once('/').map_or("", |(group, _)| group);
    let (kind, namespace) = (resource.kind.as_str(), resource.namespace.as_deref().unwrap_or(""));
    let text = format!("{namespace}/{}", resource.name);
    let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let found = ends.filter_map(|end| by_resource.get(&(group, kind, text[..end].to_string())));
    let fits = |(_, pattern): &&(usize, &ResourcePattern)| pattern.fits(group, kind, namespace, &resource.name);
    let mut found: Vec<usize> = found.flatten().filter(fits).map(|(entry, _)| *entry).collect();
    found.sort_unstable();
    found.dedup();
    found
}
