//! Who sends a pod's traffic through its proxy: an init container in the pod, or istio-cni on the node.
//!
//! Source: `injection-template.yaml` of the istiod chart: `istio-init` is left out where `pilot.cni.enabled`
//! (1.22 and later) or `istio_cni.enabled` (up to 1.23) is true.

use super::Mesh;
use super::absence::Absence;
use crate::yaml::Place;

/// Where the injector's values say it, the newer place first.
const ENABLED: [&[&str]; 2] = [&["pilot", "cni", "enabled"], &["istio_cni", "enabled"]];

impl Mesh {
    /// The injector's value that says whether pods of a revision leave redirection to istio-cni and get no
    /// `istio-init`. Unknown where the injector's values were not read or don't say it.
    pub fn redirected_by(&self, revision: &str) -> Result<Place, Absence> {
        let values = self.injector(revision).and_then(|injector| injector.values);
        let said = values.and_then(|values| ENABLED.iter().find_map(|path| self.trees.get(values, path)));
        said.ok_or_else(|| Absence::unknown("values of the injector"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_mesh;
    use crate::yaml::Node;

    #[test]
    fn the_values_of_the_injector_say_it_in_two_places() {
        for (values, expected) in [
            ("{\"pilot\": {\"cni\": {\"enabled\": true}}}", Some(true)),
            ("{\"pilot\": {\"cni\": {\"enabled\": false}}}", Some(false)),
            ("{\"istio_cni\": {\"enabled\": true}}", Some(true)),
            ("{\"global\": {}}", None),
        ] {
            let mesh = test_mesh(&[&format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: istio-sidecar-injector, namespace: istio-system}}\ndata: {{values: '{values}'}}\n"
            )]);
            let said = |revision: &str| mesh.redirected_by(revision).ok().and_then(|p| Node::bool(mesh.trees.node(p)));
            assert_eq!(said("default"), expected, "{values}");
            assert_eq!(said("canary"), None);
        }
    }
}
