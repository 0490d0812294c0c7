//! Every example of every built-in rule is a test; every rule has a picture of what it finds.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Failed, Trial};
use plimsoll::example;
use plimsoll::finding::Severity;
use plimsoll::report::{Report, Style, pretty};
use plimsoll::rule::{Rule, load, page::ExampleKind};
use plimsoll::run::Loaded;

fn main() {
    let (set, problems) = load::load(&[], &[]);
    let loaded = Arc::new(Loaded::new(set, problems));
    let mut trials = vec![{
        let loaded = loaded.clone();
        Trial::test("all rules can be used", move || usable(&loaded))
    }];
    for number in 0..loaded.set.rules.len() {
        trials.extend(of_rule(&loaded, number));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn usable(loaded: &Loaded) -> Result<(), Failed> {
    let problem = |p: &plimsoll::finding::Problem| {
        let file = p.place.as_ref().map_or("", |(file, _)| file.name.as_str());
        format!("{file}: {}: {}", p.message, p.label.as_deref().unwrap_or_default())
    };
    all_good(loaded.problems.iter().map(problem).collect())
}

/// A trial for each example, one for what the page lacks, and one for the picture.
fn of_rule(loaded: &Arc<Loaded>, number: usize) -> Vec<Trial> {
    let rule = &loaded.set.rules[number];
    let results: Arc<OnceLock<Vec<example::Result>>> = Arc::default();
    let mut names: Vec<String> =
        rule.page.examples.iter().map(|example| format!("{}::{}", rule.id, example.name())).collect();
    names.push(rule.id.to_string());
    let mut trials: Vec<Trial> = names
        .into_iter()
        .map(|name| {
            let (loaded, results) = (loaded.clone(), results.clone());
            Trial::test(name.clone(), move || {
                let results = results.get_or_init(|| example::test(&loaded, &loaded.set.rules[number]));
                all_good(results.iter().filter(|r| r.name == name).flat_map(|r| r.failures.clone()).collect())
            })
        })
        .collect();
    if rule.page.examples.iter().any(|e| e.kind == ExampleKind::Bad) {
        let loaded = loaded.clone();
        trials.push(Trial::test(format!("{}::snapshot", rule.id), move || {
            picture(&loaded, &loaded.set.rules[number]);
            Ok(())
        }));
    }
    trials
}

fn all_good(failures: Vec<String>) -> Result<(), Failed> {
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n").into()) }
}

/// The findings of all Bad examples, drawn.
fn picture(loaded: &Loaded, rule: &Rule) {
    let style = Style {
        color: false,
        unicode: true,
        width: 100,
        min_severity: Severity::Info,
        max_per_rule: 0,
        quiet: true,
        verbose: false,
        statistics: false,
        suppressed: false,
    };
    let mut text = String::new();
    for example in rule.page.examples.iter().filter(|e| e.kind == ExampleKind::Bad) {
        let mut sources = example.sources();
        let mut outcome = example::outcome(loaded, rule, example, &sources).unwrap_or_else(|reason| panic!("{reason}"));
        sources.set_masked(std::mem::take(&mut outcome.secrets));
        outcome.findings.retain(|finding| finding.rule == rule.id);
        let report = Report::new(&sources, &outcome.findings, &outcome.problems, &outcome.summary);
        text += &format!("# {}\n\n{}\n", example.name(), pretty::render(&report, &style));
    }
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "snapshots", "rules", rule.id.topic()].iter().collect();
    snapshot(&folder, rule.id.stem(), &text);
}

fn snapshot(folder: &Path, name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text.trim_end()));
}
