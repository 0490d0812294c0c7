//! Host names in Istio's configuration: what they expand to, and which Service or ServiceEntry
//! answers (istiod's `ResolveShortnameToFQDN`).

use std::collections::{BTreeMap, HashMap};

use super::Mesh;
use super::absence::{Absence, Certainty};
use crate::resource::{Identity, ResourceId};
use crate::yaml::{Node, Place};

/// Whether a host starts with `*`.
pub fn is_wildcard(host: &str) -> bool {
    host.starts_with('*')
}

/// Whether a host is a short name: no dot, no wildcard, no IP address.
pub fn is_short(host: &str) -> bool {
    !host.contains('.') && !host.contains(':') && !is_wildcard(host)
}

/// A short name gets the namespace and the cluster domain; everything else stays as it is.
/// `reviews.prod` and `reviews.prod.svc` are *not* expanded, as in istiod.
pub fn expand(host: &str, namespace: &str) -> String {
    if is_short(host) { format!("{host}.{namespace}.svc.cluster.local") } else { host.to_string() }
}

/// Name and namespace of `name.namespace.svc.cluster.local`.
pub fn parse_fqdn(host: &str) -> Option<(&str, &str)> {
    host.strip_suffix(".svc.cluster.local")?.rsplit_once('.')
}

/// Whether two hosts, each of them maybe with a wildcard, can mean the same (symmetric).
pub fn overlap(a: &str, b: &str) -> bool {
    match (a.strip_prefix('*'), b.strip_prefix('*')) {
        (None, None) => a == b,
        (Some(suffix), None) => b.ends_with(suffix),
        (None, Some(suffix)) => a.ends_with(suffix),
        (Some(x), Some(y)) => x.ends_with(y) || y.ends_with(x),
    }
}

/// Whether everything that `a` means is covered by `b`.
pub fn covered_by(a: &str, b: &str) -> bool {
    match (a.strip_prefix('*'), b.strip_prefix('*')) {
        (None, None) => a == b,
        (Some(_), None) => false,
        (None, Some(suffix)) => a.ends_with(suffix),
        (Some(x), Some(y)) => x.ends_with(y),
    }
}

/// One host that a Service or a ServiceEntry declares.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The Service or ServiceEntry.
    pub resource: ResourceId,
    /// The Service's name, or the item of `spec.hosts`.
    pub place: Place,
    /// The expanded host.
    pub host: Box<str>,
    /// Namespaces that see it; empty for all.
    scopes: Vec<Box<str>>,
}

/// All hosts of a mesh.
#[derive(Debug, Default)]
pub(super) struct Index {
    exact: HashMap<Box<str>, Vec<Entry>>,
    /// By what stands behind the `*`, the shortest first: few lengths occur among many hosts.
    wildcard: BTreeMap<usize, HashMap<Box<str>, Vec<Entry>>>,
    /// The first Service of each name.
    services_by_name: HashMap<Box<str>, ResourceId>,
}

impl Index {
    pub(super) fn new(mesh: &Mesh) -> Index {
        let mut index = Index::default();
        for id in mesh.of_kind("networking.istio.io", "ServiceEntry") {
            let namespace = mesh.resource(id).namespace().to_string();
            let scopes = export_scopes(mesh.root(id).at(&["spec", "exportTo"]), &namespace);
            for host in mesh.root(id).at(&["spec", "hosts"]).into_iter().flat_map(Node::items) {
                let Some(text) = host.text() else { continue };
                let place = Place { tree: mesh.resource(id).root.tree, node: host.id() };
                let entry =
                    Entry { resource: id, place, host: expand(text, &namespace).into(), scopes: scopes.clone() };
                if let Some(suffix) = text.strip_prefix('*') {
                    index.wildcard.entry(suffix.len()).or_default().entry(suffix.into()).or_default().push(entry);
                } else {
                    index.exact.entry(entry.host.clone()).or_default().push(entry);
                }
            }
        }
        for id in mesh.of_kind("", "Service") {
            let resource = mesh.resource(id);
            let Some(place) = mesh.at(id, &["metadata", "name"]) else { continue };
            let namespace = resource.namespace();
            index.services_by_name.entry(resource.name.clone()).or_insert(id);
            let export = mesh.root(id).at(&["metadata", "annotations", "networking.istio.io/exportTo"]);
            let scopes = match export.and_then(Node::text).map(str::trim) {
                None | Some("") => Vec::new(),
                Some(list) => scopes(list.split(',').map(str::trim), namespace),
            };
            let host: Box<str> = format!("{}.{namespace}.svc.cluster.local", resource.name).into();
            index.exact.entry(host.clone()).or_default().push(Entry { resource: id, place, host, scopes });
        }
        index
    }

    /// The wildcard that covers a host most closely, among those that are seen; the last of equal ones.
    fn covering(&self, host: &str, sees: impl Fn(&Entry) -> bool) -> Option<&Entry> {
        let host = host.strip_prefix('*').unwrap_or(host);
        self.wildcard.iter().rev().find_map(|(length, entries)| {
            let suffix = host.get(host.len().checked_sub(*length)?..)?;
            entries.get(suffix)?.iter().rfind(|entry| sees(entry))
        })
    }
}

/// `exportTo` of an Istio resource as namespaces; empty means everybody.
fn export_scopes(node: Option<Node<'_>>, namespace: &str) -> Vec<Box<str>> {
    scopes(node.into_iter().flat_map(Node::items).filter_map(Node::text), namespace)
}

fn scopes<'a>(list: impl Iterator<Item = &'a str>, namespace: &str) -> Vec<Box<str>> {
    let scopes: Vec<Box<str>> = list.map(|s| if s == "." { namespace.into() } else { s.into() }).collect();
    if scopes.iter().any(|s| &**s == "*") { Vec::new() } else { scopes }
}

/// What a host look-up found.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Somebody declares it.
    Found(Entry),
    /// Somebody declares it, but not for that namespace (`exportTo`).
    Hidden(Entry),
    /// It is declared to exist outside of the input.
    Elsewhere,
    /// Nobody does, with what that proves.
    Missing(Absence),
}

impl Mesh {
    /// Looks up a host as a resource of `namespace` writes it.
    pub fn host(&self, host: &str, namespace: &str) -> Answer {
        let expanded = expand(host, namespace);
        let sees = |e: &Entry| e.scopes.is_empty() || e.scopes.iter().any(|s| **s == *namespace);
        let exact = self.hosts.exact.get(expanded.as_str()).map_or(&[][..], Vec::as_slice);
        if let Some(entry) = exact.iter().rfind(|e| sees(e)) {
            return Answer::Found(entry.clone());
        }
        if let Some(entry) = self.hosts.covering(host, sees) {
            return Answer::Found(entry.clone());
        }
        if let Some(entry) = exact.first() {
            return Answer::Hidden(entry.clone());
        }
        if self.is_external_host(&expanded) {
            return Answer::Elsewhere;
        }
        self.missing_host(host, &expanded, namespace)
    }

    fn missing_host(&self, host: &str, expanded: &str, namespace: &str) -> Answer {
        if is_wildcard(host) || host.is_empty() {
            return Answer::Missing(Absence::unknown("wildcard hosts"));
        }
        let Some((name, service_namespace)) = parse_fqdn(expanded) else {
            return Answer::Missing(self.missing_external_host(host, namespace));
        };
        // Services that exist without a manifest: the API server's own, istiod's (if it was not
        // rendered), and those that istiod creates for Gateway API gateways.
        let run_time = (name == "kubernetes" && service_namespace == "default")
            || (name.starts_with("istiod") && self.istiods.is_empty())
            || self.gateway_service(name, service_namespace);
        let absence = self.absence_of("", "Service", service_namespace, name);
        // Who keeps a rendered istiod on disk keeps the other Services of its namespace elsewhere.
        let only_istiod = || {
            let mut services = self.of_kind_in("", "Service", service_namespace).iter();
            services.all(|id| self.resource(*id).name.starts_with("istiod"))
        };
        let proves_nothing = run_time || (absence.certainty == Certainty::Likely && only_istiod());
        Answer::Missing(if proves_nothing { Absence::unknown(absence.what) } else { absence })
    }

    /// `reviews.prod` means no Service to istiod; a ServiceEntry may declare any such host.
    fn missing_external_host(&self, host: &str, namespace: &str) -> Absence {
        // Services of a ClusterSet are imported from other clusters.
        if host.ends_with(".clusterset.local") {
            return Absence::unknown("Services of other clusters");
        }
        if self.half_named_service(host).is_some() {
            let complete = self.is_complete("networking.istio.io", "ServiceEntry");
            return Absence {
                certainty: if complete { Certainty::Certain } else { Certainty::Likely },
                among: "the hosts that were read".to_string(),
                what: String::new(),
                deleted: None,
            };
        }
        let absence = self.absence("networking.istio.io", "ServiceEntry", namespace);
        // Any namespace may export a ServiceEntry to this one.
        if absence.certainty == Certainty::Likely { Absence::unknown(absence.what) } else { absence }
    }

    /// The Service that `reviews.prod` or `reviews.prod.svc` is meant for.
    fn half_named_service(&self, host: &str) -> Option<&Entry> {
        let (name, namespace) = host.strip_suffix(".svc").unwrap_or(host).rsplit_once('.')?;
        self.hosts.exact.get(format!("{name}.{namespace}.svc.cluster.local").as_str())?.first()
    }

    /// Gateways of the Gateway API get a Service `<name>-<class>` from istiod.
    fn gateway_service(&self, name: &str, namespace: &str) -> bool {
        self.of_kind_in("gateway.networking.k8s.io", "Gateway", namespace).iter().any(|id| {
            let gateway = &*self.resource(*id).name;
            name.strip_prefix(gateway).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        })
    }

    /// The Service that a host which nothing declares may be meant for: the one of `reviews.prod`, else
    /// the most alike of its namespace or of the resource's own, else one of the same name elsewhere.
    pub fn closest_service(&self, host: &str, namespace: &str) -> Option<Entry> {
        if let Some(service) = self.half_named_service(host) {
            return Some(service.clone());
        }
        let expanded = expand(host, namespace);
        let (name, meant) = parse_fqdn(&expanded)?;
        // Of one that the change deletes nothing is misspelt.
        let is_it = |id: &Identity| &*id.kind == "Service" && (&*id.namespace, &*id.name) == (meant, name);
        if self.declared.deleted.keys().any(is_it) {
            return None;
        }
        let near: Vec<ResourceId> = [meant, namespace]
            .iter()
            .flat_map(|ns| self.of_kind_in("", "Service", ns))
            .copied()
            // A hint is not worth more than that many comparisons.
            .take(1_000)
            .collect();
        let alike = closest(name, near.iter().map(|id| &*self.resource(*id).name)).map(|i| near[i]);
        let id = alike.or_else(|| self.hosts.services_by_name.get(name).copied())?;
        let resource = self.resource(id);
        let host = format!("{}.{}.svc.cluster.local", resource.name, resource.namespace());
        Some(Entry { resource: id, place: self.at(id, &["metadata", "name"])?, host: host.into(), scopes: Vec::new() })
    }

    /// Whether a resource with `exportTo` is seen from a namespace.
    pub fn exported_to(&self, id: ResourceId, namespace: &str) -> bool {
        let own = self.resource(id).namespace();
        let scopes = export_scopes(self.root(id).at(&["spec", "exportTo"]), own);
        scopes.is_empty() || scopes.iter().any(|s| **s == *namespace)
    }

    /// The subsets that DestinationRules declare for a host, as a resource of `namespace` sees it:
    /// the places of their names, and what it proves that another one is not among them. The
    /// DestinationRules of the client's, the host's and the root namespace are taken together, so
    /// that a subset counts as declared if any client may see it.
    pub fn subsets(&self, host: &str, namespace: &str) -> (Vec<Place>, Absence) {
        let expanded = expand(host, namespace);
        let host_namespace = parse_fqdn(&expanded).map_or(namespace, |(_, ns)| ns);
        let root = self.root_namespace();
        let mut places = Vec::new();
        let mut read = false;
        for id in self.destination_rules.candidates(&[namespace, host_namespace, root], &expanded) {
            let resource = self.resource(id);
            let rule_host = self.root(id).at(&["spec", "host"]);
            let Some(text) = rule_host.and_then(Node::text) else { continue };
            if rule_host.is_some_and(Node::is_unknown) || resource.is_open() {
                if resource.is_open() && !covered_by(&expanded, &expand(text, resource.namespace())) {
                    continue;
                }
                return (
                    Vec::new(),
                    Absence::unknown(format!(
                        "which DestinationRules are applied in namespace {}",
                        resource.namespace()
                    )),
                );
            }
            if !covered_by(&expanded, &expand(text, resource.namespace())) || !self.exported_to(id, namespace) {
                continue;
            }
            read = true;
            for subset in self.root(id).at(&["spec", "subsets"]).into_iter().flat_map(Node::items) {
                if let Some(name) = subset.get("name") {
                    if name.is_unknown() {
                        return (Vec::new(), Absence::unknown(format!("subsets of host {host}")));
                    }
                    places.push(Place { tree: resource.root.tree, node: name.id() });
                }
            }
        }
        let absence = if read {
            Absence::certain()
        } else if let Some(deleted) = self.absence_of_rule(&expanded) {
            deleted
        } else {
            let own = self.absence("networking.istio.io", "DestinationRule", namespace);
            let other = self.absence("networking.istio.io", "DestinationRule", host_namespace);
            // Either namespace may hold the one that declares it.
            if other.certainty < own.certainty { other } else { own }
        };
        (places, absence)
    }
}

/// DestinationRules by namespace and host.
#[derive(Debug, Default)]
pub(super) struct DestinationRules {
    namespaces: HashMap<Box<str>, ByHost>,
}

#[derive(Debug, Default)]
struct ByHost {
    /// Rules for one host, expanded.
    exact: HashMap<Box<str>, Vec<ResourceId>>,
    /// Rules for a wildcard, or for a host that the input does not show.
    others: Vec<ResourceId>,
}

impl DestinationRules {
    pub(super) fn new(mesh: &Mesh) -> DestinationRules {
        let mut rules = DestinationRules::default();
        for id in mesh.of_kind("networking.istio.io", "DestinationRule") {
            let namespace = mesh.resource(id).namespace();
            let Some(host) = mesh.root(id).at(&["spec", "host"]) else { continue };
            let Some(text) = host.text() else { continue };
            let here = rules.namespaces.entry(namespace.into()).or_default();
            if host.is_unknown() || is_wildcard(text) {
                here.others.push(id);
            } else {
                here.exact.entry(expand(text, namespace).into()).or_default().push(id);
            }
        }
        rules
    }

    /// The rules of some namespaces that may concern a host, in canonical order.
    fn candidates(&self, namespaces: &[&str], host: &str) -> Vec<ResourceId> {
        let near = namespaces.iter().filter_map(|ns| self.namespaces.get(*ns));
        let mut rules: Vec<ResourceId> =
            near.flat_map(|ns| ns.exact.get(host).into_iter().flatten().chain(&ns.others)).copied().collect();
        rules.sort();
        rules.dedup();
        rules
    }
}

/// The index of the candidate that is most alike, if any is alike enough to be what was meant.
pub fn closest<'a>(wanted: &str, candidates: impl Iterator<Item = &'a str>) -> Option<usize> {
    if wanted.len() > 256 {
        return None;
    }
    let allowed = (wanted.chars().count() / 3).clamp(1, 4);
    candidates
        .enumerate()
        .filter(|(_, candidate)| candidate.len().abs_diff(wanted.len()) <= 4)
        // Counting letters is cheap, and most names fail already there.
        .filter(|(_, candidate)| letters_apart(wanted, candidate) <= allowed)
        .map(|(i, candidate)| (strsim::damerau_levenshtein(wanted, candidate), i))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, i)| i)
}

/// How many letters one text has more than the other at least: a lower bound of their distance.
fn letters_apart(a: &str, b: &str) -> usize {
    let mut counts = [0i32; 256];
    a.bytes().for_each(|byte| counts[byte as usize] += 1);
    b.bytes().for_each(|byte| counts[byte as usize] -= 1);
    let more: i32 = counts.iter().filter(|n| **n > 0).sum();
    let less: i32 = -counts.iter().filter(|n| **n < 0).sum::<i32>();
    // A letter of another alphabet is up to four bytes.
    more.max(less) as usize / if a.is_ascii() && b.is_ascii() { 1 } else { 4 }
}

#[cfg(test)]
mod tests {
    use super::super::{Declared, test_mesh, test_mesh_with};
    use super::*;

    #[test]
    fn shapes_and_expansion() {
        assert!(is_short("reviews") && !is_short("reviews.prod") && !is_short("*") && !is_short("fd00::1"));
        assert_eq!(expand("reviews", "shop"), "reviews.shop.svc.cluster.local");
        assert_eq!(expand("reviews.prod", "shop"), "reviews.prod");
        assert_eq!(parse_fqdn("a.b.svc.cluster.local"), Some(("a", "b")));
        assert_eq!(parse_fqdn("a.b"), None);
    }

    #[test]
    fn overlap_and_cover() {
        assert!(overlap("*.foo.com", "a.foo.com") && !overlap("*.foo.com", "foo.com"));
        assert!(overlap("*", "x") && overlap("*foo.com", "xfoo.com"));
        assert!(overlap("*.a.com", "*.b.a.com") && overlap("*.b.a.com", "*.a.com"));
        assert!(covered_by("*.b.a.com", "*.a.com") && !covered_by("*.a.com", "*.b.a.com"));
        assert!(!covered_by("*.a.com", "x.a.com"));
    }

    fn service(name: &str, namespace: &str) -> String {
        format!("apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: {namespace}}}\n")
    }

    #[test]
    fn services_by_short_and_full_name() {
        let mesh = test_mesh(&[&service("reviews", "shop")]);
        assert!(matches!(mesh.host("reviews", "shop"), Answer::Found(_)));
        assert!(matches!(mesh.host("reviews.shop.svc.cluster.local", "other"), Answer::Found(_)));
        let Answer::Missing(absence) = mesh.host("reviews", "other") else { panic!() };
        assert_eq!(absence.certainty, Certainty::Unknown);
        let Answer::Missing(absence) = mesh.host("reviws", "shop") else { panic!() };
        assert_eq!(absence.certainty, Certainty::Likely);
        for host in ["reviws", "reviews.shop", "reviews.shop.svc"] {
            let near = mesh.closest_service(host, "shop").unwrap();
            assert_eq!(&*near.host, "reviews.shop.svc.cluster.local");
        }
        let Answer::Missing(absence) = mesh.host("reviews.shop", "shop") else { panic!() };
        assert_eq!(absence.certainty, Certainty::Likely);
    }

    #[test]
    fn complete_makes_absence_certain() {
        let declared = Declared { complete: vec!["Service".into()], ..Declared::default() };
        let mesh = test_mesh_with(&[&service("a", "shop")], declared);
        let Answer::Missing(absence) = mesh.host("b", "elsewhere") else { panic!() };
        assert_eq!(absence.certainty, Certainty::Certain);
        let Answer::Missing(absence) = mesh.host("api.example.com", "shop") else { panic!() };
        assert_eq!(absence.certainty, Certainty::Unknown);
    }

    #[test]
    fn service_entries_wildcards_and_scopes() {
        let entry = |hosts: &str, export: &str| {
            format!(
                "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: e, namespace: egress}}\nspec: {{hosts: [{hosts}], exportTo: [{export}]}}\n"
            )
        };
        let mesh = test_mesh(&[&entry("'*.example.com', short", "")]);
        assert!(matches!(mesh.host("api.example.com", "shop"), Answer::Found(_)));
        assert!(matches!(mesh.host("short.egress.svc.cluster.local", "shop"), Answer::Found(_)));
        let mesh = test_mesh(&[&entry("api.example.com", "'.'")]);
        assert!(matches!(mesh.host("api.example.com", "shop"), Answer::Hidden(_)));
        assert!(matches!(mesh.host("api.example.com", "egress"), Answer::Found(_)));
    }

    #[test]
    fn run_time_services_are_never_missing() {
        let mesh = test_mesh(&[&service("a", "default"), &service("b", "istio-system")]);
        for (host, namespace) in [("kubernetes", "default"), ("istiod", "istio-system")] {
            let Answer::Missing(absence) = mesh.host(host, namespace) else { panic!() };
            assert_eq!(absence.certainty, Certainty::Unknown, "{host}");
        }
    }

    #[test]
    fn a_namespace_that_was_not_read_may_declare_the_subset() {
        let rule = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a, namespace: shop}\nspec: {host: reviews}\n";
        let mesh = test_mesh(&[rule]);
        let (_, absence) = mesh.subsets("ratings.other.svc.cluster.local", "shop");
        assert_eq!(absence.certainty, Certainty::Unknown);
        assert!(letters_apart("reviws", "reviews") <= 1 && letters_apart("abc", "xyz") == 3);
    }

    #[test]
    fn subsets_of_all_rules_that_a_client_may_see() {
        let rule = |name: &str, namespace: &str, host: &str, subset: &str| {
            format!(
                "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {{host: {host}, subsets: [{{name: {subset}}}]}}\n"
            )
        };
        let mesh = test_mesh(&[
            &rule("a", "shop", "reviews", "v1"),
            &rule("b", "client", "reviews.shop.svc.cluster.local", "v2"),
            &rule("c", "third", "reviews.shop.svc.cluster.local", "v3"),
        ]);
        let names = |host: &str, ns: &str| -> Vec<String> {
            mesh.subsets(host, ns).0.iter().map(|p| mesh.trees.node(*p).text().unwrap().to_string()).collect()
        };
        assert_eq!(names("reviews", "shop"), ["v1"]);
        assert_eq!(names("reviews.shop.svc.cluster.local", "client"), ["v1", "v2"]);
        assert_eq!(mesh.subsets("reviews", "shop").1.certainty, Certainty::Certain);
        assert_eq!(mesh.subsets("ratings", "shop").1.certainty, Certainty::Likely);
        assert_eq!(mesh.subsets("ratings", "empty").1.certainty, Certainty::Unknown);
    }

    #[test]
    fn differing_copies_of_a_rule_answer_nothing() {
        let text = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a, namespace: shop}\nspec: {host: reviews, subsets: [{name: v1}]}\n";
        let mesh = test_mesh(&[text, &text.replace("v1}", "v2}")]);
        assert_eq!(mesh.subsets("reviews", "shop").1.certainty, Certainty::Unknown);
    }
}
