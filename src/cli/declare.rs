//! What the user says about clusters and rules on the command line; every command that judges a mesh takes it.

use crate::config::{Flags, Preset};

#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Declaring {
    /// Set a parameter of a rule; repeatable
    #[arg(long = "param", value_name = "RULE.KEY=VALUE")]
    pub(super) params: Vec<String>,
    /// Whose figures the parameters take; the default is field
    #[arg(long, value_enum)]
    pub(super) preset: Option<Preset>,
    /// Declare what manifests do not say: istio=1.30, kubernetes=1.34, injection=sidecar|ambient|none,
    /// environment=…, platform=…, cni=… (comma-separated, repeatable)
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) assume: Vec<String>,
    /// All resources (of these kinds) are in the input: what is not there does not exist
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "", value_name = "KINDS")]
    pub(super) complete: Option<String>,
    /// Namespace of resources that name none; the default is "default"
    #[arg(long, value_name = "NAME")]
    pub(super) namespace: Option<String>,
    /// The date that rules take for today
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(super) today: Option<String>,
}

impl Declaring {
    /// The same as the configuration takes it.
    pub(super) fn flags(&self) -> Flags {
        Flags {
            params: self.params.clone(),
            assume: self.assume.clone(),
            complete: self.complete.clone(),
            today: self.today.clone(),
            preset: self.preset,
            namespace: self.namespace.clone(),
            ..Flags::default()
        }
    }
}
