//! Which versions of Istio and of Kubernetes the input shows, and where it says so.
//!
//! Of Istio, the first of these that says one counts: what is declared; istiod's image; the labels of
//! istiod; the injector's `global.tag`; `CURRENT_AGENT_VERSION` of `istio-cni-config`; `spec.tag` of an
//! IstioOperator; the labels of Istio's CRDs. Proxies may be older than their istiod, so they say which
//! versions run, but not what the version of Istio is. A digest, `latest` and the `1.0.0` of charts from
//! the source tree say nothing, and the build of a vendor, who supports it for longer and mends it on its
//! own, is no version of Istio's.
//!
//! Of Kubernetes: what is declared, else the newest kubelet of the Nodes. The API server is never older,
//! so what that version no longer serves is certainly gone.

use super::injection::Component;
use super::installation::Istiod;
use super::selector::Tri;
use super::workload::{Workload, WorkloadId};
use super::{Declared, Mesh};
use crate::resource::ResourceId;
use crate::units::Version;
use crate::yaml::{Node, Place};

/// A version, and where the input says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stated {
    /// The version.
    pub version: Version,
    /// The scalar that holds it, or where it would stand.
    pub place: Place,
    /// It is declared (`--assume istio=1.30`), not written there.
    pub declared: bool,
}

/// What a resource says about its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It has this one.
    Is(Stated),
    /// Nothing: it is no part of Istio's, or gets its version from istiod.
    None,
    /// A part of Istio's of a version that can't be known; the place is where it stands.
    Unknown(Place),
}

/// The versions of one cluster.
#[derive(Debug, Default)]
pub(super) struct Versions {
    /// Each version of Istio once, the oldest first.
    istio: Vec<Stated>,
    /// Whether these are of control planes, and of all that were read.
    of_all_control_planes: bool,
    /// Each version of Kubernetes once, the oldest first.
    kubernetes: Vec<Stated>,
}

/// What a text says about a version of Istio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Release {
    Is(Version),
    Vendor,
    None,
}

/// What Istio itself writes behind a version: kinds of images, and steps before a release.
const OWN_SUFFIXES: [&str; 7] = ["distroless", "debug", "slim", "alpha", "beta", "rc", "latest"];

/// The label that Istio's charts write since 1.24, and the older one.
const VERSION_LABELS: [&str; 2] = ["app.kubernetes.io/version", "helm.sh/chart"];

/// Reads a tag (`1.30.2-distroless`) or a label (`1.30.2`, `istiod-1.30.2`).
fn release(text: &str) -> Release {
    let Some((version, suffix)) = Version::split(text) else { return Release::None };
    if (version.major, version.minor) == (1, 0) {
        // What charts from the source tree are stamped with.
        return Release::None;
    }
    let word = suffix.split(['-', '.', '_', '+']).next().unwrap_or("");
    let own = word.is_empty() || OWN_SUFFIXES.contains(&word);
    if own { Release::Is(version) } else { Release::Vendor }
}

/// The tag of an image; empty if it has none.
pub fn tag(image: &str) -> &str {
    let image = image.split_once('@').map_or(image, |(name, _)| name);
    let name = image.rsplit_once('/').map_or(image, |(_, name)| name);
    name.split_once(':').map_or("", |(_, tag)| tag)
}

impl Versions {
    pub(super) fn new(mesh: &Mesh) -> Versions {
        let mut istio = mesh.control_planes();
        let is_hidden = |istiod: &Istiod| mesh.istiod_version(istiod).stated().is_none();
        let of_all_control_planes = !istio.is_empty()
            && !mesh.istiods.iter().any(is_hidden)
            && !mesh.workloads.iter().any(|w| mesh.may_be_istiod(w));
        if istio.is_empty() {
            istio = mesh.stated_by((0..mesh.workloads.len() as u32).map(|w| mesh.workload(WorkloadId(w)).resource));
        }
        let nodes = mesh.of_kind("", "Node").filter(|id| !mesh.resource(*id).is_open()).filter_map(|id| {
            let place = mesh.at(id, &["status", "nodeInfo", "kubeletVersion"])?;
            let version = Version::parse(mesh.trees.node(place).text()?)?;
            Some(Stated { version, place, declared: false })
        });
        let kubernetes = mesh.oldest_first(nodes.collect());
        Versions { istio: mesh.oldest_first(istio), of_all_control_planes, kubernetes }
    }
}

fn parsed(declared: &Declared, what: fn(&Declared) -> &Option<String>) -> Option<Version> {
    what(declared).as_deref().and_then(Version::parse)
}

impl Mesh {
    /// The version of Istio; the oldest of several control planes, if all of them show theirs.
    pub fn istio_version(&self) -> Option<Version> {
        let read = || self.versions.istio.first().filter(|_| self.versions.of_all_control_planes);
        parsed(&self.declared, |d| &d.istio).or_else(|| read().map(|stated| stated.version))
    }

    /// The version of Kubernetes, which the API server has at least.
    pub fn kubernetes_version(&self) -> Option<Version> {
        let read = || self.versions.kubernetes.last().map(|stated| stated.version);
        parsed(&self.declared, |d| &d.kubernetes).or_else(read)
    }

    /// Versions of Istio that run, each once, the oldest first: those of istiods, or of the first that says
    /// one in their stead, or of proxies.
    pub fn istio_versions(&self) -> &[Stated] {
        &self.versions.istio
    }

    /// Versions of kubelets, each once, the oldest first.
    pub fn kubernetes_versions(&self) -> &[Stated] {
        &self.versions.kubernetes
    }

    /// The version of what a resource is of Istio's: of an istiod, a proxy (in pods that are injected
    /// already, in gateways, or pinned by `sidecar.istio.io/proxyImage`), ztunnel, istio-cni, a CRD.
    pub fn version_of(&self, id: ResourceId) -> Answer {
        let resource = self.resource(id);
        let workload = self.workload_of(id);
        let stated = match workload.map(|w| (w, self.workload(w), self.injection(w).component)) {
            Some((own, _, Some(Component::Istiod))) => {
                return match self.istiods.iter().find(|istiod| istiod.workload == own) {
                    Some(istiod) => self.istiod_version(istiod),
                    None => Answer::None,
                };
            }
            Some((_, workload, component)) => self.image_version(workload, component),
            None if &*resource.kind == "CustomResourceDefinition" && resource.name.ends_with(".istio.io") => {
                self.label_version(id)
            }
            None => Answer::None,
        };
        match stated {
            Answer::Is(stated) if resource.is_open() => Answer::Unknown(stated.place),
            other => other,
        }
    }

    /// The revision of pods that are injected already, as the injector wrote it.
    pub fn injected_revision<'w>(&self, workload: &'w Workload) -> Option<&'w str> {
        let written = workload.annotations.value("istio.io/rev").or_else(|| workload.labels.value("istio.io/rev"));
        written.filter(|revision| !revision.is_empty())
    }

    /// Whether a workload may be an istiod, but the input does not show it.
    fn may_be_istiod(&self, workload: &Workload) -> bool {
        let is = |wanted: Option<&str>| {
            let name = |c: Node<'_>| {
                c.get("name").is_some_and(|n| if n.is_unknown() { wanted.is_none() } else { n.text() == wanted })
            };
            self.containers(workload).into_iter().any(name)
        };
        match workload.labels.is("app", "istiod") {
            Tri::No => false,
            Tri::Yes => is(None) && !is(Some("discovery")),
            Tri::Unknown => is(Some("discovery")),
        }
    }

    /// Each version once, the oldest first; of equal ones the place in the resource that comes first by name,
    /// whatever the order of the files.
    fn oldest_first(&self, mut all: Vec<Stated>) -> Vec<Stated> {
        all.sort_by_cached_key(|stated| {
            let owner = self.owner(stated.place).map(|id| self.resource(id));
            let name = owner.map(|r| (r.namespace().to_string(), r.name.to_string()));
            (stated.version, stated.version.patch, name)
        });
        all.dedup_by_key(|stated| (stated.version, stated.version.patch));
        all
    }

    /// The first kind of evidence that says a version.
    fn control_planes(&self) -> Vec<Stated> {
        let istiods: Vec<_> = self.istiods.iter().map(|istiod| self.istiod_version(istiod)).collect();
        if istiods.iter().any(|answer| *answer != Answer::None) {
            // Where one is there whose version can't be known, nothing else says it either.
            return istiods.into_iter().filter_map(Answer::stated).collect();
        }
        let injectors = self.installation.injectors.iter().filter_map(|i| self.stated(self.tag_of(i.values?)?));
        let tags: Vec<_> = injectors.collect();
        if !tags.is_empty() {
            return tags;
        }
        let agents = self.of_kind("", "ConfigMap").filter(|id| &*self.resource(*id).name == "istio-cni-config");
        let agents = agents.filter_map(|id| self.at(id, &["data", "CURRENT_AGENT_VERSION"]));
        let operators = self.of_kind("install.istio.io", "IstioOperator");
        let operators = operators.filter_map(|id| self.at(id, &["spec", "tag"]));
        if let Some(stated) = agents.chain(operators).find_map(|place| self.stated(place)) {
            return vec![stated];
        }
        self.stated_by(self.of_kind("apiextensions.k8s.io", "CustomResourceDefinition"))
    }

    /// What resources say about their versions.
    fn stated_by(&self, ids: impl Iterator<Item = ResourceId>) -> Vec<Stated> {
        ids.filter_map(|id| self.version_of(id).stated()).collect()
    }

    fn istiod_version(&self, istiod: &Istiod) -> Answer {
        let workload = self.workload(istiod.workload);
        let read = self.istiod_version_read(istiod, workload);
        let open = self.resource(workload.resource).is_open();
        let here = match read {
            Answer::Is(stated) => stated.place,
            Answer::Unknown(place) => place,
            Answer::None => workload.template,
        };
        match (parsed(&self.declared, |d| &d.istio), read) {
            // Who declares 1.30 and runs 1.30.2 means the same.
            (Some(declared), Answer::Is(read)) if declared.series() == read.version.series() && !open => {
                Answer::Is(read)
            }
            (Some(version), _) => Answer::Is(Stated { version, place: here, declared: true }),
            (None, Answer::Is(_)) if open => Answer::Unknown(here),
            (None, Answer::None) => Answer::Unknown(here),
            (None, read) => read,
        }
    }

    fn istiod_version_read(&self, istiod: &Istiod, workload: &Workload) -> Answer {
        let image = self.image_of(workload, "discovery");
        let by_vendor = &*workload.namespace == "aks-istio-system" || istiod.revision.starts_with("asm-");
        let stated = image.map_or(Answer::None, |place| self.read_image(place));
        if by_vendor {
            return Answer::Unknown(image.unwrap_or(workload.template));
        }
        // One that is filled in later may say anything.
        let is_hidden = image.is_some_and(|place| self.trees.node(place).is_unknown());
        if matches!(stated, Answer::Is(_)) || is_hidden || self.is_vendors(image) {
            return stated;
        }
        let labelled = self.label_version(workload.resource);
        if labelled != Answer::None {
            return labelled;
        }
        let injector = self.injector(&istiod.revision).and_then(|i| self.tag_of(i.values?));
        injector.and_then(|place| self.stated(place)).map_or(stated, Answer::Is)
    }

    fn is_vendors(&self, image: Option<Place>) -> bool {
        let text = image.and_then(|place| self.trees.node(place).text());
        text.is_some_and(|image| release(tag(image)) == Release::Vendor)
    }

    fn image_version(&self, workload: &Workload, component: Option<Component>) -> Answer {
        let name = match component {
            Some(Component::IstioCni) => "install-cni",
            _ => "istio-proxy",
        };
        let image = self.image_of(workload, name).filter(|place| self.trees.node(*place).text() != Some("auto"));
        match image.or_else(|| self.proxy_setting(workload, "sidecar.istio.io/proxyImage")) {
            Some(place) => match self.read_image(place) {
                Answer::Unknown(_) if component.is_some() && !self.is_vendors(Some(place)) => {
                    // A digest beside the chart's labels.
                    match component {
                        Some(Component::IstioCni | Component::Ztunnel) => {
                            self.label_version(workload.resource).or(place)
                        }
                        _ => Answer::Unknown(place),
                    }
                }
                answer => answer,
            },
            None => Answer::None,
        }
    }

    fn image_of(&self, workload: &Workload, container: &str) -> Option<Place> {
        let containers = self.containers(workload);
        let found = containers.iter().find(|c| c.get("name").and_then(Node::text) == Some(container))?;
        let image = found.get("image").filter(|image| !image.is_null())?;
        Some(Place { tree: workload.template.tree, node: image.id() })
    }

    fn read_image(&self, place: Place) -> Answer {
        let node = self.trees.node(place);
        match node.text().filter(|_| !node.is_unknown()).map(|image| release(tag(image))) {
            Some(Release::Is(version)) => Answer::Is(Stated { version, place, declared: false }),
            _ => Answer::Unknown(place),
        }
    }

    /// What the labels of a chart say, or those of its resource.
    fn label_version(&self, id: ResourceId) -> Answer {
        for label in VERSION_LABELS {
            let Some(place) = self.at(id, &["metadata", "labels", label]) else { continue };
            let Some(text) = self.trees.node(place).text() else { continue };
            // `istiod-1.30.2-rc.1`
            let digits = text.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
            match release(&text[digits..]) {
                Release::Is(version) => return Answer::Is(Stated { version, place, declared: false }),
                Release::Vendor => return Answer::Unknown(place),
                Release::None => {}
            }
        }
        Answer::None
    }

    fn tag_of(&self, values: Place) -> Option<Place> {
        self.trees.get(values, &["global", "tag"])
    }

    fn stated(&self, place: Place) -> Option<Stated> {
        let node = self.trees.node(place);
        match node.text().filter(|_| !node.is_unknown()).map(release)? {
            Release::Is(version) => Some(Stated { version, place, declared: false }),
            _ => None,
        }
    }
}

impl Answer {
    fn stated(self) -> Option<Stated> {
        match self {
            Answer::Is(stated) => Some(stated),
            _ => None,
        }
    }

    fn or(self, unknown: Place) -> Answer {
        if self == Answer::None { Answer::Unknown(unknown) } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{test_mesh, test_mesh_with};
    use super::*;

    fn istiod(image: &str, labels: &str) -> String {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: istiod, namespace: istio-system, labels: {{{labels}}}}}\nspec: {{template: {{metadata: {{labels: {{app: istiod}}}}, spec: {{containers: [{{name: discovery, image: '{image}'}}]}}}}}}\n"
        )
    }

    fn read(texts: &[&str]) -> Option<String> {
        test_mesh(texts).istio_version().map(|version| version.to_string())
    }

    #[test]
    fn the_first_that_says_a_version_counts() {
        let by = |image: &str, labels: &str| read(&[&istiod(image, labels)]);
        let own = |text: &str| Some(text.to_string());
        assert_eq!(by("docker.io/istio/pilot:1.30.2-distroless", ""), own("1.30.2"));
        assert_eq!(by("registry:5000/istio/pilot:1.30.2@sha256:abc", ""), own("1.30.2"));
        assert_eq!(by("istio/pilot:1.31-alpha.0a1b2c", ""), own("1.31"));
        assert_eq!(by("istio/pilot@sha256:abc", ""), None);
        assert_eq!(by("registry:5000/pilot", ""), None);
        assert_eq!(by("istio/pilot:latest", "app.kubernetes.io/version: 1.0.0, helm.sh/chart: istiod-1.0.0"), None);
        assert_eq!(by("istio/pilot@sha256:abc", "app.kubernetes.io/version: 1.30.2"), own("1.30.2"));
        assert_eq!(by("istio/pilot@sha256:abc", "helm.sh/chart: istiod-1.30.0-rc.1"), own("1.30.0"));
        assert_eq!(by("istio/pilot:${TAG}", ""), None);
    }

    #[test]
    fn a_vendors_build_is_no_version_of_istios() {
        for image in ["tetrate/pilot:1.20.3-tetrate-v0", "pilot:1.20.3-fips", "pilot:1.20.3-asm.1"] {
            assert_eq!(read(&[&istiod(image, "app.kubernetes.io/version: 1.20.3")]), None, "{image}");
        }
        let aks = istiod("mcr.microsoft.com/oss/istio/pilot:1.28.3", "").replace("istio-system", "aks-istio-system");
        assert_eq!(read(&[&aks]), None);
    }

    #[test]
    fn other_parts_say_it_where_istiod_was_not_read() {
        let map = |name: &str, data: &str| {
            format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: istio-system}}\ndata: {{{data}}}\n"
            )
        };
        let injector = map("istio-sidecar-injector", "values: '{\"global\": {\"tag\": \"1.30.1\"}}'");
        let agent = map("istio-cni-config", "CURRENT_AGENT_VERSION: 1.29.3");
        let operator =
            "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: {name: a}\nspec: {tag: 1.23.1}\n";
        let crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: sidecars.networking.istio.io, labels: {app.kubernetes.io/version: 1.28.0}}\n";
        let other = crd
            .replace("sidecars.networking.istio.io", "prometheuses.monitoring.coreos.com")
            .replace("1.28.0", "0.93.1");
        for (texts, expected) in [
            (&[&*injector, &agent, crd][..], Some("1.30.1")),
            (&[&agent, crd], Some("1.29.3")),
            (&[operator, crd], Some("1.23.1")),
            (&[&other, crd], Some("1.28.0")),
            (&[&other], None),
        ] {
            assert_eq!(read(texts).as_deref(), expected);
        }
    }

    fn gateway(image: &str, annotations: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: gw, namespace: gw, annotations: {{inject.istio.io/templates: gateway, {annotations}}}}}\nspec: {{containers: [{{name: istio-proxy, image: '{image}'}}]}}\n"
        )
    }

    #[test]
    fn proxies_have_versions_of_their_own() {
        let of = |text: &str| {
            let mesh = test_mesh(&[text]);
            (mesh.version_of(ResourceId(0)).stated().map(|s| s.version.to_string()), mesh.istio_version())
        };
        assert_eq!(of(&gateway("istio/proxyv2:1.29.1", "")), (Some("1.29.1".into()), None));
        assert_eq!(of(&gateway("auto", "")), (None, None));
        assert_eq!(of(&gateway("auto", "sidecar.istio.io/proxyImage: 'a/b:1.28.0'")).0, Some("1.28.0".into()));
        let mesh = test_mesh(&[&gateway("istio/proxyv2:1.29.1", "")]);
        assert_eq!(mesh.istio_versions().len(), 1);
        assert_eq!(test_mesh(&[&gateway("istio/proxyv2", "")]).version_of(ResourceId(0)).stated(), None);
    }

    #[test]
    fn two_control_planes_have_two_versions() {
        let (old, new) =
            (istiod("pilot:1.29.4", ""), istiod("pilot:1.30.0", "").replace("name: istiod,", "name: istiod-b,"));
        let mesh = test_mesh(&[&new, &old]);
        let versions: Vec<_> = mesh.istio_versions().iter().map(|s| s.version.to_string()).collect();
        assert_eq!(versions, ["1.29.4", "1.30.0"]);
        assert_eq!(mesh.istio_version(), Version::parse("1.29.4"));
        let mesh = test_mesh(&[&new, &old.replace(":1.29.4", "@sha256:abc")]);
        assert_eq!((mesh.istio_versions().len(), mesh.istio_version()), (1, None));
        for hidden in [new.replace("name: discovery", "name: '${N}'"), new.replace("app: istiod", "app: '${N}'")] {
            assert_eq!(test_mesh(&[&old, &hidden]).istio_version(), None);
        }
    }

    #[test]
    fn what_is_declared_wins() {
        let declared = |istio: &str, image: &str| {
            let declared = Declared { istio: Some(istio.into()), ..Declared::default() };
            let mesh = test_mesh_with(&[&istiod(image, "")], declared);
            let stated = mesh.istio_versions()[0];
            (stated.version.to_string(), stated.declared)
        };
        assert_eq!(declared("1.30", "pilot:1.30.2"), ("1.30.2".into(), false));
        assert_eq!(declared("1.30", "pilot:1.20.0"), ("1.30".into(), true));
        assert_eq!(declared("1.30", "pilot:latest"), ("1.30".into(), true));
    }

    #[test]
    fn the_newest_kubelet_says_what_the_api_server_is_at_least() {
        let node = |name: &str, version: &str| {
            format!(
                "apiVersion: v1\nkind: Node\nmetadata: {{name: {name}}}\nstatus: {{nodeInfo: {{kubeletVersion: '{version}'}}}}\n"
            )
        };
        let mesh = test_mesh(&[
            &node("a", "v1.33.4-gke.1036000"),
            &node("b", "v1.32.1"),
            &node("c", "v1.32.1"),
            &node("d", "x"),
        ]);
        assert_eq!(mesh.kubernetes_version(), Version::parse("1.33.4"));
        assert_eq!(mesh.kubernetes_versions().len(), 2);
        assert_eq!(test_mesh(&[]).kubernetes_version(), None);
    }
}
