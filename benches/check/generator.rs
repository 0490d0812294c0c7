//! Corpora of any size, the same for the same size: namespaces of a shop each, with everything that
//! a mesh has, comments included, and one mistake in a hundred services.

/// A folder of files as texts: about `documents` documents, some two hundred a file. A crowded one has
/// a single namespace, else each has twenty services.
pub(crate) fn corpus(documents: usize, crowded: bool) -> Vec<String> {
    let mut files = vec![INSTALLATION.to_string()];
    let mut text = String::new();
    let mut in_file = 0;
    // A service comes with five documents, a namespace of twenty services with two more.
    for service in 0..documents.div_ceil(5) {
        let namespace = if crowded { 0 } else { service / 20 };
        if service == 0 || (service % 20 == 0 && !crowded) {
            text += &format!(
                "---\n# Team {namespace}\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: team-{namespace}\n  labels:\n    istio-injection: enabled\n    team: t{namespace}\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: default-deny\n  namespace: team-{namespace}\nspec:\n  podSelector: {{}}\n  policyTypes: [Ingress]\n  ingress:\n    - from:\n        - namespaceSelector:\n            matchLabels: {{ istio-injection: enabled }}\n"
            );
            in_file += 2;
        }
        text += &one_service(service, namespace);
        in_file += 5;
        if in_file >= 200 {
            files.push(std::mem::take(&mut text));
            in_file = 0;
        }
    }
    if !text.is_empty() {
        files.push(text);
    }
    files
}

fn one_service(n: usize, namespace: usize) -> String {
    let broken = n % 100 == 99;
    let subset = if broken { "v22" } else { "v2" };
    let port = if broken { 15001 } else { 8080 };
    format!(
        r#"---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: service-{n}
  namespace: team-{namespace}
  labels: {{ app: service-{n}, app.kubernetes.io/part-of: shop }}
spec:
  replicas: 3
  selector:
    matchLabels: {{ app: service-{n} }}
  template:
    metadata:
      labels:
        app: service-{n}
        version: v2
      annotations:
        prometheus.io/scrape: "true"
        sidecar.istio.io/proxyCPU: 100m
        sidecar.istio.io/proxyMemory: 256Mi
        sidecar.istio.io/proxyCPULimit: "2"
        sidecar.istio.io/proxyMemoryLimit: 1Gi
    spec:
      serviceAccountName: service-{n}
      containers:
        # The one that earns the money.
        - name: app
          image: registry.example.com/shop/service-{n}:1.{n}.0
          ports:
            - {{ name: http, containerPort: {port} }}
            - name: metrics
              containerPort: 9090
          env:
            - name: LOG_LEVEL
              value: info
            - name: DATABASE
              valueFrom:
                secretKeyRef: {{ name: database, key: url }}
          resources:
            requests: {{ cpu: 250m, memory: 256Mi }}
            limits:
              memory: 512Mi
          readinessProbe:
            httpGet: {{ path: /ready, port: http }}
            periodSeconds: 5
---
apiVersion: v1
kind: Service
metadata:
  name: service-{n}
  namespace: team-{namespace}
spec:
  selector: {{ app: service-{n} }}
  ports:
    - name: http
      port: 80
      targetPort: http
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: service-{n}
  namespace: team-{namespace}
spec:
  hosts:
    - service-{n}
  http:
    - match:
        - uri: {{ prefix: /api }}
      route:
        - destination:
            host: service-{n}
            subset: {subset}
      timeout: 5s
    - route:
        - destination: {{ host: service-{n}.team-{namespace}.svc.cluster.local }}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: service-{n}
  namespace: team-{namespace}
spec:
  host: service-{n}
  trafficPolicy:
    connectionPool:
      tcp: {{ maxConnections: 100 }}
  subsets:
    - name: v1
      labels: {{ version: v1 }}
    - name: v2
      labels: {{ version: v2 }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: service-{n}
  namespace: team-{namespace}
data:
  application.yaml: |
    server:
      port: 8080
    # Settings of the shop
    features: [a, b, c]
    limits:
      requests: 100
      burst: 20
"#
    )
}

const INSTALLATION: &str = include_str!("../../examples/clean/istiod.yaml");
