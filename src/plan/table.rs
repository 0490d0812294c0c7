//! A plan on a terminal: calm titles, bars, columns that line up.

use super::Plan;
use super::sections::{Bar, Block, Row, Section, Tone};
use crate::report::Style;
use crate::report::sanitize::one_line;

/// Wider lines are harder to read.
const WIDEST: usize = 120;
/// Shorter bars say nothing.
const SHORTEST_BAR: usize = 8;
const LONGEST_BAR: usize = 40;

const BOLD: &str = "1";
const DIM: &str = "2";

/// The plans, one after the other.
pub fn render(plans: &[Plan], style: &Style) -> String {
    let style = Style { width: style.width.min(WIDEST), ..style.clone() };
    let drawn =
        plans.iter().map(|plan| plan.sections().iter().map(|s| section(s, &style)).collect::<Vec<_>>().join("\n"));
    drawn.collect::<Vec<_>>().join(&format!("\n{}\n\n", rule(&style)))
}

fn rule(style: &Style) -> String {
    style.paint(DIM, &(if style.unicode { "─" } else { "-" }).repeat(style.width))
}

fn section(section: &Section, style: &Style) -> String {
    let title = one_line(&section.title);
    let mut out = style.paint(BOLD, &title);
    if !section.beside.is_empty() {
        let gap = if width_of(&title) + width_of(&section.beside) + 2 > style.width { "\n  " } else { "  " };
        out += &format!("{gap}{}", style.paint(DIM, &dots(&one_line(&section.beside), style)));
    }
    out.push('\n');
    for block in &section.blocks {
        out += &match block {
            Block::Facts(facts) => self::facts(facts, style),
            Block::Bars(bars) => self::bars(bars, style),
            Block::Table { head, rows } => table(head, rows, style),
            Block::Notes(notes) => notes.iter().map(|note| style.wrap(&one_line(note), "  ", "  ") + "\n").collect(),
            Block::Steps(steps) => self::steps(steps, style),
        };
    }
    out
}

/// Without characters that the terminal may not have.
fn dots(text: &str, style: &Style) -> String {
    if style.unicode { text.to_string() } else { text.replace('·', "-") }
}

fn width_of(text: &str) -> usize {
    textwrap::core::display_width(text)
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(width_of(text))))
}

fn facts(facts: &[(String, String)], style: &Style) -> String {
    let widest = facts.iter().map(|(name, _)| width_of(name)).max().unwrap_or(0);
    let line = |(name, text): &(String, String)| {
        let indent = " ".repeat(widest + 4);
        let wrapped = style.wrap(&one_line(text), &indent, &indent);
        // The name is painted after the text is wrapped: colours have no width.
        format!("  {}  {}\n", style.paint(DIM, &padded(name, widest)), wrapped.trim_start())
    };
    facts.iter().map(line).collect()
}

fn bars(bars: &[Bar], style: &Style) -> String {
    let widest = |of: &dyn Fn(&Bar) -> usize| bars.iter().map(of).max().unwrap_or(0);
    let label = widest(&|bar| width_of(&bar.label));
    let value = widest(&|bar| width_of(&bar.value));
    let note = widest(&|bar| width_of(&bar.note)).min(40);
    let room = style.width.saturating_sub(label + value + note + 8).clamp(SHORTEST_BAR, LONGEST_BAR);
    let line = |bar: &Bar| {
        let drawn = bar.share.map_or(String::new(), |share| draw(share, room, style));
        let gap = " ".repeat(room.saturating_sub(width_of(&drawn)));
        let head = format!("  {}  {}", padded(&bar.label, label), right(&one_line(&bar.value), value));
        let (painted, note) = (style.paint(color(bar.tone), &drawn), style.paint(DIM, &one_line(&bar.note)));
        let note = if bar.note.is_empty() { String::new() } else { format!("{gap}  {note}") };
        format!("{head}  {painted}{note}").trim_end().to_string() + "\n"
    };
    bars.iter().map(line).collect()
}

fn color(tone: Tone) -> &'static str {
    match tone {
        Tone::Asked => "36",
        Tone::Guided => "33",
        Tone::Measured => "90",
    }
}

fn right(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(width_of(text))))
}

/// A bar, to the eighth of a column where the terminal can draw that.
fn draw(share: f64, room: usize, style: &Style) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let share = share.clamp(0.0, 1.0);
    if !style.unicode {
        let full = (share * room as f64).round() as usize;
        return "#".repeat(full.max(usize::from(share > 0.0)));
    }
    let eighths = ((share * room as f64 * 8.0).round() as usize).max(usize::from(share > 0.0));
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

/// Columns as wide as their texts; on a narrow terminal names are cut, then columns left out.
fn table(head: &[String], rows: &[Row], style: &Style) -> String {
    let cell = |row: &Row, column: usize| one_line(row.cells.get(column).map_or("", String::as_str)).into_owned();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| width_of(&cell(row, column))).max().unwrap_or(0);
        cells.max(width_of(&head[column]))
    };
    let mut widths: Vec<usize> = (0..head.len()).map(width).collect();
    let total = |widths: &[usize]| 2 + widths.iter().map(|w| w + 2).sum::<usize>() - 2;
    let over = total(&widths).saturating_sub(style.width);
    widths[0] = widths[0].saturating_sub(over).max(widths[0].min(12));
    while total(&widths) > style.width && widths.len() > 3 {
        widths.pop();
    }
    let hidden = head.len() - widths.len();
    let room = style.width.saturating_sub(total(&widths) + 2).min(LONGEST_BAR);
    let line = |cells: &[String], share: Option<f64>| {
        let mut line = format!("  {}", padded(&cut(&cells[0], widths[0]), widths[0]));
        for (text, width) in cells[1..].iter().zip(&widths[1..]) {
            line += &format!("  {}", right(text, *width));
        }
        let bar = share.filter(|_| room >= SHORTEST_BAR).map(|share| draw(share, room, style));
        line += &bar.map_or(String::new(), |bar| format!("  {}", style.paint(color(Tone::Asked), &bar)));
        line.trim_end().to_string()
    };
    let mut out = format!("{}\n", style.paint(DIM, &line(head, None)));
    for row in rows {
        let cells: Vec<String> = (0..head.len()).map(|column| cell(row, column)).collect();
        let text = line(&cells, row.share);
        out += &if row.total { style.paint(BOLD, &text) } else { text };
        out.push('\n');
    }
    if hidden > 0 {
        let names = head[head.len() - hidden..].join(", ");
        out += &style.wrap(&format!("(a wider terminal shows {names}, too)"), "  ", "  ");
        out.push('\n');
    }
    out
}

/// At most so many columns, with a mark where something is left out.
fn cut(text: &str, width: usize) -> String {
    if width_of(text) <= width {
        return text.to_string();
    }
    let mut short = String::new();
    for c in text.chars() {
        if width_of(&short) + width_of(&c.to_string()) >= width {
            break;
        }
        short.push(c);
    }
    short + "~"
}

fn steps(steps: &[[String; 3]], style: &Style) -> String {
    let mut out = String::new();
    for (number, [what, why, spot]) in steps.iter().enumerate() {
        let text = style.wrap(&one_line(what), "     ", "     ");
        out += &format!("  {} {}\n", style.paint("1;36", &format!("{}.", number + 1)), text.trim_start());
        out += &style.paint(DIM, &style.wrap(&one_line(why), "     ", "     "));
        out.push('\n');
        if !spot.is_empty() {
            out += &format!("     {}\n", one_line(spot));
        }
    }
    out
}
