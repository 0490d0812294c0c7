//! SARIF, against the standard's schema and what GitHub asks for beyond it.

use serde_json::Value;

use super::scratch::{OURS, Scratch, deployment, said, shop, snapshot};

/// The log of a run, valid and as GitHub wants it.
#[track_caller]
fn log(s: &Scratch, arguments: &str) -> Value {
    let log = s.run(&format!("check {arguments} --format sarif")).json();
    assert_is_sarif(&log);
    assert_is_for_github(&log);
    log
}

/// A rule that finds a value of several lines, and one.
pub(crate) const LONG_VALUE: [(&str, &str); 2] = [
    (
        "rules/ops/long.rhai",
        "//! ---\n//! severity: error\n//! checks: ConfigMap\n//! ---\n//! # it\n//!\n//! It hurts.\n\nfn check(c, mesh) {\n    report(c.data.a, \"long\");\n}\n",
    ),
    ("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\ndata:\n  a: |\n    é\n    b\n"),
];

fn results(log: &Value) -> &Vec<Value> {
    log["runs"][0]["results"].as_array().unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

#[track_caller]
fn assert_is_sarif(log: &Value) {
    // The pattern of language tags has a bracket too many; there are none in our logs.
    let schema = include_str!("../schemas/sarif-2.1.0.json").replace("-[a-zA-Z]{2}]?$", "-[a-zA-Z]{2}$");
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let wrong: Vec<_> = validator.iter_errors(log).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// <https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>
#[track_caller]
fn assert_is_for_github(log: &Value) {
    assert_nothing_is_empty(log, "");
    assert_eq!(log["version"], "2.1.0");
    assert!(text(&log["$schema"]).starts_with("https://"));
    let runs = log["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0]["columnKind"], "unicodeCodePoints");
    let driver = &runs[0]["tool"]["driver"];
    assert_eq!((text(&driver["name"]), text(&driver["version"])), ("plimsoll", env!("CARGO_PKG_VERSION")));
    let rules = driver["rules"].as_array().unwrap();
    let ids: Vec<&str> = rules.iter().map(|rule| text(&rule["id"])).collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    for rule in rules {
        assert!(text(&rule["name"]).chars().count() <= 255);
        for description in ["shortDescription", "fullDescription"] {
            assert!((1..=1024).contains(&text(&rule[description]["text"]).chars().count()), "{rule}");
        }
        let help = &rule["help"];
        assert!(!text(&help["text"]).contains("# finding:") && !text(&help["markdown"]).is_empty());
        if let Some(url) = rule["helpUri"].as_str() {
            assert!(text(&help["text"]).contains(url) && text(&help["markdown"]).contains(url));
        }
        assert!(["error", "warning", "note"].contains(&text(&rule["defaultConfiguration"]["level"])));
        let properties = &rule["properties"];
        assert!(["error", "warning", "recommendation"].contains(&text(&properties["problem.severity"])));
        assert!(["very-high", "high", "medium", "low"].contains(&text(&properties["precision"])));
        assert!(properties.get("security-severity").is_none());
        let tags: Vec<&str> = properties["tags"].as_array().unwrap().iter().map(text).collect();
        assert!(tags.len() <= 20);
    }
    let results = runs[0]["results"].as_array().unwrap();
    let used: std::collections::BTreeSet<_> = results.iter().map(|r| text(&r["ruleId"])).collect();
    assert_eq!(used.into_iter().collect::<Vec<_>>(), ids, "rules without results, or the other way round");
    for result in results {
        assert_eq!(ids[result["ruleIndex"].as_u64().unwrap() as usize], text(&result["ruleId"]));
        assert_eq!(result["locations"].as_array().unwrap().len(), 1);
        let related = result["relatedLocations"].as_array().cloned().unwrap_or_default();
        let message = text(&result["message"]["text"]);
        for (location, n) in related.iter().zip(1..) {
            assert_eq!(location["id"], n);
            assert!(message.contains(&format!("]({n})")), "{message}");
        }
        let links = message.matches("](").count() - message.matches("\\](").count();
        assert_eq!(links, related.len(), "{message}");
        for location in related.iter().chain(&result["locations"].as_array().unwrap()[..]) {
            let region = &location["physicalLocation"]["region"];
            assert_eq!(region["startLine"], region["endLine"]);
            assert!(region["startColumn"].as_u64().unwrap() <= region["endColumn"].as_u64().unwrap());
            let uri = text(&location["physicalLocation"]["artifactLocation"]["uri"]);
            let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~/%".contains(c);
            assert!(uri.chars().all(allowed) && !uri.starts_with(['/', '.']), "{uri}");
        }
        let prints = result["partialFingerprints"].as_object().unwrap();
        assert_eq!(prints.keys().collect::<Vec<_>>(), ["plimsoll/v1"]);
    }
}

/// GitHub takes an empty text or object for a missing one.
#[track_caller]
fn assert_nothing_is_empty(value: &Value, path: &str) {
    match value {
        Value::String(text) => assert!(!text.trim().is_empty(), "{path} is empty"),
        Value::Object(fields) => {
            assert!(!fields.is_empty(), "{path} is empty");
            fields.iter().for_each(|(key, value)| assert_nothing_is_empty(value, &format!("{path}/{key}")));
        }
        Value::Array(items) => {
            let may_be_empty = ["/runs/0/results", "/runs/0/tool/driver/rules"].contains(&path);
            assert!(may_be_empty || !items.is_empty(), "{path} is empty");
            items.iter().zip(0..).for_each(|(item, n)| assert_nothing_is_empty(item, &format!("{path}/{n}")));
        }
        _ => {}
    }
}

#[test]
fn a_sarif_log() {
    let s = shop();
    let printed = s.run(&format!("check a.yaml {OURS} --format sarif --min-severity info")).to_string();
    snapshot("sarif", &printed.replace(env!("CARGO_PKG_VERSION"), "[version]"));
    log(&s, &format!("a.yaml {OURS} --min-severity info"));
}

#[test]
fn the_examples_make_a_log_that_is_valid() {
    let mut command = shop().command("check examples --format sarif --min-severity info");
    let log: Value = serde_json::from_str(&said(command.current_dir(env!("CARGO_MANIFEST_DIR")), b"").out).unwrap();
    assert_is_sarif(&log);
    assert_is_for_github(&log);
    assert!(results(&log).len() > 8);
    // Each place in another file is linked to.
    let two = results(&log).iter().find(|r| r["ruleId"] == "traffic/host-not-found").unwrap();
    assert_eq!(
        two["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "examples/broken/services.yaml"
    );
    assert!(text(&two["message"]["text"]).starts_with("host \"chekout\" is not among the 10 Services read"));
}

#[test]
fn a_run_without_findings_has_its_empty_arrays() {
    let s = shop();
    s.write("a.yaml", "a: 1\n");
    let log = log(&s, "a.yaml");
    assert_eq!(log["runs"][0]["results"], serde_json::json!([]));
    assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], true);
}

#[test]
fn what_failed_is_a_notification() {
    let s = shop();
    s.write("rules/x/bad.rhai", "nonsense");
    let log = log(&s, "a.yaml --rules rules --select ops");
    let invocation = &log["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let notification = &invocation["toolConfigurationNotifications"][0];
    assert_eq!(notification["level"], "error");
    assert_eq!(notification["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "rules/x/bad.rhai");
    assert_eq!(results(&log).len(), 1);
}

#[test]
fn suppressed_findings_are_left_out_unless_asked_for() {
    let s = shop();
    let text = deployment("cart", 1).replace("replicas: 1", "replicas: 1 # plimsoll: ignore[ops]: one is enough");
    s.write("a.yaml", text);
    assert_eq!(results(&log(&s, "a.yaml --rules rules --select ops")).len(), 0);
    let log = log(&s, "a.yaml --rules rules --select ops --sarif-include-suppressed");
    assert_eq!(results(&log).len(), 1);
    assert_eq!(results(&log)[0]["suppressions"][0]["justification"], "one is enough");
    assert_eq!(results(&log)[0]["suppressions"][0]["kind"], "inSource");
    s.write("a.yaml", deployment("cart", 1));
    s.write("plimsoll.yaml", "ignore: [{ rules: [ops], resources: [Deployment/shop/cart], reason: a demo }]\n");
    let log = self::log(&s, "a.yaml --rules rules --select ops --sarif-include-suppressed");
    assert_eq!(results(&log)[0]["suppressions"][0]["kind"], "external");
}

#[test]
fn paths_start_at_the_repositorys_root() {
    let s = shop();
    s.write(".git/HEAD", "");
    s.write("envs/prod/ü, #1 [a].yaml", deployment("cart", 1));
    let mut command = s.command("check . --rules ../../rules --select ops --format sarif");
    let printed = said(command.current_dir(s.path("envs/prod")), b"").out;
    let log: Value = serde_json::from_str(&printed).unwrap();
    assert_is_sarif(&log);
    assert_is_for_github(&log);
    let uri = &results(&log)[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(uri, "envs/prod/%C3%BC%2C%20%231%20%5Ba%5D.yaml");
}

#[test]
fn what_was_rendered_points_at_its_template() {
    let s = shop();
    let rendered = format!("---\n# Source: shop/templates/cart.yaml\n{}", deployment("cart", 1));
    let run = |arguments: &str| {
        let log = s.pipe(&rendered, &format!("check {arguments} --rules rules --select ops --format sarif")).json();
        assert_is_sarif(&log);
        assert_is_for_github(&log);
        log
    };
    let log = run("-");
    let result = &results(&log)[0];
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "shop/templates/cart.yaml");
    assert_eq!((&place["region"]["startLine"], &place["region"]["endColumn"]), (&1.into(), &1.into()));
    assert!(text(&result["message"]["text"]).contains("\n\nAt line 9 of the rendered text."), "{result}");
    // A rendered manifest that lies in a file is that file.
    s.write("b.yaml", &rendered);
    let log = run("b.yaml");
    let place = &results(&log)[0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "b.yaml");
    assert_eq!(place["region"]["startLine"], 9);
}

#[test]
fn names_make_no_links() {
    let s = shop();
    let name = "a [x](https://evil.example) \\\\[1](1)";
    s.write("a.yaml", deployment("cart", 1).replace("name: cart", &format!("name: \"{name}\"")));
    let log = log(&s, "a.yaml --rules rules --select ops");
    let message = text(&results(&log)[0]["message"]["text"]);
    assert!(message.starts_with("\"a \\[x\\](https://evil.example) \\\\\\[1\\](1)\" runs 1 of 2"), "{message}");
}

#[test]
fn the_place_of_a_long_value_is_its_first_line() {
    let s = shop();
    LONG_VALUE.iter().for_each(|(name, text)| s.write(name, text));
    let log = log(&s, "a.yaml --rules rules --select long");
    let region = &results(&log)[0]["locations"][0]["physicalLocation"]["region"];
    let start = region["startLine"].as_u64().unwrap();
    assert!((5..=6).contains(&start), "{region}");
    assert_eq!(region["endLine"], start);
}
