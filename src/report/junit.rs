//! JUnit XML: findings are failed tests, and rules that found nothing passed ones.

use std::collections::{HashMap, HashSet};

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::checkout::Spot;
use super::sanitize::{clean, one_line};
use super::{Report, Style, pretty, sentence};
use crate::finding::{Finding, Problem, ResourceRef, RuleId};

/// How wide the pictures in failures are.
const WIDTH: usize = 100;

/// One suite: problems as errors, findings as failures, what is switched off as skipped tests, and the
/// rules that judged and found nothing as passed ones.
pub fn render(report: &Report, style: &Style) -> String {
    let drawn = Style { color: false, width: WIDTH, ..style.clone() };
    let mut cases: Vec<TestCase> = report.problems.iter().map(|p| of_problem(report, p, &drawn)).collect();
    cases.extend(report.shown(style).map(|finding| {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message(attribute(&finding.message)).set_type(finding.severity.as_str());
        status.set_description(text(&pretty::finding(report.sources, finding, &drawn)));
        case(report, finding, status)
    }));
    let suppressed = report.suppressed.iter().filter(|s| s.finding.severity >= style.min_severity);
    cases.extend(suppressed.map(|suppressed| {
        let mut status = TestCaseStatus::skipped();
        status.set_message(attribute(&suppressed.by));
        status.set_description(text(&suppressed.finding.message));
        case(report, &suppressed.finding, status)
    }));
    let found: HashSet<&RuleId> = report.shown(style).map(|finding| &finding.rule).collect();
    cases.extend(report.summary.answered.iter().filter(|rule| !found.contains(rule)).map(|rule| {
        let mut case = TestCase::new(attribute(rule.as_str()), TestCaseStatus::success());
        case.set_classname(attribute(rule.as_str()));
        case
    }));
    name_apart(&mut cases);
    let mut suite = TestSuite::new("plimsoll");
    suite.add_test_cases(cases);
    let mut written = quick_junit::Report::new("plimsoll");
    written.add_test_suite(suite);
    // Writing to memory does not fail.
    written.to_string().unwrap_or_default()
}

/// Of tests with one name GitLab keeps the first.
fn name_apart(cases: &mut [TestCase]) {
    let mut seen: HashMap<(Option<String>, String), usize> = HashMap::new();
    for case in cases {
        let key = (case.classname.as_deref().map(str::to_string), case.name.to_string());
        let count = seen.entry(key).or_default();
        *count += 1;
        if *count > 1 {
            case.name = format!("{} ({count})", case.name.as_str()).into();
        }
    }
}

fn case(report: &Report, finding: &Finding, status: TestCaseStatus) -> TestCase {
    let spot = Spot::of(report, &finding.primary);
    let owner = finding.resource.as_ref().map_or(String::new(), |resource| format!(" {}", shown(resource)));
    let name = format!("{} @ {}{owner}", finding.rule, spot.shown());
    let mut case = TestCase::new(attribute(&name), status);
    case.set_classname(attribute(finding.rule.as_str()));
    set_place(&mut case, &spot);
    case
}

fn of_problem(report: &Report, problem: &Problem, style: &Style) -> TestCase {
    let said = sentence(problem);
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_message(attribute(&said)).set_type(problem.severity.as_str());
    status.set_description(text(&pretty::problem(problem, style)));
    let mut case = TestCase::new(attribute(&said), status);
    case.set_classname("plimsoll");
    if let Some(spot) = Spot::of_problem(report, problem) {
        set_place(&mut case, &spot);
    }
    case
}

/// `file` is what GitLab links to; `line` is pytest's, which others read.
fn set_place(case: &mut TestCase, spot: &Spot) {
    case.extra.insert("file".into(), attribute(&spot.path).into());
    if spot.rendered.is_none() {
        case.extra.insert("line".into(), spot.line.to_string().into());
    }
}

/// `VirtualService/shop/reviews`
fn shown(resource: &ResourceRef) -> String {
    let namespace = resource.namespace.as_ref().map_or(String::new(), |namespace| format!("{namespace}/"));
    format!("{}/{namespace}{}", resource.kind, resource.name)
}

fn attribute(text: &str) -> String {
    for_xml(&one_line(text))
}

fn text(text: &str) -> String {
    for_xml(&clean(text).replace('\t', "    "))
}

/// What no XML may hold although it is Unicode, beside the control characters.
fn for_xml(text: &str) -> String {
    text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}
