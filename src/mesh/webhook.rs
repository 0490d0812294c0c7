//! The webhooks that inject proxies: which of them takes a pod, which revisions and tags they serve, and
//! which Services they call.
//!
//! Source: `mutatingwebhook.yaml` and `revision-tags-mwc.yaml` of the istiod chart, `istioctl/pkg/tag` of
//! istio/istio 1.31.

use super::Mesh;
use super::absence::{Absence, Certainty};
use super::injection::{INJECTION, REVISION};
use super::installation::{DEFAULT_REVISION, InjectionWebhook};
use super::namespace::NAME_LABEL;
use super::selector::{Label, Labels, Selector, Tri};
use crate::resource::ResourceId;
use crate::yaml::scalar::is_unknown;
use crate::yaml::{Node, Place};

const GROUP: &str = "admissionregistration.k8s.io";
const MUTATING: &str = "MutatingWebhookConfiguration";
const VALIDATING: &str = "ValidatingWebhookConfiguration";

/// Revisions that a cloud provider installs where no manifest shows it: the Istio of AKS, Google's mesh.
const MANAGED: &str = "asm-";

/// `istioctl tag set` writes this label, which nobody has, into the selectors of a webhook that it switches off.
const DEACTIVATED: &str = "istio.io/deactivated";

/// Whether one of the webhooks that were read takes a pod.
pub(super) enum Taken<'m> {
    By(&'m InjectionWebhook),
    /// Some label, or the webhook itself, is not known.
    Perhaps(&'m InjectionWebhook),
    Nobody,
}

impl Mesh {
    pub(super) fn taken(&self, namespace: &Labels, pod: &Labels) -> Taken<'_> {
        let mut taken = Taken::Nobody;
        for webhook in &self.installation.webhooks {
            if webhook.alternative {
                taken = Taken::Perhaps(webhook);
                continue;
            }
            match webhook.namespaces.matches(namespace).and(webhook.objects.matches(pod)) {
                Tri::Yes => return Taken::By(webhook),
                Tri::Unknown => taken = Taken::Perhaps(webhook),
                Tri::No => {}
            }
        }
        taken
    }

    /// The webhook that is called for the pods of a workload, or, of a Namespace, for pods without labels
    /// of their own; or what it proves that none is. Whether istiod then injects is not asked.
    pub fn webhook_for(&self, id: ResourceId) -> Result<&InjectionWebhook, Absence> {
        let (namespace, pod) = match self.workload_of(id) {
            Some(workload) => (&self.workload(workload).namespace, self.workload(workload).labels.clone()),
            None => (&self.resource(id).name, Labels::default()),
        };
        let unread = Labels::open();
        let labels = self.namespace(namespace).map_or(&unread, |n| &n.labels);
        match self.taken(labels, &pod) {
            Taken::By(webhook) => Ok(webhook),
            Taken::Perhaps(_) => Err(Absence::unknown(format!("labels of namespace {namespace}"))),
            Taken::Nobody if labels.open => Err(Absence::unknown(format!("labels of namespace {namespace}"))),
            Taken::Nobody => Err(self.no_webhook(labels.get(REVISION).or_else(|| pod.get(REVISION)))),
        }
    }

    /// What it proves that no webhook was found, for a revision that is asked for. Other products'
    /// webhooks prove nothing: some of Istio's must have been read, or, of the release that brings them,
    /// the validation webhook of istiod's chart.
    fn no_webhook(&self, asked: Option<&Label>) -> Absence {
        let webhooks = &self.installation.webhooks;
        let kind = if webhooks.is_empty() && self.has_release_without_webhooks() { VALIDATING } else { MUTATING };
        let mut absence = self.absence_anywhere(GROUP, kind);
        absence.what = "injection webhooks".to_string();
        absence.among = format!("the {} injection webhooks read", webhooks.len());
        let managed = asked.is_some_and(|label| label.value.as_deref().is_none_or(|v| v.starts_with(MANAGED)));
        let others = webhooks.is_empty() && kind == MUTATING && absence.certainty == Certainty::Likely;
        // One whose names or selectors stand elsewhere may be the one.
        let hidden = webhooks.iter().any(|w| w.alternative || is_unknown(&w.revision));
        if managed || others || hidden || self.renders_later() {
            absence.certainty = Certainty::Unknown;
        }
        absence
    }

    /// Whether an istiod is installed by somebody who renders it later, with webhooks and Services of its own.
    fn renders_later(&self) -> bool {
        self.unrendered_installation().is_some() || self.releases.iter().any(|release| release.chart == "istiod")
    }

    /// Whether istiod's chart was rendered with its cluster-wide parts, and nobody else is to bring the
    /// webhooks that lack (`global.operatorManageWebhooks`).
    fn has_release_without_webhooks(&self) -> bool {
        let validator = self.of_kind(GROUP, VALIDATING).any(|id| {
            let webhooks = self.root(id).get("webhooks").into_iter().flat_map(Node::items);
            webhooks.filter_map(|w| w.get("name")?.text()).any(|name| name == "rev.validation.istio.io")
        });
        let operator = |values: Place| self.trees.get(values, &["global", "operatorManageWebhooks"]);
        let injectors = &self.installation.injectors;
        let left_to_others = injectors.iter().filter_map(|i| operator(i.values?)).any(|p| {
            let node = self.trees.node(p);
            node.is_unknown() || node.bool() == Some(true)
        });
        validator && !injectors.is_empty() && !left_to_others
    }

    /// The webhooks that inject for a revision, under its name or under a tag; with what it proves if
    /// there are none.
    pub fn webhooks_of(&self, revision: &str) -> (Vec<Place>, Absence) {
        let own = self.installation.webhooks.iter().filter(|w| &*w.revision == revision);
        (own.map(|w| w.place).collect(), self.no_webhook(None))
    }

    /// What makes a revision or tag known: a webhook that serves it, an istiod, an injector; or what it
    /// proves that nothing does. Tags are known only where webhooks are.
    pub fn revision_named(&self, name: &Label) -> Result<Place, Absence> {
        let Some(revision) = name.value.as_deref() else { return Err(Absence::unknown("labels")) };
        let installed = &self.installation;
        let serves = |w: &InjectionWebhook| {
            let selected = w.namespaces.requirements.iter().chain(&w.objects.requirements);
            let mut named = selected.filter(|r| &*r.key == REVISION).flat_map(|r| &r.values).flatten();
            &*w.revision == revision || w.tag.as_deref() == Some(revision) || named.any(|v| &**v == revision)
        };
        let webhook = installed.webhooks.iter().find(|w| serves(w)).map(|w| w.place);
        let istiod = || self.istiods.iter().find(|i| &*i.revision == revision);
        let istiod = || istiod().map(|i| self.resource(self.workload(i.workload).resource).root);
        let injector = || self.injector(revision).map(|i| self.resource(i.resource).root);
        webhook.or_else(istiod).or_else(injector).ok_or_else(|| self.no_webhook(Some(name)))
    }

    /// The revision whose injector concerns a resource: of a Namespace the one that takes its pods, else
    /// the one that its label names.
    pub fn revision_for_namespace(&self, id: ResourceId) -> &str {
        let labels = self.namespace(&self.resource(id).name).map(|n| &n.labels);
        match self.webhook_for(id) {
            Ok(webhook) => &webhook.revision,
            Err(_) => labels.and_then(|l| l.value(REVISION)).unwrap_or(DEFAULT_REVISION),
        }
    }

    /// Names that a workload's pods or a Namespace give as a revision or tag.
    pub fn revision_label(&self, id: ResourceId) -> Option<&Label> {
        match self.workload_of(id) {
            Some(workload) => self.workload(workload).labels.get(REVISION),
            None => self.namespace(&self.resource(id).name).and_then(|n| n.labels.get(REVISION)),
        }
    }

    /// The Service that something calls: a webhook by its `clientConfig`, a proxy by an address such as
    /// `istiod.istio-system.svc:15012`. Nothing where no Service is named; else the Service, or what it
    /// proves that it was not found. Other Services of the namespace prove nothing unless an istiod runs
    /// there: its own may come with another release.
    pub fn called_service(&self, caller: Place) -> Option<Result<ResourceId, Absence>> {
        let node = self.trees.node(caller);
        let (name, namespace) = match node.at(&["clientConfig", "service"]) {
            Some(service) => (service.get("name")?.text()?, service.get("namespace")?.text()?),
            None => service_of_address(node.text()?)?,
        };
        if let Some(found) = self.named("", "Service", namespace, name).first() {
            let open = self.resource(*found).is_open();
            return Some(if open { Err(Absence::unknown(format!("Service {name}"))) } else { Ok(*found) });
        }
        let mut absence = self.absence_of("", "Service", namespace, name);
        let alone = !self.istiods.iter().any(|i| &*self.workload(i.workload).namespace == namespace);
        let hidden = is_unknown(name) || self.is_external("", "Service", namespace, name);
        let likely = absence.certainty == Certainty::Likely;
        if hidden || likely && (alone || self.renders_later()) {
            absence.certainty = Certainty::Unknown;
        }
        Some(Err(absence))
    }

    /// Webhooks that are called for pods that this one is called for, too, of configurations whose names
    /// come later: each pair is told once. A namespace with both injection labels does not count: charts
    /// exclude it, and it is a mistake of its own.
    pub fn overlapping(&self, webhook: Place) -> Vec<&InjectionWebhook> {
        let active = |w: &&InjectionWebhook| {
            let all = w.namespaces.requirements.iter().chain(&w.objects.requirements);
            let hidden = w.alternative || is_unknown(&self.resource(w.resource).name);
            !hidden && all.into_iter().all(|r| &*r.key != DEACTIVATED)
        };
        // They stand in the order of their configurations' names.
        let mut rest = self.installation.webhooks.iter().filter(active).skip_while(|w| w.place != webhook);
        let Some(own) = rest.next() else { return Vec::new() };
        let others = rest.filter(|w| w.resource != own.resource);
        let one_label = [Selector::without(INJECTION), Selector::without(REVISION)];
        let together = |w: &&InjectionWebhook| {
            let namespaces = w.namespaces.and(&own.namespaces);
            one_label.iter().any(|only| namespaces.and(only).is_possible()) && w.objects.and(&own.objects).is_possible()
        };
        others.filter(together).collect()
    }

    /// Whether a webhook, of whatever product, is called for every new pod of a namespace.
    pub fn is_called_for_pods(&self, webhook: Place, namespace: &str) -> Tri {
        let webhook = self.trees.node(webhook);
        let has = |rule: Node<'_>, key: &str, wanted: &[&str]| {
            rule.get(key).into_iter().flat_map(Node::items).any(|x| x.text().is_some_and(|t| wanted.contains(&t)))
        };
        let pods = webhook.get("rules").into_iter().flat_map(Node::items).any(|rule| {
            has(rule, "apiGroups", &["", "*"])
                && has(rule, "resources", &["pods", "*", "*/*"])
                && has(rule, "operations", &["CREATE", "*"])
                && rule.get("scope").and_then(Node::text) != Some("Cluster")
        });
        if webhook.get("matchConditions").is_some_and(|c| c.items().next().is_some()) {
            return Tri::from(pods).and(Tri::Unknown);
        }
        let mut unread = Labels::open();
        unread.set(NAME_LABEL, namespace);
        let labels = self.namespace(namespace).map_or(&unread, |n| &n.labels);
        let namespaces = Selector::read(webhook.get("namespaceSelector")).matches(labels);
        let objects = Selector::read(webhook.get("objectSelector")).matches(&Labels::default());
        Tri::from(pods).and(namespaces).and(objects)
    }
}

/// `istiod.istio-system.svc:15012` and `istiod.istio-system.svc.cluster.local:15012` name a Service.
fn service_of_address(address: &str) -> Option<(&str, &str)> {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let host = host.strip_prefix("https://").unwrap_or(host);
    let (name, namespace) =
        host.strip_suffix(".cluster.local").unwrap_or(host).strip_suffix(".svc")?.split_once('.')?;
    (!name.is_empty() && !namespace.contains('.')).then_some((name, namespace))
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::test_mesh;
    use super::*;

    const ABSENT: &str = "{key: istio-injection, operator: DoesNotExist}, {key: istio.io/rev, operator: DoesNotExist}";

    /// The webhooks of the istiod chart for a revision or, with `labels`, for a tag.
    pub(crate) fn webhooks(name: &str, labels: &str, serves: &str) -> String {
        let legacy = if serves == "default" {
            format!(
                "
- name: namespace.sidecar-injector.istio.io
  namespaceSelector: {{matchLabels: {{istio-injection: enabled}}}}
  objectSelector: {{matchExpressions: [{{key: sidecar.istio.io/inject, operator: NotIn, values: ['false']}}]}}
- name: object.sidecar-injector.istio.io
  namespaceSelector: {{matchExpressions: [{ABSENT}]}}
  objectSelector: {{matchLabels: {{sidecar.istio.io/inject: 'true'}}, matchExpressions: [{{key: istio.io/rev, operator: DoesNotExist}}]}}"
            )
        } else {
            String::new()
        };
        format!(
            "apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {{name: {name}, labels: {{{labels}}}}}
webhooks:
- name: rev.namespace.sidecar-injector.istio.io
  clientConfig: {{service: {{name: istiod, namespace: istio-system}}}}
  namespaceSelector: {{matchExpressions: [{{key: istio.io/rev, operator: In, values: [{serves}]}}, {{key: istio-injection, operator: DoesNotExist}}]}}
  objectSelector: {{matchExpressions: [{{key: sidecar.istio.io/inject, operator: NotIn, values: ['false']}}]}}
- name: rev.object.sidecar-injector.istio.io
  namespaceSelector: {{matchExpressions: [{ABSENT}]}}
  objectSelector: {{matchExpressions: [{{key: sidecar.istio.io/inject, operator: NotIn, values: ['false']}}, {{key: istio.io/rev, operator: In, values: [{serves}]}}]}}{legacy}
"
        )
    }

    pub(crate) fn namespace(name: &str, labels: &str) -> String {
        format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: {{{labels}}}}}\n")
    }

    pub(crate) fn pod(namespace: &str, labels: &str, annotations: &str, spec: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: a, namespace: {namespace}, labels: {{{labels}}}, annotations: {{{annotations}}}}}\nspec: {{{spec}}}\n"
        )
    }

    const ISTIOD: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: istiod, namespace: istio-system}\nspec: {template: {metadata: {labels: {app: istiod}}, spec: {containers: [{name: discovery}]}}}\n";
    const VALIDATOR: &str = "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {name: v}\nwebhooks:\n- name: rev.validation.istio.io\n  clientConfig: {service: {name: gone, namespace: istio-system}}\n";

    fn injector(values: &str) -> String {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: istio-sidecar-injector, namespace: istio-system}}\ndata: {{values: '{values}'}}\n"
        )
    }

    pub(crate) fn mesh(texts: &[String]) -> Mesh {
        test_mesh(&texts.iter().map(String::as_str).collect::<Vec<_>>())
    }

    pub(crate) fn canary() -> String {
        webhooks("i-canary", "istio.io/rev: canary", "canary")
    }

    /// Revision of the webhook that takes the pods of the first text, a Namespace or Pod; or how sure it is
    /// that none does.
    fn taken_by(texts: &[String]) -> Result<String, Certainty> {
        let mesh = mesh(texts);
        mesh.webhook_for(ResourceId(0)).map(|w| w.revision.to_string()).map_err(|absence| absence.certainty)
    }

    #[test]
    fn a_revision_is_reached_by_its_name_and_by_its_tags() {
        let tag = || webhooks("t", "istio.io/rev: canary, istio.io/tag: prod", "prod");
        for (labels, expected) in [
            ("istio.io/rev: canary", Ok("canary".to_string())),
            ("istio.io/rev: prod", Ok("canary".to_string())),
            ("istio-injection: enabled", Err(Certainty::Likely)),
            ("istio.io/rev: other", Err(Certainty::Likely)),
            ("istio.io/rev: asm-1-29", Err(Certainty::Unknown)),
            ("team: a", Err(Certainty::Likely)),
            ("'${KEY}': a", Err(Certainty::Unknown)),
        ] {
            assert_eq!(taken_by(&[namespace("shop", labels), canary(), tag()]), expected, "{labels}");
        }
        let default = webhooks("d", "istio.io/rev: canary, istio.io/tag: default", "default");
        assert_eq!(taken_by(&[namespace("shop", "istio-injection: enabled"), default]), Ok("canary".into()));
        // Another file says it for the Namespace, perhaps.
        assert_eq!(taken_by(&[pod("shop", "app: a", "", ""), canary()]), Err(Certainty::Unknown));
    }

    #[test]
    fn other_products_prove_nothing_and_siblings_of_the_release_do() {
        let asking = || namespace("shop", "istio-injection: enabled");
        let other = canary().replace(".istio.io\n", ".example.com\n");
        assert_eq!(taken_by(&[asking()]), Err(Certainty::Unknown));
        assert_eq!(taken_by(&[asking(), other]), Err(Certainty::Unknown));
        let release = |values: &str| taken_by(&[asking(), injector(values), VALIDATOR.into()]);
        assert_eq!(release("{\"global\": {}}"), Err(Certainty::Likely));
        assert_eq!(release("{\"global\": {\"operatorManageWebhooks\": true}}"), Err(Certainty::Unknown));
        assert_eq!(taken_by(&[asking(), VALIDATOR.into()]), Err(Certainty::Unknown));
        let hidden = canary().replace("rev: canary}", "rev: '${REV}'}");
        assert_eq!(taken_by(&[asking(), hidden]), Err(Certainty::Unknown));
    }

    #[test]
    fn revisions_are_known_by_webhooks_tags_and_istiods() {
        let known = |name: &str, texts: &[String]| {
            let mesh = mesh(texts);
            let label = Label { key: REVISION.into(), value: Some(name.into()), node: None };
            mesh.revision_named(&label).map(|_| ()).map_err(|absence| absence.certainty)
        };
        let tag = || webhooks("t", "istio.io/rev: canary, istio.io/tag: prod", "prod");
        let installed = [tag(), ISTIOD.to_string()];
        assert_eq!(known("canary", &installed), Ok(()));
        assert_eq!(known("prod", &installed), Ok(()));
        assert_eq!(known("default", &installed), Ok(()));
        assert_eq!(known("prdo", &installed), Err(Certainty::Likely));
        assert_eq!(known("asm-managed", &installed), Err(Certainty::Unknown));
        assert_eq!(known("canary", &[ISTIOD.to_string()]), Err(Certainty::Unknown));
        let operator = "apiVersion: sailoperator.io/v1\nkind: Istio\nmetadata: {name: x}\nspec: {}\n".to_string();
        assert_eq!(known("prdo", &[tag(), operator]), Err(Certainty::Unknown));
    }

    #[test]
    fn a_called_service_is_missed_only_beside_an_istiod() {
        let service = |name: &str| {
            format!("apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: istio-system}}\nspec: {{}}\n")
        };
        let called = |texts: &[String]| {
            let mesh = mesh(texts);
            let webhook = mesh.root(ResourceId(0)).get("webhooks").and_then(|w| w.items().next()).unwrap().id();
            let place = Place { tree: mesh.resource(ResourceId(0)).root.tree, node: webhook };
            mesh.called_service(place).map(|found| found.map(|id| id.0).map_err(|absence| absence.certainty))
        };
        let calls = || VALIDATOR.to_string();
        assert_eq!(called(&[calls(), service("gone")]), Some(Ok(1)));
        assert_eq!(called(&[calls(), service("other")]), Some(Err(Certainty::Unknown)));
        assert_eq!(called(&[calls(), service("other"), ISTIOD.into()]), Some(Err(Certainty::Likely)));
        assert_eq!(called(&[calls(), ISTIOD.into()]), Some(Err(Certainty::Unknown)));
        assert_eq!(called(&[calls().replace("{service: {name: gone, namespace: istio-system}}", "{url: x}")]), None);
    }

    #[test]
    fn addresses_of_services() {
        for (address, expected) in [
            ("istiod.istio-system.svc:15012", Some(("istiod", "istio-system"))),
            ("https://istiod.istio-system.svc.cluster.local:15012", Some(("istiod", "istio-system"))),
            ("istiod.istio-system.svc", Some(("istiod", "istio-system"))),
            ("istiod.example.com:15012", None),
            ("localhost:15012", None),
            ("a.b.c.svc:15012", None),
        ] {
            assert_eq!(service_of_address(address), expected, "{address}");
        }
    }

    #[test]
    fn overlaps_are_told_once_and_not_of_what_is_switched_off() {
        let overlaps = |texts: &[String]| {
            let mesh = mesh(texts);
            let all = mesh.installation.webhooks.iter().map(|w| w.place);
            all.map(|place| mesh.overlapping(place).len()).sum::<usize>()
        };
        let default = || webhooks("d", "istio.io/rev: default", "default");
        let tag = || webhooks("t", "istio.io/rev: canary, istio.io/tag: default", "default");
        assert_eq!(overlaps(&[default(), canary()]), 0);
        assert_eq!(overlaps(&[default(), tag()]), 4);
        assert_eq!(overlaps(&[tag(), default()]), 4);
        let old = "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\nmetadata: {name: o}\nwebhooks:\n- {name: sidecar-injector.istio.io, namespaceSelector: {matchLabels: {istio.io/rev: old}}}\n";
        assert_eq!(overlaps(&[default(), old.into()]), 0);
        let off = default()
            .replace("namespaceSelector: {", "namespaceSelector: {matchLabels: {istio.io/deactivated: never-match}, ");
        let off = off.replace("never-match}, matchLabels: {", "never-match, ");
        assert_eq!(overlaps(&[off, tag()]), 0);
    }

    #[test]
    fn webhooks_that_are_called_for_all_pods_of_a_namespace() {
        let called = |webhook: &str, rules: &str| {
            let mesh = mesh(&[format!(
                "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\nmetadata: {{name: a}}\nwebhooks:\n- {{name: a.example.com, {webhook}rules: [{rules}]}}\n"
            )]);
            let node = mesh.root(ResourceId(0)).get("webhooks").and_then(|w| w.items().next()).unwrap().id();
            mesh.is_called_for_pods(Place { tree: 0, node }, "kube-system")
        };
        let pods = "{apiGroups: [''], operations: [CREATE], resources: [pods]}";
        assert_eq!(called("", pods), Tri::Yes);
        assert_eq!(called("", "{apiGroups: ['*'], operations: ['*'], resources: ['*/*']}"), Tri::Yes);
        assert_eq!(called("", "{apiGroups: [''], operations: [DELETE], resources: [pods]}"), Tri::No);
        assert_eq!(called("", "{apiGroups: [apps], operations: [CREATE], resources: ['*']}"), Tri::No);
        let not = "matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [kube-system]}]";
        assert_eq!(called(&format!("namespaceSelector: {{{not}}}, "), pods), Tri::No);
        assert_eq!(called("namespaceSelector: {matchLabels: {a: b}}, ", pods), Tri::Unknown);
        assert_eq!(called("objectSelector: {matchLabels: {a: b}}, ", pods), Tri::No);
        assert_eq!(called("matchConditions: [{name: a, expression: b}], ", pods), Tri::Unknown);
    }
}
