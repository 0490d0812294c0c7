//! How a rule takes part in a run, and where that differs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::params::ParamValue;
use crate::finding::Severity;
use crate::source::FileId;

/// Values of a rule's parameters after presets, configuration and flags.
pub type Params = BTreeMap<String, ParamValue>;

/// How a rule takes part in a run.
#[derive(Debug, Clone, Default)]
pub struct Setting {
    /// Whether it runs.
    pub on: bool,
    /// Its parameters.
    pub params: Params,
    /// The highest severity that it gives, if that is not the one of its header.
    pub severity: Option<Severity>,
    /// Where something else holds; of several that fit a resource, the last one wins.
    pub overrides: Vec<Override>,
}

/// What holds for a rule on some resources.
#[derive(Debug, Clone)]
pub struct Override {
    /// Which resources.
    pub condition: Arc<Condition>,
    /// The severity there; off if there is none.
    pub severity: Option<Option<Severity>>,
    /// Parameters that differ.
    pub params: Params,
}

/// Resources that an override means; what is empty or missing fits all.
#[derive(Debug, Clone, Default)]
pub struct Condition {
    /// Files in which they stand.
    pub files: Option<BTreeSet<FileId>>,
    /// Namespaces.
    pub namespaces: Vec<String>,
    /// API groups and kinds.
    pub kinds: Vec<(String, String)>,
    /// Labels of the resource.
    pub labels: BTreeMap<String, String>,
}
