//! The rule language: the only place that knows Rhai.
//!
//! Rules are checked once ([`check`]), then every thread compiles them for itself and calls them
//! with values that know their place in a manifest. One noun of the language per file;
//! [`vocabulary`] lists every word with its meaning, for load-time checks and for `rules/README.md`.

mod advice;
mod answers;
mod budget;
mod certificate;
pub mod check;
mod collect;
mod compare;
mod draft;
mod edits;
mod engine;
mod injection;
mod installation;
mod list;
mod live;
mod mesh;
mod node;
mod platform;
mod rbac;
mod resource;
mod runner;
mod scaling;
mod tokens;
mod value;
mod version;
pub mod vocabulary;
mod wire;

pub use budget::Taken;
pub use collect::{Kind, kinds_read};
pub use draft::Raw;
pub use runner::{Outcome, Runner, fits};

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use rhai::EvalAltResult;

use crate::mesh::Mesh;
use crate::mesh::absence::Absence;
use crate::resource::ResourceId;
use crate::rule::{Params, RuleSet};
use crate::yaml::Place;
use budget::Budget;
use draft::Draft;

/// What a value is beside a node: where nothing is, or only a part of it is meant.
#[derive(Debug, Clone)]
pub(crate) enum Ghost {
    /// Nothing stands there. The value's node is the nearest parent that exists.
    Missing {
        /// Keys below that node.
        keys: Vec<Rc<str>>,
        /// What the API, or the tool, answers in its stead.
        default: Option<Rc<str>>,
        /// What it proves, for look-ups.
        absence: Option<Rc<Absence>>,
    },
    /// The input does not show it; the text says what.
    Unknown(Rc<str>),
    /// A part of a scalar's text: bytes of the tree's text.
    Part(u32, u32),
}

/// What one thread's engine and its words share.
pub(crate) struct Context {
    pub(crate) mesh: Arc<Mesh>,
    pub(crate) rules: Arc<RuleSet>,
    /// Resources that are still to be judged by the running rule, the next one last.
    waiting: RefCell<Vec<(ResourceId, Rc<Params>)>>,
    /// The one that is being judged.
    current: Cell<Option<ResourceId>>,
    /// What was said about those before it.
    done: RefCell<Vec<(ResourceId, Outcome)>>,
    /// Ghosts of the running call; a value names them by number, from 1.
    ghosts: RefCell<Vec<Ghost>>,
    /// Findings of the running call.
    drafts: RefCell<Vec<Rc<RefCell<Draft>>>>,
    /// Parameters of the running rule.
    params: RefCell<Rc<Params>>,
    /// What the running rule asked for and the input does not show.
    unknown: RefCell<BTreeSet<String>>,
    /// Values that a rule needed and could not read, with what it wanted.
    unreadable: RefCell<BTreeSet<(Place, &'static str)>>,
    /// What findings of the running call have to say about the age of tables that it read.
    old_tables: RefCell<BTreeSet<String>>,
    /// Lists of the whole mesh, by what was asked for: a rule may ask again for every resource.
    lists: RefCell<HashMap<String, list::L>>,
    /// What the running call may still take.
    budget: Budget,
    /// Whether a look-up of the running call came back empty or unknown.
    empty_lookup: Cell<bool>,
}

pub(crate) type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

/// A failure that the rule's author reads.
pub(crate) fn fail<T>(message: impl Into<String>) -> Result<T> {
    Err(message.into().into())
}

impl Context {
    fn new(mesh: Arc<Mesh>, rules: Arc<RuleSet>) -> Rc<Context> {
        Rc::new(Context {
            mesh,
            rules,
            waiting: RefCell::default(),
            current: Cell::default(),
            done: RefCell::default(),
            ghosts: RefCell::default(),
            drafts: RefCell::default(),
            params: RefCell::default(),
            unknown: RefCell::default(),
            unreadable: RefCell::default(),
            old_tables: RefCell::default(),
            lists: RefCell::default(),
            budget: Budget::default(),
            empty_lookup: Cell::new(false),
        })
    }

    /// Notes what the running rule asked for and the input does not show.
    fn note_unknown(&self, what: &str) {
        if !self.unknown.borrow().contains(what) && self.budget.says(what.len()) {
            self.unknown.borrow_mut().insert(what.to_string());
        }
    }

    fn ghost(&self, ghost: Ghost) -> u32 {
        let held = match &ghost {
            Ghost::Missing { keys, default, .. } => {
                keys.len() * size_of::<Rc<str>>() + default.as_ref().map_or(0, |text| text.len())
            }
            Ghost::Unknown(what) => what.len(),
            Ghost::Part(..) => 0,
        };
        self.budget.makes(size_of::<Ghost>() + held);
        let mut ghosts = self.ghosts.borrow_mut();
        ghosts.push(ghost);
        ghosts.len() as u32
    }
}
