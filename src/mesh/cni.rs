//! Which CNI plugins run, and whether they enforce NetworkPolicies.
//!
//! They are known by what they leave in the cluster, mostly a DaemonSet: most repositories of
//! applications hold none of it, and then nothing is known.

use super::Mesh;
use super::selector::Tri;
use crate::resource::ResourceId;
use crate::yaml::Node;

/// What a CNI plugin is known by.
#[derive(Debug, Clone, Default)]
pub struct Fingerprint {
    /// `cilium`, `flannel` …
    pub name: String,
    /// API group, kind and name of resources that only it has, in any namespace; an empty name is any.
    pub marks: Vec<(String, String, String)>,
    /// Annotations that only it writes to Nodes.
    pub node_annotations: Vec<String>,
    /// Whether it gives pods their network, and does not only enforce policies.
    pub networks: bool,
    /// Whether it enforces NetworkPolicies.
    pub enforces: Option<bool>,
    /// Containers of its DaemonSet that do so where it does not do it by itself.
    pub enforced_by: Vec<String>,
    /// The argument of its DaemonSet that switches that off.
    pub switched_off_by: Option<String>,
    /// Plugins that it is made to run beside.
    pub beside: Vec<String>,
}

/// A plugin that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cni {
    /// Its name.
    pub name: Box<str>,
    /// The resource that shows it, its DaemonSet if that was read.
    pub shown_by: ResourceId,
    /// Whether it gives pods their network.
    pub networks: bool,
    /// Whether it enforces NetworkPolicies.
    pub enforces: Tri,
}

impl Mesh {
    /// The plugins that were found, in the order of the fingerprints.
    pub fn cnis(&self, fingerprints: &[Fingerprint]) -> Vec<Cni> {
        let found = |print: &Fingerprint| {
            let marked = print.marks.iter().find_map(|(group, kind, name)| {
                self.of_kind(group, kind).find(|id| name.is_empty() || *self.resource(*id).name == **name)
            });
            let annotated = || {
                self.of_kind("", "Node").find(|id| {
                    let annotations = self.root(*id).at(&["metadata", "annotations"]);
                    annotations.is_some_and(|a| print.node_annotations.iter().any(|key| a.get(key).is_some()))
                })
            };
            let shown_by = marked.or_else(annotated)?;
            let enforces = self.enforces_policies(print, shown_by);
            Some(Cni { name: print.name.as_str().into(), shown_by, networks: print.networks, enforces })
        };
        fingerprints.iter().filter_map(found).collect()
    }

    fn enforces_policies(&self, print: &Fingerprint, shown_by: ResourceId) -> Tri {
        let usual = print.enforces.map_or(Tri::Unknown, Tri::from);
        let Some(workload) = self.workload_of(shown_by).map(|id| self.workload(id)) else {
            // Without its containers nothing says that what usually does not happen does not happen here.
            return if usual.is_yes() { Tri::Yes } else { Tri::Unknown };
        };
        if workload.alternative {
            return Tri::Unknown;
        }
        let containers = self.containers(workload);
        let mut arguments =
            containers.iter().flat_map(|c| [c.get("args"), c.get("command")]).flatten().flat_map(Node::items);
        if let Some(off) = &print.switched_off_by
            && arguments.any(|a| a.text() == Some(off))
        {
            return Tri::No;
        }
        let hidden = |c: &Node<'_>| {
            let list = |key: &str| c.get(key).into_iter().flat_map(|n| std::iter::once(n).chain(n.items()));
            list("name").chain(list("args")).chain(list("command")).any(Node::is_unknown)
        };
        if containers.iter().any(hidden) {
            return Tri::Unknown;
        }
        let runs = |name: &String| containers.iter().any(|c| c.get("name").and_then(Node::text) == Some(name));
        if print.enforced_by.iter().any(runs) { Tri::Yes } else { usual }
    }

    /// The plugin that gives pods their network: what is declared, else the only one that was found; where one
    /// is made to run beside the others and enforces NetworkPolicies, that one. Nothing where it is not known.
    pub fn cni(&self, fingerprints: &[Fingerprint]) -> Option<Box<str>> {
        if let Some(declared) = &self.declared.cni {
            return Some(declared.as_str().into());
        }
        let found: Vec<Cni> = self.cnis(fingerprints).into_iter().filter(|cni| cni.networks).collect();
        let is_beside_all = |cni: &&Cni| {
            let print = fingerprints.iter().find(|print| *print.name == *cni.name);
            let mut others = found.iter().filter(|other| other.name != cni.name);
            cni.enforces.is_yes()
                && print.is_some_and(|p| others.all(|other| p.beside.iter().any(|b| **b == *other.name)))
        };
        let mut chained = found.iter().filter(is_beside_all);
        match found.as_slice() {
            [only] => Some(only.name.clone()),
            _ => chained.next().filter(|_| chained.next().is_none()).map(|cni| cni.name.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Declared, test_mesh, test_mesh_with};
    use super::*;

    fn fingerprints() -> Vec<Fingerprint> {
        let mark = |kind: &str, name: &str| {
            let group = if kind == "DaemonSet" { "apps" } else { "" };
            (group.to_string(), kind.to_string(), name.to_string())
        };
        let print = |name: &str, marks: &[(&str, &str)], enforces| Fingerprint {
            name: name.to_string(),
            marks: marks.iter().map(|(kind, name)| mark(kind, name)).collect(),
            networks: true,
            enforces,
            ..Fingerprint::default()
        };
        vec![
            Fingerprint {
                enforced_by: vec!["agent".to_string()],
                switched_off_by: Some("--policy=false".to_string()),
                ..print("aws", &[("DaemonSet", "aws-node")], Some(false))
            },
            Fingerprint {
                beside: vec!["aws".to_string()],
                ..print("cilium", &[("DaemonSet", "cilium"), ("ConfigMap", "cilium-config")], Some(true))
            },
            Fingerprint {
                node_annotations: vec!["flannel/backend".to_string()],
                ..print("flannel", &[("DaemonSet", "kube-flannel")], Some(false))
            },
            Fingerprint { networks: false, ..print("npm", &[("DaemonSet", "npm")], None) },
        ]
    }

    fn daemonset(name: &str, containers: &str) -> String {
        format!(
            "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{name: {name}, namespace: any}}\nspec: {{template: {{spec: {{containers: [{containers}]}}}}}}\n"
        )
    }

    fn found(texts: &[&str]) -> Vec<(String, Tri)> {
        test_mesh(texts).cnis(&fingerprints()).into_iter().map(|c| (c.name.to_string(), c.enforces)).collect()
    }

    fn cni(texts: &[&str]) -> Option<String> {
        test_mesh(texts).cni(&fingerprints()).map(|name| name.to_string())
    }

    #[test]
    fn plugins_are_known_by_their_resources_and_what_they_write_on_nodes() {
        let cilium = daemonset("cilium", "");
        assert_eq!(found(&[&cilium]), [("cilium".to_string(), Tri::Yes)]);
        let config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cilium-config, namespace: kube-system}\n";
        assert_eq!(found(&[config]), [("cilium".to_string(), Tri::Yes)]);
        let node = "apiVersion: v1\nkind: Node\nmetadata: {name: a, annotations: {flannel/backend: vxlan}}\n";
        assert_eq!(found(&[node]), [("flannel".to_string(), Tri::Unknown)]);
        assert_eq!(found(&["apiVersion: v1\nkind: Node\nmetadata: {name: a}\n"]), []);
    }

    #[test]
    fn containers_and_arguments_tell_who_enforces_policies() {
        let aws = |containers: &str| found(&[&daemonset("aws-node", containers)])[0].1;
        assert_eq!(aws("{name: aws-node}"), Tri::No);
        assert_eq!(aws("{name: aws-node}, {name: agent}"), Tri::Yes);
        assert_eq!(aws("{name: aws-node}, {name: agent, args: ['--policy=false']}"), Tri::No);
        assert_eq!(aws("{name: aws-node}, {name: '${AGENT}'}"), Tri::Unknown);
        assert_eq!(aws("{name: aws-node, args: ['${POLICY}']}"), Tri::Unknown);
        assert_eq!(found(&[&daemonset("npm", "{name: a}")])[0].1, Tri::Unknown);
        let two = [daemonset("aws-node", "{name: a}"), daemonset("aws-node", "{name: b}")];
        assert_eq!(found(&[&two[0], &two[1]])[0].1, Tri::Unknown);
    }

    #[test]
    fn of_two_plugins_the_one_on_top_counts() {
        let (aws, cilium, flannel) =
            (daemonset("aws-node", ""), daemonset("cilium", ""), daemonset("kube-flannel", ""));
        assert_eq!(cni(&[&aws]).as_deref(), Some("aws"));
        assert_eq!(cni(&[&aws, &cilium]).as_deref(), Some("cilium"));
        assert_eq!(cni(&[&flannel, &cilium]), None);
        assert_eq!(cni(&[&daemonset("npm", "")]), None);
        let declared = Declared { cni: Some("calico".into()), ..Declared::default() };
        assert_eq!(test_mesh_with(&[&aws], declared).cni(&fingerprints()).as_deref(), Some("calico"));
    }
}
