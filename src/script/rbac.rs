//! What a rule may ask about the rights of ServiceAccounts.

use rhai::{Dynamic, Map};

use super::list::L;
use super::mesh::M;
use super::value::V;
use super::vocabulary::{On, Words};
use super::{Context, Result, fail};
use crate::mesh::absence::Absence;
use crate::mesh::rbac::{Account, Request};

const REQUEST: [&str; 6] = ["verb", "group", "resource", "subresource", "name", "namespace"];

impl Context {
    /// The ServiceAccount that is meant by a workload, by itself, or by `namespace/name`; nothing where
    /// that is not known.
    fn account(&self, who: &Dynamic) -> Result<Option<Account>> {
        if let Some(v) = who.clone().try_cast::<V>()
            && let Some(id) = self.as_resource(v)
        {
            let resource = self.mesh.resource(id);
            let itself = || Account { namespace: resource.namespace().into(), name: resource.name.to_string() };
            if &*resource.kind == "ServiceAccount" {
                return Ok(Some(itself()).filter(|_| !resource.is_open()));
            }
            return Ok(self.mesh.account(self.need_workload(v, "grant()")?));
        }
        let text = super::compare::plain_text(who).unwrap_or_default();
        match text.split_once('/') {
            Some((namespace, name)) => Ok(Some(Account { namespace: namespace.into(), name: name.into() })),
            None => fail("a ServiceAccount is named by a workload, by itself, or as \"namespace/name\""),
        }
    }

    fn place_of(&self, who: &Dynamic) -> crate::yaml::Place {
        who.clone().try_cast::<V>().map_or_else(|| self.nowhere(), |v| v.place)
    }

    fn request(&self, map: &Map) -> Result<Request> {
        if let Some(key) = map.keys().find(|key| !REQUEST.contains(&key.as_str())) {
            return fail(format!("a request has no \"{key}\"; it has {}", REQUEST.join(", ")));
        }
        let text = |key: &str| match map.get(key) {
            Some(value) => match value.clone().try_cast::<V>() {
                Some(v) => self.text(v).unwrap_or_default().to_string(),
                None => super::compare::plain_text(value).unwrap_or_default(),
            },
            None => String::new(),
        };
        Ok(Request {
            verb: text("verb"),
            group: text("group"),
            resource: text("resource"),
            subresource: text("subresource"),
            name: text("name"),
            namespace: text("namespace"),
        })
    }
}

/// The words about rights.
pub(super) fn register(words: &mut Words<'_>) {
    let c = words.context();
    let x = c.clone();
    words.fallible(
        On::Mesh,
        "bindings_of(account)",
        "the RoleBindings and ClusterRoleBindings of a ServiceAccount, by its name or by a group; of a workload those of its account, or of `\"namespace/name\"`",
        "RoleBinding, ClusterRoleBinding",
        move |_: M, who: Dynamic| -> Result<L> {
            Ok(match x.account(&who)? {
                Some(account) => {
                    let (found, absence) = x.mesh.bindings_of(&account);
                    L::new(found.into_iter().map(|id| x.root(id)).collect(), None, Some(absence))
                }
                None => L::new(Vec::new(), None, Some(Absence::unknown("ServiceAccounts"))),
            })
        },
    );
    let x = c;
    words.fallible(
        On::Mesh,
        "grant(account, request)",
        "the item of a role's `rules` that allows it: `mesh.grant(workload, #{ verb: \"list\", resource: \"secrets\", namespace: \"shop\" })`, with `group`, `subresource` and `name` where they count; missing if none does",
        "roles and their bindings",
        move |_: M, who: Dynamic, request: Map| -> Result<V> {
            let request = x.request(&request)?;
            let asked = x.place_of(&who);
            Ok(match x.account(&who)? {
                Some(account) => match x.mesh.grant(&account, &request) {
                    Ok(place) => V::at(place),
                    Err(absence) => x.absent(asked, absence),
                },
                None => x.unknown_at(asked, "ServiceAccounts"),
            })
        },
    );
}
