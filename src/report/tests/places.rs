//! Odd places and hostile text.

use super::*;

#[test]
fn missing_value_at_the_end_of_a_file() {
    for text in ["spec:\n  limits:", "spec:\n  limits:\n", "spec:\n  limits:\n\n"] {
        let drawn = draw_bytes(text, text.len(), text.len());
        assert!(drawn.contains(" 2 │   limits:\n   ·         ┬\n"), "{drawn}");
    }
    snapshot("end_of_file", &draw_bytes("spec:\n  limits:\n", 16, 16));
}

#[test]
fn zero_width() {
    let drawn = [(6, 6), (5, 5), (15, 15), (16, 16), (99, 120)]
        .map(|(start, end)| draw_bytes("spec: x\nports: \n\nhosts: y\n", start, end));
    snapshot("zero_width", &drawn.join("\n"));
}

#[test]
fn multi_line_spans_end_with_their_first_line() {
    snapshot("multi_line", &draw_bytes("spec:\n  a: {b: 1,  \n    c: 2}\n", 11, 28));
}

#[test]
fn multi_byte() {
    let text = "kommentar: \"größe 日本 x\" # é\n";
    let start = text.find('x').unwrap();
    snapshot("multi_byte", &draw_bytes(text, start, start + 1));
}

#[test]
fn offsets_inside_a_character_are_no_panic() {
    for i in 0..12 {
        draw_bytes("日é: 語\r\n", i, i + 1);
        draw_bytes("\u{feff}", i, i);
        draw_bytes("", i, i);
    }
}

#[test]
fn crlf_and_byte_order_mark() {
    snapshot("crlf", &draw_bytes("\u{feff}spec:\r\n  port: 443\r\n  host: a\r\n", 18, 21));
}

#[test]
fn tabs() {
    snapshot("tabs", &draw_bytes("a: 1\n\tb:\tvalue # no\n", 9, 14));
}

#[test]
fn escape_and_bidi_characters_are_shown_not_obeyed() {
    let evil = "\x1b[2J\u{202e}\u{9b}31m\u{7}";
    let text = format!("spec:\n  host: {evil}reviws{evil}\n");
    let sources = sources(&[("evil\x1b[0m\n.yaml", &text)]);
    let (_, file) = sources.iter().next().unwrap();
    let place = place(&sources, &file.name, "reviws");
    let mut found = finding("traffic/a\x1b", &format!("host \"{evil}\nerror\""), place.clone())
        .with(place, &format!("two {evil}\nlines\n"));
    found.why = format!("why {evil}\r\nsecond line");
    found.help = vec![evil.into()];
    found.notes = vec![evil.into()];
    found.links = vec![evil.into()];
    found.fixes = vec![Fix { title: evil.into(), safe: true, edits: Vec::new() }];
    found.clusters = vec![evil.into()];
    let summary = Summary {
        unknown: vec![Unknown { what: evil.into(), rules: 1, declare: None }],
        skipped: vec![Skipped { path: evil.into(), reason: evil.into(), notable: true }],
        ..Summary::default()
    };
    let problems = [Problem::error(evil).at(&Arc::new(SourceFile::new(evil, None, evil)), 0..1, evil)];
    let findings = [found];
    let report = Report::new(&sources, &findings, &problems, &summary);
    for text in [
        pretty::render(&report, &Style { quiet: false, ..style() }),
        pretty::render(&report, &Style { statistics: true, ..style() }),
        short::render(&report, &Style { quiet: false, ..style() }),
        github::render(&report, &Style { quiet: false, ..style() }),
        markdown::render(&report, &Style { quiet: false, ..style() }),
        gitlab::render(&report, &style()),
        junit::render(&report, &style()),
        sarif::render(&report, &style()),
    ] {
        assert!(!text.contains(['\x1b', '\u{202e}', '\u{9b}', '\u{7}', '\r']), "{text:?}");
    }
    snapshot("escapes", &pretty::render(&report, &Style { quiet: false, ..style() }));
    snapshot("escapes_short", &short::render(&report, &style()));
}

#[test]
fn long_lines_are_cut_around_their_labels() {
    let text = format!("{{ {} \"port\": 443, {} \"name\": 7 }}\nb\n", "\"é\": 1,".repeat(99), "x".repeat(900));
    let sources = sources(&[("a.json", &text)]);
    let found = finding("traffic/port", "port 443 is taken", place(&sources, "a.json", "443"))
        .with(place(&sources, "a.json", "443"), "this one")
        .with(place(&sources, "a.json", "\"name\""), "by that name")
        .with(place(&sources, "a.json", "b"), "and below a long line");
    snapshot("long_line", &draw(&sources, &[found], &style()));
}

#[test]
fn secrets_are_masked() {
    let mut sources = sources(&[("a.yaml", "data:\n  password: aHVudGVyMg==\n")]);
    let secret = place(&sources, "a.yaml", "aHVudGVyMg==");
    sources.set_masked(vec![secret.span]);
    let found = finding("security/secret", "a secret", secret.clone()).with(secret, "this");
    snapshot("masked", &draw(&sources, &[found], &style()));
}

#[test]
fn a_file_without_text_has_only_a_head() {
    snapshot("no_text", &draw_bytes("", 0, 0));
}
