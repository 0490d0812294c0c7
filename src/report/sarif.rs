//! SARIF 2.1.0 as GitHub code scanning reads it; what it ignores, fixes and logical locations, is there
//! for other readers. Source: <https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>
//! (2026-11) and the standard, whose sections are given as §.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use serde_sarif::sarif;

use super::checkout::Spot;
use super::json::escaped;
use super::sanitize::{clean, one_line};
use super::{Report, RulePage, Style, advice, sentence};
use crate::finding::{Finding, Fix, Label, Place, Problem, RuleId, Severity};
use crate::source::{SourceFile, Span};
use crate::suppress::{Source, Suppressed};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// GitHub refuses longer texts, in characters.
const LONGEST_NAME: usize = 255;
const LONGEST_DESCRIPTION: usize = 1024;
/// GitHub refuses more locations of a result.
const LOCATIONS: usize = 1000;
/// GitHub refuses more tags of a rule.
const TAGS: usize = 20;

/// One run with the findings that are shown; those that are switched off only if the style says so.
pub fn render(report: &Report, style: &Style) -> String {
    let suppressed = report.suppressed.iter().filter(|s| style.suppressed && s.finding.severity >= style.min_severity);
    let shown: Vec<(&Finding, Option<&Suppressed>)> =
        report.shown(style).map(|f| (f, None)).chain(suppressed.map(|s| (&s.finding, Some(s)))).collect();
    let rules: BTreeSet<&RuleId> = shown.iter().map(|(finding, _)| &finding.rule).collect();
    let rules: Vec<&RuleId> = rules.into_iter().collect();
    let results = shown.iter().map(|(finding, suppressed)| {
        let index = rules.binary_search(&&finding.rule).ok().map(|n| n as i64);
        result(report, finding, index, *suppressed)
    });
    let driver = sarif::ToolComponent::builder()
        .name("plimsoll")
        .version(env!("CARGO_PKG_VERSION"))
        .semantic_version(env!("CARGO_PKG_VERSION"))
        .information_uri("https://plimsoll.dev")
        .rules(rules.iter().map(|rule| descriptor(report, rule)).collect::<Vec<_>>())
        .build();
    let run = sarif::Run::builder()
        .tool(sarif::Tool::builder().driver(driver).build())
        .results(results.collect::<Vec<_>>())
        .invocations(vec![invocation(report)])
        .column_kind(json!("unicodeCodePoints"))
        .build();
    escaped(&sarif::Sarif::builder().schema(SCHEMA).version(json!("2.1.0")).runs(vec![run]).build())
}

/// What a rule is. Its page is repeated with its link, because GitHub shows no `helpUri`.
fn descriptor(report: &Report, rule: &RuleId) -> sarif::ReportingDescriptor {
    let bare = RulePage {
        id: rule.clone(),
        title: String::new(),
        why: String::new(),
        markdown: String::new(),
        severity: Severity::Error,
        aliases: Vec::new(),
        url: None,
    };
    let page = report.page(rule).unwrap_or(&bare);
    let title = or(&page.title, rule.stem());
    let why = or(&page.why, title);
    let link = page.url.as_ref().map_or(String::new(), |url| format!("\n\nMore: {url}"));
    let markdown_link = page.url.as_ref().map_or(String::new(), |url| format!("\n\n[{rule}]({url})"));
    let markdown = or(&page.markdown, why);
    let severity = match page.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "recommendation",
    };
    let mut tags: Vec<String> = Vec::new();
    for tag in [rule.topic()].into_iter().chain(page.aliases.iter().map(String::as_str)) {
        if !tag.is_empty() && tags.len() < TAGS && !tags.iter().any(|known| known == tag) {
            tags.push(tag.to_string());
        }
    }
    let properties =
        BTreeMap::from([("precision".to_string(), json!("high")), ("problem.severity".to_string(), json!(severity))]);
    sarif::ReportingDescriptor {
        name: Some(cut(&pascal_case(rule.stem()), LONGEST_NAME)),
        short_description: Some(text(&cut(&sentence_of(title), LONGEST_DESCRIPTION))),
        full_description: Some(text(&cut(&sentence_of(why), LONGEST_DESCRIPTION))),
        help: Some(sarif::MultiformatMessageString {
            text: format!("{markdown}{link}"),
            markdown: Some(format!("{markdown}{markdown_link}")),
            properties: None,
        }),
        help_uri: page.url.clone(),
        default_configuration: Some(sarif::ReportingConfiguration {
            level: Some(level(page.severity)),
            ..Default::default()
        }),
        properties: Some(sarif::PropertyBag {
            tags: (!tags.is_empty()).then_some(tags),
            additional_properties: properties,
        }),
        ..sarif::ReportingDescriptor::builder().id(rule.as_str()).build()
    }
}

fn result(report: &Report, finding: &Finding, rule: Option<i64>, suppressed: Option<&Suppressed>) -> sarif::Result {
    // Of a label at the finding's own place the message speaks, there is nothing else to go to.
    let (own, others): (Vec<&Label>, Vec<&Label>) =
        finding.labels.iter().partition(|label| label.place.span == finding.primary.span);
    let others = &others[..others.len().min(LOCATIONS)];
    let spot = Spot::of(report, &finding.primary);
    let related: Vec<sarif::Location> = others.iter().zip(1..).map(|(label, id)| related(report, label, id)).collect();
    let fixes: Vec<sarif::Fix> = finding.fixes.iter().filter_map(|f| fix(report, f)).collect();
    sarif::Result {
        rule_id: Some(finding.rule.to_string()),
        rule_index: rule,
        level: Some(match finding.severity {
            Severity::Error => sarif::ResultLevel::Error,
            Severity::Warning => sarif::ResultLevel::Warning,
            Severity::Info => sarif::ResultLevel::Note,
        }),
        locations: Some(vec![location(report, &finding.primary, logical(finding))]),
        related_locations: some(related),
        fixes: some(fixes),
        // Not `primaryLocationLineHash`: the upload computes that from the file.
        partial_fingerprints: Some(BTreeMap::from([("plimsoll/v1".to_string(), finding.fingerprint.clone())])),
        suppressions: suppressed.map(|suppressed| {
            let justification = Some(suppressed.by.clone()).filter(|by| !by.is_empty());
            let kind = match suppressed.source {
                Source::Comment | Source::Annotation => "inSource",
                Source::Configuration | Source::Baseline => "external",
            };
            vec![sarif::Suppression { justification, ..sarif::Suppression::builder().kind(json!(kind)).build() }]
        }),
        ..sarif::Result::builder().message(message(&said(report, finding, &spot, &own, others))).build()
    }
}

/// The message as GitHub shows it: its first sentence is the title, and related places are linked.
fn said(report: &Report, finding: &Finding, spot: &Spot, own: &[&Label], others: &[&Label]) -> String {
    let mut parts = vec![sentence_of(&plain(&one_line(&finding.message)))];
    parts.extend(
        own.iter().filter(|l| !l.message.is_empty()).map(|l| format!("Here: {}", sentence_of(&plain(&l.message)))),
    );
    if !others.is_empty() {
        let link = |(label, id): (&&Label, usize)| {
            let spot = Spot::of(report, &label.place).shown();
            let name = if label.message.is_empty() { spot } else { format!("{} ({spot})", label.message) };
            format!("[{}]({id})", plain(&name))
        };
        let links: Vec<String> = others.iter().zip(1..).map(link).collect();
        parts.push(format!("See {}.", links.join(", ")));
    }
    parts.extend(spot.rendered_line().map(|line| format!("At {line}.")));
    let line = |(key, text): (&str, String)| format!("{}: {}", capital(key), sentence_of(&plain(&text)));
    parts.extend(advice(finding).into_iter().map(line));
    parts.join("\n\n")
}

/// A text without links: brackets are those of links (§3.11.6).
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in clean(text).trim_end().chars() {
        if matches!(c, '\\' | '[' | ']') {
            plain.push('\\');
        }
        plain.push(c);
    }
    plain
}

fn location(report: &Report, place: &Place, logical: Option<sarif::LogicalLocation>) -> sarif::Location {
    sarif::Location {
        physical_location: Some(physical(&Spot::of(report, place))),
        logical_locations: logical.map(|logical| vec![logical]),
        ..Default::default()
    }
}

fn related(report: &Report, label: &Label, id: i64) -> sarif::Location {
    let said = (!label.message.is_empty()).then(|| message(&plain(&label.message)));
    sarif::Location { id: Some(id), message: said, ..location(report, &label.place, None) }
}

fn physical(spot: &Spot) -> sarif::PhysicalLocation {
    let columns = spot.columns.clone().unwrap_or(1..1);
    sarif::PhysicalLocation {
        artifact_location: Some(artifact(&spot.path)),
        region: Some(sarif::Region {
            start_line: Some(spot.line as i64),
            start_column: Some(columns.start as i64),
            end_line: Some(spot.line as i64),
            end_column: Some(columns.end as i64),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// The resource that owns the place.
fn logical(finding: &Finding) -> Option<sarif::LogicalLocation> {
    let resource = finding.resource.as_ref().filter(|resource| !resource.name.is_empty())?;
    let namespace = resource.namespace.as_ref().map_or(String::new(), |namespace| format!("{namespace}/"));
    Some(sarif::LogicalLocation {
        name: Some(resource.name.clone()),
        fully_qualified_name: Some(format!("{}/{namespace}{}", resource.kind, resource.name)),
        kind: Some("resource".to_string()),
        ..Default::default()
    })
}

/// The edits of a fix, by file. A text that was rendered is no file to edit.
fn fix(report: &Report, fix: &Fix) -> Option<sarif::Fix> {
    let mut files: BTreeMap<String, Vec<sarif::Replacement>> = BTreeMap::new();
    for edit in &fix.edits {
        let file = report.sources.file(edit.span.file);
        file.path.as_ref()?;
        let text = Some(edit.text.clone()).filter(|text| !text.is_empty());
        files.entry(report.checkout.path(&file.name)).or_default().push(sarif::Replacement {
            deleted_region: whole(file, edit.span),
            inserted_content: text.map(|text| sarif::ArtifactContent { text: Some(text), ..Default::default() }),
            properties: None,
        });
    }
    let change = |(path, replacements): (String, _)| sarif::ArtifactChange {
        artifact_location: artifact(&path),
        replacements,
        properties: None,
    };
    let title = (!fix.title.trim().is_empty()).then(|| message(&plain(&fix.title)));
    some(files.into_iter().map(change).collect()).map(|artifact_changes| sarif::Fix {
        description: title,
        artifact_changes,
        properties: None,
    })
}

/// A place with all its lines.
fn whole(file: &SourceFile, span: Span) -> sarif::Region {
    let (start, end) = (file.line_col(span.start), file.line_col(span.end));
    sarif::Region {
        start_line: Some(start.line as i64),
        start_column: Some(start.column as i64),
        end_line: Some(end.line as i64),
        end_column: Some(end.column as i64),
        ..Default::default()
    }
}

/// What failed in rules or configuration.
fn invocation(report: &Report) -> sarif::Invocation {
    let notification = |problem: &Problem| sarif::Notification {
        level: Some(level(problem.severity)),
        locations: Spot::of_problem(report, problem)
            .map(|spot| vec![sarif::Location { physical_location: Some(physical(&spot)), ..Default::default() }]),
        ..sarif::Notification::builder().message(message(&plain(&sentence(problem)))).build()
    };
    let succeeded = !report.problems.iter().any(|problem| problem.severity == Severity::Error);
    sarif::Invocation {
        tool_configuration_notifications: some(report.problems.iter().map(notification).collect()),
        ..sarif::Invocation::builder().execution_successful(succeeded).build()
    }
}

fn level(severity: Severity) -> Value {
    json!(match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    })
}

/// A file by its URI: relative to the repository's root unless it lies elsewhere.
fn artifact(path: &str) -> sarif::ArtifactLocation {
    let scheme = if path.starts_with('/') { "file://" } else { "" };
    let uri = path.bytes().fold(scheme.to_string(), |mut uri, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(byte as char),
            _ => uri += &format!("%{byte:02X}"),
        }
        uri
    });
    sarif::ArtifactLocation { uri: Some(uri), ..Default::default() }
}

fn message(text: &str) -> sarif::Message {
    sarif::Message { text: Some(text.to_string()), ..Default::default() }
}

fn text(text: &str) -> sarif::MultiformatMessageString {
    sarif::MultiformatMessageString { text: text.to_string(), markdown: None, properties: None }
}

/// Empty arrays are left out.
fn some<T>(items: Vec<T>) -> Option<Vec<T>> {
    (!items.is_empty()).then_some(items)
}

fn or<'a>(text: &'a str, other: &'a str) -> &'a str {
    if text.trim().is_empty() { other } else { text }
}

/// With a full stop; a link gets none, which would become part of it.
fn sentence_of(text: &str) -> String {
    let text = text.trim();
    let ends = text.ends_with(['.', '!', '?']) || text.rsplit(' ').next().is_some_and(|word| word.contains("://"));
    format!("{text}{}", if ends { "" } else { "." })
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// `subset-not-declared` as `SubsetNotDeclared`
fn pascal_case(stem: &str) -> String {
    stem.split(['-', '_']).map(capital).collect()
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}
