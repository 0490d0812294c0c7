//! `plimsoll new rule`

use std::path::{Path, PathBuf};

use super::{Status, complain, out};
use crate::finding::Problem;
use crate::source::FileId;
use crate::yaml::parse::parse;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Write a rule file that works, around YAML of yours
    Rule {
        /// topic/id, such as sizes/limit-missing
        #[arg(value_name = "TOPIC/ID")]
        id: String,
        /// A manifest that the rule is to find something in
        #[arg(long, value_name = "FILE")]
        bad: Option<PathBuf>,
        /// A manifest that is fine
        #[arg(long, value_name = "FILE")]
        good: Option<PathBuf>,
        /// The rules folder
        #[arg(long, default_value = "rules", value_name = "DIR")]
        into: PathBuf,
    },
}

const BAD: &str =
    "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: cart\n  namespace: shop\nspec:\n  replicas: 1\n";
const GOOD: &str =
    "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: cart\n  namespace: shop\nspec:\n  replicas: 3\n";

pub(super) fn run(arguments: &Arguments) -> Status {
    let What::Rule { id, bad, good, into } = &arguments.what;
    match write(id, bad.as_deref(), good.as_deref(), into) {
        Ok(path) => {
            out(&format!("{}\n\nplimsoll test {}   runs its examples\n", path.display(), into.display()));
            Status::Clean
        }
        Err(problem) => complain(&[*problem]),
    }
}

fn write(id: &str, bad: Option<&Path>, good: Option<&Path>, into: &Path) -> Result<PathBuf, Box<Problem>> {
    let fail = |message: String| Box::new(Problem::error(message));
    let word = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let Some((topic, stem)) = id.split_once('/').filter(|(topic, stem)| word(topic) && word(stem)) else {
        return Err(fail(format!("\"{id}\" is no rule: write topic/id in lower-case letters, digits and \"-\"")));
    };
    let read = |path: Option<&Path>, default: &str| match path {
        None => Ok(default.to_string()),
        Some(path) => std::fs::read_to_string(path).map_err(|e| fail(format!("{}: {e}", path.display()))),
    };
    let (bad_text, good_text) = (read(bad, BAD)?, read(good, GOOD)?);
    let text = rule(&bad_text, &good_text, bad.is_none()).map_err(|e| fail(e.to_string()))?;
    let path = into.join(topic).join(format!("{stem}.rhai"));
    if path.exists() {
        return Err(fail(format!("{} is there already", path.display())));
    }
    std::fs::create_dir_all(into.join(topic)).map_err(|e| fail(format!("{}: {e}", into.display())))?;
    std::fs::write(&path, text).map_err(|e| fail(format!("{}: {e}", path.display())))?;
    Ok(path)
}

/// A rule that passes its own examples: it says something about the first resource of the bad one.
fn rule(bad: &str, good: &str, sample: bool) -> Result<String, &'static str> {
    let tree = parse(FileId(0), bad.into());
    let root = tree.roots().find(|r| r.get("kind").is_some()).ok_or("the bad example holds no Kubernetes resource")?;
    let kind = root.get("kind").and_then(crate::yaml::Node::text).unwrap_or("Deployment");
    let api = root.get("apiVersion").and_then(crate::yaml::Node::text).unwrap_or("v1");
    let group = api.split_once('/').map_or("", |(group, _)| group);
    let kind = match crate::kinds::resolve(kind) {
        Some((usual, _)) if usual == group => kind.to_string(),
        _ if group.is_empty() => kind.to_string(),
        _ => format!("{kind}.{group}"),
    };
    let (place, message, test) = if sample {
        (
            "resource.spec.replicas",
            "${resource.name()} runs ${replicas} replica",
            "    let replicas = resource.spec.replicas;\n    if replicas < param(\"least\") {\n        report(replicas, `MESSAGE`)\n            .help(`set replicas to ${param(\"least\")} or more`);\n    }\n",
        )
    } else {
        (
            "resource",
            "MESSAGE",
            "    // Say what is wrong, not what is fine.\n    if resource.name() == \"NAME\" {\n        report(resource, `${resource.kind()} \"${resource.name()}\" …`)\n            .help(\"…\");\n    }\n",
        )
    };
    let _ = place;
    let name = root.at(&["metadata", "name"]).and_then(crate::yaml::Node::text).unwrap_or("");
    let test = test.replace("MESSAGE", message).replace("NAME", name);
    let marked = mark(bad, &tree, root, sample);
    let block = |text: &str| {
        text.trim_end().lines().map(|l| format!("//! {l}").trim_end().to_string() + "\n").collect::<String>()
    };
    let params =
        if sample { "//! params:\n//!   least: { type: number, default: 2, help: fewest replicas }\n" } else { "" };
    Ok(format!(
        "//! ---\n//! severity: warning\n//! checks: {kind}\n{params}//! ---\n//! # what is wrong, in a few words\n//!\n//! What happens because of it, in one sentence.\n//!\n//! How one notices it, and since when it is so.\n//!\n//! ## How to fix\n//!\n//! …\n//!\n//! ## Bad\n//!\n//! ```yaml\n{}//! ```\n//!\n//! ## Good\n//!\n//! ```yaml\n{}//! ```\n\nfn check(resource, mesh) {{\n{test}}}\n",
        block(&marked),
        block(good),
    ))
}

/// Puts a `# finding:` marker on the line that the rule reports.
fn mark(text: &str, tree: &crate::yaml::Tree, root: crate::yaml::Node<'_>, sample: bool) -> String {
    let place = if sample { root.at(&["spec", "replicas"]).unwrap_or(root).place() } else { root.place() };
    let _ = tree;
    let end = text[place.end as usize..].find('\n').map_or(text.len(), |n| place.end as usize + n);
    let message = if sample { "replica" } else { "…" };
    format!("{}  # finding: {message}{}", text[..end].trim_end(), &text[end..])
}
