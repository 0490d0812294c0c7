//! JUnit XML, read by a parser that is not the writer's.

use std::collections::BTreeSet;

use roxmltree::{Document, Node};

use super::scratch::{OURS, Scratch, deployment, shop, snapshot};

fn cases<'a>(document: &'a Document) -> Vec<Node<'a, 'a>> {
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "testsuites");
    let cases: Vec<_> = document.descendants().filter(|node| node.has_tag_name("testcase")).collect();
    let suite = root.children().find(|node| node.has_tag_name("testsuite")).unwrap();
    for (attribute, tag) in [("failures", "failure"), ("errors", "error"), ("skipped", "skipped"), ("tests", "")] {
        let holds = |case: &&Node| tag.is_empty() || case.children().any(|child| child.has_tag_name(tag));
        let counted = cases.iter().filter(holds).count().to_string();
        assert_eq!(suite.attribute(attribute), Some(counted.as_str()), "{attribute}");
        assert_eq!(root.attribute(attribute), Some(counted.as_str()), "{attribute}");
    }
    let names: BTreeSet<_> = cases.iter().map(|case| (case.attribute("classname"), case.attribute("name"))).collect();
    assert_eq!(names.len(), cases.len(), "GitLab keeps the first of a name: {names:?}");
    cases
}

fn report(s: &Scratch, arguments: &str) -> String {
    let xml = s.run(&format!("check {arguments} --format junit")).out;
    // What XML 1.0 allows: https://www.w3.org/TR/xml/#charsets
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(xml.chars().all(allowed) && !xml.contains("&#"), "{xml:?}");
    xml
}

#[test]
fn a_junit_report() {
    let s = shop();
    snapshot("junit", &s.run(&format!("check a.yaml {OURS} --format junit --min-severity info")).to_string());
}

#[test]
fn a_finding_is_a_failed_test() {
    let s = shop();
    let xml = report(&s, "a.yaml --rules rules --select ops");
    let document = Document::parse(&xml).unwrap();
    let cases = cases(&document);
    let [case] = cases[..] else { panic!("{xml}") };
    assert_eq!(case.attribute("classname"), Some("ops/replicas"));
    assert_eq!(case.attribute("name"), Some("ops/replicas @ a.yaml:7 Deployment/shop/cart"));
    assert_eq!((case.attribute("file"), case.attribute("line")), (Some("a.yaml"), Some("7")));
    let failure = case.children().find(|child| child.has_tag_name("failure")).unwrap();
    assert_eq!(failure.attribute("message"), Some("\"cart\" runs 1 of 2 replicas"));
    assert!(failure.text().unwrap().contains("╰── asked for here"), "{xml}");
}

#[test]
fn rules_that_found_nothing_pass() {
    let s = shop();
    s.write("a.yaml", deployment("cart", 3));
    let xml = report(&s, "a.yaml --rules rules --select ops,traffic");
    let document = Document::parse(&xml).unwrap();
    let cases = cases(&document);
    // Rules of `traffic` had nothing to judge.
    assert_eq!(cases.iter().map(|case| case.attribute("name")).collect::<Vec<_>>(), [Some("ops/replicas")]);
    assert_eq!(cases[0].children().count(), 0);
}

#[test]
fn suppressed_findings_are_skipped_and_failed_rules_are_errors() {
    let s = shop();
    let text = deployment("cart", 1).replace("replicas: 1", "replicas: 1 # plimsoll: ignore[ops]: one is enough");
    s.write("a.yaml", text);
    s.write("rules/x/bad.rhai", "nonsense");
    let xml = report(&s, "a.yaml --rules rules --select ops");
    let document = Document::parse(&xml).unwrap();
    let cases = cases(&document);
    let of = |tag: &str| cases.iter().flat_map(Node::children).find(|child| child.has_tag_name(tag)).unwrap();
    assert_eq!(of("skipped").attribute("message"), Some("one is enough"));
    assert_eq!(of("error").parent().unwrap().attribute("file"), Some("rules/x/bad.rhai"));
}

#[test]
fn findings_of_one_name_are_told_apart() {
    let s = shop();
    s.write("a.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: cart }\nspec: { a: 1, a: 2, a: 3 }\n");
    let xml = report(&s, "a.yaml --select yaml");
    let document = Document::parse(&xml).unwrap();
    let names: Vec<_> = cases(&document).iter().filter_map(|case| case.attribute("name")).map(str::to_string).collect();
    assert!(names.iter().any(|name| name.ends_with(" (2)")), "{names:?}");
}

#[test]
fn names_hold_no_markup_and_no_character_that_xml_forbids() {
    for name in
        ["]]><a b='c'>&amp;", "\\e[31m\\a\\0\\x7f", "\\uFFFE\\uFFFF", "\\u0085\\u2028", "a\\tb\\nc", "<!--", "&#0;"]
    {
        let s = shop();
        s.write("a.yaml", deployment("cart", 1).replace("name: cart", &format!("name: \"{name}\"")));
        let xml = report(&s, "a.yaml --rules rules --select ops");
        let document = Document::parse(&xml).unwrap_or_else(|error| panic!("{name}: {error}: {xml}"));
        assert_eq!(cases(&document).len(), 1, "{xml}");
    }
}
