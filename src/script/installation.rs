//! What a rule may ask the mesh about how Istio is installed and set up.

use super::list::L;
use super::mesh::M;
use super::value::V;
use super::vocabulary::{On, Words};

/// The words about the installation.
pub(super) fn register(words: &mut Words<'_>) {
    let x = words.context();
    words.fallible(
        On::Mesh,
        "istiod_addresses(resource)",
        "the values of a resource that say at which address proxies reach istiod: `discoveryAddress`, `caAddress` …",
        "mesh configuration, injector",
        move |_: M, v: V| {
            let id = x.need_resource(v, "istiod_addresses()")?;
            Ok(L::new(x.mesh.istiod_addresses(id).into_iter().map(V::at).collect(), None, None))
        },
    );
}
