//! What the terminal can show.

use std::io::IsTerminal;

use crate::finding::Severity;
use crate::report::Style;

/// `--color`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

fn set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|v| !v.is_empty())
}

/// Whether the terminal knows no control sequences.
pub(super) fn is_dumb() -> bool {
    std::env::var("TERM").is_ok_and(|t| t == "dumb")
}

fn wants_color(terminal: bool) -> bool {
    !set("NO_COLOR")
        && (terminal && !is_dumb() || std::env::var("CLICOLOR_FORCE").is_ok_and(|v| v != "0" && !v.is_empty()))
}

pub(super) fn stderr_has_color() -> bool {
    wants_color(std::io::stderr().is_terminal())
}

/// The first of LC_ALL, LC_CTYPE and LANG that is set decides, as the C library has it.
fn has_unicode() -> bool {
    let locale =
        ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    let locale = locale.unwrap_or_default().to_ascii_lowercase();
    cfg!(windows) || locale.contains("utf-8") || locale.contains("utf8")
}

fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|c| c.parse::<usize>().ok());
    let measured = || terminal_size::terminal_size().map(|(terminal_size::Width(w), _)| usize::from(w));
    columns.or_else(measured).unwrap_or(100).clamp(40, 400)
}

/// The style of standard output.
pub(super) fn style(color: Color, min_severity: Severity) -> Style {
    Style {
        color: match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => wants_color(std::io::stdout().is_terminal()),
        },
        unicode: has_unicode(),
        width: width(),
        min_severity,
        max_per_rule: 0,
        quiet: false,
        verbose: false,
        statistics: false,
        suppressed: false,
    }
}
