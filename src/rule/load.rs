//! Rule files from disk and from the binary.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use include_dir::{Dir, include_dir};

use super::header;
use super::{Library, Rule, RuleSet, closest, page, table};
use crate::finding::{Problem, RuleId, Severity};
use crate::source::SourceFile;

static BUILT_IN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/rules");

/// A rule file larger than that is no rule file.
const MAX_RULE_FILE: u64 = 1 << 20;

/// Loads the rules of the binary, then those of each folder, which add to them or replace them, and
/// tables by name. What can't be used becomes a problem; the other rules go on.
pub fn load(folders: &[PathBuf], tables: &[(String, PathBuf)]) -> (RuleSet, Vec<Problem>) {
    let mut loader = Loader { set: RuleSet::default(), problems: Vec::new() };
    loader.embedded(&BUILT_IN);
    let mut seen = std::collections::BTreeSet::new();
    for folder in folders {
        // A folder that is named twice is read once.
        if seen.insert(folder.canonicalize().unwrap_or_else(|_| folder.clone())) {
            loader.folder(folder);
        }
    }
    for (name, path) in tables {
        let relative = Path::new("data").join(format!("{name}.yaml"));
        loader.read(path, &relative);
    }
    loader.finish()
}

struct Loader {
    set: RuleSet,
    problems: Vec<Problem>,
}

impl Loader {
    fn embedded(&mut self, dir: &Dir<'_>) {
        for file in dir.files() {
            if let Some(text) = file.contents_utf8() {
                self.file(&format!("rules/{}", file.path().display()), None, text, file.path(), true);
            }
        }
        for dir in dir.dirs() {
            self.embedded(dir);
        }
    }

    fn folder(&mut self, folder: &Path) {
        if !folder.is_dir() {
            self.problems.push(Problem::error(format!("rules folder \"{}\" is not there", folder.display())));
            return;
        }
        let is_hidden = |e: &walkdir::DirEntry| e.depth() > 0 && e.file_name().as_encoded_bytes().starts_with(b".");
        let entries = walkdir::WalkDir::new(folder).sort_by_file_name().max_depth(8).into_iter();
        let root = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
        for entry in entries.filter_entry(|e| !is_hidden(e)) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.problems.push(Problem::error(format!("rules folder: {error}")));
                    continue;
                }
            };
            let path = entry.path();
            // Links to files are read: Kubernetes mounts ConfigMaps so. Those to folders may go in circles.
            if entry.depth() > 0 && entry.path_is_symlink() && path.is_dir() {
                let name = path.display();
                let mut problem = Problem::error(format!("rules folder \"{name}\" is a link and is not read"));
                problem.severity = Severity::Warning;
                self.problems.push(problem.help(format!("name it: --rules {name}")));
            }
            // A link to elsewhere would have any file of the machine read, and its text told.
            let leads_out = |path: &Path| path.canonicalize().is_ok_and(|real| !real.starts_with(&root));
            if entry.path_is_symlink() && is_rule_or_table(path) && leads_out(path) {
                let name = path.display();
                self.problems
                    .push(Problem::error(format!("rule file \"{name}\" is a link that leads out of its folder")));
                continue;
            }
            // A link that leads nowhere is told by reading it; a pipe would be waited for.
            if is_rule_or_table(path) && (path.is_file() || !path.exists()) {
                let relative = path.strip_prefix(folder).unwrap_or(path).to_path_buf();
                self.read(path, &relative);
            }
        }
    }

    fn read(&mut self, path: &Path, relative: &Path) {
        let name = path.display().to_string().replace('\\', "/");
        if path.metadata().is_ok_and(|m| m.len() > MAX_RULE_FILE) {
            self.problems.push(Problem::error(format!("rule file \"{name}\" is larger than 1 MiB")));
            return;
        }
        match std::fs::read_to_string(path) {
            Ok(text) => self.file(&name, Some(path), &text, relative, false),
            Err(error) => self.problems.push(Problem::error(format!("rule file \"{name}\": {error}"))),
        }
    }

    /// `relative` decides what a file is: `lib/x.rhai`, `data/x.yaml`, `topic/id.rhai`, `id.rhai`.
    fn file(&mut self, name: &str, path: Option<&Path>, text: &str, relative: &Path, built_in: bool) {
        let stem = relative.file_stem().and_then(|s| s.to_str()).unwrap_or_default().to_string();
        let folder = relative.parent().and_then(|p| p.file_name()).and_then(|s| s.to_str()).unwrap_or("custom");
        let extension = relative.extension().and_then(|s| s.to_str()).unwrap_or_default();
        let file = Arc::new(SourceFile::new(name, path, text.strip_prefix('\u{feff}').unwrap_or(text)));
        match (folder, extension) {
            ("data", "yaml" | "yml") => match table::parse(&file.text) {
                Ok(table) => {
                    self.set.tables.insert(stem, table);
                }
                Err((line, reason)) => self.problems.push(at_line(&file, line, "table can't be used", reason)),
            },
            ("lib", "rhai") => self.set.libraries.push(Library { file }),
            (topic, "rhai") => match rule(RuleId::new(format!("{topic}/{stem}")), &file, built_in) {
                Ok(rule) => self.add(rule),
                Err(problem) => self.problems.push(*problem),
            },
            _ => {}
        }
    }

    fn add(&mut self, rule: Rule) {
        let twin = self.set.rules.iter().position(|r| r.id.stem() == rule.id.stem());
        let Some(twin) = twin else {
            self.set.rules.push(rule);
            return;
        };
        let other = &self.set.rules[twin];
        if other.built_in && !rule.built_in && other.id == rule.id && rule.header.overrides {
            self.set.rules[twin] = rule;
            return;
        }
        let message = format!("rule \"{}\" stands twice: {} and {}", rule.id, other.file.name, rule.file.name);
        let help = if other.built_in && other.id == rule.id {
            "to replace the built-in rule, write `overrides: true` into the header"
        } else {
            "the part after the slash is unique over all topics; rename one file"
        };
        self.problems.push(Problem::error(message).at(&rule.file, 0..0, "").help(help));
    }

    fn finish(mut self) -> (RuleSet, Vec<Problem>) {
        self.set.rules.sort_by(|a, b| a.id.cmp(&b.id));
        self.set.libraries.sort_by(|a, b| a.file.name.cmp(&b.file.name));
        (self.set, self.problems)
    }
}

fn is_rule_or_table(path: &Path) -> bool {
    let extension = path.extension().and_then(|s| s.to_str()).unwrap_or_default();
    let in_data = path.parent().and_then(|p| p.file_name()).is_some_and(|n| n == "data");
    extension == "rhai" || (in_data && matches!(extension, "yaml" | "yml"))
}

/// Splits a rule file into front matter, page and code, and checks what can be checked without
/// reading the code.
pub fn rule(id: RuleId, file: &Arc<SourceFile>, built_in: bool) -> Result<Rule, Box<Problem>> {
    let problem = |line: usize, message: &str, label: String| Box::new(at_line(file, line, message, label));
    let valid = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !valid(id.stem()) || !valid(id.topic()) {
        let label = format!("\"{id}\": topic and id are lower-case letters, digits and \"-\"");
        return Err(problem(0, "rule has no usable name", label));
    }
    let text = &file.text;
    let comment: Vec<&str> = text.lines().take_while(|l| l.starts_with("//!")).collect();
    let lines: Vec<&str> = comment.iter().map(|l| l.strip_prefix("//! ").unwrap_or(&l[3..])).collect();
    if lines.first().map(|l| l.trim()) != Some("---") {
        let label =
            "the file starts with a block of `//!` lines: `---`, the header as YAML, `---`, the page".to_string();
        return Err(problem(0, "rule has no header", label));
    }
    let Some(end) = lines[1..].iter().position(|l| l.trim() == "---").map(|n| n + 1) else {
        return Err(problem(0, "rule's header does not end", "a second `//! ---` is missing".to_string()));
    };
    let header = header::parse(&lines[1..end].join("\n"))
        .map_err(|(line, reason)| problem(line + 1, "rule's header can't be used", reason))?;
    let page = page::parse(&lines[end + 1..].join("\n"), end + 1);
    let missing = [
        (page.title.is_empty(), "a title: `//! # what is wrong`"),
        (page.why.is_empty(), "a first sentence that says why it hurts"),
    ];
    if let Some((_, what)) = missing.iter().find(|(missing, _)| *missing) {
        return Err(problem(end, "rule's page is incomplete", format!("it needs {what}")));
    }
    let body = text.lines().skip(comment.len()).collect::<Vec<_>>().join("\n");
    if header.native != body.trim().is_empty() {
        let label = if header.native {
            "a native rule has no code"
        } else {
            "the code is missing: `fn check(resource, mesh) { … }`"
        };
        return Err(problem(comment.len().saturating_sub(1), "rule's code does not fit its header", label.to_string()));
    }
    let code = "\n".repeat(comment.len()) + body.as_str();
    Ok(Rule { id, file: file.clone(), header, page, code, built_in })
}

fn at_line(file: &Arc<SourceFile>, line: usize, message: &str, label: String) -> Problem {
    let starts = file.line_starts();
    let start = starts.get(line).copied().unwrap_or(0) as usize;
    let text = file.text[start..].lines().next().unwrap_or("");
    let skip = text.len() - text.trim_start_matches("//!").trim_start().len();
    Problem::error(message).at(file, start + skip.min(text.len())..start + text.trim_end().len().max(skip), label)
}

/// What to do about a name that means no rule.
pub fn did_you_mean(set: &RuleSet, name: &str) -> String {
    match closest(name, set.names()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => "`plimsoll rules` lists them".to_string(),
    }
}
