//! What is run elsewhere is linted here.

use std::path::Path;

use super::Test;
use super::shell::{ROOT, run};

pub(crate) const TESTS: &[Test] = &[
    ("actionlint", || clean("actionlint")),
    ("zizmor", || clean("zizmor --offline --no-progress .")),
    ("shellcheck", || clean("shellcheck .ci/run packaging/*.sh packaging/*/*.sh")),
    ("hadolint", || clean("hadolint Dockerfile")),
    ("action.yml follows its schema", || clean("check-jsonschema --builtin-schema vendor.github-actions action.yml")),
    ("the hooks follow their schema", || clean("pre-commit validate-manifest .pre-commit-hooks.yaml")),
];

#[track_caller]
fn clean(script: &str) {
    run(Path::new(ROOT), &[], script).ends(0, &[]);
}
