//! `plimsoll plan`: the capacity plan as people, programs and Helm read it.

use super::scratch::Scratch;

const ISTIOD: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: istiod
  namespace: istio-system
spec:
  replicas: 1
  template:
    metadata:
      labels: { app: istiod }
    spec:
      containers:
        - name: discovery
          image: docker.io/istio/pilot:1.30.2
          resources:
            requests: { cpu: 500m, memory: 2048Mi }
";

const SHOP: &str = "apiVersion: v1
kind: Namespace
metadata:
  name: shop
  labels: { istio-injection: enabled }
---
apiVersion: v1
kind: Service
metadata: { name: cart, namespace: shop }
spec: { selector: { app: cart }, ports: [{ port: 80 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: cart, namespace: shop }
spec:
  replicas: 3
  template:
    metadata: { labels: { app: cart } }
    spec: { containers: [{ name: app }] }
";

fn shop() -> Scratch {
    Scratch::new(&[("istio/istiod.yaml", ISTIOD), ("shop.yaml", SHOP)])
}

#[test]
fn a_person_sees_the_mesh_and_what_to_change() {
    let said = shop().run("plan --what-if services=60");
    assert_eq!(said.status, 0, "{}", said.err);
    let expected = "Capacity plan  production, as nothing else is declared
  what if    services=60
  services   60 that istiod sees, 0 routing and policy objects
  workloads  2 workloads (4 pods)
  sidecars   certain: 1 workload (3 pods)
  tracing    not known: no mesh configuration was read, or its copies differ
  tier       51 or more services: 8Gi, up to 12Gi for istiod (field experience)

istiod \"istiod\" in istio-system  1 replica · istio/istiod.yaml:4
  memory asked     2048Mi  ██████████
  memory limit       none
  memory guided       8Gi  ████████████████████████████████████████  field experience
  memory measured    1.5G  ███████                                   Istio: 1,000 services, 2,000 sidecars
  CPU asked          500m  ████████████████████
  CPU limit          none
  CPU guided         500m  ████████████████████                      field experience
  CPU measured          1  ████████████████████████████████████████  Istio: 1,000 services, 2,000 sidecars
";
    // The bars take what room there is.
    let wide = shop();
    let mut command = wide.command("plan --what-if services=60");
    let said = super::scratch::said(command.env("COLUMNS", "120"), b"");
    assert!(said.out.starts_with(expected), "{}", said.out);
    let end = "What to change
  1. let istiod ask for 8Gi of memory, not 2048Mi
     field experience for 60 Services; short of it, istiod is killed and proxies lose their source of configuration
     istio/istiod.yaml:16
  2. run 2 replicas of istiod at least, not 1
     with 1 replica, a restart stops injection and new certificates for its time
     istio/istiod.yaml:7
";
    assert!(said.out.contains(end), "{}", said.out);
}

#[test]
fn parameters_and_tables_of_the_configuration_count() {
    let s = shop();
    let tier = |s: &Scratch, flags: &str| {
        let json = s.run(&format!("plan --format json --what-if services=60 {flags}")).json();
        json["clusters"][0]["tier"]["memory"].as_u64().map(|bytes| bytes >> 20)
    };
    assert_eq!(tier(&s, ""), Some(8192));
    assert_eq!(tier(&s, "--preset official"), Some(1536));
    let config = "params:\n  sizing/istiod-memory-below-tier:\n    tiers: [{services: 5, request: 3Gi, limit: 3Gi}]\ntables: {proxy-profiles: sizes.yaml}\n";
    s.write("plimsoll.yaml", config);
    s.write("sizes.yaml", "source: our own\ndate: 2026-11-01\nrows:\n  basic: {memory: 333Mi}\n");
    assert_eq!(tier(&s, ""), Some(3072));
    let json = s.run("plan --format json").json();
    assert_eq!(
        json["clusters"][0]["profiles"],
        serde_json::json!([{ "name": "basic", "memory": 349_175_808, "upper": 349_175_808 }])
    );
    let tiers = "overrides:\n- match: {namespace: istio-system}\n  params: {sizing/istiod-memory-below-tier: {tiers: [{services: 5, request: 7Gi, limit: 7Gi}]}}\n";
    s.write("plimsoll.yaml", tiers);
    assert_eq!(tier(&s, ""), Some(7168));
}

#[test]
fn each_cluster_has_its_plan() {
    let config = "clusters:\n  eu: {files: [eu/**]}\n  us: {files: [us/**], assume: {environment: staging}}\nshared: [istio/**]\n";
    let s = Scratch::new(&[
        ("plimsoll.yaml", config),
        ("istio/istiod.yaml", ISTIOD),
        ("eu/a.yaml", SHOP),
        ("us/a.yaml", &SHOP.replace("3", "5")),
    ]);
    let json = s.run("plan --format json").json();
    let clusters = json["clusters"].as_array().unwrap();
    let pods: Vec<_> = clusters
        .iter()
        .map(|c| (c["name"].as_str().unwrap(), c["sidecars"]["certain"]["most"].as_u64().unwrap()))
        .collect();
    assert_eq!(pods, [("eu", 3), ("us", 5)]);
    assert_eq!(clusters[1]["environment"], "staging");
    s.run("plan")
        .ends(0, &["Capacity plan  eu (production, as nothing else is declared)", "Capacity plan  us (staging)"]);
    s.run("plan --values").ends(0, &["# cluster eu", "# cluster us"]);
}

#[test]
fn every_format_comes_from_the_same_plan() {
    let s = shop();
    s.run("plan --format markdown").ends(0, &["## Capacity plan", "| memory asked | 2048Mi |", "| shop | 3 |"]);
    s.run("plan --format html")
        .ends(0, &["<!doctype html>", "<h2>Sidecar memory <small>with the most replicas</small></h2>"]);
    let values = s.run("plan --values --what-if services=60");
    values.ends(
        0,
        &[
            "# Values for the chart \"istiod\", istiod in istio-system; 60 Services",
            "memory: 8Gi  # field experience from 51 Services on; 2048Mi now",
        ],
    );
    let said = s.run("plan --color always");
    assert!(said.out.contains("\u{1b}[36m"), "{}", said.out);
    let plain = super::scratch::said(s.command("plan").env("LANG", "C"), b"");
    assert!(plain.out.is_ascii() && plain.out.contains("####"), "{}", plain.out);
}

#[test]
fn mistakes_and_gaps_are_told() {
    let s = shop();
    s.run("plan --what-if service=3").ends(2, &[]).complains(&["did you mean \"services\"?"]);
    s.run("plan --what-if tracing=perhaps").ends(2, &[]).complains(&["neither on nor off"]);
    s.run("plan nowhere").ends(2, &[]).complains(&["nowhere"]);
    Scratch::new(&[("notes.txt", "")]).run("plan").ends(4, &[]).complains(&["nothing to plan for"]);
    s.write("bad.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: [\n");
    s.run("plan").ends(3, &["Capacity plan"]).complains(&["bad.yaml can't be read as a whole"]);
    let piped = s.pipe(SHOP, "plan - --assume injection=none");
    piped.ends(0, &["sidecars   certain: 0 workloads (0 pods)", "hand in istiod's manifests or values, too"]);
}
