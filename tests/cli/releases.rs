//! Istio that somebody else renders: releases of its charts, by their values.

use super::scratch::Scratch;

const FLUX: &str = r#"apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: istiod
  namespace: istio-system
spec:
  chart:
    spec:
      chart: istiod
      version: 1.30.2
  values:
    pilot:
      autoscaleMin: 1
      resources:
        requests:
          memory: null
    global:
      proxy:
        resources:
          limits:
            memory: 150Mi
"#;

const SAIL: &str = "apiVersion: sailoperator.io/v1
kind: Istio
metadata:
  name: default
spec:
  version: v1.31.0
  namespace: istio-system
  values:
    meshConfig:
      defaultConfig:
        discoveryAddress: istiod.istio-system.svc:15010
";

const RULES: &str = "--select sizing/istiod-single-replica,sizing/istiod-no-memory-request,resources/proxy-memory-limit-too-low,ports/plaintext-xds-15010";

#[test]
fn a_helm_release_is_judged_by_its_values() {
    let s = Scratch::new(&[("istio.yaml", FLUX)]);
    let said = s.run(&format!("check istio.yaml {RULES}"));
    said.ends(
        0,
        &[
            "warning[sizing/istiod-single-replica]: istiod may run as 1 replica\n",
            "[istio.yaml:13:21]",
            "13 │       autoscaleMin: 1\n",
            "values: set `pilot.autoscaleMin: 2` in the values of chart \"istiod\"",
            "warning[sizing/istiod-no-memory-request]: istiod asks for no memory\n",
            "[istio.yaml:15:9]",
            "warning[resources/proxy-memory-limit-too-low]: proxies may use 150Mi; field experience wants 200Mi\n",
            "21 │             memory: 150Mi\n",
            "3 warnings in 1 file, 1 resource",
        ],
    );
    said.lacks(&["Istio installation", "elsewhere"]);
    let report = s.run(&format!("check istio.yaml {RULES} --format json")).json();
    let first = &report["findings"][0];
    assert_eq!(first["resource"]["kind"], "HelmRelease", "{report:#}");
    assert_eq!(first["location"]["yamlPath"], "spec.values.pilot.autoscaleMin", "{report:#}");
}

#[test]
fn a_fix_edits_the_value_and_a_default_is_left_alone() {
    let s = Scratch::new(&[("istio.yaml", FLUX)]);
    s.run(&format!("check istio.yaml {RULES} --fix=unsafe"));
    let fixed = FLUX.replace("autoscaleMin: 1", "autoscaleMin: 2");
    assert_eq!(s.read("istio.yaml"), fixed);
    s.write("istio.yaml", FLUX.replace("      autoscaleMin: 1\n", ""));
    let said = s.run(&format!("check istio.yaml {RULES} --select sizing/istiod-single-replica"));
    said.ends(0, &["the autoscaler may go down to this (the chart's default)"]).lacks(&["fix:"]);
}

#[test]
fn a_comment_at_the_value_switches_it_off() {
    let ignored =
        FLUX.replace("autoscaleMin: 1", "autoscaleMin: 1 # plimsoll: ignore[istiod-single-replica]: a test cluster");
    let s = Scratch::new(&[("istio.yaml", ignored)]);
    let said = s.run(&format!("check istio.yaml {RULES} --format short"));
    said.ends(0, &["2 warnings", "1 finding suppressed"]).lacks(&["replica"]);
}

#[test]
fn what_the_values_do_not_show_is_said() {
    let open = FLUX.replace("  values:\n", "  valuesFrom:\n    - kind: ConfigMap\n      name: sizes\n  values:\n");
    let s = Scratch::new(&[("istio.yaml", open)]);
    s.run(&format!("check {RULES} --format short"))
        .ends(0, &["values from elsewhere of HelmRelease \"istiod\" (", "render it)"]);
    let patched = format!("{FLUX}  postRenderers: [{{kustomize: {{patches: [{{patch: x}}]}}}}]\n");
    s.write("istio.yaml", patched);
    let said = s.run(&format!("check {RULES} --format short"));
    said.ends(0, &["no errors or warnings", "Istio installation, which HelmRelease \"istiod\" brings (", "render it)"]);
}

#[test]
fn a_resource_of_the_sail_operator_is_judged_by_its_values() {
    let s = Scratch::new(&[("istio.yaml", SAIL)]);
    s.run(&format!("check istio.yaml {RULES} --format short")).ends(
        1,
        &[
            "istio.yaml:4:9: warning[sizing/istiod-single-replica] istiod may run as 1 replica",
            "istio.yaml:11:27: error[ports/plaintext-xds-15010] \"discoveryAddress\" is istiod.istio-system.svc:15010",
            "1 error, 1 warning in 1 file, 1 resource",
        ],
    );
}

#[test]
fn a_chart_around_istios_is_judged_by_its_values() {
    let chart = "apiVersion: v2\nname: mesh\nversion: 1.0.0\ndependencies:\n- {name: istiod, alias: control, version: 1.30.2, repository: 'https://blob.istio.io/istio-release/charts'}\n";
    let values = "control:\n  autoscaleEnabled: false\n  replicaCount: 1\n";
    let s = Scratch::new(&[("mesh/Chart.yaml", chart), ("mesh/values.yaml", values)]);
    let said = s.run(&format!("check mesh {RULES}"));
    said.ends(0, &["[mesh/values.yaml:3:17]", "set `control.replicaCount: 2` in the values of chart \"mesh\""]);
    // Which of several files of values is taken is not known.
    s.write("mesh/values-prod.yaml", "control:\n  replicaCount: 3\n");
    s.run(&format!("check mesh {RULES} --format short")).ends(0, &["no errors or warnings"]);
}

#[test]
fn the_table_of_defaults_can_be_replaced() {
    let s = Scratch::new(&[
        ("istio.yaml", FLUX.replace("      autoscaleMin: 1\n", "")),
        ("plimsoll.yaml", "tables: {istio-chart-defaults: mine.yaml}\n".to_string()),
        ("mine.yaml", "source: our fork\ndate: 2026-11-24\nrows:\n  istiod autoscaleEnabled: {'1.10': true}\n  istiod autoscaleMin: {'1.10': 3}\n  istiod autoscaleMax: {'1.10': 5}\n  istiod istiodRemote.enabled: {'1.10': false}\n".to_string()),
    ]);
    s.run(&format!("check istio.yaml {RULES} --format short")).lacks(&["replica"]).ends(0, &["1 resource"]);
}
