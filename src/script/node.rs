//! What a rule may ask about Nodes.

use rhai::{Dynamic, ImmutableString};

use super::Result;
use super::list::L;
use super::mesh::M;
use super::value::V;
use super::vocabulary::{On, Words};
use crate::mesh::selector::Tri;

/// The words about Nodes.
pub(super) fn register(words: &mut Words<'_>) {
    let x = words.context();
    words.fallible(
        On::Mesh,
        "admitted(node, workloads)",
        "the first of a list of workloads whose pods may run on a Node; missing if none is known to",
        "Node, workloads",
        move |_: M, node: V, workloads: L| -> Result<V> {
            let id = x.need_resource(node, "admitted()")?;
            let workloads: Result<Vec<_>> = workloads.items.iter().map(|w| x.need_workload(*w, "admitted()")).collect();
            let found = x.mesh.admitted(id, workloads?);
            Ok(found.map_or_else(|| x.missing(node.place, Vec::new(), None), |workload| x.workload_root(workload)))
        },
    );
    let x = words.context();
    words.fallible(
        On::Mesh,
        "admits(node, workload)",
        "`\"yes\"` where node selector, affinity and tolerations let pods of a workload run on a Node, `\"no\"` where they don't; else unknown",
        "Node, workloads",
        move |_: M, node: V, workload: V| -> Result<Dynamic> {
            let id = x.need_resource(node, "admits()")?;
            let workload = x.need_workload(workload, "admits()")?;
            let answer = match x.mesh.admits(id, workload) {
                Tri::Yes => "yes",
                Tri::No => "no",
                Tri::Unknown => {
                    let spec = x.mesh.workload(workload).template;
                    return Ok(Dynamic::from(x.unknown_at(spec, "on which Nodes pods run")));
                }
            };
            Ok(Dynamic::from(ImmutableString::from(answer)))
        },
    );
}
