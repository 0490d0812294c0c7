//! Findings drawn for people. The only place that builds miette diagnostics: miette draws the
//! frames, the header and the advice around them are written here.

use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents, ThemeCharacters, ThemeStyles,
};
use textwrap::core::display_width;

use super::excerpt::{Excerpt, Mark, excerpts};
use super::sanitize::{clean, one_line};
use super::{Report, Style, advice, ansi, location, location_of, summary, url, wrap};
use crate::finding::{Finding, Place, Problem, RuleId, Severity};
use crate::source::Sources;

const BOLD: &str = "1";
const DIM: &str = "2";
const TAB: usize = 4;
/// Labels keep at least that many columns, however far right their place is.
const NARROWEST_LABEL: usize = 30;

/// The report as a person reads it: findings, problems, summary.
pub fn render(report: &Report, style: &Style) -> String {
    let mut blocks = if style.statistics { vec![summary::statistics(report, style)] } else { findings(report, style) };
    blocks.extend(report.problems.iter().map(|p| problem(p, style)));
    blocks.push(summary::summary_lines(report, style));
    blocks.retain(|block| !block.is_empty());
    blocks.join("\n")
}

fn findings(report: &Report, style: &Style) -> Vec<String> {
    let mut blocks = Vec::new();
    for (found, more) in report.folded(style) {
        blocks.push(finding(report.sources, found, style));
        if more > 0 {
            let line = format!("and {more} more of {}", one_line(found.rule.as_str()));
            blocks.push(style.paint(DIM, &line) + "\n");
        }
    }
    blocks
}

/// A finding with its message, places and advice.
pub(super) fn finding(sources: &Sources, finding: &Finding, style: &Style) -> String {
    let mut out = header(style, finding.severity, Some(&finding.rule), &finding.message);
    out.push_str(&pictures(sources, finding, style));
    for (key, text) in advice(finding) {
        out.push_str(&footer(style, key, &text));
    }
    out
}

/// The places of a finding, drawn; without its message and advice.
pub(super) fn pictures(sources: &Sources, finding: &Finding, style: &Style) -> String {
    let primary = mark(sources, &finding.primary, "", true);
    let mut files = vec![(finding.primary.span.file, vec![primary])];
    for label in &finding.labels {
        let file = label.place.span.file;
        let mark = mark(sources, &label.place, &label.message, false);
        match files.iter_mut().find(|(id, _)| *id == file) {
            Some((_, marks)) => marks.push(mark),
            None => files.push((file, vec![mark])),
        }
    }
    let excerpts =
        files.into_iter().flat_map(|(id, marks)| excerpts(sources.file(id), sources.masked(id), marks)).collect();
    frames(excerpts, finding.severity, style)
}

/// A problem with its place and advice.
pub(super) fn problem(problem: &Problem, style: &Style) -> String {
    let mut out = header(style, problem.severity, None, &problem.message);
    if let Some((file, range)) = &problem.place {
        let mark = Mark {
            range: range.clone(),
            text: problem.label.as_deref().map(clean).unwrap_or_default().into_owned(),
            location: location(file, range.start),
            primary: true,
        };
        let excerpts = excerpts(file, &[], vec![mark]);
        out.push_str(&frames(excerpts, problem.severity, style));
    }
    out.push_str(&footer(style, "help", problem.help.as_deref().unwrap_or_default()));
    out
}

fn mark(sources: &Sources, place: &Place, text: &str, primary: bool) -> Mark {
    let file = sources.file(place.span.file);
    let location = location_of(file, place);
    Mark { range: place.span.range(), text: clean(text).trim_end().to_string(), location, primary }
}

/// `error[topic/rule-id]: message`, or without the rule for a problem.
fn header(style: &Style, severity: Severity, rule: Option<&RuleId>, message: &str) -> String {
    let rule = rule.map(|rule| (one_line(rule.as_str()), rule.topic()));
    let (plain, linked) = match rule {
        None => (severity.to_string(), severity.to_string()),
        Some((id, topic)) => {
            let plain = format!("{severity}[{id}]");
            // Rules of the user's own have no page.
            let linked = if style.color && !matches!(topic, "" | "custom") {
                format!("{severity}[\x1b]8;;{}\x1b\\{id}\x1b]8;;\x1b\\]", url(&id))
            } else {
                plain.clone()
            };
            (plain, linked)
        }
    };
    let head = format!("{plain}: ");
    let wrapped = style.wrap(&one_line(message), &head, "  ");
    let message = wrapped.strip_prefix(&head).unwrap_or_default();
    let linked = style.paint(ansi(severity), &linked);
    format!("{linked}: {}\n", style.paint(BOLD, message))
}

/// `  key: text` with a hanging indent; nothing without a text.
fn footer(style: &Style, key: &str, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let head = format!("  {}: ", style.paint(BOLD, key));
    let indent = " ".repeat(display_width(&head));
    style.wrap(clean(text).trim_end(), &head, &indent) + "\n"
}

/// One frame per excerpt, all with the same room for line numbers.
fn frames(excerpts: Vec<Excerpt>, severity: Severity, style: &Style) -> String {
    let digits = |excerpt: &Excerpt| excerpt.lines.end.to_string().len();
    let gutter = excerpts.iter().map(digits).max().unwrap_or(1);
    let theme = theme(style);
    let mut out = String::new();
    for mut excerpt in excerpts {
        wrap_labels(&mut excerpt, gutter, style);
        let pad = " ".repeat(gutter - digits(&excerpt));
        for line in draw(excerpt, severity, theme.clone()).lines() {
            out.push_str(&pad);
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    out
}

fn theme(style: &Style) -> GraphicalTheme {
    let mut styles = if style.color { ThemeStyles::ansi() } else { ThemeStyles::none() };
    styles.link = styles.help;
    let characters = if style.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() };
    GraphicalTheme { characters, styles }
}

/// The frame of one excerpt.
fn draw(excerpt: Excerpt, severity: Severity, mut theme: GraphicalTheme) -> String {
    let styles = &mut theme.styles;
    let primary = match severity {
        Severity::Error => styles.error,
        Severity::Warning => styles.warning,
        Severity::Info => styles.advice,
    };
    let color = |mark: &Mark| if mark.primary { primary } else { styles.help };
    styles.highlights = excerpt.marks.iter().map(color).collect();
    let chars = &theme.characters;
    let location = excerpt.marks.first().map_or("", |mark| &mark.location);
    let empty = format!(
        "   {}{}[{location}]\n   {}{}\n",
        chars.ltop,
        chars.hbar,
        chars.lbot,
        String::from(chars.hbar).repeat(4)
    );
    // A file that is empty or could not be read has nothing to underline.
    if excerpt.text.trim().is_empty() {
        return empty;
    }
    let mut drawn = String::new();
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_links(false)
        .without_syntax_highlighting()
        .without_primary_span_start()
        .tab_width(TAB);
    match handler.render_report(&mut drawn, &Snippet(excerpt)) {
        // The first line is miette's own header.
        Ok(()) => drawn.split_once('\n').map_or(empty, |(_, frames)| frames.to_string()),
        Err(_) => empty,
    }
}

/// Breaks the labels into lines that fit to the right of their underlines.
fn wrap_labels(excerpt: &mut Excerpt, gutter: usize, style: &Style) {
    for mark in &mut excerpt.marks {
        let line = excerpt.text[..mark.range.start].rfind('\n').map_or(0, |i| i + 1);
        let before = columns(&excerpt.text[line..mark.range.start]);
        let after = columns(&excerpt.text[line..mark.range.end]);
        let frame = gutter + " ".len() + " | ".len() + "`-- ".len();
        let room = style.width.saturating_sub(frame + (before + after) / 2);
        mark.text = wrap(&mark.text, room.max(NARROWEST_LABEL), "", "");
    }
}

/// The width of a line's start on the screen, counted as miette does.
fn columns(text: &str) -> usize {
    text.split('\t').map(display_width).reduce(|tabbed, width| (tabbed / TAB + 1) * TAB + width).unwrap_or(0)
}

/// An excerpt as miette wants it.
#[derive(Debug)]
struct Snippet(Excerpt);

impl fmt::Display for Snippet {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Snippet {}

impl Diagnostic for Snippet {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.0.marks.iter().map(|mark| {
            let text = (!mark.text.is_empty()).then(|| mark.text.clone());
            if mark.primary {
                LabeledSpan::new_primary_with_span(text, mark.range.clone())
            } else {
                LabeledSpan::new_with_span(text, mark.range.clone())
            }
        })))
    }
}

impl SourceCode for Snippet {
    /// All of the excerpt, whatever is asked for: cropping is done already.
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        _lines_before: usize,
        _lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let Excerpt { text, lines, marks } = &self.0;
        // miette takes the head of the frame from what it reads for the leading mark.
        let lead = marks.iter().find(|mark| mark.range.start == span.offset());
        Ok(Box::new(MietteSpanContents::new_named(
            lead.map_or_else(String::new, |mark| mark.location.clone()),
            text.as_bytes(),
            (0, text.len()).into(),
            lines.start,
            0,
            lines.len(),
        )))
    }
}
