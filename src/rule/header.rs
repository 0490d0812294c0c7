//! The front matter of a rule.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::closest;
use super::params::{ParamType, ParamValue};
use crate::finding::Severity;
use crate::kinds;

/// What a rule looks at: a kind, or what a resource *is* in the mesh.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// A kind: API group and kind.
    Kind(String, String),
    /// A role, decided once in Rust.
    Role(Role),
}

/// What a resource is in the mesh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Once per cluster, without a resource.
    Mesh,
    /// Anything with a pod template.
    Workload,
    /// A workload whose pods certainly get a sidecar.
    MeshedWorkload,
    /// A workload whose traffic ztunnel certainly carries.
    AmbientWorkload,
    /// The control plane.
    Istiod,
    /// An Envoy without an application.
    GatewayWorkload,
    /// A gateway of class `istio-waypoint`.
    Waypoint,
    /// The node proxy of ambient mode.
    Ztunnel,
    /// The node agent that sets up redirection.
    IstioCni,
    /// A ConfigMap with mesh configuration.
    MeshConfig,
    /// A ConfigMap with the injector's values.
    InjectorConfig,
    /// A Service of istiod's that a webhook or a proxy calls.
    IstiodService,
}

/// All roles with the name that headers use and what they mean.
pub const ROLES: &[(Role, &str, &str)] = &[
    (Role::Mesh, "Mesh", "once per cluster; `fn check(mesh)`"),
    (Role::Workload, "Workload", "anything with a pod template"),
    (Role::MeshedWorkload, "MeshedWorkload", "a workload whose pods certainly get a sidecar"),
    (Role::AmbientWorkload, "AmbientWorkload", "a workload whose traffic ztunnel certainly carries"),
    (Role::Istiod, "Istiod", "the control plane: pods with `app: istiod` and a container `discovery`"),
    (Role::GatewayWorkload, "GatewayWorkload", "an Envoy without an application: ingress, egress, east-west"),
    (Role::Waypoint, "Waypoint", "a gateway of class `istio-waypoint`"),
    (Role::Ztunnel, "Ztunnel", "the node proxy of ambient mode"),
    (Role::IstioCni, "IstioCni", "the node agent that sets up redirection"),
    (Role::MeshConfig, "MeshConfig", "the ConfigMap `istio`, or `istio-<revision>`"),
    (Role::InjectorConfig, "InjectorConfig", "the ConfigMap `istio-sidecar-injector`, or with `-<revision>`"),
    (Role::IstiodService, "IstiodService", "a Service that Istio's webhooks or proxies call"),
];

impl Role {
    /// The role of that name.
    pub fn parse(name: &str) -> Option<Role> {
        ROLES.iter().find(|(_, n, _)| *n == name).map(|(role, _, _)| *role)
    }

    /// Its name in headers.
    pub fn as_str(self) -> &'static str {
        ROLES.iter().find(|(role, _, _)| *role == self).map_or("", |(_, name, _)| name)
    }
}

impl Subject {
    fn parse(name: &str) -> Result<Subject, String> {
        if let Some(role) = Role::parse(name) {
            return Ok(Subject::Role(role));
        }
        if let Some((group, kind)) = kinds::resolve(name) {
            return Ok(Subject::Kind(group.to_string(), kind.to_string()));
        }
        let known = ROLES.iter().map(|(_, name, _)| *name).chain(kinds::KNOWN.iter().map(|k| k.kind));
        let hint = match closest(name, known) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => "write a kind of another API with its group, as in \"Certificate.cert-manager.io\"".to_string(),
        };
        Err(format!("\"{name}\" is no role and no kind of the usual APIs; {hint}"))
    }

    /// As a header writes it.
    pub fn name(&self) -> String {
        match self {
            Subject::Role(role) => role.as_str().to_string(),
            Subject::Kind(group, kind) if kinds::resolve(kind) == Some((group, kind)) => kind.clone(),
            Subject::Kind(group, kind) => format!("{kind}.{group}"),
        }
    }
}

/// Rules that are off unless somebody asks for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptIn {
    /// New; may still change.
    Preview,
    /// Right, but not everybody's taste.
    Pedantic,
}

/// A parameter that users may set.
#[derive(Debug, Clone)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// What it may be.
    pub kind: ParamType,
    /// Its value unless something else is set.
    pub default: ParamValue,
    /// Its value under the preset `official`, where that differs.
    pub official: Option<ParamValue>,
    /// What it means.
    pub help: String,
}

/// What the front matter says, checked.
#[derive(Debug, Clone)]
pub struct Header {
    /// The highest severity that the rule gives.
    pub severity: Severity,
    /// What it checks.
    pub checks: Vec<Subject>,
    /// Ids of the same check in other tools.
    pub aka: Vec<String>,
    /// Parameters in the order of the header.
    pub params: Vec<Param>,
    /// Off unless asked for.
    pub opt_in: Option<OptIn>,
    /// Only in production.
    pub production_only: bool,
    /// Documents in which none of these keys occurs are skipped.
    pub mentions: Vec<String>,
    /// Former ids.
    pub formerly: Vec<String>,
    /// Made in Rust; the file holds only the page.
    pub native: bool,
    /// It is about values that can't be read, so a test does not demand silence about them.
    pub about_unreadable: bool,
    /// Replaces a built-in rule of the same id.
    pub overrides: bool,
    /// Where the guidance comes from.
    pub source: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHeader {
    severity: Severity,
    #[serde(default)]
    checks: OneOrMany,
    #[serde(default)]
    aka: OneOrMany,
    #[serde(default)]
    params: serde_yaml::Mapping,
    opt_in: Option<OptIn>,
    #[serde(default)]
    production_only: bool,
    #[serde(default)]
    mentions: OneOrMany,
    #[serde(default)]
    formerly: OneOrMany,
    #[serde(default)]
    native: bool,
    #[serde(default)]
    about_unreadable: bool,
    #[serde(default)]
    overrides: bool,
    source: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(untagged)]
enum OneOrMany {
    #[default]
    None,
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn into_vec(self) -> Vec<String> {
        match self {
            OneOrMany::None => Vec::new(),
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(many) => many,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawParam {
    #[serde(rename = "type")]
    kind: String,
    default: serde_yaml::Value,
    #[serde(default)]
    presets: BTreeMap<String, serde_yaml::Value>,
    help: String,
}

/// Why a header can't be used: the line within the front matter (from 0) and the reason.
pub type HeaderError = (usize, String);

const KEYS: [&str; 12] = [
    "severity",
    "checks",
    "aka",
    "params",
    "opt_in",
    "production_only",
    "mentions",
    "formerly",
    "native",
    "about_unreadable",
    "overrides",
    "source",
];

/// Reads the front matter.
pub fn parse(yaml: &str) -> Result<Header, HeaderError> {
    let line_of = |needle: &str| yaml.lines().position(|l| l.trim_start().starts_with(needle)).unwrap_or(0);
    let raw: RawHeader = super::read_yaml(yaml).map_err(|error| {
        let line = error.location().map_or(0, |l| l.line().saturating_sub(1));
        describe(&error.to_string(), line, yaml)
    })?;
    let checks = raw
        .checks
        .into_vec()
        .iter()
        .map(|name| Subject::parse(name).map_err(|reason| (line_of("checks"), reason)))
        .collect::<Result<Vec<_>, _>>()?;
    if checks.is_empty() && !raw.native {
        return Err((0, "a rule says what it checks: `checks: VirtualService`".to_string()));
    }
    let mut params = Vec::new();
    for (name, value) in raw.params {
        let name = name.as_str().unwrap_or_default().to_string();
        let line = line_of(&format!("{name}:"));
        let raw: RawParam = serde_yaml::from_value(value).map_err(|e| (line, format!("parameter \"{name}\": {e}")))?;
        let at = |reason: String| (line, format!("parameter \"{name}\": {reason}"));
        let kind = ParamType::parse(&raw.kind).map_err(at)?;
        let default = ParamValue::read(&raw.default, &kind).map_err(at)?;
        let mut official = None;
        for (preset, value) in raw.presets {
            if preset != "official" {
                return Err(at(format!(
                    "unknown preset \"{preset}\"; there are \"field\" (the default) and \"official\""
                )));
            }
            official = Some(ParamValue::read(&value, &kind).map_err(at)?);
        }
        params.push(Param { name, kind, default, official, help: raw.help });
    }
    Ok(Header {
        severity: raw.severity,
        checks,
        aka: raw.aka.into_vec(),
        params,
        opt_in: raw.opt_in,
        production_only: raw.production_only,
        mentions: raw.mentions.into_vec(),
        formerly: raw.formerly.into_vec(),
        native: raw.native,
        about_unreadable: raw.about_unreadable,
        overrides: raw.overrides,
        source: raw.source,
    })
}

/// serde's words, with a suggestion for a misspelt key.
fn describe(message: &str, line: usize, yaml: &str) -> HeaderError {
    let message = message.split(" at line ").next().unwrap_or(message);
    let Some(key) = message.strip_prefix("unknown field `").and_then(|r| r.split('`').next()) else {
        return (line, message.to_string());
    };
    let line = yaml.lines().position(|l| l.trim_start().starts_with(&format!("{key}:"))).unwrap_or(line);
    match closest(key, KEYS) {
        Some(near) => (line, format!("unknown key \"{key}\"; did you mean \"{near}\"?")),
        None => (line, format!("unknown key \"{key}\"; the keys are {}", KEYS.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_header() {
        let header = parse(
            "severity: warning\nchecks: [Istiod, Gateway.gateway.networking.k8s.io]\naka: IST0101\nparams:\n  least:\n    type: quantity\n    default: 4Gi\n    presets: { official: 1536Mi }\n    help: memory\n",
        )
        .unwrap();
        assert_eq!(header.checks[0], Subject::Role(Role::Istiod));
        assert_eq!(header.checks[1].name(), "Gateway.gateway.networking.k8s.io");
        assert_eq!(header.aka, ["IST0101"]);
        assert!(header.params[0].official.is_some());
    }

    #[test]
    fn mistakes_are_named_at_their_line() {
        for (text, line, part) in [
            ("severity: warning\ncheks: Istiod\n", 1, "did you mean \"checks\"?"),
            ("severity: fatal\nchecks: Istiod\n", 0, "fatal"),
            ("severity: error\nchecks: VirtualServce\n", 1, "did you mean \"VirtualService\"?"),
            ("severity: error\n", 0, "says what it checks"),
            ("severity: error\nchecks: Istiod\nparams:\n  x: {type: quantity, default: lots, help: a}\n", 3, "lots"),
            ("severity: error\nchecks: Istiod\nparams:\n  x: {type: version, default: 1.30, help: a}\n", 3, "quotes"),
        ] {
            let (at, reason) = parse(text).unwrap_err();
            assert!(reason.contains(part), "{reason}");
            assert_eq!(at, line, "{reason}");
        }
    }
}
