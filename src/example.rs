//! The examples of a rule's page, as tests and as pictures.
//!
//! `plimsoll test`, `cargo test` and `plimsoll explain` share this: an example is checked like any
//! input, at a fixed date, and compared with its `# finding:` markers.

mod rubbish;

use std::collections::BTreeSet;

use crate::config::{Settings, for_example};
use crate::finding::{Finding, Severity};
use crate::rule::Rule;
use crate::rule::page::{Example, ExampleKind};
use crate::run::Loaded;
use crate::source::{SourceFile, Sources};
use crate::yaml::{ErrorKind, Node, parse};
use crate::{Outcome, check, fix};

/// What became of one example.
#[derive(Debug, Clone)]
pub struct Result {
    /// `traffic/host-not-found::bad-1`
    pub name: String,
    /// The line of the rule file on which the example starts, from 1.
    pub line: usize,
    /// Why it fails; empty if it passes. Each starts with "Missing", "Noisy" or another word.
    pub failures: Vec<String>,
    /// What is odd but fails nothing.
    pub hints: Vec<String>,
}

impl Example {
    /// `bad-1`
    pub fn name(&self) -> String {
        let kind = if self.kind == ExampleKind::Bad { "bad" } else { "good" };
        format!("{kind}-{}", self.number)
    }

    /// Its files as texts that can be edited.
    pub fn sources(&self) -> Sources {
        let files = self.files.iter().map(|f| SourceFile::new(&f.name, Some(f.name.as_ref()), f.text.as_str()));
        Sources::new(files.collect())
    }
}

/// Settings of an example: this rule alone, or all rules.
pub fn settings(loaded: &Loaded, rule: &Rule, example: &Example, alone: bool) -> std::result::Result<Settings, String> {
    let mut settings = for_example(example.config.as_deref(), rule.id.as_str(), &loaded.set)?;
    for (other, setting) in loaded.set.rules.iter().zip(&mut settings.rules) {
        // An opt-in rule is on in its own examples. What Rust finds may be about any rule.
        setting.on = other.id == rule.id || (setting.on && (!alone || rule.header.native));
    }
    settings.all_rules &= !alone || rule.header.native;
    Ok(settings)
}

/// Checks an example by its rule alone.
pub fn outcome(
    loaded: &Loaded,
    rule: &Rule,
    example: &Example,
    sources: &Sources,
) -> std::result::Result<Outcome, String> {
    Ok(check(sources, loaded, &settings(loaded, rule, example, true)?))
}

/// Tests all examples of a rule.
pub fn test(loaded: &Loaded, rule: &Rule) -> Vec<Result> {
    let mut results: Vec<Result> = rule.page.examples.iter().map(|example| one(loaded, rule, example)).collect();
    for kind in [ExampleKind::Bad, ExampleKind::Good] {
        if !rule.header.native && !rule.page.examples.iter().any(|e| e.kind == kind) {
            let heading = if kind == ExampleKind::Bad { "Bad" } else { "Good" };
            results.push(Result {
                name: rule.id.to_string(),
                line: 1,
                failures: vec![format!("the page has no example under `## {heading}`")],
                hints: Vec::new(),
            });
        }
    }
    results
}

fn one(loaded: &Loaded, rule: &Rule, example: &Example) -> Result {
    let mut result = Result {
        name: format!("{}::{}", rule.id, example.name()),
        line: example.line + 1,
        failures: Vec::new(),
        hints: Vec::new(),
    };
    let sources = example.sources();
    let judged = settings(loaded, rule, example, true).and_then(|alone| {
        let all = settings(loaded, rule, example, false)?;
        Ok((check(&sources, loaded, &alone), check(&sources, loaded, &all), alone))
    });
    let (alone, all, settings) = match judged {
        Ok(judged) => judged,
        Err(reason) => {
            result.failures.push(reason);
            return result;
        }
    };
    let own = |outcome: &Outcome| outcome.findings.iter().filter(|f| f.rule == rule.id).cloned().collect::<Vec<_>>();
    if !rule.header.native {
        result.failures.extend(unreadable(&sources));
    }
    compare(example, &sources, &own(&alone), &mut result);
    result.failures.extend(alone.problems.iter().map(|p| {
        let line = p.place.as_ref().map(|(file, range)| file.line_col(range.start as u32).line);
        let line = line.map_or(String::new(), |line| format!(" on line {line} of the rule"));
        format!("Failed{line}: {}{}", p.message, p.label.as_ref().map_or(String::new(), |l| format!(": {l}")))
    }));
    if own(&alone).len() != own(&all).len() {
        result.failures.push("the rule finds something else when all rules run".to_string());
    }
    for finding in alone.unfounded.iter().filter(|f| f.rule == rule.id) {
        result.failures.push(format!(
            "\"{}\" came after a look-up that found nothing; say what it rests on with .rests_on(…)",
            finding.message
        ));
    }
    if example.kind == ExampleKind::Bad && !example.files.iter().any(|f| !f.expected.is_empty()) {
        result.failures.push("a Bad example marks what it shows with `# finding: a part of the message`".to_string());
    }
    let others: BTreeSet<&str> = all
        .findings
        .iter()
        .filter(|f| f.rule != rule.id && f.severity > Severity::Info)
        .map(|f| f.rule.as_str())
        .collect();
    if !others.is_empty() {
        result
            .hints
            .push(format!("other rules find something too: {}", others.into_iter().collect::<Vec<_>>().join(", ")));
    }
    if !rule.header.native && alone.problems.is_empty() {
        fixes(loaded, &settings, &sources, &own(&alone), &mut result);
        rubbish::test(loaded, rule, &settings, &sources, &own(&alone), &mut result);
    }
    result
}

/// What no rule sees of an example: text that is no YAML, and documents that are no resource. Without
/// this a Good example would pass because nothing of it was read.
fn unreadable(sources: &Sources) -> Vec<String> {
    let mut unreadable = Vec::new();
    for (id, file) in sources.iter() {
        let mut says = |start: usize, what: &str| {
            let line = file.line_col(start as u32).line;
            unreadable.push(format!("Unreadable: line {line} of {}: {what}", file.name));
        };
        let tree = parse::parse(id, file.text.clone());
        for error in tree.errors.iter().filter(|e| !matches!(e.kind, ErrorKind::DuplicateKey(_))) {
            says(error.span.start as usize, &error.message);
        }
        // A kustomization may leave out what it is.
        let is_manifest = !file.name.to_lowercase().contains("kustomization.");
        for root in tree.roots().filter(|root| is_manifest && root.text() != Some("")) {
            let lacks = |key: &&&str| root.get(key).and_then(Node::text).is_none_or(str::is_empty);
            if let Some(key) = ["apiVersion", "kind"].iter().find(lacks) {
                says(root.local_range().start, &format!("a resource has `{key}:`, this document has none"));
            }
        }
        if tree.errors.is_empty() && tree.roots().next().is_none() {
            says(0, "there is no resource");
        }
    }
    unreadable
}

/// Findings against markers: same line, and the marker's text within the message.
fn compare(example: &Example, sources: &Sources, found: &[Finding], result: &mut Result) {
    let mut left: Vec<(&str, usize, &Finding)> = found
        .iter()
        .map(|f| {
            let file = sources.file(f.primary.span.file);
            (file.name.as_str(), file.line_col(f.primary.span.start).line, f)
        })
        .collect();
    for file in &example.files {
        for expected in &file.expected {
            let matching = left.iter().position(|(name, line, f)| {
                *name == file.name && *line == expected.line && f.message.contains(&expected.text)
            });
            match matching {
                Some(at) => {
                    left.remove(at);
                }
                None => {
                    let near = left.iter().find(|(name, line, _)| *name == file.name && *line == expected.line);
                    let near = near.map_or(String::new(), |(.., f)| format!("; the message there is: {}", f.message));
                    result.failures.push(format!(
                        "Missing on line {} of {}: \"{}\"{near}",
                        expected.line, file.name, expected.text
                    ));
                }
            }
        }
    }
    for (name, line, finding) in left {
        result.failures.push(format!("Noisy on line {line} of {name}: {}", finding.message));
    }
}

/// Every edit applies, leaves YAML that can be read, and mends what it is for.
fn fixes(loaded: &Loaded, settings: &Settings, sources: &Sources, found: &[Finding], result: &mut Result) {
    for finding in found {
        for offered in &finding.fixes {
            let mut alone = finding.clone();
            alone.fixes = vec![offered.clone()];
            let applied = fix::apply(sources, &[alone], true);
            if applied.applied != 1 {
                result.failures.push(format!("the fix \"{}\" can't be applied", offered.title));
                continue;
            }
            let files = sources.iter().map(|(id, file)| {
                let text = applied
                    .files
                    .iter()
                    .find(|(changed, _)| *changed == id)
                    .map_or(&*file.text, |(_, text)| text.as_str());
                SourceFile::new(&file.name, file.path.as_deref(), text)
            });
            let after = Sources::new(files.collect());
            if after.iter().any(|(id, file)| !parse::parse(id, file.text.clone()).errors.is_empty()) {
                result.failures.push(format!("the fix \"{}\" leaves YAML that can't be read", offered.title));
                continue;
            }
            let again = check(&after, loaded, settings);
            // Its fingerprint alone says little: that of another finding at the same place may take its number.
            let stays = again.findings.iter().any(|f| f.fingerprint == finding.fingerprint);
            if stays && again.findings.iter().filter(|f| f.rule == finding.rule).count() >= found.len() {
                result.failures.push(format!("the fix \"{}\" does not mend the finding", offered.title));
            }
        }
    }
}
