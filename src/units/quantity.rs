use std::fmt;

/// A Kubernetes quantity (`k8s.io/apimachinery/pkg/api/resource`), exact to a billionth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity {
    nano: i128,
}

const NANO: i128 = 1_000_000_000;
const BINARY: [(&str, u32); 6] = [("Ei", 60), ("Pi", 50), ("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10)];

impl Quantity {
    /// Reads `128Mi`, `0.5`, `500m`, `1e3`, `1.5G`; nothing for anything else.
    pub fn parse(text: &str) -> Option<Quantity> {
        let text = text.trim();
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let digits = rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
        let (number, suffix) = rest.split_at(digits);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') || whole.len() > 30 {
            return None;
        }
        // The API server keeps nine digits after the point of the value, not of the text: `0.0000000001E`
        // is legal but nobody writes it, so twenty digits are plenty.
        let fraction = &fraction[..fraction.len().min(20)];
        let mantissa: i128 = format!("0{whole}{fraction}").parse().ok()?;
        let scale = 10i128.checked_pow(fraction.len() as u32)?;
        let (multiplier, divisor) = factor(suffix)?;
        let nano = mantissa.checked_mul(multiplier)?.checked_mul(NANO)? / scale / divisor;
        Some(Quantity { nano: if negative { -nano } else { nano } })
    }

    /// A whole number.
    pub fn whole(number: i64) -> Quantity {
        Quantity { nano: i128::from(number) * NANO }
    }

    /// The value as a floating-point number, for messages and ratios.
    pub fn as_f64(self) -> f64 {
        self.nano as f64 / NANO as f64
    }

    /// This many times the quantity.
    pub fn times(self, factor: f64) -> Quantity {
        Quantity { nano: (self.nano as f64 * factor) as i128 }
    }

    /// The sum; the largest quantity where it overflows.
    pub fn plus(self, other: Quantity) -> Quantity {
        Quantity { nano: self.nano.saturating_add(other.nano) }
    }
}

/// What a suffix multiplies with, as a fraction.
fn factor(suffix: &str) -> Option<(i128, i128)> {
    if let Some((_, bits)) = BINARY.iter().find(|(s, _)| *s == suffix) {
        return Some((1 << bits, 1));
    }
    Some(match suffix {
        "" => (1, 1),
        "n" => (1, NANO),
        "u" => (1, 1_000_000),
        "m" => (1, 1_000),
        "k" => (1_000, 1),
        "M" => (1_000_000, 1),
        "G" => (NANO, 1),
        "T" => (1_000 * NANO, 1),
        "P" => (1_000_000 * NANO, 1),
        "E" => (NANO * NANO, 1),
        _ => {
            let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            let power = 10i128.checked_pow(exponent.unsigned_abs())?;
            if exponent < 0 { (1, power) } else { (power, 1) }
        }
    })
}

impl fmt::Display for Quantity {
    /// The shortest usual way to write it: `4Gi`, `1.5Gi`, `500m`, `2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nano < 0 {
            return write!(f, "-{}", Quantity { nano: -self.nano });
        }
        if self.nano % NANO != 0 {
            return if self.nano % 1_000_000 == 0 {
                write!(f, "{}m", self.nano / 1_000_000)
            } else {
                write!(f, "{}", self.as_f64())
            };
        }
        let value = self.nano / NANO;
        for (suffix, bits) in BINARY {
            let unit = 1i128 << bits;
            if value >= unit && value % unit == 0 {
                return write!(f, "{}{suffix}", value / unit);
            }
            if value >= unit && value * 10 % unit == 0 {
                return write!(f, "{:.1}{suffix}", value as f64 / unit as f64);
            }
        }
        for (suffix, unit) in [("G", NANO), ("M", 1_000_000)] {
            if value >= unit && value % (unit / 10) == 0 {
                let number = value as f64 / unit as f64;
                return if number.fract() == 0.0 {
                    write!(f, "{number:.0}{suffix}")
                } else {
                    write!(f, "{number:.1}{suffix}")
                };
            }
        }
        if value >= 1 << 20 { write!(f, "{:.1}Mi", value as f64 / f64::from(1 << 20)) } else { write!(f, "{value}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_exact() {
        for (text, expected) in [
            ("128Mi", 134_217_728.0),
            ("1Gi", 1_073_741_824.0),
            ("1G", 1e9),
            ("500m", 0.5),
            ("1e3", 1000.0),
            ("1E3", 1000.0),
            ("0.5", 0.5),
            ("1.5Gi", 1_610_612_736.0),
            ("2", 2.0),
            ("100k", 1e5),
            (".5", 0.5),
            ("5.", 5.0),
            ("1E", 1e18),
        ] {
            assert_eq!(Quantity::parse(text).unwrap().as_f64(), expected, "{text}");
        }
        assert!(Quantity::parse("2048Mi") == Quantity::parse("2Gi"));
        assert!(Quantity::parse("128M") < Quantity::parse("128Mi"));
        assert!(Quantity::parse("1000m") == Quantity::parse("1"));
    }

    #[test]
    fn rubbish_is_no_quantity() {
        for text in [
            "",
            "Mi",
            "128 Mi",
            "128MB",
            "1.2.3",
            "four",
            "0x10",
            "--1",
            "1e",
            "1e99",
            "12345678901234567890123456789012",
        ] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
    }

    #[test]
    fn shown_as_people_write_them() {
        for (text, shown) in [
            ("2048Mi", "2Gi"),
            ("1536Mi", "1.5Gi"),
            ("500m", "500m"),
            ("0.25", "250m"),
            ("4", "4"),
            ("1500M", "1.5G"),
            ("200Mi", "200Mi"),
        ] {
            assert_eq!(Quantity::parse(text).unwrap().to_string(), shown);
        }
    }
}
