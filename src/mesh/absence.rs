//! What it means that something was not found.

use super::Mesh;
use crate::kinds::plural;
use crate::resource::Identity;
use crate::resource::pattern::{ResourcePattern, fits};
use crate::yaml::scalar::is_unknown;

/// How sure it is that something does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// The input does not show whether it exists: no finding may follow.
    Unknown,
    /// Others of its kind were read in that very place: a warning at most.
    Likely,
    /// All of its kind were read, or it is a part of something that was read.
    Certain,
}

/// A look-up that found nothing (or not enough), and what that proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    /// How sure.
    pub certainty: Certainty,
    /// What was read, as in "the 12 Services read in namespace \"shop\"".
    pub among: String,
    /// What is not known when the certainty is unknown, as in "Services of namespace shop".
    pub what: String,
    /// What the change that is checked did to it, for a note.
    pub deleted: Option<String>,
}

impl Absence {
    /// A part of a resource that was read: what is not in it is not there.
    pub fn certain() -> Absence {
        Absence { certainty: Certainty::Certain, among: String::new(), what: String::new(), deleted: None }
    }

    /// What was looked up and not found, for a message that starts with "… is".
    pub fn in_words(&self) -> String {
        match self.certainty {
            Certainty::Likely if self.among.starts_with("the one ") => format!("not {}", self.among),
            Certainty::Likely => format!("not among {}", self.among),
            _ => "not there".to_string(),
        }
    }

    /// Nothing follows.
    pub fn unknown(what: impl Into<String>) -> Absence {
        Absence { certainty: Certainty::Unknown, among: String::new(), what: what.into(), deleted: None }
    }
}

/// A part of the cluster that comes from elsewhere: a chart that was not rendered, a remote base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// API group and kind of what comes; anything if there is none.
    pub kind: Option<(String, String)>,
    /// Where it comes to; anywhere if there is none.
    pub namespace: Option<String>,
    /// The input names a file that was not read: nobody's word makes such an input complete.
    pub named: bool,
}

/// Something that is declared to exist outside of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum External {
    /// `Service/payments/api`, `Gateway/istio-ingress/*`; the namespace is empty for cluster-scoped kinds.
    Resource(ResourcePattern),
    /// `host/*.internal.example`
    Host(String),
}

impl Mesh {
    /// Whether a resource is declared to exist elsewhere.
    pub fn is_external(&self, group: &str, kind: &str, namespace: &str, name: &str) -> bool {
        self.declared.externals.iter().any(|external| match external {
            External::Resource(pattern) => pattern.fits(group, kind, namespace, name),
            External::Host(_) => false,
        })
    }

    /// Whether somebody elsewhere is declared to answer for a host, given in full.
    pub fn is_external_host(&self, host: &str) -> bool {
        let service = super::host::parse_fqdn(host);
        service.is_some_and(|(name, namespace)| self.is_external("", "Service", namespace, name))
            || self.declared.externals.iter().any(|e| matches!(e, External::Host(pattern) if fits(pattern, host)))
    }

    /// Whether resources of a kind may come to a namespace from elsewhere; `named` asks for what the
    /// input itself names only.
    pub(super) fn comes_from_elsewhere(&self, group: &str, kind: &str, namespace: &str, named: bool) -> bool {
        self.elsewhere.iter().any(|elsewhere| {
            (elsewhere.named || !named)
                && elsewhere.kind.as_ref().is_none_or(|(g, k)| g == group && k == kind)
                && elsewhere.namespace.as_deref().is_none_or(|ns| namespace.is_empty() || ns == namespace)
        })
    }

    /// What it proves that no resource of that kind was found; `namespace` is empty for
    /// cluster-scoped kinds.
    pub fn absence(&self, group: &str, kind: &str, namespace: &str) -> Absence {
        let read = self.of_kind_in(group, kind, namespace).len();
        let place = if namespace.is_empty() { String::new() } else { format!(" in namespace \"{namespace}\"") };
        let of_kind = |id: &Identity| (&*id.group, &*id.kind, &*id.namespace) == (group, kind, namespace);
        // The change that is checked shows where others of the kind are kept, though it deletes the last.
        let is_kept_here = read > 0 || self.declared.deleted.keys().any(of_kind);
        let certainty = if self.is_hidden(group, kind, namespace) {
            Certainty::Unknown
        } else if self.is_complete(group, kind) {
            Certainty::Certain
        } else if is_kept_here && !self.comes_from_elsewhere(group, kind, namespace, false) {
            Certainty::Likely
        } else {
            Certainty::Unknown
        };
        let of = if namespace.is_empty() { String::new() } else { format!(" of namespace {namespace}") };
        let count = match read {
            0 => format!("the {} that are left", plural(kind)),
            1 => format!("the one {kind} read"),
            _ => format!("the {read} {} read", plural(kind)),
        };
        Absence { certainty, among: format!("{count}{place}"), what: format!("{}{of}", plural(kind)), deleted: None }
    }

    /// What it proves that one resource was not found. One that the change deletes is certainly gone, if
    /// nothing brings what the input does not show.
    pub fn absence_of(&self, group: &str, kind: &str, namespace: &str, name: &str) -> Absence {
        let mut absence = self.absence(group, kind, namespace);
        let own = |text: &str| text.into();
        let identity = Identity { group: own(group), kind: own(kind), namespace: own(namespace), name: own(name) };
        if let Some(was) = self.declared.deleted.get(&identity) {
            self.note_deleted(&mut absence, &identity, was);
        }
        absence
    }

    /// What it proves that no DestinationRule is there for a host, given in full, where the change deletes
    /// the one that was.
    pub(super) fn absence_of_rule(&self, host: &str) -> Option<Absence> {
        let is_for = |(id, was): &(&Identity, &super::Was)| {
            was.host.as_ref().is_some_and(|own| super::host::expand(own, &id.namespace) == host)
        };
        let (identity, was) = self.declared.deleted.iter().filter(is_for).min_by(|a, b| a.0.cmp(b.0))?;
        let mut absence = self.absence(&identity.group, &identity.kind, &identity.namespace);
        self.note_deleted(&mut absence, identity, was);
        Some(absence)
    }

    fn note_deleted(&self, absence: &mut Absence, identity: &Identity, was: &super::Was) {
        let Identity { group, kind, namespace, name } = identity;
        if !self.is_hidden(group, kind, namespace) {
            let may_come = self.comes_from_elsewhere(group, kind, namespace, false);
            let certainty = if may_come { Certainty::Likely } else { Certainty::Certain };
            absence.certainty = absence.certainty.max(certainty);
            absence.deleted = Some(format!("this change deletes {kind} \"{name}\", which stood in {}", was.file));
        }
    }

    /// Whether one whose name or namespace the input does not show may be the one that is looked for.
    fn is_hidden(&self, group: &str, kind: &str, namespace: &str) -> bool {
        self.has_hidden_names(group, kind, namespace)
            || is_unknown(namespace)
            || self.comes_from_elsewhere(group, kind, namespace, true)
    }

    /// What it proves that no resource of that kind was found in any namespace, or none that passes a test.
    pub fn absence_anywhere(&self, group: &str, kind: &str) -> Absence {
        let read = self.of_kind(group, kind).len();
        let certainty = if self.may_hide(group, kind) {
            Certainty::Unknown
        } else if self.is_complete(group, kind) {
            Certainty::Certain
        } else if read > 0 && !self.comes_from_elsewhere(group, kind, "", false) {
            Certainty::Likely
        } else {
            Certainty::Unknown
        };
        let among =
            if read == 1 { format!("the one {kind} read") } else { format!("the {read} {} read", plural(kind)) };
        Absence { certainty, among, what: plural(kind), deleted: None }
    }

    /// Whether one of a kind may be the one that is looked for in all namespaces: its name is not shown, or
    /// it is not known as it will be applied.
    pub(super) fn may_hide(&self, group: &str, kind: &str) -> bool {
        self.has_hidden_names_anywhere(group, kind)
            || self.comes_from_elsewhere(group, kind, "", true)
            || self.of_kind(group, kind).any(|id| self.resource(id).is_open())
    }

    /// Whether all resources of a kind are declared to be in the input.
    pub fn is_complete(&self, group: &str, kind: &str) -> bool {
        self.declared.complete.iter().any(|declared| {
            declared == "*"
                || declared == "all"
                || match declared.split_once('.') {
                    Some((k, g)) => k == kind && g == group,
                    None => declared == kind,
                }
        })
    }

    /// Whether the input was read from a cluster.
    pub fn is_dump(&self) -> bool {
        self.resources.iter().any(|r| r.live)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::{Declared, test_mesh_with};

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text, expected) in [
            ("api", "api", true),
            ("api", "api2", false),
            ("*", "", true),
            ("*.example", "a.b.example", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "ac", false),
            ("a*", "b", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn absence_in_all_namespaces() {
        let budget = |metadata: &str| {
            format!("apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {{{metadata}}}\nspec: {{}}\n")
        };
        let certainty = |texts: &[String], complete: &[&str]| {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let complete = complete.iter().map(|kind| (*kind).to_string()).collect();
            let mesh = test_mesh_with(&texts, Declared { complete, ..Declared::default() });
            mesh.absence_anywhere("policy", "PodDisruptionBudget").certainty
        };
        let read = budget("name: a, namespace: shop");
        assert_eq!(certainty(&[], &[]), Certainty::Unknown);
        assert_eq!(certainty(&[], &["PodDisruptionBudget"]), Certainty::Certain);
        assert_eq!(certainty(std::slice::from_ref(&read), &[]), Certainty::Likely);
        for hidden in ["name: '${NAME}', namespace: web", "name: b, namespace: '${NS}'", "generateName: b-"] {
            assert_eq!(certainty(&[read.clone(), budget(hidden)], &["all"]), Certainty::Unknown, "{hidden}");
        }
        assert_eq!(
            test_mesh_with(&[], Declared { complete: vec!["all".into()], ..Declared::default() })
                .absence("", "Service", "${NS}")
                .certainty,
            Certainty::Unknown
        );
        let other = read.replace("spec: {}", "spec: { maxUnavailable: 1 }");
        assert_eq!(certainty(&[read, other], &["all"]), Certainty::Unknown, "copies that differ");
    }

    #[test]
    fn what_is_declared_elsewhere_is_no_proof() {
        let own = str::to_string;
        let externals = vec![
            External::Resource(ResourcePattern::parse("Service/shop/pay*").unwrap()),
            External::Host(own("*.corp")),
        ];
        let mesh = test_mesh_with(&[], Declared { externals, ..Declared::default() });
        assert!(mesh.is_external("", "Service", "shop", "payments"));
        assert!(!mesh.is_external("", "Service", "web", "payments"));
        assert!(mesh.is_external_host("payments.shop.svc.cluster.local"));
        assert!(mesh.is_external_host("db.corp"));
        assert!(!mesh.is_external_host("db.example"));
    }
}
