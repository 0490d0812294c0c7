//! The JSON report, version 1: findings of all severities, for programs. Fields come in the order
//! of the contract, the order of the structs below.

use std::ops::Range;

use serde::Serialize;

use super::{Report, Skipped, Unknown, sanitize, sentence};
use crate::finding::{Edit, Finding, Fix, Label, Place, Problem, ResourceRef, Severity};
use crate::source::{SourceFile, Sources};
use crate::suppress::Suppressed;

/// The report as one JSON object and a newline.
pub fn render(report: &Report) -> String {
    escaped(&JsonReport::new(report))
}

/// A value as indented JSON and a newline, harmless for a terminal.
pub fn escaped(value: &impl Serialize) -> String {
    // Writing to memory fails only for keys that are no text, and the structs have none.
    sanitize::json(&(serde_json::to_string_pretty(value).unwrap_or_default() + "\n")).into_owned()
}

#[derive(Serialize)]
struct JsonReport<'a> {
    version: u32,
    findings: Vec<JsonFinding<'a>>,
    problems: Vec<JsonProblem<'a>>,
    summary: JsonSummary<'a>,
    suppressed: Vec<JsonSuppressed<'a>>,
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    rule: &'a str,
    aliases: &'a [String],
    severity: &'static str,
    message: &'a str,
    why: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<JsonResource<'a>>,
    location: JsonLocation<'a>,
    labels: Vec<JsonLabel<'a>>,
    help: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    values: &'a [String],
    notes: &'a [String],
    links: &'a [String],
    fixes: Vec<JsonFix<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    clusters: &'a [String],
    fingerprint: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonResource<'a> {
    api_version: &'a str,
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonLocation<'a> {
    path: &'a str,
    #[serde(flatten)]
    lines: Option<JsonLines>,
    #[serde(skip_serializing_if = "str::is_empty")]
    yaml_path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonLines {
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    start: usize,
    end: usize,
}

#[derive(Serialize)]
struct JsonLabel<'a> {
    message: &'a str,
    location: JsonLocation<'a>,
}

#[derive(Serialize)]
struct JsonFix<'a> {
    title: &'a str,
    safe: bool,
    edits: Vec<JsonEdit<'a>>,
}

#[derive(Serialize)]
struct JsonEdit<'a> {
    path: &'a str,
    start: u32,
    end: u32,
    text: &'a str,
}

#[derive(Serialize)]
struct JsonSuppressed<'a> {
    rule: &'a str,
    location: JsonLocation<'a>,
    by: &'static str,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<&'a str>,
}

#[derive(Serialize)]
struct JsonProblem<'a> {
    severity: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<JsonLocation<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonSummary<'a> {
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    clusters: &'a [String],
    files: usize,
    documents: usize,
    resources: usize,
    rules: usize,
    judged: usize,
    errors: usize,
    warnings: usize,
    infos: usize,
    today: &'a str,
    suppressed: usize,
    baselined: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<JsonCompared<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    out_of_focus: Option<usize>,
    unknown: Vec<JsonUnknown<'a>>,
    skipped: Vec<JsonSkipped<'a>>,
}

#[derive(Serialize)]
struct JsonCompared<'a> {
    base: &'a str,
    old: usize,
    fixed: usize,
}

#[derive(Serialize)]
struct JsonUnknown<'a> {
    what: &'a str,
    rules: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    declare: Option<&'a str>,
}

#[derive(Serialize)]
struct JsonSkipped<'a> {
    path: &'a str,
    reason: &'a str,
}

impl<'a> JsonReport<'a> {
    fn new(report: &Report<'a>) -> JsonReport<'a> {
        let sources = report.sources;
        JsonReport {
            version: 1,
            findings: report.findings.iter().map(|f| finding(sources, f)).collect(),
            problems: report.problems.iter().map(problem).collect(),
            summary: summary(report),
            suppressed: report.suppressed.iter().map(|s| suppressed(sources, s)).collect(),
        }
    }
}

fn finding<'a>(sources: &'a Sources, finding: &'a Finding) -> JsonFinding<'a> {
    JsonFinding {
        rule: finding.rule.as_str(),
        aliases: &finding.aliases,
        severity: finding.severity.as_str(),
        message: &finding.message,
        why: &finding.why,
        resource: finding.resource.as_ref().map(resource),
        location: place(sources, &finding.primary),
        labels: finding.labels.iter().map(|l| label(sources, l)).collect(),
        help: &finding.help,
        values: &finding.values,
        notes: &finding.notes,
        links: &finding.links,
        fixes: finding.fixes.iter().map(|f| fix(sources, f)).collect(),
        clusters: &finding.clusters,
        fingerprint: &finding.fingerprint,
    }
}

fn resource(resource: &ResourceRef) -> JsonResource<'_> {
    JsonResource {
        api_version: &resource.api_version,
        kind: &resource.kind,
        namespace: resource.namespace.as_deref(),
        name: &resource.name,
    }
}

fn place<'a>(sources: &'a Sources, place: &'a Place) -> JsonLocation<'a> {
    JsonLocation {
        yaml_path: &place.yaml_path,
        template: place.template.as_deref(),
        ..location(sources.file(place.span.file), place.span.range())
    }
}

/// A text that is empty or could not be read has no lines.
fn location(file: &SourceFile, range: Range<usize>) -> JsonLocation<'_> {
    let lines = || {
        let start = file.line_col(range.start as u32);
        let end = file.line_col(range.end as u32);
        JsonLines {
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
            start: range.start,
            end: range.end,
        }
    };
    JsonLocation { path: &file.name, lines: (!file.text.is_empty()).then(lines), yaml_path: "", template: None }
}

fn label<'a>(sources: &'a Sources, label: &'a Label) -> JsonLabel<'a> {
    JsonLabel { message: &label.message, location: place(sources, &label.place) }
}

fn fix<'a>(sources: &'a Sources, fix: &'a Fix) -> JsonFix<'a> {
    let edit = |edit: &'a Edit| JsonEdit {
        path: &sources.file(edit.span.file).name,
        start: edit.span.start,
        end: edit.span.end,
        text: &edit.text,
    };
    JsonFix { title: &fix.title, safe: fix.safe, edits: fix.edits.iter().map(edit).collect() }
}

fn suppressed<'a>(sources: &'a Sources, suppressed: &'a Suppressed) -> JsonSuppressed<'a> {
    JsonSuppressed {
        rule: suppressed.finding.rule.as_str(),
        location: place(sources, &suppressed.finding.primary),
        by: suppressed.source.as_str(),
        reason: &suppressed.by,
        until: suppressed.until.as_deref(),
    }
}

fn problem(problem: &Problem) -> JsonProblem<'_> {
    let place = problem.place.as_ref();
    JsonProblem {
        severity: problem.severity.as_str(),
        message: sentence(problem),
        location: place.map(|(file, range)| location(file, range.clone())),
    }
}

fn summary<'a>(report: &Report<'a>) -> JsonSummary<'a> {
    let summary = report.summary;
    let unknown = |unknown: &'a Unknown| JsonUnknown {
        what: &unknown.what,
        rules: unknown.rules,
        declare: unknown.declare.as_deref(),
    };
    let skipped = |skipped: &'a Skipped| JsonSkipped { path: &skipped.path, reason: &skipped.reason };
    JsonSummary {
        files: summary.files,
        documents: summary.documents,
        resources: summary.resources,
        clusters: &summary.clusters,
        rules: summary.rules,
        judged: summary.judged,
        errors: report.count(Severity::Error),
        warnings: report.count(Severity::Warning),
        infos: report.count(Severity::Info),
        today: &summary.today,
        suppressed: summary.suppressed,
        baselined: summary.baselined,
        since: summary.compared.as_ref().map(|c| JsonCompared { base: &c.before, old: c.old, fixed: c.fixed }),
        out_of_focus: (summary.out_of_focus > 0).then_some(summary.out_of_focus),
        unknown: summary.unknown.iter().map(unknown).collect(),
        skipped: summary.skipped.iter().map(skipped).collect(),
    }
}
