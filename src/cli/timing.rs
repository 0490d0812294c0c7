//! What a check is doing, while it takes long, and what it cost: both on standard error.

use std::cell::Cell;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{err, terminal};
use crate::progress::{Progress, Stage};
use crate::rule::RuleSet;

/// Work that is done sooner shows no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// Rules that `--timing` lists.
const DEAREST: usize = 10;

/// A bar on the terminal, until it is stopped or dropped.
pub(super) struct Bar(Cell<Option<(Sender<()>, JoinHandle<()>)>>);

impl Bar {
    /// Watches a check. Nothing is drawn where nobody sees it: no terminal, or a format for programs.
    pub(super) fn watch(progress: &Arc<Progress>, for_people: bool) -> Bar {
        if !for_people || !std::io::stderr().is_terminal() || terminal::is_dumb() {
            return Bar(Cell::new(None));
        }
        let progress = progress.clone();
        let (stop, stopped) = channel();
        let thread = std::thread::spawn(move || {
            let mut wait = PATIENCE;
            let mut drawn = false;
            while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                if let Some((stage, done, total)) = progress.now() {
                    err(&format!("\r\x1b[2K{}", line(stage, done, total)));
                    drawn = true;
                }
                wait = Duration::from_millis(100);
            }
            if drawn {
                err("\r\x1b[2K");
            }
        });
        Bar(Cell::new(Some((stop, thread))))
    }

    /// Takes the bar away; something else is to be shown.
    pub(super) fn stop(&self) {
        if let Some((stop, thread)) = self.0.take() {
            drop(stop);
            let _ = thread.join();
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.stop();
    }
}

/// `rules      [########............]  41 %`
fn line(stage: Stage, done: usize, total: usize) -> String {
    const WIDTH: usize = 20;
    if total == 0 {
        return format!("{} …", stage.name());
    }
    let done = done.min(total);
    let full = done * WIDTH / total;
    format!("{:<10} [{}{}] {:>3} %", stage.name(), "#".repeat(full), ".".repeat(WIDTH - full), done * 100 / total)
}

/// The costs of a check by stage and by rule.
pub(super) fn table(progress: &Progress, rules: &RuleSet, threads: usize) -> String {
    let stages = progress.stages();
    let sum = stages.iter().map(|(_, time)| *time).sum();
    let mut text = format!("Time: {}\n", milliseconds(sum));
    for (stage, time) in stages {
        text += &format!("  {:<24} {} {}\n", stage.name(), milliseconds(time), share(time, sum));
    }

    let mut calls: Vec<_> = progress.calls().into_iter().collect();
    calls.sort_by(|(a, x), (b, y)| y.time.cmp(&x.time).then(a.cmp(b)));
    let sum = calls.iter().map(|(_, c)| c.time).sum();
    let number = |n: u64, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
    let spread = if threads == 1 { String::new() } else { format!(", on up to {threads} threads") };
    text += &format!(
        "Rules: {} in {}{spread}\n",
        milliseconds(sum).trim_start(),
        number(calls.iter().map(|(_, c)| c.count).sum(), "call", "calls")
    );
    for (rule, c) in calls.iter().take(DEAREST) {
        let id = rules.rules[*rule].id.as_str();
        let count = number(c.count, "call", "calls");
        text += &format!("  {id:<40} {count:>14} {} {}\n", milliseconds(c.time), share(c.time, sum));
    }
    if let Some(more) = calls.len().checked_sub(DEAREST).filter(|more| *more > 0) {
        text += &format!("  and {}\n", number(more as u64, "cheaper one", "cheaper ones"));
    }
    text
}

fn milliseconds(time: Duration) -> String {
    format!("{:>9.1} ms", time.as_secs_f64() * 1e3)
}

fn share(time: Duration, of: Duration) -> String {
    let share = if of.is_zero() { 0.0 } else { time.as_secs_f64() / of.as_secs_f64() * 100.0 };
    format!("{share:>5.1} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_fills() {
        assert_eq!(line(Stage::Mesh, 0, 0), "mesh …");
        assert_eq!(line(Stage::Parse, 0, 8), "parse      [....................]   0 %");
        assert_eq!(line(Stage::Parse, 4, 8), "parse      [##########..........]  50 %");
        assert_eq!(line(Stage::Rules, 9, 8), "rules      [####################] 100 %");
    }
}
