//! What a rule may ask about the pods of a cluster's dump.

use super::Result;
use super::list::L;
use super::mesh::M;
use super::value::V;
use super::vocabulary::{On, Words};
use crate::mesh::absence::Absence;

/// The words about what runs.
pub(super) fn register(words: &mut Words<'_>) {
    let c = words.context();
    let x = c.clone();
    words.fallible(
        On::Mesh,
        "live_pods(workload)",
        "the Pods of a cluster's dump that it made; none where the input is no dump",
        "Pod, ReplicaSet, Job",
        move |_: M, v: V| -> Result<L> {
            let id = x.need_resource(v, "live_pods()")?;
            Ok(x.roots(x.mesh.live_pods(id).to_vec(), Absence::unknown("pods that run")))
        },
    );
    let x = c.clone();
    words.fallible(
        On::Mesh,
        "refusals(workload)",
        "the messages with which its pods were not created, of conditions and events of a cluster's dump",
        "Event, ReplicaSet",
        move |_: M, v: V| -> Result<L> {
            let id = x.need_resource(v, "refusals()")?;
            let said = x.mesh.refusals(id).iter().map(|place| V::at(*place)).collect();
            Ok(L::new(said, None, Some(Absence::unknown("events"))))
        },
    );
    let x = c;
    words.fallible(
        On::Mesh,
        "runs_without_proxy(pod)",
        "whether a Pod of a cluster's dump runs without a proxy, although a webhook injects pods such as it",
        "Namespace, webhooks, injector",
        move |_: M, v: V| -> Result<bool> {
            let id = x.need_resource(v, "runs_without_proxy()")?;
            Ok(x.mesh.runs_without_proxy(id))
        },
    );
}
