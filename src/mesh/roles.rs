//! What a resource is in the mesh: the roles that a rule's `checks` may name.

use super::Mesh;
use super::injection::Component;
use super::selector::Tri;
use crate::resource::ResourceId;
use crate::rule::header::Role;

/// Whether a resource has a role: certainly, certainly not, or only possibly.
pub fn has(mesh: &Mesh, id: ResourceId, role: Role) -> Tri {
    let workload = mesh.workload_of(id);
    let component =
        |wanted: Component| Tri::from(workload.is_some_and(|w| mesh.component(mesh.workload(w)) == Some(wanted)));
    match role {
        Role::Mesh => Tri::No,
        Role::Workload => workload.is_some().into(),
        Role::MeshedWorkload => workload.map_or(Tri::No, |w| mesh.injection(w).sidecar),
        Role::AmbientWorkload => workload.map_or(Tri::No, |w| mesh.injection(w).ambient),
        Role::Istiod => component(Component::Istiod),
        Role::GatewayWorkload => component(Component::Gateway),
        Role::Waypoint => component(Component::Waypoint),
        Role::Ztunnel => component(Component::Ztunnel),
        Role::IstioCni => component(Component::IstioCni),
        Role::MeshConfig => mesh.installation.mesh_configs.iter().any(|c| c.resource == id).into(),
        Role::InjectorConfig => mesh.installation.injectors.iter().any(|i| i.resource == id).into(),
        Role::IstiodService => mesh.calls_to(id).next().is_some().into(),
    }
}
