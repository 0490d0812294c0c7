use std::fmt;

/// A duration as Go writes it: `1h30m`, `300ms`, `10s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration {
    nano: i128,
}

const UNITS: [(&str, i128); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

impl Duration {
    /// Reads a duration; nothing for a number without unit, except `0`.
    pub fn parse(text: &str) -> Option<Duration> {
        let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
        if rest == "0" {
            return Some(Duration { nano: 0 });
        }
        let mut nano: i128 = 0;
        if rest.is_empty() {
            return None;
        }
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
            let number: f64 = rest[..digits].parse().ok()?;
            rest = &rest[digits..];
            let letters = rest.chars().take_while(|c| c.is_alphabetic()).map(char::len_utf8).sum();
            let (_, unit) = UNITS.iter().find(|(name, _)| *name == &rest[..letters])?;
            nano = nano.checked_add((number * *unit as f64) as i128)?;
            rest = &rest[letters..];
        }
        Some(Duration { nano: if text.starts_with('-') { -nano } else { nano } })
    }

    /// The length in seconds.
    pub fn as_secs_f64(self) -> f64 {
        self.nano as f64 / 1e9
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}s", self.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_durations() {
        for (text, seconds) in
            [("1h30m", 5400.0), ("300ms", 0.3), ("10s", 10.0), ("1.5h", 5400.0), ("0", 0.0), ("-5s", -5.0)]
        {
            assert_eq!(Duration::parse(text).unwrap().as_secs_f64(), seconds, "{text}");
        }
        for text in ["", "10", "1d", "s", "1h30"] {
            assert_eq!(Duration::parse(text), None, "{text}");
        }
    }
}
