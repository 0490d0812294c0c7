use std::fmt;

use jiff::civil;

/// A day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(civil::Date);

impl Date {
    /// Reads `2026-11-24`, also at the start of a time (`2026-11-24T10:00:00Z`, as Kubernetes writes it);
    /// nothing for anything else.
    pub fn parse(text: &str) -> Option<Date> {
        let text = text.trim();
        let day = text.split_once('T').map_or(text, |(day, _)| day);
        let shaped = day.len() == 10 && day.bytes().filter(|b| *b == b'-').count() == 2;
        shaped.then(|| day.parse().ok().map(Date)).flatten()
    }

    /// Days from another date to this one; negative if this one comes first.
    pub fn days_since(self, other: Date) -> i64 {
        let span = self.0.since(other.0);
        span.map_or(0, |span| i64::from(span.get_days()))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<String> for Date {
    type Error = String;

    fn try_from(text: String) -> Result<Date, String> {
        Date::parse(&text).ok_or_else(|| format!("date \"{text}\" is not written as 2026-11-22"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_and_compared() {
        let d = |text| Date::parse(text).unwrap();
        assert_eq!(d("2026-11-24").days_since(d("2025-11-24")), 365);
        assert_eq!(d("2024-03-01").days_since(d("2024-02-28")), 2);
        assert_eq!(d("2026-11-22").days_since(d("2026-11-24")), -2);
        assert!(d("2026-09-30") < d("2026-10-01"));
        assert_eq!(d("2026-11-24T23:59:59Z"), d("2026-11-24"));
        assert_eq!(d("2026-11-24").to_string(), "2026-11-24");
        for text in ["", "2026", "2026-13-01", "2026-02-30", "24.11.2026", "20261124", "soon"] {
            assert_eq!(Date::parse(text), None, "{text}");
        }
    }
}
