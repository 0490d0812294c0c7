//! Fixes of findings, applied to texts: in memory until nothing changes, then written once.

mod text;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

pub use text::{create, diff, write};

use crate::finding::{Edit, Finding, Fix, RuleId};
use crate::source::{FileId, SourceFile, Sources, Span};
use crate::yaml::parse;

/// Rounds after which fixes that undo each other are left alone.
const ROUNDS: usize = 10;

/// What a round of fixes comes to.
#[derive(Debug, Default)]
pub struct Applied {
    /// The texts that change, in order.
    pub files: Vec<(FileId, String)>,
    /// Fixes that were applied; equal ones count once.
    pub applied: usize,
    /// Fixes that were not.
    pub conflicts: Vec<Conflict>,
}

/// A fix that was not applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The rule of its finding.
    pub rule: RuleId,
    /// Where its first edit would be, in the text before the round.
    pub span: Span,
    /// What it would do.
    pub title: String,
    /// Why it was not applied.
    pub cause: Cause,
}

/// Why a fix was not applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It touches what an earlier fix changes, or its own edits overlap.
    Overlap,
    /// A file could not be read any more; all fixes of that file are dropped.
    Breaks,
}

/// Applies the first fix of each finding that may be applied: a safe one, or any with
/// `unsafe_too`. Where two overlap, the first in canonical order wins. All edits of a fix are made,
/// or none.
pub fn apply(sources: &Sources, findings: &[Finding], unsafe_too: bool) -> Applied {
    let chosen = choose(sources, findings, unsafe_too);
    let mut breaking: HashSet<usize> = HashSet::new();
    loop {
        let mut applied = Applied::default();
        let mut files: BTreeMap<FileId, Planned> = BTreeMap::new();
        for (number, (conflict, edits)) in chosen.iter().enumerate() {
            let free = |edit: &Edit| files.get(&edit.span.file).is_none_or(|planned| planned.has_room(edit));
            let cause = if breaking.contains(&number) {
                Some(Cause::Breaks)
            } else if edits.is_empty() || !edits.iter().all(free) {
                Some(Cause::Overlap)
            } else {
                None
            };
            if let Some(cause) = cause {
                applied.conflicts.push(Conflict { cause, ..conflict.clone() });
                continue;
            }
            let mut is_new = false;
            for edit in edits {
                is_new |= files.entry(edit.span.file).or_default().add(edit, number);
            }
            applied.applied += usize::from(is_new);
        }
        let mut broken = Vec::new();
        for (id, planned) in files {
            let old = &sources.file(id).text;
            let new = planned.write(old);
            if errors(id, &new) > errors(id, old) {
                broken.extend(planned.fixes);
            } else if new != **old {
                applied.files.push((id, new));
            }
        }
        if broken.is_empty() {
            return applied;
        }
        // Their parts in other files must not be made either.
        breaking.extend(broken);
    }
}

/// The fix of each finding that may be applied, in canonical order, with its edits in order of
/// place; none of them if they can't be made together.
fn choose(sources: &Sources, findings: &[Finding], unsafe_too: bool) -> Vec<(Conflict, Vec<Edit>)> {
    let mut order: Vec<&Finding> = findings.iter().filter(|f| !f.fixes.is_empty()).collect();
    order.sort_by(|a, b| {
        let place = |f: &Finding| (f.primary.span.file, f.primary.span.start);
        (place(a), &a.rule, &a.message).cmp(&(place(b), &b.rule, &b.message))
    });
    let mut writable: HashMap<FileId, bool> = HashMap::new();
    let mut may_edit = |edit: &Edit| {
        let file = edit.span.file;
        *writable.entry(file).or_insert_with(|| is_writable(sources.file(file)))
    };
    let mut chosen = Vec::new();
    for finding in order {
        let mut usable = |fix: &&Fix| (fix.safe || unsafe_too) && fix.edits.iter().all(&mut may_edit);
        let Some(fix) = finding.fixes.iter().find(&mut usable) else {
            continue;
        };
        let Some(first) = fix.edits.first() else {
            continue;
        };
        let fits = |edit: &Edit| sources.file(edit.span.file).text.get(edit.span.range()).is_some();
        let mut edits = normal_form(fix).filter(|edits| edits.iter().all(fits)).unwrap_or_default();
        if !edits.is_empty() {
            edits.retain(|edit| sources.slice(edit.span) != edit.text);
            if edits.is_empty() {
                continue;
            }
        }
        let conflict =
            Conflict { rule: finding.rule.clone(), span: first.span, title: fix.title.clone(), cause: Cause::Overlap };
        chosen.push((conflict, edits));
    }
    chosen
}

/// How a series of rounds ended.
#[derive(Debug)]
pub struct Converged {
    /// All texts, with the fixes.
    pub sources: Sources,
    /// What still holds.
    pub findings: Vec<Finding>,
    /// The files that are to be written.
    pub changed: Vec<FileId>,
    /// Fixes that were applied, over all rounds.
    pub applied: usize,
    /// Fixes of the last round that were not.
    pub conflicts: Vec<Conflict>,
    /// Whether the last round changed nothing; otherwise fixes undo each other.
    pub settled: bool,
}

/// Checks and applies until nothing changes, at most ten times. Nothing is written.
pub fn converge(sources: Sources, unsafe_too: bool, mut check: impl FnMut(&Sources) -> Vec<Finding>) -> Converged {
    let findings = check(&sources);
    let (changed, conflicts) = (Vec::new(), Vec::new());
    let mut state = Converged { sources, findings, changed, applied: 0, conflicts, settled: false };
    for _ in 0..ROUNDS {
        let round = apply(&state.sources, &state.findings, unsafe_too);
        state.conflicts = round.conflicts;
        state.applied += round.applied;
        if round.files.is_empty() {
            state.settled = true;
            break;
        }
        state.changed.extend(round.files.iter().map(|(id, _)| *id));
        state.sources = replaced(&state.sources, round.files);
        state.findings = check(&state.sources);
    }
    state.changed.sort();
    state.changed.dedup();
    state
}

/// Applies once what one set of findings says, and checks what became of it. Nothing is written.
pub fn once(sources: Sources, findings: &[Finding], mut check: impl FnMut(&Sources) -> Vec<Finding>) -> Converged {
    let round = apply(&sources, findings, false);
    let changed = round.files.iter().map(|(id, _)| *id).collect();
    let sources = replaced(&sources, round.files);
    let findings = check(&sources);
    Converged { sources, findings, changed, applied: round.applied, conflicts: round.conflicts, settled: true }
}

/// The same files in the same order, some with another text.
fn replaced(sources: &Sources, files: Vec<(FileId, String)>) -> Sources {
    let mut new: HashMap<FileId, String> = files.into_iter().collect();
    let file = |(id, file): (FileId, &SourceFile)| {
        file.with_text(new.remove(&id).map_or_else(|| file.text.clone(), Arc::from))
    };
    Sources::new(sources.iter().map(file).collect())
}

/// Whether a file is the place to edit: no standard input, nothing that a tool wrote and would write
/// again, nothing that SOPS signed.
pub fn is_writable(file: &SourceFile) -> bool {
    file.path.is_some() && !file.text.lines().any(is_mark_of_a_tool)
}

fn is_mark_of_a_tool(line: &str) -> bool {
    let content = line.trim_start_matches(['\u{feff}', ' ', '\t']);
    let key = |name: &str| {
        let rest = content.strip_prefix('"').map_or(content, |quoted| quoted);
        let rest = rest.strip_prefix(name)?;
        rest.strip_prefix('"').unwrap_or(rest).trim_start().strip_prefix(':')
    };
    let is_uuid = |text: &str| {
        let text = text.trim().trim_end_matches(',').trim_matches(['"', '\'']);
        text.len() == 36 && text.bytes().filter(|b| *b == b'-').count() == 4
    };
    line.starts_with("# Source: ")
        || key("sops").is_some_and(|_| line.starts_with("sops") || content.starts_with('"'))
        || key("config.kubernetes.io/origin").is_some()
        || key("uid").is_some_and(is_uuid)
}

/// A fix's edits in order of place, equal ones once, insertions at one place joined; nothing if they
/// overlap.
fn normal_form(fix: &Fix) -> Option<Vec<Edit>> {
    let mut edits = fix.edits.clone();
    edits.sort_by_key(|e| e.span);
    let mut normal: Vec<Edit> = Vec::new();
    for edit in edits {
        match normal.last_mut() {
            Some(last) if *last == edit => {}
            Some(last) if last.span == edit.span && last.span.range().is_empty() => last.text.push_str(&edit.text),
            Some(last) if overlap(last.span, edit.span) => return None,
            _ => normal.push(edit),
        }
    }
    Some(normal)
}

/// Whether two edits can't both be made. What only touches can; two insertions at one place can't,
/// since either could be meant to come first.
fn overlap(a: Span, b: Span) -> bool {
    a.file == b.file && (a == b || (a.start < b.end && b.start < a.end))
}

/// The edits of one file, which never overlap, and the numbers of their fixes.
#[derive(Debug, Default)]
struct Planned {
    edits: BTreeMap<(u32, u32), Edit>,
    fixes: Vec<usize>,
}

impl Planned {
    /// Whether an edit overlaps none of those that are planned, or is one of them.
    fn has_room(&self, edit: &Edit) -> bool {
        let key = (edit.span.start, edit.span.end);
        if let Some(planned) = self.edits.get(&key) {
            return planned == edit;
        }
        let before = self.edits.range(..key).next_back();
        let after = self.edits.range(key..).next();
        !before.into_iter().chain(after).any(|(_, planned)| overlap(planned.span, edit.span))
    }

    /// Plans an edit; false if it is planned already.
    fn add(&mut self, edit: &Edit, fix: usize) -> bool {
        self.fixes.push(fix);
        self.edits.insert((edit.span.start, edit.span.end), edit.clone()).is_none()
    }

    fn write(&self, old: &str) -> String {
        let mut new = String::with_capacity(old.len());
        let mut from = 0;
        for edit in self.edits.values() {
            let range = edit.span.range();
            new.push_str(old.get(from..range.start).unwrap_or(""));
            new.push_str(&edit.text);
            from = range.end;
        }
        new.push_str(old.get(from..).unwrap_or(""));
        new
    }
}

fn errors(id: FileId, text: &str) -> usize {
    parse::parse(id, Arc::from(text)).errors.len()
}

#[cfg(test)]
mod tests;
