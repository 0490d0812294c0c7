//! Lines of shell, and what several groups of tests need.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::scratch::{GIT, Said, Scratch, said};

/// Where the project is.
pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// The version that everything must name.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Programs without colour and without network.
const SETTINGS: &[(&str, &str)] = &[
    ("LANG", "C.UTF-8"),
    ("COLUMNS", "100"),
    ("NO_COLOR", "1"),
    ("PIP_NO_INDEX", "1"),
    ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
];

/// Runs lines of bash in a scratch folder.
pub(crate) fn bash(s: &Scratch, script: &str) -> Said {
    run(&s.path(""), &[], script)
}

/// Runs lines of bash in a folder; they stop at the first that fails. Both streams are one.
pub(crate) fn run(folder: &Path, variables: &[(&str, &str)], script: &str) -> Said {
    let mut command = Command::new("bash");
    command.current_dir(folder).args(["-euo", "pipefail", "-c", &format!("exec 2>&1\n{script}")]);
    command.envs(GIT).envs(SETTINGS.iter().copied()).envs(variables.iter().copied());
    said(&mut command, b"")
}

/// An empty folder of this name that is kept until the next run, for what several tests share.
pub(crate) fn kept(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A Service `name` in the namespace `shop`.
pub(crate) fn service(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{ name: {name}, namespace: shop }}\nspec: {{ ports: [{{ port: 80 }}] }}\n"
    )
}

/// A VirtualService `name` in the namespace `shop` that routes to one host.
pub(crate) fn route(name: &str, host: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{ name: {name}, namespace: shop }}\nspec:\n  hosts: [{name}.example.com]\n  http:\n  - route:\n    - destination:\n        host: {host}\n"
    )
}
