//! The lines under every report that people read, and the table of counts.

use std::collections::BTreeMap;

use super::sanitize::one_line;

use super::{Report, Skipped, Style, Unknown, ansi};
use crate::change::Compared;
use crate::finding::{RuleId, Severity};
use crate::suppress::Suppressed;

/// Lines that start so are never wrapped: they may hold a command to copy.
const RENDERED: &str = "Rendered: ";
const SKIPPED: &str = "Skipped: ";

/// What was found and read, what was judged and what is not known, what can be fixed, what was
/// left out. Nothing if the style is quiet.
pub fn summary_lines(report: &Report, style: &Style) -> String {
    if style.quiet {
        return String::new();
    }
    let draw = |line: &String| match line.starts_with(RENDERED) || line.starts_with(SKIPPED) {
        true => format!(" {line}\n"),
        false => style.wrap(line, " ", "   ") + "\n",
    };
    lines(report, style).iter().map(draw).collect()
}

/// The same, a text for each line; the first says what was found.
pub(super) fn lines(report: &Report, style: &Style) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = |text: String| lines.push(one_line(&text).into_owned());
    let summary = report.summary;
    let clusters = match summary.clusters.len() {
        0 => String::new(),
        n @ 5.. => format!(" of {n} clusters"),
        n => format!(" of {n} clusters ({})", summary.clusters.join(", ")),
    };
    let (files, resources) = (count(summary.files, "file"), count(summary.resources, "resource"));
    line(format!("{} in {files}, {resources}{clusters}", found(report, style)));
    if !report.problems.is_empty() {
        let problems = count(report.problems.len(), "problem");
        line(format!("{problems} kept something from being checked"));
    }
    line(judged(report, style));
    if let Some(configuration) = &summary.configuration {
        line(format!("Configuration: {configuration} (--show-settings tells what it changes)"));
    }
    if style.verbose && !summary.idle.is_empty() {
        let ids: Vec<&str> = summary.idle.iter().map(RuleId::as_str).collect();
        line(format!("Nothing to judge for {}", ids.join(", ")));
    }
    let fixable = report.shown(style).filter(|f| f.fixes.iter().any(|fix| fix.safe)).count();
    if fixable > 0 {
        line(format!("{} can be fixed with --fix", count(fixable, "finding")));
    }
    if let Some(Compared { before, old, fixed }) = &summary.compared {
        line(format!("New since {before}; {old} old, {fixed} fixed or suppressed"));
    }
    if summary.out_of_focus > 0 {
        line(format!("{} in other files than those in focus", count(summary.out_of_focus, "finding")));
    }
    match (summary.suppressed, summary.baselined) {
        (0, 0) => {}
        (n, 0) => line(format!("{} suppressed", count(n, "finding"))),
        (0, n) => line(format!("{} in the baseline", count(n, "finding"))),
        (n, baselined) => line(format!("{} suppressed, {baselined} in the baseline", count(n, "finding"))),
    }
    for suppressed in report.suppressed.iter().filter(|_| style.verbose) {
        let span = suppressed.finding.primary.span;
        let place = super::location(report.sources.file(span.file), span.range().start);
        let until = suppressed.until.as_ref().map_or(String::new(), |until| format!(" until {until}"));
        let source = suppressed.source.as_str();
        let Suppressed { finding, by, .. } = suppressed;
        line(format!("Suppressed: {place}: {} ({source}{until}): {by}", finding.rule));
    }
    if style.verbose {
        summary.rendered.iter().for_each(|command| line(format!("{RENDERED}{command}")));
    }
    let listed = |skipped: &&Skipped| style.verbose || skipped.notable;
    for Skipped { path, reason, .. } in summary.skipped.iter().filter(listed) {
        line(format!("{SKIPPED}{path}: {reason}"));
    }
    let unlisted = summary.skipped.iter().filter(|s| !listed(s)).count();
    if unlisted > 0 {
        line(format!("{} skipped (-v lists them)", count(unlisted, "file")));
    }
    lines
}

/// How many findings each rule has, the most frequent first.
pub fn statistics(report: &Report, style: &Style) -> String {
    let mut by_rule: BTreeMap<&RuleId, (usize, Severity)> = BTreeMap::new();
    for finding in report.shown(style) {
        let (count, severity) = by_rule.entry(&finding.rule).or_insert((0, finding.severity));
        *count += 1;
        *severity = finding.severity.max(*severity);
    }
    let mut rows: Vec<_> = by_rule.into_iter().collect();
    rows.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    let width = rows.first().map_or(0, |(_, (count, _))| count.to_string().len());
    let row = |(rule, (count, severity)): (&RuleId, (usize, Severity))| {
        let severity = style.paint(ansi(severity), &format!("{severity:<7}"));
        format!(" {count:>width$}  {severity}  {}\n", one_line(rule.as_str()))
    };
    rows.into_iter().map(row).collect()
}

/// `2 errors, 3 warnings (5 infos: --min-severity info)`
fn found(report: &Report, style: &Style) -> String {
    let counts = |severities: &[Severity]| -> Vec<String> {
        let some = severities.iter().filter(|s| report.count(**s) > 0);
        some.map(|s| count(report.count(*s), s.as_str())).collect()
    };
    let all = [Severity::Error, Severity::Warning, Severity::Info];
    let (shown, hidden) = all.split_at(all.partition_point(|s| *s >= style.min_severity));
    let names = counts(shown);
    let hidden_counts = counts(hidden);
    let shown = match (names.is_empty(), shown) {
        (false, _) => names.join(", "),
        (true, [_]) => "no errors".to_string(),
        (true, [_, _]) => "no errors or warnings".to_string(),
        (true, _) => "no findings".to_string(),
    };
    match hidden.iter().rfind(|s| report.count(**s) > 0) {
        None => shown,
        Some(lowest) => format!("{shown} ({}: --min-severity {lowest})", hidden_counts.join(", ")),
    }
}

/// What is told of what is not known; `-v` tells all of it.
const MOST_UNKNOWN: usize = 8;

/// What is not known often concerns many namespaces or accounts alike.
const ALIKE: [(&str, &str); 2] = [(" of namespace ", "namespaces"), (" of ServiceAccount ", "ServiceAccounts")];

/// `Judged: 61 of 94 rules. Not known: Istio installation (12 rules; --assume istio=1.30)`
fn judged(report: &Report, style: &Style) -> String {
    let summary = report.summary;
    let judged = format!("Judged: {} of {}", summary.judged, count(summary.rules, "rule"));
    let unknown = if style.verbose { summary.unknown.clone() } else { folded(&summary.unknown) };
    let shown = if style.verbose { unknown.len() } else { MOST_UNKNOWN };
    let mut told: Vec<String> = unknown
        .iter()
        .take(shown)
        .map(|unknown| {
            let rules = count(unknown.rules, "rule");
            match &unknown.declare {
                Some(declare) => format!("{} ({rules}; {declare})", unknown.what),
                None => format!("{} ({rules})", unknown.what),
            }
        })
        .collect();
    if unknown.len() > shown {
        told.push(format!("and {} more (-v)", unknown.len() - shown));
    }
    if told.is_empty() {
        return judged;
    }
    format!("{judged}. Not known: {}", told.join(", "))
}

/// The same of several namespaces as one: `Services of 3 namespaces`, with the most rules that any of them keeps
/// silent.
fn folded(unknown: &[Unknown]) -> Vec<Unknown> {
    let split = |what: &str| {
        let found = ALIKE.iter().find_map(|(of, all)| Some((what.split_once(of)?.0.to_string(), *all)));
        found.filter(|_| !what.contains(", which "))
    };
    let mut folded: Vec<(Unknown, usize)> = Vec::new();
    for one in unknown {
        let key = split(&one.what);
        let alike = |other: &&mut (Unknown, usize)| {
            key.is_some() && split(&other.0.what) == key && other.0.declare == one.declare
        };
        match folded.iter_mut().find(alike) {
            Some((first, count)) => (first.rules, *count) = (first.rules.max(one.rules), *count + 1),
            None => folded.push((one.clone(), 1)),
        }
    }
    let name = |(mut one, count): (Unknown, usize)| {
        if let (Some((what, all)), 2..) = (split(&one.what), count) {
            one.what = format!("{what} of {count} {all}");
        }
        one
    };
    folded.into_iter().map(name).collect()
}

/// `1 file`, `2 files`
pub fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}
