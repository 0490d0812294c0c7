//! What holds for the whole repository: its layers, its words, its rule pages.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use plimsoll::rule::{RuleSet, load, page::ExampleKind};
use plimsoll::script::vocabulary;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder of the repository, by their path from its root; none where it is not there.
fn files(folder: &str) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
                found.insert(name, path);
            }
        }
    }
    found
}

/// Fails with all of them at once.
fn none(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

fn rules() -> RuleSet {
    let (set, problems) = load::load(&[], &[]);
    assert!(problems.is_empty(), "{problems:?}");
    set
}

/// What each module may use beside itself; `path:module` limits that to one file.
const LAYERS: &[(&str, &str)] = &[
    ("source", ""),
    ("kinds", ""),
    ("spelling", ""),
    ("units", ""),
    ("progress", ""),
    ("yaml", "source yaml/edit:finding"),
    ("finding", "source"),
    ("rule", "yaml finding source units kinds spelling"),
    ("resource", "yaml source finding kinds spelling"),
    ("layout", "mesh resource yaml source"),
    ("mesh", "resource yaml source units kinds mesh/roles:rule"),
    ("values", "finding resource rule source"),
    ("script", "values rule mesh resource yaml finding source units kinds"),
    ("run", "values script rule mesh resource yaml finding progress"),
    ("native", "mesh resource rule run finding source yaml"),
    ("fix", "finding source yaml"),
    ("baseline", "finding source"),
    ("suppress", "baseline mesh resource finding source spelling yaml kinds"),
    ("change", "finding resource source yaml"),
    ("report", "change finding source suppress report/checkout:layout"),
    ("plan", "report script rule mesh resource yaml finding source units spelling"),
    ("config", "change suppress layout resource rule mesh finding progress source yaml kinds units"),
    ("input", "config layout mesh progress report resource source yaml"),
    (
        "example",
        "config finding fix layout mesh native report resource rule run script source suppress yaml kinds units lib",
    ),
];

#[test]
fn modules_use_only_what_lies_below_them() {
    let mut wrong = Vec::new();
    for (name, path) in files("src") {
        let module = name.trim_start_matches("src/").trim_end_matches(".rs");
        let top = module.split('/').next().unwrap();
        if matches!(top, "lib" | "main" | "cli") {
            continue;
        }
        let Some((_, allowed)) = LAYERS.iter().find(|(layer, _)| *layer == top) else {
            wrong.push(format!("{name}: module \"{top}\" has no place in LAYERS"));
            continue;
        };
        let may = |used: &str| {
            used == top
                || allowed.split(' ').any(|layer| match layer.split_once(':') {
                    Some((file, layer)) => layer == used && (module == file || module.starts_with(&format!("{file}/"))),
                    None => layer == used,
                })
        };
        for used in used_modules(&fs::read_to_string(path).unwrap()) {
            if !may(&used) {
                wrong.push(format!("{name} uses {used}"));
            }
        }
    }
    none(wrong);
}

/// The modules of the crate that a file names: `crate::x::…`, and each of `crate::{x, y::z}`; an item
/// of the crate's root counts as `lib`.
fn used_modules(text: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let line = text[..at].rfind('\n').map_or(0, |n| n + 1);
        if text[line..at].contains("//") || text[..at].ends_with('$') {
            continue;
        }
        let rest = &text[at + "crate::".len()..];
        let list = match rest.strip_prefix('{') {
            Some(group) => &group[..group.find("};").unwrap_or(group.len())],
            None => &rest[..rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())],
        };
        let mut depth = 0;
        let outermost = |c: char| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            c == ',' && depth == 0
        };
        for path in list.split(outermost) {
            let name = path.trim().split("::").next().unwrap_or("").split_whitespace().next().unwrap_or("");
            let is_module = root().join(format!("src/{name}.rs")).is_file();
            if !name.is_empty() {
                used.insert(if is_module { name.to_string() } else { "lib".to_string() });
            }
        }
    }
    used
}

#[test]
fn uses_of_a_group_are_told_apart() {
    let used = used_modules("use crate::{Outcome, fix, yaml::{Node, edit}};\nlet x = crate::rule::closest(a);\n");
    assert_eq!(used, ["lib", "fix", "yaml", "rule"].map(str::to_string).into());
}

#[test]
fn rhai_and_miette_are_named_in_one_place_each() {
    let mut wrong = Vec::new();
    for (name, path) in files("src") {
        let text = fs::read_to_string(path).unwrap();
        let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let names = |library: &str| code.iter().any(|line| line.contains(&format!("{library}::")));
        if names("rhai") && !name.starts_with("src/script") {
            wrong.push(format!("{name} names rhai"));
        }
        if names("miette") && name != "src/report/pretty.rs" {
            wrong.push(format!("{name} names miette"));
        }
    }
    none(wrong);
}

#[test]
fn files_are_named_after_what_they_hold() {
    let vague = ["mod.rs", "utils.rs", "util.rs", "helpers.rs", "common.rs", "manager.rs"];
    let sources = files("src").into_iter().chain(files("tests"));
    none(sources.filter(|(name, _)| vague.iter().any(|v| name.ends_with(&format!("/{v}")))).map(|(n, _)| n).collect());
}

#[test]
fn source_files_stay_short() {
    let lines = |path: &Path| fs::read_to_string(path).unwrap().lines().count();
    let long = files("src").into_iter().map(|(name, path)| (name, lines(&path))).filter(|(_, lines)| *lines >= 600);
    none(long.map(|(name, lines)| format!("{name}: {lines} lines")).collect());
}

/// Words with which a message may start although they are no sentence.
const PROPER: &[&str] = &[
    "API",
    "AuthorizationPolicies",
    "CA",
    "Calico",
    "Calico's",
    "Cilium",
    "Certificate",
    "ClusterIP",
    "ConfigMap",
    "CustomResourceDefinition",
    "DaemonSet",
    "Deployment",
    "DestinationRule",
    "DestinationRules",
    "EnvoyFilter",
    "Envoy",
    "GKE",
    "Gateway",
    "HTTPRoute",
    "HorizontalPodAutoscaler",
    "Istio",
    "Job",
    "LimitRange",
    "Kubernetes",
    "MutatingWebhookConfiguration",
    "Namespace",
    "NetworkPolicies",
    "NetworkPolicy",
    "Node",
    "PeerAuthentication",
    "Pod",
    "PodDisruptionBudget",
    "ReplicaSet",
    "RequestAuthentication",
    "Secret",
    "Service",
    "ServiceEntry",
    "Services",
    "Sidecar",
    "StatefulSet",
    "Telemetry",
    "VirtualService",
    "WasmPlugin",
    "Weave",
    "Waypoint",
    "WorkloadEntry",
];

#[test]
fn messages_have_one_voice() {
    let mut wrong = Vec::new();
    for (name, path) in files("snapshots/rules") {
        for message in messages(&fs::read_to_string(path).unwrap()) {
            wrong.extend(style(&message).map(|reason| format!("{name}: {reason}: {message}")));
        }
    }
    none(wrong);
}

/// Heads of findings, with the lines that they wrap into.
fn messages(picture: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut open = false;
    for line in picture.lines() {
        let head = line.split_once("]: ").filter(|(rule, _)| {
            ["error[", "warning[", "info["].iter().any(|severity| rule.starts_with(severity)) && !rule.contains(' ')
        });
        match (head, found.last_mut()) {
            (Some((_, message)), _) => found.push(message.to_string()),
            (None, Some(last)) if open && !line.contains("╭─[") => *last += &format!(" {}", line.trim()),
            _ => {}
        }
        open = head.is_some() || open && !line.contains("╭─[");
    }
    found
}

fn style(message: &str) -> Option<String> {
    let first = message.split([' ', '"']).next().unwrap_or("");
    let lower = message.to_lowercase();
    let polite = ["should", "consider", "please", "might want to"];
    let is_variable = first.contains('_') && first == first.to_uppercase();
    if message.starts_with(|c: char| c.is_uppercase()) && !PROPER.contains(&first) && !is_variable {
        Some("starts upper-case".to_string())
    } else if message.ends_with('.') {
        Some("ends with a full stop".to_string())
    } else if message.chars().count() > 120 {
        Some(format!("{} characters", message.chars().count()))
    } else {
        polite.iter().find(|word| lower.contains(*word)).map(|word| format!("says \"{word}\""))
    }
}

#[test]
fn the_style_of_a_message_is_told() {
    for bad in ["Something is wrong", "it is wrong.", "you should mend it", &"x".repeat(121)] {
        assert!(style(bad).is_some(), "{bad}");
    }
    for good in ["host \"x\" has no subset", "\"a\" stands twice", "Service \"x\" lacks a port", "12 pods"] {
        assert_eq!(style(good), None, "{good}");
    }
    let picture =
        "error[a/b]: one two\n  three\n   ╭─[x]\n 1 │ warning[a/b]: no\n  why: x\n\nwarning[c/d]: four\n   ╭─[x]\n";
    assert_eq!(messages(picture), ["one two three", "four"]);
}

#[test]
fn every_picture_has_its_rule_and_every_rule_its_picture() {
    let set = rules();
    let shown: BTreeSet<String> = set
        .rules
        .iter()
        .filter(|rule| rule.page.examples.iter().any(|e| e.kind == ExampleKind::Bad))
        .map(|rule| format!("snapshots/rules/{}.snap", rule.id))
        .collect();
    let drawn: BTreeSet<String> = files("snapshots/rules").into_keys().filter(|n| n.ends_with(".snap")).collect();
    none(drawn.symmetric_difference(&shown).cloned().collect());
}

#[test]
fn every_page_says_what_why_and_how() {
    let mut wrong = Vec::new();
    for rule in &rules().rules {
        let mut need = |holds: bool, what: &str| {
            if !holds {
                wrong.push(format!("{}: {what}", rule.file.name));
            }
        };
        let page = &rule.page;
        let native = rule.header.native;
        let has = |kind| page.examples.iter().any(|e| e.kind == kind);
        let heading = |heading: &str| page.markdown.lines().any(|line| line.trim_end() == heading);
        need(!page.title.is_empty(), "no title");
        need(!page.title.ends_with('.'), "the title ends with a full stop");
        need(!page.why.is_empty(), "no first sentence");
        need(page.why.chars().count() <= 160, "the first sentence is longer than 160 characters");
        need(heading("## How to fix"), "no `## How to fix`");
        // What only the command line can show has no example.
        let shown = rule.id.as_str() == "input/unreadable-file" || has(ExampleKind::Bad) && has(ExampleKind::Good);
        need(shown, "no `## Bad` or no `## Good`");
        need(native || rule.header.source.as_deref().is_some_and(|s| !s.trim().is_empty()), "no `source`");
        need(rule.header.params.iter().all(|p| !p.help.trim().is_empty()), "a parameter without help");
        // Each heading once, so that an example can be found.
        for heading in ["## How to fix", "## Bad", "## Good"] {
            let times = page.markdown.lines().filter(|line| line.trim_end() == heading).count();
            need(times <= 1, &format!("`{heading}` stands {times} times"));
        }
    }
    none(wrong);
}

#[test]
fn ids_are_unique_over_all_topics() {
    let mut stems: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in files("rules").into_keys().filter(|name| name.ends_with(".rhai") && !name.starts_with("rules/lib/")) {
        let stem = name.rsplit('/').next().unwrap().to_string();
        stems.entry(stem).or_default().push(name);
    }
    none(stems.into_values().filter(|names| names.len() > 1).map(|names| names.join(" and ")).collect());
}

#[test]
fn no_name_means_both_a_topic_and_a_rule() {
    let set = rules();
    let topics: BTreeSet<&str> = set.rules.iter().map(|rule| rule.id.topic()).collect();
    none(set.rules.iter().map(|rule| rule.id.stem()).filter(|s| topics.contains(s)).map(str::to_string).collect());
}

#[test]
fn every_table_says_where_it_comes_from_and_when() {
    let tables = files("rules/data").into_iter().filter(|(name, _)| name.ends_with(".yaml") || name.ends_with(".yml"));
    let mut wrong = Vec::new();
    for (name, path) in tables {
        let table: serde_yaml::Value = serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        for key in ["source", "date"] {
            let said = table.get(key).and_then(serde_yaml::Value::as_str).is_some_and(|text| !text.trim().is_empty());
            if !said {
                wrong.push(format!("{name}: no `{key}`"));
            }
        }
    }
    none(wrong);
}

/// The text between `<!-- name -->` and `<!-- /name -->` in the rules' guide is that one;
/// `PLIMSOLL_UPDATE=1 cargo test --test meta` writes it anew.
fn generated(name: &str, wanted: &str) {
    // Two tests may write the file.
    static FILE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _held = FILE.lock();
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let path = root().join("rules/README.md");
    let text = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    let (before, rest) = text.split_once(&open).unwrap_or_else(|| panic!("rules/README.md holds no {open}"));
    let (block, after) = rest.split_once(&close).unwrap_or_else(|| panic!("rules/README.md holds no {close}"));
    let wanted = wanted.trim_matches('\n');
    if std::env::var_os("PLIMSOLL_UPDATE").is_some() {
        fs::write(&path, format!("{before}{open}\n{wanted}\n\n{close}{after}")).unwrap();
        return;
    }
    assert!(block.trim_matches('\n') == wanted, "{name} has changed: run PLIMSOLL_UPDATE=1 cargo test --test meta");
}

#[test]
fn the_guide_lists_every_word_of_the_rule_language() {
    let text = vocabulary::markdown();
    for word in vocabulary::all() {
        assert!(text.contains(&format!("| `{}` |", word.signature.replace('|', "\\|"))), "{}", word.signature);
    }
    generated("vocabulary", &text);
}

#[test]
fn the_guide_lists_every_rule() {
    let printed = std::process::Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(["rules", "--format", "markdown", "--no-config"])
        .output()
        .unwrap();
    let text = String::from_utf8(printed.stdout).unwrap();
    for rule in rules().rules {
        assert!(text.contains(&format!("| `{}` |", rule.id.stem())), "{}", rule.id);
    }
    generated("rules", &text);
}
