//! A plan as Markdown, for a pull request or a wiki.

use super::Plan;
use super::sections::{Block, Section};
use crate::report::markdown::prose;

/// The plans, one after the other.
pub fn render(plans: &[Plan]) -> String {
    plans.iter().flat_map(Plan::sections).enumerate().map(|(number, s)| section(&s, number)).collect()
}

fn section(section: &Section, number: usize) -> String {
    let level = if section.title == "Capacity plan" { "##" } else { "###" };
    let beside = if section.beside.is_empty() { String::new() } else { format!(" · {}", prose(&section.beside)) };
    let gap = if number == 0 { "" } else { "\n" };
    let mut out = format!("{gap}{level} {}{beside}\n\n", prose(&section.title));
    let blocks: Vec<String> = section.blocks.iter().map(block).filter(|block| !block.is_empty()).collect();
    out += &blocks.join("\n");
    out
}

fn block(block: &Block) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let cell = |text: &str| prose(text).replace('|', "\\|");
    match block {
        Block::Facts(facts) => {
            let rows = facts.iter().map(|(name, text)| line(vec![cell(name), cell(text)]));
            format!("| | |\n|---|---|\n{}", rows.collect::<String>())
        }
        Block::Bars(bars) => {
            let rows = bars.iter().map(|bar| line(vec![cell(&bar.label), cell(&bar.value), cell(&bar.note)]));
            format!("| | | |\n|---|--:|---|\n{}", rows.collect::<String>())
        }
        Block::Table { head, rows } => {
            let rule = format!("|---|{}\n", "--:|".repeat(head.len() - 1));
            let rows = rows.iter().map(|row| {
                let bold =
                    |text: &str| if row.total && !text.is_empty() { format!("**{text}**") } else { text.to_string() };
                let cells = (0..head.len()).map(|n| bold(&cell(row.cells.get(n).map_or("", String::as_str))));
                line(cells.collect())
            });
            format!("{}{rule}{}", line(head.iter().map(|text| cell(text)).collect()), rows.collect::<String>())
        }
        Block::Notes(notes) => notes.iter().map(|note| format!("- {}\n", prose(note))).collect(),
        Block::Steps(steps) => {
            let step = |(number, [what, why, spot]): (usize, &[String; 3])| {
                let place = if spot.is_empty() { String::new() } else { format!(" ({})", prose(spot)) };
                format!("{}. **{}**{place}: {}\n", number + 1, prose(what), prose(why))
            };
            steps.iter().enumerate().map(step).collect()
        }
    }
}
