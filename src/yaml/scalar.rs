//! What a plain scalar means to kubectl: YAML 1.1 as `sigs.k8s.io/yaml` (go-yaml v2) resolves it.

/// A scalar as the API server would get it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar<'t> {
    /// Nothing, `~`, `null`.
    Null,
    /// `true`, `yes`, `on` …
    Bool(bool),
    /// A whole number, `0x1f` and `0755` included.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    Text(&'t str),
}

/// Resolves a scalar that has no quotes and no tag.
pub fn resolve(text: &str) -> Scalar<'_> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Scalar::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Scalar::Bool(false);
        }
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::Float(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Scalar::Float(f64::NAN),
        _ => {}
    }
    let first = text.as_bytes()[0];
    if !(first.is_ascii_digit() || matches!(first, b'+' | b'-' | b'.')) || text.len() > 64 {
        return Scalar::Text(text);
    }
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    if let Some(number) = integer(&digits) {
        return Scalar::Int(number);
    }
    if looks_like_float(&digits)
        && let Ok(number) = digits.parse::<f64>()
    {
        return Scalar::Float(number);
    }
    Scalar::Text(text)
}

/// Go's `strconv.ParseInt(text, 0, 64)`.
fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = if let Some(hex) = lower.strip_prefix("0x") {
        (16, hex)
    } else if let Some(octal) = lower.strip_prefix("0o") {
        (8, octal)
    } else if let Some(binary) = lower.strip_prefix("0b") {
        (2, binary)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, &lower[1..])
    } else {
        (10, lower.as_str())
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let number = i128::from_str_radix(digits, radix).ok()?;
    i64::try_from(if negative { -number } else { number }).ok()
}

/// go-yaml's pattern `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
fn looks_like_float(text: &str) -> bool {
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (rest, None),
    };
    let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !exponent.is_none_or(all_digits) {
        return false;
    }
    match mantissa.split_once('.') {
        None => all_digits(mantissa),
        Some(("", fraction)) => all_digits(fraction),
        Some((whole, fraction)) => all_digits(whole) && (fraction.is_empty() || all_digits(fraction)),
    }
}

/// Whether the value stands elsewhere: a Flux or shell substitution (`${NAME}`, `${NAME:=x}`), a
/// template expression (`{{ … }}`), or a SOPS cipher text (`ENC[…]`).
pub fn is_unknown(text: &str) -> bool {
    // A cipher text is as long as what it hides; the others are names.
    if text.starts_with("ENC[") && text.ends_with(']') {
        return true;
    }
    if text.len() > 4096 {
        return false;
    }
    // Most scalars end here; searching for a text costs more than looking for its letters.
    if !text.bytes().any(|b| matches!(b, b'$' | b'{')) {
        return false;
    }
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let inner = &rest[at + 2..];
        let name = inner.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
        if name > 0
            && !inner.as_bytes()[0].is_ascii_digit()
            && matches!(inner.as_bytes().get(name), Some(b'}' | b':' | b'-' | b'/' | b'='))
        {
            return true;
        }
        rest = inner;
    }
    text.find("{{").is_some_and(|at| text[at..].contains("}}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolves_as_kubectl_does() {
        for (text, expected) in [
            ("yes", Scalar::Bool(true)),
            ("off", Scalar::Bool(false)),
            ("y", Scalar::Bool(true)),
            ("~", Scalar::Null),
            ("Null", Scalar::Null),
            ("0755", Scalar::Int(493)),
            ("0o17", Scalar::Int(15)),
            ("0x1F", Scalar::Int(31)),
            ("08", Scalar::Float(8.0)),
            ("1_000", Scalar::Int(1000)),
            ("-12", Scalar::Int(-12)),
            ("1e3", Scalar::Float(1000.0)),
            (".5", Scalar::Float(0.5)),
            ("5.", Scalar::Float(5.0)),
            ("1.30", Scalar::Float(1.3)),
            ("128Mi", Scalar::Text("128Mi")),
            ("500m", Scalar::Text("500m")),
            ("1.2.3", Scalar::Text("1.2.3")),
            ("-", Scalar::Text("-")),
            ("--5", Scalar::Text("--5")),
            ("2026-11-24", Scalar::Text("2026-11-24")),
            ("tRue", Scalar::Text("tRue")),
        ] {
            assert_eq!(resolve(text), expected, "{text}");
        }
    }

    #[test]
    fn substitutions_are_unknown() {
        for text in ["${version}", "a-${NAME:=x}-b", "ENC[AES256_GCM,data:x]", "{{ .Values.x }}", "x-{{name}}"] {
            assert!(is_unknown(text), "{text}");
        }
        assert!(is_unknown(&format!("ENC[AES256_GCM,data:{}]", "x".repeat(5000))));
        for text in ["$(NAME)", "${}", "${1}", "$NAME", "ENC[", "{{", "plain", "}} {{"] {
            assert!(!is_unknown(text), "{text}");
        }
    }
}
