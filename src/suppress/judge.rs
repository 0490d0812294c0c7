//! Whether suppressions are of use: what is said about those that are not.

use std::collections::{HashMap, HashSet};

use super::{Covers, Mistake, Name, Outcome, Removal, Removals, Said, Scene, Source, Suppression};
use crate::finding::{Edit, Finding, Fix, Label, Place, RuleId, Severity};
use crate::resource::pattern::ResourcePattern;
use crate::source::Span;
use crate::spelling::closest;
use crate::yaml::edit::remove;

/// One that can't be read or does not hold.
const INVALID: &str = "suppression/malformed";
/// One that is not needed.
pub const UNUSED: &str = "suppression/unused";

/// Judges all suppressions; `used` tells for each which of its names have matched a finding.
pub(super) fn judge(suppressions: &[Suppression<'_>], used: &[Vec<bool>], scene: &Scene<'_>, outcome: &mut Outcome) {
    let mut judge = Judge::new(suppressions, scene);
    let mut stale = Vec::new();
    for (suppression, used) in suppressions.iter().zip(used) {
        match &suppression.covers {
            Covers::Fingerprint(fingerprint, _) if !used[0] => stale.push((fingerprint, suppression.place)),
            Covers::Fingerprint(..) => {}
            _ => judge.one(suppression, used),
        }
    }
    outcome.extra = judge.found;
    outcome.stale = stale.iter().map(|(fingerprint, _)| (*fingerprint).clone()).collect();
    if let Some((_, place)) = stale.first().filter(|_| scene.all_rules && scene.whole_baseline) {
        let message = match stale.len() {
            1 => "an entry of the baseline matches nothing any more".to_string(),
            n => format!("{n} entries of the baseline match nothing any more"),
        };
        outcome.extra.push(finding(UNUSED, *place, message, "remove them: plimsoll baseline --prune".to_string()));
    }
}

struct Judge<'a> {
    scene: &'a Scene<'a>,
    names: HashSet<&'a str>,
    /// Misspelt names, with what was most likely meant.
    closest: HashMap<String, Option<&'a str>>,
    /// Group, kind, namespace and name of the resources that were read; empty where nobody asks.
    read: HashSet<(&'a str, &'a str, &'a str, &'a str)>,
    /// How many more edits of nodes are looked for. Who fixes thousands gets the rest in the next round.
    edits: usize,
    found: Vec<Finding>,
}

/// So many edits of nodes are looked for.
const EDITS: usize = 1_000;

impl<'a> Judge<'a> {
    fn new(suppressions: &[Suppression<'_>], scene: &'a Scene<'a>) -> Judge<'a> {
        let asks = suppressions.iter().any(|s| s.source == Source::Configuration) && !scene.whole_project;
        let identity = |r: &'a crate::resource::Resource| (&*r.group, &*r.kind, r.namespace(), &*r.name);
        let read = if asks { scene.resources.iter().map(identity).collect() } else { HashSet::new() };
        let names = scene.names.iter().copied().collect();
        Judge { scene, names, closest: HashMap::new(), read, edits: EDITS, found: Vec::new() }
    }

    fn one(&mut self, suppression: &Suppression<'_>, used: &[bool]) {
        let this = match suppression.source {
            Source::Comment => "this comment",
            Source::Annotation => "this annotation",
            Source::Configuration | Source::Baseline => "this entry",
        };
        let said = match &suppression.said {
            Ok(said) => said,
            Err(Mistake { span, message }) => {
                self.add(suppression, *span, message.clone(), form(suppression.source));
                return;
            }
        };
        let (unknown, known): (Vec<_>, Vec<_>) =
            said.names.iter().zip(used).partition(|(name, used)| !**used && !self.names.contains(name.text.as_str()));
        for (name, _) in &unknown {
            self.misspelt(suppression, name);
        }
        if let Some(until) = said.until.as_ref().filter(|_| said.has_run_out(self.scene.today)) {
            let message = format!("{this} has run out on {}", until.text);
            let help = "mend what it covers, or set a later date".to_string();
            self.add(suppression, until.span, message, help);
        } else if let Covers::Nothing(message, help) = suppression.covers {
            self.add(suppression, suppression.place, message.to_string(), help.to_string());
        } else if self.scene.all_rules && self.was_read(&suppression.covers) {
            self.unused(suppression, said, &known, unknown.is_empty());
        }
    }

    /// Whether everything that a suppression speaks of was read: in a run on a part of the files nobody
    /// can tell that an entry is of no use.
    fn was_read(&self, covers: &Covers) -> bool {
        let Covers::Entry { resources, paths } = covers else { return true };
        let is_read = |pattern: &ResourcePattern| {
            let ResourcePattern { group, kind, namespace, name } = pattern;
            pattern.is_exact()
                && self.read.contains(&(group.as_str(), kind.as_str(), namespace.as_str(), name.as_str()))
        };
        self.scene.whole_project || (paths.is_empty() && resources.iter().all(is_read))
    }

    /// A name that means no rule.
    fn misspelt(&mut self, suppression: &Suppression<'_>, name: &Name) {
        let message = format!("no rule, topic or alias is called \"{}\"", name.text);
        let mut finding = finding(INVALID, name.span, message, "`plimsoll rules` lists all names".to_string());
        let in_key = suppression.source == Source::Annotation;
        let names = self.scene.names.iter().filter(|name| !in_key || !name.contains('/'));
        let near = *self.closest.entry(name.text.clone()).or_insert_with(|| closest(&name.text, names.copied()));
        if let Some(near) = near {
            let place = Place { span: name.span, yaml_path: String::new(), template: None };
            finding.labels.push(Label { place, message: format!("did you mean \"{near}\"?") });
            let edits = vec![Edit { span: name.span, text: near.to_string() }];
            let can_be = !matches!(suppression.removal, Removal::None);
            finding.fixes.extend(can_be.then(|| fix(format!("use \"{near}\""), false, edits)));
        }
        self.found.push(finding);
    }

    /// A suppression that does not hold; whether to correct it or to remove it needs a look.
    fn add(&mut self, suppression: &Suppression<'_>, span: Span, message: String, help: String) {
        let mut finding = finding(INVALID, span, message, help);
        let removal = self.edit(&suppression.removal);
        finding.fixes.extend(removal.map(|edit| fix(removes(suppression.source), false, vec![edit])));
        self.found.push(finding);
    }

    /// The edit that takes something away.
    fn edit(&mut self, removal: &Removal<'_>) -> Option<Edit> {
        match removal {
            Removal::Edit(edit) => Some(edit.clone()),
            Removal::Node(node) if self.edits > 0 => {
                self.edits -= 1;
                remove(*node)
            }
            Removal::Node(_) | Removal::None => None,
        }
    }

    /// The known names that matched nothing, if there are any. The rest of the suppression stays if it is
    /// of use.
    fn unused(&mut self, suppression: &Suppression<'_>, said: &Said<'_>, known: &[(&Name, &bool)], all_known: bool) {
        let is_idle = |(name, used): &&(&Name, &bool)| !**used && !self.scene.doubtful.contains(name.text.as_str());
        let idle: Vec<&Name> = known.iter().filter(is_idle).map(|(name, _)| *name).collect();
        let Some(first) = idle.first() else { return };
        let quoted: Vec<_> = idle.iter().map(|name| format!("\"{}\"", name.text)).collect();
        let message = format!("nothing is left to ignore here for {}", quoted.join(", "));
        let is_idle = |name: &Name| idle.iter().any(|idle| std::ptr::eq(*idle, name));
        let (title, edits) = if all_known && idle.len() == known.len() {
            (removes(suppression.source), self.edit(&suppression.removal).map(|edit| vec![edit]))
        } else {
            let edits = match &said.removals {
                Removals::List(list) => {
                    let kept = said.names.iter().filter(|name| !is_idle(name)).map(|name| name.text.as_str());
                    let text = kept.collect::<Vec<_>>().join(", ");
                    (!matches!(suppression.removal, Removal::None)).then(|| vec![Edit { span: *list, text }])
                }
                Removals::Items(items) => {
                    let idle = said.names.iter().zip(items).filter(|(name, _)| is_idle(name));
                    idle.map(|(_, item)| self.edit(&Removal::Node(*item))).collect()
                }
                Removals::None => None,
            };
            ("remove the name".to_string(), edits)
        };
        let help = format!("{title}; what it hid is mended, or stands elsewhere");
        let mut finding = finding(UNUSED, first.span, message, help);
        finding.fixes.extend(edits.map(|edits| fix(title, true, edits)));
        self.found.push(finding);
    }
}

/// How a suppression is written.
fn form(source: Source) -> String {
    match source {
        Source::Annotation => "write it as `ignore.plimsoll.dev/rule: reason`".to_string(),
        _ => "write it as `# plimsoll: ignore[rule]: reason`".to_string(),
    }
}

fn removes(source: Source) -> String {
    let what = match source {
        Source::Comment => "comment",
        Source::Annotation => "annotation",
        Source::Configuration | Source::Baseline => "entry",
    };
    format!("remove the {what}")
}

/// A finding about a suppression. Its rule's page says why it hurts, and the caller, who has the page,
/// fills that in.
pub(super) fn finding(rule: &str, span: Span, message: String, help: String) -> Finding {
    Finding { help: vec![help], ..Finding::new(RuleId::new(rule), Severity::Warning, span, message) }
}

fn fix(title: String, safe: bool, edits: Vec<Edit>) -> Fix {
    Fix { title, safe, edits }
}
