//! The commented configuration that `plimsoll init` writes.

use std::collections::BTreeMap;
use std::path::Path;

use super::relative;
use crate::layout::{Layout, path};
use crate::source::{SourceFile, Sources};

/// A configuration for what was found below `root`: clusters as the folders suggest them, and every
/// other key as a comment.
pub fn text(layout: &Layout, sources: &Sources, root: &Path) -> String {
    let mut text = String::from(
        "# What plimsoll can't read in the manifests. Paths and patterns are relative to this file.\n\
         # `plimsoll config schema` prints the JSON Schema, `plimsoll clusters` what goes where.\n\n",
    );
    text += &clusters(layout, sources, root);
    text += &charts(sources, root);
    text += r#"
# What the manifests do not say, for all clusters.
# assume:
#   istio: "1.30"
#   kubernetes: "1.34"
#   injection: sidecar         # where labels do not say: sidecar, ambient, none
#   platform: gke
#   cni: cilium

# Kinds of which everything is in this repository: what is not there does not exist.
# complete: [Service, NetworkPolicy]

# What exists elsewhere.
# externals:
# - Service/payments/api
# - Gateway/istio-ingress/*
# - host/*.internal.example

# Rules of your own, and how grave or how strict rules are.
# rules: [policies]
# severity:
#   sizing: info               # a topic, a rule or an alias; `off` switches off
# params:
#   proxy-memory-limit-too-low: { least: 256Mi }
# overrides:
# - match: { paths: [legacy], namespace: shop }
#   severity: { traffic: info }

# Findings that are meant to be there; `plimsoll baseline` lists those that were there before.
# ignore:
# - rules: [app-uses-reserved-port]
#   resources: [Deployment/shop/cart]        # and / or `paths: [legacy]`
#   reason: the port is closed before the proxy starts
#   until: 2027-01-31

# What is not checked.
# exclude: ["**/testdata/**"]
"#;
    text
}

fn clusters(layout: &Layout, sources: &Sources, root: &Path) -> String {
    const EXAMPLE: &str = "# Manifests of one cluster are judged together, and never with those of another.\n";
    if layout.clusters.len() < 2 {
        return format!(
            "{EXAMPLE}# clusters:\n#   prod-eu: {{ files: [envs/prod/eu], assume: {{ environment: prod }} }}\n#   \
             staging: {{ files: [envs/staging], assume: {{ environment: staging }} }}\n# shared: [base]\n"
        );
    }
    let mut own: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let mut shared = Vec::new();
    for assigned in &layout.files {
        let file = sources.file(assigned.file);
        let name = file.path.as_ref().map_or_else(|| file.name.clone(), |path| relative(root, path));
        match assigned.clusters.as_slice() {
            [only] => own.entry(*only).or_default().push(name),
            _ => shared.push(name),
        }
    }
    let mut text = format!("{EXAMPLE}# Guessed: these folders declare mostly the same resources.\nclusters:\n");
    for (number, cluster) in layout.clusters.iter().enumerate() {
        let other: Vec<&String> =
            own.iter().filter(|(n, _)| **n != number).flat_map(|(_, f)| f).chain(&shared).collect();
        let files = own.get(&number).map_or(&[][..], Vec::as_slice);
        text += &format!("  {}:\n    files: {}\n", quoted(&cluster.name), list(&patterns(files, &other)));
        text += "    # assume: { environment: staging }   # production where nothing is said\n";
    }
    if !shared.is_empty() {
        let owned: Vec<&String> = own.values().flatten().collect();
        text += &format!("shared: {}\n", list(&patterns(&shared, &owned)));
    }
    text
}

/// Charts with the values files beside them, as a comment: rendering runs another program.
fn charts(sources: &Sources, root: &Path) -> String {
    let named = |file: &SourceFile| file.path.as_ref().map_or_else(|| file.name.clone(), |path| relative(root, path));
    let files: Vec<String> = sources.iter().map(|(_, file)| named(file)).collect();
    let mut text = String::from("\n# Charts that helm renders; each set of values files is a cluster.\n# charts:\n");
    let folders = files.iter().filter_map(|file| file.strip_suffix("/Chart.yaml"));
    let folders: Vec<&str> = folders.filter(|folder| !folder.contains("/charts/")).collect();
    for folder in folders.iter().take(10) {
        text += &format!("# - path: {}\n", quoted(folder));
        let beside = files.iter().filter_map(|file| {
            let name = file.strip_prefix(folder)?.strip_prefix('/')?.strip_suffix(".yaml")?;
            let set = name
                .strip_prefix("values-")
                .or_else(|| name.strip_prefix("values."))
                .or(name.strip_suffix("-values"))?;
            Some(format!("{}: {}", quoted(set), list(std::slice::from_ref(file))))
        });
        let sets: Vec<String> = beside.collect();
        if !sets.is_empty() {
            text += &format!("#   values: {{ {} }}\n", sets.join(", "));
        }
    }
    if folders.is_empty() {
        text += "# - path: charts/shop\n#   namespace: shop\n#   values: { prod: [charts/shop/values-prod.yaml] }\n";
    }
    text + "# render: true               # overlays and other charts, too\n"
}

/// The topmost folders that hold these files and none of the others; files where there is no such folder.
fn patterns(files: &[String], others: &[&String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for file in files {
        if found
            .iter()
            .any(|folder| escaped(file).strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/')))
        {
            continue;
        }
        let mut best = file.as_str();
        let mut folder = path::folder(file);
        while !folder.is_empty() && !others.iter().any(|o| o.strip_prefix(folder).is_some_and(|r| r.starts_with('/'))) {
            best = folder;
            folder = path::folder(folder);
        }
        found.push(escaped(best));
    }
    found.sort();
    found.dedup();
    found
}

/// A path as a pattern that means it.
fn escaped(path: &str) -> String {
    path.chars().map(|c| if "*?[]{}\\".contains(c) { format!("\\{c}") } else { c.to_string() }).collect()
}

fn quoted(text: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'/' | b'.');
    let starts_well = text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
    let is_word = !matches!(text, "yes" | "no" | "on" | "off" | "true" | "false" | "null" | "y" | "n");
    if starts_well && is_word && text.bytes().all(is_plain) {
        text.to_string()
    } else {
        serde_json::to_string(text).unwrap_or_default()
    }
}

fn list(items: &[String]) -> String {
    format!("[{}]", items.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", "))
}
