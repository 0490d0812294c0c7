//! `rules/GUIDE.md`: every sentence of the production guide, with the rules that look for it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use plimsoll::rule::{RuleSet, load};
use serde::Deserialize;

/// The last line of the guide.
const LINES: u32 = 99;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Guide {
    date: String,
    topics: Vec<Topic>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Topic {
    topic: String,
    sentences: Vec<Sentence>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sentence {
    lines: String,
    claim: String,
    holds: Holds,
    truth: String,
    #[serde(default)]
    rules: Vec<String>,
    invisible: Option<String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
enum Holds {
    #[serde(rename = "yes")]
    Yes,
    #[serde(rename = "partly")]
    Partly,
    #[serde(rename = "no")]
    No,
    #[serde(rename = "field experience")]
    FieldExperience,
    #[serde(rename = "opinion")]
    Opinion,
}

impl Holds {
    fn words(self) -> &'static str {
        match self {
            Holds::Yes => "holds",
            Holds::Partly => "holds in part",
            Holds::No => "**out of date or wrong**",
            Holds::FieldExperience => "field experience",
            Holds::Opinion => "opinion",
        }
    }
}

impl Sentence {
    fn numbers(&self) -> impl Iterator<Item = u32> {
        let (first, last) = self.lines.split_once('-').unwrap_or((&self.lines, &self.lines));
        first.parse().unwrap()..=last.parse().unwrap()
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn guide() -> Guide {
    let text = fs::read_to_string(root().join("rules/guide.yaml")).unwrap();
    serde_yaml::from_str(&text).unwrap_or_else(|e| panic!("rules/guide.yaml: {e}"))
}

fn rules() -> RuleSet {
    load::load(&[], &[]).0
}

#[test]
fn every_sentence_has_its_rules_or_a_reason() {
    let (guide, rules) = (guide(), rules());
    let mut wrong = Vec::new();
    let mut next = 1;
    for sentence in guide.topics.iter().flat_map(|t| &t.sentences) {
        let mut say = |what: String| wrong.push(format!("lines {}: {what}", sentence.lines));
        for line in sentence.numbers() {
            if line != next {
                say(format!("line {next} comes next, not {line}"));
            }
            next = line + 1;
        }
        if sentence.rules.is_empty() && sentence.invisible.is_none() {
            say("neither rules nor a reason why there is none".to_string());
        }
        for id in sentence.rules.iter().filter(|id| !rules.rules.iter().any(|r| r.id.as_str() == **id)) {
            say(format!("there is no rule {id}"));
        }
    }
    if next != LINES + 1 {
        wrong.push(format!("the last line is {}, not {LINES}", next - 1));
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn every_rule_that_names_the_guide_stands_on_its_page() {
    let guide = guide();
    let named: BTreeSet<&str> =
        guide.topics.iter().flat_map(|t| &t.sentences).flat_map(|s| s.rules.iter().map(String::as_str)).collect();
    let rules = rules();
    let from_guide = |source: &str| source.contains("production guide");
    let missing: Vec<&str> = rules
        .rules
        .iter()
        .filter(|r| r.header.source.as_deref().is_some_and(from_guide))
        .map(|r| r.id.as_str())
        .filter(|id| !named.contains(id))
        .collect();
    assert!(missing.is_empty(), "\n{}\n", missing.join("\n"));
}

/// `PLIMSOLL_UPDATE=1 cargo test --test guide` writes it anew.
#[test]
fn the_page_is_made_from_the_list() {
    let (path, wanted) = (root().join("rules/GUIDE.md"), page(&guide(), &rules()));
    if std::env::var_os("PLIMSOLL_UPDATE").is_some() {
        fs::write(&path, wanted).unwrap();
        return;
    }
    let found = fs::read_to_string(path).unwrap().replace("\r\n", "\n");
    assert!(found == wanted, "rules/GUIDE.md has changed: run PLIMSOLL_UPDATE=1 cargo test --test guide");
}

fn page(guide: &Guide, rules: &RuleSet) -> String {
    let sentences: Vec<&Sentence> = guide.topics.iter().flat_map(|t| &t.sentences).collect();
    let count = |wanted: Holds| sentences.iter().filter(|s| s.holds == wanted).count();
    let named: BTreeSet<&String> = sentences.iter().flat_map(|s| &s.rules).collect();
    let mut out = format!(
        "# The production guide, checked\n\n\
         A practitioner's guide to running Istio in production is where many of plimsoll's rules come from. This page goes through it, sentence by \
         sentence: what it says, what is true today ({}), and the rules that look for it before anything is applied.\n\n\
         Of its {} statements {} hold, {} hold in part, {} are out of date or wrong, {} are field experience (figures that are nobody's official \
         ones; in plimsoll they are parameters) and {} are opinions. {} rules look for them. `plimsoll explain RULE` shows what a rule says, and \
         how to fix what it finds.\n",
        guide.date,
        sentences.len(),
        count(Holds::Yes),
        count(Holds::Partly),
        count(Holds::No),
        count(Holds::FieldExperience),
        count(Holds::Opinion),
        named.len(),
    );
    for topic in &guide.topics {
        out += &format!("\n## {}\n\n| lines | the guide says | today | rules |\n|---|---|---|---|\n", topic.topic);
        for sentence in &topic.sentences {
            let mut looks: Vec<String> = sentence.rules.iter().map(|id| rule(id, rules)).collect();
            if let Some(reason) = &sentence.invisible {
                looks.push(format!("not visible in manifests: {reason}"));
            }
            let cell = |text: &str| text.trim().replace('|', "\\|").replace('\n', " ");
            out += &format!(
                "| {} | {} | {}. {} | {} |\n",
                sentence.lines.replace('-', "–"),
                cell(&sentence.claim),
                sentence.holds.words(),
                cell(&sentence.truth),
                looks.join("<br>"),
            );
        }
    }
    out
}

/// A link to the rule's file, with its severity.
fn rule(id: &str, rules: &RuleSet) -> String {
    let severity = rules.rules.iter().find(|r| r.id.as_str() == id).map_or("", |r| r.header.severity.as_str());
    format!("[`{id}`]({id}.rhai) {severity}")
}
