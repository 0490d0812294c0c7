//! What GitHub Actions reads in a log: the report for people, and workflow commands that annotate the
//! lines of a change. Escaping is that of the runner, `ActionCommand.cs`; the limits are GitHub's own.

use super::checkout::Spot;
use super::sanitize::{clean, one_line, without_commands};
use super::{Report, Style, advice, pretty, sentence};
use crate::finding::{Finding, Problem, Severity};

/// GitHub shows that many annotations of a level for one step.
const SHOWN: usize = 10;

/// The log of a step: the report as text, between commands that stop commands, then the annotations.
pub fn render(report: &Report, style: &Style) -> String {
    // All of it: the annotations point here.
    let log = pretty::render(report, &Style { color: false, max_per_rule: 0, ..style.clone() });
    stopped(&without_commands(&log)) + annotations(report, style).as_str()
}

/// A text in which the runner obeys nothing: only a token that does not occur in it ends that.
fn stopped(log: &str) -> String {
    if log.is_empty() {
        return String::new();
    }
    let end = if log.ends_with('\n') { "" } else { "\n" };
    let token = token(log);
    format!("::stop-commands::{token}\n{log}{end}::{token}::\n")
}

/// A word that does not occur in a text, the same for the same text.
fn token(text: &str) -> String {
    let text = text.to_lowercase();
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let words = (0u64..).map(|n| format!("plimsoll-{:016x}", hash.wrapping_add(n)));
    words.into_iter().find(|word| !text.contains(word.as_str())).unwrap_or_default()
}

/// The commands, the gravest first, at most as many as GitHub shows; the last counts the others.
fn annotations(report: &Report, style: &Style) -> String {
    let all = [Severity::Error, Severity::Warning, Severity::Info];
    let mut levels = all.map(|severity| {
        let problems = report.problems.iter().filter(|p| p.severity == severity).map(|p| of_problem(report, p));
        let findings = report.shown(style).filter(|f| f.severity == severity).map(|f| of_finding(report, f));
        problems.chain(findings).collect::<Vec<_>>()
    });
    let total: usize = levels.iter().map(Vec::len).sum();
    levels.iter_mut().for_each(|level| level.truncate(SHOWN));
    if levels.iter().map(Vec::len).sum::<usize>() < total {
        // The count is a notice, too.
        levels[2].truncate(SHOWN - 1);
    }
    let hidden = total - levels.iter().map(Vec::len).sum::<usize>();
    let mut out = levels.concat().concat();
    if hidden > 0 {
        let more = format!("{hidden} more in the log: GitHub shows {SHOWN} annotations of a level");
        out += &command(Severity::Info, &[("title", "plimsoll".to_string())], &more);
    }
    out
}

fn of_finding(report: &Report, finding: &Finding) -> String {
    let spot = Spot::of(report, &finding.primary);
    let mut lines = vec![one_line(&finding.message).into_owned()];
    lines.extend(spot.rendered_line());
    lines.extend(advice(finding).into_iter().map(|(key, text)| format!("{key}: {text}")));
    let properties = [at(&spot), vec![("title", finding.rule.to_string())]].concat();
    command(finding.severity, &properties, &lines.join("\n"))
}

fn of_problem(report: &Report, problem: &Problem) -> String {
    let at = Spot::of_problem(report, problem).map_or(Vec::new(), |spot| at(&spot));
    let help = problem.help.iter().map(|help| format!("\nhelp: {help}"));
    let message: String = std::iter::once(sentence(problem)).chain(help).collect();
    command(problem.severity, &[at, vec![("title", "plimsoll".to_string())]].concat(), &message)
}

/// The properties of a place. Columns are those of one line: GitHub takes none for several.
fn at(spot: &Spot) -> Vec<(&'static str, String)> {
    let mut at = vec![("file", spot.path.clone()), ("line", spot.line.to_string())];
    if let Some(columns) = spot.columns.as_ref().filter(|_| !spot.is_clipped) {
        at.push(("endLine", spot.line.to_string()));
        at.push(("col", columns.start.to_string()));
        at.push(("endColumn", columns.end.to_string()));
    }
    at
}

/// `::error file=a.yaml,line=3::message`
fn command(severity: Severity, properties: &[(&str, String)], message: &str) -> String {
    let name = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let property = |(key, value): &(&str, String)| format!("{key}={}", harmless(&escape_property(&one_line(value))));
    let properties: Vec<String> = properties.iter().map(property).collect();
    format!("::{name} {}::{}\n", properties.join(","), harmless(&escape_data(&clean(message))))
}

/// Commands to other runners may stand anywhere in a line.
fn harmless(text: &str) -> String {
    without_commands(text).into_owned()
}

fn escape_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn escape_property(text: &str) -> String {
    escape_data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_no_part_of_its_text() {
        let text = "a\n".to_string();
        let guessed = token(&text);
        assert_eq!(guessed, token(&text));
        // Even a text that holds the words next to come gets another.
        let hash = u64::from_str_radix(guessed.trim_start_matches("plimsoll-"), 16).unwrap();
        let hostile: String = (0..50).map(|n| format!("::plimsoll-{:016X}::\n", hash + n)).collect();
        assert!(!hostile.to_lowercase().contains(&token(&hostile)));
        let logged = stopped("::error::x");
        let token = token("::error::x");
        assert_eq!(logged, format!("::stop-commands::{token}\n::error::x\n::{token}::\n"));
        assert_eq!(stopped(""), "");
    }

    proptest::proptest! {
        #[test]
        fn a_command_is_one_line_whatever_is_said(file in ".*", message in "(?s).*") {
            let line = command(Severity::Error, &[("file", file)], &message);
            let (line, rest) = line.split_once('\n').unwrap();
            assert!(rest.is_empty() && !line.contains('\r'));
            let (head, data) = line["::".len()..].split_once("::").unwrap();
            let property = head.strip_prefix("error file=").unwrap();
            assert!(!property.contains([',', ':']));
            let unescaped = data.replace("%0A", "\n").replace("%25", "%");
            assert_eq!(unescaped.lines().count(), clean(&message).lines().count());
        }
    }
}
