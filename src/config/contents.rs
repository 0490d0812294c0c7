//! What `plimsoll.yaml` may say.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Preset;
use crate::finding::Severity;

/// Configuration of plimsoll. Paths and patterns are relative to the file.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "plimsoll.yaml")]
pub struct Contents {
    /// Folders with rules that add to the built-in ones or replace them.
    #[serde(default)]
    pub rules: Vec<String>,
    /// Severity by rule, topic or alias; `off` switches off. The most specific name wins.
    #[serde(default)]
    pub severity: BTreeMap<String, Level>,
    /// Parameters by rule.
    #[serde(default)]
    pub params: BTreeMap<String, BTreeMap<String, Any>>,
    /// What differs for some resources; of several that fit, the last one wins.
    #[serde(default)]
    pub overrides: Vec<OverrideEntry>,
    /// Clusters by name. Manifests of one cluster are judged together, and never with those of another.
    #[serde(default)]
    pub clusters: BTreeMap<String, ClusterEntry>,
    /// Patterns of files that go to every cluster.
    #[serde(default)]
    pub shared: Vec<String>,
    /// What the manifests do not say.
    #[serde(default)]
    pub assume: Assume,
    /// `true`, or kinds: everything (of these kinds) is in the input; what is not there does not exist.
    #[serde(default)]
    pub complete: Complete,
    /// What exists elsewhere: `Service/payments/api`, `Gateway/istio-ingress/*`, `host/*.example.internal`.
    #[serde(default)]
    pub externals: Vec<String>,
    /// The date that rules take for today, `2026-11-24`.
    pub today: Option<String>,
    /// The namespace of resources that name none.
    pub namespace: Option<String>,
    /// Whose figures the parameters take.
    pub preset: Option<Preset>,
    /// Tables for rules by name, each a file: they add to the built-in ones or replace them.
    #[serde(default)]
    pub tables: BTreeMap<String, String>,
    /// Patterns of files and folders that are not checked.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Charts that helm renders, each with one or more sets of values files.
    #[serde(default)]
    pub charts: Vec<ChartEntry>,
    /// Whether overlays and other charts are rendered, too, as with `--render`.
    #[serde(default)]
    pub render: bool,
    /// Findings that are meant to be there.
    #[serde(default)]
    pub ignore: Vec<IgnoreEntry>,
    /// The baseline: the file of findings that were there before, as `plimsoll baseline` writes it;
    /// `plimsoll-baseline.json` where nothing is said.
    pub baseline: Option<String>,
}

/// A chart.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChartEntry {
    /// Its folder or archive.
    pub path: String,
    /// The name of the release; the name of the chart's folder where nothing is said.
    pub release: Option<String>,
    /// The namespace of the release.
    pub namespace: Option<String>,
    /// Values files, or sets of them by name: each set is rendered, and is a cluster of that name.
    #[serde(default)]
    pub values: ValuesFiles,
    /// Values as `helm --set` takes them.
    #[serde(default)]
    pub set: Vec<String>,
    /// The version of Kubernetes that the chart is told; what `assume` says where nothing is said.
    pub kube_version: Option<String>,
}

/// Values files of a chart.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ValuesFiles {
    /// One set without a name.
    One(Vec<String>),
    /// Sets by name.
    Sets(BTreeMap<String, Vec<String>>),
}

impl Default for ValuesFiles {
    fn default() -> ValuesFiles {
        ValuesFiles::One(Vec::new())
    }
}

impl ValuesFiles {
    /// Sets with their names; one without a name is called nothing.
    pub fn sets(&self) -> Vec<(&str, &[String])> {
        match self {
            ValuesFiles::One(files) => vec![("", files)],
            ValuesFiles::Sets(sets) => sets.iter().map(|(name, files)| (name.as_str(), files.as_slice())).collect(),
        }
    }
}

/// Findings that are meant to be there; where resources and paths are said, both must fit.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IgnoreEntry {
    /// Rules, topics or aliases.
    #[schemars(length(min = 1))]
    pub rules: Vec<String>,
    /// Resources: `Deployment/shop/cart`, `Gateway/istio-ingress/*`.
    #[serde(default)]
    pub resources: Vec<String>,
    /// Patterns of files.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Why.
    #[schemars(length(min = 1))]
    pub reason: String,
    /// The last day on which it holds, `2027-01-31`.
    pub until: Option<String>,
}

/// A severity, or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It certainly fails.
    Error,
    /// A proven risk.
    Warning,
    /// Advice.
    Info,
    /// Not at all.
    Off,
}

impl Level {
    /// The severity; none for off.
    pub fn severity(self) -> Option<Severity> {
        match self {
            Level::Error => Some(Severity::Error),
            Level::Warning => Some(Severity::Warning),
            Level::Info => Some(Severity::Info),
            Level::Off => None,
        }
    }
}

/// Any value; its type is that of the parameter.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct Any(pub serde_yaml::Value);

impl JsonSchema for Any {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Any".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        true.into()
    }
    fn inline_schema() -> bool {
        true
    }
}

/// Severities and parameters for some resources.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OverrideEntry {
    /// Which resources.
    #[serde(rename = "match")]
    pub matching: Match,
    /// Severity by rule, topic or alias.
    #[serde(default)]
    pub severity: BTreeMap<String, Level>,
    /// Parameters by rule.
    #[serde(default)]
    pub params: BTreeMap<String, BTreeMap<String, Any>>,
}

/// Resources; what is left out fits all, and all that is said must fit.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// Patterns of files.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Clusters.
    #[serde(default)]
    pub cluster: OneOrMany,
    /// Environments, as `assume` names them.
    #[serde(default)]
    pub environment: OneOrMany,
    /// Namespaces.
    #[serde(default)]
    pub namespace: OneOrMany,
    /// Kinds.
    #[serde(default)]
    pub kind: OneOrMany,
    /// Labels of the resource.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// One text or several.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// Left out.
    #[default]
    #[schemars(skip)]
    None,
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl OneOrMany {
    /// As a list.
    pub fn to_vec(&self) -> Vec<String> {
        match self {
            OneOrMany::None => Vec::new(),
            OneOrMany::One(one) => vec![one.clone()],
            OneOrMany::Many(many) => many.clone(),
        }
    }
}

/// A cluster.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterEntry {
    /// Patterns of its files.
    pub files: Vec<String>,
    /// What its manifests do not say; adds to the `assume` of the file.
    #[serde(default)]
    pub assume: Assume,
    /// `true`, or kinds; adds to the `complete` of the file.
    #[serde(default)]
    pub complete: Complete,
}

/// What the manifests do not say.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assume {
    /// Istio's version, `1.30`.
    pub istio: Option<String>,
    /// Kubernetes' version, `1.34`.
    pub kubernetes: Option<String>,
    /// How workloads join the mesh where labels do not say: `sidecar`, `ambient`, `none`.
    pub injection: Option<Joins>,
    /// `prod`, `staging`, …; production where nothing is said.
    pub environment: Option<String>,
    /// `gke`, `eks`, `aks`, `openshift`, …
    pub platform: Option<String>,
    /// `cilium`, `calico`, …
    pub cni: Option<String>,
}

/// How a workload joins the mesh.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Joins {
    /// By an Envoy in its pods.
    Sidecar,
    /// By the node's proxy.
    Ambient,
    /// Not at all.
    None,
}

impl Assume {
    /// As `--assume` writes it, with the key of each.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let injection = self.injection.map(|joins| match joins {
            Joins::Sidecar => "sidecar",
            Joins::Ambient => "ambient",
            Joins::None => "none",
        });
        let all = [
            ("istio", self.istio.clone()),
            ("kubernetes", self.kubernetes.clone()),
            ("injection", injection.map(str::to_string)),
            ("environment", self.environment.clone()),
            ("platform", self.platform.clone()),
            ("cni", self.cni.clone()),
        ];
        all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }
}

/// Of what everything is in the input.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Complete {
    /// All kinds, or nothing in particular.
    All(bool),
    /// One kind.
    One(String),
    /// Kinds.
    Kinds(Vec<String>),
}

impl Default for Complete {
    fn default() -> Complete {
        Complete::All(false)
    }
}

impl Complete {
    /// Kinds; `*` for all.
    pub fn kinds(&self) -> Vec<String> {
        match self {
            Complete::All(true) => vec!["*".to_string()],
            Complete::All(false) => Vec::new(),
            Complete::One(kind) => vec![kind.clone()],
            Complete::Kinds(kinds) => kinds.clone(),
        }
    }
}
