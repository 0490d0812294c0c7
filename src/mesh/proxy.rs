//! The resources that a pod's proxy really gets (`files/injection-template.yaml` of 1.31).

use super::Mesh;
use super::selector::Tri;
use super::workload::WorkloadId;
use crate::resource::ResourceId;
use crate::yaml::{Node, Place};

/// The four annotations; one of them alone switches the mesh-wide values off, all of them.
pub const ANNOTATIONS: [&str; 4] = [
    "sidecar.istio.io/proxyCPU",
    "sidecar.istio.io/proxyMemory",
    "sidecar.istio.io/proxyCPULimit",
    "sidecar.istio.io/proxyMemoryLimit",
];

/// One setting of a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// Written there.
    At(Place),
    /// Not set; the place is the nearest thing that exists.
    Unset(Place),
    /// The default of Istio's charts, where nothing was read that sets it.
    Default(&'static str, Place),
    /// Not known.
    Unknown,
}

/// What a proxy asks for and may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProxyResources {
    /// `requests.cpu`
    pub cpu_request: Setting,
    /// `requests.memory`
    pub memory_request: Setting,
    /// `limits.cpu`
    pub cpu_limit: Setting,
    /// `limits.memory`
    pub memory_limit: Setting,
}

/// One of the four settings.
#[derive(Debug, Clone, Copy)]
struct Field {
    path: [&'static str; 2],
    annotation: &'static str,
    /// Chart default, unchanged from 1.10 to 1.31.
    default: &'static str,
}

const CPU_REQUEST: Field = Field { path: ["requests", "cpu"], annotation: ANNOTATIONS[0], default: "100m" };
const MEMORY_REQUEST: Field = Field { path: ["requests", "memory"], annotation: ANNOTATIONS[1], default: "128Mi" };
const CPU_LIMIT: Field = Field { path: ["limits", "cpu"], annotation: ANNOTATIONS[2], default: "2000m" };
const MEMORY_LIMIT: Field = Field { path: ["limits", "memory"], annotation: ANNOTATIONS[3], default: "1024Mi" };

impl ProxyResources {
    fn new(setting: impl Fn(Field) -> Setting) -> ProxyResources {
        let mut resources = ProxyResources {
            cpu_request: setting(CPU_REQUEST),
            memory_request: setting(MEMORY_REQUEST),
            cpu_limit: setting(CPU_LIMIT),
            memory_limit: setting(MEMORY_LIMIT),
        };
        // The API server takes a limit for the request where none is written.
        for (request, limit) in
            [(&mut resources.cpu_request, resources.cpu_limit), (&mut resources.memory_request, resources.memory_limit)]
        {
            if let (Setting::Unset(_), Setting::At(_)) = (&request, limit) {
                *request = limit;
            }
        }
        resources
    }
}

impl Mesh {
    /// The proxy of a workload. For a gateway with template `gateway`, only its own container counts.
    pub fn proxy(&self, id: WorkloadId) -> ProxyResources {
        ProxyResources::new(|field| self.proxy_field(id, field))
    }

    /// What an injector gives to proxies that say nothing themselves.
    pub fn proxy_defaults(&self, injector: ResourceId) -> ProxyResources {
        let values = self.installation.injectors.iter().find(|i| i.resource == injector).and_then(|i| i.values);
        ProxyResources::new(|field| self.injector_field(values, field, self.resource(injector).root))
    }

    /// What the proxy of a workload would get if its pod said nothing about it.
    pub fn mesh_wide_proxy(&self, id: WorkloadId) -> ProxyResources {
        self.default_proxy(&self.injection(id).revision, self.workload(id).template)
    }

    /// What proxies of a revision get that say nothing themselves: the values of its injector, or the
    /// charts' defaults where none was read; those have their place at `place`.
    pub fn default_proxy(&self, revision: &str, place: Place) -> ProxyResources {
        match self.injector(revision) {
            Some(injector) => self.proxy_defaults(injector.resource),
            None => ProxyResources::new(|field| Setting::Default(field.default, place)),
        }
    }

    fn proxy_field(&self, id: WorkloadId, field: Field) -> Setting {
        let workload = self.workload(id);
        let tree = workload.template.tree;
        let containers = self.containers(workload);
        let container = containers.iter().find(|c| c.get("name").and_then(Node::text) == Some("istio-proxy"));
        if container.is_none() && containers.iter().any(|c| may_be_proxy(*c)) {
            return Setting::Unknown;
        }
        if let Some(node) = container.and_then(|c| c.get("resources")).and_then(|r| r.at(&field.path)) {
            return Setting::At(Place { tree, node: node.id() });
        }
        let image = container.and_then(|c| c.get("image")).and_then(Node::text);
        let injected = container.is_some() && image.is_some_and(|i| i != "auto");
        if injected || self.injection(id).component.is_some() {
            let place = container.map_or(workload.template, |c| Place { tree, node: c.id() });
            return Setting::Unset(place);
        }
        let annotated: Vec<_> = ANNOTATIONS.iter().filter_map(|a| self.proxy_setting(workload, a)).collect();
        if let Some(place) = self.proxy_setting(workload, field.annotation) {
            return Setting::At(place);
        }
        if let Some(place) = annotated.first() {
            return Setting::Unset(*place);
        }
        if self.injection(id).sidecar != Tri::Yes {
            return Setting::Unknown;
        }
        match self.injector(&self.injection(id).revision) {
            Some(injector) => self.injector_field(injector.values, field, self.resource(injector.resource).root),
            // Values that were not read may be anything; the charts' default is the best bet only
            // where a rule asks for it.
            None => Setting::Default(field.default, workload.template),
        }
    }

    fn injector_field(&self, values: Option<Place>, field: Field, resource: Place) -> Setting {
        let Some(values) = values else { return Setting::Unknown };
        let resources = self.trees.get(values, &["global", "proxy", "resources"]);
        // Where not all values are shown, what is not there is not known.
        let deepest = |path: &[&str]| (0..=path.len()).rev().find_map(|n| self.trees.get(values, &path[..n]));
        let path = [&["global", "proxy", "resources"][..], &field.path].concat();
        if deepest(&path).is_some_and(|place| self.trees.node(place).is_unknown()) {
            return Setting::Unknown;
        }
        match resources.and_then(|r| self.trees.get(r, &field.path)) {
            Some(place) => Setting::At(place),
            None => Setting::Unset(resources.unwrap_or(resource)),
        }
    }
}

/// Whether a container whose name stands elsewhere (`${NAME}`) may be Istio's: its image is.
pub fn may_be_proxy(container: Node<'_>) -> bool {
    let image = container.get("image").and_then(Node::text).unwrap_or("");
    container.get("name").is_some_and(|name| name.is_unknown()) && (image == "auto" || image.contains("/proxyv2"))
}

#[cfg(test)]
mod tests {
    use super::super::test_mesh;
    use super::*;

    fn deployment(annotations: &str, containers: &str) -> String {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: a, namespace: shop}}\nspec: {{template: {{metadata: {{labels: {{sidecar.istio.io/inject: 'true'}}, annotations: {{{annotations}}}}}, spec: {{containers: [{containers}]}}}}}}\n"
        )
    }

    fn limit(texts: &[&str]) -> String {
        let mesh = test_mesh(texts);
        match mesh.proxy(WorkloadId(0)).memory_limit {
            Setting::At(place) => mesh.trees.node(place).text().unwrap().to_string(),
            Setting::Unset(_) => "unset".to_string(),
            Setting::Default(text, _) => format!("default {text}"),
            Setting::Unknown => "unknown".to_string(),
        }
    }

    const INJECTOR: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio-sidecar-injector, namespace: istio-system}\ndata:\n  values: '{\"global\": {\"proxy\": {\"resources\": {\"limits\": {\"memory\": \"512Mi\"}}}}}'\n";

    #[test]
    fn container_then_annotations_then_injector_then_default() {
        assert_eq!(limit(&[&deployment("", "{name: app}")]), "default 1024Mi");
        assert_eq!(limit(&[&deployment("", "{name: app}"), INJECTOR]), "512Mi");
        let annotated = deployment("sidecar.istio.io/proxyMemoryLimit: 300Mi", "{name: app}");
        assert_eq!(limit(&[&annotated, INJECTOR]), "300Mi");
        let container = "{name: istio-proxy, image: auto, resources: {limits: {memory: 256Mi}}}";
        assert_eq!(limit(&[&deployment("sidecar.istio.io/proxyMemoryLimit: 300Mi", container), INJECTOR]), "256Mi");
    }

    #[test]
    fn one_annotation_drops_the_other_three() {
        assert_eq!(limit(&[&deployment("sidecar.istio.io/proxyCPU: 1", "{name: app}"), INJECTOR]), "unset");
    }

    #[test]
    fn an_injected_pod_has_what_its_container_says() {
        assert_eq!(limit(&[&deployment("", "{name: istio-proxy, image: proxyv2}"), INJECTOR]), "unset");
    }
}
