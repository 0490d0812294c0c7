//! Makes text from manifests harmless for a terminal: what would be obeyed instead of shown is
//! replaced by something visible, one character for one character.

use std::borrow::Cow;

/// The visible character for one that a terminal would obey or that reorders its neighbours;
/// nothing for all others, tab and newline among them.
pub fn stand_in(c: char) -> Option<char> {
    match c {
        '\t' | '\n' => None,
        '\0'..='\u{1f}' => char::from_u32('\u{2400}' as u32 + c as u32),
        '\u{7f}' => Some('\u{2421}'),
        '\u{80}'..='\u{9f}'
        | '\u{61c}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' => Some('\u{fffd}'),
        _ => None,
    }
}

/// Text of several lines: tabs and newlines stay, a carriage return before a newline goes.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(|c| stand_in(c).is_some()) {
        return Cow::Borrowed(text);
    }
    let text = text.replace("\r\n", "\n");
    Cow::Owned(text.chars().map(|c| stand_in(c).unwrap_or(c)).collect())
}

/// Text that must stay on one line, such as a message or a path.
pub fn one_line(text: &str) -> Cow<'_, str> {
    let visible = |c| match c {
        '\t' => Some('\u{2409}'),
        '\n' => Some('\u{240a}'),
        _ => stand_in(c),
    };
    if !text.contains(|c| visible(c).is_some()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| visible(c).unwrap_or(c)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmless_text_is_borrowed() {
        assert!(matches!(clean("grüße: 日本\n\tx"), Cow::Borrowed(_)));
        assert!(matches!(one_line("grüße: 日本"), Cow::Borrowed(_)));
    }

    #[test]
    fn escape_sequences_become_visible() {
        assert_eq!(clean("\x1b[31mred\x07\x7f\0"), "␛[31mred␇␡␀");
        assert_eq!(clean("\u{9b}31m"), "\u{fffd}31m");
    }

    #[test]
    fn bidi_controls_and_foreign_line_ends_become_visible() {
        for c in "\u{61c}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202e}\u{2066}\u{2069}".chars() {
            assert_eq!(clean(&format!("a{c}b")), "a\u{fffd}b", "{c:?}");
        }
    }

    #[test]
    fn a_carriage_return_goes_only_before_a_newline() {
        assert_eq!(clean("a\r\nb\rc"), "a\nb␍c");
    }

    #[test]
    fn one_line_has_no_newline() {
        assert_eq!(one_line("a\r\nerror: b\tc"), "a␍␊error: b␉c");
    }
}
