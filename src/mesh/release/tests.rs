//! What is drawn of releases, as facts and rules read it.

use super::super::proxy::Setting;
use super::super::{Mesh, test_mesh};
use crate::yaml::composed::From;
use crate::yaml::{Node, Place};

fn flux(version: &str, values: &str) -> String {
    format!(
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: istiod, namespace: istio-system}}\nspec: {{chart: {{spec: {{chart: istiod, version: {version}}}}}, values: {values}}}\n"
    )
}

/// A resource that was drawn: its root.
fn root<'m>(mesh: &'m Mesh, kind: &str, name: &str) -> Option<Node<'m>> {
    mesh.resources
        .iter()
        .find(|r| &*r.kind == kind && &*r.name == name && r.release.is_some())
        .map(|r| mesh.trees.node(r.root))
}

fn place(node: Node<'_>, mesh: &Mesh) -> Place {
    let tree = mesh.resources.iter().find(|r| std::ptr::eq(mesh.trees.tree(r.root.tree), node.tree())).unwrap();
    Place { tree: tree.root.tree, node: node.id() }
}

/// `text at path`, with a sign for what is no value: `~` a default, `?` not known.
fn shown(mesh: &Mesh, node: Option<Node<'_>>) -> String {
    let Some(node) = node else { return "missing".to_string() };
    if node.is_unknown() {
        return "?".to_string();
    }
    let place = place(node, mesh);
    let origin = mesh.trees.origin(place).unwrap();
    let sign = if origin.from == From::Default { "~" } else { "" };
    let written = mesh.trees.written(place);
    let path = mesh.trees.path(written, mesh.trees.root(written));
    format!("{sign}{} {path}", node.text().unwrap_or("map"))
}

/// A field of the container `discovery`.
fn container(mesh: &Mesh, path: &[&str]) -> String {
    let list = root(mesh, "Deployment", "istiod").and_then(|d| d.at(&["spec", "template", "spec", "containers"]));
    shown(mesh, list.and_then(|list| list.items().next()).and_then(|c| c.at(path)))
}

const MEMORY: [&str; 3] = ["resources", "requests", "memory"];

#[test]
fn what_is_written_stands_where_it_is_written() {
    let mesh = test_mesh(&[&flux("1.30.2", "{pilot: {resources: {requests: {memory: 128Mi}}}}")]);
    assert_eq!(container(&mesh, &MEMORY), "128Mi spec.values.pilot.resources.requests.memory");
    assert_eq!(container(&mesh, &["resources", "requests", "cpu"]), "~500m spec.values.pilot.resources.requests");
    assert_eq!(container(&mesh, &["resources", "limits"]), "missing");
    let span =
        mesh.trees.tree(0).roots().next().unwrap().at(&["spec", "values", "pilot", "resources", "requests", "memory"]);
    let drawn = root(&mesh, "Deployment", "istiod").unwrap().at(&["spec", "template", "spec", "containers"]).unwrap();
    assert_eq!(drawn.items().next().unwrap().at(&MEMORY).unwrap().span(), span.unwrap().span());
    assert_eq!(mesh.istiods.len(), 1);
    assert_eq!(mesh.istio_version().map(|v| v.to_string()).as_deref(), Some("1.30.2"));
    let nothing = test_mesh(&[&flux("1.30.2", "{}")]);
    assert_eq!(container(&nothing, &MEMORY), "~2048Mi spec.chart.spec.chart");
}

#[test]
fn keys_beside_the_charts_own_map_count_since_1_24() {
    let memory = |version: &str, values: &str| container(&test_mesh(&[&flux(version, values)]), &MEMORY);
    let flat = "{resources: {requests: {memory: 1Gi}}}";
    assert_eq!(memory("1.24.0", flat), "1Gi spec.values.resources.requests.memory");
    assert_eq!(memory("1.23.9", flat), "~2048Mi spec.chart.spec.chart");
    let both = "{resources: {requests: {memory: 1Gi}}, pilot: {resources: {requests: {memory: 3Gi}}}}";
    assert_eq!(memory("1.30.0", both), "3Gi spec.values.pilot.resources.requests.memory");
    // Of a profile's values, which stand below the chart's own map, that is true as well.
    assert_eq!(
        memory("1.30.0", "{profile: demo, resources: {requests: {memory: 1Gi}}}"),
        "~100Mi spec.values.resources.requests"
    );
    assert_eq!(memory("1.30.0", "{resources: {requests: {memory: null}}}"), "missing");
    assert_eq!(container(&test_mesh(&[&flux("1.30.0", "{pilot: '${PILOT}'}")]), &["resources"]), "?");
}

#[test]
fn what_stands_elsewhere_is_not_known() {
    let open = |values: &str| {
        test_mesh(&[&flux("1.30.2", values).replace("values:", "valuesFrom: [{kind: Secret, name: a}], values:")])
    };
    let mesh = open("{pilot: {resources: {requests: {memory: 1Gi}}}}");
    assert_eq!(container(&mesh, &MEMORY), "1Gi spec.values.pilot.resources.requests.memory");
    let requests =
        root(&mesh, "Deployment", "istiod").unwrap().at(&["spec", "template", "spec", "containers"]).unwrap();
    assert!(requests.items().next().unwrap().at(&["resources", "requests"]).unwrap().is_unknown());
    let replicas = root(&mesh, "Deployment", "istiod").unwrap().at(&["spec", "replicas"]);
    assert_eq!(shown(&mesh, replicas), "?");
    assert!(root(&mesh, "HorizontalPodAutoscaler", "istiod").is_none());
    assert!(mesh.partly_shown_installation().is_some());
    assert!(mesh.istio_version().is_none());
    assert_eq!(container(&mesh, &["image"]), "?");
    assert_eq!(mesh.proxy_defaults(mesh.installation.injectors[0].resource).memory_limit, Setting::Unknown);
    let own = test_mesh(&[&flux("1.30.2", "{profile: mine}")]);
    assert_eq!(container(&own, &["resources"]), "?");
    assert_eq!(container(&test_mesh(&[&flux("'${v}'", "{}")]), &["image"]), "?");
}

#[test]
fn an_autoscaler_or_replicas() {
    let scaler = |values: &str| {
        let mesh = test_mesh(&[&flux("1.30.2", values)]);
        let least =
            root(&mesh, "HorizontalPodAutoscaler", "istiod").map(|hpa| shown(&mesh, hpa.at(&["spec", "minReplicas"])));
        (least, shown(&mesh, root(&mesh, "Deployment", "istiod").unwrap().at(&["spec", "replicas"])))
    };
    assert_eq!(scaler("{}"), (Some("~1 spec.chart.spec.chart".into()), "missing".into()));
    assert_eq!(scaler("{autoscaleMin: 2}"), (Some("2 spec.values.autoscaleMin".into()), "missing".into()));
    assert_eq!(
        scaler("{pilot: {autoscaleEnabled: false, replicaCount: 3}}"),
        (None, "3 spec.values.pilot.replicaCount".into())
    );
    assert_eq!(scaler("{pilot: {autoscaleEnabled: '${HPA}'}}"), (None, "?".into()));
    let mesh = test_mesh(&[&flux("1.30.2", "{}")]);
    let istiod = mesh.workload(mesh.istiods[0].workload).resource;
    assert!(mesh.hpa_of(istiod).is_ok_and(|hpa| mesh.is_virtual(hpa)));
}

#[test]
fn every_way_to_ask_for_it() {
    let argo = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a, namespace: argocd}\nspec: {destination: {namespace: istio-system}, source: {chart: istiod, targetRevision: 1.28.3, helm: HELM}}\n";
    let memory = |text: &str| container(&test_mesh(&[text]), &MEMORY);
    let argo = |helm: &str| memory(&argo.replace("HELM", helm));
    assert_eq!(
        argo("{valuesObject: {pilot: {resources: {requests: {memory: 1Gi}}}}}"),
        "1Gi spec.source.helm.valuesObject.pilot.resources.requests.memory"
    );
    let text = "{values: 'pilot: {resources: {requests: {memory: 1Gi}}}'}";
    assert_eq!(argo(text), "1Gi spec.source.helm.values|pilot.resources.requests.memory");
    let argument = "{parameters: [{name: pilot.resources.requests.memory, value: 1Gi}]}";
    assert_eq!(argo(argument), "1Gi spec.source.helm.parameters[0].value");
    let operator = "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: {name: a}\nspec: {values: {pilot: {env: {A: b}}}, components: {pilot: {k8s: {resources: {requests: {memory: 1Gi}}, env: [{name: C, value: d}]}}}}\n";
    assert_eq!(memory(operator), "1Gi spec.components.pilot.k8s.resources.requests.memory");
    let mesh = test_mesh(&[operator]);
    let env = root(&mesh, "Deployment", "istiod").unwrap().at(&["spec", "template", "spec", "containers"]).unwrap();
    let env = env.items().next().unwrap().get("env").unwrap();
    let names: Vec<_> = env.items().filter_map(|item| item.get("name")?.text()).collect();
    assert_eq!(names, ["REVISION", "A", "C", "PILOT_TRACE_SAMPLING"]);
    let sail = "apiVersion: sailoperator.io/v1\nkind: Istio\nmetadata: {name: canary}\nspec: {version: v1.31.0-beta.1, namespace: mesh, values: {pilot: {resources: {requests: {memory: 1Gi}}}}}\n";
    let mesh = test_mesh(&[sail]);
    let istiod = mesh.workload(mesh.istiods[0].workload);
    assert_eq!((&*mesh.istiods[0].revision, &*istiod.namespace), ("canary", "mesh"));
    assert!(root(&mesh, "Deployment", "istiod-canary").is_some() && mesh.mesh_config("canary").is_some());
}

#[test]
fn configuration_of_the_mesh_and_of_proxies() {
    let mesh = test_mesh(&[&flux(
        "1.30.2",
        "{global: {proxy: {resources: {limits: {memory: 64Mi}}}}, meshConfig: {rootNamespace: root, defaultConfig: {tracing: {sampling: 5}}}}",
    )]);
    assert_eq!(mesh.root_namespace(), "root");
    let config = mesh.mesh_config("default").unwrap();
    let text = |path: &[&str]| mesh.trees.node(config.config).at(path).and_then(Node::text);
    assert_eq!(text(&["defaultConfig", "discoveryAddress"]), Some("istiod.istio-system.svc:15012"));
    let sampling = mesh.trees.get(config.config, &["defaultConfig", "tracing", "sampling"]).unwrap();
    assert_eq!(mesh.owner(sampling), Some(config.resource));
    assert_eq!(mesh.sampling(config.resource), Some(sampling));
    let written = mesh.trees.written(sampling);
    assert_eq!(
        mesh.trees.path(written, mesh.resources[0].root),
        "spec.values.meshConfig.defaultConfig.tracing.sampling"
    );
    let injector = mesh.installation.injectors[0].resource;
    let proxy = mesh.proxy_defaults(injector);
    let at = |setting: Setting| match setting {
        Setting::At(place) => mesh.trees.node(place).text().unwrap().to_string(),
        other => format!("{other:?}"),
    };
    assert_eq!([at(proxy.memory_limit), at(proxy.memory_request)], ["64Mi", "128Mi"]);
    // Of other values the table has no defaults.
    let values = mesh.installation.injectors[0].values.unwrap();
    assert!(mesh.trees.get(values, &["global"]).is_some_and(|global| mesh.trees.node(global).is_unknown()));
    // Before 1.22 charts set a tracer up.
    let tracing = |version: &str| {
        let mesh = test_mesh(&[&flux(version, "{}")]);
        mesh.tracing(mesh.installation.mesh_configs[0].resource).is_ok()
    };
    assert!(tracing("1.21.0") && !tracing("1.22.0") && !tracing("'${v}'"));
}

#[test]
fn a_rendered_istiod_wins() {
    let rendered = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: istiod, namespace: istio-system}\nspec: {template: {metadata: {labels: {app: istiod}}, spec: {containers: [{name: discovery}]}}}\n";
    let drawn =
        |text: &str| test_mesh(&[&flux("1.30.2", "{}"), text]).resources.iter().filter(|r| r.release.is_some()).count();
    assert_eq!(drawn(rendered), 0);
    assert_eq!(drawn(&rendered.replace("istio-system", "other")), 4);
    assert_eq!(
        drawn(
            &rendered
                .replace("app: istiod", "app: istiod, istio.io/rev: canary")
                .replace("name: istiod,", "name: istiod-canary,")
        ),
        4
    );
    let config =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata: {mesh: '{}'}\n";
    assert_eq!(drawn(config), 3);
}

#[test]
fn two_releases_of_one_revision_are_two_installations() {
    let mesh = test_mesh(&[
        &flux("1.30.2", "{autoscaleMin: 2}"),
        &flux("1.30.2", "{autoscaleMin: 3}").replace("name: istiod, namespace", "name: other, namespace"),
    ]);
    assert_eq!(mesh.istiods.len(), 2);
    let least = |n: usize| {
        let hpa = mesh.hpa_of(mesh.workload(mesh.istiods[n].workload).resource).unwrap();
        mesh.root(hpa).at(&["spec", "minReplicas"]).and_then(Node::int)
    };
    assert_eq!([least(0), least(1)], [Some(2), Some(3)]);
    // Which of the two configurations a namespace gets is not known.
    assert_eq!(mesh.installation.mesh_configs.len(), 2);
    assert!(mesh.mesh_config("default").is_none() && mesh.injector("default").is_none());
}

#[test]
fn the_other_charts() {
    let chart = |name: &str, values: &str| {
        flux("1.30.2", values)
            .replace("chart: istiod", &format!("chart: {name}, sourceRef: {{kind: HelmRepository, name: istio}}"))
            .replace("name: istiod", &format!("name: istio-{name}"))
    };
    let mesh = test_mesh(&[
        &chart("gateway", "{autoscaling: {minReplicas: 3}, labels: {istio: mine}}"),
        &chart("ztunnel", "{resources: {requests: {memory: 1Gi}}}"),
        &chart("cni", "{cni: {resources: {requests: {memory: 50Mi}}}}"),
    ]);
    let components: Vec<_> = mesh.workloads.iter().map(|w| format!("{:?}", mesh.component(w).unwrap())).collect();
    assert_eq!(components, ["Gateway", "Ztunnel", "IstioCni"]);
    assert_eq!(mesh.workloads[0].labels.value("istio"), Some("mine"));
    let least = root(&mesh, "HorizontalPodAutoscaler", "istio-gateway").unwrap().at(&["spec", "minReplicas"]);
    assert_eq!(shown(&mesh, least), "3 spec.values.autoscaling.minReplicas");
    let memory = |n: usize| {
        let container = mesh.containers(&mesh.workloads[n])[0];
        shown(&mesh, container.at(&MEMORY))
    };
    assert_eq!(memory(0), "~128Mi spec.chart.spec.chart");
    assert_eq!(
        [memory(1), memory(2)],
        ["1Gi spec.values.resources.requests.memory", "50Mi spec.values.cni.resources.requests.memory"]
    );
    assert!(mesh.pod_spec(&mesh.workloads[1]).unwrap().is_unknown());
}

#[test]
fn a_bomb_of_aliases_is_not_copied() {
    let aliases = (0..100).map(|n| format!("k{n}: *x")).collect::<Vec<_>>().join(", ");
    let values = format!("{{x: &x {{k: {}}}, meshConfig: {{{aliases}}}}}", "z".repeat(20_000));
    let mesh = test_mesh(&[&flux("1.30.2", &values)]);
    assert!(mesh.trees.tree(mesh.mesh_config("default").unwrap().config.tree).text().len() < 1 << 20);
}

#[test]
fn values_of_a_chart() {
    let rendered = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: values-canary}\ndata: {original-values: '{\"pilot\": {}}'}\n";
    let flux = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: a, namespace: b}\nspec: {chart: {spec: {chart: istiod, version: 1.30.1}}, values: {global: {}}}\n";
    let mesh = test_mesh(&[flux, rendered]);
    let all: Vec<_> = mesh.chart_values("istiod").into_iter().map(|(_, version)| version.is_some()).collect();
    assert_eq!(all, [true, false]);
    assert!(mesh.chart_values("cni").is_empty());
}
