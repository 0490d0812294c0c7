//! Any text as a rule file, with a stranger's code in it: read, checked, compiled, and run on a
//! small mesh within its limits.
#![no_main]

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use plimsoll::finding::RuleId;
use plimsoll::rule::{RuleSet, load};
use plimsoll::run::Loaded;
use plimsoll::source::{SourceFile, Sources};
use plimsoll_fuzz::{settings, sources};

/// What a stranger's rule may take on the small mesh, instrumented.
const LONGEST: Duration = Duration::from_secs(10);

/// The examples of built-in rules, some of each topic.
fn mesh() -> &'static Sources {
    static MESH: OnceLock<Sources> = OnceLock::new();
    MESH.get_or_init(|| {
        let examples = plimsoll_fuzz::loaded().set.rules.iter().step_by(5);
        let texts = examples.filter_map(|rule| rule.page.examples.first()).flat_map(|e| &e.files);
        sources(&texts.map(|file| file.text.as_str()).collect::<Vec<_>>().join(&format!("\n{}\n", plimsoll_fuzz::FILE)))
    })
}

fuzz_target!(|text: &str| {
    let file = Arc::new(SourceFile::new("custom/x.rhai", None, text));
    let Ok(mut rule) = load::rule(RuleId::new("custom/x"), &file, false) else { return };
    rule.header.mentions.clear();
    let loaded = Loaded::new(RuleSet { rules: vec![rule], ..RuleSet::default() }, Vec::new());
    let start = Instant::now();
    plimsoll::check(mesh(), &loaded, &settings(&loaded));
    assert!(start.elapsed() < LONGEST, "the rule took {:?}", start.elapsed());
});
