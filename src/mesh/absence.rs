//! What it means that something was not found.

use super::Mesh;

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
}

impl Absence {
    /// A part of a resource that was read: what is not in it is not there.
    pub fn certain() -> Absence {
        Absence { certainty: Certainty::Certain, among: String::new(), what: String::new() }
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
        Absence { certainty: Certainty::Unknown, among: String::new(), what: what.into() }
    }
}

impl Mesh {
    /// What it proves that no resource of that kind was found; `namespace` is empty for
    /// cluster-scoped kinds.
    pub fn absence(&self, group: &str, kind: &str, namespace: &str) -> Absence {
        let read = self.of_kind_in(group, kind, namespace).len();
        let place = if namespace.is_empty() { String::new() } else { format!(" in namespace \"{namespace}\"") };
        let plural = if read == 1 { kind.to_string() } else { plural(kind) };
        // One whose name or namespace the input does not show may be the one.
        let hidden = self.has_hidden_names(group, kind, namespace);
        let certainty = if hidden {
            Certainty::Unknown
        } else if self.is_complete(group, kind) {
            Certainty::Certain
        } else if read > 0 {
            Certainty::Likely
        } else {
            Certainty::Unknown
        };
        let of = if namespace.is_empty() { String::new() } else { format!(" of namespace {namespace}") };
        Absence {
            certainty,
            among: format!("the {} {plural} read{place}", if read == 1 { "one".to_string() } else { read.to_string() }),
            what: format!("{}{of}", self::plural(kind)),
        }
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

/// `NetworkPolicy` → `NetworkPolicies`, `Service` → `Services`.
pub fn plural(kind: &str) -> String {
    match kind.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
        _ if kind.ends_with(['s', 'x']) => format!("{kind}es"),
        _ => format!("{kind}s"),
    }
}
