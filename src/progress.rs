//! How far a check has come, and what its parts have cost: for the progress bar and for `--timing`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A part of the journey of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Files from disk.
    Read,
    /// Texts to trees.
    Parse,
    /// Trees to resources.
    Resources,
    /// Resources to facts.
    Mesh,
    /// Rules are read and compiled.
    Compile,
    /// Rules are called.
    Rules,
    /// Findings are judged and shown.
    Report,
}

impl Stage {
    /// All stages, in the order of the journey.
    pub const ALL: [Stage; 7] =
        [Stage::Read, Stage::Parse, Stage::Resources, Stage::Mesh, Stage::Compile, Stage::Rules, Stage::Report];

    /// Its name in a table.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Read => "read",
            Stage::Parse => "parse",
            Stage::Resources => "resources",
            Stage::Mesh => "mesh",
            Stage::Compile => "compile",
            Stage::Rules => "rules",
            Stage::Report => "report",
        }
    }
}

/// What the calls of one rule cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    /// How many there were.
    pub count: u64,
    /// What they took, on all threads together.
    pub time: Duration,
}

impl Calls {
    /// Adds so many, which took that long together.
    pub fn add(&mut self, count: usize, time: Duration) {
        self.count += count as u64;
        self.time += time;
    }
}

/// Where a check is. Every part of it notes here what it begins and how far it is; whoever holds it
/// may look at any time.
#[derive(Debug, Default)]
pub struct Progress {
    /// What began when; the next one ends it.
    begun: Mutex<Vec<(Stage, Instant)>>,
    /// By number of the rule.
    calls: Mutex<BTreeMap<usize, Calls>>,
    done: AtomicUsize,
    total: AtomicUsize,
}

impl Progress {
    /// Notes that a stage begins, with as many steps as can be told; 0 where they can't.
    pub fn begin(&self, stage: Stage, steps: usize) {
        let mut begun = held(&self.begun);
        self.done.store(0, Ordering::Relaxed);
        self.total.store(steps, Ordering::Relaxed);
        begun.push((stage, Instant::now()));
    }

    /// The same where several threads come to a stage: the first begins it.
    pub fn begin_once(&self, stage: Stage, steps: usize) {
        if self.now().is_none_or(|(now, ..)| now != stage) {
            self.begin(stage, steps);
        }
    }

    /// Notes that steps of the stage are done.
    pub fn advance(&self, steps: usize) {
        self.done.fetch_add(steps, Ordering::Relaxed);
    }

    /// Adds what the calls of a rule, by its number, cost one thread.
    pub fn add_calls(&self, rule: usize, calls: Calls) {
        let mut all = held(&self.calls);
        let sum = all.entry(rule).or_default();
        sum.count += calls.count;
        sum.time += calls.time;
    }

    /// The stage that runs, how many steps of it are done, and how many there are.
    pub fn now(&self) -> Option<(Stage, usize, usize)> {
        let stage = held(&self.begun).last()?.0;
        Some((stage, self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed)))
    }

    /// What each stage took until now by the clock, whatever its threads.
    pub fn stages(&self) -> Vec<(Stage, Duration)> {
        let begun = held(&self.begun);
        let ends = begun.iter().skip(1).map(|(_, at)| *at).chain([Instant::now()]);
        let spans: Vec<_> = begun.iter().zip(ends).map(|((stage, at), end)| (*stage, end - *at)).collect();
        let sum = |stage| spans.iter().filter(|(s, _)| *s == stage).map(|(_, time)| *time).sum();
        Stage::ALL.into_iter().map(|stage| (stage, sum(stage))).collect()
    }

    /// What the calls of each rule cost, by its number.
    pub fn calls(&self) -> BTreeMap<usize, Calls> {
        held(&self.calls).clone()
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_end_where_the_next_begins_and_rules_add_up() {
        let progress = Progress::default();
        assert_eq!(progress.now(), None);
        progress.begin(Stage::Compile, 0);
        progress.begin(Stage::Parse, 3);
        progress.advance(2);
        progress.begin_once(Stage::Parse, 9);
        assert_eq!(progress.now(), Some((Stage::Parse, 2, 3)));
        std::thread::sleep(Duration::from_millis(2));
        let took = |stage| progress.stages().into_iter().find(|(s, _)| *s == stage).unwrap().1;
        assert!(took(Stage::Parse) >= Duration::from_millis(2));
        assert_eq!(took(Stage::Report), Duration::ZERO);

        let calls = |count| Calls { count, time: Duration::from_secs(count) };
        progress.add_calls(7, calls(1));
        progress.add_calls(7, calls(2));
        assert_eq!(progress.calls(), BTreeMap::from([(7, calls(3))]));
    }
}
