//! Makes text from manifests harmless for a terminal and for a CI runner: what would be obeyed
//! instead of shown, or not be seen at all, is replaced by something visible, one character for one
//! character.

use std::borrow::Cow;

/// The visible character for one that a terminal would obey, that reorders its neighbours or that
/// nobody would see; nothing for all others, tab and newline among them.
pub fn stand_in(c: char) -> Option<char> {
    match c {
        '\t' | '\n' => None,
        '\0'..='\u{1f}' => char::from_u32('\u{2400}' as u32 + c as u32),
        '\u{7f}' => Some('\u{2421}'),
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{ffa0}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}' => Some('\u{fffd}'),
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

/// What opens a command to a CI runner wherever it stands in a line: Azure Pipelines, TeamCity, and
/// the older form of GitHub Actions.
const COMMANDS: [&str; 3] = ["##vso[", "##teamcity[", "##["];

/// A whole report, in which no name may pass for a command to the CI runner that shows it. GitHub
/// Actions takes `::` at a line's start for one, blanks before it or not.
pub fn without_commands(report: &str) -> Cow<'_, str> {
    let is_command = |line: &str| line.trim_start().starts_with("::");
    if !report.lines().any(is_command) && !COMMANDS.iter().any(|c| report.contains(c)) {
        return Cow::Borrowed(report);
    }
    let harmless = |line: &str| if is_command(line) { line.replacen("::", "\u{fffd}:", 1) } else { line.to_string() };
    let text: String = report.split_inclusive('\n').map(harmless).collect();
    Cow::Owned(COMMANDS.iter().fold(text, |text, c| text.replace(c, &format!("\u{fffd}{}", &c[1..]))))
}

/// JSON in which what a terminal or a CI runner would obey is escaped; its meaning stays.
pub fn json(text: &str) -> Cow<'_, str> {
    if !text.contains(|c| stand_in(c).is_some()) && !text.contains("##") {
        return Cow::Borrowed(text);
    }
    // All of it stands inside strings: JSON has no such character elsewhere.
    let mut escaped = String::with_capacity(text.len());
    for c in text.replace("##", "#\\u0023").chars() {
        match stand_in(c) {
            None => escaped.push(c),
            Some(_) => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| escaped += &format!("\\u{unit:04x}")),
        }
    }
    Cow::Owned(escaped)
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
    #[test]
    fn what_nobody_would_see_becomes_visible() {
        for c in "\u{200b}\u{200d}\u{2060}\u{feff}\u{fffa}\u{e0001}\u{e0041}\u{e0100}".chars() {
            assert_eq!(one_line(&format!("a{c}b")), "a\u{fffd}b", "{c:?}");
        }
    }

    #[test]
    fn no_line_is_a_command_to_a_ci_runner() {
        for (text, shown) in [
            ("::error::x\n  ::set-env name=A::b\n", "\u{fffd}:error::x\n  \u{fffd}:set-env name=A::b\n"),
            ("a ##vso[task.setvariable]\n", "a \u{fffd}#vso[task.setvariable]\n"),
            ("##[error]x, ##teamcity[y]", "\u{fffd}#[error]x, \u{fffd}#teamcity[y]"),
        ] {
            assert_eq!(without_commands(text), shown);
        }
        assert!(matches!(without_commands("a::b\n## heading\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_keeps_its_meaning() {
        let text = "\u{1b}[31m \u{202e} \u{e0041} ##vso[x] ###";
        let written = serde_json::to_string(text).unwrap();
        let safe = json(&written);
        assert!(!safe.contains(|c| stand_in(c).is_some()) && !safe.contains("##"), "{safe}");
        assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), text);
    }
}
