use std::path::Path;

use super::*;
use crate::finding::{Place, Severity};

fn sources(texts: &[(&str, &str)]) -> Sources {
    let file = |(name, text): &(&str, &str)| SourceFile::new(*name, Some(Path::new(name)), *text);
    Sources::new(texts.iter().map(file).collect())
}

fn edit(file: u32, start: usize, end: usize, text: &str) -> Edit {
    Edit { span: Span::new(FileId(file), start, end), text: text.into() }
}

fn finding(rule: &str, fixes: Vec<(bool, Vec<Edit>)>) -> Finding {
    let span = fixes.first().map_or(Span::new(FileId(0), 0, 0), |(_, edits)| edits[0].span);
    let fix = |(safe, edits)| Fix { title: format!("mend {rule}"), safe, edits };
    Finding {
        rule: RuleId::new(rule),
        aliases: Arc::from([]),
        severity: Severity::Warning,
        message: rule.into(),
        why: String::new(),
        primary: Place { span, yaml_path: String::new(), template: None },
        resource: None,
        labels: vec![],
        help: vec![],
        values: Vec::new(),
        notes: vec![],
        links: vec![],
        fixes: fixes.into_iter().map(fix).collect(),
        clusters: vec![],
        fingerprint: String::new(),
        unnumbered: String::new(),
    }
}

fn safe(rule: &str, edits: Vec<Edit>) -> Finding {
    finding(rule, vec![(true, edits)])
}

#[test]
fn edits_of_several_findings_and_files() {
    let sources = sources(&[("a", "\u{feff}x: 1\r\ny: 2\r\n"), ("b", "z: 3")]);
    let findings =
        [safe("t/b", vec![edit(0, 12, 13, "20"), edit(1, 3, 4, "30")]), safe("t/a", vec![edit(0, 6, 7, "10")])];
    let applied = apply(&sources, &findings, false);
    let texts: Vec<_> = applied.files.iter().map(|(id, text)| (id.0, text.as_str())).collect();
    assert_eq!(texts, [(0, "\u{feff}x: 10\r\ny: 20\r\n"), (1, "z: 30")]);
    assert!(applied.conflicts.is_empty());
}

#[test]
fn a_fix_counts_once_over_all_its_files() {
    let sources = sources(&[("a", "x: 1\ny: 2\n"), ("b", "z: 3")]);
    let across = [safe("t/a", vec![edit(0, 3, 4, "9"), edit(0, 8, 9, "9"), edit(1, 3, 4, "9")])];
    assert_eq!(apply(&sources, &across, false).applied, 1);
}

#[test]
fn the_first_of_two_that_overlap_wins() {
    let sources = sources(&[("a", "x: 1\ny: 2\n")]);
    let findings = [safe("t/b", vec![edit(0, 3, 4, "b")]), safe("t/a", vec![edit(0, 3, 4, "a")])];
    let applied = apply(&sources, &findings, false);
    assert_eq!(applied.files[0].1, "x: a\ny: 2\n");
    assert_eq!((applied.applied, applied.conflicts.len()), (1, 1));
    assert_eq!(applied.conflicts[0].rule.as_str(), "t/b");
    assert_eq!(applied.conflicts[0].cause, Cause::Overlap);
}

#[test]
fn equal_edits_count_once() {
    let sources = sources(&[("a", "x: 1\n")]);
    let findings = [safe("t/a", vec![edit(0, 4, 4, "0")]), safe("t/b", vec![edit(0, 4, 4, "0")])];
    let applied = apply(&sources, &findings, false);
    assert_eq!(applied.files[0].1, "x: 10\n");
    assert_eq!((applied.applied, applied.conflicts.len()), (1, 0));
}

#[test]
fn insertions_at_one_place_join_within_a_fix_only() {
    let sources = sources(&[("a", "x: 1\n")]);
    let both = vec![edit(0, 4, 4, "\ny: 2"), edit(0, 4, 4, "\nz: 3")];
    assert_eq!(apply(&sources, &[safe("t/a", both)], false).files[0].1, "x: 1\ny: 2\nz: 3\n");
    let one = |rule, text| safe(rule, vec![edit(0, 4, 4, text)]);
    let applied = apply(&sources, &[one("t/a", "\ny: 2"), one("t/b", "\nz: 3")], false);
    assert_eq!((applied.files[0].1.as_str(), applied.conflicts.len()), ("x: 1\ny: 2\n", 1));
}

#[test]
fn unsafe_fixes_only_on_request() {
    let sources = sources(&[("a", "x: 1\n")]);
    let findings = [finding("t/a", vec![(false, vec![edit(0, 3, 4, "2")]), (true, vec![edit(0, 3, 4, "3")])])];
    assert_eq!(apply(&sources, &findings, false).files[0].1, "x: 3\n");
    assert_eq!(apply(&sources, &findings, true).files[0].1, "x: 2\n");
}

#[test]
fn what_breaks_a_file_is_dropped() {
    let sources = sources(&[("a", "x: 1\n"), ("b", "x: 1\n")]);
    let findings = [
        safe("t/a", vec![edit(0, 0, 0, "x: 2\n"), edit(1, 5, 5, "# half\n")]),
        safe("t/b", vec![edit(1, 3, 4, "2")]),
        safe("t/c", vec![edit(1, 9, 12, "2")]),
    ];
    let applied = apply(&sources, &findings, false);
    assert_eq!(applied.files, [(FileId(1), "x: 2\n".to_string())]);
    assert_eq!(applied.conflicts.iter().map(|c| c.cause).collect::<Vec<_>>(), [Cause::Breaks, Cause::Overlap]);
}

#[test]
fn an_edit_that_changes_nothing_is_none() {
    let sources = sources(&[("a", "x: 1\n")]);
    let applied = apply(&sources, &[safe("t/a", vec![edit(0, 3, 4, "1")])], false);
    assert!(applied.files.is_empty() && applied.applied == 0);
}

#[test]
fn generated_files_and_standard_input_stay() {
    for text in [
        "x: 1\n---\n# Source: shop/templates/a.yaml\n",
        "x: 1\nsops:\n  mac: y\n",
        "{\"x\": 1,\n \"sops\": {}}\n",
        "x: 1\nmetadata:\n  uid: 3f2504e0-4f89-41d3-9a0c-0305e82c3301\n",
        "x: 1\nannotations:\n  config.kubernetes.io/origin: |\n    path: a\n",
    ] {
        let findings = [safe("t/a", vec![edit(0, 3, 4, "2")])];
        assert!(apply(&sources(&[("a", text)]), &findings, false).files.is_empty(), "{text}");
    }
    let stdin = Sources::new(vec![SourceFile::new("<stdin>", None, "x: 1\n")]);
    assert!(apply(&stdin, &[safe("t/a", vec![edit(0, 3, 4, "2")])], false).files.is_empty());
    let plain = sources(&[("a", "x: 1\nowner:\n  uid: mine\n  spec: {sops: 1}\n")]);
    assert_eq!(apply(&plain, &[safe("t/a", vec![edit(0, 3, 4, "2")])], false).files.len(), 1);
}

#[test]
fn rounds_go_on_until_nothing_changes() {
    let check = |sources: &Sources| {
        let text = &sources.file(FileId(0)).text;
        let number: u32 = text.trim().strip_prefix("x: ").unwrap().parse().unwrap();
        let next = (number + 1).to_string();
        if number < 5 { vec![safe("t/a", vec![edit(0, 3, text.len() - 1, &next)])] } else { vec![] }
    };
    let end = converge(sources(&[("a", "x: 1\n"), ("b", "y: 1\n")]), false, check);
    assert_eq!(&*end.sources.file(FileId(0)).text, "x: 5\n");
    assert_eq!((end.changed, end.applied, end.settled, end.findings.len()), (vec![FileId(0)], 4, true, 0));
}

#[test]
fn fixes_that_undo_each_other_end() {
    let check = |sources: &Sources| {
        let to = if sources.slice(Span::new(FileId(0), 3, 4)) == "1" { "2" } else { "1" };
        vec![safe("t/a", vec![edit(0, 3, 4, to)])]
    };
    let end = converge(sources(&[("a", "x: 1\n")]), false, check);
    assert!(!end.settled && end.applied == 10);
}

#[test]
fn diffs_are_unified() {
    let old = "1\n2\n3\n4\n5\n6\n7\n8\n9";
    let new = old.replace("9", "x\n").replace("1\n", "1\ny\n");
    assert_eq!(
        diff("/d/a.yaml", old, &new),
        "--- a/d/a.yaml\n+++ b/d/a.yaml\n@@ -1,4 +1,5 @@\n 1\n+y\n 2\n 3\n 4\n@@ -6,4 +7,4 @@\n 6\n 7\n 8\n-9\n\\ No newline at end of file\n+x\n"
    );
    assert_eq!(diff("a", old, old), "");
}

#[cfg(unix)]
#[test]
fn writing_keeps_permissions_and_links() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let dir = tempfile::tempdir().unwrap();
    let (real, link) = (dir.path().join("real.yaml"), dir.path().join("link.yaml"));
    std::fs::write(&real, "old").unwrap();
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
    symlink("real.yaml", &link).unwrap();
    write(&link, "new").unwrap();
    assert_eq!(std::fs::read_to_string(&real).unwrap(), "new");
    assert_eq!(std::fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    assert!(write(&dir.path().join("missing"), "x").is_err());

    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o440)).unwrap();
    assert!(write(&real, "x").is_err());
}
