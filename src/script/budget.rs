//! What a rule may take. Rules come from strangers, too: none may keep a run busy or fill the memory.
//!
//! Rhai bounds steps, depth and sizes of its own values; here is what it does not see: time over all
//! resources, what a rule says, and what our words make for it.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Time of one rule in a run, and what each resource of the input adds to it. Usual rules take
/// microseconds a resource.
const TIME: Duration = Duration::from_secs(10);
const TIME_BY_RESOURCE: Duration = Duration::from_millis(2);

/// Text of one rule in a run, in bytes, and what each resource of the input adds to it.
const TEXT: u64 = 64 << 20;
const TEXT_BY_RESOURCE: u64 = 4 << 10;

/// Findings, labels, texts and edits of one call.
const STATEMENTS: u32 = 20_000;

/// What a finding or a label takes beside its text, in bytes.
const OVERHEAD: usize = 256;

/// Steps of Rhai that one call may take: about a second.
const STEPS: u64 = 5_000_000;

/// Bytes that one call may have for values that are not there, and for texts that words answer.
const SCRATCH: usize = 64 << 20;

/// What one rule took so far in a run, on all threads and in all clusters.
#[derive(Debug)]
pub struct Taken {
    nanos: AtomicU64,
    text: AtomicU64,
    /// Resources of all clusters.
    resources: usize,
}

impl Taken {
    /// Nothing so far, in a run over that many resources.
    pub fn over(resources: usize) -> Taken {
        Taken { nanos: AtomicU64::new(0), text: AtomicU64::new(0), resources }
    }
}

/// What the running call may still take.
pub(super) struct Budget {
    deadline: Cell<Option<Instant>>,
    text: Cell<u64>,
    at_start: Cell<u64>,
    statements: Cell<u32>,
    /// The last step, and the one before the call.
    step: Cell<u64>,
    first_step: Cell<u64>,
    scratch: Cell<usize>,
    over: Cell<Option<&'static str>>,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget {
            deadline: Cell::default(),
            text: Cell::new(TEXT),
            at_start: Cell::new(TEXT),
            statements: Cell::new(STATEMENTS),
            step: Cell::new(0),
            first_step: Cell::new(0),
            scratch: Cell::new(SCRATCH),
            over: Cell::default(),
        }
    }
}

impl Budget {
    /// Starts calls of a rule that took so much before.
    pub(super) fn start(&self, taken: &Taken) {
        let time = TIME + TIME_BY_RESOURCE * u32::try_from(taken.resources).unwrap_or(u32::MAX);
        let left = time.saturating_sub(Duration::from_nanos(taken.nanos.load(Ordering::Relaxed)));
        self.deadline.set(Some(Instant::now() + left));
        let text = TEXT + TEXT_BY_RESOURCE * taken.resources as u64;
        self.text.set(text.saturating_sub(taken.text.load(Ordering::Relaxed)));
        self.at_start.set(self.text.get());
        self.over.set(None);
        self.step.set(0);
        self.next();
    }

    /// Starts one of these calls.
    pub(super) fn next(&self) {
        self.first_step.set(self.step.get());
        self.statements.set(STATEMENTS);
        self.scratch.set(SCRATCH);
    }

    /// Ends them: what they took is added, and the reason is answered if that was too much.
    pub(super) fn end(&self, taken: &Taken, time: Duration) -> Option<&'static str> {
        taken.nanos.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        taken.text.fetch_add(self.at_start.get() - self.text.get(), Ordering::Relaxed);
        self.over()
    }

    /// A statement with that many bytes of text; false if the rule has said too much.
    pub(super) fn says(&self, bytes: usize) -> bool {
        let (statements, text) = (self.statements.get(), self.text.get());
        let bytes = (bytes + OVERHEAD) as u64;
        if statements == 0 || text < bytes {
            let one = "the rule says too much: 20,000 findings, labels and texts about one resource";
            let all = "the rule says too much: 64 MiB, and 4 KiB more for each resource";
            self.over.set(Some(if statements == 0 { one } else { all }));
            return false;
        }
        self.statements.set(statements - 1);
        self.text.set(text - bytes);
        true
    }

    /// A value or text that is gone after the call.
    pub(super) fn makes(&self, bytes: usize) {
        match self.scratch.get().checked_sub(bytes) {
            Some(left) => self.scratch.set(left),
            None => self.over.set(Some("the rule makes too many values and texts: 64 MiB for one resource")),
        }
    }

    /// Why the call must end, if it must.
    pub(super) fn over(&self) -> Option<&'static str> {
        if self.deadline.get().is_some_and(|deadline| Instant::now() > deadline) {
            self.over.set(Some("the rule takes too long: 10 seconds, and 2 milliseconds more for each resource"));
        }
        self.over.get()
    }

    /// The same, without a look at the clock at most steps.
    pub(super) fn over_at(&self, step: u64) -> Option<&'static str> {
        self.step.set(step);
        if step.saturating_sub(self.first_step.get()) > STEPS {
            self.over.set(Some("the rule takes too long: five million steps for one resource"));
        }
        if step.is_multiple_of(64) { self.over() } else { self.over.get() }
    }
}
