//! Which rules run and how: selection, severities and parameters from flags and configuration.

use std::collections::BTreeMap;

use super::contents::{Any, Level};
use super::file::ConfigFile;
use super::{Flags, Preset};
use crate::finding::Problem;
use crate::rule::params::ParamValue;
use crate::rule::{Params, Rule, RuleSet, Setting, closest, load};

/// What is said about one rule.
#[derive(Debug, Clone, Default)]
pub(super) struct Change {
    /// Its severity, or off.
    pub(super) level: Option<Level>,
    /// It was named itself, not its topic.
    named: bool,
    /// Its parameters.
    pub(super) params: Params,
}

/// What flags and configuration say, by number of the rule; flags win.
pub(super) fn changes(
    flags: &Flags,
    file: Option<&ConfigFile>,
    set: &RuleSet,
    problems: &mut Vec<Problem>,
) -> BTreeMap<usize, Change> {
    let mut changes = match file {
        Some(file) => changes_of(file, &[], &file.contents.severity, &file.contents.params, set, problems),
        None => BTreeMap::new(),
    };
    for flag in &flags.params {
        let parts = flag.split_once('=').and_then(|(path, value)| Some((path.rsplit_once('.')?, value)));
        let Some(((name, key), value)) = parts else {
            let problem = Problem::error(format!("--param {flag}: written as rule.key=value"));
            problems.push(problem.help("as in --param proxy-memory-limit-too-low.least=256Mi"));
            continue;
        };
        let typed = param(set, name, key).and_then(|(number, param)| {
            let value = ParamValue::parse(value, &param.kind).map_err(|reason| (reason, None))?;
            Ok((number, value))
        });
        match typed {
            Ok((number, value)) => {
                changes.entry(number).or_default().params.insert(key.to_string(), value);
            }
            Err((reason, help)) => {
                let problem = Problem::error(format!("--param {flag}: {reason}"));
                problems.push(match help {
                    Some(help) => problem.help(help),
                    None => problem,
                });
            }
        }
    }
    changes
}

/// What one part of the configuration says; `start` is the path of that part.
pub(super) fn changes_of(
    file: &ConfigFile,
    start: &[&str],
    severity: &BTreeMap<String, Level>,
    params: &BTreeMap<String, BTreeMap<String, Any>>,
    set: &RuleSet,
    problems: &mut Vec<Problem>,
) -> BTreeMap<usize, Change> {
    let mut changes: BTreeMap<usize, Change> = BTreeMap::new();
    // So many mistakes are enough to see what is wrong.
    for name in severity.keys().filter(|name| !set.knows(name) && *name != "all").take(50) {
        let place = [start, &["severity", name]].concat();
        let problem = file.at_key(&place, format!("no rule, topic or alias is called \"{name}\""));
        problems.push(problem.help(load::did_you_mean(set, name)));
    }
    for (number, rule) in set.rules.iter().enumerate() {
        let named = severity.iter().filter(|(name, _)| rule.is_named(name));
        if let Some((name, level)) = named.max_by_key(|(name, _)| (weight(rule, name), std::cmp::Reverse(*name))) {
            let change = changes.entry(number).or_default();
            change.level = Some(*level);
            change.named = weight(rule, name) == 3;
        }
    }
    for (name, values) in params {
        for (key, value) in values {
            let typed = param(set, name, key).and_then(|(number, param)| {
                let value = ParamValue::read(&value.0, &param.kind).map_err(|reason| (reason, None))?;
                Ok((number, value))
            });
            match typed {
                Ok((number, value)) => {
                    changes.entry(number).or_default().params.insert(key.clone(), value);
                }
                Err((reason, help)) => {
                    let mut place = [start, &["params", name]].concat();
                    // An unknown rule is said once, whatever its parameters.
                    place.extend(set.find(name).map(|_| key.as_str()));
                    let is_value = help.is_none();
                    let problem = if is_value { file.at(&place, reason) } else { file.at_key(&place, reason) };
                    let range = |p: &Problem| p.place.as_ref().map(|(_, range)| range.clone());
                    let said = |p: &Problem| p.message == problem.message && range(p) == range(&problem);
                    if !problems.iter().any(said) {
                        problems.push(match help.filter(|h| !h.is_empty()) {
                            Some(help) => problem.help(help),
                            None => problem,
                        });
                    }
                }
            }
        }
    }
    changes
}

/// How exactly a name means a rule: its id, then an alias, then its topic, then all rules.
fn weight(rule: &Rule, name: &str) -> u8 {
    if name == rule.id.as_str() || name == rule.id.stem() {
        3
    } else if name == "all" {
        0
    } else if name == rule.id.topic() {
        1
    } else {
        2
    }
}

/// A parameter by the name of its rule and its own; the error is a reason and what to do, which is
/// nothing for a wrong value.
fn param<'s>(
    set: &'s RuleSet,
    name: &str,
    key: &str,
) -> Result<(usize, &'s crate::rule::header::Param), (String, Option<String>)> {
    let Some(rule) = set.find(name) else {
        let hint = load::did_you_mean(set, name);
        return Err((format!("no rule is called \"{name}\""), Some(hint)));
    };
    let number = set.rules.iter().position(|r| r.id == rule.id).unwrap_or(0);
    if let Some(param) = rule.header.params.iter().find(|p| p.name == key) {
        return Ok((number, param));
    }
    let names: Vec<&str> = rule.header.params.iter().map(|p| p.name.as_str()).collect();
    let hint = match closest(key, names.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None if names.is_empty() => "it has none".to_string(),
        None => format!("it has {}", names.join(", ")),
    };
    Err((format!("rule {} has no parameter \"{key}\"", rule.id), Some(hint)))
}

/// The settings of all rules, and whether none was left out by selection.
pub(super) fn settings(
    flags: &Flags,
    preset: Preset,
    set: &RuleSet,
    mut changes: BTreeMap<usize, Change>,
) -> (Vec<Setting>, bool) {
    let mut all_rules = true;
    let mut settings = Vec::new();
    for (number, rule) in set.rules.iter().enumerate() {
        let change = changes.remove(&number).unwrap_or_default();
        let by_name = |names: &[String]| names.iter().any(|n| rule.is_named(n));
        let opted_in = rule.header.opt_in.is_none();
        let selected = if flags.select.is_empty() {
            // Naming an opt-in rule in the configuration enables it.
            opted_in || change.named
        } else {
            // Naming an opt-in rule enables it; its topic does not.
            let exact = |n: &String| n == rule.id.as_str() || n == rule.id.stem();
            by_name(&flags.select) && (opted_in || flags.select.iter().any(exact))
        };
        // Who names a rule on the command line wants it, whatever the configuration says.
        let off = change.level == Some(Level::Off) && !by_name(&flags.select);
        let on = selected && !by_name(&flags.ignore) && !off;
        all_rules &= on || rule.header.opt_in.is_some();
        let default = |p: &crate::rule::header::Param| {
            let official = p.official.as_ref().filter(|_| preset == Preset::Official);
            (p.name.clone(), official.unwrap_or(&p.default).clone())
        };
        let mut params: Params = rule.header.params.iter().map(default).collect();
        params.extend(change.params);
        settings.push(Setting { on, params, severity: change.level.and_then(Level::severity), overrides: Vec::new() });
    }
    (settings, all_rules)
}
