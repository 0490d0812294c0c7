//! A folder with files in which the binary runs.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Variables that change what the binary shows.
const NOISE: [&str; 10] = [
    "GITHUB_STEP_SUMMARY",
    "NO_COLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LC_MESSAGES",
    "TERM",
    "SOURCE_DATE_EPOCH",
];

pub(crate) struct Scratch(tempfile::TempDir);

/// What a run said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Scratch {
    /// A folder with these files; text or bytes.
    pub(crate) fn new<T: AsRef<[u8]>>(files: &[(&str, T)]) -> Scratch {
        let scratch = Scratch(tempfile::tempdir().unwrap());
        for (name, text) in files {
            scratch.write(name, text);
        }
        scratch
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The binary with arguments that are parted by blanks.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        for name in NOISE {
            command.env_remove(name);
        }
        command.env("LANG", "C.UTF-8").env("COLUMNS", "100");
        command.current_dir(self.0.path()).args(arguments.split_whitespace());
        command
    }

    pub(crate) fn run(&self, arguments: &str) -> Said {
        said(&mut self.command(arguments), b"")
    }

    pub(crate) fn pipe(&self, input: impl AsRef<[u8]>, arguments: &str) -> Said {
        said(&mut self.command(arguments), input.as_ref())
    }
}

/// Runs to the end; a binary that reads no input may close the pipe early.
pub(crate) fn said(command: &mut Command, input: &[u8]) -> Said {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Said {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Said {
    /// Fails with everything that was said unless the status is that and standard output holds all parts.
    #[track_caller]
    pub(crate) fn ends(&self, status: i32, parts: &[&str]) -> &Said {
        assert_eq!(self.status, status, "{self}");
        parts.iter().for_each(|part| assert!(self.out.contains(part), "no {part:?} on stdout of {self}"));
        self
    }

    /// Standard error holds all parts.
    #[track_caller]
    pub(crate) fn complains(&self, parts: &[&str]) -> &Said {
        parts.iter().for_each(|part| assert!(self.err.contains(part), "no {part:?} on stderr of {self}"));
        self
    }

    /// Standard output holds none of the parts.
    #[track_caller]
    pub(crate) fn lacks(&self, parts: &[&str]) -> &Said {
        parts.iter().for_each(|part| assert!(!self.out.contains(part), "{part:?} on stdout of {self}"));
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self}"))
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Said { status, out, err } = self;
        write!(f, "exit status {status}\n--- stdout\n{out}\n--- stderr\n{err}")
    }
}

/// Git without the settings of whoever runs the tests.
pub(crate) const GIT: [(&str, &str); 6] = [
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_CONFIG_SYSTEM", "/dev/null"),
    ("GIT_AUTHOR_NAME", "a"),
    ("GIT_AUTHOR_EMAIL", "a@example.com"),
    ("GIT_COMMITTER_NAME", "a"),
    ("GIT_COMMITTER_EMAIL", "a@example.com"),
];

/// Runs git, without the settings of whoever runs the tests.
#[track_caller]
pub(crate) fn git(s: &Scratch, arguments: &str) {
    let mut command = Command::new("git");
    command.current_dir(s.path("")).args(arguments.split_whitespace());
    command.envs(GIT);
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Compares with `snapshots/cli/<name>.snap`.
pub(crate) fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/cli"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// A rule with everything that flags can touch: an error with a safe fix.
pub(crate) const REPLICAS: (&str, &str) = (
    "rules/ops/replicas.rhai",
    r#"//! ---
//! severity: error
//! checks: Deployment
//! aka: [REP001]
//! params:
//!   least: { type: number, default: 2, help: fewest replicas }
//! ---
//! # too few replicas
//!
//! Nobody answers while the only replica restarts.
//!
//! ## Bad
//!
//! ```yaml
//! apiVersion: apps/v1
//! kind: Deployment
//! metadata: { name: cart }
//! spec:
//!   replicas: 1    # finding: runs 1
//! ```
//!
//! ## Good
//!
//! ```yaml
//! apiVersion: apps/v1
//! kind: Deployment
//! metadata: { name: cart }
//! spec:
//!   replicas: 2
//! ```

fn check(deployment, mesh) {
    let replicas = deployment.spec.replicas;
    if replicas < param("least") {
        report(replicas, `"${deployment.name()}" runs ${replicas} of ${param("least")} replicas`)
            .label("asked for here")
            .help("run more")
            .fix(`set replicas to ${param("least")}`, set(replicas, param("least")));
    }
}
"#,
);

/// A warning with an unsafe fix and an info, about the same Deployment.
pub(crate) const OWNER: (&str, &str) = (
    "rules/team/owner.rhai",
    r#"//! ---
//! severity: warning
//! checks: Deployment
//! aka: [REP001, OWN001]
//! ---
//! # nobody owns it
//!
//! Nobody is called when it breaks.

fn check(deployment, mesh) {
    if deployment.metadata.labels.team.missing() {
        report(deployment.metadata.labels, `"${deployment.name()}" has no owner`)
            .suggest("give it to somebody", add(deployment.metadata, "labels", yaml("{ team: a }")));
        report(deployment, `"${deployment.name()}" has no label "team"`).severity("info");
    }
}
"#,
);

/// A Deployment that both rules find something in.
pub(crate) fn deployment(name: &str, replicas: u32) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n  namespace: shop\nspec:\n  replicas: {replicas}\n"
    )
}

/// A scratch folder with both rules and one Deployment, `a.yaml`.
pub(crate) fn shop() -> Scratch {
    let files = [REPLICAS, OWNER].map(|(name, text)| (name, text.to_string()));
    let scratch = Scratch::new(&files);
    scratch.write("a.yaml", deployment("cart", 1));
    scratch
}

/// Flags that leave only the two rules on.
pub(crate) const OURS: &str = "--rules rules --select ops,team";
