//! One thread's rules, compiled, and their calls.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use rhai::{AST, CallFnOptions, Dynamic, Engine, EvalAltResult, Module, Position, Scope};

use super::budget::Taken;
use super::check::{Checked, range_at};
use super::draft::Raw;
use super::mesh::M;
use super::value::V;
use super::{Context, advice, engine};
use crate::finding::Problem;
use crate::mesh::Mesh;
use crate::resource::ResourceId;
use crate::rule::setting::{Condition, Override};
use crate::rule::{Params, RuleSet, Setting};
use crate::source::SourceFile;
use crate::yaml::{Node, Place};

/// What a rule is called for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// One resource.
    Resource(ResourceId),
    /// The whole mesh.
    Mesh,
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
    asts: Vec<Option<AST>>,
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
    /// Compiles all rules that are on and can run; `settings` are in the order of the rules.
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
        let asts = rules
            .rules
            .iter()
            .zip(&checked.broken)
            .zip(settings)
            .map(|((rule, broken), setting)| {
                after_dot.reset();
                if *broken || rule.header.native || !setting.on { None } else { engine.compile(&rule.code).ok() }
            })
            .collect();
        Runner {
            engine,
            context,
            asts,
            params: settings.iter().map(|s| Rc::new(s.params.clone())).collect(),
            overrides: settings.iter().map(|s| s.overrides.clone()).collect(),
            overridden: RefCell::default(),
        }
    }

    /// The parameters of a rule for one subject.
    fn params(&self, rule: usize, call: Call) -> Rc<Params> {
        let plain = &self.params[rule];
        let Call::Resource(id) = call else { return plain.clone() };
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

    /// Calls a rule, by its number, for one subject; `taken` is what the rule took before, and grows.
    pub fn call(&self, rule: usize, call: Call, taken: &Taken) -> Outcome {
        let Some(ast) = &self.asts[rule] else { return Outcome::default() };
        let context = &self.context;
        *context.params.borrow_mut() = self.params(rule, call);
        context.empty_lookup.set(false);
        let start = Instant::now();
        context.budget.start(taken);
        let options = CallFnOptions::default().eval_ast(false).rewind_scope(true);
        let scope = &mut Scope::new();
        let result: Result<Dynamic, _> = match call {
            Call::Resource(id) => {
                let args = (V::at(context.mesh.resource(id).root), M);
                self.engine.call_fn_with_options(options, scope, ast, "check", args)
            }
            Call::Mesh => self.engine.call_fn_with_options(options, scope, ast, "check", (M,)),
        };
        let mut outcome = Outcome { findings: context.take_findings(), ..Outcome::default() };
        outcome.unknown = std::mem::take(&mut *context.unknown.borrow_mut());
        context.ghosts.borrow_mut().clear();
        match (context.budget.end(taken, start.elapsed()), result) {
            (Some(reason), result) => {
                // A part of so much says nothing.
                outcome.findings.clear();
                let position = result.err().map_or(Position::NONE, |error| error.position());
                let error = EvalAltResult::ErrorRuntime(reason.into(), position);
                outcome.failure = Some(self.failure(rule, call, &error));
            }
            (None, Err(error)) => outcome.failure = Some(self.failure(rule, call, &error)),
            (None, Ok(_)) => {}
        }
        outcome
    }

    /// Values that rules needed and could not read, with what they wanted; the list starts anew.
    pub fn take_unreadable(&self) -> BTreeSet<(Place, &'static str)> {
        std::mem::take(&mut *self.context.unreadable.borrow_mut())
    }

    fn failure(&self, rule: usize, call: Call, error: &EvalAltResult) -> Problem {
        let set = &self.context.rules;
        let rule = &set.rules[rule];
        let (message, position, source) = innermost(error);
        let library = set.libraries.iter().find(|l| source.as_deref() == Some(l.file.name.as_str()));
        let file: &Arc<SourceFile> = library.map_or(&rule.file, |l| &l.file);
        let range = if position.is_none() {
            // Errors of limits have no position.
            let at = file.text.find("fn check").unwrap_or(0);
            at..(at + "fn check".len()).min(file.text.len())
        } else {
            range_at(file, position)
        };
        let subject = match call {
            Call::Mesh => String::new(),
            Call::Resource(id) => {
                let resource = self.context.mesh.resource(id);
                format!(" on {} {}", resource.kind, self.context.full_name(id))
            }
        };
        Problem::error(format!("rule {} failed{subject}", rule.id)).at(file, range, message)
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
        EvalAltResult::ErrorTooManyOperations(position) => {
            ("the rule takes too long: five million steps for one resource".to_string(), *position, None)
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
