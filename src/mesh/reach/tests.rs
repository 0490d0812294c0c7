//! One test per numbered case of the NetworkPolicy API.
//!
//! Not here, because no input decides them: 29 (a rule's opinion), 85 (secondary networks), 86
//! (established connections). Case 75 (ICMP) is ruled out by [`Protocol`].

mod applies;
mod blocks;
mod exempt;
mod labels;
mod listed;
mod near;
mod oracle;
mod peers;
mod ports;
mod uncertain;

use super::*;
use crate::mesh::{Declared, Mesh, test_mesh_with};

/// A mesh of small documents.
fn mesh(documents: &[String]) -> Mesh {
    mesh_on(None, documents)
}

/// A mesh with a declared network plugin.
fn mesh_on(cni: Option<&str>, documents: &[String]) -> Mesh {
    let texts: Vec<&str> = documents.iter().map(String::as_str).collect();
    test_mesh_with(&texts, Declared { cni: cni.map(str::to_string), ..Declared::default() })
}

fn namespace(name: &str, labels: &str) -> String {
    format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: {labels}}}\n")
}

/// A Deployment; `at` is `namespace/name`.
fn deployment(at: &str, labels: &str) -> String {
    deployment_with(at, labels, "{containers: [{name: main}]}")
}

fn deployment_with(at: &str, labels: &str, spec: &str) -> String {
    workload("apps/v1", "Deployment", at, &format!("{{template: {{metadata: {{labels: {labels}}}, spec: {spec}}}}}"))
}

fn workload(api: &str, kind: &str, at: &str, spec: &str) -> String {
    let (namespace, name) = at.split_once('/').unwrap();
    format!("apiVersion: {api}\nkind: {kind}\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n")
}

fn policy(at: &str, spec: &str) -> String {
    workload("networking.k8s.io/v1", "NetworkPolicy", at, spec)
}

fn deny(at: &str) -> String {
    policy(at, "{podSelector: {}, policyTypes: [Ingress]}")
}

/// An end by its name: a workload, an address, or a word.
fn end(mesh: &Mesh, name: &str) -> Peer {
    match name {
        "api" => Peer::ApiServer,
        "node" => Peer::Node,
        "stranger" => Peer::UnknownPod,
        _ => match Cidr::parse(name) {
            Some(cidr) => Peer::External(cidr),
            None => Peer::Workload(id(mesh, name)),
        },
    }
}

fn id(mesh: &Mesh, name: &str) -> WorkloadId {
    let at = mesh.workloads.iter().position(|w| {
        let resource = mesh.resource(w.resource);
        format!("{}/{}", resource.namespace(), resource.name) == name
    });
    WorkloadId(at.unwrap_or_else(|| panic!("no workload {name}")) as u32)
}

fn port(text: &str) -> Port {
    let (number, protocol) = text.split_once('/').unwrap_or((text, "TCP"));
    Port { protocol: Protocol::parse(protocol).unwrap(), number: number.parse().unwrap() }
}

/// The answer as a text: `allowed`, `ingress blocked by deny`, `depends: hostnetwork`.
fn says(mesh: &Mesh, from: &str, to: &str, on: &str) -> String {
    match mesh.reach(end(mesh, from), end(mesh, to), port(on)) {
        Verdict::Allowed => "allowed".to_string(),
        Verdict::Depends(reason) => format!("depends: {}", reason.code()),
        Verdict::Blocked(block) => {
            let names: Vec<_> = block.isolating.iter().map(|id| &*mesh.resource(*id).name).collect();
            format!("{} blocked by {}", block.side.as_str(), names.join(", "))
        }
    }
}

/// The one reason for which the API server refuses a policy.
fn refusal(spec: &str) -> String {
    let mesh = mesh(&[deployment("shop/a", "{app: a}"), policy("shop/p", spec)]);
    let [refused] = mesh.reach.refused() else { panic!("{spec}: {:?}", mesh.reach.refused()) };
    assert_eq!(says(&mesh, "shop/a", "shop/a", "80"), "allowed", "{spec}");
    let text = mesh.trees.node(refused.place).local_range();
    let tree = mesh.trees.tree(refused.place.tree);
    format!("{} @ {}", refused.reason, &tree.text()[text])
}

/// A policy that the API server accepts.
fn accepted(spec: &str) -> bool {
    mesh(&[policy("shop/p", spec)]).reach.refused().is_empty()
}
