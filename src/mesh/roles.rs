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
        |wanted: Component| Tri::from(workload.is_some_and(|w| mesh.injection(w).component == Some(wanted)));
    match role {
        Role::Mesh => Tri::No,
        // What a chart would render is judged as what it is to Istio.
        Role::Workload => (workload.is_some() && !mesh.is_virtual(id)).into(),
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

impl Mesh {
    /// All resources that certainly have a role, each identity once, in canonical order.
    pub fn with_role(&self, role: Role) -> impl Iterator<Item = ResourceId> {
        let all = (0..self.resources.len() as u32).map(ResourceId);
        all.filter(move |id| self.counts(*id) && has(self, *id, role).is_yes())
    }
}
