//! Any text as manifests, judged by all built-in rules: no rule fails, and no report holds what a
//! terminal obeys.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use plimsoll::finding::Severity;
use plimsoll::report::{Report, Style, github, gitlab, json, junit, markdown, pretty, sarif, short};
use plimsoll_fuzz::{loaded, settings, sources, swap_values};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| { swap_values(data, size, max_size, seed) });

fuzz_target!(|text: &str| {
    let mut sources = sources(text);
    let outcome = plimsoll::check(&sources, loaded(), &settings(loaded()));
    if let Some(problem) = outcome.problems.first() {
        panic!("{}: {:?}", problem.message, problem.label);
    }
    sources.set_masked(outcome.secrets.clone());
    let report = Report {
        suppressed: &outcome.suppressed,
        ..Report::new(&sources, &outcome.findings, &outcome.problems, &outcome.summary)
    };
    let style = Style {
        color: false,
        unicode: true,
        width: 80,
        min_severity: Severity::Info,
        max_per_rule: 0,
        quiet: false,
        verbose: true,
        statistics: false,
        suppressed: true,
    };
    let programs = [json::render(&report), sarif::render(&report, &style), gitlab::render(&report, &style)];
    for text in &programs {
        serde_json::from_str::<serde_json::Value>(text).expect("the report is JSON");
    }
    let people = [pretty::render, short::render, github::render, junit::render, markdown::render];
    for text in programs.into_iter().chain(people.map(|render| render(&report, &style))) {
        let bad = text.chars().find(|c| {
            (c.is_control() && !matches!(c, '\n' | '\t'))
                || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
                || matches!(c, '\u{feff}' | '\u{e0000}'..='\u{e007f}')
        });
        assert!(bad.is_none(), "a report holds {bad:?}");
    }
});
