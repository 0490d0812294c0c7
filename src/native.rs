//! Findings that Rust makes: about the input itself rather than about the mesh.

use std::sync::Arc;

use crate::finding::{Finding, Label, Place, RuleId, Severity};
use crate::mesh::Mesh;
use crate::resource::{Copy, ResourceId};
use crate::rule::RuleSet;
use crate::run::fingerprint;
use crate::source::{FileId, SourceFile, Span};
use crate::yaml::{Error, ErrorKind};

/// Text that is no YAML.
pub const INVALID: &str = "yaml/invalid";
/// A key that stands twice in a map.
pub const DUPLICATE_KEY: &str = "yaml/duplicate-key";
/// A value that a rule needed and that can't be read as what it has to be.
pub const UNREADABLE_VALUE: &str = "yaml/unreadable-value";
/// Differing copies of one resource.
pub const ALTERNATIVES: &str = "input/alternatives";
/// A file that can't be read.
pub const UNREADABLE_FILE: &str = "input/unreadable-file";

/// A finding under a native rule's id; its page says why it hurts.
pub fn finding(set: &RuleSet, rule: &str, span: Span, message: String) -> Finding {
    let page = set.rules.iter().find(|r| r.id.as_str() == rule);
    let severity = page.map_or(Severity::Error, |r| r.header.severity);
    Finding {
        aliases: page.map_or_else(|| Arc::from([]), |r| r.header.aka.clone().into()),
        why: page.map_or(String::new(), |r| r.page.why.clone()),
        fingerprint: fingerprint(rule, None, &message),
        ..Finding::new(RuleId::new(rule), severity, span, message)
    }
}

/// A file that could not be read; nothing for one that could.
pub fn unreadable_file(set: &RuleSet, id: FileId, file: &SourceFile) -> Option<Finding> {
    let reason = file.unreadable.as_ref()?;
    Some(finding(set, UNREADABLE_FILE, Span::new(id, 0, 0), format!("file can't be read: {reason}")))
}

/// An error of a text, as a finding.
pub fn yaml_error(set: &RuleSet, error: &Error) -> Finding {
    let rule = if matches!(error.kind, ErrorKind::DuplicateKey(_)) { DUPLICATE_KEY } else { INVALID };
    let message = match error.kind {
        ErrorKind::DuplicateKey(_) => error.message.clone(),
        _ => format!("document can't be read: {}", error.message),
    };
    let mut found = finding(set, rule, error.span, message);
    let label = |span, message: &str| Label {
        place: Place { span, yaml_path: String::new(), template: None },
        message: message.to_string(),
    };
    match error.kind {
        ErrorKind::DuplicateKey(first) => {
            found.labels.push(label(error.span, "the second; its value wins"));
            found.labels.push(label(first, "the first"));
            found.help.push("remove one of them".to_string());
        }
        ErrorKind::Limit => {
            found.help.push("make the document smaller; a cluster would not take it either".to_string())
        }
        _ => found.help.push("mend it; until then this document is not checked".to_string()),
    }
    found
}

/// Values that a rule needed and could not read.
pub fn unreadable_value(mesh: &Mesh, set: &RuleSet, place: crate::yaml::Place, wanted: &str) -> Finding {
    let node = mesh.trees.node(place);
    let text = node.text().filter(|t| !node.is_secret() && t.len() <= 60);
    let what = text.map_or("this text".to_string(), |text| format!("\"{text}\""));
    let article = if wanted == "number" { "a number" } else { wanted };
    let article =
        if article.starts_with("a ") || article.contains(" or ") { article.to_string() } else { format!("a {wanted}") };
    let mut found = finding(set, UNREADABLE_VALUE, node.place(), format!("{what} is not {article}"));
    let place = mesh.trees.written(place);
    if let Some(id) = mesh.owner(place) {
        let resource = mesh.resource(id);
        found.primary.yaml_path = mesh.trees.path(place, resource.root);
        found.primary.template = resource.template.as_deref().map(str::to_string);
        found.resource = Some(resource.reference());
        found.fingerprint =
            fingerprint(UNREADABLE_VALUE, found.resource.as_ref(), &mesh.trees.named_path(place, resource.root));
    }
    let example = match wanted {
        "quantity" => "write it as 128Mi, 2Gi or 500m",
        "duration" => "write it as 10s or 1h30m",
        "version" => "write it as 1.30.2",
        _ => "the rules that need it stay silent until it can be read",
    };
    found.help.push(example.to_string());
    found
}

/// A NetworkPolicy that the API server refuses: it isolates nothing, and no rule counts on it.
pub fn refused_policy(mesh: &Mesh, set: &RuleSet, refused: &crate::mesh::reach::Refused) -> Finding {
    let resource = mesh.resource(refused.resource);
    let message = format!("policy \"{}\" is refused by the API server: {}", resource.name, refused.reason);
    let mut found = finding(set, UNREADABLE_VALUE, mesh.trees.node(refused.place).place(), message);
    found.primary.yaml_path = mesh.trees.path(refused.place, resource.root);
    found.primary.template = resource.template.as_deref().map(str::to_string);
    found.resource = Some(resource.reference());
    found.fingerprint =
        fingerprint(UNREADABLE_VALUE, found.resource.as_ref(), &mesh.trees.named_path(refused.place, resource.root));
    found.help.push("mend it: a policy that is refused isolates nothing".to_string());
    found
}

/// So many of many are named.
const NAMED: usize = 5;

/// One finding for each folder that holds differing copies of resources.
pub fn alternatives(mesh: &Mesh, set: &RuleSet, folder_of: impl Fn(ResourceId) -> String) -> Vec<Finding> {
    let mut folders: std::collections::BTreeMap<String, Vec<ResourceId>> = std::collections::BTreeMap::new();
    for (i, resource) in mesh.resources.iter().enumerate() {
        let id = ResourceId(i as u32);
        if resource.copy == Copy::Alternative && mesh.counts(id) {
            folders.entry(folder_of(id)).or_default().push(id);
        }
    }
    folders
        .into_iter()
        .filter_map(|(folder, ids)| {
            let name = |id: &ResourceId| mesh.at(*id, &["metadata", "name"]);
            let first = name(ids.first()?)?;
            let resource = mesh.resource(ids[0]);
            let others = mesh.copies(resource).get(1).and_then(name);
            let what = match ids.len() {
                1 => format!("{} \"{}\" stands in differing copies", resource.kind, resource.name),
                n => {
                    let named = ids.iter().take(NAMED).map(|id| mesh.resource(*id));
                    let names: Vec<String> = named.map(|r| format!("{} \"{}\"", r.kind, r.name)).collect();
                    let which = if n > NAMED { "among them " } else { "" };
                    format!("{n} resources stand in differing copies ({which}{})", names.join(", "))
                }
            };
            let folder = if folder.is_empty() { String::new() } else { format!(" in folder \"{folder}\"") };
            let mut found = finding(set, ALTERNATIVES, mesh.trees.node(first).place(), what + folder.as_str());
            found.severity = Severity::Info;
            found.resource = Some(resource.reference());
            found.fingerprint = fingerprint(ALTERNATIVES, found.resource.as_ref(), "metadata.name");
            found.primary.yaml_path = "metadata.name".to_string();
            if let Some(other) = others {
                let place = Place {
                    span: mesh.trees.node(other).place(),
                    yaml_path: "metadata.name".to_string(),
                    template: None,
                };
                found.labels.push(Label { place, message: "another copy".to_string() });
            }
            found
                .help
                .push("check the files that are applied together, one copy of each resource at a time".to_string());
            Some(found)
        })
        .collect()
}
