//! Workflow commands and the job summary, read by the rules of GitHub's runner.

use std::path::Path;

use super::runner::{Command, obeyed};
use super::sarif::LONG_VALUE;
use super::scratch::{OURS, Said, Scratch, deployment, said, shop, snapshot};

fn annotations(log: &Said) -> Vec<Command> {
    obeyed(&log.out).0
}

#[test]
fn a_github_log() {
    let s = shop();
    snapshot("github", &s.run(&format!("check a.yaml {OURS} --format github --min-severity info")).to_string());
}

#[test]
fn an_annotation_has_its_place_and_all_that_is_said() {
    let s = shop();
    let log = s.run(&format!("check a.yaml {OURS} --format github"));
    let annotations = annotations(&log);
    assert_eq!(annotations.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["error", "warning"]);
    let expected = [
        ("file", "a.yaml"),
        ("line", "7"),
        ("endLine", "7"),
        ("col", "13"),
        ("endColumn", "14"),
        ("title", "ops/replicas"),
    ];
    let expected = expected.map(|(key, value)| (key.to_string(), value.to_string()));
    assert_eq!(annotations[0].properties, expected.into_iter().collect());
    assert_eq!(
        annotations[0].data,
        "\"cart\" runs 1 of 2 replicas\nwhy: nobody answers while the only replica restarts\nhelp: run more\nfix: set replicas to 2 (plimsoll check --fix)"
    );
    // The report itself stays in the log.
    log.ends(1, &["╰── asked for here", "Judged:"]);
}

#[test]
fn the_gravest_come_first_and_what_github_hides_is_counted() {
    let s = shop();
    let few: String = (0..10).map(|i| format!("---\n{}", deployment(&format!("w{i}"), 1))).collect();
    s.write("a.yaml", &few);
    let log = s.run("check a.yaml --rules rules --select ops --format github");
    assert_eq!(annotations(&log).len(), 10);
    let many: String = (0..25).map(|i| format!("---\n{}", deployment(&format!("w{i}"), 1))).collect();
    s.write("a.yaml", &many);
    let log = s.run(&format!("check a.yaml {OURS} --format github --min-severity info --max-per-rule 0"));
    let names: Vec<String> = annotations(&log).into_iter().map(|c| c.name).collect();
    let expected = [vec!["error"; 10], vec!["warning"; 10], vec!["notice"; 10]].concat();
    assert_eq!(names, expected);
    // 75 findings, of which 29 are shown beside the count.
    assert!(annotations(&log)[29].data.starts_with("46 more in the log"));
    log.ends(1, &["\"w24\" runs"]);
}

#[test]
fn a_failed_rule_is_an_error() {
    let s = shop();
    s.write("rules/x/bad.rhai", "nonsense");
    let log = s.run("check a.yaml --rules rules --select ops --format github");
    log.ends(2, &[]);
    let first = &annotations(&log)[0];
    assert_eq!((first.name.as_str(), first.properties["file"].as_str()), ("error", "rules/x/bad.rhai"));
    assert_eq!(first.properties["title"], "plimsoll");
}

#[test]
fn places_over_several_lines_have_no_columns() {
    let s = shop();
    LONG_VALUE.iter().for_each(|(name, text)| s.write(name, text));
    let log = s.run("check a.yaml --rules rules --select long --format github");
    let [annotation] = &annotations(&log)[..] else { panic!("{log}") };
    assert_eq!(annotation.properties.keys().collect::<Vec<_>>(), ["file", "line", "title"]);
}

/// Names that try to give orders: in YAML's double quotes.
const NASTY: [&str; 14] = [
    "::error::owned",
    "\\n::error::owned",
    "\\r\\n::set-output name=a::b",
    "\\n  ::add-mask::a",
    "\\n::stop-commands::x",
    "%0A::error::owned",
    "a%25%0D%0Ab",
    "##[error]owned",
    "x ##[set-env name=PATH;]/tmp",
    "\\u2028::error::owned",
    "\\u0085::error::owned",
    "\\e[2K::error::owned",
    "title=x::y,line=9",
    "\\n::plimsoll-0000000000000000::\\n::error::owned",
];

#[test]
fn no_name_gives_an_order() {
    for name in NASTY {
        let s = shop();
        s.write("a.yaml", deployment("cart", 1).replace("name: cart", &format!("name: \"{name}\"")));
        let log = s.run("check a.yaml --rules rules --select ops --format github");
        let (commands, shown) = obeyed(&log.out);
        assert_eq!(commands.len(), 1, "{name}: {log}");
        assert_eq!((commands[0].name.as_str(), commands[0].properties["title"].as_str()), ("error", "ops/replicas"));
        assert_eq!(commands[0].data.lines().count(), 4, "{name}: {log}");
        assert!(commands[0].data.contains("runs 1 of 2 replicas\nwhy: "), "{name}: {log}");
        assert!(shown.iter().any(|line| line.contains("runs 1 of 2")), "{name}: {log}");
        assert_eq!(obeyed(&log.err).0, [], "{name}: {log}");
    }
}

#[test]
fn no_file_name_gives_an_order() {
    for name in ["::error::a.yaml", "a,line=9.yaml", "a::b%0A.yaml", "a\n::error::b.yaml", "##[error]a.yaml"] {
        let s = shop();
        s.write(name, deployment("cart", 1));
        let mut command = s.command("check --rules rules --select ops --format github");
        let log = said(command.arg(format!("./{name}")), b"");
        let (commands, _) = obeyed(&log.out);
        assert_eq!(commands.len(), 1, "{name}: {log}");
        assert_eq!(commands[0].properties["line"], "7", "{name}: {log}");
    }
    // What needs no stand-in comes back as it was.
    let s = shop();
    s.write("a, b%2C:c.yaml", deployment("cart", 1));
    let mut command = s.command("check --rules rules --select ops --format github");
    let log = said(command.arg("a, b%2C:c.yaml"), b"");
    assert_eq!(annotations(&log)[0].properties["file"], "a, b%2C:c.yaml");
}

fn with_summary(s: &Scratch, summary: &Path, arguments: &str) -> Said {
    said(s.command(arguments).env("GITHUB_STEP_SUMMARY", summary), b"")
}

#[test]
fn the_job_summary_is_appended() {
    let s = shop();
    s.write("summary.md", "# Before\n");
    let arguments = format!("check a.yaml {OURS} --format github");
    with_summary(&s, &s.path("summary.md"), &arguments).ends(1, &[]);
    let written = s.read("summary.md");
    assert!(written.starts_with("# Before\n**plimsoll: 1 error, 1 warning"), "{written}");
    // Other formats leave it alone.
    with_summary(&s, &s.path("summary.md"), &format!("check a.yaml {OURS} --format short")).ends(1, &[]);
    assert_eq!(s.read("summary.md"), written);
    with_summary(&s, &s.path("no/such/folder/summary.md"), &arguments)
        .ends(2, &["::error "])
        .complains(&["GITHUB_STEP_SUMMARY: "]);
}

#[test]
fn the_job_summary_stays_below_what_github_takes() {
    let s = shop();
    s.write("summary.md", "x".repeat((1 << 20) - 9_000));
    let many: String = (0..40).map(|i| format!("---\n{}", deployment(&format!("w{i}"), 1))).collect();
    s.write("a.yaml", &many);
    let arguments = "check a.yaml --rules rules --select ops --format github --max-per-rule 0";
    with_summary(&s, &s.path("summary.md"), arguments).ends(1, &[]);
    let written = s.read("summary.md");
    assert!(written.len() < 1 << 20 && written.len() > (1 << 20) - 1_000, "{}", written.len());
    let told = written.rsplit("left out here").nth(1).unwrap();
    let left_out: usize = told.rsplit('*').next().unwrap().split(' ').next().unwrap().parse().unwrap();
    assert_eq!(written.matches("runs 1 of 2").count(), 40 - left_out);
    // And where there is no room at all, nothing is written.
    s.write("summary.md", "x".repeat(1 << 20));
    with_summary(&s, &s.path("summary.md"), arguments).ends(1, &[]);
    assert_eq!(s.read("summary.md").len(), 1 << 20);
}
