//! `plimsoll explain`

use super::terminal::{Color, style};
use super::{Status, complain, out, project};
use crate::example;
use crate::finding::{Problem, Severity};
use crate::report::sanitize::clean;
use crate::report::{Report, Style, pretty};
use crate::rule::header::Subject;
use crate::rule::page::{ExampleKind, without_marker};
use crate::rule::{Rule, load};
use crate::run::Loaded;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A rule: its id, the part after the slash, or an alias
    #[arg(value_name = "RULE")]
    rule: String,
    #[command(flatten)]
    project: project::Origin,
    /// Colours: auto, always or never
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
}

pub(super) fn run(arguments: &Arguments) -> Status {
    let loaded = match arguments.project.read(&[]) {
        Ok(project) => project.loaded,
        Err(status) => return status,
    };
    let Some(rule) = loaded.set.find(&arguments.rule) else {
        let named: Vec<_> = loaded.set.rules.iter().filter(|r| r.is_named(&arguments.rule)).collect();
        if !named.is_empty() {
            let names = named.iter().map(|r| r.id.as_str()).collect::<Vec<_>>().join(", ");
            let problem = Problem::error(format!("\"{}\" means {} rules", arguments.rule, named.len()));
            return complain(&[problem.help(format!("name one of {names}"))]);
        }
        let problem = Problem::error(format!("no rule is called \"{}\"", arguments.rule));
        let problem = problem.help(load::did_you_mean(&loaded.set, &arguments.rule));
        // A rule that can't be read has no name to explain.
        return complain(&[&loaded.problems[..], &[problem]].concat());
    };
    let style = style(arguments.color, Severity::Info);
    out(&page(&loaded, rule, &style));
    Status::Clean
}

/// The page for a terminal: facts of the header, prose wrapped to the width, code as it is, and below
/// each Bad example the findings it produces.
fn page(loaded: &Loaded, rule: &Rule, style: &Style) -> String {
    let bold = |text: &str| if style.color { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_string() };
    let header = &rule.header;
    let mut out = format!("{}  {}\n{}\n\n", bold(rule.id.as_str()), header.severity, clean(&rule.page.title));
    let mut fact = |key: &str, value: String| {
        if !value.is_empty() {
            out += &format!("  {key:<8} {}\n", clean(&value));
        }
    };
    let number = loaded.set.rules.iter().position(|r| r.id == rule.id).unwrap_or(0);
    fact("checks", header.checks.iter().map(Subject::name).collect::<Vec<_>>().join(", "));
    fact("reads", loaded.checked.reads[number].iter().cloned().collect::<Vec<_>>().join(", "));
    fact("aka", header.aka.join(", "));
    fact("source", header.source.clone().unwrap_or_default());
    for param in &header.params {
        let official = param.official.as_ref().map_or(String::new(), |o| format!(" (official: {o})"));
        fact("param", format!("{} = {}{official}: {}", param.name, param.default, param.help));
    }
    let width = style.width.min(100);
    let mut code = false;
    let mut paragraph = String::new();
    let mut examples = rule.page.examples.iter();
    let wrap = |text: &mut String, out: &mut String| {
        if !text.is_empty() {
            *out += &(textwrap::fill(text, width) + "\n");
            text.clear();
        }
    };
    let markdown = clean(&rule.page.markdown);
    for line in markdown.lines().skip_while(|l| !l.starts_with("# ")).skip(1) {
        if line.starts_with("```") {
            wrap(&mut paragraph, &mut out);
            code = !code;
            if !code && let Some(example) = examples.next() {
                out += &findings(loaded, rule, example, style);
            }
        } else if code {
            out += &without_marker(line).map_or(String::new(), |line| format!("    {line}\n"));
        } else if let Some(heading) = line.strip_prefix("## ") {
            wrap(&mut paragraph, &mut out);
            out += &(bold(heading) + "\n");
        } else if line.trim().is_empty() {
            wrap(&mut paragraph, &mut out);
            out += "\n";
        } else if line.starts_with(['*', '-', '|']) || line.starts_with("  ") {
            wrap(&mut paragraph, &mut out);
            out += &(textwrap::fill(line, textwrap::Options::new(width).subsequent_indent("  ")) + "\n");
        } else {
            paragraph = format!("{paragraph} {line}").trim().to_string();
        }
    }
    wrap(&mut paragraph, &mut out);
    out
}

fn findings(loaded: &Loaded, rule: &Rule, example: &crate::rule::page::Example, style: &Style) -> String {
    if example.kind == ExampleKind::Good {
        return String::new();
    }
    let example = example.without_markers();
    let sources = example.sources();
    let Ok(outcome) = example::outcome(loaded, rule, &example, &sources) else { return String::new() };
    let style = Style { quiet: true, ..style.clone() };
    let report = Report::new(&sources, &outcome.findings, &outcome.problems, &outcome.summary);
    let drawn = pretty::render(&report, &style);
    if drawn.is_empty() { drawn } else { format!("\n{drawn}") }
}
