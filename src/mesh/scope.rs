//! Which `Sidecar` resource narrows what a proxy receives.

use super::Mesh;
use super::absence::{Absence, Certainty};
use super::selector::{Selector, Tri};
use super::workload::WorkloadId;
use crate::resource::ResourceId;

const GROUP: &str = "networking.istio.io";

impl Mesh {
    /// The Sidecar that is in force for a workload: one that selects its pods, else that of its namespace,
    /// else that of the root namespace; or what it proves that there is none. That is likely where Sidecars
    /// were read at all: who writes some writes them beside each other. Source:
    /// <https://istio.io/latest/docs/reference/config/networking/sidecar/>
    pub fn sidecar_of(&self, id: WorkloadId) -> Result<ResourceId, Absence> {
        let workload = self.workload(id);
        let (own, root) = (&*workload.namespace, self.root_namespace());
        let mut certainty = Certainty::Certain;
        for (namespace, selecting) in [(own, true), (own, false), (root, false)] {
            for sidecar in self.of_kind_in(GROUP, "Sidecar", namespace) {
                let selector = self.root(*sidecar).at(&["spec", "workloadSelector"]);
                if selector.is_some() != selecting {
                    continue;
                }
                let labels = selector.and_then(|s| s.get("labels"));
                let open = self.resource(*sidecar).is_open();
                match Selector::equality(labels).matches(&workload.labels) {
                    Tri::No => {}
                    Tri::Yes if !open => return Ok(*sidecar),
                    _ => return Err(Absence::unknown("Sidecars")),
                }
            }
            certainty = certainty.min(self.absence(GROUP, "Sidecar", namespace).certainty);
        }
        let hidden = [own, root].iter().any(|namespace| self.has_hidden_names(GROUP, "Sidecar", namespace));
        if certainty == Certainty::Unknown && !hidden && self.of_kind(GROUP, "Sidecar").next().is_some() {
            certainty = Certainty::Likely;
        }
        let among = format!("the Sidecars read in namespaces \"{own}\" and \"{root}\"");
        Err(Absence { certainty, among, what: "Sidecars".to_string(), deleted: None })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Declared, test_mesh, test_mesh_with};
    use super::*;

    const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop, labels: {app: a}}\nspec: {}\n";

    fn sidecar(namespace: &str, selector: &str) -> String {
        format!(
            "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {{name: s, namespace: {namespace}}}\nspec: {{{selector}}}\n"
        )
    }

    fn found(sidecars: &[String]) -> Result<u32, Certainty> {
        let mut texts = vec![POD];
        texts.extend(sidecars.iter().map(String::as_str));
        test_mesh(&texts).sidecar_of(WorkloadId(0)).map(|id| id.0).map_err(|absence| absence.certainty)
    }

    #[test]
    fn the_nearest_one_is_in_force() {
        let own = sidecar("shop", "");
        let root = sidecar("istio-system", "");
        let selecting = |label: &str| {
            sidecar("shop", &format!("workloadSelector: {{labels: {{{label}}}}}")).replace("name: s", "name: t")
        };
        assert_eq!(found(std::slice::from_ref(&root)), Ok(1));
        assert_eq!(found(&[root.clone(), own.clone()]), Ok(2));
        assert_eq!(found(&[root.clone(), own, selecting("app: a")]), Ok(3));
        assert_eq!(found(&[root, selecting("app: b")]), Ok(1));
        assert_eq!(found(&[selecting("app: b")]), Err(Certainty::Likely));
        assert_eq!(found(&[selecting("app: '${APP}'")]), Err(Certainty::Unknown));
    }

    #[test]
    fn absence_is_likely_where_others_were_read() {
        assert_eq!(found(&[]), Err(Certainty::Unknown));
        assert_eq!(found(&[sidecar("other", "")]), Err(Certainty::Likely));
        assert_eq!(found(&[sidecar("'${NS}'", "")]), Err(Certainty::Unknown));
        let declared = Declared { complete: vec!["Sidecar".into()], ..Declared::default() };
        let mesh = test_mesh_with(&[POD], declared);
        assert_eq!(mesh.sidecar_of(WorkloadId(0)).unwrap_err().certainty, Certainty::Certain);
    }
}
