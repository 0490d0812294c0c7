//! Findings as drawn.

use super::*;

#[test]
fn one_file_two_frames() {
    let sources = shop();
    snapshot("one_file", &draw(&sources, &[webhook_port(&sources)], &style()));
}

#[test]
fn two_files() {
    let sources = shop();
    snapshot("two_files", &draw(&sources, &[host_not_found(&sources)], &style()));
}

#[test]
fn no_label_no_footer() {
    let sources = sources(&[("a.yaml", "limits:\n  memory: 1Gi\n  memory: 2Gi\n")]);
    let (text, place) = ("key \"memory\" stands twice", bytes(&sources, 24, 30));
    snapshot("bare", &draw(&sources, &[finding("yaml/duplicate-key", text, place)], &style()));
}

#[test]
fn narrow_and_wide_terminals() {
    let sources = shop();
    let findings = [webhook_port(&sources), host_not_found(&sources)];
    for width in [60, 80, 120] {
        let drawn = draw(&sources, &findings, &Style { width, ..style() });
        snapshot(&format!("width_{width}"), &drawn);
    }
}

#[test]
fn ascii_has_no_other_characters() {
    let sources = shop();
    let findings = [webhook_port(&sources), host_not_found(&sources)];
    let drawn = draw(&sources, &findings, &Style { unicode: false, ..style() });
    assert!(drawn.is_ascii());
    snapshot("ascii", &drawn);
}

#[test]
fn color() {
    let sources = shop();
    let mut custom = host_not_found(&sources);
    custom.rule = RuleId::new("custom/hosts");
    let findings = [webhook_port(&sources), custom];
    let drawn = draw(&sources, &findings, &Style { color: true, width: 80, ..style() });
    snapshot("color", &drawn.replace('\x1b', "␛"));
}

#[test]
fn template_location() {
    let head = "# line\n".repeat(3210);
    let text = format!("{head}            cpu: 500m\n            memory: 2048Mi\n");
    let sources = sources(&[("<stdin>", &text)]);
    let mut primary = place(&sources, "<stdin>", "2048Mi");
    primary.template = Some("istiod/templates/deployment.yaml".into());
    let message = "istiod asks for 2Gi; field experience wants 4Gi for 14 services";
    let mut found = finding("sizing/istiod-memory-below-tier", message, primary.clone())
        .with(primary, "the container \"discovery\" asks for this");
    found.severity = Severity::Warning;
    found.clusters = vec!["prod-eu".into(), "prod-us".into()];
    snapshot("template", &draw(&sources, &[found], &style()));
}

#[test]
fn labels_on_one_line() {
    let sources = sources(&[("a.yaml", "route: {host: reviews, port: 80}\n")]);
    let found = finding("traffic/port", "labels share a line", place(&sources, "a.yaml", "{host: reviews"))
        .with(place(&sources, "a.yaml", "80"), "the port")
        .with(place(&sources, "a.yaml", "{host"), "starts where the primary starts")
        .with(place(&sources, "a.yaml", "reviews"), "inside the primary, with a text long enough to be wrapped");
    snapshot("one_line", &draw(&sources, &[found], &Style { width: 60, ..style() }));
}

#[test]
fn the_primary_frame_comes_first() {
    let sources = sources(&[("a.yaml", "a: 1\nb: 2\nc: 3\n---\nd: 4\ne: 5\nf: 6\ng: 7\n")]);
    let found = finding("traffic/order", "frames and gaps", place(&sources, "a.yaml", "g"))
        .with(place(&sources, "a.yaml", "d"), "a document's first line")
        .with(place(&sources, "a.yaml", "b"), "two lines above the next");
    snapshot("frame_order", &draw(&sources, &[found], &style()));
}
