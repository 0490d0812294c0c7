//! Whether a pod gets a sidecar: Istio's webhooks, then istiod's own decision (`pkg/kube/inject` and the
//! charts of 1.31).

use super::Mesh;
use super::installation::{DEFAULT_REVISION, Istiod};
use super::namespace::SYSTEM;
use super::selector::{Labels, Selector, Tri};
use super::webhook::Taken;
use super::workload::{Workload, WorkloadId};
use crate::yaml::{Node, Place};

/// The pod label, and the annotation of the same name that webhooks don't see.
pub const INJECT: &str = "sidecar.istio.io/inject";
pub(super) const REVISION: &str = "istio.io/rev";
pub(super) const INJECTION: &str = "istio-injection";
const DATAPLANE_MODE: &str = "istio.io/dataplane-mode";

/// The answer about one workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Injection {
    /// Whether its pods get a sidecar.
    pub sidecar: Tri,
    /// Whether ztunnel carries their traffic.
    pub ambient: Tri,
    /// The revision that injects, if that is known.
    pub revision: Box<str>,
    /// What it is to Istio; nothing for the workloads of others.
    pub component: Option<Component>,
}

/// What a pod of Istio's own is; such a pod is no meshed workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Component {
    /// The control plane.
    Istiod,
    /// An Envoy without an application: ingress, egress, east-west, Gateway API.
    Gateway,
    /// A gateway of class `istio-waypoint`.
    Waypoint,
    /// The node proxy of ambient mode.
    Ztunnel,
    /// The node agent that sets up redirection.
    IstioCni,
}

impl Mesh {
    /// What a workload is to Istio, by its pods' labels, annotations and containers.
    pub fn component(&self, workload: &Workload) -> Option<Component> {
        let label = |key: &str| workload.labels.value(key);
        let has_container =
            |name: &str| self.containers(workload).iter().any(|c| c.get("name").and_then(Node::text) == Some(name));
        if label("app") == Some("istiod") && has_container("discovery") {
            return Some(Component::Istiod);
        }
        if label("app") == Some("ztunnel") || label("app.kubernetes.io/name") == Some("ztunnel") {
            return has_container("istio-proxy").then_some(Component::Ztunnel);
        }
        if label("k8s-app") == Some("istio-cni-node") {
            return Some(Component::IstioCni);
        }
        match label("gateway.networking.k8s.io/gateway-class-name") {
            Some("istio-waypoint") => return Some(Component::Waypoint),
            Some(class) if class.starts_with("istio") => return Some(Component::Gateway),
            // Other controllers put the label on their own pods.
            _ => {}
        }
        let template = workload.annotations.value("inject.istio.io/templates").unwrap_or("");
        let gateway = template.split(',').any(|t| t.trim() == "gateway") || self.runs_as_router(workload);
        gateway.then_some(Component::Gateway)
    }

    /// The gateways of the older charts run `pilot-agent proxy router` in a container `istio-proxy`.
    fn runs_as_router(&self, workload: &Workload) -> bool {
        self.containers(workload).iter().any(|c| {
            c.get("name").and_then(Node::text) == Some("istio-proxy")
                && c.get("args").into_iter().flat_map(Node::items).any(|a| a.text() == Some("router"))
        })
    }

    /// Whether and how a workload is in the mesh.
    pub fn injection(&self, id: WorkloadId) -> &Injection {
        &self.injections[id.0 as usize]
    }

    pub(super) fn decide_injection(&self, workload: &Workload) -> Injection {
        let component = self.component(workload);
        if component.is_some() {
            return Injection { sidecar: Tri::No, ambient: Tri::No, revision: DEFAULT_REVISION.into(), component };
        }
        let (sidecar, revision) = self.sidecar(workload);
        let ambient = if self.host_network(workload) == Tri::Yes {
            Tri::No
        } else {
            self.asks_for_ambient(workload).and(sidecar.negate())
        };
        Injection { sidecar, ambient, revision: revision.into(), component }
    }

    fn sidecar(&self, workload: &Workload) -> (Tri, String) {
        let default = || DEFAULT_REVISION.to_string();
        let already =
            self.running_containers(workload).iter().any(|c| c.get("name").and_then(Node::text) == Some("istio-proxy"));
        if already {
            return (Tri::Yes, self.injected_revision(workload).map_or_else(default, str::to_string));
        }
        if SYSTEM.contains(&&*workload.namespace) || self.host_network(workload) == Tri::Yes {
            return (Tri::No, default());
        }
        let label = workload.labels.get(INJECT);
        // Who opts out in so many words is out, whatever is assumed of all others.
        let wish = label.or_else(|| workload.annotations.get(INJECT));
        let namespace = self.namespace(&workload.namespace);
        if wish.is_some_and(|w| w.value.as_deref() == Some("false"))
            || namespace.is_some_and(|n| n.labels.value(INJECTION) == Some("disabled"))
        {
            return (Tri::No, default());
        }
        match self.declared.injection.as_deref() {
            Some("sidecar") => return (Tri::Yes, default()),
            Some(_) => return (Tri::No, default()),
            None => {}
        }
        let (selected, revision) = self.selected_by_webhook(workload);
        let decided = match selected {
            Tri::Yes => self.istiod_injects(workload, &revision),
            other => other,
        };
        // Who writes settings of the proxy into a pod's own template expects a proxy there.
        let settings = workload.annotations.iter().any(|a| PROXY_SETTINGS.contains(&&*a.key));
        if decided == Tri::Unknown && (settings || label.is_some_and(|l| l.value.as_deref() == Some("true"))) {
            return (Tri::Yes, revision);
        }
        (decided, revision)
    }

    /// Stage 1: does a webhook select the pod? Webhooks see labels only.
    pub(super) fn selected_by_webhook(&self, workload: &Workload) -> (Tri, String) {
        let open = Labels::open();
        let namespace = self.namespace(&workload.namespace).map_or(&open, |n| &n.labels);
        if self.installation.webhooks.is_empty() {
            let (answer, revision) = default_webhooks(namespace, &workload.labels);
            let is_open = answer == Tri::No && self.injects_by_default();
            return (if is_open { Tri::Unknown } else { answer }, revision);
        }
        match self.taken(namespace, &workload.labels) {
            Taken::By(webhook) => return (Tri::Yes, webhook.revision.to_string()),
            Taken::Perhaps(webhook) => return (Tri::Unknown, webhook.revision.to_string()),
            Taken::Nobody => {}
        }
        // A revision whose webhooks were not read may still be installed.
        let asked = namespace.value(REVISION).or_else(|| workload.labels.value(REVISION));
        if let Some(revision) = asked
            && namespace.get(INJECTION).is_none()
            && !self.installation.webhooks.iter().any(|w| &*w.revision == revision)
        {
            return (Tri::Unknown, revision.to_string());
        }
        (Tri::No, DEFAULT_REVISION.to_string())
    }

    /// Whether an injector's values have namespaces without a label injected.
    fn injects_by_default(&self) -> bool {
        let path = ["sidecarInjectorWebhook", "enableNamespacesByDefault"];
        let set = self.installation.injectors.iter().filter_map(|i| self.trees.node(i.values?).at(&path));
        set.filter_map(Node::bool).any(|on| on)
    }

    /// Stage 2: istiod looks at label, annotation, selectors and policy.
    pub(super) fn istiod_injects(&self, workload: &Workload, revision: &str) -> Tri {
        let wish = workload.labels.get(INJECT).or_else(|| workload.annotations.get(INJECT));
        match wish.map(|w| w.value.as_deref()) {
            Some(Some("true")) => return Tri::Yes,
            Some(Some("false")) => return Tri::No,
            Some(None) => return Tri::Unknown,
            _ => {}
        }
        let Some(config) = self.injector(revision).and_then(|i| i.config) else { return Tri::Yes };
        let config = self.trees.node(config);
        let any = |key: &str| {
            config.get(key).into_iter().flat_map(Node::items).fold(Tri::No, |any, item| {
                let selector = Selector::read(Some(item));
                any.or(if selector.is_empty() { Tri::No } else { selector.matches(&workload.labels) })
            })
        };
        match (any("neverInjectSelector"), any("alwaysInjectSelector")) {
            (Tri::Yes, _) => Tri::No,
            (Tri::Unknown, _) => Tri::Unknown,
            (_, Tri::Yes) => Tri::Yes,
            (_, Tri::Unknown) => Tri::Unknown,
            _ => (config.get("policy").and_then(Node::text) != Some("disabled")).into(),
        }
    }

    /// `istio.io/dataplane-mode: ambient` on the pod, else on its namespace.
    fn asks_for_ambient(&self, workload: &Workload) -> Tri {
        if let Some(label) = workload.labels.get(DATAPLANE_MODE) {
            return label.value.as_deref().map_or(Tri::Unknown, |v| (v == "ambient").into());
        }
        let namespace = self.namespace(&workload.namespace);
        if let Some(mode) = namespace.and_then(|n| n.labels.value(DATAPLANE_MODE)) {
            return (mode == "ambient").into();
        }
        match self.declared.injection.as_deref() {
            Some("ambient") => return Tri::Yes,
            Some(_) => return Tri::No,
            None => {}
        }
        namespace.map_or(Tri::Unknown, |n| n.labels.is(DATAPLANE_MODE, "ambient"))
    }

    /// The proxies that take their configuration from an istiod: sidecars, gateways, waypoints and
    /// ztunnels of its revision. Where only one istiod was read and no webhook that would say which
    /// revision a tag means, a revision of no istiod is taken for that tag.
    pub fn proxies_of<'m>(&'m self, istiod: &'m Istiod) -> impl Iterator<Item = WorkloadId> + 'm {
        let tags_unknown = self.istiods.len() == 1 && self.installation.webhooks.is_empty();
        (0..self.workloads.len() as u32).map(WorkloadId).filter(move |id| {
            let workload = self.workload(*id);
            let injection = self.injection(*id);
            let gateway =
                matches!(injection.component, Some(Component::Gateway | Component::Waypoint | Component::Ztunnel));
            let revision = match workload.labels.value(REVISION) {
                Some(revision) if gateway => revision,
                _ => &injection.revision,
            };
            let own = *revision == *istiod.revision || (tags_unknown && *revision != *DEFAULT_REVISION);
            (gateway || injection.sidecar.is_yes()) && own && !workload.alternative
        })
    }

    /// The settings that a resource's own pod template makes for its proxy, if any.
    pub fn proxy_setting(&self, workload: &Workload, annotation: &str) -> Option<Place> {
        let node = workload.annotations.get(annotation)?.node?;
        Some(Place { tree: workload.template.tree, node })
    }
}

/// Annotations that only make sense on a pod with a sidecar.
const PROXY_SETTINGS: [&str; 9] = [
    "sidecar.istio.io/proxyCPU",
    "sidecar.istio.io/proxyCPULimit",
    "sidecar.istio.io/proxyMemory",
    "sidecar.istio.io/proxyMemoryLimit",
    "sidecar.istio.io/proxyImage",
    "sidecar.istio.io/nativeSidecar",
    "sidecar.istio.io/userVolume",
    "sidecar.istio.io/status",
    "proxy.istio.io/config",
];

/// The webhooks of the charts, for an installation that was not read: one per revision, and those for
/// `istio-injection` and for the pod label, which the default revision has.
fn default_webhooks(namespace: &Labels, pod: &Labels) -> (Tri, String) {
    let no_injection = namespace.has(INJECTION).negate();
    let no_revision = namespace.has(REVISION).negate();
    let not_refused = pod.is(INJECT, "false").negate();
    let legacy = namespace.is(INJECTION, "enabled").and(not_refused);
    let object = no_injection.and(no_revision).and(pod.is(INJECT, "true")).and(pod.has(REVISION).negate());
    let by_namespace = namespace.has(REVISION).and(no_injection).and(not_refused);
    let by_pod = no_injection.and(no_revision).and(pod.has(REVISION)).and(not_refused);
    let revision = match (by_namespace, by_pod) {
        (Tri::Yes, _) => namespace.value(REVISION),
        (_, Tri::Yes) => pod.value(REVISION),
        _ => None,
    };
    (legacy.or(object).or(by_namespace).or(by_pod), revision.unwrap_or(DEFAULT_REVISION).to_string())
}

#[cfg(test)]
mod tests {
    use super::super::{Declared, test_mesh, test_mesh_with};
    use super::*;

    fn pod(labels: &str, annotations: &str, spec: &str) -> String {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: a, namespace: shop}}\nspec: {{template: {{metadata: {{labels: {{{labels}}}, annotations: {{{annotations}}}}}, spec: {{{spec}}}}}}}\n"
        )
    }

    fn namespace(labels: &str) -> String {
        format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: shop, labels: {{{labels}}}}}\n")
    }

    fn sidecar(namespace_labels: Option<&str>, pod: &str) -> Tri {
        let mut texts = vec![pod.to_string()];
        texts.extend(namespace_labels.map(namespace));
        let texts: Vec<_> = texts.iter().map(String::as_str).collect();
        test_mesh(&texts).injection(WorkloadId(0)).sidecar
    }

    #[test]
    fn namespace_and_pod_labels_against_the_default_webhooks() {
        let plain = pod("app: a", "", "");
        let yes = pod("sidecar.istio.io/inject: 'true'", "", "");
        let no = pod("sidecar.istio.io/inject: 'false'", "", "");
        let rev = pod("istio.io/rev: canary", "", "");
        for (labels, pod, expected) in [
            (Some("istio-injection: enabled"), &plain, Tri::Yes),
            (Some("istio-injection: enabled"), &no, Tri::No),
            (Some("istio-injection: disabled"), &yes, Tri::No),
            (Some("istio-injection: disabled"), &rev, Tri::No),
            (Some("istio.io/rev: canary"), &plain, Tri::Yes),
            (Some("istio-injection: enabled, istio.io/rev: canary"), &plain, Tri::Yes),
            (Some("istio-injection: disabled, istio.io/rev: canary"), &plain, Tri::No),
            (Some("team: a"), &plain, Tri::No),
            (Some("team: a"), &yes, Tri::Yes),
            (Some("team: a"), &rev, Tri::Yes),
            (None, &plain, Tri::Unknown),
            (None, &no, Tri::No),
            (None, &yes, Tri::Yes),
        ] {
            assert_eq!(sidecar(labels, pod), expected, "{labels:?} {pod}");
        }
    }

    #[test]
    fn a_chart_may_have_every_namespace_injected() {
        let release = |on: bool| {
            format!(
                "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: istiod, namespace: istio-system}}\nspec: {{chart: {{spec: {{chart: istiod}}}}, values: {{sidecarInjectorWebhook: {{enableNamespacesByDefault: {on}}}}}}}\n"
            )
        };
        let sidecar = |on| {
            test_mesh(&[&pod("app: a", "", ""), &namespace("team: a"), &release(on)]).injection(WorkloadId(0)).sidecar
        };
        assert_eq!([sidecar(true), sidecar(false)], [Tri::Unknown, Tri::No]);
    }

    #[test]
    fn the_annotation_alone_selects_nothing() {
        assert_eq!(sidecar(Some("team: a"), &pod("app: a", "sidecar.istio.io/inject: 'true'", "")), Tri::No);
        assert_eq!(
            sidecar(Some("istio-injection: enabled"), &pod("app: a", "sidecar.istio.io/inject: 'false'", "")),
            Tri::No
        );
    }

    #[test]
    fn host_network_and_present_proxies() {
        assert_eq!(sidecar(Some("istio-injection: enabled"), &pod("", "", "hostNetwork: true")), Tri::No);
        assert_eq!(sidecar(None, &pod("", "", "containers: [{name: istio-proxy, image: x}]")), Tri::Yes);
        assert_eq!(
            sidecar(None, &pod("", "", "initContainers: [{name: istio-proxy, image: x, restartPolicy: Always}]")),
            Tri::Yes
        );
    }

    #[test]
    fn proxy_settings_on_the_pod_prove_a_proxy_where_labels_were_not_read() {
        let pod = pod("app: a", "sidecar.istio.io/proxyMemory: 1Gi", "");
        assert_eq!(sidecar(None, &pod), Tri::Yes);
        assert_eq!(sidecar(Some("team: a"), &pod), Tri::No);
    }

    #[test]
    fn assumptions_win() {
        let declared = Declared { injection: Some("sidecar".into()), ..Declared::default() };
        let mesh = test_mesh_with(&[&pod("app: a", "", "")], declared);
        assert_eq!(mesh.injection(WorkloadId(0)).sidecar, Tri::Yes);
        let declared = Declared { injection: Some("ambient".into()), ..Declared::default() };
        let mesh = test_mesh_with(&[&pod("app: a", "", "")], declared);
        assert_eq!(mesh.injection(WorkloadId(0)).ambient, Tri::Yes);
    }

    #[test]
    fn who_opts_out_in_so_many_words_is_out() {
        let injection = |assumed: &str, texts: &[&str]| {
            let declared = Declared { injection: Some(assumed.into()), ..Declared::default() };
            test_mesh_with(texts, declared).injection(WorkloadId(0)).clone()
        };
        let plain = pod("app: a", "", "");
        assert_eq!(injection("sidecar", &[&plain, &namespace("istio-injection: disabled")]).sidecar, Tri::No);
        let annotated = pod("app: a", "sidecar.istio.io/inject: 'false'", "");
        assert_eq!(injection("sidecar", &[&annotated]).sidecar, Tri::No);
        assert_eq!(injection("ambient", &[&plain, &namespace("istio.io/dataplane-mode: none")]).ambient, Tri::No);
        // A namespace whose manifest carries no label may get it elsewhere.
        assert_eq!(injection("sidecar", &[&plain, &namespace("team: a")]).sidecar, Tri::Yes);
    }

    #[test]
    fn webhooks_of_the_input_decide() {
        let webhook = "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\nmetadata: {name: i, labels: {istio.io/rev: blue}}\nwebhooks:\n- name: rev.namespace.sidecar-injector.istio.io\n  namespaceSelector: {matchLabels: {istio.io/rev: blue}}\n  objectSelector: {matchExpressions: [{key: sidecar.istio.io/inject, operator: NotIn, values: ['false']}]}\n";
        let decide = |labels: &str| {
            test_mesh(&[&pod("app: a", "", ""), &namespace(labels), webhook]).injection(WorkloadId(0)).clone()
        };
        assert_eq!(decide("istio.io/rev: blue").sidecar, Tri::Yes);
        assert_eq!(&*decide("istio.io/rev: blue").revision, "blue");
        assert_eq!(decide("istio-injection: enabled").sidecar, Tri::No);
        assert_eq!(decide("istio.io/rev: green").sidecar, Tri::Unknown);
        // Which of two copies is applied is not known, and neither is what they select.
        let copy = webhook.replace("{istio.io/rev: blue}}\n  object", "{istio.io/rev: other}}\n  object");
        for copies in [[webhook, &copy], [&copy, webhook]] {
            let mesh = test_mesh(&[&pod("app: a", "", ""), &namespace("istio.io/rev: blue"), copies[0], copies[1]]);
            assert_eq!(mesh.injection(WorkloadId(0)).sidecar, Tri::Unknown);
        }
    }

    #[test]
    fn ambient_by_label_unless_there_is_a_sidecar() {
        let ambient = |labels: &str, p: &str| test_mesh(&[p, &namespace(labels)]).injection(WorkloadId(0)).ambient;
        let plain = pod("app: a", "", "");
        assert_eq!(ambient("istio.io/dataplane-mode: ambient", &plain), Tri::Yes);
        assert_eq!(ambient("istio.io/dataplane-mode: ambient", &pod("istio.io/dataplane-mode: none", "", "")), Tri::No);
        assert_eq!(ambient("istio.io/dataplane-mode: ambient, istio-injection: enabled", &plain), Tri::No);
        assert_eq!(ambient("team: a", &plain), Tri::No);
    }

    #[test]
    fn pods_of_jobs_are_injected_like_others() {
        let job = "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: a, namespace: shop}\nspec: {jobTemplate: {spec: {template: {metadata: {labels: {app: a}}, spec: {}}}}}\n";
        assert_eq!(sidecar(Some("istio-injection: enabled"), job), Tri::Yes);
        assert_eq!(sidecar(Some("team: a"), job), Tri::No);
    }

    #[test]
    fn components_are_no_meshed_workloads() {
        let mesh = test_mesh(&[&pod("app: ztunnel", "", "containers: [{name: istio-proxy}]")]);
        assert_eq!(mesh.component(&mesh.workloads[0]), Some(Component::Ztunnel));
        let mesh = test_mesh(&[&pod("istio: ingress", "inject.istio.io/templates: gateway", "")]);
        assert_eq!(mesh.component(&mesh.workloads[0]), Some(Component::Gateway));
        assert_eq!(mesh.injection(WorkloadId(0)).sidecar, Tri::No);
    }
}
