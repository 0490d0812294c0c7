//! The wheel and the source distribution, as pip gets them.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::Test;
use super::shell::{ROOT, VERSION, kept, run};
use crate::scratch::Scratch;

pub(crate) const TESTS: &[Test] = &[
    ("the wheel installs a binary that works", the_wheel_installs_a_binary_that_works),
    ("the sdist holds what a build needs", the_sdist_holds_what_a_build_needs),
];

/// The folder with the wheel of this tree, in the profile of the tests; built once.
pub(crate) fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = kept("wheel");
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        run(
            Path::new(ROOT),
            &[("OUT", folder.to_str().unwrap()), ("CARGO_TARGET_DIR", target.to_str().unwrap())],
            "maturin build --profile dev --locked --compression-level 1 --out \"$OUT\"",
        )
        .ends(0, &[]);
        folder
    })
}

fn the_wheel_installs_a_binary_that_works() {
    let s = Scratch::new::<&str>(&[]);
    let script = "
        python3 -m venv venv
        venv/bin/pip install --quiet --find-links \"$WHEEL\" plimsoll
        venv/bin/plimsoll --version
        find venv/lib -path '*dist-info/licenses/*'
        cat venv/lib/python*/site-packages/plimsoll-*.dist-info/METADATA
        venv/bin/plimsoll check \"$ROOT/examples/clean\"
        venv/bin/plimsoll check \"$ROOT/examples/broken\" --format short";
    let said = run(&s.path(""), &[("WHEEL", folder().to_str().unwrap()), ("ROOT", ROOT)], script);
    let version = format!("plimsoll {VERSION}\n");
    let licence = format!("plimsoll-{VERSION}.dist-info/licenses/LICENSE-MIT");
    said.ends(1, &[&version, &licence, "License-Expression: MIT OR Apache-2.0", "webhook-port-blocked"]);
}

fn the_sdist_holds_what_a_build_needs() {
    let s = Scratch::new::<&str>(&[]);
    let script = "
        (cd \"$ROOT\" && maturin sdist --out \"$OUT\")
        tar -tzf plimsoll-*.tar.gz | sed 's,^[^/]*/,,' | sort >held
        git -C \"$ROOT\" ls-files src rules Cargo.lock README.md 'LICENSE-*' pyproject.toml | sort >needed
        echo missing: $(comm -13 held needed)";
    let said = run(&s.path(""), &[("OUT", s.path("").to_str().unwrap()), ("ROOT", ROOT)], script);
    said.ends(0, &["missing:\n"]);
    assert!(s.read("needed").lines().count() > 100);
}
