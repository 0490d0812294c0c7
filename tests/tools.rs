//! What plimsoll works with, for real: other people's programs, which a plain `cargo test` can't count on.
//!
//! The tests are ignored unless `PLIMSOLL_TOOLS` is set; then a program that is missing fails them. `.ci/run`
//! installs what they need. A group is a module; `--skip GROUP::` leaves one out.

#[path = "tools/action.rs"]
mod action;
#[path = "tools/gitlab.rs"]
mod gitlab;
#[path = "tools/helm.rs"]
mod helm;
#[path = "tools/hooks.rs"]
mod hooks;
#[path = "tools/kustomize.rs"]
mod kustomize;
#[path = "tools/readme.rs"]
mod readme;
#[allow(dead_code, reason = "the tests of the command line use more of it")]
#[path = "cli/scratch.rs"]
mod scratch;
#[path = "tools/shell.rs"]
mod shell;
#[path = "tools/wheel.rs"]
mod wheel;
#[path = "tools/workflows.rs"]
mod workflows;

use libtest_mimic::{Arguments, Trial};

/// A test's name and what it runs.
type Test = (&'static str, fn());

const GROUPS: &[(&str, &[Test])] = &[
    ("action", action::TESTS),
    ("gitlab", gitlab::TESTS),
    ("helm", helm::TESTS),
    ("hooks", hooks::TESTS),
    ("kustomize", kustomize::TESTS),
    ("readme", readme::TESTS),
    ("wheel", wheel::TESTS),
    ("workflows", workflows::TESTS),
];

fn main() {
    let wanted = std::env::var_os("PLIMSOLL_TOOLS").is_some();
    let trial = |group: &str, (name, test): Test| {
        let run = move || {
            test();
            Ok(())
        };
        Trial::test(format!("{group}::{name}"), run).with_ignored_flag(!wanted)
    };
    let trials = GROUPS.iter().flat_map(|(group, tests)| tests.iter().map(|test| trial(group, *test))).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
