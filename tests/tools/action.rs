//! The steps of action.yml, run as a runner does, with a release in a folder.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_yaml::Value;

use super::Test;
use super::shell::{ROOT, VERSION, kept, route, run, service};
use crate::scratch::{Said, Scratch};

pub(crate) const TESTS: &[Test] = &[
    ("a clean project", a_clean_project),
    ("findings fail the last step", findings_fail_the_last_step),
    ("a pull request is judged by what it changes", a_pull_request_is_judged_by_what_it_changes),
    ("inputs are no commands", inputs_are_no_commands),
    ("a wrong checksum installs nothing", a_wrong_checksum_installs_nothing),
    ("versions", versions),
];

/// The address of a folder that looks as the releases of a repository do.
fn releases() -> &'static str {
    static RELEASES: OnceLock<String> = OnceLock::new();
    RELEASES.get_or_init(|| {
        let folder = kept("releases");
        let script = "
            for release in \"download/v$VERSION\" latest/download; do mkdir -p \"$release\"; done
            cd \"download/v$VERSION\"
            strip --output-file plimsoll \"$BINARY\"
            tar -czf plimsoll-x86_64-unknown-linux-musl.tar.gz plimsoll
            rm plimsoll
            sha256sum -- *.tar.gz >SHA256SUMS
            cp -- * ../../latest/download/";
        run(&folder, &[("VERSION", VERSION), ("BINARY", env!("CARGO_BIN_EXE_plimsoll"))], script).ends(0, &[]);
        format!("file://{}", folder.display())
    })
}

/// A job that uses the action: its work tree, what the runner says, and what was said to the runner.
struct Job {
    scratch: Scratch,
    contexts: BTreeMap<String, String>,
}

/// What a run of the action came to.
struct Done {
    said: Said,
    outputs: BTreeMap<String, String>,
    uploads: bool,
    summary: String,
}

impl Job {
    fn new(files: &[(&str, &str)]) -> Job {
        let scratch = Scratch::new(&[("runner/output", ""), ("runner/path", ""), ("runner/summary", "")]);
        files.iter().for_each(|(name, text)| scratch.write(&format!("work/{name}"), text));
        std::fs::create_dir_all(scratch.path("work")).unwrap();
        Job { scratch, contexts: BTreeMap::new() }
    }

    /// An input, or another thing that expressions name.
    fn with(mut self, name: &str, value: &str) -> Job {
        let name = if name.contains('.') { name.to_string() } else { format!("inputs.{name}") };
        self.contexts.insert(name, value.to_string());
        self
    }

    fn run(mut self) -> Done {
        let action: Value =
            serde_yaml::from_str(&std::fs::read_to_string(format!("{ROOT}/action.yml")).unwrap()).unwrap();
        for (name, input) in action["inputs"].as_mapping().unwrap() {
            let name = format!("inputs.{}", name.as_str().unwrap());
            self.contexts.entry(name).or_insert(input["default"].as_str().unwrap().to_string());
        }
        let mut done = Done {
            said: Said { status: 0, out: String::new(), err: String::new() },
            outputs: BTreeMap::new(),
            uploads: false,
            summary: String::new(),
        };
        for step in action["runs"]["steps"].as_sequence().unwrap() {
            let Some(script) = step["run"].as_str() else {
                assert!(step["uses"].as_str().unwrap().starts_with("github/codeql-action/upload-sarif@"));
                let file = self.value(step["with"]["sarif_file"].as_str().unwrap());
                done.uploads = !file.is_empty();
                assert!(file.is_empty() || std::path::Path::new(&file).is_file(), "{file}");
                continue;
            };
            assert!(!script.contains("${{"), "{script}");
            let said = self.step(step, script);
            done.said.out += &said.out;
            done.said.status = said.status;
            for line in self.scratch.read("runner/output").lines() {
                let (name, value) = line.split_once('=').unwrap();
                self.contexts.insert(format!("steps.check.outputs.{name}"), value.to_string());
                done.outputs.insert(name.to_string(), value.to_string());
            }
            if said.status != 0 {
                break;
            }
        }
        done.summary = self.scratch.read("runner/summary");
        done
    }

    fn step(&self, step: &Value, script: &str) -> Said {
        let runner = self.scratch.path("runner");
        let runner = runner.to_str().unwrap();
        let mut variables: BTreeMap<String, String> = [
            ("RUNNER_OS", "Linux"),
            ("RUNNER_ARCH", "X64"),
            ("RUNNER_TEMP", runner),
            ("GITHUB_ACTION_PATH", ROOT),
            ("GITHUB_ACTIONS", "true"),
        ]
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .into();
        for (name, file) in [("OUTPUT", "output"), ("PATH", "path"), ("STEP_SUMMARY", "summary")] {
            variables.insert(format!("GITHUB_{name}"), format!("{runner}/{file}"));
        }
        for (name, text) in step["env"].as_mapping().unwrap() {
            variables.insert(name.as_str().unwrap().to_string(), self.value(text.as_str().unwrap()));
        }
        // The runner puts what was written to GITHUB_PATH before the path of the next steps.
        let added = self.scratch.read("runner/path").trim().to_string();
        variables.insert("PATH".to_string(), format!("{added}:{}", std::env::var("PATH").unwrap()));
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (&name[..], &value[..])).collect();
        run(&self.scratch.path("work"), &variables, script)
    }

    /// The value of the expressions that action.yml has.
    fn value(&self, text: &str) -> String {
        if text == "${{ github.server_url }}/${{ github.action_repository || github.repository }}/releases" {
            return releases().to_string();
        }
        let expression = text.strip_prefix("${{ ").and_then(|rest| rest.strip_suffix(" }}")).expect(text);
        let known = |name: &str| self.contexts.get(name).cloned().unwrap_or_default();
        let first = expression.split(" || ").map(known).find(|value| !value.is_empty());
        first.unwrap_or_default()
    }
}

fn outputs(done: &Done, names: &[&str]) -> String {
    let value = |name: &&str| format!("{name}={}", done.outputs.get(*name).map_or("(none)", |value| value));
    names.iter().map(value).collect::<Vec<_>>().join(" ")
}

const COUNTS: [&str; 4] = ["exit-code", "errors", "warnings", "infos"];

fn a_clean_project() {
    let done = Job::new(&[("a.yaml", &service("reviews")), ("b.yaml", &route("reviews", "reviews"))]).run();
    done.said.ends(0, &[&format!("plimsoll {VERSION}\n")]);
    assert_eq!(outputs(&done, &COUNTS), "exit-code=0 errors=0 warnings=0 infos=0");
    assert!(!done.uploads);
}

fn findings_fail_the_last_step() {
    let files =
        [("plimsoll.yaml", "complete: [Service]\n"), ("a.yaml", &service("reviews")), ("b.yaml", &route("a", "b"))];
    let done = Job::new(&files).with("sarif", "true").run();
    done.said.ends(1, &["::error ", "file=b.yaml", "line=9"]);
    assert_eq!(outputs(&done, &COUNTS), "exit-code=1 errors=1 warnings=0 infos=0");
    assert!(done.uploads);
    assert!(done.summary.contains("host-not-found"), "{}", done.summary);

    let quiet = Job::new(&files).with("fail-on", "never").with("annotations", "false").run();
    quiet.said.ends(0, &["traffic/host-not-found", "b.yaml:9:15"]);
    quiet.said.lacks(&["::error"]);
    assert_eq!(outputs(&quiet, &COUNTS), "exit-code=0 errors=1 warnings=0 infos=0");

    let wrong = Job::new(&files).with("args", "--select no-such-rule").run();
    wrong.said.ends(2, &["no-such-rule"]);
    assert_eq!(outputs(&wrong, &["exit-code"]), "exit-code=2");
}

/// The clone is as shallow as actions/checkout makes it.
fn a_pull_request_is_judged_by_what_it_changes() {
    let job = Job::new(&[]);
    let script = "
        mkdir origin; cd origin; git init --quiet --initial-branch main
        printf '%s' \"$SERVICE\" >service.yaml; printf '%s' \"$ROUTE\" >route.yaml; printf '%s' \"$OLD\" >old.yaml
        git add --all; git commit --quiet --message base; git tag base
        git checkout --quiet -b change; git rm --quiet service.yaml; git commit --quiet --message delete
        git checkout --quiet main; echo '# text' >README.md; git add --all; git commit --quiet --message more
        git checkout --quiet -b merge; git merge --quiet --message merge change
        cd ..; rmdir work; git clone --quiet --depth 1 --branch merge \"file://$PWD/origin\" work
        git -C origin rev-parse main";
    let (service, route, old) = (service("ratings"), route("ratings", "ratings"), route("old", "reviewz"));
    let variables = [("SERVICE", &service[..]), ("ROUTE", &route[..]), ("OLD", &old[..])];
    let said = run(&job.scratch.path(""), &variables, script);
    let base = said.ends(0, &[]).out.lines().last().unwrap().to_string();
    let done = job.with("github.event.pull_request.base.sha", &base).run();
    done.said.ends(1, &["file=route.yaml", "this change deletes Service"]);
    done.said.lacks(&["file=old.yaml"]);
    assert_eq!(outputs(&done, &COUNTS), "exit-code=1 errors=1 warnings=0 infos=0");
}

fn inputs_are_no_commands() {
    let nasty = "$(touch never); `touch never`\n* \"a b\".yaml\n";
    for input in ["path", "config", "args", "min-severity", "fail-on", "since"] {
        let job = Job::new(&[("a.yaml", &service("reviews"))]).with(input, nasty);
        let never = job.scratch.path("work/never");
        let done = job.run();
        assert_ne!(done.said.status, 0, "{input}: {}", done.said.out);
        assert!(!never.exists() && !done.said.out.contains("touch: "), "{input}: {}", done.said.out);
    }
    let several = Job::new(&[("a b/a.yaml", &service("reviews")), ("c.yaml", &route("c", "reviews"))]);
    let done = several.with("path", "a b\nc.yaml\n").with("args", "--statistics --complete=Service").run();
    done.said.ends(0, &["2 resources"]);
}

fn a_wrong_checksum_installs_nothing() {
    let job = Job::new(&[("a.yaml", &service("reviews"))]);
    let script = "
        cp -r \"${RELEASES#file://}\" releases
        sed -i s/^./x/ releases/latest/download/SHA256SUMS
        export RELEASES=\"file://$PWD/releases\" RUNNER_OS=Linux RUNNER_ARCH=X64 RUNNER_TEMP=\"$PWD\"
        export GITHUB_PATH=\"$PWD/runner/path\" GITHUB_ACTION_PATH=\"$ROOT\" VERSION=latest
        \"$ROOT/packaging/action/install.sh\"";
    let said = run(&job.scratch.path(""), &[("RELEASES", releases()), ("ROOT", ROOT)], script);
    said.ends(1, &["::error::plimsoll-x86_64-unknown-linux-musl.tar.gz is not what SHA256SUMS of the release says"]);
    assert_eq!(job.scratch.read("runner/path"), "");
}

fn versions() {
    let files = [("a.yaml", &service("reviews")[..])];
    for version in ["latest", VERSION, &format!("v{VERSION}")] {
        Job::new(&files).with("version", version).run().said.ends(0, &[]);
    }
    Job::new(&files).with("version", "0.0.0").run().said.ends(1, &["::error::plimsoll can't be downloaded from"]);
}
