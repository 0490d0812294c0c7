//! What the user declares: assumptions, completeness, the date, whose figures.

use super::scratch::{Scratch, said};

/// Says what it is told about the cluster.
const TOLD: &str = r#"//! ---
//! severity: info
//! checks: Service
//! params:
//!   least:
//!     type: quantity
//!     default: 4Gi
//!     presets: { official: 2Gi }
//!     help: a figure
//! ---
//! # what is known
//!
//! Nothing.

fn check(service, mesh) {
    report(service, `istio ${mesh.istio()} kubernetes ${mesh.kubernetes()} on ${mesh.platform()} with ${mesh.cni()}`);
    report(service, `in ${mesh.environment()} on ${mesh.today()}, least ${param("least")}`);
    for workload in mesh.workloads() {
        report(workload, `gets ${mesh.injection(workload)}`);
    }
}
"#;

const ROUTE: &str = "apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: r, namespace: shop }
spec:
  hosts: [web]
  http:
    - route:
        - destination: { host: gone }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec: { template: { metadata: { labels: { app: web } }, spec: { containers: [{ name: app }] } } }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
";

fn scratch() -> Scratch {
    Scratch::new(&[("rules/told.rhai", TOLD), ("a.yaml", ROUTE)])
}

const TELL: &str = "check a.yaml --rules rules --select told --min-severity info --format short";

#[test]
fn what_nobody_declares_is_unknown() {
    let s = scratch();
    let said = s.run(TELL);
    said.ends(0, &["istio (unknown) kubernetes (unknown) on (unknown) with (unknown)", "in prod on", "gets (unknown)"]);
}

#[test]
fn assumptions_answer_for_the_input() {
    let s = scratch();
    let said = s.run(&format!("{TELL} --assume istio=1.30,kubernetes=1.34 --assume platform=gke,cni=cilium"));
    said.ends(0, &["istio 1.30 kubernetes 1.34 on gke with cilium"]);
    s.run(&format!("{TELL} --assume environment=test,injection=sidecar")).ends(0, &["in test on", "gets sidecar"]);
    s.run(&format!("{TELL} --assume injection=none")).ends(0, &["gets none"]);
}

#[test]
fn wrong_assumptions_are_told() {
    let s = scratch();
    for (flag, parts) in [
        ("istio", &["written as key=value"][..]),
        ("isito=1.30", &["nothing called \"isito\" can be assumed", "did you mean \"istio\"?"]),
        ("weather=fine", &["there are istio, kubernetes"]),
        ("istio=new", &["\"new\" is no version such as 1.30"]),
        ("injection=maybe", &["one of sidecar, ambient, none"]),
    ] {
        s.run(&format!("check a.yaml --assume {flag}")).ends(2, &[]).complains(parts);
    }
}

#[test]
fn completeness_makes_an_absence_certain() {
    let s = scratch();
    let check = |flags: &str| s.run(&format!("check a.yaml --select host-not-found --format short {flags}"));
    check("").ends(0, &["warning[traffic/host-not-found] host \"gone\" is not the one Service read"]);
    for flag in ["--complete", "--complete=Service", "--complete=all", "--complete=Service,ServiceEntry"] {
        check(flag).ends(1, &["error[traffic/host-not-found] no Service or ServiceEntry declares host \"gone\""]);
    }
    check("--complete=Deployment").ends(0, &["warning[traffic/host-not-found]"]);
    check("--complete=Servce").ends(2, &[]).complains(&["--complete Servce", "did you mean \"Service\"?"]);
}

#[test]
fn nothing_follows_from_what_was_not_read() {
    let s = scratch();
    s.write("a.yaml", ROUTE.split("---").next().unwrap());
    s.run("check a.yaml --select host-not-found --format short")
        .ends(0, &["Not known: Services of namespace shop (1 rule"])
        .lacks(&["host-not-found]"]);
}

#[test]
fn today_is_a_flag_or_the_epoch_of_reproducible_builds() {
    let s = scratch();
    s.run(&format!("{TELL} --today 2031-02-03")).ends(0, &["on 2031-02-03"]);
    let mut command = s.command(TELL);
    command.env("SOURCE_DATE_EPOCH", "1000000000");
    said(&mut command, b"").ends(0, &["on 2001-09-09"]);
    let mut command = s.command(&format!("{TELL} --today 2031-02-03"));
    command.env("SOURCE_DATE_EPOCH", "1000000000");
    said(&mut command, b"").ends(0, &["on 2031-02-03"]);
    for date in ["tomorrow", "2026-02-30", "2026/01/01"] {
        s.run(&format!("check a.yaml --today {date}")).ends(2, &[]).complains(&["written as 2026-11-24"]);
    }
}

#[test]
fn a_preset_chooses_whose_figures_count() {
    let s = scratch();
    s.run(TELL).ends(0, &["least 4Gi"]);
    s.run(&format!("{TELL} --preset official")).ends(0, &["least 2Gi"]);
    // What the user says wins.
    s.run(&format!("{TELL} --preset official --param told.least=3Gi")).ends(0, &["least 3Gi"]);
    s.run("check a.yaml --preset mine").ends(2, &[]).complains(&["field", "official"]);
}
