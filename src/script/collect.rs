//! What a set of rules looks at, as kinds of resources: what a dump of a cluster is to hold.

use std::collections::BTreeSet;

use super::check::Checked;
use super::vocabulary::EVERY_KIND;
use crate::kinds;
use crate::mesh::workload::template_kinds;
use crate::rule::RuleSet;
use crate::rule::header::{Role, Subject};

/// API group and kind.
pub type Kind = (String, String);

/// What words read that is no kind: an idea, and the kinds behind it.
const IDEAS: &[(&str, &[&str])] = &[
    ("mesh configuration", &["ConfigMap"]),
    ("injector", &["ConfigMap"]),
    ("webhooks", &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"]),
    ("roles and their bindings", &["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"]),
];

/// The kinds that rules check and that their words read.
pub fn kinds_read(set: &RuleSet, checked: &Checked) -> BTreeSet<Kind> {
    let mut all = BTreeSet::new();
    for (rule, reads) in set.rules.iter().zip(&checked.reads) {
        for subject in rule.subjects() {
            match subject {
                Subject::Kind(group, kind) => _ = all.insert((group.clone(), kind.clone())),
                Subject::Role(role) => all.extend(of_role(*role)),
            }
        }
        all.extend(reads.iter().filter_map(|read| behind(read)).flatten());
    }
    all
}

/// The kinds behind what a word reads; nothing where that is not known.
fn behind(read: &str) -> Option<Vec<Kind>> {
    let own = |(group, kind): (&str, &str)| (group.to_string(), kind.to_string());
    if read == EVERY_KIND {
        return Some(Vec::new());
    }
    if read == "workloads" {
        return Some(of_role(Role::Workload));
    }
    if let Some((_, kinds)) = IDEAS.iter().find(|(idea, _)| *idea == read) {
        return Some(kinds.iter().filter_map(|kind| kinds::resolve(kind)).map(own).collect());
    }
    Role::parse(read).map(of_role).or_else(|| Some(vec![own(kinds::resolve(read)?)]))
}

/// The kinds that decide whether a resource has a role.
fn of_role(role: Role) -> Vec<Kind> {
    let kinds = match role {
        Role::Mesh => Vec::new(),
        Role::MeshConfig | Role::InjectorConfig => vec![("", "ConfigMap")],
        Role::IstiodService => vec![("", "Service")],
        Role::Workload
        | Role::MeshedWorkload
        | Role::AmbientWorkload
        | Role::Istiod
        | Role::GatewayWorkload
        | Role::Waypoint
        | Role::Ztunnel
        | Role::IstioCni => template_kinds().chain([("", "Namespace")]).collect(),
    };
    kinds.into_iter().map(|(group, kind)| (group.to_string(), kind.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_known_which_kinds_are_behind_all_that_words_read() {
        let words = super::super::vocabulary::all();
        let reads = words.iter().flat_map(|word| word.reads.split(", ")).filter(|read| !read.is_empty());
        let strange: BTreeSet<&str> = reads.filter(|read| behind(read).is_none()).collect();
        assert!(strange.is_empty(), "no kinds are known behind {strange:?}");
    }

    #[test]
    fn kinds_come_from_headers_and_from_words() {
        let (set, _) = crate::rule::load::load(&[], &[]);
        let (checked, problems) = super::super::check::check(&set);
        assert!(problems.is_empty());
        let kinds = kinds_read(&set, &checked);
        for (group, kind) in [
            ("", "Pod"),
            ("", "Namespace"),
            ("", "Event"),
            ("apps", "Deployment"),
            ("batch", "CronJob"),
            ("autoscaling", "HorizontalPodAutoscaler"),
            ("networking.istio.io", "VirtualService"),
            ("rbac.authorization.k8s.io", "ClusterRole"),
            ("metrics.k8s.io", "PodMetrics"),
        ] {
            assert!(kinds.contains(&(group.to_string(), kind.to_string())), "{group}/{kind}");
        }
    }
}
