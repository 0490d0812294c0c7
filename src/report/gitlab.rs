//! GitLab's Code Quality report: an array with the fields that GitLab reads.
//! Source: <https://docs.gitlab.com/ci/testing/code_quality/> (2026-11).

use std::collections::HashSet;

use serde::Serialize;

use super::checkout::Spot;
use super::json::escaped;
use super::{Report, Style, sentence};
use crate::finding::{Finding, Problem, Severity};

#[derive(Serialize)]
struct Item {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
}

/// The findings that are shown and the problems, as one JSON array; `[]` if there are none.
pub fn render(report: &Report, style: &Style) -> String {
    let problems = report.problems.iter().map(|problem| of_problem(report, problem));
    let findings = report.shown(style).map(|finding| of_finding(report, finding));
    let mut items: Vec<Item> = problems.chain(findings).collect();
    let mut seen = HashSet::new();
    for item in &mut items {
        // Of items with one fingerprint GitLab shows one.
        let first = item.fingerprint.clone();
        let mut n = 1;
        while !seen.insert(item.fingerprint.clone()) {
            n += 1;
            item.fingerprint = format!("{first}-{n}");
        }
    }
    escaped(&items)
}

fn of_finding(report: &Report, finding: &Finding) -> Item {
    let spot = Spot::of(report, &finding.primary);
    let mut description = finding.message.clone();
    if !finding.why.is_empty() {
        description += &format!(" ({})", finding.why);
    }
    if !finding.clusters.is_empty() {
        description += &format!(" [{}]", finding.clusters.join(", "));
    }
    description.extend(spot.rendered_line().map(|line| format!("; {line}")));
    let severity = match finding.severity {
        Severity::Error => "critical",
        Severity::Warning => "major",
        Severity::Info => "info",
    };
    Item {
        description,
        check_name: finding.rule.to_string(),
        fingerprint: finding.fingerprint.clone(),
        severity,
        location: Location { path: spot.path, lines: Lines { begin: spot.line } },
    }
}

/// What failed has no place among the manifests, but no item may be without one.
fn of_problem(report: &Report, problem: &Problem) -> Item {
    let (path, begin) = match Spot::of_problem(report, problem) {
        Some(spot) => (spot.path, spot.line),
        None => ("plimsoll".to_string(), 1),
    };
    let severity = if problem.severity == Severity::Error { "blocker" } else { "info" };
    let description = sentence(problem);
    Item {
        check_name: "plimsoll".to_string(),
        fingerprint: format!("problem {path}: {description}"),
        description,
        severity,
        location: Location { path, lines: Lines { begin } },
    }
}
