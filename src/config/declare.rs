//! What is declared about a cluster: `assume`, `complete`, `externals`, `today`.

use super::contents::{Assume, Complete};
use super::file::ConfigFile;
use super::{Flags, Preset, is_date, today};
use crate::finding::Problem;
use crate::mesh::Declared;
use crate::mesh::absence::External;
use crate::resource::pattern::{ResourcePattern, kind};
use crate::rule::closest;
use crate::units::Version;

/// What may be assumed.
const ASSUMPTIONS: [&str; 6] = ["istio", "kubernetes", "injection", "environment", "platform", "cni"];

/// What holds for clusters that the configuration does not name.
pub(super) fn declared(
    flags: &Flags,
    file: Option<&ConfigFile>,
    preset: Preset,
    problems: &mut Vec<Problem>,
) -> Declared {
    let mut declared = Declared { official: preset == Preset::Official, ..Declared::default() };
    if let Some(file) = file {
        let contents = &file.contents;
        from_file(&mut declared, file, &[], &contents.assume, &contents.complete, problems);
        for (number, text) in contents.externals.iter().enumerate() {
            match external(text) {
                Ok(external) => declared.externals.push(external),
                Err(reason) => problems.push(file.at(&["externals", &number.to_string()], reason)),
            }
        }
        if let Some(date) = contents.today.as_ref().filter(|date| !is_date(date)) {
            problems.push(file.at(&["today"], format!("\"{date}\" is not written as 2026-11-24")));
        }
    }
    if let Some(date) = flags.today.as_ref().filter(|date| !is_date(date)) {
        problems.push(Problem::error(format!("--today {date}: written as 2026-11-24")));
    }
    let date = flags.today.clone().or_else(|| file.and_then(|f| f.contents.today.clone()));
    declared.today = date.unwrap_or_else(today);
    from_flags(&mut declared, flags, problems);
    declared
}

/// What holds for a cluster of the configuration; flags win again.
pub(super) fn of_cluster(
    everywhere: &Declared,
    file: &ConfigFile,
    name: &str,
    flags: &Flags,
    problems: &mut Vec<Problem>,
) -> Declared {
    let mut declared = everywhere.clone();
    let entry = &file.contents.clusters[name];
    from_file(&mut declared, file, &["clusters", name], &entry.assume, &entry.complete, problems);
    // What is wrong with the flags was said before.
    from_flags(&mut declared, flags, &mut Vec::new());
    declared
}

fn from_file(
    declared: &mut Declared,
    file: &ConfigFile,
    start: &[&str],
    assumed: &Assume,
    complete: &Complete,
    problems: &mut Vec<Problem>,
) {
    for (key, value) in assumed.pairs() {
        if let Err((reason, _)) = assume(declared, key, &value) {
            problems.push(file.at(&[start, &["assume", key]].concat(), reason));
        }
    }
    for name in complete.kinds() {
        if let Err(reason) = add_complete(declared, &name) {
            problems.push(file.at(&[start, &["complete"]].concat(), reason));
        }
    }
}

fn from_flags(declared: &mut Declared, flags: &Flags, problems: &mut Vec<Problem>) {
    for assumption in flags.assume.iter().flat_map(|a| a.split(',')).map(str::trim).filter(|a| !a.is_empty()) {
        let Some((key, value)) = assumption.split_once('=') else {
            problems.push(Problem::error(format!("--assume {assumption}: written as key=value, as in istio=1.30")));
            continue;
        };
        if let Err((reason, help)) = assume(declared, key.trim(), value.trim()) {
            let problem = Problem::error(format!("--assume {assumption}: {reason}"));
            problems.push(match help {
                Some(help) => problem.help(help),
                None => problem,
            });
        }
    }
    let kinds = flags.complete.as_deref().map(|k| if k.is_empty() { "*" } else { k });
    for name in kinds.iter().flat_map(|k| k.split(',')).map(str::trim).filter(|k| !k.is_empty()) {
        if let Err(reason) = add_complete(declared, name) {
            problems.push(Problem::error(format!("--complete {name}: {reason}")));
        }
    }
}

/// Takes over one assumption; the error is a reason and what to do.
fn assume(declared: &mut Declared, key: &str, value: &str) -> Result<(), (String, Option<String>)> {
    let own = Some(value.to_string());
    match key {
        "istio" | "kubernetes" if Version::parse(value).is_none() => {
            return Err((format!("\"{value}\" is no version such as 1.30"), None));
        }
        "injection" if !matches!(value, "sidecar" | "ambient" | "none") => {
            return Err(("one of sidecar, ambient, none".to_string(), None));
        }
        "istio" => declared.istio = own,
        "kubernetes" => declared.kubernetes = own,
        "injection" => declared.injection = own,
        "environment" => declared.environment = own,
        "platform" => declared.platform = own,
        "cni" => declared.cni = own,
        other => {
            let help = match closest(other, ASSUMPTIONS) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("there are {}", ASSUMPTIONS.join(", ")),
            };
            return Err((format!("nothing called \"{other}\" can be assumed"), Some(help)));
        }
    }
    Ok(())
}

fn add_complete(declared: &mut Declared, name: &str) -> Result<(), String> {
    if !matches!(name, "*" | "all") {
        kind(name)?;
    }
    declared.complete.push(name.to_string());
    Ok(())
}

/// Reads `Kind/namespace/name`, `Kind/name` of a cluster-scoped kind, or `host/name`.
///
/// # Errors
///
/// What is wrong with it.
fn external(text: &str) -> Result<External, String> {
    match text.split_once('/') {
        Some(("host", "")) => Err(format!("\"{text}\" has an empty part")),
        Some(("host", host)) if !host.contains('/') => Ok(External::Host(host.to_string())),
        Some(_) => ResourcePattern::parse(text).map(External::Resource),
        None => Err(format!("\"{text}\" is not written as Kind/namespace/name or host/name")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn externals_are_read_or_refused() {
        assert!(matches!(external("Service/payments/api"), Ok(External::Resource(_))));
        assert!(matches!(external("GatewayClass/istio"), Ok(External::Resource(_))));
        assert_eq!(external("host/*.example"), Ok(External::Host("*.example".to_string())));
        for (text, part) in
            [("Service/api", "has a namespace"), ("Servce/a/b", "\"Service\""), ("x", "not written"), ("a//b", "empty")]
        {
            assert!(external(text).unwrap_err().contains(part), "{text}");
        }
    }
}
