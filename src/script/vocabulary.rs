//! Every word of the rule language, registered and described in one stroke.

use std::rc::Rc;

use rhai::{Engine, FuncRegistration, RhaiNativeFunc, Variant};

use super::Context;

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum On {
    /// Any value.
    Value,
    /// A list that the tool answers with.
    List,
    /// A resource.
    Resource,
    /// The mesh.
    Mesh,
    /// A proxy's resources.
    Proxy,
    /// What keeps traffic out.
    Block,
    /// A Service's port in a policy.
    ServicePort,
    /// A call that Istio makes to a Service.
    Call,
    /// A CNI plugin.
    Cni,
    /// A certificate.
    Certificate,
    /// A certificate with its private key.
    KeyPair,
    /// Nobody: a function.
    Function,
    /// A finding.
    Finding,
    /// A quantity, a duration or a version.
    Unit,
}

impl On {
    /// How the README calls it.
    pub fn title(self) -> &'static str {
        match self {
            On::Value => "a value",
            On::List => "a list",
            On::Resource => "a resource",
            On::Mesh => "the mesh",
            On::Proxy => "a proxy (`mesh.proxy(w)`)",
            On::Block => "a block (`mesh.blocked(…)`)",
            On::ServicePort => "a Service's port in a policy (`mesh.service_ports_in(p)`)",
            On::Call => "a call (`mesh.calls_to(s)`)",
            On::Cni => "a CNI plugin (`mesh.cnis()`)",
            On::Certificate => "a certificate (`mesh.certificates(value)`)",
            On::KeyPair => "a key pair (`mesh.key_pair(secret)`)",
            On::Function => "functions",
            On::Finding => "a finding (`report(…)`)",
            On::Unit => "a quantity",
        }
    }
}

/// One word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Who is asked.
    pub on: On,
    /// `name(arguments)`
    pub signature: &'static str,
    /// What it answers or does.
    pub meaning: &'static str,
    /// What of the mesh it reads; empty for values alone.
    pub reads: &'static str,
}

impl Word {
    /// The name without arguments.
    pub fn name(&self) -> &'static str {
        self.signature.split('(').next().unwrap_or(self.signature)
    }
}

/// What a word reads that takes the name of a kind; a rule that writes the name out reads only that.
pub(crate) const EVERY_KIND: &str = "all kinds";

/// Registers words with an engine and remembers them.
pub(crate) struct Words<'e> {
    engine: &'e mut Engine,
    context: Rc<Context>,
    pub(crate) list: Vec<Word>,
}

impl<'e> Words<'e> {
    pub(crate) fn new(engine: &'e mut Engine, context: Rc<Context>) -> Words<'e> {
        Words { engine, context, list: Vec::new() }
    }

    pub(crate) fn context(&self) -> Rc<Context> {
        self.context.clone()
    }

    pub(crate) fn engine(&mut self) -> &mut Engine {
        self.engine
    }

    /// A word of the language. Receivers are taken by value: after a `&mut self` method Rhai tries
    /// to write the receiver back at every link of a chain.
    pub(crate) fn word<A: 'static, const N: usize, const X: bool, R: Variant + Clone>(
        &mut self,
        on: On,
        signature: &'static str,
        meaning: &'static str,
        reads: &'static str,
        function: impl RhaiNativeFunc<A, N, X, R, false> + 'static,
    ) {
        self.add(Word { on, signature, meaning, reads }, function);
    }

    /// A word that may fail; the failure is the rule author's to read.
    pub(crate) fn fallible<A: 'static, const N: usize, const X: bool, R: Variant + Clone>(
        &mut self,
        on: On,
        signature: &'static str,
        meaning: &'static str,
        reads: &'static str,
        function: impl RhaiNativeFunc<A, N, X, R, true> + 'static,
    ) {
        self.add(Word { on, signature, meaning, reads }, function);
    }

    /// Another way to call a word that is described already, or an operator.
    pub(crate) fn silent<A: 'static, const N: usize, const X: bool, R: Variant + Clone>(
        &mut self,
        name: &'static str,
        function: impl RhaiNativeFunc<A, N, X, R, false> + 'static,
    ) {
        FuncRegistration::new(name).register_into_engine(self.engine, function);
    }

    /// The same for what may fail.
    pub(crate) fn unlisted<A: 'static, const N: usize, const X: bool, R: Variant + Clone>(
        &mut self,
        name: &'static str,
        function: impl RhaiNativeFunc<A, N, X, R, true> + 'static,
    ) {
        FuncRegistration::new(name).register_into_engine(self.engine, function);
    }

    fn add<A: 'static, const N: usize, const X: bool, R: Variant + Clone, const F: bool>(
        &mut self,
        word: Word,
        function: impl RhaiNativeFunc<A, N, X, R, F> + 'static,
    ) {
        FuncRegistration::new(word.name()).register_into_engine(self.engine, function);
        if !self.list.contains(&word) {
            self.list.push(word);
        }
    }
}

/// What of Rhai's own library a rule may call.
pub(crate) const STANDARD: &[&str] = &[
    "abs",
    "all",
    "ceiling",
    "contains",
    "dedup",
    "ends_with",
    "filter",
    "find",
    "find_map",
    "floor",
    "get",
    "index_of",
    "int",
    "is_empty",
    "is_even",
    "is_odd",
    "keys",
    "len",
    "map",
    "max",
    "min",
    "parse_float",
    "parse_int",
    "pop",
    "push",
    "range",
    "reduce",
    "replace",
    "reverse",
    "round",
    "some",
    "sort",
    "split",
    "starts_with",
    "sub_string",
    "to_float",
    "to_int",
    "to_lower",
    "to_string",
    "to_upper",
    "trim",
    "type_of",
    "values",
    "zip",
];

/// All words, in the order of the README's table.
pub fn all() -> Vec<Word> {
    let mut words = super::engine::describe();
    words.sort_by_key(|word| word.on);
    words
}

/// The table of `rules/README.md`, Markdown.
pub fn markdown() -> String {
    let mut out = String::new();
    let mut last = None;
    for word in all() {
        if last != Some(word.on) {
            out += &format!("\n**{}**\n\n| word | meaning |\n|---|---|\n", word.on.title());
            last = Some(word.on);
        }
        out += &format!("| `{}` | {} |\n", word.signature.replace('|', "\\|"), word.meaning.replace('|', "\\|"));
    }
    out
}
