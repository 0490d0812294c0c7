//! What is wrong with a rule's code before it ever runs.
//!
//! Rhai finds a misspelt function only when it reaches it, and answers `false` where a comparison
//! makes no sense. So every rule's syntax tree is walked once, at load.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use rhai::{AST, ASTNode, Engine, Expr, FnCallExpr, Position, Stmt};

use super::vocabulary::{EVERY_KIND, On, STANDARD, Word, all};
use super::{advice, engine};
use crate::finding::{Problem, Severity};
use crate::kinds;
use crate::rule::header::{ROLES, Role, Subject};
use crate::rule::{Rule, RuleSet, closest};
use crate::source::SourceFile;

/// What the code of all rules uses.
#[derive(Debug, Default)]
pub struct Checked {
    /// Names that follow a dot, in any rule or library: each becomes a getter.
    pub properties: BTreeSet<String>,
    /// What each rule reads of the mesh, by the order of the rules.
    pub reads: Vec<BTreeSet<String>>,
    /// Properties by rule, for the hint about those that no example has.
    pub used: Vec<BTreeSet<String>>,
    /// Keys whose values each rule's code may look at, by the order of the rules: properties, texts in
    /// brackets, and words such as `labels()`; those of libraries included where the rule calls one.
    pub keys: Vec<BTreeSet<String>>,
    /// Rules that can't run, by the order of the rules.
    pub broken: Vec<bool>,
}

/// YAML keys that are also words: without parentheses they are meant as keys.
const KEYS_TOO: &[&str] = &[
    "annotations",
    "items",
    "key",
    "keys",
    "kind",
    "labels",
    "name",
    "namespace",
    "number",
    "parent",
    "path",
    "port",
    "ports",
    "resource",
    "target",
    "text",
    "values",
    "version",
    "containers",
    "container",
    "pod",
    "origin",
    "find",
    "destinations",
    "all",
    "map",
    "filter",
    "join",
    "part",
    "duration",
    "quantity",
    "is",
    "or",
    "some",
];

/// Words that no YAML key is likely to be: without parentheses they are a mistake.
fn is_surely_a_word(name: &str, words: &ByName) -> bool {
    let asked = |w: &Word| matches!(w.on, On::Value | On::List | On::Resource | On::Unit);
    words.get(name).is_some_and(|words| words.iter().any(asked)) && !KEYS_TOO.contains(&name)
}

/// All words by their names.
type ByName = BTreeMap<&'static str, Vec<Word>>;

fn by_name() -> ByName {
    let mut words = ByName::new();
    for word in all() {
        words.entry(word.name()).or_default().push(word);
    }
    words
}

/// Whether a YAML key has to stand in brackets, because after a dot it would be taken for a word.
pub(crate) fn needs_brackets(key: &str) -> bool {
    is_surely_a_word(key, &by_name())
}

/// Checks the code of all rules and libraries.
pub fn check(set: &RuleSet) -> (Checked, Vec<Problem>) {
    let words = by_name();
    // To make one costs more than to compile a rule.
    let (engine, after_dot) = engine::bare();
    let compile = |code: &str| {
        after_dot.reset();
        compile(&engine, code)
    };
    let mut problems = Vec::new();
    let mut checked = Checked::default();
    let mut shared = BTreeSet::new();
    let mut libraries = Vec::new();
    for library in &set.libraries {
        match compile(&library.file.text) {
            Ok(ast) => {
                let functions: BTreeSet<String> = ast.iter_functions().map(|f| f.name.to_string()).collect();
                shared.extend(functions.iter().cloned());
                let mut walk = Walk::new(&library.file, &ast, &words, &shared, None, set);
                walk.run(&ast);
                checked.properties.append(&mut walk.properties);
                problems.append(&mut walk.problems);
                libraries.push((functions, walk.keys, walk.reads));
            }
            Err(problem) => problems.push(problem.at_file(&library.file)),
        }
    }
    for rule in &set.rules {
        let before = problems.len();
        let (mut reads, mut used, mut keys) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        if !rule.header.native {
            match compile(&rule.code) {
                Ok(ast) => {
                    let mut walk = Walk::new(&rule.file, &ast, &words, &shared, Some(rule), set);
                    walk.entry(&ast);
                    walk.run(&ast);
                    used = walk.properties.clone();
                    checked.properties.append(&mut walk.properties);
                    problems.append(&mut walk.problems);
                    reads = walk.reads;
                    keys = walk.keys;
                    // A library may call one that stands before it.
                    for (functions, more, also) in libraries.iter().rev() {
                        if !keys.is_disjoint(functions) {
                            keys.extend(more.iter().cloned());
                            reads.extend(also.iter().cloned());
                        }
                    }
                }
                Err(problem) => problems.push(problem.at_file(&rule.file)),
            }
        }
        checked.reads.push(reads);
        checked.used.push(used);
        checked.keys.push(keys);
        checked.broken.push(problems.len() > before);
    }
    (checked, problems)
}

struct Failure {
    message: String,
    position: Position,
}

impl Failure {
    fn at_file(self, file: &Arc<SourceFile>) -> Problem {
        let range = range_at(file, self.position);
        Problem::error("rule can't be read").at(file, range, self.message)
    }
}

/// Compiles without running anything.
fn compile(engine: &Engine, code: &str) -> Result<AST, Failure> {
    engine.compile(code).map_err(|error| {
        let message = match &*error.0 {
            rhai::ParseErrorType::VariableUndefined(name) => format!("no variable \"{name}\" is declared here"),
            rhai::ParseErrorType::BadInput(rhai::LexError::ImproperSymbol(word, _))
            | rhai::ParseErrorType::Reserved(word) => match word.as_str() {
                "switch" => "`switch` never matches a value; write `if` and `else if`".to_string(),
                "import" | "export" => "rules share functions through `rules/lib`, without `import`".to_string(),
                word => match advice::instead(word) {
                    Some(advice) => advice.to_string(),
                    None => format!("`{word}` is not part of the rule language"),
                },
            },
            other => other.to_string(),
        };
        Failure { message, position: error.1 }
    })
}

/// The bytes of the word at a position.
pub(crate) fn range_at(file: &SourceFile, position: Position) -> Range<usize> {
    let Some(line) = position.line() else { return 0..0 };
    let start = file.line_starts().get(line - 1).map_or(file.text.len(), |s| *s as usize);
    let rest = file.text[start..].lines().next().unwrap_or("");
    let column = position.position().unwrap_or(1).saturating_sub(1);
    let skip = rest.char_indices().nth(column).map_or(rest.len(), |(i, _)| i);
    let word = rest[skip..].bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
    let end = if word > 0 { word } else { rest[skip..].chars().next().map_or(0, char::len_utf8) };
    start + skip..start + skip + end
}

struct Walk<'a> {
    file: &'a Arc<SourceFile>,
    words: &'a ByName,
    known: BTreeSet<String>,
    rule: Option<&'a Rule>,
    set: &'a RuleSet,
    properties: BTreeSet<String>,
    keys: BTreeSet<String>,
    reads: BTreeSet<String>,
    problems: Vec<Problem>,
}

impl<'a> Walk<'a> {
    fn new(
        file: &'a Arc<SourceFile>,
        ast: &AST,
        words: &'a ByName,
        shared: &BTreeSet<String>,
        rule: Option<&'a Rule>,
        set: &'a RuleSet,
    ) -> Walk<'a> {
        let mut known = shared.clone();
        known.extend(ast.iter_functions().map(|f| f.name.to_string()));
        Walk {
            file,
            words,
            known,
            rule,
            set,
            properties: BTreeSet::new(),
            keys: BTreeSet::new(),
            reads: BTreeSet::new(),
            problems: Vec::new(),
        }
    }

    fn problem(&mut self, position: Position, label: impl Into<String>) {
        let problem = Problem::error("rule can't be used").at(self.file, range_at(self.file, position), label);
        self.problems.push(problem);
    }

    /// `fn check` with the right parameters.
    fn entry(&mut self, ast: &AST) {
        let Some(rule) = self.rule else { return };
        let once = rule.header.checks == [Subject::Role(Role::Mesh)];
        let wanted = if once { "fn check(mesh)" } else { "fn check(resource, mesh)" };
        let arities: Vec<usize> = ast.iter_functions().filter(|f| f.name == "check").map(|f| f.params.len()).collect();
        if !arities.contains(&if once { 1 } else { 2 }) {
            let at = self.file.text.find("fn check").unwrap_or(self.file.text.len());
            let problem = Problem::error("rule can't be used").at(
                self.file,
                at..at + "fn check".len().min(self.file.text.len() - at),
                format!("the rule starts at `{wanted}`"),
            );
            self.problems.push(problem);
        }
    }

    fn run(&mut self, ast: &AST) {
        for statement in ast.statements() {
            if !matches!(statement, Stmt::Noop(_)) {
                let label = "code outside of functions never runs; a constant becomes a parameter or a function";
                self.problem(statement.position(), label);
            }
        }
        ast.walk(&mut |path: &[ASTNode<'_>]| {
            match path.last() {
                Some(ASTNode::Stmt(statement)) => self.statement(statement),
                Some(ASTNode::Expr(expr)) => self.expr(expr),
                _ => {}
            }
            true
        });
    }

    fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::If(flow, position) => {
                self.condition(&flow.expr);
                let guard = flow.branch.statements().is_empty()
                    && matches!(flow.body.statements(), [Stmt::Return(None, ..) | Stmt::BreakLoop(None, ..)]);
                if guard {
                    self.no_ordering(&flow.expr, *position, false);
                }
            }
            Stmt::While(_, position) | Stmt::Do(.., position) => {
                self.problem(*position, "loops are written with `for x in list`");
            }
            Stmt::Assignment(assignment) => {
                if matches!(assignment.1.lhs, Expr::Dot(..) | Expr::Index(..)) {
                    self.problem(assignment.1.lhs.start_position(), "nothing here can be changed; a rule only reads");
                }
            }
            Stmt::FnCall(call, position) => self.call(call, *position, false),
            Stmt::TryCatch(_, position) => {
                self.problem(*position, "`try` hides mistakes; a missing value never fails");
            }
            _ => {}
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Property(property, position) => {
                let name = property.2.to_string();
                if is_surely_a_word(&name, self.words) {
                    self.problem(*position, format!("`{name}` asks the tool: write `{name}()`"));
                }
                self.keys.insert(name.clone());
                self.properties.insert(name);
            }
            Expr::MethodCall(call, position) => self.call(call, *position, true),
            Expr::FnCall(call, position) if call.is_operator_call() && &*call.name == "!" => {
                for operand in &call.args {
                    self.condition(operand);
                    self.no_ordering(operand, *position, true);
                }
            }
            Expr::FnCall(call, position) => self.call(call, *position, false),
            Expr::And(parts, _) | Expr::Or(parts, _) => parts.iter().for_each(|p| self.condition(p)),
            Expr::StringConstant(text, position) => {
                // It may stand in brackets, or get there through a variable.
                self.keys.insert(text.to_string());
                if holds_expression(text) {
                    self.problem(*position, "`${…}` works only in backticks: `like ${this}`");
                }
            }
            Expr::Coalesce(_, position) => {
                self.problem(*position, "`??` never sees a missing value; write `.or(…)`");
            }
            Expr::Dot(_, flags, position) | Expr::Index(_, flags, position) if is_elvis(flags) => {
                self.problem(*position, "a missing value never fails: write `.` instead of `?.`");
            }
            _ => {}
        }
    }

    fn call(&mut self, call: &FnCallExpr, position: Position, method: bool) {
        let name = call.name.as_str();
        if call.is_operator_call() || name.starts_with("anon$") {
            return;
        }
        match name {
            "print" | "debug" => {
                return self.problem(position, "a rule has no output; report(value, message) is how it speaks");
            }
            "eval" | "Fn" | "call" | "is_def_fn" | "is_def_var" => {
                return self.problem(position, format!("`{name}` is not part of the rule language"));
            }
            // How Rhai writes a closure that sees a variable around it.
            "is_shared" | "curry" => return,
            _ => {}
        }
        self.keys.insert(name.to_string());
        let words = self.words.get(name).map_or(&[][..], Vec::as_slice);
        if method {
            for word in words.iter().filter(|w| !w.reads.is_empty()) {
                match (word.reads, call.args.first()) {
                    (EVERY_KIND, Some(Expr::StringConstant(kind, _))) => _ = self.reads.insert(kind.to_string()),
                    // A list is asked whether all of its items pass.
                    (EVERY_KIND, Some(test)) if !matches!(test, Expr::Variable(..)) => {}
                    (reads, _) => self.reads.extend(reads.split(", ").map(str::to_string)),
                }
            }
        }
        if words.is_empty() && !self.known.contains(name) && !STANDARD.contains(&name) && !matches!(name, "row" | "has")
        {
            let words = self.words.keys().copied();
            let known: Vec<&str> = words
                .chain(self.known.iter().map(String::as_str))
                .chain(STANDARD.iter().copied())
                .chain(["row", "has"])
                .collect();
            let hint = closest(name, known).map_or(String::new(), |near| format!("; did you mean `{near}()`?"));
            let what = if method { "nothing answers" } else { "there is no function" };
            return self.problem(position, format!("{what} `{name}()`{hint}"));
        }
        let is_function = words.iter().any(|w| w.on == On::Function);
        if !method && !words.is_empty() && !is_function && !self.known.contains(name) && !STANDARD.contains(&name) {
            return self.problem(position, format!("`{name}` is asked with a dot: `x.{name}(…)`"));
        }
        if method {
            self.named_thing(call);
        } else {
            self.named_setting(call, position);
        }
    }

    /// Kinds, roles and severities that are written out exist.
    fn named_thing(&mut self, call: &FnCallExpr) {
        let Some(Expr::StringConstant(text, at)) = call.args.first() else { return };
        let wrong = match (call.name.as_str(), call.args.len()) {
            ("all", 1) => Role::parse(text).is_none().then(|| no_kind(text)).flatten(),
            ("find", 3) => no_kind(text),
            ("is", 1) => no_role(text),
            ("severity", 1) => match (text.parse::<Severity>(), self.rule) {
                (Err(reason), _) => Some(reason),
                (Ok(severity), Some(rule)) if severity > rule.header.severity => Some(format!(
                    "`.severity()` only lowers, and the header says {}: write `severity: {severity}` there",
                    rule.header.severity
                )),
                _ => None,
            },
            _ => None,
        };
        if let Some(wrong) = wrong {
            self.problem(*at, wrong);
        }
    }

    /// `param("x")` and `table("x")` name things that exist.
    fn named_setting(&mut self, call: &FnCallExpr, position: Position) {
        let Some(Expr::StringConstant(text, at)) = call.args.first() else { return };
        match (call.name.as_str(), self.rule) {
            ("param", Some(rule)) if !rule.header.params.iter().any(|p| p.name == text.as_str()) => {
                let near = closest(text, rule.header.params.iter().map(|p| p.name.as_str()));
                let hint = near.map_or(String::new(), |n| format!("; did you mean \"{n}\"?"));
                self.problem(*at, format!("the header has no parameter \"{text}\"{hint}"));
            }
            ("param", None) => self.problem(position, "parameters belong to rules; hand the value to the function"),
            ("table", _) if !self.set.tables.contains_key(text.as_str()) => {
                let near = closest(text, self.set.tables.keys().map(String::as_str));
                let hint = near.map_or(String::new(), |n| format!("; did you mean \"{n}\"?"));
                self.problem(*at, format!("there is no table \"{text}\" in a `data` folder{hint}"));
            }
            _ => {}
        }
    }

    /// A value is no condition: it may be missing, unknown, or a text.
    fn condition(&mut self, expr: &Expr) {
        if let Some(position) = bare_property(expr) {
            self.problem(position, "a value is no condition: ask it with `.is_true()`, `.exists()` or a comparison");
        }
    }

    /// An ordering with a missing operand is false, so its negation would be true for the wrong reason.
    fn no_ordering(&mut self, expr: &Expr, position: Position, negated: bool) {
        let mut found = None;
        expr.walk(&mut Vec::new(), &mut |path| {
            if let Some(ASTNode::Expr(Expr::FnCall(call, at))) = path.last()
                && call.is_operator_call()
                && let Some(turned) = turned(&call.name)
            {
                found = Some((call.name.to_string(), turned, *at));
                return false;
            }
            true
        });
        let Some((operator, turned, at)) = found else { return };
        let place = if negated { "under `!`" } else { "as a guard" };
        let advice = format!(
            "an ordering {place} also holds where a value is missing: say what is wrong instead, with `{turned}` for `{operator}`{}",
            if negated { "" } else { ", and report inside" }
        );
        self.problem(if at.is_none() { position } else { at }, advice);
    }
}

/// What is wrong with the name of a kind, if anything is.
pub(super) fn no_kind(name: &str) -> Option<String> {
    if kinds::resolve(name).is_some() {
        return None;
    }
    let near = closest(name, kinds::KNOWN.iter().map(|k| k.kind));
    Some(match near {
        Some(near) => format!("no kind \"{name}\"; did you mean \"{near}\"?"),
        None => format!("no kind \"{name}\"; kinds of other APIs are written \"Kind.group\""),
    })
}

/// What is wrong with the name of a role, if anything is.
pub(super) fn no_role(name: &str) -> Option<String> {
    if Role::parse(name).is_some() {
        return None;
    }
    let near = closest(name, ROLES.iter().map(|(_, name, _)| *name));
    Some(format!("no role \"{name}\"{}", near.map_or(String::new(), |near| format!("; did you mean \"{near}\"?"))))
}

/// Whether a text between plain quotes was meant to hold a value.
fn holds_expression(text: &str) -> bool {
    let inner = text.split_once("${").and_then(|(_, rest)| rest.split_once('}')).map(|(inner, _)| inner);
    inner
        .is_some_and(|i| i.contains('.') || i.contains('(') || i.chars().next().is_some_and(|c| c.is_ascii_lowercase()))
}

fn turned(operator: &str) -> Option<&'static str> {
    Some(match operator {
        "<" => ">=",
        "<=" => ">",
        ">" => "<=",
        ">=" => "<",
        _ => return None,
    })
}

fn is_elvis(flags: &rhai::ASTFlags) -> bool {
    flags.contains(rhai::ASTFlags::NEGATED)
}

/// The position of the last property, if an expression ends in one.
fn bare_property(expr: &Expr) -> Option<Position> {
    match expr {
        Expr::Property(_, position) => Some(*position),
        Expr::Dot(chain, ..) => bare_property(&chain.rhs),
        Expr::Index(chain, _, position) => match &chain.rhs {
            Expr::Dot(..) | Expr::Index(..) => bare_property(&chain.rhs),
            Expr::StringConstant(..) => Some(*position),
            _ => None,
        },
        _ => None,
    }
}
