//! What the `# config:` line of an example says.

use super::{Flags, Preset, Settings};
use crate::rule::RuleSet;

/// The date of examples and tests.
pub const FIXED_DATE: &str = "2026-11-22";

/// What `# config:` of an example says.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ExampleConfig {
    today: Option<String>,
    #[serde(default)]
    assume: std::collections::BTreeMap<String, serde_yaml::Value>,
    #[serde(default)]
    params: std::collections::BTreeMap<String, serde_yaml::Value>,
    #[serde(default)]
    complete: Option<serde_yaml::Value>,
    preset: Option<Preset>,
}

/// The settings under which an example of a rule runs: a fixed date and what its `# config:` says.
///
/// # Errors
///
/// A reason why the line means nothing.
pub fn for_example(config: Option<&str>, rule: &str, set: &RuleSet) -> Result<Settings, String> {
    let config: ExampleConfig = match config {
        Some(text) => crate::rule::read_yaml(text).map_err(|e| format!("# config: {e}"))?,
        None => ExampleConfig::default(),
    };
    let text = |value: &serde_yaml::Value| serde_yaml::to_string(value).unwrap_or_default().trim().to_string();
    let plain = |value: &serde_yaml::Value| value.as_str().map_or_else(|| text(value), str::to_string);
    let flags = Flags {
        params: config.params.iter().map(|(key, value)| format!("{rule}.{key}={}", plain(value))).collect(),
        assume: config.assume.iter().map(|(key, value)| format!("{key}={}", plain(value))).collect(),
        complete: config.complete.as_ref().map(|value| match value {
            serde_yaml::Value::Bool(true) => String::new(),
            serde_yaml::Value::Sequence(kinds) => kinds.iter().map(plain).collect::<Vec<_>>().join(","),
            other => plain(other),
        }),
        today: Some(config.today.unwrap_or_else(|| FIXED_DATE.to_string())),
        preset: config.preset,
        ..Flags::default()
    };
    let mut settings = Settings::new(&flags, None, set)
        .map_err(|problems| problems.iter().map(|p| p.message.as_str()).collect::<Vec<_>>().join("; "))?;
    settings.jobs = 1;
    Ok(settings)
}
