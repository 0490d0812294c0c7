//! `--timing`: what a check cost, without the figures, which differ from run to run.

use super::scratch::{OURS, shop};

/// A text with `#` for every number.
fn without_figures(text: &str) -> String {
    let mut shape = String::new();
    for line in text.lines() {
        let mut number = false;
        let mut blanks = 0;
        for c in line.trim_end().chars() {
            match c {
                '0'..='9' | '.' if number => {}
                '0'..='9' => {
                    number = true;
                    blanks = 0;
                    shape.push('#');
                }
                _ => {
                    number = false;
                    blanks = if c == ' ' { blanks + 1 } else { 0 };
                    if blanks < 2 || shape.ends_with('\n') {
                        shape.push(c);
                    }
                }
            }
        }
        shape.push('\n');
    }
    shape
}

const STAGES: &str = "Time: # ms
 read # ms # %
 parse # ms # %
 resources # ms # %
 mesh # ms # %
 compile # ms # %
 rules # ms # %
 report # ms # %
";

#[test]
fn timing_tells_costs_by_stage_and_by_rule() {
    let s = shop();
    let one = s.run("check a.yaml --rules rules --select ops --timing -j 1");
    assert_eq!(one.status, 1, "{one}");
    assert!(one.out.contains("ops/replicas") && !one.out.contains("Time:"), "{one}");
    assert_eq!(
        without_figures(&one.err),
        format!("{STAGES}Rules: # ms in # call\n ops/replicas # call # ms # %\n"),
        "{one}"
    );
    let two = s.run("check a.yaml --rules rules --select ops --timing -j 2 --format json");
    assert_eq!(two.json()["summary"]["errors"], 1);
    assert!(without_figures(&two.err).contains("in # call, on up to # threads\n"), "{two}");
}

#[test]
fn no_bar_and_no_costs_where_nobody_asked() {
    let s = shop();
    let said = s.run(&format!("check a.yaml {OURS}"));
    assert_eq!(said.err, "");
    assert!(s.run("check --help").out.contains("--timing"));
}
