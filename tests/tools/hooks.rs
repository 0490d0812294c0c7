//! The hooks, run by pre-commit from a mirror repository that takes plimsoll from the wheel.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::Test;
use super::shell::{ROOT, VERSION, bash, kept, route, run, service};
use super::wheel;
use crate::scratch::{Said, Scratch};

pub(crate) const TESTS: &[Test] = &[
    ("changed manifests are judged in their project", changed_manifests_are_judged_in_their_project),
    ("a commit that only deletes is stopped", a_commit_that_only_deletes_is_stopped),
    ("the first commit has no past", the_first_commit_has_no_past),
    ("five thousand files", five_thousand_files),
    ("all manifests", all_manifests),
    ("fixes", fixes),
    ("rules", rules),
];

/// The folder that holds the mirror repository and pre-commit's own folder; made once.
fn shared() -> &'static PathBuf {
    static SHARED: OnceLock<PathBuf> = OnceLock::new();
    SHARED.get_or_init(|| {
        let folder = kept("hooks");
        // Setuptools builds the mirror's package; its wheel is the only thing of an index.
        let script = "
            \"$ROOT/packaging/mirror.sh\" \"$VERSION\" mirror
            git -C mirror init --quiet
            git -C mirror add --all
            git -C mirror commit --quiet --message \"$VERSION\"
            git -C mirror tag \"v$VERSION\"
            PIP_NO_INDEX=0 python3 -m pip download --quiet --dest wheels \"$(grep ^setuptools= \"$ROOT/packaging/tools.txt\")\"
            cp \"$WHEEL\"/*.whl wheels/";
        let variables = [("ROOT", ROOT), ("VERSION", VERSION), ("WHEEL", wheel::folder().to_str().unwrap())];
        run(&folder, &variables, script).ends(0, &[]);
        // One environment is made for all hooks; tests that run side by side find it made.
        project_in(&folder, &["plimsoll"], &[]).hooks("pre-commit install-hooks").ends(0, &[]);
        folder
    })
}

/// A repository that uses hooks.
struct Project {
    scratch: Scratch,
    shared: PathBuf,
}

/// A repository with these hooks and files, all of them staged.
fn project(hooks: &[&str], files: &[(&str, &str)]) -> Project {
    project_in(shared(), hooks, files)
}

fn project_in(shared: &Path, hooks: &[&str], files: &[(&str, &str)]) -> Project {
    let scratch = Scratch::new(files);
    let hooks: String = hooks.iter().map(|hook| format!("  - id: {hook}\n")).collect();
    let mirror = shared.join("mirror");
    let configuration = format!("repos:\n- repo: {}\n  rev: v{VERSION}\n  hooks:\n{hooks}", mirror.display());
    scratch.write(".pre-commit-config.yaml", &configuration);
    bash(&scratch, "git init --quiet --initial-branch main; git add --all").ends(0, &[]);
    Project { scratch, shared: shared.to_path_buf() }
}

impl Project {
    fn hooks(&self, script: &str) -> Said {
        let (home, wheels) = (self.shared.join("home"), self.shared.join("wheels"));
        let variables = [("PRE_COMMIT_HOME", home.to_str().unwrap()), ("PIP_FIND_LINKS", wheels.to_str().unwrap())];
        run(&self.scratch.path(""), &variables, script)
    }
}

/// A commit without hooks.
const COMMIT: &str = "git add --all; git commit --quiet --no-verify --message x";

fn changed_manifests_are_judged_in_their_project() {
    let p = project(
        &["plimsoll"],
        &[
            ("services/reviews.yaml", &service("reviews")),
            ("routes/reviews.yaml", &route("reviews", "reviews")),
            ("routes/old.yaml", &route("old", "reviewz")),
        ],
    );
    bash(&p.scratch, COMMIT).ends(0, &[]);

    // The Service stands in a file that is not part of the commit, and the old mistake is nobody's business.
    p.scratch.write("routes/new.yaml", route("new", "reviews"));
    p.hooks("git add --all; pre-commit run").ends(0, &["Passed"]);

    p.scratch.write("routes/new.yaml", route("new", "ratings"));
    let said = p.hooks("git add --all; pre-commit run --verbose");
    said.ends(0, &["Passed", "traffic/host-not-found", "routes/new.yaml:9:15", "ratings"]);
    said.lacks(&["old.yaml"]);

    // `args` come after ours.
    let configuration = p.scratch.read(".pre-commit-config.yaml");
    p.scratch.write(".pre-commit-config.yaml", &(configuration + "    args: [--fail-on, warning]\n"));
    p.hooks("git add --all; pre-commit run").ends(1, &["Failed", "exit code: 1", "routes/new.yaml:9:15"]);
}

fn a_commit_that_only_deletes_is_stopped() {
    let p = project(
        &["plimsoll", "plimsoll-change"],
        &[
            ("services/reviews.yaml", &service("reviews")),
            ("services/ratings.yaml", &service("ratings")),
            ("routes/ratings.yaml", &route("ratings", "ratings")),
            ("routes/old.yaml", &route("old", "reviewz")),
        ],
    );
    bash(&p.scratch, COMMIT).ends(0, &[]);
    let delete = "pre-commit install; git rm --quiet services/ratings.yaml; git commit --message delete";
    let said = p.hooks(delete);
    said.ends(1, &["(no files to check)Skipped", "Failed", "routes/ratings.yaml:9:15", "this change deletes Service"]);
    said.lacks(&["old.yaml"]);
    // With its route the Service may go.
    p.hooks("git rm --quiet routes/ratings.yaml; git commit --message delete").ends(0, &["Passed"]);
}

fn the_first_commit_has_no_past() {
    let route = route("ratings", "ratings");
    let p = project(&["plimsoll-change"], &[("service.yaml", &service("reviews")), ("route.yaml", &route)]);
    p.hooks("pre-commit run --verbose")
        .ends(0, &["Passed", "route.yaml:9:15", "host \"ratings\" is not the one Service read"]);
    // Nothing to check is no mistake.
    project(&["plimsoll-change"], &[("README.md", "# nothing\n")]).hooks("pre-commit run").ends(0, &["Passed"]);
}

/// So many names do not fit into one command: pre-commit makes several, which all judge the whole project.
fn five_thousand_files() {
    let folder = "manifests/a-folder-with-a-rather-long-name";
    let mut files = vec![("plimsoll.yaml".to_string(), "complete: [Service]\n".to_string())];
    files.extend((0..4998).map(|n| (format!("{folder}/{n:04}.yaml"), service(&format!("service-{n}")))));
    files.push((format!("{folder}/0-first.yaml"), route("first", "service-4997")));
    files.push((format!("{folder}/9-last.yaml"), route("last", "service-none")));
    let borrowed: Vec<(&str, &str)> = files.iter().map(|(name, text)| (&name[..], &text[..])).collect();
    let p = project(&["plimsoll", "plimsoll-all"], &borrowed);
    let run = |hook: &str| p.hooks(&format!("pre-commit run {hook} --verbose"));
    // A finding in the files of two commands is said by both.
    let findings = |said: &Said| -> BTreeSet<String> {
        let told = |line: &&str| line.starts_with("error[") || line.contains("─[");
        said.out.lines().filter(told).map(str::to_string).collect()
    };
    let all = run("plimsoll-all");
    all.ends(1, &["exit code: 1", "in 5000 files, 5000 resources"]);
    assert_eq!(all.out.matches("5000 resources").count(), 1, "{}", all.out);
    assert_eq!(findings(&all).len(), 3, "a message, and a place in two files: {}", all.out);
    let changed = run("plimsoll");
    changed.ends(1, &["exit code: 1"]);
    assert!(changed.out.matches("5000 resources").count() > 1, "{}", changed.out);
    assert_eq!(findings(&changed), findings(&all), "{}", changed.out);

    p.scratch.write(&format!("{folder}/9-last.yaml"), route("last", "service-0"));
    p.hooks("git add --all; pre-commit run").ends(0, &["Passed"]);
}

fn all_manifests() {
    let p = project(
        &["plimsoll-all"],
        &[("plimsoll.yaml", "complete: [Service]\n"), ("old.yaml", &route("old", "reviewz")), ("README.md", "")],
    );
    bash(&p.scratch, COMMIT).ends(0, &[]);
    p.scratch.write("README.md", "# text\n");
    p.hooks("git add --all; pre-commit run").ends(0, &["Skipped"]);
    p.scratch.write("new.yaml", service("new"));
    p.hooks("git add --all; pre-commit run").ends(1, &["Failed", "old.yaml:9:15"]);
}

fn fixes() {
    let broken = |name: &str| std::fs::read_to_string(format!("{ROOT}/examples/broken/{name}")).unwrap();
    let (policies, istiod, store) = (broken("policies.yaml"), broken("istiod.yaml"), broken("store.yaml"));
    let files = [("policies.yaml", &policies[..]), ("istiod.yaml", &istiod), ("store.yaml", &store)];
    let p = project(&["plimsoll-fix"], &files);
    bash(&p.scratch, COMMIT).ends(0, &[]);
    bash(&p.scratch, "echo '# changed' >>policies.yaml").ends(0, &[]);
    p.hooks("git add --all; pre-commit run").ends(1, &["files were modified by this hook", "applied in 1 file"]);
    bash(&p.scratch, "git diff --name-only").ends(0, &["policies.yaml\n"]);
    p.hooks("git add --all; pre-commit run").ends(0, &["Passed"]);
}

fn rules() {
    let p = project(&["plimsoll-rules"], &[("plimsoll.yaml", "rules: [my-rules]\n")]);
    let plimsoll = env!("CARGO_BIN_EXE_plimsoll");
    bash(&p.scratch, &format!("{plimsoll} new rule sizes/replicas-too-few --into my-rules")).ends(0, &[]);
    p.hooks("git add --all; pre-commit run").ends(0, &["Passed", "2 examples passed, 0 failed"]);

    // Rules that nobody names are not tested, and that is said.
    p.scratch.write("plimsoll.yaml", "complete: [Service]\n");
    p.hooks("git add --all; pre-commit run").ends(0, &["Passed", "These are the built-in rules"]);
    p.scratch.write("plimsoll.yaml", "rules: [my-rules]\n");

    // An example that finds nothing, then a rule that does not compile.
    let good = p.scratch.read("my-rules/sizes/replicas-too-few.rhai");
    p.scratch.write("my-rules/sizes/replicas-too-few.rhai", good.replace("1    # finding", "3    # finding"));
    p.hooks("git add --all; pre-commit run").ends(1, &["Failed", "exit code: 1", "FAIL  sizes/replicas-too-few"]);
    p.scratch.write("my-rules/sizes/replicas-too-few.rhai", good.replace("fn check(", "fn chekc("));
    p.hooks("git add --all; pre-commit run").ends(1, &["Failed", "exit code: 2", "replicas-too-few.rhai"]);

    // A manifest is no business of this hook.
    p.scratch.write("my-rules/sizes/replicas-too-few.rhai", &good);
    bash(&p.scratch, COMMIT).ends(0, &[]);
    p.scratch.write("service.yaml", service("new"));
    p.hooks("git add --all; pre-commit run").ends(0, &["Skipped"]);
}
