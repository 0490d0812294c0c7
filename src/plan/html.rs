//! A plan as one page for a browser: no script, nothing from elsewhere, readable without colours.

use super::Plan;
use super::sections::{Bar, Block, Row, Section, Tone};
use crate::report::sanitize::one_line;

const STYLE: &str = include_str!("page.css");

/// The page.
pub fn render(plans: &[Plan]) -> String {
    let body: String = plans.iter().map(of_cluster).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\" />\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n<title>Capacity plan</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>Capacity plan</h1>\n{body}</main>\n</body>\n</html>\n"
    )
}

/// Text that is only text to a browser.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            c => out.push(c),
        }
    }
    out
}

fn of_cluster(plan: &Plan) -> String {
    let sections: String = plan.sections().iter().map(section).collect();
    format!("<article>\n{sections}</article>\n")
}

fn section(section: &Section) -> String {
    let title = if section.title == "Capacity plan" { "Cluster" } else { &section.title };
    let beside =
        if section.beside.is_empty() { String::new() } else { format!(" <small>{}</small>", text(&section.beside)) };
    let blocks: String = section.blocks.iter().map(|block| self::block(block, title)).collect();
    format!("<section>\n<h2>{}{beside}</h2>\n{blocks}</section>\n", text(title))
}

fn block(block: &Block, title: &str) -> String {
    match block {
        Block::Facts(facts) => {
            let fact = |(name, said): &(String, String)| format!("<dt>{}</dt><dd>{}</dd>\n", text(name), text(said));
            format!("<dl>\n{}</dl>\n", facts.iter().map(fact).collect::<String>())
        }
        Block::Bars(bars) => {
            let head = "<tr><th scope=\"col\">figure</th><th scope=\"col\">amount</th><td></td><th scope=\"col\">whose</th></tr>";
            let rows: String = bars.iter().map(of_bar).collect();
            format!(
                "<table class=\"bars\">\n<caption>{}</caption>\n<thead>{head}</thead>\n<tbody>\n{rows}</tbody>\n</table>\n",
                text(title)
            )
        }
        Block::Table { head, rows } => {
            let head: String = head.iter().map(|name| format!("<th scope=\"col\">{}</th>", text(name))).collect();
            let rows: String = rows.iter().map(of_row).collect();
            format!(
                "<table>\n<caption>{}</caption>\n<thead><tr>{head}<td></td></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n",
                text(title)
            )
        }
        Block::Notes(notes) if notes.is_empty() => String::new(),
        Block::Notes(notes) => {
            format!(
                "<ul>\n{}</ul>\n",
                notes.iter().map(|note| format!("<li>{}</li>\n", text(note))).collect::<String>()
            )
        }
        Block::Steps(steps) => {
            let step = |[what, why, spot]: &[String; 3]| {
                let place = if spot.is_empty() { String::new() } else { format!("<br /><code>{}</code>", text(spot)) };
                format!("<li><strong>{}</strong><br />{}{place}</li>\n", text(what), text(why))
            };
            format!("<ol>\n{}</ol>\n", steps.iter().map(step).collect::<String>())
        }
    }
}

/// A bar repeats the figure beside it, so that nobody has to see it.
fn drawn(share: Option<f64>, tone: Tone) -> String {
    let class = match tone {
        Tone::Asked => "asked",
        Tone::Guided => "guided",
        Tone::Measured => "measured",
    };
    let draw = |share: f64| {
        let percent = share.clamp(0.0, 1.0) * 100.0;
        format!("<div class=\"bar {class}\" style=\"width:{percent:.1}%\" aria-hidden=\"true\"></div>")
    };
    format!("<td class=\"track\">{}</td>", share.map_or(String::new(), draw))
}

fn of_bar(bar: &Bar) -> String {
    let drawn = drawn(bar.share, bar.tone);
    let (label, value, note) = (text(&bar.label), text(&bar.value), text(&bar.note));
    format!("<tr><th scope=\"row\">{label}</th><td class=\"figure\">{value}</td>{drawn}<td>{note}</td></tr>\n")
}

fn of_row(row: &Row) -> String {
    let (first, rest) = row.cells.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
    let cells: String = rest.iter().map(|cell| format!("<td class=\"figure\">{}</td>", text(cell))).collect();
    let class = if row.total { " class=\"total\"" } else { "" };
    format!("<tr{class}><th scope=\"row\">{}</th>{cells}{}</tr>\n", text(first), drawn(row.share, Tone::Asked))
}
