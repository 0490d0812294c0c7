//! What the cluster runs on: where a vendor keeps its CNI directories, and what else differs by platform.
//!
//! The names are those of Istio's `global.platform` (`manifests/helm-profiles/platform-*.yaml` of istio/istio
//! 1.31), and for others the usual ones: `aks`, `eks`, `kind`, `rke2`.

use super::{Mesh, release};
use crate::resource::ResourceId;
use crate::yaml::{Node, Place};

/// A platform, and what shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// `gke`, `openshift` …
    pub name: Box<str>,
    /// The version, label or setting that shows it; nothing where it is declared.
    pub shown_by: Option<Place>,
}

/// What the kubelet of a platform puts into its version.
const KUBELETS: [(&str, &str); 4] = [("-gke.", "gke"), ("-eks-", "eks"), ("+k3s", "k3s"), ("+rke2", "rke2")];

/// Labels that only the nodes of a platform carry.
const LABELS: [(&str, &str); 6] = [
    ("cloud.google.com/gke-nodepool", "gke"),
    ("eks.amazonaws.com/nodegroup", "eks"),
    ("kubernetes.azure.com/cluster", "aks"),
    ("node.openshift.io/os_id", "openshift"),
    ("microk8s.io/cluster", "microk8s"),
    ("minikube.k8s.io/name", "minikube"),
];

impl Mesh {
    /// The platform: what is declared, else what istiod's `PLATFORM`, `global.platform` of the injector and the
    /// charts, and the Nodes say; nothing where they say nothing, or do not agree.
    pub fn platform(&self) -> Option<Platform> {
        if let Some(name) = &self.declared.platform {
            return Some(Platform { name: name.as_str().into(), shown_by: None });
        }
        let mut shown = self.platform_settings();
        shown.extend(self.of_kind("", "Node").filter_map(|id| self.platform_of_node(id)));
        let first = shown.first()?.clone();
        // k3d runs k3s in containers: its nodes look like those of k3s.
        let is_k3d = |p: &Platform| &*p.name == "k3d";
        if let Some(k3d) = shown.iter().find(|p| is_k3d(p)) {
            return shown.iter().all(|p| is_k3d(p) || &*p.name == "k3s").then(|| k3d.clone());
        }
        shown.iter().all(|p| p.name == first.name).then_some(first)
    }

    /// What Istio was told, or its charts are.
    fn platform_settings(&self) -> Vec<Platform> {
        let istiods =
            self.istiods.iter().filter_map(|istiod| self.variable(istiod.workload, "discovery", "PLATFORM").ok());
        let values = self.installation.injectors.iter().filter_map(|injector| injector.values);
        let injectors = values.filter_map(|values| self.trees.get(values, &["global", "platform"]));
        let charts = release::CHARTS.iter().flat_map(|chart| self.chart_values(chart));
        let charts = charts.filter_map(|(values, _)| self.trees.get(values, &["global", "platform"]));
        istiods.chain(injectors).chain(charts).filter_map(|place| self.platform_at(place)).collect()
    }

    fn platform_at(&self, place: Place) -> Option<Platform> {
        let node = self.trees.node(place);
        let name = node.text().filter(|name| !name.is_empty() && !node.is_unknown())?;
        Some(Platform { name: name.into(), shown_by: Some(place) })
    }

    /// The platform of a Node, by its kubelet, its labels or its operating system.
    pub fn platform_of_node(&self, id: ResourceId) -> Option<Platform> {
        let root = self.root(id);
        let known = |path: &[&str]| root.at(path).filter(|node| !node.is_unknown());
        let found = |node: Node<'_>, name: &str| Platform {
            name: name.into(),
            shown_by: Some(Place { tree: self.resource(id).root.tree, node: node.id() }),
        };
        if let Some(kubelet) = known(&["status", "nodeInfo", "kubeletVersion"])
            && let Some((_, name)) = KUBELETS.iter().find(|(part, _)| kubelet.text().is_some_and(|v| v.contains(part)))
        {
            return Some(found(kubelet, name));
        }
        let label = |key: &str| root.at(&["metadata", "labels"])?.get(key);
        if let Some((node, name)) = LABELS.iter().find_map(|(key, name)| Some((label(key)?, name))) {
            return Some(found(node, name));
        }
        let starts =
            |path: &[&str], start: &str| known(path).filter(|n| n.text().is_some_and(|t| t.starts_with(start)));
        if let Some(image) = starts(&["status", "nodeInfo", "osImage"], "Red Hat Enterprise Linux CoreOS") {
            return Some(found(image, "openshift"));
        }
        starts(&["spec", "providerID"], "kind://").map(|id| found(id, "kind"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Declared, test_mesh, test_mesh_with};
    use super::*;

    fn node(name: &str, labels: &str, version: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Node\nmetadata: {{name: {name}, labels: {{{labels}}}}}\nstatus: {{nodeInfo: {{kubeletVersion: \"{version}\"}}}}\n"
        )
    }

    fn injector(platform: &str) -> String {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: istio-sidecar-injector, namespace: istio-system}}\ndata: {{values: '{{\"global\": {{\"platform\": \"{platform}\"}}}}'}}\n"
        )
    }

    fn istiod(platform: &str) -> String {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: istiod, namespace: istio-system}}\nspec: {{template: {{metadata: {{labels: {{app: istiod}}}}, spec: {{containers: [{{name: discovery, env: [{{name: PLATFORM, value: '{platform}'}}]}}]}}}}}}\n"
        )
    }

    fn platform(texts: &[String]) -> Option<String> {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        test_mesh(&texts).platform().map(|p| p.name.to_string())
    }

    #[test]
    fn nodes_show_it_by_kubelet_label_and_image() {
        let told = |text: String| platform(&[text]);
        assert_eq!(told(node("a", "", "v1.30.5-gke.1014001")).as_deref(), Some("gke"));
        assert_eq!(told(node("a", "", "v1.30.4-eks-a737599")).as_deref(), Some("eks"));
        assert_eq!(told(node("a", "", "v1.30.4+k3s1")).as_deref(), Some("k3s"));
        assert_eq!(told(node("a", "", "v1.30.4+rke2r1")).as_deref(), Some("rke2"));
        assert_eq!(told(node("a", "kubernetes.azure.com/cluster: x", "v1.30.4")).as_deref(), Some("aks"));
        assert_eq!(told(node("a", "", "v1.30.4")), None);
        assert_eq!(told(node("a", "", "${VERSION}-gke.1")), None);
        let rhcos = "apiVersion: v1\nkind: Node\nmetadata: {name: a}\nstatus: {nodeInfo: {osImage: Red Hat Enterprise Linux CoreOS 416.94}}\n";
        assert_eq!(told(rhcos.to_string()).as_deref(), Some("openshift"));
        let kind = "apiVersion: v1\nkind: Node\nmetadata: {name: a}\nspec: {providerID: kind://docker/kind/a}\n";
        assert_eq!(told(kind.to_string()).as_deref(), Some("kind"));
    }

    #[test]
    fn istios_settings_show_it_unless_they_are_empty() {
        assert_eq!(platform(&[istiod("openshift")]).as_deref(), Some("openshift"));
        assert_eq!(platform(&[istiod("")]), None);
        assert_eq!(platform(&[istiod("${PLATFORM}")]), None);
        assert_eq!(platform(&[injector("gke")]).as_deref(), Some("gke"));
        let flux = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: cni, namespace: istio-system}\nspec:\n  chart: {spec: {chart: cni, sourceRef: {kind: HelmRepository, name: istio}}}\n  values: {global: {platform: k3s}}\n";
        assert_eq!(platform(&[flux.to_string()]).as_deref(), Some("k3s"));
    }

    #[test]
    fn what_does_not_agree_is_unknown() {
        let (gke, k3s) = (node("a", "", "v1.30.5-gke.1"), node("b", "", "v1.30.4+k3s1"));
        assert_eq!(platform(&[gke.clone(), k3s.clone()]), None);
        assert_eq!(platform(&[gke.clone(), istiod("gke")]).as_deref(), Some("gke"));
        assert_eq!(platform(&[gke.clone(), istiod("openshift")]), None);
        assert_eq!(platform(&[k3s, istiod("k3d")]).as_deref(), Some("k3d"));
        assert_eq!(platform(&[gke, istiod("k3d")]), None);
    }

    #[test]
    fn a_declaration_wins() {
        let declared = Declared { platform: Some("eks".into()), ..Declared::default() };
        let mesh = test_mesh_with(&[&node("a", "", "v1.30.5-gke.1")], declared);
        assert_eq!(mesh.platform(), Some(Platform { name: "eks".into(), shown_by: None }));
    }
}
