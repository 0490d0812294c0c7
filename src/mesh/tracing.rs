//! Whether proxies trace, and how many requests.
//!
//! Since Istio 1.22 no tracer is set up unless somebody names a provider, so a percentage alone traces
//! nothing. Source: `pilot/pkg/model/telemetry.go`, `pilot/pkg/networking/core/tracing.go` of istio/istio 1.31.

use super::Mesh;
use super::absence::Absence;
use super::installation::{DEFAULT_REVISION, MeshConfig};
use super::selector::{Selector, Tri};
use crate::resource::ResourceId;
use crate::yaml::{Node, Place};

/// Extension providers that receive traces.
const PROVIDERS: [&str; 7] =
    ["opentelemetry", "zipkin", "datadog", "skywalking", "lightstep", "opencensus", "stackdriver"];

/// Tracers of `defaultConfig.tracing`, the older way.
const TRACERS: [&str; 5] = ["zipkin", "lightstep", "datadog", "stackdriver", "openCensusAgent"];

/// Whom a Telemetry concerns.
enum Scope {
    Mesh,
    Namespace,
    Pods(Selector),
    /// Gateways or Services that it names.
    Targets,
}

impl Mesh {
    /// What switches tracing on for those that a resource configures (a Telemetry, mesh configuration, an
    /// istiod, or a workload for itself): the place that names the provider; or what it proves that there
    /// is none. Unknown where the mesh configuration was not read, which declares the providers.
    pub fn tracing(&self, id: ResourceId) -> Result<Place, Absence> {
        let Some(config) = self.config_for(id) else { return Err(Absence::unknown("mesh configuration")) };
        // Providers that a Telemetry names itself replace those of the mesh.
        let names = |t: ResourceId| self.tracing_items(t).any(|item| item.get("providers").is_some());
        let own = self.is_telemetry(id).then_some(id);
        let alone = own.is_some_and(names);
        let others = self.telemetries().filter(|t| !alone && Some(*t) != own && self.bears_on(*t, id));
        let all = own.into_iter().chain(others);
        let all: Vec<_> = all.flat_map(|t| self.tracing_items(t).map(move |item| (t, item))).collect();
        if all.iter().any(|(_, item)| item.get("disableSpanReporting").and_then(Node::bool) == Some(true)) {
            return Err(Absence::certain());
        }
        let mut named = all.iter().flat_map(|(t, item)| {
            let providers = item.get("providers").into_iter().flat_map(Node::items);
            providers
                .filter_map(|p| p.get("name"))
                .map(|name| Place { tree: self.resource(*t).root.tree, node: name.id() })
        });
        let traces =
            |name: &Place| self.trees.node(*name).text().is_some_and(|name| self.is_tracing_provider(config, name));
        let inherited = || self.own_tracer(id, config).or_else(|| self.default_tracer(config)).filter(|_| !alone);
        named.find(traces).or_else(inherited).ok_or_else(Absence::certain)
    }

    /// The percentage of requests that a resource lets trace, where nothing else overrides what it says.
    pub fn sampling(&self, id: ResourceId) -> Option<Place> {
        if self.is_telemetry(id) {
            let tree = self.resource(id).root.tree;
            let set = self.tracing_items(id).filter_map(|item| item.get("randomSamplingPercentage")).last();
            return set.map(|node| Place { tree, node: node.id() });
        }
        let istiod = self.istiods.iter().find(|i| self.workload(i.workload).resource == id);
        let workload = self.workload_of(id);
        let set = || self.trees.get(self.config_for(id)?, &["defaultConfig", "tracing", "sampling"]);
        let set = match (istiod, workload) {
            (Some(_), Some(own)) if set().is_none() => self.variable(own, "discovery", "PILOT_TRACE_SAMPLING").ok(),
            (Some(_), _) => None,
            (None, Some(_)) => self.trees.get(self.own_proxy_config(id)?, &["tracing", "sampling"]),
            (None, None) => set(),
        }?;
        // Few resources set it: only for them it is worth looking at every Telemetry.
        let overrides = |t: &ResourceId| {
            let widest = matches!(self.telemetry_scope(*t), Scope::Mesh) || workload.is_some();
            widest
                && self.may_bear_on(*t, id)
                && self.tracing_items(*t).any(|i| i.get("randomSamplingPercentage").is_some())
        };
        (!self.telemetries().any(|t| overrides(&t))).then_some(set)
    }

    fn is_telemetry(&self, id: ResourceId) -> bool {
        let resource = self.resource(id);
        &*resource.kind == "Telemetry" && &*resource.group == "telemetry.istio.io"
    }

    fn telemetries(&self) -> impl Iterator<Item = ResourceId> {
        self.of_kind("telemetry.istio.io", "Telemetry")
    }

    fn tracing_items(&self, telemetry: ResourceId) -> impl Iterator<Item = Node<'_>> {
        self.root(telemetry).at(&["spec", "tracing"]).into_iter().flat_map(Node::items)
    }

    fn telemetry_scope(&self, telemetry: ResourceId) -> Scope {
        let spec = self.root(telemetry).get("spec");
        let get = |key: &str| spec.and_then(|s| s.get(key)).filter(|n| !n.is_null());
        match (get("selector"), get("targetRefs").or_else(|| get("targetRef"))) {
            (_, Some(_)) => Scope::Targets,
            (Some(selector), _) => Scope::Pods(Selector::read(Some(selector))),
            _ if self.resource(telemetry).namespace() == self.root_namespace() => Scope::Mesh,
            _ => Scope::Namespace,
        }
    }

    /// Whether a Telemetry certainly concerns all that a resource configures.
    fn bears_on(&self, telemetry: ResourceId, id: ResourceId) -> bool {
        if self.resource(telemetry).is_open() {
            return false;
        }
        let same_namespace = self.resource(telemetry).namespace() == self.resource(id).namespace();
        match (self.workload_of(id), self.telemetry_scope(telemetry)) {
            (_, Scope::Mesh) => true,
            (Some(_), Scope::Namespace) => same_namespace,
            (Some(w), Scope::Pods(pods)) => same_namespace && pods.matches(&self.workload(w).labels) == Tri::Yes,
            _ => false,
        }
    }

    fn may_bear_on(&self, telemetry: ResourceId, id: ResourceId) -> bool {
        match self.telemetry_scope(telemetry) {
            Scope::Mesh => true,
            _ => self.resource(telemetry).namespace() == self.resource(id).namespace(),
        }
    }

    /// The mesh configuration that concerns a resource.
    fn config_for(&self, id: ResourceId) -> Option<Place> {
        let configs = &self.installation.mesh_configs;
        if let Some(own) = configs.iter().find(|c| c.resource == id) {
            return Some(own.config);
        }
        let istiod = self.istiods.iter().find(|i| self.workload(i.workload).resource == id);
        let revision = match (istiod, self.workload_of(id)) {
            (Some(istiod), _) => &istiod.revision,
            (None, Some(workload)) => &self.injection(workload).revision,
            (None, None) => return self.only_mesh_config().map(|c| c.config),
        };
        self.mesh_config(revision).map(|c| c.config)
    }

    fn only_mesh_config(&self) -> Option<&MeshConfig> {
        let first = || self.mesh_config(&self.installation.mesh_configs.first()?.revision);
        self.mesh_config(DEFAULT_REVISION).or_else(first)
    }

    fn is_tracing_provider(&self, config: Place, name: &str) -> bool {
        let providers = self.trees.node(config).get("extensionProviders").into_iter().flat_map(Node::items);
        providers
            .filter(|p| p.get("name").and_then(Node::text) == Some(name))
            .any(|p| PROVIDERS.iter().any(|kind| p.get(kind).is_some()))
    }

    /// What the mesh configuration says for everybody.
    fn default_tracer(&self, config: Place) -> Option<Place> {
        let node = self.trees.node(config);
        let place = |node: Node<'_>| Place { tree: config.tree, node: node.id() };
        let names = node.at(&["defaultProviders", "tracing"]).into_iter().flat_map(Node::items);
        let mut named = names.filter(|n| n.text().is_some_and(|name| self.is_tracing_provider(config, name)));
        named.next().or_else(|| self.tracer(config, node.at(&["defaultConfig", "tracing"])?)).map(place)
    }

    /// What the pod's own annotation says.
    fn own_tracer(&self, id: ResourceId, config: Place) -> Option<Place> {
        let own = self.own_proxy_config(id)?;
        let tracer = self.tracer(config, self.trees.node(own).get("tracing")?)?;
        Some(Place { tree: own.tree, node: tracer.id() })
    }

    fn tracer<'m>(&self, config: Place, tracing: Node<'m>) -> Option<Node<'m>> {
        let enabled = self.trees.node(config).get("enableTracing").and_then(Node::bool) != Some(false);
        TRACERS.iter().find_map(|kind| tracing.get(kind)).filter(|_| enabled)
    }

    fn own_proxy_config(&self, id: ResourceId) -> Option<Place> {
        self.trees.parse(self.proxy_setting(self.workload(self.workload_of(id)?), "proxy.istio.io/config")?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::absence::Certainty;
    use super::super::test_mesh;
    use super::*;

    fn config(text: &str) -> String {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: istio, namespace: istio-system}}\ndata: {{mesh: '{text}'}}\n"
        )
    }

    fn telemetry(namespace: &str, spec: &str) -> String {
        format!(
            "apiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: {{name: t, namespace: {namespace}}}\nspec: {{{spec}}}\n"
        )
    }

    fn pod(config: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: a, namespace: shop, labels: {{sidecar.istio.io/inject: 'true'}}, annotations: {{proxy.istio.io/config: '{config}'}}}}\nspec: {{}}\n"
        )
    }

    const OTEL: &str =
        "extensionProviders: [{name: otel, opentelemetry: {service: a}}, {name: log, envoyFileAccessLog: {}}]";

    /// What the first text is told: provider and percentage.
    fn told(texts: &[&str]) -> (Result<String, Certainty>, Option<String>) {
        let mesh = test_mesh(texts);
        let text = |place| mesh.trees.node(place).text().unwrap_or("map").to_string();
        let tracing = mesh.tracing(ResourceId(0)).map(text).map_err(|absence| absence.certainty);
        (tracing, mesh.sampling(ResourceId(0)).map(text))
    }

    #[test]
    fn a_telemetry_traces_with_a_provider_that_is_declared() {
        let named = telemetry("shop", "tracing: [{providers: [{name: otel}], randomSamplingPercentage: 50}]");
        assert_eq!(told(&[&named]), (Err(Certainty::Unknown), Some("50".into())));
        assert_eq!(told(&[&named, &config(OTEL)]), (Ok("otel".into()), Some("50".into())));
        assert_eq!(told(&[&named.replace("otel", "log"), &config(OTEL)]).0, Err(Certainty::Certain));
        let on = config(&format!("{{defaultProviders: {{tracing: [otel]}}, {OTEL}}}"));
        assert_eq!(told(&[&named.replace("otel", "log"), &on]).0, Err(Certainty::Certain));
        let unnamed = telemetry("shop", "tracing: [{randomSamplingPercentage: 50}]");
        assert_eq!(told(&[&unnamed, &config(OTEL)]).0, Err(Certainty::Certain));
        assert_eq!(
            told(&[&unnamed, &config(&format!("{{defaultProviders: {{tracing: [otel]}}, {OTEL}}}"))]).0,
            Ok("otel".into())
        );
        assert_eq!(
            told(&[&unnamed, &config(OTEL), &telemetry("istio-system", "tracing: [{providers: [{name: otel}]}]")]).0,
            Ok("otel".into())
        );
        let off = telemetry("shop", "tracing: [{providers: [{name: otel}], disableSpanReporting: true}]");
        assert_eq!(told(&[&off, &config(OTEL)]).0, Err(Certainty::Certain));
    }

    #[test]
    fn mesh_configuration_traces_unless_a_telemetry_overrides_it() {
        let old = config("defaultConfig: {tracing: {sampling: 100, zipkin: {address: a}}}");
        assert_eq!(told(&[&old]), (Ok("map".into()), Some("100".into())));
        assert_eq!(
            told(&[&config("{enableTracing: false, defaultConfig: {tracing: {sampling: 100, zipkin: {}}}}")]).0,
            Err(Certainty::Certain)
        );
        assert_eq!(told(&[&config("defaultConfig: {tracing: {sampling: 100}}")]).0, Err(Certainty::Certain));
        let wide = telemetry("istio-system", "tracing: [{randomSamplingPercentage: 1}]");
        assert_eq!(told(&[&old, &wide]).1, None);
        assert_eq!(told(&[&old, &wide.replace("istio-system", "shop")]).1, Some("100".into()));
    }

    #[test]
    fn a_pod_may_set_its_own() {
        let own = pod("tracing: {sampling: 100, zipkin: {address: a}}");
        assert_eq!(told(&[&own, &config("a: b")]), (Ok("map".into()), Some("100".into())));
        assert_eq!(told(&[&own]).0, Err(Certainty::Unknown));
        let selecting = telemetry("shop", "selector: {matchLabels: {a: b}}, tracing: [{randomSamplingPercentage: 1}]");
        assert_eq!(told(&[&own, &config("a: b"), &selecting]).1, None);
    }

    #[test]
    fn istiod_has_the_last_word() {
        let istiod = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: istiod, namespace: istio-system}\nspec: {template: {metadata: {labels: {app: istiod}}, spec: {containers: [{name: discovery, env: [{name: PILOT_TRACE_SAMPLING, value: '100'}]}]}}}\n";
        let on = config(&format!("{{defaultProviders: {{tracing: [otel]}}, {OTEL}}}"));
        assert_eq!(told(&[istiod, &on]), (Ok("otel".into()), Some("100".into())));
        assert_eq!(told(&[istiod]).0, Err(Certainty::Unknown));
        assert_eq!(told(&[istiod, &config("defaultConfig: {tracing: {sampling: 1}}")]).1, None);
    }
}
