//! What a comment says: `plimsoll: ignore[names] until date: reason`.

use std::ops::Range;

use crate::source::Span;

/// The form that messages show.
pub(super) const FORM: &str = "# plimsoll: ignore[rule]: reason";

/// A word of a comment, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) span: Span,
}

/// A comment that could be read.
#[derive(Debug, Clone)]
pub(super) struct Ignore {
    pub(super) names: Vec<Name>,
    /// What stands between the brackets.
    pub(super) list: Span,
    /// The last day on which it holds.
    pub(super) until: Option<Name>,
    /// Why it is meant to be there.
    pub(super) reason: String,
}

impl Ignore {
    /// Whether its last day is over; dates are written so that they sort as text.
    pub(super) fn has_run_out(&self, today: &str) -> bool {
        self.until.as_ref().is_some_and(|until| until.text.as_str() < today)
    }
}

/// Why a comment could not be read.
#[derive(Debug, Clone)]
pub(super) struct Mistake {
    pub(super) span: Span,
    pub(super) message: String,
}

/// Whether a comment speaks to plimsoll.
pub(super) fn is_ours(comment: &str) -> bool {
    comment.strip_prefix('#').is_some_and(|text| text.trim_start().starts_with("plimsoll:"))
}

/// Reads a comment from its `#` on; `place` turns ranges of it into spans.
pub(super) fn read(comment: &str, place: &dyn Fn(Range<usize>) -> Span) -> Result<Ignore, Mistake> {
    let comment = comment.trim_end();
    let mistake = |range: Range<usize>, message: String| Mistake { span: place(range), message };
    // Where a rest of the comment starts.
    let at = |rest: &str| comment.len() - rest.len();
    let order = comment.split_once("plimsoll:").map_or("", |(_, order)| order.trim_start());
    let word_end = order.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').unwrap_or(order.len());
    let (word, rest) = order.split_at(word_end);
    if word != "ignore" {
        let range = if word.is_empty() { 0..comment.len() } else { at(order)..at(rest) };
        let what = if word.is_empty() { "nothing that plimsoll knows".to_string() } else { format!("\"{word}\"") };
        return Err(mistake(range, format!("comment says {what}, only \"ignore\" is known")));
    }
    let whole = at(order)..comment.len();
    let Some(list) = rest.strip_prefix('[') else {
        return Err(mistake(at(order)..at(rest), "\"ignore\" names no rule".to_string()));
    };
    let Some((list, rest)) = list.split_once(']') else {
        return Err(mistake(whole, "the list of rules has no \"]\"".to_string()));
    };
    let list_start = at(rest) - 1 - list.len();
    let mut names = Vec::new();
    let mut offset = list_start;
    for part in list.split(',') {
        let start = offset + part.len() - part.trim_start().len();
        let text = part.trim().to_string();
        if text.is_empty() {
            return Err(mistake(list_start - 1..at(rest), "\"ignore\" names no rule".to_string()));
        }
        names.push(Name { span: place(start..start + text.len()), text });
        offset += part.len() + 1;
    }
    let rest = rest.trim_start();
    let Some((until, reason)) = rest.split_once(':') else {
        return Err(mistake(whole, "comment gives no reason".to_string()));
    };
    if reason.trim().is_empty() {
        return Err(mistake(whole, "comment gives no reason".to_string()));
    }
    let until_range = at(rest)..at(rest) + until.trim_end().len();
    let until = match until.trim_end().strip_prefix("until ").map(str::trim_start) {
        None if until.trim().is_empty() => None,
        None => {
            return Err(mistake(until_range, format!("\"{}\" is not understood", until.trim())));
        }
        Some(date) if is_date(date) => {
            Some(Name { text: date.to_string(), span: place(until_range.end - date.len()..until_range.end) })
        }
        Some(date) => {
            let range = until_range.end - date.len()..until_range.end;
            return Err(mistake(range, format!("\"{date}\" is no date such as 2027-01-31")));
        }
    };
    Ok(Ignore { names, list: place(list_start..list_start + list.len()), until, reason: reason.trim().to_string() })
}

/// A day of the calendar, written `2027-01-31`.
fn is_date(text: &str) -> bool {
    text.len() == "2027-01-31".len()
        && text.starts_with(|c: char| c.is_ascii_digit())
        && text.parse::<jiff::civil::Date>().is_ok()
}
