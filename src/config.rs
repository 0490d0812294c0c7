//! Flags → settings: which rules run and how, and what is declared about the cluster.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;

use crate::finding::Problem;
use crate::mesh::Declared;
use crate::rule::params::ParamValue;
use crate::rule::{RuleSet, Setting, closest, load};

/// Everything that a check needs to know beside the texts and the rules.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// How each rule takes part, in the order of the rules.
    pub rules: Vec<Setting>,
    /// Whether no rule was left out by selection: only then can a suppression be called unused.
    pub all_rules: bool,
    /// What is declared about the cluster.
    pub declared: Declared,
    /// The namespace of namespaced resources that name none.
    pub namespace: String,
    /// Threads.
    pub jobs: usize,
    /// Names of files that the user gave: those are manifests, whatever they look like.
    pub named: HashSet<String>,
}

/// Whose figures the parameters take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Preset {
    /// Field experience.
    #[default]
    Field,
    /// What the projects themselves measured or recommend.
    Official,
}

/// What the user said, still as text.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// Only these rules; empty for all.
    pub select: Vec<String>,
    /// Not these.
    pub ignore: Vec<String>,
    /// `rule.key=value`
    pub params: Vec<String>,
    /// `key=value`, maybe several with commas between.
    pub assume: Vec<String>,
    /// Kinds of which everything is in the input; an empty text for all.
    pub complete: Option<String>,
    /// The date of the run.
    pub today: Option<String>,
    /// Whose figures.
    pub preset: Preset,
}

impl Settings {
    /// Checks what the user said against the rules.
    ///
    /// # Errors
    ///
    /// A problem for each flag that means nothing, with what may have been meant.
    pub fn new(flags: &Flags, set: &RuleSet) -> Result<Settings, Vec<Problem>> {
        let mut problems = Vec::new();
        for name in flags.select.iter().chain(&flags.ignore).filter(|n| *n != "all" && !set.knows(n)) {
            let problem = Problem::error(format!("no rule, topic or alias is called \"{name}\""));
            problems.push(match load::did_you_mean(set, name) {
                Some(hint) => problem.help(hint),
                None => problem.help("`plimsoll rules` lists them"),
            });
        }
        let mut given = given_params(flags, set, &mut problems);
        let declared = declared(flags, &mut problems);
        let production = declared.is_production();
        let mut all_rules = true;
        let rules = set
            .rules
            .iter()
            .map(|rule| {
                let by_name = |names: &[String]| names.iter().any(|n| rule.is_named(n));
                let selected = if flags.select.is_empty() {
                    rule.header.opt_in.is_none()
                } else {
                    // Naming an opt-in rule enables it; its topic does not.
                    by_name(&flags.select)
                        && (rule.header.opt_in.is_none()
                            || flags.select.iter().any(|n| n == rule.id.as_str() || n == rule.id.stem()))
                };
                let on = selected && !by_name(&flags.ignore) && (production || !rule.header.production_only);
                all_rules &= on || rule.header.opt_in.is_some() || rule.header.production_only;
                let mut params: crate::rule::Params = rule
                    .header
                    .params
                    .iter()
                    .map(|p| {
                        let official = p.official.as_ref().filter(|_| flags.preset == Preset::Official);
                        (p.name.clone(), official.unwrap_or(&p.default).clone())
                    })
                    .collect();
                params.extend(given.remove(rule.id.as_str()).unwrap_or_default());
                Setting { on, params }
            })
            .collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        let jobs = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Settings { rules, all_rules, declared, namespace: "default".to_string(), jobs, named: HashSet::new() })
    }
}

/// `--param rule.key=value`, typed.
fn given_params(
    flags: &Flags,
    set: &RuleSet,
    problems: &mut Vec<Problem>,
) -> HashMap<String, Vec<(String, ParamValue)>> {
    let mut given: HashMap<String, Vec<(String, ParamValue)>> = HashMap::new();
    for flag in &flags.params {
        let parts = flag.split_once('=').and_then(|(path, value)| Some((path.rsplit_once('.')?, value)));
        let Some(((name, key), value)) = parts else {
            let problem = Problem::error(format!("--param {flag}: written as rule.key=value"));
            problems.push(problem.help("as in --param istiod-memory-below-tier.min_services=20"));
            continue;
        };
        let Some(rule) = set.find(name) else {
            let problem = Problem::error(format!("--param {flag}: no rule is called \"{name}\""));
            problems.push(match load::did_you_mean(set, name) {
                Some(hint) => problem.help(hint),
                None => problem,
            });
            continue;
        };
        let Some(param) = rule.header.params.iter().find(|p| p.name == key) else {
            let problem = Problem::error(format!("--param {flag}: rule {} has no parameter \"{key}\"", rule.id));
            let names: Vec<&str> = rule.header.params.iter().map(|p| p.name.as_str()).collect();
            problems.push(match closest(key, names.iter().copied()) {
                Some(near) => problem.help(format!("did you mean \"{near}\"?")),
                None if names.is_empty() => problem.help("it has none"),
                None => problem.help(format!("it has {}", names.join(", "))),
            });
            continue;
        };
        match ParamValue::parse(value, &param.kind) {
            Ok(value) => given.entry(rule.id.to_string()).or_default().push((key.to_string(), value)),
            Err(reason) => problems.push(Problem::error(format!("--param {flag}: {reason}"))),
        }
    }
    given
}

/// What may be assumed.
const ASSUMPTIONS: [&str; 6] = ["istio", "kubernetes", "injection", "environment", "platform", "cni"];

fn declared(flags: &Flags, problems: &mut Vec<Problem>) -> Declared {
    let mut declared = Declared::default();
    for assumption in flags.assume.iter().flat_map(|a| a.split(',')).map(str::trim).filter(|a| !a.is_empty()) {
        let Some((key, value)) = assumption.split_once('=') else {
            problems.push(Problem::error(format!("--assume {assumption}: written as key=value, as in istio=1.30")));
            continue;
        };
        let value = value.trim().to_string();
        let version = || crate::units::Version::parse(&value).is_some();
        match key.trim() {
            "istio" if version() => declared.istio = Some(value),
            "kubernetes" if version() => declared.kubernetes = Some(value),
            "istio" | "kubernetes" => {
                problems.push(Problem::error(format!("--assume {assumption}: \"{value}\" is no version such as 1.30")));
            }
            "injection" if matches!(value.as_str(), "sidecar" | "ambient" | "none") => declared.injection = Some(value),
            "injection" => {
                problems.push(Problem::error(format!("--assume {assumption}: one of sidecar, ambient, none")));
            }
            "environment" => declared.environment = Some(value),
            "platform" => declared.platform = Some(value),
            "cni" => declared.cni = Some(value),
            other => {
                let problem =
                    Problem::error(format!("--assume {assumption}: nothing called \"{other}\" can be assumed"));
                problems.push(match closest(other, ASSUMPTIONS) {
                    Some(near) => problem.help(format!("did you mean \"{near}\"?")),
                    None => problem.help(format!("there are {}", ASSUMPTIONS.join(", "))),
                });
            }
        }
    }
    if let Some(kinds) = &flags.complete {
        declared.complete = if kinds.is_empty() {
            vec!["*".to_string()]
        } else {
            kinds.split(',').map(|k| k.trim().to_string()).filter(|k| !k.is_empty()).collect()
        };
        for kind in declared.complete.iter().filter(|k| *k != "*" && *k != "all") {
            if crate::kinds::resolve(kind).is_none() {
                let near = closest(kind, crate::kinds::KNOWN.iter().map(|k| k.kind));
                let problem = Problem::error(format!("--complete {kind}: no kind of the usual APIs"));
                problems.push(match near {
                    Some(near) => problem.help(format!("did you mean \"{near}\"?")),
                    None => problem.help("write a kind of another API with its group: Kind.group"),
                });
            }
        }
    }
    declared.official = flags.preset == Preset::Official;
    declared.today = match &flags.today {
        None => today(),
        Some(date) => {
            if jiff::civil::Date::from_str(date).is_err() {
                problems.push(Problem::error(format!("--today {date}: written as 2026-11-24")));
            }
            date.clone()
        }
    };
    declared
}

/// The date of the run: `SOURCE_DATE_EPOCH` where it is set, as reproducible builds ask, else the
/// clock's, in UTC.
fn today() -> String {
    let epoch = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|s| s.trim().parse::<i64>().ok());
    let seconds = epoch.unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(0))
    });
    let stamp = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    stamp.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}

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
    preset: Option<String>,
}

/// The settings under which an example of a rule runs: a fixed date and what its `# config:` says.
///
/// # Errors
///
/// A reason why the line means nothing.
pub fn for_example(config: Option<&str>, rule: &str, set: &RuleSet) -> Result<Settings, String> {
    let config: ExampleConfig = match config {
        Some(text) => serde_yaml::from_str(text).map_err(|e| format!("# config: {e}"))?,
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
        preset: match config.preset.as_deref() {
            None | Some("field") => Preset::Field,
            Some("official") => Preset::Official,
            Some(other) => return Err(format!("# config: unknown preset \"{other}\"")),
        },
        ..Flags::default()
    };
    let mut settings = Settings::new(&flags, set)
        .map_err(|problems| problems.iter().map(|p| p.message.as_str()).collect::<Vec<_>>().join("; "))?;
    settings.jobs = 1;
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_that_mean_nothing_are_named() {
        let set = RuleSet::default();
        for (flags, part) in [
            (Flags { select: vec!["nope".into()], ..Flags::default() }, "nope"),
            (Flags { assume: vec!["isito=1.30".into()], ..Flags::default() }, "isito"),
            (Flags { assume: vec!["istio=new".into()], ..Flags::default() }, "no version"),
            (Flags { complete: Some("Servce".into()), ..Flags::default() }, "Servce"),
            (Flags { today: Some("soon".into()), ..Flags::default() }, "soon"),
            (Flags { params: vec!["x".into()], ..Flags::default() }, "rule.key=value"),
        ] {
            let problems = Settings::new(&flags, &set).unwrap_err();
            assert!(problems[0].message.contains(part), "{}", problems[0].message);
        }
    }

    #[test]
    fn assumptions_become_declarations() {
        let flags = Flags {
            assume: vec!["istio=1.30,injection=sidecar".into()],
            complete: Some("Service,Secret".into()),
            today: Some("2026-01-01".into()),
            ..Flags::default()
        };
        let settings = Settings::new(&flags, &RuleSet::default()).unwrap();
        assert_eq!(settings.declared.istio.as_deref(), Some("1.30"));
        assert_eq!(settings.declared.complete, ["Service", "Secret"]);
        assert_eq!(settings.declared.today, "2026-01-01");
    }
}
