//! What a rule may ask about Nodes.

use rhai::{Dynamic, ImmutableString};

use super::Result;
use super::mesh::M;
use super::value::V;
use super::vocabulary::{On, Words};
use crate::mesh::selector::Tri;

/// The words about Nodes.
pub(super) fn register(words: &mut Words<'_>) {
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
