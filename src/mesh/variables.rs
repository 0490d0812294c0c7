//! Environment variables of Istio's own processes. An application may call its own ones alike, so only
//! these scopes are looked at.

use super::Mesh;
use super::injection::Component;
use crate::resource::ResourceId;
use crate::yaml::{Node, Place};

impl Mesh {
    /// The names of variables that a resource sets for istiod, proxies, ztunnel or istio-cni: in the
    /// containers of its pods, as `proxyMetadata` of proxies, or in what an IstioOperator installs.
    pub fn istio_variables(&self, id: ResourceId) -> Vec<Place> {
        let resource = self.resource(id);
        let mut found = Vec::new();
        if let Some(own) = self.workload_of(id) {
            let workload = self.workload(own);
            let container = match self.injection(own).component {
                Some(Component::Istiod) => "discovery",
                Some(Component::IstioCni) => "install-cni",
                _ => "istio-proxy",
            };
            for found_container in self.containers(workload) {
                if found_container.get("name").and_then(Node::text) == Some(container) {
                    push_names(&mut found, workload.template.tree, found_container.get("env"));
                }
            }
            let config = self.proxy_setting(workload, "proxy.istio.io/config").and_then(|at| self.trees.parse(at));
            self.push_proxy_metadata(&mut found, config);
        }
        if let Some(own) = self.installation.mesh_configs.iter().find(|config| config.resource == id) {
            self.push_proxy_metadata(&mut found, self.trees.get(own.config, &["defaultConfig"]));
        }
        let root = resource.root;
        match (&*resource.group, &*resource.kind) {
            ("networking.istio.io", "ProxyConfig") => {
                let variables = self.trees.get(root, &["spec", "environmentVariables"]);
                self.push_keys(&mut found, variables);
            }
            ("install.istio.io", "IstioOperator") => {
                self.push_keys(&mut found, self.trees.get(root, &["spec", "values", "pilot", "env"]));
                for config in
                    [&["spec", "meshConfig", "defaultConfig"][..], &["spec", "values", "meshConfig", "defaultConfig"]]
                {
                    self.push_proxy_metadata(&mut found, self.trees.get(root, config));
                }
                let components = self.root(id).at(&["spec", "components"]).into_iter().flat_map(Node::entries);
                for (_, component) in components {
                    // Gateways are lists.
                    for one in component.items().chain([component]) {
                        push_names(&mut found, root.tree, one.at(&["k8s", "env"]));
                    }
                }
            }
            _ => {}
        }
        found
    }

    fn push_proxy_metadata(&self, found: &mut Vec<Place>, config: Option<Place>) {
        self.push_keys(found, config.and_then(|config| self.trees.get(config, &["proxyMetadata"])));
    }

    fn push_keys(&self, found: &mut Vec<Place>, map: Option<Place>) {
        let Some(map) = map else { return };
        let keys = self.trees.node(map).entries();
        found.extend(keys.map(|(key, _)| Place { tree: map.tree, node: key.id() }));
    }
}

/// The names of a list of variables.
fn push_names(found: &mut Vec<Place>, tree: u32, list: Option<Node<'_>>) {
    let names = list.into_iter().flat_map(Node::items).filter_map(|variable| variable.get("name"));
    found.extend(names.map(|name| Place { tree, node: name.id() }));
}

#[cfg(test)]
mod tests {
    use super::super::test_mesh;
    use super::*;

    fn names(text: &str) -> String {
        let mesh = test_mesh(&[text]);
        let found = mesh.istio_variables(ResourceId(0));
        found.into_iter().filter_map(|place| mesh.trees.node(place).text()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn only_processes_of_istios_count() {
        let pod = |labels: &str, annotations: &str, containers: &str| {
            names(&format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: a, labels: {{{labels}}}, annotations: {{{annotations}}}}}\nspec: {{containers: [{containers}]}}\n"
            ))
        };
        let env = |name: &str, variable: &str| format!("{{name: {name}, env: [{{name: {variable}, value: '1'}}]}}");
        assert_eq!(pod("app: istiod", "", &format!("{}, {}", env("discovery", "A"), env("other", "B"))), "A");
        assert_eq!(pod("k8s-app: istio-cni-node", "", &env("install-cni", "A")), "A");
        assert_eq!(pod("app: shop", "", &format!("{}, {}", env("app", "B"), env("istio-proxy", "A"))), "A");
        assert_eq!(pod("app: shop", "proxy.istio.io/config: 'proxyMetadata: {A: b}'", &env("app", "B")), "A");
    }

    #[test]
    fn configuration_hands_them_over() {
        let config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata: {mesh: 'defaultConfig: {proxyMetadata: {A: b}}'}\n";
        assert_eq!(names(config), "A");
        let operator = "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: {name: a}\nspec: {values: {pilot: {env: {A: b}}}, meshConfig: {defaultConfig: {proxyMetadata: {B: b}}}, components: {pilot: {k8s: {env: [{name: C}]}}, ingressGateways: [{k8s: {env: [{name: D}]}}]}}\n";
        assert_eq!(names(operator), "A B C D");
        let proxies = "apiVersion: networking.istio.io/v1beta1\nkind: ProxyConfig\nmetadata: {name: a}\nspec: {environmentVariables: {A: b}}\n";
        assert_eq!(names(proxies), "A");
    }
}
