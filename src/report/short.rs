//! One line per finding, for editors, `grep` and people in a hurry.

use super::sanitize::one_line;
use super::{Report, Style, ansi, location, location_of, sentence, summary};
use crate::finding::Severity;

/// `path:line:column: severity[rule] message` per finding, problems, summary. Never folded.
pub fn render(report: &Report, style: &Style) -> String {
    if style.statistics {
        return summary::statistics(report, style) + summary::summary_lines(report, style).as_str();
    }
    let mut out = String::new();
    for finding in report.shown(style) {
        let place = location_of(report.sources.file(finding.primary.span.file), &finding.primary);
        let severity = severity(style, finding.severity);
        let (rule, message) = (one_line(finding.rule.as_str()), one_line(&finding.message));
        out.push_str(&format!("{place}: {severity}[{rule}] {message}\n"));
    }
    for problem in report.problems {
        if let Some((file, range)) = &problem.place {
            out.push_str(&location(file, range.start));
            out.push_str(": ");
        }
        let severity = severity(style, problem.severity);
        out.push_str(&format!("{severity}: {}\n", one_line(&sentence(problem))));
    }
    out + summary::summary_lines(report, style).as_str()
}

fn severity(style: &Style, severity: Severity) -> String {
    style.paint(ansi(severity), severity.as_str())
}
