//! What a ServiceAccount may do: the bindings that name it, and the rules of their roles. Source:
//! `plugin/pkg/auth/authorizer/rbac` and `pkg/apis/rbac/v1/evaluation_helpers.go` of kubernetes 1.34.

use super::Mesh;
use super::absence::{Absence, Certainty};
use super::selector::{Labels, Selector, Tri};
use super::workload::WorkloadId;
use crate::resource::ResourceId;
use crate::yaml::scalar::is_unknown;
use crate::yaml::{Node, Place};

const GROUP: &str = "rbac.authorization.k8s.io";
const BINDINGS: [&str; 2] = ["ClusterRoleBinding", "RoleBinding"];
const KINDS: [&str; 4] = ["ClusterRole", "Role", "ClusterRoleBinding", "RoleBinding"];

/// A ServiceAccount, read or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// What somebody wants to do, in the words of a SubjectAccessReview: an empty text is the core group, no
/// subresource, any object, or all namespaces.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `get`, `list`, `create` …
    pub verb: String,
    /// API group.
    pub group: String,
    /// Plural: `secrets`.
    pub resource: String,
    /// `status`, `scale`, `approval` …
    pub subresource: String,
    /// The one object that is meant.
    pub name: String,
    /// The namespace.
    pub namespace: String,
}

impl Mesh {
    /// The ServiceAccount that a workload's pods run as; nothing where the input does not show it, or where
    /// a chart that was not rendered brings it, with roles that are not shown.
    pub fn account(&self, id: WorkloadId) -> Option<Account> {
        let workload = self.workload(id);
        let spec = self.pod_spec(workload);
        let written = ["serviceAccountName", "serviceAccount"].into_iter().find_map(|key| spec?.get(key));
        let name = written.and_then(Node::text).filter(|name| !name.is_empty()).unwrap_or("default");
        let hidden = workload.alternative
            || self.is_virtual(workload.resource)
            || is_unknown(&workload.namespace)
            || is_unknown(name);
        (!hidden).then(|| Account { namespace: workload.namespace.to_string(), name: name.to_string() })
    }

    /// The (Cluster)RoleBindings that give a role to a ServiceAccount, by its name or by a group, and what
    /// it proves that another is not among them. Of none, that is likely only where roles or bindings were
    /// read that were installed together with it: those of others prove nothing.
    pub fn bindings_of(&self, account: &Account) -> (Vec<ResourceId>, Absence) {
        let mut found = Vec::new();
        let mut open = BINDINGS.iter().any(|kind| self.may_hide(GROUP, kind));
        for (binding, named) in self.bindings(account) {
            match named {
                Tri::Yes => found.push(binding),
                _ => open = true,
            }
        }
        let what = format!("bindings of ServiceAccount {}/{}", account.namespace, account.name);
        let certainty = if open {
            Certainty::Unknown
        } else if BINDINGS.iter().all(|kind| self.is_complete(GROUP, kind)) {
            Certainty::Certain
        } else if self.is_bound_by_name(account, &found) || self.came_with_roles(account) {
            let elsewhere = BINDINGS.iter().any(|kind| self.comes_from_elsewhere(GROUP, kind, "", false));
            if elsewhere { Certainty::Unknown } else { Certainty::Likely }
        } else {
            Certainty::Unknown
        };
        let count: usize = BINDINGS.iter().map(|kind| self.of_kind(GROUP, kind).len()).sum();
        let among = format!("the {count} ClusterRoleBindings and RoleBindings read");
        (found, Absence { certainty, among, what, deleted: None })
    }

    /// The item of a role's `rules` that allows a request to a ServiceAccount (of `cluster-admin`, which no
    /// input holds, the binding's `roleRef`); or what it proves that none does.
    pub fn grant(&self, account: &Account, request: &Request) -> Result<Place, Absence> {
        let mut open = false;
        for (binding, named) in self.bindings(account) {
            let root = self.root(binding);
            if &*self.resource(binding).kind == "RoleBinding" {
                let namespace = self.resource(binding).namespace();
                if namespace != request.namespace && !is_unknown(namespace) {
                    continue;
                }
                open |= is_unknown(namespace);
            }
            let Some(role) = root.get("roleRef") else { continue };
            match self.role_grants(binding, role, request) {
                Ok(place) if named.is_yes() => return Ok(place),
                Err(Tri::No) => {}
                _ => open = true,
            }
        }
        match open {
            true => Err(Absence::unknown(format!("rights of ServiceAccount {}/{}", account.namespace, account.name))),
            false => Err(self.bindings_of(account).1),
        }
    }

    /// Bindings that name an account, certainly or possibly, in canonical order.
    fn bindings<'m>(&'m self, account: &'m Account) -> impl Iterator<Item = (ResourceId, Tri)> + 'm {
        let all = BINDINGS.into_iter().flat_map(|kind| self.of_kind(GROUP, kind));
        let named = |id: ResourceId| {
            let subjects = self.root(id).get("subjects");
            let hidden = subjects.is_some_and(Node::is_unknown);
            let items = subjects.into_iter().flat_map(Node::items);
            let named = items.fold(Tri::No, |answer, subject| answer.or(self.is_subject(id, subject, account)));
            if named != Tri::No && self.resource(id).is_open() || hidden { Tri::Unknown } else { named }
        };
        all.map(move |id| (id, named(id))).filter(|(_, named)| *named != Tri::No)
    }

    fn is_subject(&self, binding: ResourceId, subject: Node<'_>, account: &Account) -> Tri {
        let text = |key: &str| subject.get(key).and_then(Node::text).unwrap_or("");
        let is = |own: &str, wanted: &str| if is_unknown(own) { Tri::Unknown } else { (own == wanted).into() };
        let Account { namespace, name } = account;
        match text("kind") {
            "ServiceAccount" => {
                let home = match text("namespace") {
                    "" => self.resource(binding).namespace(),
                    written => written,
                };
                is(home, namespace).and(is(text("name"), name))
            }
            "User" => is(text("name"), &format!("system:serviceaccount:{namespace}:{name}")),
            "Group" => {
                let all = ["system:serviceaccounts", "system:authenticated"].map(|group| is(text("name"), group));
                all[0].or(all[1]).or(is(text("name"), &format!("system:serviceaccounts:{namespace}")))
            }
            kind if is_unknown(kind) => Tri::Unknown,
            _ => Tri::No,
        }
    }

    /// Which rule of the role that a binding names allows a request, or whether that is not known.
    fn role_grants(&self, binding: ResourceId, role: Node<'_>, request: &Request) -> Result<Place, Tri> {
        let text = |key: &str| role.get(key).and_then(Node::text).unwrap_or("");
        let (kind, name) = (text("kind"), text("name"));
        if is_unknown(kind) || is_unknown(name) {
            return Err(Tri::Unknown);
        }
        let namespace = if kind == "Role" { self.resource(binding).namespace() } else { "" };
        let Some(role_id) = self.named(GROUP, kind, namespace, name).first().copied() else {
            if (kind, name) == ("ClusterRole", "cluster-admin") {
                return Ok(Place { tree: self.resource(binding).root.tree, node: role.id() });
            }
            let gone = self.absence_of(GROUP, kind, namespace, name).certainty == Certainty::Certain;
            return Err(if gone { Tri::No } else { Tri::Unknown });
        };
        let mut answer = self.rules_grant(role_id, request);
        // Of a role that a controller puts together, a cluster shows the outcome.
        let selectors = self.root(role_id).at(&["aggregationRule", "clusterRoleSelectors"]);
        if let (Some(selectors), false) = (selectors, self.resource(role_id).live) {
            let complete = self.is_complete(GROUP, "ClusterRole") && !self.may_hide(GROUP, "ClusterRole");
            answer = if complete { Err(Tri::No) } else { Err(Tri::Unknown) };
            let selectors: Vec<_> = selectors.items().map(|item| Selector::read(Some(item))).collect();
            for other in self.of_kind(GROUP, "ClusterRole") {
                let labels = Labels::read(self.root(other).at(&["metadata", "labels"]));
                let taken = selectors.iter().fold(Tri::No, |taken, selector| taken.or(selector.matches(&labels)));
                match (taken, self.rules_grant(other, request)) {
                    (Tri::Yes, Ok(place)) => return Ok(place),
                    (Tri::No, _) | (_, Err(Tri::No)) => {}
                    _ => answer = Err(Tri::Unknown),
                }
            }
        }
        answer
    }

    /// Which of the role's own rules allows a request.
    fn rules_grant(&self, role: ResourceId, request: &Request) -> Result<Place, Tri> {
        let rules = self.root(role).get("rules");
        let mut answer = Tri::from(rules.is_some_and(Node::is_unknown)).and(Tri::Unknown);
        for rule in rules.into_iter().flat_map(Node::items) {
            match allows(rule, request) {
                Tri::Yes if !self.resource(role).is_open() => {
                    return Ok(Place { tree: self.resource(role).root.tree, node: rule.id() });
                }
                Tri::No => {}
                _ => answer = Tri::Unknown,
            }
        }
        Err(if self.resource(role).is_open() { Tri::Unknown } else { answer })
    }

    /// Whether one of the bindings means just this account.
    fn is_bound_by_name(&self, account: &Account, bindings: &[ResourceId]) -> bool {
        let subjects = |id: &ResourceId| self.root(*id).get("subjects").into_iter().flat_map(Node::items);
        let own = |s: Node<'_>| s.get("name").and_then(Node::text) == Some(&account.name);
        bindings.iter().any(|id| subjects(id).any(own))
    }

    /// Whether roles or bindings were read that came together with an account or with what runs as it.
    fn came_with_roles(&self, account: &Account) -> bool {
        let own = self.named("", "ServiceAccount", &account.namespace, &account.name).iter().copied();
        let users = self.workloads_in(&account.namespace).iter();
        let users =
            users.filter(|id| self.account(**id).as_ref() == Some(account)).map(|id| self.workload(*id).resource);
        let anchors: Vec<_> = own.chain(users).collect();
        let mut roles = KINDS.into_iter().flat_map(|kind| self.of_kind(GROUP, kind));
        roles.any(|role| anchors.iter().any(|anchor| self.came_together(*anchor, role)))
    }

    /// Whether two resources were certainly installed in one go: by one chart, one release, one file.
    fn came_together(&self, one: ResourceId, other: ResourceId) -> bool {
        let (a, b) = (self.resource(one), self.resource(other));
        if let (Some(a), Some(b)) = (&a.chart, &b.chart) {
            return a == b;
        }
        let release = |id: ResourceId| {
            let labels = self.root(id).at(&["metadata", "labels"])?;
            let named = ["app.kubernetes.io/instance", "release"].into_iter().find_map(|key| labels.get(key));
            named.and_then(Node::text).filter(|text| !text.is_empty() && !is_unknown(text))
        };
        match (release(one), release(other)) {
            (Some(a), Some(b)) => a == b,
            _ => a.file == b.file,
        }
    }
}

/// Whether one rule of a role allows a request.
fn allows(rule: Node<'_>, request: &Request) -> Tri {
    let Request { verb, group, resource, subresource, name, .. } = request;
    let combined = if subresource.is_empty() { resource.clone() } else { format!("{resource}/{subresource}") };
    let fits = |own: &str| {
        own == "*" || own == combined || (!subresource.is_empty() && own.strip_prefix("*/") == Some(subresource))
    };
    // Where names are given, a request for no single object (`list`, `create`) is not allowed.
    let names = rule.get("resourceNames").filter(|names| names.is_unknown() || names.items().next().is_some());
    any(rule.get("verbs"), |own| own == "*" || own == verb)
        .and(any(rule.get("apiGroups"), |own| own == "*" || own == group))
        .and(any(rule.get("resources"), fits))
        .and(names.map_or(Tri::Yes, |names| any(Some(names), |own| own == name)))
}

/// Whether an item of a list passes.
fn any(list: Option<Node<'_>>, test: impl Fn(&str) -> bool) -> Tri {
    let hidden = list.is_some_and(Node::is_unknown);
    let start = if hidden { Tri::Unknown } else { Tri::No };
    list.into_iter().flat_map(Node::items).fold(start, |answer, item| match item.text() {
        _ if item.is_unknown() => answer.or(Tri::Unknown),
        Some(text) => answer.or(test(text).into()),
        None => answer,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Declared, test_mesh_with};
    use super::*;

    const SUBJECT: &str = "kind: ServiceAccount, name: istiod, namespace: istio-system";

    fn account() -> Account {
        Account { namespace: "istio-system".into(), name: "istiod".into() }
    }

    fn role(kind: &str, rest: &str) -> String {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata: {{name: r, namespace: istio-system}}\n{rest}\n"
        )
    }

    fn binding(kind: &str, subject: &str, role: &str) -> String {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata: {{name: b, namespace: istio-system}}\nroleRef: {{kind: {role}}}\nsubjects: [{{{subject}}}]\n"
        )
    }

    fn request(text: &str) -> Request {
        let mut parts = text.split(' ').map(|part| part.trim_matches('-').to_string());
        let mut next = || parts.next().unwrap_or_default();
        let (verb, group, resource, name, namespace) = (next(), next(), next(), next(), next());
        let (resource, subresource) = resource.split_once('/').unwrap_or((&resource, ""));
        Request { verb, group, resource: resource.into(), subresource: subresource.into(), name, namespace }
    }

    /// `verb group resource[/subresource] name namespace`, `-` for an empty text.
    fn granted(texts: &[&str], wanted: &str, complete: bool) -> Tri {
        let complete = if complete { vec!["all".to_string()] } else { Vec::new() };
        let mesh = test_mesh_with(texts, Declared { complete, ..Declared::default() });
        match mesh.grant(&account(), &request(wanted)) {
            Ok(_) => Tri::Yes,
            Err(absence) if absence.certainty == Certainty::Certain => Tri::No,
            Err(_) => Tri::Unknown,
        }
    }

    #[test]
    fn rules_grant_as_the_api_server_reads_them() {
        let bound = binding("ClusterRoleBinding", SUBJECT, "ClusterRole, name: r");
        for (rule, wanted, expected) in [
            ("apiGroups: [''], resources: [secrets], verbs: [get, list]", "list - secrets", Tri::Yes),
            ("apiGroups: [''], resources: [secrets], verbs: [get, list]", "list - secrets - shop", Tri::Yes),
            ("apiGroups: [''], resources: [secrets], verbs: [get, list]", "watch - secrets", Tri::No),
            ("apiGroups: [''], resources: [secrets], verbs: ['*']", "watch - secrets", Tri::Yes),
            ("apiGroups: ['*'], resources: [deployments], verbs: [get]", "get apps deployments", Tri::Yes),
            ("apiGroups: [''], resources: [deployments], verbs: [get]", "get apps deployments", Tri::No),
            ("apiGroups: [apps], resources: ['*'], verbs: [get]", "get apps deployments/scale", Tri::Yes),
            ("apiGroups: [apps], resources: [deployments], verbs: [get]", "get apps deployments/scale", Tri::No),
            ("apiGroups: [apps], resources: ['*/scale'], verbs: [get]", "get apps deployments/scale", Tri::Yes),
            ("apiGroups: [apps], resources: ['*/scale'], verbs: [get]", "get apps deployments", Tri::No),
            ("apiGroups: [apps], resources: ['*/scale'], verbs: [get]", "get apps deployments/status", Tri::No),
            ("apiGroups: [''], resources: [secrets], verbs: ['*'], resourceNames: [a]", "get - secrets a", Tri::Yes),
            ("apiGroups: [''], resources: [secrets], verbs: ['*'], resourceNames: [a]", "get - secrets b", Tri::No),
            ("apiGroups: [''], resources: [secrets], verbs: ['*'], resourceNames: [a]", "list - secrets", Tri::No),
            ("apiGroups: [''], resources: [secrets], verbs: ['*'], resourceNames: [a]", "create - secrets", Tri::No),
            ("apiGroups: [''], resources: [secrets], verbs: ['*'], resourceNames: []", "create - secrets", Tri::Yes),
            ("resources: [secrets], verbs: [get]", "get - secrets", Tri::No),
            ("nonResourceURLs: [/metrics], verbs: [get]", "get - secrets", Tri::No),
            ("apiGroups: [''], resources: ['${R}'], verbs: [get]", "get - secrets", Tri::Unknown),
            ("apiGroups: [''], resources: '${R}', verbs: [get]", "get - secrets", Tri::Unknown),
            ("apiGroups: [''], resources: ['${R}'], verbs: [get]", "list - secrets", Tri::No),
        ] {
            let role = role("ClusterRole", &format!("rules: [{{{rule}}}]"));
            assert_eq!(granted(&[&bound, &role], wanted, true), expected, "{rule} {wanted}");
        }
    }

    #[test]
    fn a_role_binding_grants_in_its_namespace_only() {
        let rules = "rules: [{apiGroups: [''], resources: [secrets], verbs: [list]}]";
        for kind in ["ClusterRole", "Role"] {
            let bound = binding("RoleBinding", SUBJECT, &format!("{kind}, name: r"));
            let role = role(kind, rules);
            assert_eq!(granted(&[&bound, &role], "list - secrets - istio-system", true), Tri::Yes);
            assert_eq!(granted(&[&bound, &role], "list - secrets - shop", true), Tri::No);
            assert_eq!(granted(&[&bound, &role], "list - secrets", true), Tri::No);
        }
    }

    #[test]
    fn subjects_are_names_users_and_groups() {
        let role = role("ClusterRole", "rules: [{apiGroups: [''], resources: [secrets], verbs: [list]}]");
        for (kind, subject, expected) in [
            ("ClusterRoleBinding", SUBJECT, Tri::Yes),
            ("ClusterRoleBinding", "kind: ServiceAccount, name: istiod, namespace: shop", Tri::No),
            ("ClusterRoleBinding", "kind: ServiceAccount, name: '${SA}', namespace: istio-system", Tri::Unknown),
            ("ClusterRoleBinding", "kind: ServiceAccount, name: '${SA}', namespace: shop", Tri::No),
            ("ClusterRoleBinding", "kind: User, name: 'system:serviceaccount:istio-system:istiod'", Tri::Yes),
            ("ClusterRoleBinding", "kind: User, name: istiod", Tri::No),
            ("ClusterRoleBinding", "kind: Group, name: 'system:serviceaccounts'", Tri::Yes),
            ("ClusterRoleBinding", "kind: Group, name: 'system:serviceaccounts:istio-system'", Tri::Yes),
            ("ClusterRoleBinding", "kind: Group, name: 'system:serviceaccounts:shop'", Tri::No),
            ("ClusterRoleBinding", "kind: Group, name: 'system:authenticated'", Tri::Yes),
            ("ClusterRoleBinding", "kind: Group, name: 'system:masters'", Tri::No),
            ("RoleBinding", "kind: ServiceAccount, name: istiod", Tri::Yes),
        ] {
            let bound = binding(kind, subject, "ClusterRole, name: r");
            assert_eq!(granted(&[&bound, &role], "list - secrets - istio-system", true), expected, "{subject}");
        }
        let bound = binding("ClusterRoleBinding", SUBJECT, "ClusterRole, name: r")
            .replace(&format!("[{{{SUBJECT}}}]"), "'${S}'");
        assert_eq!(granted(&[&bound, &role], "list - secrets", true), Tri::Unknown);
    }

    #[test]
    fn roles_that_were_not_read_and_those_of_the_cluster() {
        let bound = |name: &str| binding("ClusterRoleBinding", SUBJECT, &format!("ClusterRole, name: {name}"));
        assert_eq!(granted(&[&bound("cluster-admin")], "create apps deployments", false), Tri::Yes);
        assert_eq!(granted(&[&bound("view")], "get - pods", false), Tri::Unknown);
        assert_eq!(granted(&[&bound("view")], "get - pods", true), Tri::No);
        assert_eq!(granted(&[&bound("'${ROLE}'")], "get - pods", true), Tri::Unknown);
    }

    #[test]
    fn an_aggregated_role_is_the_union_of_what_it_selects() {
        let bound = binding("ClusterRoleBinding", SUBJECT, "ClusterRole, name: r");
        let whole = role("ClusterRole", "aggregationRule: {clusterRoleSelectors: [{matchLabels: {to: r}}]}\nrules: []");
        let part = role("ClusterRole", "rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]");
        let part = part.replace("name: r,", "name: p, labels: {to: r},");
        assert_eq!(granted(&[&bound, &whole, &part], "get - pods", false), Tri::Yes);
        assert_eq!(granted(&[&bound, &whole, &part], "list - pods", false), Tri::Unknown);
        assert_eq!(granted(&[&bound, &whole, &part], "list - pods", true), Tri::No);
        let live = whole.replace("name: r,", "name: r, uid: a,");
        assert_eq!(granted(&[&bound, &live, &part], "get - pods", true), Tri::No);
    }

    #[test]
    fn that_nothing_binds_an_account_is_likely_beside_its_own_roles() {
        let deployment = |labels: &str| {
            format!(
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: istiod, namespace: istio-system, labels: {{{labels}}}}}\nspec: {{template: {{spec: {{serviceAccountName: istiod}}}}}}\n"
            )
        };
        let role = |labels: &str| {
            role("ClusterRole", "rules: []").replace("name: r,", &format!("name: r, labels: {{{labels}}},"))
        };
        let certainty = |texts: &[&str]| test_mesh_with(texts, Declared::default()).bindings_of(&account()).1.certainty;
        assert_eq!(certainty(&[&deployment("release: a"), &role("release: a")]), Certainty::Likely);
        assert_eq!(certainty(&[&deployment("release: a"), &role("release: b")]), Certainty::Unknown);
        assert_eq!(certainty(&[&deployment(""), &role("release: b")]), Certainty::Unknown);
        assert_eq!(certainty(&[&format!("{}---\n{}", deployment(""), role(""))]), Certainty::Likely);
        assert_eq!(
            certainty(&[
                &deployment("release: a"),
                &role("release: a"),
                &binding(
                    "ClusterRoleBinding",
                    "kind: ServiceAccount, name: '${A}', namespace: istio-system",
                    "ClusterRole, name: r"
                )
            ]),
            Certainty::Unknown
        );
        let mesh =
            test_mesh_with(&[&binding("ClusterRoleBinding", SUBJECT, "ClusterRole, name: r")], Declared::default());
        assert_eq!(mesh.bindings_of(&account()).0, [ResourceId(0)]);
        assert_eq!(mesh.bindings_of(&account()).1.certainty, Certainty::Likely);
    }

    #[test]
    fn pods_run_as_what_they_say_or_as_default() {
        let account = |spec: &str| {
            let pod = format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: a, namespace: shop}}\nspec: {{{spec}}}\n");
            test_mesh_with(&[&pod], Declared::default()).account(WorkloadId(0)).map(|account| account.name)
        };
        assert_eq!(account("").as_deref(), Some("default"));
        assert_eq!(account("serviceAccount: old").as_deref(), Some("old"));
        assert_eq!(account("serviceAccount: old, serviceAccountName: new").as_deref(), Some("new"));
        assert_eq!(account("serviceAccountName: '${NAME}'"), None);
    }
}
