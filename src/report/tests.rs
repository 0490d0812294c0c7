//! What people and programs see, as snapshots.

mod figures;
mod frames;
mod places;

use std::sync::Arc;

use super::{
    Report, Skipped, Style, Summary, Unknown, github, gitlab, json, junit, markdown, pretty, sarif, short, summary,
};
use crate::finding::{Edit, Finding, Fix, Label, Place, Problem, ResourceRef, RuleId, Severity};
use crate::source::{SourceFile, Sources, Span};

const POLICIES: &str = "\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: default-deny
  namespace: istio-system
spec:
  podSelector: {}
  policyTypes: [Ingress]
  ingress:
    - from:
        - namespaceSelector: {}
      ports:
        - port: 443
";

fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots/render");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn style() -> Style {
    Style {
        color: false,
        unicode: true,
        width: 100,
        min_severity: Severity::Warning,
        max_per_rule: 0,
        quiet: true,
        verbose: false,
        statistics: false,
        suppressed: false,
    }
}

fn sources(files: &[(&str, &str)]) -> Sources {
    let file = |(name, text): &(&str, &str)| SourceFile::new(*name, None, *text);
    Sources::new(files.iter().map(file).collect())
}

/// The place of the first `needle` in that file.
fn place(sources: &Sources, name: &str, needle: &str) -> Place {
    let (id, file) = sources.iter().find(|(_, f)| f.name == name).unwrap();
    let start = file.text.find(needle).unwrap();
    let span = Span::new(id, start, start + needle.len());
    Place { span, yaml_path: String::new(), template: None }
}

/// A place of bytes in the only file.
fn bytes(sources: &Sources, start: usize, end: usize) -> Place {
    let (id, _) = sources.iter().next().unwrap();
    Place { span: Span::new(id, start, end), yaml_path: String::new(), template: None }
}

fn finding(rule: &str, message: &str, primary: Place) -> Finding {
    Finding {
        primary: primary.clone(),
        fingerprint: "00c0ffee00c0ffee".to_string(),
        ..Finding::new(RuleId::new(rule), Severity::Error, primary.span, message.to_string())
    }
}

impl Finding {
    fn with(mut self, place: Place, message: &str) -> Finding {
        self.labels.push(Label { place, message: message.to_string() });
        self
    }
}

fn draw(sources: &Sources, findings: &[Finding], style: &Style) -> String {
    draw_all(sources, findings, &[], &Summary::default(), style)
}

fn draw_all(sources: &Sources, findings: &[Finding], problems: &[Problem], summary: &Summary, style: &Style) -> String {
    pretty::render(&Report::new(sources, findings, problems, summary), style)
}

/// One finding with one label, at bytes of one file.
fn draw_bytes(text: &str, start: usize, end: usize) -> String {
    let sources = sources(&[("a.yaml", text)]);
    let place = bytes(&sources, start, end);
    let found = finding("sizing/cpu", "something is off", place.clone()).with(place, "here");
    draw(&sources, &[found], &style())
}

fn webhook_port(sources: &Sources) -> Finding {
    let primary = place(sources, "policies/istio-system.yaml", "podSelector");
    let port = place(sources, "policies/istio-system.yaml", "443");
    let mut found = finding(
        "network-policy/webhook-port-blocked",
        "policy \"default-deny\" keeps the API server from istiod on 15017",
        primary.clone(),
    )
    .with(port.clone(), "closest rule: 443 is the Service's port, a policy sees the pod's, 15017")
    .with(primary, "isolates istiod");
    found.why = "the injection webhook can't be reached, so pods of injected namespaces are refused".into();
    found.help = vec!["open 15017; the API server is no pod, so the rule needs no `from`".into()];
    found.notes = vec!["field experience: every third broken upgrade began with this policy".into()];
    let edits = vec![Edit { span: port.span, text: "15017".into() }];
    found.fixes = vec![Fix { title: "set the port to 15017".into(), safe: true, edits }];
    found.links = vec!["https://istio.io/latest/docs/ops/deployment/application-requirements/".into()];
    found
}

fn host_not_found(sources: &Sources) -> Finding {
    let primary = place(sources, "shop/routes.yaml", "reviws");
    let mut found = finding(
        "traffic/host-not-found",
        "host \"reviws\" is not among the 12 Services read in namespace \"shop\"",
        primary.clone(),
    )
    .with(primary.clone(), "did you mean \"reviews\"?")
    .with(place(sources, "shop/services.yaml", "reviews"), "the closest Service");
    found.severity = Severity::Warning;
    found.aliases = Arc::new(["IST0101".to_string()]);
    found.why = "requests to an unknown host get 503".into();
    found.help = vec!["`--complete` makes this an error where all Services are on disk".into()];
    let edits = vec![Edit { span: primary.span, text: "reviews".into() }];
    found.fixes = vec![Fix { title: "use \"reviews\"".into(), safe: false, edits }];
    found
}

fn shop() -> Sources {
    let services = format!("{}metadata:\n  name: reviews\n", "# more\n".repeat(29));
    let route = "spec:\n  http:\n    - route:\n        - destination:\n            host: reviws\n";
    sources(&[("policies/istio-system.yaml", POLICIES), ("shop/routes.yaml", route), ("shop/services.yaml", &services)])
}

fn many(sources: &Sources) -> Vec<Finding> {
    let mut findings: Vec<_> = (0..4).map(|_| host_not_found(sources)).collect();
    findings.push(webhook_port(sources));
    findings.push(finding("custom/advice", "an advice", place(sources, "shop/routes.yaml", "http")));
    findings[5].severity = Severity::Info;
    findings
}

fn busy() -> Summary {
    let unknown = |what: &str, rules, declare: Option<&str>| Unknown {
        what: what.into(),
        rules,
        declare: declare.map(str::to_string),
    };
    let skipped = |path: &str, reason: &str, notable| Skipped { path: path.into(), reason: reason.into(), notable };
    Summary {
        configuration: None,
        clusters: Vec::new(),
        idle: Vec::new(),
        answered: Vec::new(),
        files: 41,
        documents: 213,
        resources: 212,
        rules: 94,
        judged: 61,
        today: "2026-11-22".into(),
        suppressed: 1,
        baselined: 3,
        compared: None,
        rendered: Vec::new(),
        out_of_focus: 0,
        unknown: vec![
            unknown("Istio installation", 12, Some("--assume istio=1.30")),
            unknown("labels of namespace payments", 1, None),
        ],
        skipped: vec![
            skipped("charts/shop", "a chart that was not rendered (--helm)", true),
            skipped("values.yaml", "no Kubernetes resource", false),
        ],
    }
}
