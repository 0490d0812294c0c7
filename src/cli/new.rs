//! `plimsoll new rule`

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Status, complain, out};
use crate::example;
use crate::finding::{Problem, RuleId};
use crate::rule::{RuleSet, load};
use crate::run::Loaded;
use crate::script::check::needs_brackets;
use crate::source::{FileId, SourceFile};
use crate::yaml::parse::parse;
use crate::yaml::{Kind, Node};

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
    let text = rule(&bad_text, &good_text, bad.is_none() && good.is_none()).map_err(fail)?;
    let path = into.join(topic).join(format!("{stem}.rhai"));
    if path.exists() {
        return Err(fail(format!("{} is there already", path.display())));
    }
    std::fs::create_dir_all(into.join(topic)).map_err(|e| fail(format!("{}: {e}", into.display())))?;
    std::fs::write(&path, text).map_err(|e| fail(format!("{}: {e}", path.display())))?;
    Ok(path)
}

/// A rule that passes its own examples: it names the first thing in which they differ.
fn rule(bad: &str, good: &str, sample: bool) -> Result<String, String> {
    if bad.contains("```") || good.contains("```") {
        return Err("an example that holds ``` can't stand on a page".to_string());
    }
    let (bad_tree, good_tree) = (parse(FileId(0), bad.into()), parse(FileId(0), good.into()));
    for (tree, name) in [(&bad_tree, "bad"), (&good_tree, "good")] {
        if let Some(error) = tree.errors.first() {
            return Err(format!("the {name} example can't be read: {}", error.message));
        }
    }
    let bads: Vec<Node<'_>> = bad_tree.roots().flat_map(resources).collect();
    let first = bads.first().ok_or("the bad example holds no Kubernetes resource")?;
    let goods: Vec<Node<'_>> =
        good_tree.roots().flat_map(resources).filter(|good| kind(*good) == kind(*first)).collect();
    let mut tests = differences(*first, &goods);
    if sample {
        tests.insert(0, SAMPLE.to_string());
    }
    let params =
        if sample { "//! params:\n//!   least: { type: number, default: 2, help: fewest replicas }\n" } else { "" };
    let head = format!("//! ---\n//! severity: warning\n//! checks: {}\n{params}//! ---\n{PAGE}", kind(*first));
    let text = |bad: &str, test: &str| {
        let (bad, good) = (comment(bad), comment(good));
        format!(
            "{head}//! ## Bad\n//!\n//! ```yaml\n{bad}//! ```\n//!\n//! ## Good\n//!\n//! ```yaml\n{good}//! ```\n\n\
             fn check(resource, mesh) {{\n{test}}}\n"
        )
    };
    tests
        .iter()
        .filter_map(|test| Some(text(&marked(bad, &text(bad, test))?, test)))
        .find(|text| passes(text))
        .ok_or_else(|| format!("the examples do not differ in what they say of a {}", kind(*first)))
}

const PAGE: &str = "//! # what is wrong, in a few words\n//!\n//! What happens because of it, in one sentence.\n//!\n\
    //! How one notices it, and since when it is so.\n//!\n//! ## How to fix\n//!\n//! …\n//!\n";

const SAMPLE: &str = "    let replicas = resource.spec.replicas;
    if replicas < param(\"least\") {
        report(replicas, `\"${resource.name()}\" runs ${replicas} replica`)
            .help(`set replicas to ${param(\"least\")} or more`);
    }
";

/// A resource, or the items of a `List`.
fn resources(root: Node<'_>) -> Vec<Node<'_>> {
    let list = root.get("kind").and_then(Node::text).is_some_and(|kind| kind.ends_with("List"));
    let all = if list { root.get("items").into_iter().flat_map(Node::items).collect() } else { vec![root] };
    all.into_iter().filter(|resource| resource.get("kind").is_some()).collect()
}

/// The kind as a header writes it.
fn kind(resource: Node<'_>) -> String {
    let kind = resource.get("kind").and_then(Node::text).unwrap_or("Deployment");
    let api = resource.get("apiVersion").and_then(Node::text).unwrap_or("v1");
    let group = api.split_once('/').map_or("", |(group, _)| group);
    match crate::kinds::resolve(kind) {
        Some((usual, _)) if usual == group => kind.to_string(),
        _ if group.is_empty() => kind.to_string(),
        _ => format!("{kind}.{group}"),
    }
}

/// A step of a path: a key or an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step<'t> {
    Key(&'t str),
    Index(usize),
}

/// Tests that hold for the bad resource and for none of the good ones, the most telling first:
/// values that differ, keys that are missing, keys that are too much, and the name.
fn differences(bad: Node<'_>, goods: &[Node<'_>]) -> Vec<String> {
    let mut tests: Vec<(u8, String)> = Vec::new();
    for (path, node) in scalars(bad) {
        let Some(text) = node.text() else { continue };
        let there: Vec<_> = goods.iter().filter_map(|good| at(*good, &path)).collect();
        if there.iter().any(|good| good.text() == Some(text)) || node.is_null() || node.is_unknown() {
            continue;
        }
        let rank = match path.as_slice() {
            [Step::Key("metadata"), Step::Key("name")] => 3,
            [_] | [Step::Key("metadata"), _] => 4,
            _ if goods.is_empty() => 5,
            _ => {
                if there.is_empty() {
                    2
                } else {
                    0
                }
            }
        };
        tests.push((rank, test(&path, &format!("== {}", quoted(text)))));
    }
    for (path, _) in goods.first().into_iter().flat_map(|good| scalars(*good)) {
        // The topmost key that the bad resource lacks.
        let length = (1..=path.len()).find(|n| at(bad, &path[..*n]).is_none());
        let Some(path) = length.map(|n| &path[..n]) else { continue };
        if matches!(path.last(), Some(Step::Key(_))) && goods.iter().all(|good| at(*good, path).is_some()) {
            tests.push((1, test(path, ".missing()")));
        }
    }
    tests.sort_by_key(|(rank, _)| *rank);
    tests.dedup();
    tests.into_iter().map(|(_, test)| test).take(50).collect()
}

/// The scalars of a resource that take one line, in order.
fn scalars(root: Node<'_>) -> Vec<(Vec<Step<'_>>, Node<'_>)> {
    let mut found = Vec::new();
    let mut open = vec![(Vec::new(), root)];
    while let Some((path, node)) = open.pop() {
        let below = |step| path.iter().copied().chain([step]).collect::<Vec<_>>();
        let mut children = Vec::new();
        match node.kind() {
            _ if node.is_alias() || path.len() > 32 => {}
            Kind::Map => {
                children.extend(node.entries().filter_map(|(key, value)| Some((below(Step::Key(key.text()?)), value))));
            }
            Kind::Seq => children.extend(node.items().enumerate().map(|(i, item)| (below(Step::Index(i)), item))),
            _ if node.is_block_scalar() => {}
            _ => found.push((path, node)),
        }
        open.extend(children.into_iter().rev());
    }
    found
}

fn at<'t>(root: Node<'t>, path: &[Step<'_>]) -> Option<Node<'t>> {
    path.iter().try_fold(root, |node, step| match step {
        Step::Key(key) => node.get(key),
        Step::Index(index) => node.items().nth(*index),
    })
}

/// The body of a rule that reports the value at a path.
fn test(path: &[Step<'_>], holds: &str) -> String {
    let value: String = path
        .iter()
        .map(|step| match step {
            Step::Index(index) => format!("[{index}]"),
            Step::Key(key) => {
                let plain = key.starts_with(|c: char| c.is_ascii_alphabetic())
                    && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
                    && !needs_brackets(key);
                if plain { format!(".{key}") } else { format!("[{}]", quoted(key)) }
            }
        })
        .collect();
    let space = if holds.starts_with('.') { "" } else { " " };
    format!(
        "    // Say what is wrong, not what is fine.
    let value = resource{value};
    if value{space}{holds} {{
        report(value, `${{resource.kind()}} \"${{resource.name()}}\" …`)
            .help(\"…\");
    }}
"
    )
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t"))
}

fn comment(text: &str) -> String {
    text.trim_end().lines().map(|l| format!("//! {l}").trim_end().to_string() + "\n").collect()
}

/// The example with `# finding:` markers where the rule reports; nothing if it reports nothing.
fn marked(bad: &str, rule: &str) -> Option<String> {
    let loaded = loaded(rule)?;
    let rule = &loaded.set.rules[0];
    let example = rule.page.examples.first()?;
    let sources = example.sources();
    let outcome = example::outcome(&loaded, rule, example, &sources).ok()?;
    let lines: BTreeSet<usize> = outcome
        .findings
        .iter()
        .map(|f| sources.file(f.primary.span.file).line_col(f.primary.span.start).line)
        .collect();
    let message = if rule.code.contains(" …") { "…" } else { "replica" };
    let mark = |(i, line): (usize, &str)| {
        let marker = if lines.contains(&(i + 1)) { format!("    # finding: {message}") } else { String::new() };
        format!("{}{marker}\n", line.trim_end())
    };
    (!lines.is_empty()).then(|| bad.lines().enumerate().map(mark).collect())
}

fn passes(rule: &str) -> bool {
    loaded(rule).is_some_and(|loaded| {
        example::test(&loaded, &loaded.set.rules[0]).iter().all(|result| result.failures.is_empty())
    })
}

/// One rule alone, if it can be used.
fn loaded(text: &str) -> Option<Loaded> {
    let file = Arc::new(SourceFile::new("new.rhai", None, text));
    let rule = load::rule(RuleId::new("new/rule"), &file, false).ok()?;
    let loaded = Loaded::new(RuleSet { rules: vec![rule], ..RuleSet::default() }, Vec::new());
    loaded.problems.is_empty().then_some(loaded)
}
