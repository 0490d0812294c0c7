//! One thread's rules, compiled, and their calls.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use rhai::{AST, CallFnOptions, Dynamic, Engine, EvalAltResult, FuncArgs, Module, Position, Scope};

use super::budget::Taken;
use super::check::{Checked, range_at};
use super::draft::Raw;
use super::mesh::M;
use super::tokens::AfterDot;
use super::value::V;
use super::{Context, advice, engine};
use crate::finding::Problem;
use crate::mesh::Mesh;
use crate::resource::ResourceId;
use crate::rule::setting::{Condition, Override};
use crate::rule::{Params, RuleSet, Setting};
use crate::source::SourceFile;
use crate::yaml::{Node, Place};

/// The function that is added to every rule: one call of it judges many resources. Rhai looks up the
/// words of a rule anew in each call from outside, which takes longer than most rules do.
const EACH: &str = "plimsoll_each";
const LOOP: &str = "fn plimsoll_each(subjects, mesh) { for subject in subjects { check(subject, mesh); } }";

/// The resources that [`EACH`] walks.
#[derive(Clone)]
pub(super) struct Subjects(Rc<Context>);

impl Iterator for Subjects {
    type Item = V;

    fn next(&mut self) -> Option<V> {
        self.0.next_subject()
    }
}

/// Why a call ended early.
#[derive(Default)]
struct Failed {
    over: Option<&'static str>,
    error: Option<Box<EvalAltResult>>,
}

impl Context {
    /// Ends the call about one resource and begins that about the next.
    fn next_subject(&self) -> Option<V> {
        if self.budget.over().is_some() {
            return None;
        }
        if let Some(id) = self.current.take() {
            self.done.borrow_mut().push((id, self.take_outcome()));
        }
        let (id, params) = self.waiting.borrow_mut().pop()?;
        self.current.set(Some(id));
        *self.params.borrow_mut() = params;
        self.empty_lookup.set(false);
        self.budget.next();
        Some(self.root(id))
    }

    /// What was said since the last time.
    fn take_outcome(&self) -> Outcome {
        let findings = self.take_findings();
        let unknown = std::mem::take(&mut *self.unknown.borrow_mut());
        self.ghosts.borrow_mut().clear();
        Outcome { findings, unknown, failure: None }
    }
}

/// What a call brought.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Findings.
    pub findings: Vec<Raw>,
    /// What the rule asked for and the input does not show.
    pub unknown: BTreeSet<String>,
    /// The rule's own failure; it is not called again.
    pub failure: Option<Problem>,
}

/// The rules of one thread. It is not shared: two threads with an engine each do twice the work of
/// one, two on a shared engine do not.
pub struct Runner {
    engine: Engine,
    context: Rc<Context>,
    after_dot: AfterDot,
    each: AST,
    /// By rule: whether it may run, and its code, compiled when it is first called. Most inputs need
    /// few of the rules.
    usable: Vec<bool>,
    asts: Vec<OnceCell<Option<AST>>>,
    params: Vec<Rc<Params>>,
    overrides: Vec<Vec<Override>>,
    overridden: RefCell<Overridden>,
}

/// Parameters where overrides change them: by rule and the numbers of those that fit.
type Overridden = HashMap<(usize, Vec<usize>), Rc<Params>>;

/// Whether a condition means a resource.
pub fn fits(condition: &Condition, mesh: &Mesh, id: ResourceId) -> bool {
    let resource = mesh.resource(id);
    let label = |key: &str| mesh.root(id).at(&["metadata", "labels", key]).and_then(Node::text);
    condition.files.as_ref().is_none_or(|files| files.contains(&resource.file))
        && (condition.namespaces.is_empty() || condition.namespaces.iter().any(|ns| ns == resource.namespace()))
        && (condition.kinds.is_empty()
            || condition.kinds.iter().any(|(group, kind)| *group == *resource.group && *kind == *resource.kind))
        && condition.labels.iter().all(|(key, value)| label(key) == Some(value))
}

impl Runner {
    /// Makes the engine, without a rule; `settings` are in the order of the rules.
    pub fn new(mesh: Arc<Mesh>, rules: Arc<RuleSet>, checked: &Checked, settings: &[Setting]) -> Runner {
        let context = Context::new(mesh, rules.clone());
        let (mut engine, after_dot) = engine::bare();
        engine::equip(&mut engine, &context, &checked.properties);
        for library in &rules.libraries {
            after_dot.reset();
            let Ok(mut ast) = engine.compile(&*library.file.text) else { continue };
            ast.set_source(library.file.name.as_str());
            if let Ok(module) = Module::eval_ast_as_new(Scope::new(), &ast, &engine) {
                engine.register_global_module(module.into());
            }
        }
        after_dot.reset();
        let each = engine.compile(LOOP).unwrap_or_default();
        let rules = rules.rules.iter().zip(&checked.broken).zip(settings);
        let usable = rules.map(|((rule, broken), setting)| !broken && !rule.header.native && setting.on).collect();
        Runner {
            engine,
            context,
            after_dot,
            each,
            usable,
            asts: settings.iter().map(|_| OnceCell::new()).collect(),
            params: settings.iter().map(|s| Rc::new(s.params.clone())).collect(),
            overrides: settings.iter().map(|s| s.overrides.clone()).collect(),
            overridden: RefCell::default(),
        }
    }

    fn ast(&self, rule: usize) -> Option<&AST> {
        let compile = || {
            self.after_dot.reset();
            self.engine.compile(&self.context.rules.rules[rule].code).ok().map(|ast| ast.merge(&self.each))
        };
        self.asts[rule].get_or_init(|| if self.usable[rule] { compile() } else { None }).as_ref()
    }

    /// The parameters of a rule for one resource.
    fn params(&self, rule: usize, id: ResourceId) -> Rc<Params> {
        let plain = &self.params[rule];
        let all = &self.overrides[rule];
        let fitting = |o: &Override| !o.params.is_empty() && fits(&o.condition, &self.context.mesh, id);
        let fitting: Vec<usize> = (0..all.len()).filter(|n| fitting(&all[*n])).collect();
        if fitting.is_empty() {
            return plain.clone();
        }
        let mut known = self.overridden.borrow_mut();
        let merged = known.entry((rule, fitting)).or_insert_with_key(|(_, fitting)| {
            let mut params = Params::clone(plain);
            params.extend(fitting.iter().flat_map(|n| all[*n].params.clone()));
            Rc::new(params)
        });
        merged.clone()
    }

    /// Calls a rule, by its number, for each of these resources; `taken` is what the rule took before,
    /// and grows. The first failure is the last outcome.
    pub fn call(&self, rule: usize, resources: &[ResourceId], taken: &Taken) -> Vec<(ResourceId, Outcome)> {
        let context = &self.context;
        let waiting = resources.iter().rev().map(|id| (*id, self.params(rule, *id)));
        *context.waiting.borrow_mut() = waiting.collect();
        let (outcome, failed) = self.run(rule, EACH, (Subjects(context.clone()), M), taken);
        context.waiting.borrow_mut().clear();
        let mut done = std::mem::take(&mut *context.done.borrow_mut());
        if let Some(id) = context.current.take() {
            let resource = context.mesh.resource(id);
            let on = || format!(" on {} {}", resource.kind, context.full_name(id));
            done.push((id, self.outcome(rule, outcome, failed, on)));
        }
        done
    }

    /// Calls a rule for the whole mesh.
    pub fn call_mesh(&self, rule: usize, taken: &Taken) -> Outcome {
        *self.context.params.borrow_mut() = self.params[rule].clone();
        self.context.empty_lookup.set(false);
        let (outcome, failed) = self.run(rule, "check", (M,), taken);
        self.outcome(rule, outcome, failed, String::new)
    }

    /// Calls a function of a rule; what comes out is about the last subject, with what it failed of.
    fn run(&self, rule: usize, name: &str, args: impl FuncArgs, taken: &Taken) -> (Outcome, Failed) {
        let Some(ast) = self.ast(rule) else { return Default::default() };
        let start = Instant::now();
        self.context.budget.start(taken);
        let options = CallFnOptions::default().eval_ast(false).rewind_scope(true);
        let result: Result<Dynamic, _> = self.engine.call_fn_with_options(options, &mut Scope::new(), ast, name, args);
        let over = self.context.budget.end(taken, start.elapsed());
        (self.context.take_outcome(), Failed { over, error: result.err() })
    }

    fn outcome(&self, rule: usize, mut outcome: Outcome, failed: Failed, on: impl Fn() -> String) -> Outcome {
        outcome.failure = match failed {
            Failed { over: Some(reason), error } => {
                // A part of so much says nothing.
                outcome.findings.clear();
                let position = error.map_or(Position::NONE, |error| error.position());
                Some(self.failure(rule, &on(), &EvalAltResult::ErrorRuntime(reason.into(), position)))
            }
            Failed { over: None, error: Some(error) } => Some(self.failure(rule, &on(), own_error(&error))),
            Failed { over: None, error: None } => None,
        };
        outcome
    }

    /// Values that rules needed and could not read, with what they wanted; the list starts anew.
    pub fn take_unreadable(&self) -> BTreeSet<(Place, &'static str)> {
        std::mem::take(&mut *self.context.unreadable.borrow_mut())
    }

    fn failure(&self, rule: usize, subject: &str, error: &EvalAltResult) -> Problem {
        let set = &self.context.rules;
        let rule = &set.rules[rule];
        let (message, position, source) = innermost(error);
        let library = set.libraries.iter().find(|l| source.as_deref() == Some(l.file.name.as_str()));
        let file: &Arc<SourceFile> = library.map_or(&rule.file, |l| &l.file);
        // The loop that calls a rule for many resources stands where the page is.
        let line = |n: usize| file.text.lines().nth(n.saturating_sub(1)).unwrap_or("");
        let in_page = position.line().is_some_and(|n| line(n).starts_with("//!"));
        let range = if position.is_none() || in_page {
            // Errors of limits have no position.
            let at = file.text.find("fn check").unwrap_or(0);
            at..(at + "fn check".len()).min(file.text.len())
        } else {
            range_at(file, position)
        };
        Problem::error(format!("rule {} failed{subject}", rule.id)).at(file, range, message)
    }
}

/// The error in the rule's own `check`, without the loop around it.
fn own_error(error: &EvalAltResult) -> &EvalAltResult {
    match error {
        EvalAltResult::ErrorInFunctionCall(name, _, inner, _) if name == EACH => match &**inner {
            EvalAltResult::ErrorInFunctionCall(_, _, inner, _) => inner,
            other => other,
        },
        other => other,
    }
}

/// What really failed, where, and in which source.
fn innermost(error: &EvalAltResult) -> (String, Position, Option<String>) {
    match error {
        EvalAltResult::ErrorInFunctionCall(_, source, inner, position) => {
            let (message, at, inner_source) = innermost(inner);
            let source = inner_source.or_else(|| (!source.is_empty()).then(|| source.clone()));
            (message, if at.is_none() { *position } else { at }, source)
        }
        EvalAltResult::ErrorStackOverflow(position) => {
            ("functions call each other too deeply".to_string(), *position, None)
        }
        EvalAltResult::ErrorFunctionNotFound(signature, position) => {
            let message = advice::no_such_call(&advice::without_paths(signature), &super::vocabulary::all());
            (message, *position, None)
        }
        EvalAltResult::ErrorFor(position) => {
            ("`for` walks lists; a list of the manifest is walked with `.items()`".to_string(), *position, None)
        }
        EvalAltResult::ErrorMismatchDataType(wanted, got, position) if wanted == "bool" => {
            let got = match advice::without_paths(got) {
                got if got == "value" => "value; ask it with `.is_true()` or `.exists()`".to_string(),
                got => got,
            };
            (format!("true or false is needed here, and this is a {got}"), *position, None)
        }
        EvalAltResult::ErrorDataRace(_, position) => {
            let message =
                "the closure asks what stands before it: keep the list first, `let all = mesh.all(…);`, and ask that";
            (message.to_string(), *position, None)
        }
        EvalAltResult::ErrorRuntime(value, position) => (value.to_string(), *position, None),
        EvalAltResult::ErrorDotExpr(text, position) if text.starts_with("Unknown property '") => {
            let mut words = text.split('\'').skip(1).step_by(2);
            let (name, asked) = (words.next().unwrap_or(""), advice::without_paths(words.next().unwrap_or("this")));
            (format!("a {asked} has no keys; ask it with parentheses: `{name}()`"), *position, None)
        }
        other => {
            let text = other.to_string();
            let cut = text.find(" (line ").unwrap_or(text.len());
            (advice::without_paths(&text[..cut]), other.position(), None)
        }
    }
}
