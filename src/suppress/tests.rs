use std::sync::Arc;

use super::*;
use crate::source::FileId;
use crate::yaml::parse::parse as parse_yaml;

const NAMES: &[&str] = &["traffic", "traffic/host", "host", "sizing/cpu", "cpu", "sizing", "IST0101"];

fn found(rule: &str, span: Span) -> Finding {
    let mut finding = finding(rule, span, rule.to_string(), String::new());
    finding.aliases = Arc::from(["IST0101".to_string()]);
    finding
}

/// Puts a finding of `traffic/host` at each `!` of a text, and gives the outcome.
fn judged(text: &str) -> Outcome {
    judged_with(text, true)
}

fn judged_with(text: &str, all_rules_ran: bool) -> Outcome {
    let tree = parse_yaml(FileId(0), Arc::from(text));
    assert!(tree.errors.is_empty(), "{:?}", tree.errors);
    let places = text.match_indices('!').map(|(at, _)| Span::new(FileId(0), at, at + 1));
    let findings = places.map(|span| found("traffic/host", span)).collect();
    apply(findings, &parse(&tree), "2026-11-24", all_rules_ran, NAMES)
}

fn counts(text: &str) -> (usize, usize, usize) {
    let outcome = judged(text);
    (outcome.active.len(), outcome.suppressed.len(), outcome.extra.len())
}

#[test]
fn a_comment_covers_a_subtree() {
    for (text, expected) in [
        ("a: x! # plimsoll: ignore[host]: r\nb: x!\n", (1, 1, 0)),
        ("# first\nz: 1\n# plimsoll: ignore[host]: r\na: x!\nb: x!\n", (1, 1, 0)),
        ("z: 1\na: # plimsoll: ignore[host]: r\n  b:\n  - x!\n  c: {d: x!}\nb: x!\n", (1, 2, 0)),
        ("z: 1\na:\n  # plimsoll: ignore[host]: r\n  # more words\n\n  b: x!\n  c: x!\n", (1, 1, 0)),
        ("l:\n- name: x! # plimsoll: ignore[host]: r\n  b: x!\n- name: x!\n", (1, 2, 0)),
        ("l:\n# plimsoll: ignore[host]: r\n- x!\n- x!\n", (1, 1, 0)),
        ("l:\n  - x!\n  # plimsoll: ignore[host]: r\n  - b: x!\n    c: x!\n", (1, 2, 0)),
        ("l: [x!, y!] # plimsoll: ignore[host]: r\nb: x!\n", (1, 2, 0)),
        ("z: 1\na: | # plimsoll: ignore[host]: r\n  x!\nb: x!\n", (1, 1, 0)),
        ("a:\n  x! # plimsoll: ignore[host]: r\nb: x!\n", (1, 1, 0)),
    ] {
        assert_eq!(counts(text), expected, "{text}");
    }
}

#[test]
fn before_the_first_key_it_covers_the_document() {
    for (text, expected) in [
        ("# plimsoll: ignore[host]: r\na: x!\nb: x!\n---\nc: x!\n", (1, 2, 0)),
        ("# plimsoll: ignore[host]: r\n---\na: x!\n---\nc: x!\n", (1, 1, 0)),
        ("a: x!\n---\n# Source: y\n# plimsoll: ignore[host]: r\nb: x!\nc: x!\n", (1, 2, 0)),
        ("a: x!\n--- # plimsoll: ignore[host]: r\nb: x!\n", (1, 1, 0)),
        ("# plimsoll: ignore[host]: r\n- x!\n- x!\n", (0, 2, 0)),
    ] {
        assert_eq!(counts(text), expected, "{text}");
    }
}

#[test]
fn whatever_covers_a_place_is_found_among_many() {
    let mut text = "# plimsoll: ignore[sizing]: r\n".to_string();
    for i in 0..30 {
        text += &format!("k{i}: # plimsoll: ignore[{}]: r\n", if i % 3 == 0 { "host" } else { "cpu" });
        for j in 0..5 {
            text += &format!("  s{j}: x! # plimsoll: ignore[{}]: r\n", if j % 2 == 0 { "cpu" } else { "host" });
        }
        text += "  rest: x!\n";
    }
    text += "---\n# plimsoll: ignore[host]: r\na: x! # plimsoll: ignore[cpu]: r\nb: x!\n";
    // Ten of the maps with all six values, two values of each of the others, and the second document.
    assert_eq!(judged(&text).suppressed.len(), 10 * 6 + 20 * 2 + 2);
}

#[test]
fn names_are_ids_stems_topics_and_aliases() {
    for name in ["traffic/host", "host", "traffic", "IST0101", "cpu, host"] {
        let text = format!("a: x! # plimsoll: ignore[{name}]: r\n");
        assert_eq!(judged(&text).suppressed.len(), 1, "{name}");
    }
    for name in ["Host", "ist0101", "sizing"] {
        let text = format!("a: x! # plimsoll: ignore[{name}]: r\n");
        assert_eq!(judged(&text).active.len(), 1, "{name}");
    }
}

#[test]
fn dates_end_it() {
    assert_eq!(counts("a: x! # plimsoll: ignore[host] until 2026-11-24: r\n"), (0, 1, 0));
    let outcome = judged("a: x! # plimsoll: ignore[host] until 2026-11-23: r\n");
    assert_eq!((outcome.active.len(), outcome.extra.len()), (1, 1));
    assert_eq!(outcome.extra[0].message, "this comment has run out on 2026-11-23");
    assert_eq!(outcome.extra[0].rule.as_str(), "suppression/malformed");
}

/// The message of the only finding about a comment, and the text that it points at.
fn mistake(text: &str) -> (String, String) {
    let outcome = judged_with(text, false);
    assert_eq!(outcome.extra.len(), 1, "{text} {:?}", outcome.extra);
    assert_eq!(outcome.extra[0].rule.as_str(), "suppression/malformed");
    assert_eq!(outcome.suppressed.len(), 0);
    (outcome.extra[0].message.clone(), text[outcome.extra[0].primary.span.range()].to_string())
}

#[test]
fn mistakes_are_found_at_their_place() {
    for (comment, message, place) in [
        ("ignore", "\"ignore\" names no rule", "ignore"),
        ("ignore: r", "\"ignore\" names no rule", "ignore"),
        ("ignore[]: r", "\"ignore\" names no rule", "[]"),
        ("ignore[host,]: r", "\"ignore\" names no rule", "[host,]"),
        ("ignore[host", "the list of rules has no \"]\"", "ignore[host"),
        ("ignore[host]", "comment gives no reason", "ignore[host]"),
        ("ignore[host]:  ", "comment gives no reason", "ignore[host]:"),
        ("ignore[host] because: r", "\"because\" is not understood", "because"),
        ("ignore[host] until soon: r", "\"soon\" is no date such as 2027-01-31", "soon"),
        ("ignore[host] until 2027-02-30: r", "\"2027-02-30\" is no date such as 2027-01-31", "2027-02-30"),
        ("disable", "comment says \"disable\", only \"ignore\" is known", "disable"),
        ("", "comment says nothing that plimsoll knows, only \"ignore\" is known", "# plimsoll:"),
    ] {
        let text = format!("a: x! # plimsoll: {comment}\n");
        assert_eq!(mistake(&text), (message.to_string(), place.to_string()), "{comment}");
    }
    assert_eq!(mistake("a: x!\n# plimsoll: ignore[host]: r\n").0, "this comment stands at no key and no list item");
}

#[test]
fn unknown_names_get_a_suggestion() {
    let outcome = judged("a: x! # plimsoll: ignore[hots, host]: r\n");
    assert_eq!((outcome.suppressed.len(), outcome.extra.len()), (1, 1));
    let extra = &outcome.extra[0];
    assert_eq!(extra.message, "no rule, topic or alias is called \"hots\"");
    assert_eq!(extra.labels[0].message, "did you mean \"host\"?");
    assert!(judged("a: x! # plimsoll: ignore[elephant]: r\n").extra[0].labels.is_empty());
}

#[test]
fn unused_comments_are_removed() {
    let text = "z: 1\na: 1 # plimsoll: ignore[host, cpu]: r\n";
    assert!(judged_with(text, false).extra.is_empty());
    let extra = judged(text).extra;
    assert_eq!(extra[0].rule.as_str(), "suppression/unused");
    assert_eq!(extra[0].message, "nothing is left to ignore here for \"host\", \"cpu\"");
    assert_eq!(fixed(text, &extra[0]), "z: 1\na: 1\n");
    let text = "z: 1\n# plimsoll: ignore[host]: r\na: 1\n";
    assert_eq!(fixed(text, &judged(text).extra[0]), "z: 1\na: 1\n");
    let text = "a: x! # plimsoll: ignore[cpu, host]: r\n";
    let extra = judged(text).extra;
    assert_eq!(extra[0].message, "nothing is left to ignore here for \"cpu\"");
    assert_eq!(fixed(text, &extra[0]), "a: x! # plimsoll: ignore[host]: r\n");
}

fn fixed(text: &str, finding: &Finding) -> String {
    let fix = &finding.fixes[0];
    assert!(fix.safe && fix.edits.len() == 1);
    let mut text = text.to_string();
    text.replace_range(fix.edits[0].span.range(), &fix.edits[0].text);
    text
}

#[test]
fn other_comments_say_nothing() {
    assert_eq!(counts("# see plimsoll: ignore[host]: r\na: x! # plimsoll ignore[host]: r\n"), (1, 0, 0));
    assert_eq!(counts("a: 'x! # plimsoll: ignore[host]: r'\n"), (1, 0, 0));
}

#[test]
fn a_comment_of_another_file_does_not_count() {
    let tree = |file, text: &str| parse_yaml(FileId(file), Arc::from(text));
    let mut suppressions = parse(&tree(0, "# plimsoll: ignore[host]: r\na: 1\n"));
    suppressions.extend(parse(&tree(1, "# plimsoll: ignore[host]: r\na: 1\n")));
    let findings =
        vec![found("traffic/host", Span::new(FileId(1), 30, 31)), found("traffic/host", Span::new(FileId(2), 30, 31))];
    let outcome = apply(findings, &suppressions, "2026-11-24", true, NAMES);
    assert_eq!((outcome.suppressed.len(), outcome.active.len(), outcome.extra.len()), (1, 1, 1));
}

#[test]
fn text_inside_a_scalar_is_covered_by_its_key() {
    let text = "data:\n  # plimsoll: ignore[host]: r\n  mesh: |\n    a: x!\n";
    assert_eq!(counts(text), (0, 1, 0));
}

#[test]
fn comments_of_broken_documents_are_left_alone() {
    let text = "# plimsoll: ignore[host]: r\na: [\n---\n# plimsoll: ignore\nb: 1\n";
    assert_eq!(parse(&parse_yaml(FileId(0), Arc::from(text))).len(), 1);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]
    #[test]
    fn no_comment_is_too_odd(said in "( ?(ignore|until|2027-01-31|\\[|\\]|,|:|ü| |x)){0,9}", above in proptest::bool::ANY) {
        let comment = format!("# plimsoll: {said}");
        let text = if above { format!("{comment}\na: 1") } else { format!("a: 1 {comment}") };
        let outcome = judged(&text);
        for finding in &outcome.extra {
            proptest::prop_assert!(text.get(finding.primary.span.range()).is_some_and(|place| !place.is_empty()));
        }
        proptest::prop_assert!(!outcome.extra.is_empty());
    }
}
