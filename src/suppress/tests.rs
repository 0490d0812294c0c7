use std::collections::HashSet;
use std::sync::Arc;

use super::*;
use crate::finding::ResourceRef;
use crate::source::FileId;
use crate::yaml::Trees;
use crate::yaml::parse::parse as parse_yaml;

const NAMES: &[&str] = &["traffic", "traffic/host", "host", "sizing/cpu", "cpu", "sizing", "IST0101"];

fn found(rule: &str, span: Span) -> Finding {
    let mut finding = judge::finding(rule, span, rule.to_string(), String::new());
    finding.aliases = Arc::from(["IST0101".to_string()]);
    finding
}

/// What comes out when all rules ran over all files.
fn applied(findings: Vec<Finding>, suppressions: &[Suppression<'_>], change: impl Fn(&mut Scene<'_>)) -> Outcome {
    let doubtful = HashSet::new();
    let mut scene = Scene {
        today: "2026-11-24",
        names: NAMES,
        all_rules: true,
        doubtful: &doubtful,
        path_of_template: &|template| template.to_string(),
        path_of: &|file| format!("envs/{}.yaml", file.0),
        resources: &[],
        whole_project: true,
        whole_baseline: true,
    };
    change(&mut scene);
    apply(findings, suppressions, &scene)
}

/// Puts a finding of `traffic/host` at each `!` of a text, and gives the outcome.
fn judged(text: &str) -> Outcome {
    judged_with(text, true)
}

fn judged_with(text: &str, all_rules_ran: bool) -> Outcome {
    let (tree, findings) = marked(text);
    applied(findings, &of_manifest(&tree, std::iter::empty()), |scene| scene.all_rules = all_rules_ran)
}

fn marked(text: &str) -> (Tree, Vec<Finding>) {
    let tree = parse_yaml(FileId(0), Arc::from(text));
    assert!(tree.errors.is_empty(), "{:?}", tree.errors);
    let places = text.match_indices('!').map(|(at, _)| Span::new(FileId(0), at, at + 1));
    (tree, places.map(|span| found("traffic/host", span)).collect())
}

/// The same for the resources of a text, with their annotations.
fn judged_resources(text: &str) -> Outcome {
    let (tree, findings) = marked(text);
    let trees = Trees::new([tree]);
    let resources = crate::resource::find(&trees, 0, crate::resource::Origin::default()).resources;
    let suppressions = of_manifest(trees.tree(0), resources.iter().map(|r| (trees.node(r.root), r)));
    applied(findings, &suppressions, |_| {})
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
    assert!(fix.safe && fix.edits.len() == 1, "{fix:?}");
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
    let read = |file| of_manifest(lasting("# plimsoll: ignore[host]: r\na: 1\n", file), std::iter::empty());
    let mut suppressions = read(0);
    suppressions.extend(read(1));
    let findings =
        vec![found("traffic/host", Span::new(FileId(1), 30, 31)), found("traffic/host", Span::new(FileId(2), 30, 31))];
    let outcome = applied(findings, &suppressions, |_| {});
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
    assert_eq!(of_manifest(&parse_yaml(FileId(0), Arc::from(text)), std::iter::empty()).len(), 1);
}

#[test]
fn a_comment_for_the_file_covers_all_documents() {
    for (text, expected) in [
        ("# plimsoll: ignore-file[host]: r\na: x!\n---\nb: x!\n", (0, 2, 0)),
        ("# plimsoll: ignore-file[host]: r\n---\na: x!\n---\nb: x!\n", (0, 2, 0)),
        ("a: x!\n---\n# plimsoll: ignore-file[host]: r\nb: x!\n", (2, 0, 1)),
        ("a: x! # plimsoll: ignore-file[host]: r\n", (1, 0, 1)),
        ("# plimsoll: ignore-file[cpu]: r\na: x!\n---\nb: x!\n", (2, 0, 1)),
    ] {
        assert_eq!(counts(text), expected, "{text}");
    }
    assert_eq!(mistake("a: x! # plimsoll: ignore-file[host]: r\n").0, "this comment stands below the file's first key");
    assert_eq!(mistake("# plimsoll: ignore-file: r\na: x!\n").0, "\"ignore-file\" names no rule");
}

const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: cart
  annotations: {}
spec:
  replicas: x!
  template:
    metadata:
      annotations: {}
    spec:
      containers:
      - name: x!
---
apiVersion: v1
kind: Service
metadata: {name: x!}
";

#[test]
fn an_annotation_covers_its_resource() {
    let with = |nth: usize, annotation: &str| {
        let (at, _) = DEPLOYMENT.match_indices("{}").nth(nth - 1).unwrap();
        format!("{}{{{annotation}}}{}", &DEPLOYMENT[..at], &DEPLOYMENT[at + 2..])
    };
    for nth in [1, 2] {
        for name in ["host", "traffic", "IST0101"] {
            let outcome = judged_resources(&with(nth, &format!("ignore.plimsoll.dev/{name}: r")));
            assert_eq!((outcome.active.len(), outcome.suppressed.len(), outcome.extra.len()), (1, 2, 0), "{name}");
            assert_eq!((outcome.suppressed[0].by.as_str(), outcome.suppressed[0].source), ("r", Source::Annotation));
        }
        let outcome = judged_resources(&with(nth, "ignore.plimsoll.dev/host: 'until 2026-11-24: r'"));
        assert_eq!(outcome.suppressed[0].until.as_deref(), Some("2026-11-24"));
        for (annotation, message, place) in [
            ("host: ''", "annotation gives no reason", "''"),
            ("host: 'until 2027-01-31:'", "annotation gives no reason", "'until 2027-01-31:'"),
            ("host: 'until soon: r'", "\"soon\" is no date such as 2027-01-31", "'until soon: r'"),
            ("host: 5", "the reason is no text; put it in quotes", "5"),
            ("host: 'until 2026-11-23: r'", "this annotation has run out on 2026-11-23", "'until 2026-11-23: r'"),
            ("hots: r", "no rule, topic or alias is called \"hots\"", "hots"),
            ("'': r", "annotation names no rule", ""),
        ] {
            let key = if annotation.starts_with('\'') {
                "ignore.plimsoll.dev/: r".to_string()
            } else {
                format!("ignore.plimsoll.dev/{annotation}")
            };
            let text = with(nth, &key);
            let outcome = judged_resources(&text);
            assert_eq!((outcome.suppressed.len(), outcome.extra.len()), (0, 1), "{annotation}");
            assert_eq!(outcome.extra[0].message, message);
            if !place.is_empty() {
                assert_eq!(&text[outcome.extra[0].primary.span.range()], place);
            }
        }
        let text = with(nth, "a: b, ignore.plimsoll.dev/cpu: r");
        let extra = judged_resources(&text).extra;
        assert_eq!(extra[0].message, "nothing is left to ignore here for \"cpu\"");
        assert_eq!(fixed(&text, &extra[0]), with(nth, "a: b"));
    }
}

#[test]
fn an_annotation_is_told_where_it_means_nothing() {
    let misplaced = |text: &str| {
        let outcome = judged_resources(text);
        let messages: Vec<_> = outcome.extra.iter().map(|f| f.message.as_str()).collect();
        assert!(messages.iter().all(|m| m.contains("keeps no annotations")), "{text} {messages:?}");
        (outcome.active.len(), outcome.extra.len())
    };
    let key = "ignore.plimsoll.dev/host: r";
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: x!";
    for (text, expected) in [
        (format!("{service}, labels: {{{key}}}}}\n"), (1, 1)),
        (format!("{service}}}\nspec: {{template: {{metadata: {{annotations: {{{key}}}}}}}}}\n"), (1, 1)),
        (format!("{service}}}\nspec: {{annotations: {{{key}}}}}\n"), (1, 1)),
        (format!("{service}}}\n{key}\n"), (1, 1)),
        // Values of a release, and kinds that nobody knows, may hold annotations anywhere.
        (
            format!(
                "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: x!}}\nspec: {{values: {{podAnnotations: {{{key}}}}}}}\n"
            ),
            (1, 0),
        ),
        (format!("apiVersion: a.b/v1\nkind: X\nmetadata: {{name: x!}}\nspec: {{annotations: {{{key}}}}}\n"), (1, 0)),
        (format!("apiVersion: a.b/v1\nkind: X\nmetadata: {{name: x!, labels: {{{key}}}}}\n"), (1, 1)),
        (format!("{service}}}\n---\nvalues: {{{key}}}\n"), (1, 0)),
        (format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x!}}\ndata:\n  a: |\n    {key}\n"), (1, 0)),
    ] {
        assert_eq!(misplaced(&text), expected, "{text}");
    }
}

/// A finding in a resource of a file.
fn of(file: u32, at: u32, kind: &str, namespace: &str, name: &str) -> Finding {
    let mut finding = found("traffic/host", Span { file: FileId(file), start: at, end: at + 1 });
    let own = str::to_string;
    let namespace = Some(own(namespace));
    finding.resource = Some(ResourceRef { api_version: own("apps/v1"), kind: own(kind), namespace, name: own(name) });
    finding
}

fn entries(text: &str) -> Vec<Suppression<'static>> {
    of_configuration(lasting(text, 9))
}

/// A tree for the rest of the test.
fn lasting(text: &str, file: u32) -> &'static Tree {
    let tree = parse_yaml(FileId(file), Arc::from(text));
    assert!(tree.errors.is_empty(), "{:?}", tree.errors);
    Box::leak(Box::new(tree))
}

#[test]
fn an_entry_covers_resources_and_paths() {
    for (entry, expected) in [
        ("resources: [Deployment/shop/cart]", vec![1]),
        ("resources: [Deployment/shop/*]", vec![1, 2]),
        ("resources: [\"Deployment/*/*rt\"]", vec![1, 3]),
        ("resources: [StatefulSet/shop/cart, Deployment/pay/cart]", vec![3]),
        ("paths: [envs/1.yaml]", vec![1, 2]),
        ("paths: [envs]", vec![1, 2, 3, 4]),
        ("paths: [envs/1.yaml], resources: [\"Deployment/*/cart\"]", vec![1]),
        ("paths: [envs/2.yaml], resources: [Deployment/shop/cart]", vec![]),
    ] {
        let mut none = of(2, 4, "x", "x", "x");
        none.resource = None;
        let findings = vec![
            of(1, 1, "Deployment", "shop", "cart"),
            of(1, 2, "Deployment", "shop", "web"),
            of(2, 3, "Deployment", "pay", "cart"),
            none,
        ];
        let text = format!("ignore:\n- {{rules: [cpu, host], {entry}, reason: r, until: 2027-01-31}}\n");
        let outcome = applied(findings, &entries(&text), |_| {});
        let hidden: Vec<u32> = outcome.suppressed.iter().map(|s| s.finding.primary.span.start).collect();
        assert_eq!(hidden, expected, "{entry}");
        let unused = if expected.is_empty() { "\"cpu\", \"host\"" } else { "\"cpu\"" };
        assert_eq!(outcome.extra[0].message, format!("nothing is left to ignore here for {unused}"), "{entry}");
        if !expected.is_empty() {
            assert_eq!(fixed(&text, &outcome.extra[0]), text.replace("cpu, ", ""));
        }
    }
}

#[test]
fn an_entry_is_judged_only_where_all_that_it_speaks_of_was_read() {
    let trees = Trees::new([parse_yaml(
        FileId(0),
        Arc::from("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: cart, namespace: shop}\n"),
    )]);
    let resources = crate::resource::find(&trees, 0, crate::resource::Origin::default()).resources;
    for (entry, whole, expected) in [
        ("resources: [Deployment/shop/cart]", false, 1),
        ("resources: [Deployment/shop/cart, Deployment/shop/web]", false, 0),
        ("resources: [\"Deployment/shop/*\"]", false, 0),
        ("resources: [\"Deployment/shop/*\"]", true, 1),
        ("paths: [envs]", false, 0),
        ("paths: [envs]", true, 1),
    ] {
        let suppressions = entries(&format!("ignore:\n- rules: [host]\n  {entry}\n  reason: r\n"));
        let doubtful = HashSet::new();
        let scene = |all_rules: bool| Scene {
            today: "2026-11-24",
            names: NAMES,
            all_rules,
            doubtful: &doubtful,
            path_of_template: &|template| template.to_string(),
            path_of: &|_| String::new(),
            resources: &resources,
            whole_project: whole,
            whole_baseline: false,
        };
        assert_eq!(apply(Vec::new(), &suppressions, &scene(true)).extra.len(), expected, "{entry}");
        assert_eq!(apply(Vec::new(), &suppressions, &scene(false)).extra.len(), 0);
    }
}

#[test]
fn names_of_an_entry_in_lines_are_removed_by_line() {
    let text = "ignore:\n- rules:\n  - cpu\n  - host # x\n  resources:\n  - Deployment/shop/cart\n  reason: r\n";
    let outcome = applied(vec![of(1, 1, "Deployment", "shop", "cart")], &entries(text), |_| {});
    assert_eq!(fixed(text, &outcome.extra[0]), text.replace("  - cpu\n", ""));
    let two = format!("{text}- {{rules: [cpu], paths: [x], reason: r}}\n");
    let outcome = applied(vec![of(1, 1, "Deployment", "shop", "cart")], &entries(&two), |_| {});
    assert_eq!(fixed(&two, &outcome.extra[1]), text);
}

fn baseline(fingerprints: &[&str]) -> Vec<Suppression<'static>> {
    let findings = fingerprints.iter().map(|fingerprint| {
        let mut finding = of(1, 1, "Deployment", "shop", "cart");
        finding.fingerprint = fingerprint.to_string();
        finding.message = "says \"0001\": and \\".to_string();
        finding
    });
    let findings: Vec<Finding> = findings.collect();
    let baseline = crate::baseline::Baseline::new(findings.iter(), vec![".".to_string()], &|_| "a.yaml".to_string());
    of_baseline(FileId(9), &SourceFile::new("plimsoll-baseline.json", None, baseline.text()))
}

#[test]
fn the_baseline_matches_fingerprints() {
    let mut finding = of(1, 1, "Deployment", "shop", "cart");
    finding.fingerprint = "0001".to_string();
    let suppressions = baseline(&["0000", "0001", "0002"]);
    let outcome = applied(vec![finding.clone()], &suppressions, |_| {});
    assert_eq!((outcome.active.len(), outcome.suppressed.len(), outcome.baselined), (0, 0, 1));
    assert_eq!(outcome.stale, ["0000", "0002"]);
    assert_eq!(outcome.extra[0].message, "2 entries of the baseline match nothing any more");
    for change in [|s: &mut Scene<'_>| s.all_rules = false, |s: &mut Scene<'_>| s.whole_baseline = false] {
        assert!(applied(vec![finding.clone()], &suppressions, change).extra.is_empty());
    }
    // What something else switches off is not counted twice, but its entry is still of use.
    let mut both = baseline(&["0001"]);
    both.extend(entries("ignore: [{rules: [host], paths: [envs], reason: r}]"));
    let outcome = applied(vec![finding], &both, |_| {});
    assert_eq!((outcome.suppressed.len(), outcome.baselined, outcome.extra.len()), (1, 0, 0));
}

#[test]
fn keys_of_the_baseline_are_found_at_their_place() {
    let entries = baseline(&["0001", "0002"]);
    assert_eq!(entries.len(), 2);
    assert!(entries.iter().all(|entry| entry.place.end == entry.place.start + 4 && entry.place.start > 0));
}

#[test]
fn some_findings_can_not_be_switched_off() {
    let text = "# plimsoll: ignore-file[suppression, unused, yaml, input]: r\na: 1\n";
    let tree = parse_yaml(FileId(0), Arc::from(text));
    let at = Span::new(FileId(0), text.len() - 2, text.len() - 1);
    for rule in ["suppression/unused", "suppression/malformed", "yaml/invalid", "input/unreadable-file"] {
        let outcome = applied(vec![found(rule, at)], &of_manifest(&tree, std::iter::empty()), |_| {});
        assert_eq!(outcome.active.len(), 1, "{rule}");
    }
    let outcome = applied(vec![found("yaml/duplicate-key", at)], &of_manifest(&tree, std::iter::empty()), |_| {});
    assert_eq!(outcome.suppressed.len(), 1);
}

#[test]
fn thousands_of_suppressions_are_not_asked_one_by_one() {
    const MANY: u32 = 3_000;
    let findings: Vec<Finding> = (0..MANY)
        .map(|n| {
            let mut finding = of(n, 4, "Deployment", "shop", &format!("cart-{n}"));
            finding.fingerprint = format!("{n:016x}");
            finding
        })
        .collect();
    let mut text = "ignore:\n".to_string();
    for n in 0..MANY {
        text += &format!("- {{rules: [host], resources: [Deployment/shop/cart-{n}], reason: r}}\n");
        text += &format!("- {{rules: [host], paths: [envs/{n}.yaml], reason: r}}\n");
    }
    let start = std::time::Instant::now();
    let mut suppressions = entries(&text);
    let fingerprints: Vec<&str> = findings.iter().map(|f| f.fingerprint.as_str()).collect();
    suppressions.extend(baseline(&fingerprints));
    for n in 0..MANY {
        suppressions.extend(of_manifest(lasting("a: x! # plimsoll: ignore[host]: r\n", n), std::iter::empty()));
    }
    let outcome = applied(findings, &suppressions, |_| {});
    assert_eq!((outcome.suppressed.len(), outcome.extra.len()), (MANY as usize, 0));
    // Nor are they when none of them is of use.
    let outcome = applied(Vec::new(), &suppressions, |_| {});
    assert_eq!(outcome.extra.len(), 3 * MANY as usize + 1);
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
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
