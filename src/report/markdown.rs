//! A comment for a pull request, in GitHub's Markdown. GitLab reads the same.

use super::checkout::Spot;
use super::sanitize::{clean, one_line, without_commands};
use super::summary::{count, lines};
use super::{Report, RuleId, Style, advice, pretty, sentence};
use crate::finding::{Finding, Problem, ResourceRef, Severity};

/// What a comment on GitHub may hold, in characters.
const COMMENT: usize = 65_536;
/// What the lines about coverage may take, in bytes.
const COVERAGE: usize = 4_096;
/// How wide the pictures are.
const WIDTH: usize = 100;

/// The report in the size of a comment.
pub fn render(report: &Report, style: &Style) -> String {
    within(report, style, COMMENT)
}

/// The report in at most `most` bytes: verdict, problems, findings by severity, coverage. What does not
/// fit is left out from a finding's start on, and counted.
pub fn within(report: &Report, style: &Style, most: usize) -> String {
    let mut said = lines(report, style).into_iter();
    let new = report.summary.compared.as_ref().map_or(String::new(), |c| format!(", new since {}", code(&c.before)));
    let verdict = format!("**plimsoll: {}**{new}\n", prose(&said.next().unwrap_or_default()));
    let coverage = if style.quiet { String::new() } else { coverage(said) };
    // Room for the line that counts what is left out.
    let room = most.saturating_sub(coverage.len() + 200);
    let mut out = verdict;
    let mut left_out = 0;
    let mut heading = String::new();
    for (title, block) in blocks(report, style) {
        let new = if heading == title { String::new() } else { format!("\n#### {title}\n") };
        let fits = |block: &str| left_out == 0 && out.len() + new.len() + block.len() <= room;
        match [block.whole, block.short].into_iter().find(|block| fits(block)) {
            Some(text) => out += &format!("{new}{text}"),
            None => left_out += block.findings,
        }
        heading = title;
    }
    if left_out > 0 {
        out += &format!("\n*{} left out here: the comment would be too long.*\n", count(left_out, "finding"));
    }
    without_commands(&format!("{out}{coverage}")).into_owned()
}

/// A part of the report that is there as a whole, or shortened, or not at all.
struct Block {
    whole: String,
    short: String,
    /// How many findings it stands for.
    findings: usize,
}

/// Problems, and findings by severity, each under its heading.
fn blocks(report: &Report, style: &Style) -> Vec<(String, Block)> {
    let mut blocks: Vec<(String, Block)> = Vec::new();
    let problems = "Not everything was checked";
    blocks.extend(report.problems.iter().map(|problem| (problems.to_string(), of_problem(problem, style))));
    for severity in [Severity::Error, Severity::Warning, Severity::Info] {
        let title = count(report.count(severity), severity.as_str());
        let found = report.folded(style).into_iter().filter(|(finding, _)| finding.severity == severity);
        blocks.extend(found.map(|(finding, more)| (title.clone(), of_finding(report, (finding, more), style))));
    }
    blocks
}

/// A finding, and how many of its rule follow that are not shown.
fn of_finding(report: &Report, (finding, more): (&Finding, usize), style: &Style) -> Block {
    let spot = Spot::of(report, &finding.primary);
    let owner = finding.resource.as_ref().map_or(String::new(), |resource| format!(" · {}", owner(resource)));
    let rule = rule(report, &finding.rule);
    let mut short = format!("\n**{}**\n\n{}{owner} · {rule}\n\n", prose(&finding.message), code(&spot.shown()));
    for (key, text) in advice(finding) {
        let text = if key == "more" { link(&text) } else { prose(&text) };
        short += &format!("- {key}: {text}\n");
    }
    let drawn = pretty::pictures(report.sources, finding, &Style { color: false, width: WIDTH, ..style.clone() });
    let files: std::collections::BTreeSet<_> =
        finding.labels.iter().map(|label| label.place.span.file).chain([finding.primary.span.file]).collect();
    let title = if files.len() > 1 { format!("the lines, in {} files", files.len()) } else { "the lines".to_string() };
    let more_of = match more {
        0 => String::new(),
        _ => format!("\n*and {more} more of {}*\n", code(finding.rule.as_str())),
    };
    let whole = format!("{short}{}{more_of}", folded(&title, &drawn));
    Block { whole, short: format!("{short}{more_of}"), findings: 1 + more }
}

fn of_problem(problem: &Problem, style: &Style) -> Block {
    let help = problem.help.iter().map(|help| format!("- help: {}\n", prose(help)));
    let short = format!("\n**{}**\n\n{}", prose(&sentence(problem)), help.collect::<String>());
    let drawn = pretty::problem(problem, &Style { color: false, width: WIDTH, ..style.clone() });
    let whole = if problem.place.is_some() { format!("{short}{}", folded("the lines", &drawn)) } else { short.clone() };
    Block { whole, short, findings: 0 }
}

/// A rule by its id, with its page where that is published.
fn rule(report: &Report, rule: &RuleId) -> String {
    let name = code(rule.as_str());
    match report.page(rule).and_then(|page| page.url.as_deref()) {
        Some(url) if is_plain_url(url) => format!("[{name}]({url})"),
        _ => name,
    }
}

fn owner(resource: &ResourceRef) -> String {
    let namespace = resource.namespace.as_ref().map_or(String::new(), |namespace| format!("{namespace}/"));
    format!("{} {}", prose(&resource.kind), code(&format!("{namespace}{}", resource.name)))
}

/// The lines under the verdict, in small print.
fn coverage(lines: impl Iterator<Item = String>) -> String {
    let mut out = String::new();
    for line in lines.map(|line| prose(&line)) {
        if out.len() + line.len() > COVERAGE {
            break;
        }
        out += if out.is_empty() { "\n<sub>" } else { "<br>" };
        out += &line;
    }
    if out.is_empty() { out } else { out + "</sub>\n" }
}

/// A text to unfold, in a fence that is longer than any in it.
fn folded(title: &str, text: &str) -> String {
    let text = clean(text);
    let fence = "`".repeat(3.max(longest_run(&text) + 1));
    format!("\n<details><summary>{title}</summary>\n\n{fence}text\n{}\n{fence}\n\n</details>\n", text.trim_end())
}

/// A link, if it is nothing but one.
fn link(text: &str) -> String {
    if is_plain_url(text) { format!("<{text}>") } else { code(text) }
}

fn is_plain_url(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/#?=&%+:,".contains(c);
    text.starts_with("https://") && text.chars().all(plain)
}

/// A sentence in which nothing but what is quoted, and words that could mean something to GitHub, stand
/// in another type: `host "a" has no @b` as host `a` has no `@b`. So no name of a manifest is a link, a
/// mention, an image, a reference, a tag or a heading.
pub(crate) fn prose(text: &str) -> String {
    let text = one_line(text.trim()).replace('␊', " ");
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let quoted = ['"', '`'].into_iter().find(|quote| *quote == first).and_then(|quote| {
            let (inside, after) = rest[1..].split_once(quote)?;
            // A quote that a word follows at once closes nothing.
            let closes = !after.starts_with(|c: char| c.is_alphanumeric());
            (!inside.trim().is_empty() && closes).then_some((inside, after))
        });
        if let Some((inside, after)) = quoted {
            push_apart(&mut out, &code(inside));
            rest = after;
        } else if first.is_whitespace() {
            out.push(' ');
            rest = rest.trim_start();
        } else {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            // What opens a quotation belongs to the next round.
            let opening = rest[..end].find(['"', '`']).filter(|at| rest[..*at].chars().all(|c| "([{".contains(c)));
            let end = opening.filter(|at| *at > 0).unwrap_or(end);
            push_apart(&mut out, &word(&rest[..end]));
            rest = &rest[end..];
        }
    }
    out
}

/// Adds a piece; two spans of code that touched would end each other elsewhere.
fn push_apart(out: &mut String, piece: &str) {
    if out.ends_with('`') && piece.starts_with('`') {
        out.push(' ');
    }
    out.push_str(piece);
}

/// A word as it is, or in code if any of its characters may mean something.
fn word(word: &str) -> String {
    let inner = word.trim_start_matches('(').trim_end_matches([',', '.', ';', ':', ')', '?', '!']);
    let at = word.len() - word.trim_start_matches('(').len();
    let (before, after) = (&word[..at], &word[at + inner.len()..]);
    let is_plain =
        inner.chars().all(|c| c.is_alphanumeric() || ".,;:'’()%+-?–…".contains(c)) && !means_something(inner);
    if inner.is_empty() || is_plain { word.to_string() } else { format!("{before}{}{after}", code(inner)) }
}

/// Words without a special character that GitHub turns into something else: sites, emoji, issues, commits.
fn means_something(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let is_commit = word.len() >= 7 && word.chars().all(|c| c.is_ascii_hexdigit()) && word.contains(char::is_numeric);
    lower.starts_with("www.") || lower.starts_with("gh-") || word.contains(':') || is_commit
}

/// Text in a span of code that it can't end.
fn code(text: &str) -> String {
    let text = one_line(text);
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    if text.trim().is_empty() { String::new() } else { format!("{fence}{pad}{text}{pad}{fence}") }
}

/// The most backticks in a row.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}
