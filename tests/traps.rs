//! The traps of the field: manifests that look wrong and are right. Each test shows that plimsoll keeps
//! quiet about one, with all rules on, and that it would speak if the manifest were wrong indeed.

use std::io::Write;
use std::process::{Command, Stdio};

/// The ids of all rules that find something, infos included, each finding once, and their severities.
fn findings(manifests: &[&str], flags: &[&str]) -> Vec<(String, String)> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(["check", "-", "--no-config", "--format", "json", "--today", "2026-11-24"])
        .args(flags)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(manifests.join("\n---\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(said["problems"].as_array().unwrap().len(), 0, "{}", said["problems"]);
    let text = |finding: &serde_json::Value, key: &str| finding[key].as_str().unwrap().to_string();
    said["findings"].as_array().unwrap().iter().map(|f| (text(f, "rule"), text(f, "severity"))).collect()
}

/// Nothing is found by that rule, no more than advice by that topic, and nothing at all is an error.
#[track_caller]
fn quiet(rule: &str, manifests: &[&str], flags: &[&str]) {
    let found = findings(manifests, flags);
    let wrong = |(id, severity): &&(String, String)| {
        id == rule || id.starts_with(rule) && severity != "info" || severity == "error"
    };
    let wrong: Vec<_> = found.iter().filter(wrong).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// That rule finds something.
#[track_caller]
fn speaks(rule: &str, manifests: &[&str], flags: &[&str]) {
    let found = findings(manifests, flags);
    assert!(found.iter().any(|(id, _)| id.starts_with(rule)), "{rule} is silent: {found:?}");
}

const ISTIOD: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata: { name: istiod, namespace: istio-system }
spec:
  replicas: 2
  selector: { matchLabels: { app: istiod } }
  template:
    metadata: { labels: { app: istiod, istio: pilot, istio.io/rev: default, sidecar.istio.io/inject: "false" } }
    spec:
      serviceAccountName: istiod
      containers:
        - name: discovery
          image: docker.io/istio/pilot:1.31.1
          args: [discovery]
          ports: [{ containerPort: 15012, name: tls-xds }, { containerPort: 15017, name: https-webhooks }]
          resources: { requests: { cpu: 500m, memory: 2Gi } }"#;

const SHOP: &str = r#"apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { istio-injection: enabled } }"#;

const CART: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata: { name: cart, namespace: shop }
spec:
  selector: { matchLabels: { app: cart } }
  template:
    metadata: { labels: { app: cart } }
    spec:
      containers:
        - { name: app, image: "cart:1.0", ports: [{ containerPort: 8080, name: http }] }"#;

fn policy(name: &str, namespace: &str, spec: &str) -> String {
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{ name: {name}, namespace: {namespace} }}\nspec: {spec}"
    )
}

fn workload(namespace: &str, labels: &str, spec: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{ name: edge, namespace: {namespace} }}\nspec:\n  selector: {{ matchLabels: {{ app: edge }} }}\n  template:\n    metadata: {{ labels: {{ app: edge{labels} }} }}\n    spec: {spec}"
    )
}

#[test]
fn a_rule_without_from_admits_everybody() {
    let rule = |from: &str| {
        policy(
            "istiod",
            "istio-system",
            &format!("{{ podSelector: {{}}, ingress: [{{ {from}ports: [{{ port: 15012 }}, {{ port: 15017 }}] }}] }}"),
        )
    };
    for from in ["", "from: [], "] {
        quiet("network-policy/", &[ISTIOD, SHOP, CART, &rule(from)], &[]);
    }
    speaks("network-policy/", &[ISTIOD, SHOP, CART, &rule("from: [{ podSelector: {} }], ")], &[]);
}

#[test]
fn policies_name_the_webhooks_pod_port() {
    let open = |port: u16| {
        policy(
            "istiod",
            "istio-system",
            &format!("{{ podSelector: {{}}, ingress: [{{ ports: [{{ port: 15012 }}, {{ port: {port} }}] }}] }}"),
        )
    };
    quiet("network-policy/", &[ISTIOD, &open(15017)], &[]);
    speaks("network-policy/webhook-port-blocked", &[ISTIOD, &open(443)], &[]);
}

#[test]
fn gateways_listen_on_what_their_service_leads_to() {
    let pods = workload(
        "istio-ingress",
        ", istio: edge",
        "{ containers: [{ name: istio-proxy, image: \"docker.io/istio/proxyv2:1.31.1\" }] }",
    );
    let service = |target: u16| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{ name: edge, namespace: istio-ingress }}\nspec: {{ type: LoadBalancer, selector: {{ istio: edge }}, ports: [{{ name: status-port, port: 15021, targetPort: 15021 }}, {{ name: http2, port: 80, targetPort: {target} }}] }}"
        )
    };
    let open = |port: u16| {
        policy(
            "edge",
            "istio-ingress",
            &format!("{{ podSelector: {{}}, ingress: [{{ ports: [{{ port: {port} }}, {{ port: 15021 }}] }}] }}"),
        )
    };
    quiet("network-policy/", &[&pods, &service(80), &open(80)], &[]);
    quiet("network-policy/", &[&pods, &service(8080), &open(8080)], &[]);
    speaks("network-policy/", &[&pods, &service(8080), &open(80)], &[]);
}

#[test]
fn pods_of_a_revision_carry_another_label() {
    let revisioned =
        ISTIOD.replace("istio: pilot", "istio: istiod").replace("istio.io/rev: default", "istio.io/rev: canary");
    let open = |label: &str| {
        policy(
            "istiod",
            "istio-system",
            &format!("{{ podSelector: {{ matchLabels: {{ {label} }} }}, ingress: [{{}}] }}"),
        )
    };
    quiet("network-policy/", &[&revisioned, &open("app: istiod")], &[]);
    speaks("network-policy/istiod-selector-mismatch", &[&revisioned, &open("istio: pilot")], &[]);
}

#[test]
fn the_default_validator_names_the_service_of_its_revision() {
    let validator = |service: &str| {
        format!(
            "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {{ name: istiod-default-validator }}\nwebhooks:\n  - name: validation.istio.io\n    clientConfig: {{ service: {{ name: {service}, namespace: istio-system, path: /validate }} }}\n    failurePolicy: Ignore\n    sideEffects: None\n    admissionReviewVersions: [v1]"
        )
    };
    let service = |name: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{ name: {name}, namespace: istio-system }}\nspec: {{ selector: {{ app: istiod }}, ports: [{{ port: 15012 }}, {{ port: 443, targetPort: 15017 }}] }}"
        )
    };
    let canary =
        ISTIOD.replace("istio: pilot", "istio: istiod").replace("istio.io/rev: default", "istio.io/rev: canary");
    quiet("webhooks/", &[ISTIOD, &service("istiod"), &validator("istiod")], &[]);
    quiet("webhooks/", &[&canary, &service("istiod-canary"), &validator("istiod-canary")], &[]);
    speaks("webhooks/", &[&canary, &service("istiod-canary"), &validator("istiod")], &["--complete=Service"]);
}

#[test]
fn rendered_webhooks_are_completed_by_istiod() {
    let injector = |policy: &str, dump: &str| {
        format!(
            "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\nmetadata: {{ name: istio-sidecar-injector{dump} }}\nwebhooks:\n  - name: namespace.sidecar-injector.istio.io\n    clientConfig: {{ service: {{ name: istiod, namespace: istio-system, path: /inject }} }}\n    namespaceSelector: {{ matchLabels: {{ istio-injection: enabled }} }}\n    failurePolicy: {policy}\n    sideEffects: None\n    admissionReviewVersions: [v1]"
        )
    };
    let validator = "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: { name: istio-validator-istio-system }\nwebhooks:\n  - name: rev.validation.istio.io\n    clientConfig: { service: { name: istiod, namespace: istio-system, path: /validate } }\n    failurePolicy: Ignore\n    sideEffects: None\n    admissionReviewVersions: [v1]";
    quiet("webhooks/", &[ISTIOD, &injector("Fail", ""), validator], &[]);
    speaks("webhooks/injector-fail-open", &[ISTIOD, &injector("Ignore", "")], &[]);
    speaks(
        "webhooks/ca-bundle-empty",
        &[ISTIOD, &injector("Fail", ", uid: 6f1f6f0e-0000-4000-8000-000000000000")],
        &[],
    );
}

#[test]
fn istios_own_leftovers_are_not_the_users() {
    let own = |label: &str| {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{ name: istiod, namespace: istio-system{label} }}\nspec: {{ podSelector: {{ matchLabels: {{ app: istiod }} }}, ingress: [{{ ports: [{{ port: 15017 }}, {{ port: 15010 }}, {{ port: 15011 }}, {{ port: 15012 }}] }}] }}"
        )
    };
    quiet("ports/", &[ISTIOD, &own(", labels: { operator.istio.io/component: Pilot }")], &[]);
    speaks("ports/legacy-15011", &[ISTIOD, &own("")], &[]);
    let injected = CART.replace(
        "{ app: cart } }\n    spec:",
        "{ app: cart, security.istio.io/tlsMode: istio }, annotations: { sidecar.istio.io/status: '{}' } }\n    spec:",
    );
    assert_ne!(injected, CART);
    quiet("versions/", &[ISTIOD, SHOP, &injected], &[]);
}

#[test]
fn an_injected_pod_is_judged_once() {
    let resources = |limit: &str| {
        format!("resources: {{ requests: {{ cpu: 100m, memory: 64Mi }}, limits: {{ cpu: '2', memory: {limit} }} }}")
    };
    let pod = |limit: &str| {
        workload(
            "shop",
            "",
            &format!(
                "{{ initContainers: [{{ name: istio-init, image: \"docker.io/istio/proxyv2:1.31.1\", {0} }}], containers: [{{ name: app, image: \"a:1.0\" }}, {{ name: istio-proxy, image: \"docker.io/istio/proxyv2:1.31.1\", {0} }}] }}",
                resources(limit)
            ),
        )
    };
    quiet("resources/proxy-memory-limit", &[&pod("1Gi")], &[]);
    let found = findings(&[&pod("64Mi")], &[]);
    assert_eq!(found.iter().filter(|(id, _)| id == "resources/proxy-memory-limit-too-low").count(), 1, "{found:?}");
}

#[test]
fn a_native_sidecar_is_an_init_container() {
    let pod = |limit: &str, uid: u32| {
        workload(
            "shop",
            "",
            &format!(
                "{{ initContainers: [{{ name: istio-proxy, restartPolicy: Always, image: \"docker.io/istio/proxyv2:1.31.1\", securityContext: {{ runAsUser: 1337 }}, resources: {{ limits: {{ memory: {limit} }} }} }}], containers: [{{ name: app, image: \"a:1.0\", securityContext: {{ runAsUser: {uid} }} }}] }}"
            ),
        )
    };
    quiet("resources/proxy-memory-limit", &[&pod("1Gi", 1000)], &[]);
    quiet("namespaces/app-uid-1337", &[&pod("1Gi", 1000)], &[]);
    speaks("resources/proxy-memory-limit-too-low", &[&pod("64Mi", 1000)], &[]);
    speaks("namespaces/app-uid-1337", &[&pod("1Gi", 1337)], &[]);
}

#[test]
fn an_old_api_is_legal_for_an_old_cluster() {
    let hpa = "apiVersion: autoscaling/v2beta1\nkind: HorizontalPodAutoscaler\nmetadata: { name: istiod, namespace: istio-system }\nspec: { minReplicas: 2, maxReplicas: 5, scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: istiod } }";
    quiet("versions/k8s-removed-api", &[hpa], &[]);
    quiet("versions/k8s-removed-api", &[hpa], &["--assume", "kubernetes=1.24"]);
    speaks("versions/k8s-removed-api", &[hpa], &["--assume", "kubernetes=1.25"]);
}

#[test]
fn a_namespace_has_its_name_as_a_label() {
    let open = |name: &str| {
        policy(
            "istiod",
            "istio-system",
            &format!(
                "{{ podSelector: {{}}, ingress: [{{ ports: [{{ port: 15017 }}] }}, {{ from: [{{ namespaceSelector: {{ matchLabels: {{ kubernetes.io/metadata.name: {name} }} }} }}], ports: [{{ port: 15012 }}] }}] }}"
            ),
        )
    };
    quiet("network-policy/", &[ISTIOD, SHOP, CART, &open("shop")], &[]);
    speaks("network-policy/istiod-ingress-blocked", &[ISTIOD, SHOP, CART, &open("other")], &[]);
}

#[test]
fn ambient_pods_keep_their_own_port_for_others() {
    let ambient = SHOP.replace("istio-injection: enabled", "istio.io/dataplane-mode: ambient");
    let open = |more: &str| {
        policy(
            "cart",
            "shop",
            &format!(
                "{{ podSelector: {{}}, ingress: [{{ from: [{{ podSelector: {{}} }}], ports: [{{ port: 8080 }}{more}] }}] }}"
            ),
        )
    };
    let web = CART.replace("cart", "web");
    quiet("network-policy/", &[&ambient, CART, &web, &open(", { port: 15008 }")], &[]);
    speaks("network-policy/ambient-hbone-blocked", &[&ambient, CART, &web, &open("")], &[]);
}

#[test]
fn ports_have_names_and_ranges() {
    let range = |last: u16| {
        policy(
            "istiod",
            "istio-system",
            &format!(
                "{{ podSelector: {{}}, ingress: [{{ ports: [{{ port: 15010, endPort: {last} }}, {{ port: https-webhooks }}] }}] }}"
            ),
        )
    };
    quiet("network-policy/", &[ISTIOD, SHOP, CART, &range(15014)], &[]);
    speaks("network-policy/istiod-ingress-blocked", &[ISTIOD, SHOP, CART, &range(15011)], &[]);
}

#[test]
fn some_kinds_have_no_v1() {
    let flags = ["--select", "all,old-api-version", "--assume", "istio=1.31"];
    let filter =
        "apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: { name: f, namespace: shop }\nspec: {}";
    let proxy = "apiVersion: networking.istio.io/v1beta1\nkind: ProxyConfig\nmetadata: { name: p, namespace: shop }\nspec: { concurrency: 2 }";
    quiet("versions/", &[filter, proxy], &flags);
    let gateway = "apiVersion: networking.istio.io/v1beta1\nkind: Gateway\nmetadata: { name: g, namespace: shop }\nspec: { selector: { istio: edge }, servers: [] }";
    speaks("versions/old-api-version", &[gateway], &flags);
}

#[test]
fn a_platforms_folders_are_not_the_default_ones() {
    let cni = |folder: &str| {
        format!(
            "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{ name: istio-cni-node, namespace: kube-system }}\nspec:\n  selector: {{ matchLabels: {{ k8s-app: istio-cni-node }} }}\n  template:\n    metadata: {{ labels: {{ k8s-app: istio-cni-node }} }}\n    spec:\n      containers: [{{ name: install-cni, image: \"docker.io/istio/install-cni:1.31.1\", resources: {{ requests: {{ cpu: 100m, memory: 100Mi }} }} }}]\n      volumes: [{{ name: cni-bin-dir, hostPath: {{ path: {folder} }} }}, {{ name: cni-net-dir, hostPath: {{ path: /etc/cni/net.d }} }}]"
        )
    };
    quiet("cni/directories-of-another-platform", &[&cni("/opt/cni/bin")], &[]);
    quiet("cni/directories-of-another-platform", &[&cni("/home/kubernetes/bin")], &["--assume", "platform=gke"]);
    speaks("cni/directories-of-another-platform", &[&cni("/opt/cni/bin")], &["--assume", "platform=gke"]);
}

#[test]
fn quantities_are_read_as_kubernetes_does() {
    let pod = |limit: &str| {
        workload(
            "shop",
            "",
            &format!(
                "{{ containers: [{{ name: app, image: \"a:1.0\" }}, {{ name: istio-proxy, image: \"docker.io/istio/proxyv2:1.31.1\", resources: {{ limits: {{ memory: {limit}, cpu: 0.5 }} }} }}] }}"
            ),
        )
    };
    for limit in ["1.5Gi", "210M", "0.3Gi", "1e9"] {
        quiet("resources/proxy-memory-limit", &[&pod(limit)], &[]);
    }
    // 200M are less than 200Mi.
    speaks("resources/proxy-memory-limit-too-low", &[&pod("200M")], &[]);
}

#[test]
fn a_digest_is_no_version() {
    let image = |image: &str| ISTIOD.replace("docker.io/istio/pilot:1.31.1", image);
    let digest = "docker.io/istio/pilot@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    quiet("versions/", &[&image(digest)], &["--assume", "kubernetes=1.34"]);
    speaks("versions/istio-eol", &[&image("docker.io/istio/pilot:1.20.3")], &[]);
}

#[test]
fn a_vendors_revision_is_not_unknown() {
    let shop = |revision: &str| SHOP.replace("istio-injection: enabled", &format!("istio.io/rev: {revision}"));
    quiet(
        "namespaces/",
        &[ISTIOD, &shop("asm-1-29"), CART],
        &["--assume", "platform=aks", "--complete=Deployment,MutatingWebhookConfiguration"],
    );
    speaks(
        "namespaces/unknown-revision",
        &[ISTIOD, &shop("blue"), CART],
        &["--complete=Deployment,MutatingWebhookConfiguration"],
    );
}

#[test]
fn rules_in_istios_crds_matter_to_old_servers_only() {
    let crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: { name: sidecars.networking.istio.io, labels: { app.kubernetes.io/version: 1.31.1 } }\nspec:\n  group: networking.istio.io\n  names: { kind: Sidecar, plural: sidecars }\n  scope: Namespaced\n  versions: [{ name: v1, served: true, storage: true, schema: { openAPIV3Schema: { type: object, x-kubernetes-validations: [{ rule: 'true' }] } } }]";
    quiet("versions/", &[ISTIOD, crd], &["--assume", "kubernetes=1.34"]);
    speaks("versions/k8s-unsupported", &[ISTIOD, crd], &["--assume", "kubernetes=1.24"]);
}

#[test]
fn an_applications_own_variable_may_have_an_old_name() {
    let app = |name: &str| {
        workload(
            "shop",
            "",
            &format!("{{ containers: [{{ name: app, image: \"a:1.0\", env: [{{ name: {name}, value: '1' }}] }}] }}"),
        )
    };
    quiet("versions/removed-env", &[ISTIOD, &app("PILOT_ENABLE_STATUS")], &[]);
    let istiod = format!("{ISTIOD}\n          env: [{{ name: PILOT_ENABLE_STATUS, value: 'true' }}]");
    speaks("versions/removed-env", &[&istiod], &[]);
}

#[test]
fn no_rule_and_no_list_both_deny() {
    for spec in [
        "{ podSelector: {}, ingress: [] }",
        "{ podSelector: {}, policyTypes: [Ingress] }",
        "{ podSelector: {}, egress: [{}] }",
    ] {
        speaks(
            "network-policy/istiod-ingress-blocked",
            &[ISTIOD, SHOP, CART, &policy("all", "istio-system", spec)],
            &[],
        );
    }
    quiet(
        "network-policy/istiod-ingress-blocked",
        &[
            ISTIOD,
            SHOP,
            CART,
            &policy("all", "istio-system", "{ podSelector: {}, policyTypes: [Egress], egress: [{}] }"),
        ],
        &[],
    );
}

#[test]
fn samples_are_left_out_by_excluding_them() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("samples/pod.yaml", &CART.replace("containerPort: 8080", "containerPort: 15001"));
    write("plimsoll.yaml", "assume: { injection: sidecar }\n");
    let status = || {
        let output =
            Command::new(env!("CARGO_BIN_EXE_plimsoll")).args(["check", "."]).current_dir(folder.path()).output();
        output.unwrap().status.code()
    };
    assert_eq!(status(), Some(1));
    write("plimsoll.yaml", "assume: { injection: sidecar }\nexclude: [\"**/samples/**\"]\n");
    assert_eq!(status(), Some(4));
}
