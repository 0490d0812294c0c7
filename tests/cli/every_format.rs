//! The same findings and the same exit status come out of every format.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde_json::Value;

use super::runner::obeyed;
use super::scratch::{Scratch, deployment, shop};

/// A rule and where it found something.
type Found = (String, String, usize);

fn found(rule: &str, path: &str, line: usize) -> Found {
    (rule.to_string(), path.to_string(), line)
}

/// `a.yaml:7` and what may follow.
fn split(place: &str) -> (&str, usize) {
    let mut parts = place.split(':');
    (parts.next().unwrap(), parts.next().map_or(1, |line| line.parse().unwrap()))
}

fn json(text: &str, least: &[&str]) -> Vec<Found> {
    let report: Value = serde_json::from_str(text).unwrap();
    let shown = report["findings"].as_array().unwrap().iter();
    let shown = shown.filter(|finding| least.contains(&finding["severity"].as_str().unwrap()));
    let one = |f: &Value| {
        let line = f["location"]["line"].as_u64().unwrap_or(1);
        found(f["rule"].as_str().unwrap(), f["location"]["path"].as_str().unwrap(), line as usize)
    };
    shown.map(one).collect()
}

fn short(text: &str) -> Vec<Found> {
    let findings = text.lines().filter_map(|line| line.split_once(['[']).zip(line.split_once("] ")));
    let one = |((before, after), _): ((&str, &str), (&str, &str))| {
        let (place, _) = before.rsplit_once(": ")?;
        let (path, line) = split(place);
        Some(found(after.split(']').next()?, path, line))
    };
    findings.filter_map(one).collect()
}

fn sarif(text: &str) -> Vec<Found> {
    let log: Value = serde_json::from_str(text).unwrap();
    let one = |result: &Value| {
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        found(result["ruleId"].as_str().unwrap(), uri, place["region"]["startLine"].as_u64().unwrap() as usize)
    };
    log["runs"][0]["results"].as_array().unwrap().iter().map(one).collect()
}

fn github(text: &str) -> Vec<Found> {
    let (commands, _) = obeyed(text);
    let findings = commands.iter().filter(|command| command.properties["title"] != "plimsoll");
    findings
        .map(|c| found(&c.properties["title"], &c.properties["file"], c.properties["line"].parse().unwrap()))
        .collect()
}

fn gitlab(text: &str) -> Vec<Found> {
    let items: Value = serde_json::from_str(text).unwrap();
    let findings = items.as_array().unwrap().iter().filter(|item| item["check_name"] != "plimsoll");
    let one = |item: &Value| {
        let place = &item["location"];
        let line = place["lines"]["begin"].as_u64().unwrap() as usize;
        found(item["check_name"].as_str().unwrap(), place["path"].as_str().unwrap(), line)
    };
    findings.map(one).collect()
}

fn junit(text: &str) -> Vec<Found> {
    let document = roxmltree::Document::parse(text).unwrap();
    let failed = document.descendants().filter(|node| node.has_tag_name("failure")).filter_map(|node| node.parent());
    let attribute = |node: &roxmltree::Node, name: &str| node.attribute(name).unwrap().to_string();
    failed
        .map(|n| (attribute(&n, "classname"), attribute(&n, "file"), attribute(&n, "line").parse().unwrap()))
        .collect()
}

/// A paragraph that starts with a place ends with the rule.
fn markdown(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let mut codes: Vec<String> = Vec::new();
    for event in Parser::new_ext(text, Options::all()) {
        match event {
            Event::Start(Tag::Paragraph) => codes.clear(),
            Event::Code(code) => codes.push(code.to_string()),
            Event::End(TagEnd::Paragraph) if codes.len() > 1 => {
                let (path, line) = codes[0].split_once(':').unwrap_or_default();
                let line = line.parse();
                found.extend(line.map(|line| self::found(&codes[codes.len() - 1], path, line)));
            }
            _ => {}
        }
    }
    found
}

/// The rules in the heads of what people see.
fn pretty(text: &str) -> Vec<String> {
    let heads = ["error[", "warning[", "info["];
    let rule =
        |line: &str| heads.iter().find_map(|head| line.strip_prefix(head)?.split(']').next().map(str::to_string));
    text.lines().filter_map(rule).collect()
}

fn inputs() -> Vec<(&'static str, Scratch)> {
    let with = |files: &[(&str, String)]| {
        let s = shop();
        std::fs::remove_file(s.path("a.yaml")).unwrap();
        files.iter().for_each(|(name, text)| s.write(name, text));
        s
    };
    let service = |name: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{ name: {name}, namespace: shop }}\nspec: {{ ports: [{{ port: 80 }}] }}\n"
        )
    };
    let route = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: r, namespace: shop }\nspec:\n  hosts: [r]\n  http:\n    - route:\n        - destination: { host: reviws }\n".to_string();
    let owned = |replicas| deployment("cart", replicas).replace("  name:", "  labels: { team: a }\n  name:");
    let unused = owned(1).replace("replicas: 1", "replicas: 1 # plimsoll: ignore[ops]: one is enough");
    let failing = "//! ---\n//! severity: error\n//! checks: Deployment\n//! ---\n//! # it\n//!\n//! It hurts.\n\nfn check(d, mesh) {\n    d.spec.replicas + [];\n}\n";
    vec![
        ("clean", with(&[("a.yaml", owned(3))])),
        ("findings", with(&[("a.yaml", deployment("cart", 1)), ("b/c.yaml", deployment("web", 1))])),
        ("warnings alone", with(&[("a.yaml", deployment("cart", 3))])),
        ("broken YAML", with(&[("a.yaml", deployment("cart", 1) + "---\nkind: [\n")])),
        ("unreadable", {
            let s = with(&[("a.yaml", deployment("cart", 1))]);
            s.write("b.yaml", b"kind: \xff\n");
            s
        }),
        ("nothing", with(&[("a.yaml", "a: 1\n".to_string())])),
        ("suppressed", with(&[("a.yaml", unused)])),
        (
            "several clusters",
            with(&[("envs/prod/a.yaml", deployment("cart", 1)), ("envs/test/a.yaml", deployment("cart", 1))]),
        ),
        ("two files in one finding", with(&[("a.yaml", route), ("b.yaml", service("reviews"))])),
        ("a failing rule", with(&[("a.yaml", deployment("cart", 1)), ("rules/ops/failing.rhai", failing.to_string())])),
    ]
}

#[test]
fn every_format_says_the_same() {
    let mut statuses = std::collections::BTreeSet::new();
    for (name, s) in inputs() {
        std::fs::create_dir(s.path("out")).unwrap();
        for (least, shown) in
            [("error", &["error"][..]), ("warning", &["error", "warning"]), ("info", &["error", "warning", "info"])]
        {
            let formats = ["pretty", "json", "short", "sarif", "github", "gitlab", "junit", "markdown"];
            let targets: String = formats.iter().map(|format| format!(" --format {format}=out/{format}")).collect();
            let check = format!("check . --rules rules --today 2026-11-22 --min-severity {least}");
            let said = s.run(&format!("{check}{targets}"));
            let text = |format: &str| s.read(&format!("out/{format}"));
            let expected = sorted(json(&text("json"), shown));
            statuses.insert(said.status);
            type Reader = fn(&str) -> Vec<Found>;
            let readers: [(&str, Reader); 6] = [
                ("short", short),
                ("sarif", sarif),
                ("github", github),
                ("gitlab", gitlab),
                ("junit", junit),
                ("markdown", markdown),
            ];
            for (format, reader) in readers {
                assert_eq!(sorted(reader(&text(format))), expected, "{name}, {least}: {format}: {}", text(format));
            }
            let rules: Vec<String> = expected.iter().map(|(rule, ..)| rule.clone()).collect();
            assert_eq!(sorted(pretty(&text("pretty"))), rules, "{name}, {least}: pretty: {}", text("pretty"));
            for format in formats.iter().filter(|_| least == "info") {
                let alone = s.run(&format!("{check} --format {format}"));
                assert_eq!(alone.status, said.status, "{name}: {format}: {alone}");
                assert_eq!(alone.out, text(format), "{name}: {format}");
            }
        }
    }
    assert_eq!(statuses, [0, 1, 2, 3, 4].into(), "each status is among them");
}

fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort();
    items
}
