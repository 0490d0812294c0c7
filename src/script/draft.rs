//! `report(…)` and what may be said about a finding.

use std::cell::RefCell;
use std::rc::Rc;

use rhai::{Array, Dynamic, ImmutableString};

use super::edits::E;
use super::list::L;
use super::value::V;
use super::vocabulary::{On, Words};
use super::{Context, Ghost, Result, fail};
use crate::finding::{self, Fix, Label, Severity};
use crate::mesh::absence::{Absence, Certainty};
use crate::resource::ResourceId;
use crate::values;
use crate::yaml::composed::From;

/// A finding while the rule still speaks about it.
#[derive(Debug)]
pub(crate) struct Draft {
    raw: Raw,
    /// What the finding is about.
    value: V,
    rested: bool,
    after_empty_lookup: bool,
    /// What is not known, if nothing may follow from it.
    rests_on_unknown: Option<String>,
}

/// A finding as a rule made it: places are resolved, names and settings of the rule still lack.
#[derive(Debug, Clone)]
pub struct Raw {
    /// Its source.
    pub primary: finding::Place,
    /// Its path with items called by their names, for the fingerprint.
    pub named_path: String,
    /// The owner of the primary place.
    pub resource: Option<ResourceId>,
    /// What is wrong.
    pub message: String,
    /// Instead of the rule's own.
    pub why: Option<String>,
    /// Other places.
    pub labels: Vec<Label>,
    /// What to do.
    pub help: Vec<String>,
    /// The values of a chart to set.
    pub values: Vec<String>,
    /// Figures.
    pub notes: Vec<String>,
    /// Where to read more.
    pub links: Vec<String>,
    /// Edits.
    pub fixes: Vec<Fix>,
    /// Not graver than that: what the rule said, or a warning where an absence is only likely.
    pub cap: Severity,
    /// It came after a look-up that found nothing, and does not say that it rests on it.
    pub unfounded: bool,
}

/// Of a value that a chart takes where none is written.
const BY_DEFAULT: &str = "the chart's default";

/// A finding in the hands of a rule.
#[derive(Clone)]
pub(crate) struct F(Rc<RefCell<Draft>>);

impl Context {
    /// The resource in whose file a value stands: of what a chart would render, the one that sets it.
    pub(crate) fn owner_of(&self, v: V) -> Option<ResourceId> {
        self.mesh.owner(self.mesh.trees.written(v.place))
    }

    /// Whether a value is a default of a chart that was not rendered.
    pub(crate) fn is_chart_default(&self, v: V) -> bool {
        v.ghost == 0 && self.mesh.trees.origin(v.place).is_some_and(|origin| origin.from == From::Default)
    }

    pub(crate) fn found_at(&self, v: V) -> finding::Place {
        let resource = self.owner_of(v).map(|id| self.mesh.resource(id));
        finding::Place {
            span: self.span(v),
            yaml_path: self.path(v, false),
            template: resource.and_then(|r| r.template.as_deref().map(str::to_string)),
        }
    }

    fn report(&self, v: V, message: &str) -> F {
        let raw = Raw {
            primary: self.found_at(v),
            named_path: self.path(v, true),
            resource: self.owner_of(v),
            message: message.to_string(),
            why: None,
            labels: Vec::new(),
            help: Vec::new(),
            values: Vec::new(),
            notes: Vec::new(),
            links: Vec::new(),
            fixes: Vec::new(),
            cap: Severity::Error,
            unfounded: false,
        };
        let draft = Rc::new(RefCell::new(Draft {
            raw,
            value: v,
            rested: false,
            after_empty_lookup: self.empty_lookup.get(),
            // Nothing is said about a value that the input does not show, whatever led there.
            rests_on_unknown: self.is_unknown(v).then(|| "values that stand elsewhere".to_string()),
        }));
        let size = {
            let raw = &draft.borrow().raw;
            message.len() + raw.primary.yaml_path.len() + raw.named_path.len()
        };
        if self.budget.says(size) {
            self.drafts.borrow_mut().push(draft.clone());
        }
        F(draft)
    }

    /// The findings of the call that just ended; what rests on the unknown is only noted.
    pub(super) fn take_findings(&self) -> Vec<Raw> {
        let drafts = std::mem::take(&mut *self.drafts.borrow_mut());
        let old_tables = std::mem::take(&mut *self.old_tables.borrow_mut());
        let mut findings = Vec::new();
        for draft in drafts {
            let draft = draft.borrow();
            if let Some(what) = &draft.rests_on_unknown {
                self.note_unknown(what);
                continue;
            }
            let mut raw = draft.raw.clone();
            raw.notes.extend(old_tables.iter().cloned());
            if self.is_chart_default(draft.value) && !raw.labels.iter().any(|label| label.place == raw.primary) {
                raw.labels.insert(0, Label { place: raw.primary.clone(), message: BY_DEFAULT.to_string() });
            }
            raw.unfounded = draft.after_empty_lookup && !draft.rested;
            findings.push(raw);
        }
        findings
    }

    fn rests_on(&self, finding: &F, absence: Option<&Absence>) {
        let mut draft = finding.0.borrow_mut();
        draft.rested = true;
        let Some(absence) = absence else { return };
        draft.raw.notes.extend(absence.deleted.clone());
        match absence.certainty {
            Certainty::Certain => {}
            Certainty::Likely => draft.raw.cap = draft.raw.cap.min(Severity::Warning),
            Certainty::Unknown => draft.rests_on_unknown = Some(absence.what.clone()),
        }
    }

    /// What the answer of a look-up proves; nothing for what is a part of the manifest.
    fn absence_of(&self, x: &Dynamic) -> Result<Option<Absence>> {
        if let Some(list) = x.read_lock::<L>() {
            return Ok(list.absence.as_deref().cloned());
        }
        if let Some(v) = x.read_lock::<V>() {
            match self.ghost_of(*v) {
                Some(Ghost::Missing { absence, .. }) => return Ok(absence.as_deref().cloned()),
                Some(Ghost::Unknown(what)) => return Ok(Some(Absence::unknown(what.to_string()))),
                _ if self.is_missing(*v) => return Ok(None),
                _ if self.is_unknown(*v) => return Ok(Some(Absence::unknown("values that stand elsewhere"))),
                _ => {}
            }
        }
        let what = if x.is_array() {
            "this array"
        } else if x.is::<V>() {
            "a value that was found"
        } else {
            "this"
        };
        fail(format!(
            "{what} proves nothing: hand `.rests_on()` the look-up that came back empty, as `mesh.all(…)`, its `.filter(…)`, or the missing value of `.find(…)`"
        ))
    }

    fn label(&self, finding: &F, v: V, text: &str) {
        // A value that is missing still has a place, but a look-up that found nothing has none of its own.
        if matches!(self.ghost_of(v), Some(Ghost::Unknown(_)))
            || matches!(self.ghost_of(v), Some(Ghost::Missing { keys, default, absence }) if keys.is_empty() && default.is_none() && absence.is_none())
        {
            return;
        }
        let place = self.found_at(v);
        if self.budget.says(text.len() + place.yaml_path.len()) {
            let label = Label { place, message: self.label_text(v, text) };
            finding.0.borrow_mut().raw.labels.push(label);
        }
    }

    /// The text of a label: a default does not stand where it is shown.
    fn label_text(&self, v: V, text: &str) -> String {
        if self.is_chart_default(v) { format!("{text} ({BY_DEFAULT})") } else { text.to_string() }
    }

    /// One more text of a finding.
    fn say(&self, finding: F, text: &str, texts: fn(&mut Raw) -> &mut Vec<String>) -> F {
        if self.budget.says(text.len()) {
            texts(&mut finding.0.borrow_mut().raw).push(text.to_string());
        }
        finding
    }

    fn fix(&self, finding: &F, title: &str, edits: &Dynamic, safe: bool) -> Result<()> {
        let mut all = Vec::new();
        if let Some(edit) = edits.read_lock::<E>() {
            all.push(edit.clone());
        } else if let Some(list) = edits.read_lock::<Array>() {
            for edit in list.iter() {
                match edit.read_lock::<E>() {
                    Some(edit) => all.push(edit.clone()),
                    None => return fail("a fix takes edits: set(…), add(…), append(…), remove(…), rename(…)"),
                }
            }
        } else {
            return fail("a fix takes edits: set(…), add(…), append(…), remove(…), rename(…)");
        }
        // An edit that can't be made, or that would be lost at the next rendering, is dropped with its fix.
        let Some(mut edits) = all.into_iter().map(|e| e.0).collect::<Option<Vec<_>>>() else { return Ok(()) };
        edits.sort();
        let overlap = edits.windows(2).any(|w| w[0].span.file == w[1].span.file && w[0].span.end > w[1].span.start);
        let text = edits.iter().map(|edit| edit.text.len()).sum::<usize>();
        if !edits.is_empty() && !overlap && self.budget.says(title.len() + text) {
            finding.0.borrow_mut().raw.fixes.push(Fix { title: title.to_string(), safe, edits });
        }
        Ok(())
    }

    /// The values key of the chart that rendered the resource, where an edit would be lost.
    fn values(&self, finding: &F, key: &str, value: &Dynamic) {
        let text = match value.clone().try_cast::<V>() {
            Some(v) => self.shown(v),
            None => super::compare::plain_text(value).unwrap_or_default(),
        };
        let about = finding.0.borrow().value;
        let resource = self.resource_of(about).map(|id| self.mesh.resource(id));
        if let Some(resource) = resource.filter(|resource| resource.generated && !resource.live) {
            let release = resource.release.and_then(|number| self.mesh.releases.get(number as usize));
            let key = release.map_or_else(|| key.to_string(), |release| release.key(&self.mesh.trees, key));
            let text = values::set(resource.chart.as_deref(), &key, Some(&text));
            self.say(finding.clone(), &text, |raw| &mut raw.values);
        }
    }
}

/// The verbs.
pub(super) fn register(words: &mut Words<'_>) {
    use On::{Finding, Function};
    let c = words.context();
    let x = c.clone();
    words.word(
        Function,
        "report(value, message)",
        "a finding; its place is the value's",
        "",
        move |v: V, message: ImmutableString| x.report(v, &message),
    );
    let x = c.clone();
    words.silent("report", move |v: V, message: V| x.report(v, &x.shown(message)));
    let x = c.clone();
    words.word(
        Finding,
        "label(value, text)",
        "how another place takes part, in any file",
        "",
        move |f: F, v: V, text: ImmutableString| {
            x.label(&f, v, &text);
            f
        },
    );
    let x = c.clone();
    words.silent("label", move |f: F, list: L, text: ImmutableString| {
        if let Some(v) = list.items.first().map(|first| list.place.unwrap_or(*first)) {
            x.label(&f, v, &text);
        }
        f
    });
    let x = c.clone();
    words.word(Finding, "label(text)", "what the finding's own place is", "", move |f: F, text: ImmutableString| {
        let (place, value) = (f.0.borrow().raw.primary.clone(), f.0.borrow().value);
        if x.budget.says(text.len() + place.yaml_path.len()) {
            f.0.borrow_mut().raw.labels.insert(0, Label { place, message: x.label_text(value, &text) });
        }
        f
    });
    let x = c.clone();
    words.word(Finding, "help(text)", "what to do, as an imperative", "", move |f: F, text: ImmutableString| {
        x.say(f, &text, |raw| &mut raw.help)
    });
    let x = c.clone();
    words.word(Finding, "note(text)", "figures with their source", "", move |f: F, text: ImmutableString| {
        x.say(f, &text, |raw| &mut raw.notes)
    });
    let x = c.clone();
    words.word(Finding, "link(url)", "where to read more", "", move |f: F, text: ImmutableString| {
        x.say(f, &text, |raw| &mut raw.links)
    });
    let x = c.clone();
    words.word(
        Finding,
        "why(text)",
        "the outage, instead of the page's first sentence",
        "",
        move |f: F, text: ImmutableString| {
            if x.budget.says(text.len()) {
                f.0.borrow_mut().raw.why = Some(text.to_string());
            }
            f
        },
    );
    words.fallible(
        Finding,
        "severity(text)",
        "lowers the severity: \"warning\" or \"info\"",
        "",
        |f: F, text: ImmutableString| -> Result<F> {
            match text.parse::<Severity>() {
                Ok(severity) => {
                    let mut draft = f.0.borrow_mut();
                    draft.raw.cap = draft.raw.cap.min(severity);
                }
                Err(reason) => return fail(reason),
            }
            Ok(f)
        },
    );
    let x = c.clone();
    words.fallible(
        Finding,
        "rests_on(lookup)",
        "the finding follows from the absence of something in `lookup`, a list or a missing value that the tool answered with: certain → as it is, likely → a warning at most, unknown → no finding",
        "",
        move |f: F, lookup: Dynamic| -> Result<F> {
            let absence = x.absence_of(&lookup)?;
            x.rests_on(&f, absence.as_ref());
            Ok(f)
        },
    );
    let x = c.clone();
    words.fallible(
        Finding,
        "fix(title, edits)",
        "a safe edit or a list of them; `--fix` applies it",
        "",
        move |f: F, title: ImmutableString, edits: Dynamic| -> Result<F> {
            x.fix(&f, &title, &edits, true)?;
            Ok(f)
        },
    );
    let x = c.clone();
    words.fallible(
        Finding,
        "suggest(title, edits)",
        "an edit that needs a second look; `--fix=unsafe` applies it",
        "",
        move |f: F, title: ImmutableString, edits: Dynamic| -> Result<F> {
            x.fix(&f, &title, &edits, false)?;
            Ok(f)
        },
    );
    let x = c;
    words.word(
        Finding,
        "values(key, x)",
        "the Helm value that sets it, shown where the resource was rendered",
        "",
        move |f: F, key: ImmutableString, value: Dynamic| {
            x.values(&f, &key, &value);
            f
        },
    );
}
