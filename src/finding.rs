//! What a rule says: findings with their places, edits, and failures of rules themselves.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::source::{Failure, SourceFile, Span};

/// How grave a finding is. *error*: the API server refuses it, or traffic, injection or start-up
/// certainly fails. *warning*: a proven risk. *info*: advice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Advice; counted, shown on request.
    Info,
    /// A proven risk.
    Warning,
    /// It certainly fails.
    Error,
}

impl Severity {
    /// The word in reports and flags.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = String;
    fn from_str(s: &str) -> Result<Severity, String> {
        match s {
            "info" => Ok(Severity::Info),
            "warning" => Ok(Severity::Warning),
            "error" => Ok(Severity::Error),
            other => Err(format!("unknown severity \"{other}\"; one of error, warning, info")),
        }
    }
}

/// `topic/id` of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(pub Arc<str>);

impl RuleId {
    /// From the text `topic/id`.
    pub fn new(id: impl Into<Arc<str>>) -> RuleId {
        RuleId(id.into())
    }
    /// `topic/id`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The part before the slash.
    pub fn topic(&self) -> &str {
        self.0.split_once('/').map_or("", |(topic, _)| topic)
    }
    /// The part after the slash.
    pub fn stem(&self) -> &str {
        self.0.split_once('/').map_or(&self.0, |(_, stem)| stem)
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The identity of a resource as reports show it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceRef {
    /// `apps/v1`
    pub api_version: String,
    /// `Deployment`
    pub kind: String,
    /// Nothing for cluster-scoped kinds.
    pub namespace: Option<String>,
    /// `metadata.name`
    pub name: String,
}

/// A place with what the manifest calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where.
    pub span: Span,
    /// Path within the resource, `spec.http[0].route[0]`; empty where there is no resource.
    pub yaml_path: String,
    /// The chart template or file that produced the resource, if its origin says so.
    pub template: Option<String>,
}

/// A second place that takes part in a finding, or what the primary place is (same span).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub place: Place,
    /// How it takes part.
    pub message: String,
}

/// One replacement of bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    /// What goes away; may be empty.
    pub span: Span,
    /// What comes instead.
    pub text: String,
}

/// A set of edits that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What the edit does, as an imperative.
    pub title: String,
    /// Whether `--fix` applies it; others need `--fix=unsafe`.
    pub safe: bool,
    /// The edits, in order of place, never overlapping.
    pub edits: Vec<Edit>,
}

/// What a rule found.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Which rule says so.
    pub rule: RuleId,
    /// Ids of the same check in other tools.
    pub aliases: Arc<[String]>,
    /// How grave.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub message: String,
    /// Why it hurts, in one sentence.
    pub why: String,
    /// The source of the finding.
    pub primary: Place,
    /// The owner of the primary place.
    pub resource: Option<ResourceRef>,
    /// Other places, and labels of the primary place (same span).
    pub labels: Vec<Label>,
    /// What to do.
    pub help: Vec<String>,
    /// The values of a chart to set, where the place was rendered.
    pub values: Vec<String>,
    /// Figures with their source.
    pub notes: Vec<String>,
    /// Where to read more.
    pub links: Vec<String>,
    /// Edits that mend it.
    pub fixes: Vec<Fix>,
    /// The clusters that show it; empty while there is only one.
    pub clusters: Vec<String>,
    /// Stable over moves and rewordings; 16 hexadecimal digits.
    pub fingerprint: String,
    /// The fingerprint before equal ones were told apart by their order.
    pub unnumbered: String,
}

impl Finding {
    /// A finding that says no more than what is wrong, and where.
    pub fn new(rule: RuleId, severity: Severity, span: Span, message: String) -> Finding {
        Finding {
            rule,
            aliases: Arc::from([]),
            severity,
            message,
            why: String::new(),
            primary: Place { span, yaml_path: String::new(), template: None },
            resource: None,
            labels: Vec::new(),
            help: Vec::new(),
            values: Vec::new(),
            notes: Vec::new(),
            links: Vec::new(),
            fixes: Vec::new(),
            clusters: Vec::new(),
            fingerprint: String::new(),
            unnumbered: String::new(),
        }
    }
}

/// A failure of a rule or of the configuration: not about the manifests, but about the check.
#[derive(Debug, Clone)]
pub struct Problem {
    /// How grave; only errors change the exit status.
    pub severity: Severity,
    /// What failed.
    pub message: String,
    /// The text and byte range that it is about.
    pub place: Option<(Arc<SourceFile>, std::ops::Range<usize>)>,
    /// What the place is.
    pub label: Option<String>,
    /// What to do.
    pub help: Option<String>,
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Problem {
        Problem { help: failure.help, ..Problem::error(failure.message) }
    }
}

impl Problem {
    /// An error without a place.
    pub fn error(message: impl Into<String>) -> Problem {
        Problem { severity: Severity::Error, message: message.into(), place: None, label: None, help: None }
    }

    /// Sets the place and what it is.
    pub fn at(mut self, file: &Arc<SourceFile>, range: std::ops::Range<usize>, label: impl Into<String>) -> Problem {
        self.place = Some((file.clone(), range));
        let label = label.into();
        self.label = (!label.is_empty()).then_some(label);
        self
    }

    /// Sets what to do.
    pub fn help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }
}
