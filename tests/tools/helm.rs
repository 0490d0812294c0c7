//! Charts, rendered by the real helm.

use crate::scratch::{Scratch, deployment, git, said};

pub(crate) const TESTS: &[crate::Test] = &[
    ("a chart names its template and the values to set", values),
    ("sets of values are clusters", sets),
    ("helm's own complaint is shown", complaints),
    ("a chart in a chart has values of its own", umbrella),
    ("a change of values is seen by since", since),
];

const HPA: &str = r#"{{- if .Values.autoscaleMin }}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: istiod
  namespace: {{ .Release.Namespace }}
spec:
  minReplicas: {{ .Values.autoscaleMin }}
  maxReplicas: 5
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: istiod }
{{- end }}
"#;

const ISTIOD: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: istiod
  namespace: {{ .Release.Namespace }}
  annotations: { kube: "{{ .Capabilities.KubeVersion.Version }}", release: "{{ .Release.Name }}" }
spec:
  template:
    metadata:
      labels: { app: istiod, istio: pilot }
    spec:
      containers:
      - name: discovery
        image: istio/pilot:1.30.0
        resources:
{{ toYaml .Values.resources | indent 10 }}
"#;

/// A chart that is called and shaped like Istio's.
fn istiod(folder: &str) -> Scratch {
    let s = Scratch::new::<&str>(&[]);
    s.write(&format!("{folder}/Chart.yaml"), "apiVersion: v2\nname: istiod\nversion: 1.30.0\n");
    let values = "autoscaleMin: 1\nresources:\n  requests: { cpu: 500m, memory: 2Gi }\n";
    s.write(&format!("{folder}/values.yaml"), values);
    s.write(&format!("{folder}/templates/autoscale.yaml"), HPA);
    s.write(&format!("{folder}/templates/deployment.yaml"), ISTIOD);
    s
}

const ONLY: &str = "--no-cache --select istiod-single-replica --format short";

fn values() {
    let s = istiod("charts/istiod");
    s.run("check --helm charts/istiod --namespace istio-system --no-cache --select istiod-single-replica -v").ends(
        0,
        &[
            "[charts/istiod/templates/autoscale.yaml (rendered:",
            "values: set `autoscaleMin: 2` in the values of chart \"istiod\"",
            "Rendered: helm template istiod charts/istiod --namespace istio-system --skip-tests",
        ],
    );
    s.write("prod.yaml", "autoscaleMin: 2\n");
    s.run(&format!("check --helm charts/istiod -f prod.yaml {ONLY}")).ends(0, &["no errors or warnings"]);
    s.run(&format!("check --helm charts/istiod -f prod.yaml --set autoscaleMin=1 {ONLY}")).ends(0, &["1 warning"]);
    s.run(&format!("check --helm charts/istiod --kube-version 1.99 {ONLY}")).ends(0, &["1 warning"]);
    // What was rendered once is rendered anew when a template changes.
    let cached = || {
        let mut command = s.command("check --helm charts/istiod --select istiod-single-replica --format short");
        said(command.env("PLIMSOLL_CACHE_DIR", s.path("cache")), b"")
    };
    assert_eq!(cached().out, cached().out);
    s.write(
        "charts/istiod/templates/autoscale.yaml",
        HPA.replace("minReplicas: {{ .Values.autoscaleMin }}", "minReplicas: 3"),
    );
    cached().ends(0, &["no errors or warnings"]);
}

fn sets() {
    let s = istiod("istiod");
    s.write("eu.yaml", "autoscaleMin: 1\n");
    s.write("us.yaml", "autoscaleMin: 1\n");
    s.write("test.yaml", "autoscaleMin: 2\n");
    s.write(
        "plimsoll.yaml",
        "charts:\n- path: istiod\n  namespace: istio-system\n  values: { eu: [eu.yaml], us: [us.yaml], test: [test.yaml] }\n",
    );
    let said = s.run("check --no-cache --select istiod-single-replica");
    said.ends(0, &["1 warning", "clusters: eu, us", "of 3 clusters (eu, test, us)"]);
}

fn complaints() {
    let s = istiod("istiod");
    s.write("istiod/templates/bad.yaml", "x: {{ .Values.nothing.at.all }}\n");
    s.write("a.yaml", deployment("a", 1));
    let said = s.run("check a.yaml --helm istiod --no-cache");
    said.ends(2, &["chart \"istiod\" can't be rendered", "istiod/templates/bad.yaml:1", "1 resource"]);
    s.write("istiod/templates/bad.yaml", "x: {{ .Values.resources | toYaml }}\n");
    s.run("check --helm istiod --no-cache").ends(2, &["can't be rendered"]);
    s.write("istiod/templates/bad.yaml", "");
    s.run("check --helm istiod -f gone.yaml --no-cache").ends(2, &["gone.yaml"]);
    s.run("check --helm istiod --kube-version soon --no-cache").ends(2, &["soon"]);
    let needy = "apiVersion: v2\nname: istiod\nversion: 1.0.0\ndependencies: [{ name: base, version: 1.0.0, repository: 'https://example.com' }]\n";
    s.write("istiod/Chart.yaml", needy);
    let said = s.run("check --helm istiod --no-cache");
    said.ends(2, &["dependencies are not there (base): helm dependency"]);
}

fn umbrella() {
    let s = istiod("mesh/charts/istiod");
    let chart = "apiVersion: v2\nname: mesh\nversion: 1.0.0\ndependencies: [{ name: istiod, version: 1.30.0, repository: '' }]\n";
    s.write("mesh/Chart.yaml", chart);
    let said = s.run("check --render --no-cache --select istiod-single-replica");
    said.ends(
        0,
        &[
            "[mesh/charts/istiod/templates/autoscale.yaml (rendered:",
            "values: set `istiod.autoscaleMin: 2` in the values of chart \"mesh\"",
            "1 warning",
        ],
    )
    .lacks(&["raw chart templates"]);
}

fn since() {
    let s = istiod("istiod");
    let values = |least| format!("autoscaleMin: {least}\nresources: {{ requests: {{ cpu: 500m, memory: 2Gi }} }}\n");
    s.write("istiod/values.yaml", values(2));
    git(&s, "init --quiet --initial-branch main");
    git(&s, "add --all");
    git(&s, "commit --quiet --message base");
    s.write("istiod/values.yaml", values(1));
    let flags = "--render --no-cache --since main --select istiod-single-replica";
    s.run(&format!("check {flags}")).ends(0, &["1 warning", "0 old, 0 fixed or suppressed"]);
    git(&s, "commit --quiet --all --message worse");
    s.run(&format!("check {flags}")).ends(0, &["no errors or warnings", "1 old, 0 fixed or suppressed"]);
}
