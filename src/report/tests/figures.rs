//! Problems, counts, and the formats for programs.

use super::*;

#[test]
fn problems() {
    let rule = Arc::new(SourceFile::new("rules/x.rhai", None, "fn check(a) {\n    a.nme()\n}\n"));
    let problems = [
        Problem::error("no function \"nme\"").at(&rule, 20..23, "not known").help("did you mean `name()`?"),
        Problem::error("no rule is named \"foo/bar\""),
    ];
    let sources = Sources::default();
    let summary = Summary::default();
    snapshot("problems", &draw_all(&sources, &[], &problems, &summary, &style()));
    let report = Report::new(&sources, &[], &problems, &summary);
    snapshot("problems_short", &short::render(&report, &Style { quiet: false, ..style() }));
}

#[test]
fn folding() {
    let sources = shop();
    let style = Style { max_per_rule: 2, width: 80, ..style() };
    snapshot("folding", &draw(&sources, &many(&sources), &style));
}

#[test]
fn summaries() {
    let sources = shop();
    let (findings, summary) = (many(&sources), busy());
    let report = Report::new(&sources, &findings, &[], &summary);
    let small = Summary { files: 1, resources: 1, rules: 1, ..Summary::default() };
    let small = Report::new(&sources, &findings[5..], &[], &small);
    let loud = Style { quiet: false, ..style() };
    let styles = [
        loud.clone(),
        Style { min_severity: Severity::Error, width: 300, ..loud.clone() },
        Style { min_severity: Severity::Info, verbose: true, ..loud },
    ];
    let drawn: Vec<_> = [&report, &small]
        .into_iter()
        .flat_map(|report| styles.iter().map(|style| summary::summary_lines(report, style)))
        .collect();
    snapshot("summaries", &drawn.join("\n"));
}

#[test]
fn no_findings() {
    let summary = Summary { files: 3, resources: 9, rules: 94, judged: 31, ..Summary::default() };
    let style = Style { quiet: false, ..style() };
    snapshot("no_findings", &draw_all(&Sources::default(), &[], &[], &summary, &style));
    assert_eq!(draw_all(&Sources::default(), &[], &[], &summary, &Style { quiet: true, ..style }), "");
}

#[test]
fn statistics() {
    let sources = shop();
    let style = Style { statistics: true, quiet: false, min_severity: Severity::Info, ..style() };
    snapshot("statistics", &draw_all(&sources, &many(&sources), &[], &busy(), &style));
}

#[test]
fn short_lines() {
    let sources = shop();
    let (findings, summary) = (many(&sources), busy());
    let report = Report::new(&sources, &findings, &[], &summary);
    let style = Style { max_per_rule: 1, quiet: false, ..style() };
    snapshot("short", &short::render(&report, &style));
}

#[test]
fn json_contract() {
    let sources = shop();
    let mut findings = vec![webhook_port(&sources), host_not_found(&sources)];
    findings[1].clusters = vec!["prod-eu".into()];
    findings[1].primary.yaml_path = "spec.http[0].route[0].destination.host".into();
    findings[1].primary.template = Some("reviews/templates/vs.yaml".into());
    findings[1].resource = Some(ResourceRef {
        api_version: "networking.istio.io/v1".into(),
        kind: "VirtualService".into(),
        namespace: Some("shop".into()),
        name: "reviews".into(),
    });
    let rule = Arc::new(SourceFile::new("x.rhai", None, "fn check(a) {}\n"));
    let problems = [
        Problem::error("a rule failed").at(&rule, 3..8, ""),
        Problem::error("a file is empty").at(&Arc::new(SourceFile::new("plimsoll.yaml", None, "")), 0..0, ""),
        Problem::error("no rule is named \"foo\""),
    ];
    let summary = busy();
    let report = Report::new(&sources, &findings, &problems, &summary);
    snapshot("json", &json::render(&report));
}
