//! Tables of `rules/data`: facts with a source and a date.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::units::Date;

/// Days after which what a table says may no longer hold.
const YEAR: i64 = 365;

/// A table; rows are looked up by their key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Where the facts come from.
    pub source: String,
    /// When they were read there, `2026-11-22`.
    #[serde(deserialize_with = "date")]
    pub date: Date,
    /// Rows by key, each a map of column to text. Versions stand in quotes.
    pub rows: BTreeMap<String, BTreeMap<String, serde_yaml::Value>>,
}

impl Table {
    /// Whether it is more than a year older than a date.
    pub fn is_old(&self, today: Date) -> bool {
        today.days_since(self.date) > YEAR
    }
}

fn date<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    Date::try_from(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

/// Reads a table file; the error is a line (from 0) and a reason.
pub fn parse(yaml: &str) -> Result<Table, (usize, String)> {
    let at = |error: &serde_yaml::Error| error.location().map_or(0, |l| l.line().saturating_sub(1));
    super::read_yaml(yaml).map_err(|e| (at(&e), e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_date_and_grows_old() {
        let table = |date: &str| parse(&format!("source: a\ndate: {date}\nrows: {{}}\n"));
        let (_, reason) = table("soon").unwrap_err();
        assert!(reason.contains("date \"soon\" is not written as 2026-11-22"), "{reason}");
        let old = |today: &str| table("2025-11-22").unwrap().is_old(Date::parse(today).unwrap());
        assert_eq!((old("2026-11-22"), old("2026-11-23")), (false, true));
    }
}
