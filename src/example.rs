//! The examples of a rule's page, as tests and as pictures.
//!
//! `plimsoll test`, `cargo test` and `plimsoll explain` share this: an example is checked like any
//! input, at a fixed date, and compared with its `# finding:` markers.

use std::collections::BTreeSet;

use crate::config::{Settings, for_example};
use crate::finding::{Finding, Severity};
use crate::rule::Rule;
use crate::rule::page::{Example, ExampleKind};
use crate::run::Loaded;
use crate::source::{SourceFile, Sources};
use crate::yaml::{Kind, NodeId, parse};
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
        rubbish(loaded, rule, &settings, &sources, &own(&alone), &mut result);
    }
    result
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

/// Replaces each measured scalar by rubbish, by a substitution and by null: a rule may fall silent,
/// but it neither fails nor finds something new in what it can't read.
fn rubbish(
    loaded: &Loaded,
    rule: &Rule,
    settings: &Settings,
    sources: &Sources,
    found: &[Finding],
    result: &mut Result,
) {
    let place = |sources: &Sources, f: &Finding| {
        (f.primary.span.file, sources.file(f.primary.span.file).line_col(f.primary.span.start).line)
    };
    let known: BTreeSet<_> = found.iter().map(|f| place(sources, f)).collect();
    for (id, file) in sources.iter() {
        let tree = parse::parse(id, file.text.clone());
        for number in 0..tree.len() {
            let node = tree.node(NodeId(number as u32));
            let measured = node.kind() == Kind::Scalar
                && !node.is_alias()
                && node.key().is_some()
                && node.text().is_some_and(|t| t.starts_with(|c: char| c.is_ascii_digit()) && t.len() < 16);
            if !measured {
                continue;
            }
            let rubbish = !rule.header.about_unreadable;
            for (new, strict) in [("\"rubbish!\"", rubbish), ("\"${X}\"", true), ("null", false)] {
                let mut text = file.text.to_string();
                text.replace_range(node.local_range(), new);
                let changed = sources.iter().map(|(other, f)| {
                    let text = if other == id { text.as_str() } else { &f.text };
                    SourceFile::new(&f.name, f.path.as_deref(), text)
                });
                let changed = Sources::new(changed.collect());
                let outcome = check(&changed, loaded, settings);
                let line = file.line_col(node.local_range().start as u32).line;
                if let Some(problem) = outcome.problems.first() {
                    let label = problem.label.clone().unwrap_or_default();
                    result.failures.push(format!("Failed with {new} on line {line}: {}: {label}", problem.message));
                }
                let new_finding =
                    outcome.findings.iter().find(|f| f.rule == rule.id && !known.contains(&place(&changed, f)));
                if let Some(finding) = new_finding.filter(|_| strict) {
                    result.failures.push(format!("Noisy with {new} on line {line}: {}", finding.message));
                }
            }
        }
    }
}
