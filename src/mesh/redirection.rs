//! Who sends a pod's traffic through its proxy: an init container in the pod, or istio-cni on the node.
//!
//! Source: `injection-template.yaml` of the istiod chart: `istio-init` is left out where `pilot.cni.enabled`
//! (1.22 and later) or `istio_cni.enabled` (up to 1.23) is true.

use super::Mesh;
use super::absence::Absence;
use crate::yaml::Place;

/// Where values say it, the injector's and the chart's: since 1.22, up to 1.23, and in charts since 1.24.
const ENABLED: [&[&str]; 3] = [&["pilot", "cni", "enabled"], &["istio_cni", "enabled"], &["cni", "enabled"]];

impl Mesh {
    /// The value that says whether pods of a revision leave redirection to istio-cni and get no `istio-init`:
    /// the injector's, else what is written for the only istiod that is rendered later. Unknown where neither
    /// says it: a platform's profile may.
    pub fn redirected_by(&self, revision: &str) -> Result<Place, Absence> {
        let said = |values: Place| ENABLED.iter().find_map(|path| self.trees.get(values, path));
        let injector = self.injector(revision).and_then(|injector| injector.values);
        let written = self.chart_values("istiod");
        let only = written.first().filter(|_| written.len() == 1).map(|(values, _)| *values);
        injector
            .and_then(said)
            .or_else(|| only.and_then(said))
            .ok_or_else(|| Absence::unknown("values of the injector"))
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

    #[test]
    fn values_of_a_chart_say_it_before_it_is_rendered() {
        let release = |name: &str, values: &str| {
            format!(
                "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: {name}, namespace: istio-system}}\nspec: {{chart: {{spec: {{chart: istiod, sourceRef: {{kind: HelmRepository, name: istio}}}}}}, values: {{{values}}}}}\n"
            )
        };
        let repository = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {name: istio, namespace: istio-system}\nspec: {url: 'https://istio-release.storage.googleapis.com/charts'}\n";
        let said = |releases: &[String]| {
            let texts: Vec<_> = releases.iter().map(String::as_str).chain([repository]).collect();
            let mesh = test_mesh(&texts);
            mesh.redirected_by("default").ok().and_then(|p| Node::bool(mesh.trees.node(p)))
        };
        let on = release("a", "pilot: {cni: {enabled: true}}");
        assert_eq!(said(std::slice::from_ref(&on)), Some(true));
        assert_eq!(said(&[release("a", "cni: {enabled: false}")]), Some(false));
        assert_eq!(said(&[release("a", "global: {platform: openshift}")]), None);
        assert_eq!(said(&[on, release("b", "revision: b")]), None);
    }
}
