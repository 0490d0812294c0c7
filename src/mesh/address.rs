//! Where a resource says at which address proxies reach istiod.

use super::Mesh;
use crate::resource::ResourceId;
use crate::yaml::{Node, Place};

/// Environment of a proxy that names istiod: of pilot-agent (`pkg/istio-agent`), of ztunnel (`src/config.rs`).
const VARIABLES: [&str; 3] = ["CA_ADDR", "CA_ADDRESS", "XDS_ADDRESS"];

/// Chart values below the `spec` of what installs Istio, by group and kind; the last path of an Argo CD
/// Application holds them as text.
const VALUES: &[(&str, &str, &[&[&str]])] = &[
    ("install.istio.io", "IstioOperator", &[&[], &["values"]]),
    ("sailoperator.io", "Istio", &[&["values"]]),
    ("sailoperator.io", "IstioRevision", &[&["values"]]),
    ("sailoperator.io", "ZTunnel", &[&["values"]]),
    ("helm.toolkit.fluxcd.io", "HelmRelease", &[&["values"]]),
    ("argoproj.io", "Application", &[&["source", "helm", "valuesObject"], &["source", "helm", "values"], &["sources"]]),
];

impl Mesh {
    /// Every value of a resource that names istiod's address: `discoveryAddress`, `caAddress` and the like in
    /// mesh configuration, injector values, chart values, ProxyConfigs, and a pod's own annotation and
    /// environment. What a pod inherits is not its own.
    pub fn istiod_addresses(&self, id: ResourceId) -> Vec<Place> {
        let mut found = Vec::new();
        let resource = self.resource(id);
        for config in self.installation.mesh_configs.iter().filter(|c| c.resource == id) {
            self.in_mesh_config(config.config, &mut found);
        }
        for injector in self.installation.injectors.iter().filter(|i| i.resource == id) {
            found.extend(injector.values.and_then(|values| self.trees.get(values, &["global", "caAddress"])));
        }
        if let Some(workload) = self.workload_of(id) {
            let workload = self.workload(workload);
            if let Some(text) = self.proxy_setting(workload, "proxy.istio.io/config") {
                self.in_proxy_config(self.trees.parse(text), &mut found);
            }
            for container in self.containers(workload) {
                if container.get("name").and_then(Node::text) == Some("istio-proxy") {
                    self.in_environment(workload.template.tree, container, &mut found);
                }
            }
        }
        if &*resource.kind == "ProxyConfig" && &*resource.group == "networking.istio.io" {
            for name in VARIABLES {
                found.extend(self.at(id, &["spec", "environmentVariables", name]));
            }
        }
        let installs = VALUES.iter().find(|(group, kind, _)| *group == &*resource.group && *kind == &*resource.kind);
        if let (Some((.., paths)), Some(spec)) = (installs, self.at(id, &["spec"])) {
            for path in *paths {
                let Some(place) = self.trees.get(spec, path) else { continue };
                let node = self.trees.node(place);
                if node.is_map() {
                    self.in_values(place, &mut found);
                } else if node.is_seq() {
                    for source in node.items() {
                        let source = Place { tree: place.tree, node: source.id() };
                        for key in ["valuesObject", "values"] {
                            let Some(values) = self.trees.get(source, &["helm", key]) else { continue };
                            let parsed = if key == "values" { self.trees.parse(values) } else { Some(values) };
                            parsed.into_iter().for_each(|values| self.in_values(values, &mut found));
                        }
                    }
                } else if let Some(values) = self.trees.parse(place) {
                    self.in_values(values, &mut found);
                }
            }
        }
        found
    }

    fn in_values(&self, values: Place, found: &mut Vec<Place>) {
        if let Some(config) = self.trees.get(values, &["meshConfig"]) {
            self.in_mesh_config(config, found);
        }
        found.extend(self.trees.get(values, &["global", "caAddress"]));
    }

    fn in_mesh_config(&self, config: Place, found: &mut Vec<Place>) {
        self.in_proxy_config(self.trees.get(config, &["defaultConfig"]), found);
    }

    fn in_proxy_config(&self, config: Option<Place>, found: &mut Vec<Place>) {
        let Some(config) = config else { return };
        found.extend(self.trees.get(config, &["discoveryAddress"]));
        for name in VARIABLES {
            found.extend(self.trees.get(config, &["proxyMetadata", name]));
        }
    }

    fn in_environment(&self, tree: u32, container: Node<'_>, found: &mut Vec<Place>) {
        for variable in container.get("env").into_iter().flat_map(Node::items) {
            let Some(value) = variable.get("value").map(|node| Place { tree, node: node.id() }) else { continue };
            match variable.get("name").and_then(Node::text) {
                Some("PROXY_CONFIG") => self.in_proxy_config(self.trees.parse(value), found),
                Some(name) if VARIABLES.contains(&name) => found.push(value),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_mesh;
    use super::*;

    fn addresses(text: &str) -> Vec<String> {
        let mesh = test_mesh(&[text]);
        let texts = mesh.istiod_addresses(ResourceId(0));
        texts.iter().map(|place| mesh.trees.node(*place).text().unwrap_or("").to_string()).collect()
    }

    #[test]
    fn configuration_of_the_mesh_names_them() {
        let config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio-canary}\ndata: {mesh: '{defaultConfig: {discoveryAddress: a, proxyMetadata: {CA_ADDR: b, OTHER: c}}}'}\n";
        assert_eq!(addresses(config), ["a", "b"]);
        let injector = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio-sidecar-injector}\ndata: {values: '{\"global\": {\"caAddress\": \"a\"}}'}\n";
        assert_eq!(addresses(injector), ["a"]);
        let proxy = "apiVersion: networking.istio.io/v1beta1\nkind: ProxyConfig\nmetadata: {name: a}\nspec: {environmentVariables: {CA_ADDR: a}}\n";
        assert_eq!(addresses(proxy), ["a"]);
    }

    #[test]
    fn values_of_charts_name_them() {
        for (head, spec) in [
            (
                "install.istio.io/v1alpha1, kind: IstioOperator",
                "meshConfig: {defaultConfig: {discoveryAddress: a}}, values: {global: {caAddress: b}}",
            ),
            (
                "sailoperator.io/v1, kind: Istio",
                "values: {meshConfig: {defaultConfig: {discoveryAddress: a}}, global: {caAddress: b}}",
            ),
            (
                "argoproj.io/v1alpha1, kind: Application",
                "source: {helm: {values: '{meshConfig: {defaultConfig: {discoveryAddress: a}}, global: {caAddress: b}}'}}",
            ),
            (
                "argoproj.io/v1alpha1, kind: Application",
                "sources: [{helm: {valuesObject: {meshConfig: {defaultConfig: {discoveryAddress: a}}}}}, {helm: {values: '{global: {caAddress: b}}'}}]",
            ),
        ] {
            let text = format!("{{apiVersion: {head}, metadata: {{name: a}}, spec: {{{spec}}}}}\n");
            assert_eq!(addresses(&text), ["a", "b"], "{text}");
        }
    }

    #[test]
    fn pods_name_them() {
        let pod = |annotations: &str, env: &str| {
            format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: a, annotations: {{{annotations}}}}}\nspec: {{containers: [{{name: app, env: [{{name: CA_ADDR, value: mine}}]}}], initContainers: [{{name: istio-proxy, env: [{env}]}}]}}\n"
            )
        };
        assert_eq!(addresses(&pod("proxy.istio.io/config: 'discoveryAddress: a'", "")), ["a"]);
        let env = "{name: PROXY_CONFIG, value: '{\"discoveryAddress\": \"a\"}'}, {name: CA_ADDR, value: b}, {name: XDS_ADDRESS, valueFrom: {}}";
        assert_eq!(addresses(&pod("", env)), ["a", "b"]);
    }
}
