//! Which files go to one API server, and what kustomize makes of them.

use super::scratch::Scratch;

fn route(host: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: web, namespace: shop}}\nspec:\n  hosts: [web]\n  http:\n  - route:\n    - destination:\n        host: {host}\n"
    )
}

fn service(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: shop}}\nspec: {{ports: [{{port: 80}}]}}\n"
    )
}

#[test]
fn environments_in_sibling_folders_never_mix() {
    let s = Scratch::new(&[
        ("envs/prod/route.yaml", route("cart")),
        ("envs/prod/services.yaml", service("web")),
        ("envs/test/route.yaml", route("cart")),
        ("envs/test/services.yaml", service("cart")),
    ]);
    // In the one, the Service is missing; in the other it is there.
    let said = s.run("check --format json");
    let json = said.json();
    let findings = json["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{json:#}");
    assert_eq!(findings[0]["location"]["path"], "envs/prod/route.yaml");
    assert_eq!(findings[0]["clusters"], serde_json::json!(["prod"]));
    let said = s.run("clusters");
    said.ends(
        0,
        &[
            "envs/prod/route.yaml     prod  folder \"prod\" declares a resource that \"test\" beside it declares, too",
            "4 files in 2 clusters",
            "  prod: 2 resources; production, as nothing else is declared",
        ],
    );
}

#[test]
fn what_several_clusters_share_is_found_once() {
    let s = Scratch::new(&[
        ("base/route.yaml", route("crt").replace("name: web,", "name: base,")),
        ("envs/prod/services.yaml", service("web") + "---\n" + &service("cart")),
        ("envs/test/services.yaml", service("web") + "---\n" + &service("cart")),
    ]);
    let json = s.run("check --format json").json();
    assert_eq!(json["findings"].as_array().unwrap().len(), 1, "{json:#}");
    assert_eq!(json["findings"][0]["clusters"], serde_json::json!(["prod", "test"]));
    assert_eq!(json["summary"]["clusters"], serde_json::json!(["prod", "test"]));
    s.run("check").ends(0, &["clusters: prod, test", "5 resources of 2 clusters (prod, test)"]);
}

#[test]
fn the_configuration_names_clusters_and_what_holds_there() {
    let config = "clusters:\n  eu: {files: [eu], complete: [Service]}\n  us: {files: [us/**]}\nshared: [base]\n";
    let s = Scratch::new(&[
        ("plimsoll.yaml", config.to_string()),
        ("base/services.yaml", service("web")),
        ("eu/route.yaml", route("cart")),
        ("us/route.yaml", route("cart")),
        ("more.yaml", service("more")),
    ]);
    let json = s.run("check --format json").json();
    let severities: Vec<_> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| (f["location"]["path"].as_str().unwrap(), f["severity"].as_str().unwrap()))
        .collect();
    // Complete is certain; elsewhere others of the namespace were read.
    assert_eq!(severities, [("eu/route.yaml", "error"), ("us/route.yaml", "warning")]);
    s.run("clusters").ends(
        0,
        &[
            "base/services.yaml  eu, us  shared: \"base\"",
            "eu/route.yaml       eu      clusters: \"eu\"",
            "more.yaml           (rest)  no pattern of clusters or shared matches it",
        ],
    );
    let json = s.run("clusters --format json").json();
    assert_eq!(json["files"][0]["clusters"], serde_json::json!(["eu", "us"]));
}

#[test]
fn kustomize_is_not_linted_as_if_it_were_whole() {
    let limit = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    metadata: {annotations: {sidecar.istio.io/proxyMemoryLimit: 64Mi}}\n    spec: {containers: [{name: app, image: shop/web}]}\n";
    let s = Scratch::new(&[
        ("base/kustomization.yaml", "resources: [web.yaml, other.yaml]\n".to_string()),
        ("base/web.yaml", limit.to_string()),
        ("base/other.yaml", limit.replace("name: web", "name: other")),
        ("prod/kustomization.yaml", "resources: [../base]\npatches: [{path: patch.yaml}]\n".to_string()),
        ("prod/patch.yaml", limit.replace("64Mi", "32Mi")),
    ]);
    let said = s.run("check --assume injection=sidecar --select proxy-memory-limit-too-low --format short -v");
    said.ends(
        0,
        &[
            "base/other.yaml:6:",
            "Skipped: prod/kustomization.yaml: it patches a resource; render it: --render, or kustomize build prod | plimsoll check -\n",
            "Skipped: prod/patch.yaml: kustomize patch of prod/kustomization.yaml",
            "1 warning in 5 files, 2 resources",
        ],
    );
    assert!(!said.out.contains("web.yaml:"), "{}", said.out);
}

#[test]
fn what_charts_and_remote_bases_bring_is_unknown() {
    let plain = Scratch::new(&[("a.yaml", route("cart") + "---\n" + &service("web"))]);
    plain.run("check --format short").ends(0, &["warning[traffic/host-not-found]"]);
    let release = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: cart, namespace: shop}\nspec: {interval: 1h}\n";
    plain.write("release.yaml", release);
    plain.run("check --format short").ends(0, &["no errors or warnings in 2 files", "Services of namespace shop"]);
    let remote = Scratch::new(&[
        ("kustomization.yaml", "resources: [a.yaml, \"https://example.com/x.yaml\"]\n".to_string()),
        ("a.yaml", route("cart") + "---\n" + &service("web")),
    ]);
    remote.run("check --format short").ends(0, &["no errors or warnings", "Services of namespace shop"]);
}

#[test]
fn externals_exist() {
    let s = Scratch::new(&[
        ("a.yaml", route("cart") + "---\n" + &service("web")),
        ("plimsoll.yaml", "complete: true\n".to_string()),
    ]);
    s.run("check --format short").ends(1, &["error[traffic/host-not-found]"]);
    s.write("plimsoll.yaml", "complete: true\nexternals: [Service/shop/cart]\n");
    s.run("check --format short").ends(0, &["no errors or warnings"]);
}

#[test]
fn a_patch_of_one_overlay_leaves_the_others_alone() {
    let limit = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    metadata: {annotations: {sidecar.istio.io/proxyMemoryLimit: 64Mi}}\n    spec: {containers: [{name: app, image: shop/web}]}\n";
    let s = Scratch::new(&[
        ("base/kustomization.yaml", "resources: [web.yaml]\n"),
        ("base/web.yaml", limit),
        ("prod/kustomization.yaml", "resources: [../base]\nnamespace: prod\n"),
        ("test/kustomization.yaml", "resources: [../base]\npatches: [{path: patch.yaml}]\n"),
        ("test/patch.yaml", limit),
    ]);
    // prod applies what the base says.
    s.run("check --assume injection=sidecar --select proxy-memory-limit-too-low --format short")
        .ends(0, &["base/web.yaml:6:", "Skipped: test/kustomization.yaml: it patches a resource; render it"]);
    // Who calls a manifest of another a patch does not hide it.
    s.write("evil/kustomization.yaml", "patches: [{path: ../base/web.yaml}]\n");
    s.run("check --assume injection=sidecar --format short").ends(0, &["base/web.yaml:6:"]);
}

#[test]
fn a_base_that_was_not_given_is_named() {
    let s = Scratch::new(&[
        ("base/kustomization.yaml", "resources: [cart.yaml]\n".to_string()),
        ("base/cart.yaml", service("cart")),
        ("prod/kustomization.yaml", "resources: [../base, route.yaml]\n".to_string()),
        ("prod/route.yaml", route("cart") + "---\n" + &service("web")),
    ]);
    s.run("check prod --complete --format short").ends(
        0,
        &[
            "no errors or warnings",
            "Skipped: prod/kustomization.yaml: it adds ../base, which was not read; check both together",
        ],
    );
    s.run("check --complete --format short").ends(0, &["no errors or warnings"]);
}

#[test]
fn every_name_of_production_is_one() {
    let istiod = include_str!("../../examples/broken/istiod.yaml");
    let s = Scratch::new(&[("a.yaml", istiod)]);
    let rule = "istiod-single-replica";
    for (environment, judged) in [("prod", 1), ("PROD", 1), ("prd", 1), ("prod-eu", 1), ("live", 1), ("staging", 0)] {
        let json = s.run(&format!("check --select {rule} --format json --assume environment={environment}")).json();
        assert_eq!(json["summary"]["judged"], judged, "{environment}");
    }
}

#[test]
fn what_controllers_made_is_judged_once() {
    let template = "template:\n    metadata: {labels: {sidecar.istio.io/inject: 'true'}, annotations: {sidecar.istio.io/proxyMemoryLimit: 64Mi}}\n    spec: {containers: [{name: app, image: web}]}";
    let owned = |kind: &str, owner: &str, name: &str| {
        format!(
            "apiVersion: apps/v1\nkind: {kind}\nmetadata:\n  name: {name}\n  uid: u-{name}\n  ownerReferences: [{{apiVersion: apps/v1, kind: {owner}, name: web, controller: true}}]\nspec:\n  {template}\n---\n"
        )
    };
    let deployment =
        format!("apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, uid: u}}\nspec:\n  {template}\n---\n");
    let s = Scratch::new(&[("dump.yaml", deployment + &owned("ReplicaSet", "Deployment", "web-1"))]);
    let json = s.run("check --select proxy-memory-limit-too-low --format json").json();
    assert_eq!(json["findings"].as_array().unwrap().len(), 1, "{json:#}");
    // One whose controller was not read stands for itself.
    s.write("dump.yaml", owned("ReplicaSet", "Deployment", "web-1"));
    let json = s.run("check --select proxy-memory-limit-too-low --format json").json();
    assert_eq!(json["findings"].as_array().unwrap().len(), 1, "{json:#}");
}

#[test]
fn patterns_that_match_nothing_are_told() {
    let s = Scratch::new(&[
        ("plimsoll.yaml", "clusters: {prod: {files: [envs/prd]}}\nshared: [base]\n".to_string()),
        ("envs/prod/a.yaml", service("web")),
    ]);
    s.run("clusters").ends(0, &["clusters.prod: no file matches \"envs/prd\"\n", "shared: no file matches \"base\"\n"]);
    s.run("check").ends(0, &["Skipped: (rest): a file matches no pattern of the clusters and is judged apart"]);
}

#[test]
fn a_patch_that_a_hook_names_is_still_a_patch() {
    let patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    metadata: {annotations: {sidecar.istio.io/proxyMemoryLimit: 64Mi}}\n";
    let s = Scratch::new(&[
        ("o/kustomization.yaml", "resources: [web.yaml]\npatches: [{path: patches/web.yaml}]\n"),
        ("o/patches/web.yaml", patch),
        ("o/web.yaml", patch),
        ("plain.yaml", patch),
    ]);
    let said = s.run("check o/patches/web.yaml --format short -v");
    said.ends(4, &["in 1 file,", "Skipped: o/patches/web.yaml: kustomize patch of o/kustomization.yaml"]);
    let said = s.run("check plain.yaml o/patches/web.yaml --format short");
    said.ends(0, &["plain.yaml:6:", "in 2 files, 1 resource"]).lacks(&["web.yaml:6", "which was not read"]);
}

#[test]
fn a_rule_that_failed_in_one_cluster_is_left_out_of_the_next() {
    let header = "//! ---\n//! severity: warning\n//! checks: Service\n//! ---\n//! # it\n//!\n//! It hurts.\n\n";
    let s = Scratch::new(&[
        ("envs/prod/web.yaml", service("web")),
        ("envs/prod/a.yaml", service("a")),
        ("envs/test/web.yaml", service("web")),
        ("envs/test/b.yaml", service("b")),
        (
            "rules/x/it.rhai",
            format!("{header}fn check(service, mesh) {{ if service.name() != \"web\" {{ let x = 1 / 0; }} }}\n"),
        ),
    ]);
    let report = s.run("check envs --rules rules --select x --format json").json();
    assert_eq!(report["summary"]["clusters"], serde_json::json!(["prod", "test"]), "{report:#}");
    let problems = report["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0]["message"].as_str().unwrap().contains("on Service shop/a"), "{problems:?}");
}
