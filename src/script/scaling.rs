//! What a rule may ask about how many pods run.

use std::rc::Rc;

use super::list::L;
use super::mesh::M;
use super::value::V;
use super::vocabulary::{On, Words};
use super::{Context, Ghost, Result};
use crate::mesh::absence::{Absence, Certainty};
use crate::yaml::Place;

impl Context {
    /// A count that nobody wrote, which is one if what proves that is not unknown.
    fn one_by_default(&self, place: Place, absence: Absence) -> V {
        if absence.certainty == Certainty::Unknown {
            return self.absent(place, absence);
        }
        let absence = Some(Rc::new(absence));
        V { place, ghost: self.ghost(Ghost::Missing { keys: Vec::new(), default: Some("1".into()), absence }) }
    }
}

/// The words about numbers of pods.
pub(super) fn register(words: &mut Words<'_>) {
    let x = words.context();
    words.fallible(
        On::Mesh,
        "budgets_of(workload)",
        "the PodDisruptionBudgets that select its pods",
        "PodDisruptionBudget",
        move |_: M, v: V| -> Result<L> {
            let (found, absence) = x.mesh.budgets_of(x.need_workload(v, "budgets_of()")?);
            Ok(L::new(found.into_iter().map(|id| x.root(id)).collect(), None, Some(absence)))
        },
    );
    let x = words.context();
    words.fallible(
        On::Mesh,
        "fewest_replicas(workload)",
        "how few pods of it run: `minReplicas` of its autoscaler or its own `replicas`, missing and 1 where neither is written",
        "HorizontalPodAutoscaler, ScaledObject",
        move |_: M, v: V| -> Result<V> {
            let id = x.need_resource(v, "fewest_replicas()")?;
            Ok(match x.mesh.fewest_replicas(id) {
                Ok(place) => V::at(place),
                Err((place, absence)) => x.one_by_default(place, absence),
            })
        },
    );
}
