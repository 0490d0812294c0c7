//! Whether pods take plain text, mutual TLS, or both: the PeerAuthentication that is in force.

use super::Mesh;
use super::absence::{Absence, Certainty};
use super::selector::{Selector, Tri};
use super::workload::WorkloadId;
use crate::resource::ResourceId;
use crate::yaml::{Place, Trees};

const GROUP: &str = "security.istio.io";
const KIND: &str = "PeerAuthentication";

impl Mesh {
    /// The `mode` that is in force for the pods of a workload, on one of their ports if one is given: that
    /// of the port, else of the workload, else of its namespace, else of the mesh, each unless it is
    /// `UNSET`. Where none is, istiod takes `PERMISSIVE`, and the answer is what proves that there is none.
    /// Unknown where Istio's root namespace is not known, or where policies of equal rank differ: the
    /// oldest wins, and no manifest shows its age. Source:
    /// <https://istio.io/latest/docs/reference/config/security/peer_authentication/>,
    /// `pilot/pkg/model/authentication.go` of istio/istio 1.31.
    pub fn mtls(&self, id: WorkloadId, port: Option<u16>) -> Result<Place, Absence> {
        let unknown = || Absence::unknown("PeerAuthentications");
        let own = &*self.workload(id).namespace;
        let chosen = self.selecting(id).ok_or_else(unknown)?;
        let mut levels = vec![];
        if let Some(port) = port {
            let number = port.to_string();
            levels.push(chosen.iter().map(|p| self.mode(*p, &["spec", "portLevelMtls", &number, "mode"])).collect());
        }
        let of = |policies: &[ResourceId]| -> Vec<_> {
            policies.iter().map(|p| self.mode(*p, &["spec", "mtls", "mode"])).collect()
        };
        levels.extend([of(&chosen), of(&self.wide(own).ok_or_else(unknown)?)]);
        for modes in levels {
            if let Some(mode) = agreed(&self.trees, modes).ok_or_else(unknown)? {
                return Ok(mode);
            }
        }
        let root = self.known_root_namespace().ok_or_else(|| Absence::unknown("Istio's root namespace"))?;
        let wide = of(&self.wide(root).ok_or_else(unknown)?);
        if let Some(mode) = agreed(&self.trees, wide).ok_or_else(unknown)? {
            return Ok(mode);
        }
        let certainty = [own, root].iter().map(|namespace| self.absence(GROUP, KIND, namespace).certainty).min();
        let among = format!("the {KIND}s read in namespaces \"{own}\" and \"{root}\"");
        let certainty = certainty.unwrap_or(Certainty::Unknown);
        Err(Absence { certainty, among, what: format!("{KIND}s"), deleted: None })
    }

    /// Istio's root namespace where something of the installation shows it.
    fn known_root_namespace(&self) -> Option<&str> {
        self.has_installation().then(|| self.root_namespace())
    }

    /// The policies that select the pods of a workload; nothing if that is not known of one.
    fn selecting(&self, id: WorkloadId) -> Option<Vec<ResourceId>> {
        let labels = self.pod_labels(id);
        let mut found = Vec::new();
        for policy in self.of_kind_in(GROUP, KIND, &self.workload(id).namespace) {
            let Some(selector) = self.selector(*policy) else { continue };
            match selector.matches(&labels) {
                Tri::Yes if !self.resource(*policy).is_open() => found.push(*policy),
                Tri::No => {}
                _ => return None,
            }
        }
        Some(found)
    }

    /// The policies for a whole namespace; nothing if that is not known of one.
    fn wide(&self, namespace: &str) -> Option<Vec<ResourceId>> {
        let all = self.of_kind_in(GROUP, KIND, namespace).iter().copied();
        let wide: Vec<_> = all.filter(|policy| self.selector(*policy).is_none()).collect();
        (!wide.iter().any(|policy| self.resource(*policy).is_open())).then_some(wide)
    }

    /// An empty selector is none.
    fn selector(&self, policy: ResourceId) -> Option<Selector> {
        let selector = Selector::read(self.root(policy).at(&["spec", "selector"]));
        (!selector.is_empty()).then_some(selector)
    }

    /// A mode that is set, and not to be inherited.
    fn mode(&self, policy: ResourceId, path: &[&str]) -> Option<Place> {
        let node = self.root(policy).at(path).filter(|n| !n.is_null() && n.text() != Some("UNSET"))?;
        Some(Place { tree: self.resource(policy).root.tree, node: node.id() })
    }
}

/// The one mode that policies of equal rank say; nothing where they differ or one stands elsewhere.
fn agreed(trees: &Trees, modes: Vec<Option<Place>>) -> Option<Option<Place>> {
    let text = |mode: &Option<Place>| mode.map(|place| trees.node(place).text());
    let hidden = |mode: &Option<Place>| mode.is_some_and(|place| trees.node(place).is_unknown());
    let first = modes.first().copied().flatten();
    let same = modes.iter().all(|mode| text(mode) == text(&first) && !hidden(mode));
    same.then_some(first)
}

#[cfg(test)]
mod tests {
    use super::super::test_mesh;
    use super::*;

    const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop, labels: {app: a}}\nspec: {containers: [{name: a}]}\n";
    const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata: {mesh: 'rootNamespace: root'}\n";

    fn policy(at: &str, spec: &str) -> String {
        let (namespace, name) = at.split_once('/').unwrap();
        format!(
            "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {{{spec}}}\n"
        )
    }

    fn mode(port: Option<u16>, policies: &[String]) -> Result<String, Certainty> {
        let mut texts = vec![POD, CONFIG];
        texts.extend(policies.iter().map(String::as_str));
        let mesh = test_mesh(&texts);
        let found = mesh.mtls(WorkloadId(0), port);
        found.map(|place| mesh.trees.node(place).text().unwrap().to_string()).map_err(|absence| absence.certainty)
    }

    #[test]
    fn the_narrowest_policy_is_in_force() {
        let mesh = policy("root/mesh", "mtls: {mode: STRICT}");
        let namespace = policy("shop/all", "mtls: {mode: PERMISSIVE}");
        let own = "selector: {matchLabels: {app: a}}, mtls: {mode: DISABLE}, portLevelMtls: {8080: {mode: STRICT}}";
        let own = policy("shop/own", own);
        assert_eq!(mode(None, std::slice::from_ref(&mesh)), Ok("STRICT".into()));
        assert_eq!(mode(None, &[mesh.clone(), namespace.clone()]), Ok("PERMISSIVE".into()));
        let all = [mesh, namespace, own];
        assert_eq!(mode(None, &all), Ok("DISABLE".into()));
        assert_eq!(mode(Some(9090), &all), Ok("DISABLE".into()));
        assert_eq!(mode(Some(8080), &all), Ok("STRICT".into()));
    }

    #[test]
    fn what_is_unset_is_inherited() {
        let mesh = policy("root/mesh", "mtls: {mode: STRICT}");
        for spec in [
            "",
            "mtls: {}",
            "mtls: {mode: UNSET}",
            "selector: {}",
            "selector: {matchLabels: {app: b}}, mtls: {mode: DISABLE}",
        ] {
            assert_eq!(mode(None, &[mesh.clone(), policy("shop/p", spec)]), Ok("STRICT".into()), "{spec}");
        }
    }

    #[test]
    fn what_is_not_known_is_no_answer() {
        let strict = "mtls: {mode: STRICT}";
        let differ = [policy("shop/a", strict), policy("shop/b", "mtls: {mode: DISABLE}")];
        assert_eq!(mode(None, &differ), Err(Certainty::Unknown));
        assert_eq!(mode(None, &[policy("shop/a", "mtls: {mode: '${M}'}")]), Err(Certainty::Unknown));
        assert_eq!(mode(None, &[policy("shop/a", "selector: {matchLabels: {app: '${A}'}}")]), Err(Certainty::Unknown));
        assert_eq!(mode(None, &[]), Err(Certainty::Unknown));
        let none = [policy("root/mesh", ""), policy("shop/all", "")];
        assert_eq!(mode(None, &none), Err(Certainty::Likely));
        // Without an installation, istio-system is only a guess.
        let mesh = test_mesh(&[POD, &policy("istio-system/mesh", strict)]);
        assert_eq!(mesh.mtls(WorkloadId(0), None).unwrap_err().certainty, Certainty::Unknown);
    }
}
