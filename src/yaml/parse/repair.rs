//! What kubectl's decoder reads and the parser refuses: a comment without a blank before its `#`, as
//! in `key: "value"# comment`.

use std::sync::Arc;

use granit_parser::ScanError;

/// The error's comment is overwritten by blanks: every other byte keeps its place. The new text, and
/// where the comment stood; nothing for other errors.
pub(super) fn without_comment(text: &str, error: &ScanError) -> Option<(Arc<str>, usize, usize)> {
    if !error.info().starts_with("comments must be separated") {
        return None;
    }
    let start = error.marker().byte_offset().filter(|at| text.get(*at..).is_some_and(|rest| rest.starts_with('#')))?;
    let end = text[start..].find(['\r', '\n']).map_or(text.len(), |n| start + n);
    let blanks = " ".repeat(end - start);
    Some(([&text[..start], &blanks, &text[end..]].concat().into(), start, end))
}
