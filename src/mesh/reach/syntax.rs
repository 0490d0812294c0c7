//! The syntax of labels and port names that the API server insists on.

/// A port's name (case 60): at most 15 of `a-z0-9-`, with a letter, and no `-` at an end or in a row.
/// A quoted number is a name without a letter (case 59).
pub(super) fn is_port_name(name: &str) -> bool {
    name.len() <= 15
        && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && name.bytes().any(|b| b.is_ascii_lowercase())
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--")
}

/// A label's value (case 34): empty, or at most 63 of `A-Za-z0-9-_.` that start and end with a
/// letter or digit.
pub(super) fn is_label_value(value: &str) -> bool {
    value.is_empty() || is_name(value)
}

/// A label's key (case 34): a name, maybe after the name of a domain and `/`.
pub(super) fn is_label_key(key: &str) -> bool {
    match key.split_once('/') {
        None => is_name(key),
        Some((domain, name)) => is_domain(domain) && is_name(name),
    }
}

fn is_name(text: &str) -> bool {
    let edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    bytes.len() <= 63
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        && edge(bytes.first())
        && edge(bytes.last())
}

fn is_domain(text: &str) -> bool {
    text.len() <= 253
        && text.split('.').all(|part| {
            !part.is_empty()
                && part.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
                && !part.starts_with('-')
                && !part.ends_with('-')
        })
}
