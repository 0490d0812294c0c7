//! Tables of `rules/data`: facts with a source and a date.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A table; rows are looked up by their key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Where the facts come from.
    pub source: String,
    /// When they were read there, `2026-11-22`.
    pub date: String,
    /// Rows by key, each a map of column to text. Versions stand in quotes.
    pub rows: BTreeMap<String, BTreeMap<String, serde_yaml::Value>>,
}

/// Reads a table file; the error is a line (from 0) and a reason.
pub fn parse(yaml: &str) -> Result<Table, (usize, String)> {
    let at = |error: &serde_yaml::Error| error.location().map_or(0, |l| l.line().saturating_sub(1));
    let table: Table = super::read_yaml(yaml).map_err(|e| (at(&e), e.to_string()))?;
    if table.date.parse::<jiff::civil::Date>().is_err() {
        return Err((0, format!("date \"{}\" is not written as 2026-11-22", table.date)));
    }
    Ok(table)
}
