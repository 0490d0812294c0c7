//! The templates of Istio's charts, as far as facts are read from what they render.

/// A part of a line: text, or something that is put in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'l> {
    /// As it stands.
    Text(&'l str),
    /// The map whose first key follows has more than is written.
    Open,
    /// The name of what the chart makes.
    Name,
    /// Where the release goes.
    Namespace,
    /// The release's name; not known where an operator chooses it.
    Release,
    /// The chart with its version.
    Chart,
    /// The revision; without one there is no such line.
    Revision,
    /// The revision, as labels have it.
    Label,
    /// What the pods of istiod have as label `istio`.
    Pod,
    /// The image of `hub`, `image` and `tag`.
    Image,
    /// The environment of istiod.
    Variables,
    /// A label by which Gateways select a gateway's pods.
    Selector(&'l str),
    /// The replicas, where no autoscaler sets them.
    Replicas(&'l str),
    /// A value below the chart's own map.
    Own(&'l str),
    /// A value at the root.
    Top(&'l str),
    /// The same; an empty value leaves no line.
    With(&'l str),
    /// A value at the root; an empty one leaves no line.
    WithTop(&'l str),
    /// The entries of a map among others.
    More(&'l str),
}

/// The parts of a line of a template.
pub(super) fn parts(line: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = line;
    while let Some((before, behind)) = rest.split_once("{{") {
        let (inner, after) = behind.split_once("}}").unwrap_or((behind, ""));
        parts.extend([Part::Text(before), part(inner)]);
        rest = after;
    }
    parts.push(Part::Text(rest));
    parts
}

fn part(inner: &str) -> Part<'_> {
    match inner.split_once(' ') {
        Some(("own", path)) => Part::Own(path),
        Some(("top", path)) => Part::Top(path),
        Some(("with", path)) => Part::With(path),
        Some(("with-top", path)) => Part::WithTop(path),
        Some(("more", path)) => Part::More(path),
        Some(("replicas", path)) => Part::Replicas(path),
        Some(("selector", key)) => Part::Selector(key),
        _ => match inner {
            "open" => Part::Open,
            "name" => Part::Name,
            "namespace" => Part::Namespace,
            "release" => Part::Release,
            "chart" => Part::Chart,
            "revision" => Part::Revision,
            "label" => Part::Label,
            "pod" => Part::Pod,
            "image" => Part::Image,
            "variables" => Part::Variables,
            other => Part::Text(other),
        },
    }
}

/// `istiod/templates/deployment.yaml`
pub(super) const ISTIOD: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{name}}
  namespace: {{namespace}}
  labels: {app: istiod, istio: pilot, istio.io/rev: {{label}}, release: {{release}}, operator.istio.io/component: Pilot, app.kubernetes.io/name: istiod, app.kubernetes.io/managed-by: Helm, app.kubernetes.io/instance: {{release}}, app.kubernetes.io/part-of: istio, helm.sh/chart: {{chart}}, app.kubernetes.io/version: "${unknown}"}
spec:
  replicas: {{replicas replicaCount}}
  strategy: {rollingUpdate: {maxSurge: {{own rollingMaxSurge}}, maxUnavailable: {{own rollingMaxUnavailable}}}}
  selector: {matchLabels: {app: istiod, istio: {{pod}}}}
  template:
    metadata:
      labels: {app: istiod, istio: {{pod}}, istio.io/rev: {{label}}, istio.io/dataplane-mode: none, sidecar.istio.io/inject: "false", operator.istio.io/component: Pilot, app.kubernetes.io/name: istiod, app.kubernetes.io/managed-by: Helm, app.kubernetes.io/instance: {{release}}, app.kubernetes.io/part-of: istio, helm.sh/chart: {{chart}}, app.kubernetes.io/version: "${unknown}", {{more podLabels}}}
      annotations: {prometheus.io/port: "15014", prometheus.io/scrape: "true", sidecar.istio.io/inject: "false", {{more podAnnotations}}}
    spec:
      nodeSelector: {{with nodeSelector}}
      affinity: {{with affinity}}
      tolerations: {{with tolerations}}
      topologySpreadConstraints: {{with topologySpreadConstraints}}
      serviceAccountName: {{name}}
      priorityClassName: {{with-top global.priorityClassName}}
      containers:
      - name: discovery
        image: {{image}}
        args: [discovery, "--monitoringAddr=:15014"]
        ports: [{containerPort: 8080, name: http-debug}, {containerPort: 15010, name: grpc-xds}, {containerPort: 15012, name: tls-xds}, {containerPort: 15017, name: https-webhooks}, {containerPort: 15014, name: http-monitoring}]
        readinessProbe: {httpGet: {path: /ready, port: 8080}, initialDelaySeconds: 1, periodSeconds: 3, timeoutSeconds: 5}
        env: [{{variables}}]
        resources: {{own resources}}
"#;

/// `istiod/templates/autoscale.yaml`
pub(super) const ISTIOD_SCALER: &str = r#"apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{name}}
  namespace: {{namespace}}
  labels: {app: istiod, istio.io/rev: {{label}}}
spec:
  maxReplicas: {{own autoscaleMax}}
  minReplicas: {{own autoscaleMin}}
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{name}}}
  metrics:
  - type: Resource
    resource: {name: cpu, target: {type: Utilization, averageUtilization: {{own cpu.targetAverageUtilization}}}}
"#;

/// `gateway/templates/deployment.yaml`
pub(super) const GATEWAY: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{name}}
  namespace: {{namespace}}
  labels: {app: {{selector app}}, istio: {{selector istio}}, app.kubernetes.io/name: {{name}}, app.kubernetes.io/managed-by: Helm, app.kubernetes.io/instance: {{release}}, app.kubernetes.io/part-of: istio, helm.sh/chart: {{chart}}, app.kubernetes.io/version: "${unknown}"}
spec:
  replicas: {{replicas replicaCount}}
  selector: {matchLabels: {app: {{selector app}}, istio: {{selector istio}}}}
  template:
    metadata:
      labels:
        app: {{selector app}}
        istio: {{selector istio}}
        istio.io/rev: {{revision}}
        sidecar.istio.io/inject: "true"
        app.kubernetes.io/name: {{name}}
      annotations: {inject.istio.io/templates: gateway, sidecar.istio.io/inject: "true"}
    spec:
      nodeSelector: {{with nodeSelector}}
      affinity: {{with affinity}}
      tolerations: {{with tolerations}}
      topologySpreadConstraints: {{with topologySpreadConstraints}}
      serviceAccountName: {{name}}
      terminationGracePeriodSeconds: {{own terminationGracePeriodSeconds}}
      priorityClassName: {{with priorityClassName}}
      containers:
      - {{open}}name: istio-proxy
        image: auto
        ports: [{containerPort: 15090, name: http-envoy-prom, protocol: TCP}]
        resources: {{own resources}}
"#;

/// `gateway/templates/hpa.yaml`
pub(super) const GATEWAY_SCALER: &str = r#"apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{name}}
  namespace: {{namespace}}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{name}}}
  minReplicas: {{own autoscaling.minReplicas}}
  maxReplicas: {{own autoscaling.maxReplicas}}
  metrics:
  - type: Resource
    resource: {name: cpu, target: {type: Utilization, averageUtilization: {{own autoscaling.targetCPUUtilizationPercentage}}}}
"#;

/// `ztunnel/templates/daemonset.yaml`
pub(super) const ZTUNNEL: &str = r#"apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: {{name}}
  namespace: {{namespace}}
spec:
  {{open}}selector: {matchLabels: {app: ztunnel}}
  template:
    metadata:
      labels: {app: ztunnel, app.kubernetes.io/name: ztunnel, istio.io/dataplane-mode: none, sidecar.istio.io/inject: "false", app.kubernetes.io/managed-by: Helm, app.kubernetes.io/instance: {{release}}, app.kubernetes.io/part-of: istio, helm.sh/chart: {{chart}}, app.kubernetes.io/version: "${unknown}"}
      annotations: {sidecar.istio.io/inject: "false"}
    spec:
      {{open}}serviceAccountName: {{name}}
      priorityClassName: system-node-critical
      terminationGracePeriodSeconds: {{own terminationGracePeriodSeconds}}
      containers:
      - {{open}}name: istio-proxy
        image: {{image}}
        resources: {{own resources}}
"#;

/// `cni/templates/daemonset.yaml`
pub(super) const CNI: &str = r#"apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: {{name}}
  namespace: {{namespace}}
spec:
  {{open}}selector: {matchLabels: {k8s-app: istio-cni-node}}
  template:
    metadata:
      labels: {k8s-app: istio-cni-node, istio.io/dataplane-mode: none, sidecar.istio.io/inject: "false", app.kubernetes.io/managed-by: Helm, app.kubernetes.io/instance: {{release}}, app.kubernetes.io/part-of: istio, helm.sh/chart: {{chart}}, app.kubernetes.io/version: "${unknown}"}
      annotations: {sidecar.istio.io/inject: "false"}
    spec:
      {{open}}hostNetwork: "${unknown}"
      serviceAccountName: istio-cni
      priorityClassName: system-node-critical
      containers:
      - {{open}}name: install-cni
        image: {{image}}
        resources: {{own resources}}
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_parts() {
        assert_eq!(
            parts("a: {b: {{own c.d}}, {{more e}}}"),
            [Part::Text("a: {b: "), Part::Own("c.d"), Part::Text(", "), Part::More("e"), Part::Text("}")]
        );
        let templates = [ISTIOD, ISTIOD_SCALER, GATEWAY, GATEWAY_SCALER, ZTUNNEL, CNI];
        let unknown = |part: &Part<'_>| matches!(part, Part::Text(text) if text.starts_with(char::is_lowercase) && !text.contains(':'));
        assert!(!templates.iter().flat_map(|t| t.lines()).flat_map(parts).any(|part| unknown(&part)));
    }
}
