//! The Istio installation in the input: istiod by revision, mesh configuration, injectors, webhooks.

use super::Mesh;
use super::listener::Listener;
use super::selector::Selector;
use super::workload::WorkloadId;
use crate::resource::{Copy, ResourceId};
use crate::yaml::{Node, Place};

/// The revision of an installation that has none.
pub const DEFAULT_REVISION: &str = "default";

/// One istiod: a workload whose pods carry `app: istiod` and run a container `discovery`.
#[derive(Debug, Clone)]
pub struct Istiod {
    /// The Deployment.
    pub workload: WorkloadId,
    /// Its revision.
    pub revision: Box<str>,
}

/// A ConfigMap `istio` or `istio-<revision>` with mesh configuration.
#[derive(Debug, Clone)]
pub struct MeshConfig {
    /// The ConfigMap.
    pub resource: ResourceId,
    /// Its revision.
    pub revision: Box<str>,
    /// The parsed `data.mesh`.
    pub config: Place,
}

/// A ConfigMap `istio-sidecar-injector` or `istio-sidecar-injector-<revision>`.
#[derive(Debug, Clone)]
pub struct Injector {
    /// The ConfigMap.
    pub resource: ResourceId,
    /// Its revision.
    pub revision: Box<str>,
    /// The parsed `data.values`.
    pub values: Option<Place>,
    /// The parsed `data.config`.
    pub config: Option<Place>,
}

/// One webhook of Istio's that injects proxies.
#[derive(Debug, Clone)]
pub struct InjectionWebhook {
    /// The MutatingWebhookConfiguration.
    pub resource: ResourceId,
    /// The item of its `webhooks`.
    pub place: Place,
    /// The revision it injects.
    pub revision: Box<str>,
    /// The revision tag that it serves, if it serves one.
    pub tag: Option<Box<str>>,
    /// `namespaceSelector`
    pub namespaces: Selector,
    /// `objectSelector`
    pub objects: Selector,
    /// Copies say something else, or a part of it stands elsewhere (`${NAME}`): whether it selects a pod is
    /// not known.
    pub alternative: bool,
}

/// Somebody names a Service and a port of it.
#[derive(Debug, Clone)]
pub struct Call {
    /// The Service's namespace and name.
    pub service: (Box<str>, Box<str>),
    /// The port of the Service.
    pub port: u16,
    /// Where it is named.
    pub place: Place,
    /// Who calls, as in "the injection webhook".
    pub caller: &'static str,
    /// What of istiod's is called.
    pub listener: Listener,
}

/// Everything of Istio's that the input shows.
#[derive(Debug, Default)]
pub struct Installation {
    /// Mesh configurations by revision.
    pub mesh_configs: Vec<MeshConfig>,
    /// Injectors by revision.
    pub injectors: Vec<Injector>,
    /// Injection webhooks.
    pub webhooks: Vec<InjectionWebhook>,
    /// Calls that Istio's webhooks and proxies make to Services.
    pub calls: Vec<Call>,
    /// Texts in its ConfigMaps that are neither YAML nor JSON.
    pub broken: Vec<Place>,
}

/// Whether a part of a selector stands elsewhere (`${NAME}`).
fn holds_unknown(selector: Node<'_>) -> bool {
    let within = |node: Node<'_>| node.is_unknown() || node.items().any(Node::is_unknown);
    let expressions = selector.get("matchExpressions").into_iter().flat_map(Node::items).flat_map(Node::entries);
    let labels = selector.get("matchLabels").into_iter().flat_map(Node::entries);
    within(selector)
        || selector.entries().any(|(key, value)| key.is_unknown() || within(value))
        || labels.chain(expressions).any(|(key, value)| within(key) || within(value))
}

pub(super) fn istiods(mesh: &Mesh) -> Vec<Istiod> {
    let mut istiods = Vec::new();
    for (i, workload) in mesh.workloads.iter().enumerate() {
        if workload.labels.value("app") != Some("istiod") {
            continue;
        }
        let discovery =
            mesh.containers(workload).into_iter().find(|c| c.get("name").and_then(Node::text) == Some("discovery"));
        let Some(discovery) = discovery else { continue };
        let env = discovery
            .get("env")
            .into_iter()
            .flat_map(Node::items)
            .find(|e| e.get("name").and_then(Node::text) == Some("REVISION"))
            .and_then(|e| e.get("value"))
            .and_then(Node::text);
        let revision =
            workload.labels.value("istio.io/rev").or(env).filter(|r| !r.is_empty()).unwrap_or(DEFAULT_REVISION);
        istiods.push(Istiod { workload: WorkloadId(i as u32), revision: revision.into() });
    }
    istiods
}

impl Installation {
    pub(super) fn new(mesh: &Mesh) -> Installation {
        let mut installation = Installation::default();
        for id in mesh.of_kind("", "ConfigMap") {
            let resource = mesh.resource(id);
            let name = &*resource.name;
            let revision = |base: &str| -> Option<Box<str>> {
                match name.strip_prefix(base)? {
                    "" => Some(DEFAULT_REVISION.into()),
                    rest => rest.strip_prefix('-').map(Into::into),
                }
            };
            if resource.is_open() {
                continue;
            }
            let mut broken = Vec::new();
            let mut parsed = |key: &str| {
                let place = mesh.at(id, &["data", key])?;
                let tree = mesh.trees.parse(place);
                let node = mesh.trees.node(place);
                if tree.is_none() && !node.is_unknown() && node.text().is_some_and(|t| !t.trim().is_empty()) {
                    broken.push(place);
                }
                tree
            };
            if let Some(revision) = revision("istio-sidecar-injector") {
                installation.injectors.push(Injector {
                    resource: id,
                    revision,
                    values: parsed("values"),
                    config: parsed("config"),
                });
            } else if let Some(revision) = revision("istio")
                && let Some(config) = parsed("mesh")
            {
                installation.mesh_configs.push(MeshConfig { resource: id, revision, config });
            }
            installation.broken.extend(broken);
        }
        installation.read_webhooks(mesh);
        installation.read_discovery_addresses(mesh);
        installation
    }

    fn read_webhooks(&mut self, mesh: &Mesh) {
        for (kind, mutating) in [("MutatingWebhookConfiguration", true), ("ValidatingWebhookConfiguration", false)] {
            let revision = |id: ResourceId| {
                let root = mesh.root(id);
                let label = root.at(&["metadata", "labels", "istio.io/rev"]);
                let label = label.or_else(|| root.at(&["metadata", "labels", "istio.io/tag"]));
                label.and_then(Node::text).unwrap_or(DEFAULT_REVISION)
            };
            let copies = |id: ResourceId| match mesh.resource(id).copy {
                Copy::Alternative => mesh.copies(mesh.resource(id)).to_vec(),
                _ => vec![id],
            };
            let all = mesh.of_kind("admissionregistration.k8s.io", kind);
            let mut ids: Vec<_> = all.flat_map(copies).collect();
            // The API server calls them in the order of their names.
            ids.sort_by_key(|id| (mesh.resource(*id).name.clone(), revision(*id)));
            for id in ids {
                let alternative = mesh.resource(id).is_open();
                let (root, revision) = (mesh.root(id), revision(id));
                let tree = mesh.resource(id).root.tree;
                for webhook in root.get("webhooks").into_iter().flat_map(Node::items) {
                    // `….sidecar-injector.istio.io`, `rev.validation.istio.io`, `validation.istio.io`
                    let name = webhook.get("name");
                    let hidden = name.is_some_and(Node::is_unknown);
                    if !hidden && !name.and_then(Node::text).unwrap_or("").ends_with(".istio.io") {
                        continue;
                    }
                    let selectors = ["namespaceSelector", "objectSelector"];
                    let hidden = hidden || selectors.iter().filter_map(|key| webhook.get(key)).any(holds_unknown);
                    if mutating {
                        self.webhooks.push(InjectionWebhook {
                            resource: id,
                            place: Place { tree, node: webhook.id() },
                            revision: revision.into(),
                            tag: root.at(&["metadata", "labels", "istio.io/tag"]).and_then(Node::text).map(Into::into),
                            namespaces: Selector::read(webhook.get("namespaceSelector")),
                            objects: Selector::read(webhook.get("objectSelector")),
                            alternative: alternative || hidden,
                        });
                    }
                    if alternative || hidden {
                        continue;
                    }
                    let Some(service) = webhook.at(&["clientConfig", "service"]) else { continue };
                    let text = |key: &str| service.get(key).filter(|n| !n.is_unknown()).and_then(Node::text);
                    let (Some(namespace), Some(name)) = (text("namespace"), text("name")) else { continue };
                    let port = service.get("port").map_or(Some(443), Node::int).and_then(|p| u16::try_from(p).ok());
                    let Some(port) = port else { continue };
                    self.calls.push(Call {
                        service: (namespace.into(), name.into()),
                        port,
                        place: Place { tree, node: service.id() },
                        caller: if mutating { "the injection webhook" } else { "the validation webhook" },
                        listener: Listener::Webhooks,
                    });
                }
            }
        }
    }

    fn read_discovery_addresses(&mut self, mesh: &Mesh) {
        for config in &self.mesh_configs {
            let Some(address) = mesh.trees.get(config.config, &["defaultConfig", "discoveryAddress"]) else { continue };
            let node = mesh.trees.node(address);
            let Some((host, port)) = node.text().filter(|_| !node.is_unknown()).and_then(|t| t.rsplit_once(':')) else {
                continue;
            };
            // istiod's own address is written `istiod.istio-system.svc`.
            let host = host.strip_suffix(".cluster.local").unwrap_or(host);
            let Some((name, namespace)) = host.strip_suffix(".svc").and_then(|h| h.rsplit_once('.')) else { continue };
            let Ok(port) = port.parse() else { continue };
            self.calls.push(Call {
                service: (namespace.into(), name.into()),
                port,
                place: address,
                caller: "every proxy",
                // Proxies do without TLS where the address ends so (`pkg/istio-agent` of 1.31).
                listener: if port == 15010 { Listener::PlainDiscovery } else { Listener::Discovery },
            });
        }
    }
}

impl Mesh {
    /// The resource that has Istio installed by somebody who renders it later: a chart's release, an
    /// operator's resource.
    pub fn unrendered_installation(&self) -> Option<ResourceId> {
        let chart = |path: &'static [&'static str]| {
            move |id: &ResourceId| self.root(*id).at(path).and_then(Node::text) == Some("istiod")
        };
        let release = self.of_kind("helm.toolkit.fluxcd.io", "HelmRelease");
        let application = self.of_kind("argoproj.io", "Application");
        release
            .filter(chart(&["spec", "chart", "spec", "chart"]))
            .chain(application.filter(chart(&["spec", "source", "chart"])))
            .chain(self.of_kind("sailoperator.io", "Istio"))
            .chain(self.of_kind("install.istio.io", "IstioOperator"))
            .next()
    }

    /// The resource that has an istiod installed with values that are not shown, all or some of them.
    pub fn partly_shown_installation(&self) -> Option<ResourceId> {
        let open = self.istiods.iter().filter_map(|istiod| {
            let number = self.resource(self.workload(istiod.workload).resource).release?;
            self.releases.get(number as usize).filter(|release| release.open)
        });
        open.filter_map(|release| self.owner(release.place)).next()
    }

    /// Istio's root namespace: `rootNamespace` of the mesh configuration, else the namespace of an
    /// istiod, else `istio-system`.
    pub fn root_namespace(&self) -> &str {
        let configured = self.installation.mesh_configs.first().and_then(|c| {
            self.trees.node(c.config).get("rootNamespace").and_then(Node::text).filter(|t| !t.is_empty())
        });
        configured
            .or_else(|| self.istiods.first().map(|i| &*self.workload(i.workload).namespace))
            .unwrap_or("istio-system")
    }

    /// The injector of a revision. Of several that are drawn of releases, which one is meant is not known.
    pub fn injector(&self, revision: &str) -> Option<&Injector> {
        let mut all = self.installation.injectors.iter().filter(|i| &*i.revision == revision);
        let first = all.next()?;
        (all.next().is_none() || !self.is_virtual(first.resource)).then_some(first)
    }

    /// The mesh configuration of a revision. Of several that are drawn of releases, which one is meant is
    /// not known.
    pub fn mesh_config(&self, revision: &str) -> Option<&MeshConfig> {
        let mut all = self.installation.mesh_configs.iter().filter(|c| &*c.revision == revision);
        let first = all.next()?;
        (all.next().is_none() || !self.is_virtual(first.resource)).then_some(first)
    }

    /// Whether anything of an installation was read.
    pub fn has_installation(&self) -> bool {
        !self.istiods.is_empty()
            || !self.installation.injectors.is_empty()
            || !self.installation.mesh_configs.is_empty()
    }

    /// The calls that Istio's webhooks and proxies make to a Service.
    pub fn calls_to(&self, service: ResourceId) -> impl Iterator<Item = &Call> {
        let resource = self.resource(service);
        let is_service = &*resource.kind == "Service" && resource.group.is_empty();
        self.installation.calls.iter().filter(move |call| {
            is_service && *call.service.0 == *resource.namespace() && call.service.1 == resource.name
        })
    }

    /// Services that istiod sees: inside `discoverySelectors`, without the API server's own.
    pub fn seen_services(&self) -> impl Iterator<Item = ResourceId> {
        self.of_kind("", "Service").filter(|id| {
            let resource = self.resource(*id);
            self.is_discovered(resource.namespace())
                && !(&*resource.name == "kubernetes" && resource.namespace() == "default")
        })
    }

    /// Whether a Service is visible to istiod: its namespace matches `discoverySelectors` of the mesh
    /// configuration, or there are none.
    pub fn is_discovered(&self, namespace: &str) -> bool {
        let configs = &self.installation.mesh_configs;
        let Some(first) = configs.first() else { return true };
        // Of several installations with one revision, the narrowest counts.
        let all = if self.mesh_config(&first.revision).is_none() { configs } else { &configs[..1] };
        let namespace = self.namespace(namespace);
        all.iter().map(|config| self.trees.node(config.config)).all(|config| {
            let selectors = config.get("discoverySelectors").into_iter().flat_map(Node::items);
            let selectors: Vec<_> = selectors.map(|item| Selector::read(Some(item))).collect();
            let admits = |s: &Selector| namespace.is_none_or(|n| s.matches(&n.labels) != super::selector::Tri::No);
            // Selectors that are not shown may leave any namespace out.
            if selectors.is_empty() { !config.is_unknown() } else { selectors.iter().any(admits) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::listener::Listener;
    use super::super::test_mesh;
    use crate::units::Version;

    const ISTIOD: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: istiod-canary, namespace: istio-system}
spec:
  template:
    metadata: {labels: {app: istiod, istio.io/rev: canary}}
    spec:
      containers:
      - name: discovery
        image: docker.io/istio/pilot:1.30.2-distroless
        args: [discovery, "--httpsAddr=:16017"]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: istio-canary, namespace: istio-system}
data:
  mesh: |-
    rootNamespace: istio-config
    defaultConfig:
      discoveryAddress: istiod-canary.istio-system.svc:15012
    discoverySelectors:
    - matchLabels: {istio: "on"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: istio-sidecar-injector-canary, namespace: istio-system}
data:
  values: '{"global": {"proxy": {"resources": {"limits": {"memory": "1Gi"}}}}}'
---
apiVersion: v1
kind: Namespace
metadata: {name: off}
"#;

    #[test]
    fn configuration_that_is_no_yaml_is_told_apart_from_none() {
        let config = |mesh: &str| {
            format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: istio, namespace: istio-system}}\ndata: {{mesh: {mesh}}}\n"
            )
        };
        assert_eq!(test_mesh(&[&config("'a: ['")]).installation.broken.len(), 1);
        for fine in ["'a: 1'", "''", "'${MESH}'"] {
            assert!(test_mesh(&[&config(fine)]).installation.broken.is_empty(), "{fine}");
        }
    }

    #[test]
    fn an_installation_is_found_by_revision() {
        let mesh = test_mesh(&[ISTIOD]);
        assert_eq!(&*mesh.istiods[0].revision, "canary");
        assert_eq!(mesh.istio_version(), Version::parse("1.30.2"));
        assert_eq!(mesh.listens(mesh.istiods[0].workload, Listener::Webhooks), Some(16017));
        assert_eq!(mesh.root_namespace(), "istio-config");
        let injector = mesh.injector("canary").unwrap();
        let limit =
            mesh.trees.get(injector.values.unwrap(), &["global", "proxy", "resources", "limits", "memory"]).unwrap();
        assert_eq!(&ISTIOD[mesh.trees.node(limit).span().range()], "\"1Gi\"");
        let call = &mesh.installation.calls[0];
        assert_eq!((&*call.service.1, call.port), ("istiod-canary", 15012));
        assert!(!mesh.is_discovered("off"));
        assert!(mesh.is_discovered("never-read"));
    }
}
