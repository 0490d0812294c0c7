//! `--since` and `--focus`: what a change did, in scratch repositories.

use std::process::Command;

use super::scratch::{Scratch, git};

fn commit(s: &Scratch, message: &str) {
    git(s, "add --all");
    git(s, &format!("commit --quiet --message {message}"));
}

fn service(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{ name: {name}, namespace: shop }}\nspec: {{ ports: [{{ port: 80 }}] }}\n"
    )
}

fn route(name: &str, host: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{ name: {name}, namespace: shop }}\nspec:\n  hosts: [{name}.example.com]\n  http:\n  - route:\n    - destination:\n        host: {host}\n"
    )
}

/// A repository whose main branch has two Services, a route to each, and one to a host that nobody has.
fn repository() -> Scratch {
    let s = Scratch::new(&[
        ("services/reviews.yaml", service("reviews")),
        ("services/ratings.yaml", service("ratings")),
        ("routes/reviews.yaml", route("reviews", "reviews")),
        ("routes/ratings.yaml", route("ratings", "ratings")),
        ("routes/old.yaml", route("old", "reviewz")),
    ]);
    git(&s, "init --quiet --initial-branch main");
    commit(&s, "base");
    git(&s, "checkout --quiet -b change");
    s
}

#[test]
fn a_deleted_service_breaks_the_route_that_nobody_touched() {
    let s = repository();
    std::fs::remove_file(s.path("services/ratings.yaml")).unwrap();
    commit(&s, "change");
    let report = s.run("check --since main --format json");
    report.ends(1, &[]);
    let report = report.json();
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0]["rule"], "traffic/host-not-found");
    assert_eq!(findings[0]["severity"], "error");
    assert_eq!(findings[0]["location"]["path"], "routes/ratings.yaml");
    let note = "this change deletes Service \"ratings\", which stood in services/ratings.yaml";
    assert_eq!(findings[0]["notes"][0], note);
    assert_eq!(report["summary"]["since"]["old"], 1);
    // The same names, however the folder is called.
    for folder in [".", "./", &s.path("").display().to_string()] {
        s.run(&format!("check {folder} --since main --format short"))
            .ends(1, &["routes/ratings.yaml:9:15: error", "1 old, 0 fixed or suppressed"]);
    }
    let below =
        s.command("check ../routes ../services --since main --format short").current_dir(s.path("routes")).output();
    let below = String::from_utf8(below.unwrap().stdout).unwrap();
    assert!(
        below.contains("../routes/ratings.yaml:9:15: error") && below.contains("1 old, 0 fixed or suppressed"),
        "{below}"
    );
}

#[test]
fn what_moves_is_not_new_and_what_is_mended_is_counted() {
    let s = repository();
    std::fs::create_dir(s.path("traffic")).unwrap();
    git(&s, "mv routes/old.yaml traffic/old.yaml");
    s.write("traffic/old.yaml", format!("# moved\n{}", s.read("traffic/old.yaml")));
    commit(&s, "move");
    s.run("check --since main").ends(0, &["no errors or warnings", "1 old, 0 fixed or suppressed"]);
    s.write("traffic/old.yaml", route("old", "reviews"));
    s.run("check --since main").ends(0, &["0 old, 1 fixed or suppressed"]);
    s.write("traffic/old.yaml", route("old", "reviewsss"));
    s.run("check --since main").ends(0, &["1 warning", "reviewsss", "0 old, 1 fixed or suppressed"]);
}

#[test]
fn the_base_is_where_the_branch_left_it() {
    let s = repository();
    git(&s, "checkout --quiet main");
    s.write("routes/new.yaml", route("new", "ratingz"));
    commit(&s, "main-goes-on");
    git(&s, "checkout --quiet change");
    // What main has got since is not "fixed" by the branch, which does not have it.
    s.run("check --since main").ends(0, &["no errors or warnings", "1 old, 0 fixed or suppressed"]);
    // Neither the index nor the work tree is touched, and what is not committed counts.
    s.write("routes/mine.yaml", route("mine", "ratingz"));
    s.run("check --since HEAD --format short")
        .ends(0, &["routes/mine.yaml:9:15: warning", "1 old, 0 fixed or suppressed"]);
    let status = Command::new("git").current_dir(s.path("")).args(["status", "--short"]).output().unwrap();
    assert_eq!(String::from_utf8(status.stdout).unwrap(), "?? routes/mine.yaml\n");
}

#[test]
fn before_the_first_commit_everything_is_new() {
    let s = Scratch::new(&[("a.yaml", service("reviews")), ("b.yaml", route("b", "reviewz"))]);
    git(&s, "init --quiet");
    s.run("check --since HEAD")
        .ends(0, &["1 warning", "the time before the first commit", "0 old, 0 fixed or suppressed"]);
    let nothing = Scratch::new(&[("readme.md", "")]);
    git(&nothing, "init --quiet");
    nothing.run("check --since HEAD").ends(0, &[]);
}

#[test]
fn what_can_not_be_compared_is_told() {
    let s = Scratch::new(&[("a.yaml", service("a"))]);
    s.run("check --since main").ends(2, &[]).complains(&["lies in no git repository"]);
    let s = repository();
    s.run("check --since mian").ends(2, &[]).complains(&["no revision is called \"mian\"", "origin/main"]);
    s.run("check --since --help").ends(2, &[]);
    s.run("check --since=--help").ends(2, &[]).complains(&["no revision is called \"--help\""]);
    s.pipe(service("a"), "check - --since main").ends(2, &[]).complains(&["standard input has no earlier state"]);
    let other = Scratch::new(&[("a.yaml", "")]);
    let outside = other.path("a.yaml").display().to_string();
    s.run(&format!("check . {outside} --since main")).ends(2, &[]).complains(&["lies outside of the repository"]);

    git(&s, "checkout --quiet --orphan lonely");
    commit(&s, "lonely");
    s.run("check --since main").ends(2, &[]).complains(&["no history in common"]);
    let clone = Scratch::new::<&str>(&[]);
    git(&clone, &format!("clone --quiet --depth 1 --branch change file://{} clone", s.path("").display()));
    let said = clone.run("check clone --since main");
    said.ends(2, &[]).complains(&["no revision is called \"main\"", "the clone is shallow", "fetch-depth: 0"]);
    clone.run("check clone --since HEAD").ends(0, &["1 old, 0 fixed or suppressed"]);
}

#[test]
fn the_configuration_of_today_judges_both_sides() {
    let s = repository();
    s.write("plimsoll.yaml", "severity: { host-not-found: error }\nexclude: [routes/old.yaml]\ncomplete: true\n");
    s.run("check --since main").ends(0, &["no errors or warnings", "0 old, 0 fixed or suppressed"]);
    s.write("plimsoll.yaml", "complete: true\n");
    s.run("check --since main").ends(0, &["1 old, 0 fixed or suppressed"]);
}

#[test]
fn focus_reads_the_whole_project_and_reports_what_touches_the_files() {
    let s = repository();
    let short = |arguments: &str| s.run(&format!("check {arguments} --format short"));
    // A related place counts: the closest Service.
    short("--focus services/reviews.yaml").ends(0, &["routes/old.yaml:9:15: warning"]);
    let said = short("--focus services/ratings.yaml");
    said.ends(0, &["no errors or warnings", "1 finding in other files than those in focus"]);
    // As a hook appends names, and flags before them.
    for arguments in [
        "--focus --min-severity warning routes/old.yaml",
        "--focus routes/ratings.yaml routes/old.yaml",
        "routes/old.yaml --focus",
        ". --focus routes/old.yaml",
        "--focus routes",
        "--focus gone.yaml routes/old.yaml",
    ] {
        short(arguments).ends(0, &["routes/old.yaml:9:15: warning", "1 warning in 5 files"]);
    }
    short("services --focus routes/old.yaml").ends(0, &["no errors or warnings in 2 files"]);
    short("--focus").ends(0, &["no errors or warnings in 5 files"]);
    let said = s.command("check --focus old.yaml --format short").current_dir(s.path("routes")).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("routes/old.yaml:9:15: warning") && said.contains("in 5 files"), "{said}");
}

#[test]
fn only_input_in_focus_decides_the_status() {
    let s = repository();
    s.write("routes/broken.yaml", "apiVersion: v1\nkind: Service\nmetadata: [\n");
    s.run("check").ends(3, &["yaml/invalid"]);
    s.run("check --focus routes/old.yaml").ends(0, &["1 finding in other files"]).lacks(&["yaml/invalid"]);
    s.run("check --focus routes/broken.yaml").ends(3, &["yaml/invalid"]);
    s.write("routes/bytes.yaml", b"a: \xff");
    s.run("check --focus routes/old.yaml").ends(0, &[]);
    s.run("check --focus routes/bytes.yaml").ends(3, &["file can't be read"]);
    let empty = Scratch::new(&[("readme.md", "")]);
    empty.run("check").ends(4, &[]);
    empty.run("check --focus readme.md").ends(0, &[]);
}

#[test]
fn a_change_can_not_loosen_its_own_check() {
    let s = repository();
    git(&s, "checkout --quiet main");
    s.write("plimsoll.yaml", "rules: [policy]\nseverity: { host-not-found: error }\nexclude: [other/**]\n");
    s.write(
        "policy/team/labels.rhai",
        "//! ---\n//! severity: error\n//! checks: Service\n//! ---\n//! # no team\n//!\n//! Nobody is called.\n\nfn check(service, mesh) {\n    if service.metadata.labels.team.missing() { report(service, \"it has no team\"); }\n}\n",
    );
    commit(&s, "policy");
    git(&s, "checkout --quiet -b loose");
    std::fs::remove_file(s.path("policy/team/labels.rhai")).unwrap();
    s.write("plimsoll.yaml", "exclude: [\"**\"]\n");
    commit(&s, "loose");
    s.run("check").ends(4, &[]);
    let strict = "check --config-from main --format short";
    let parts =
        ["services/reviews.yaml:3:19: error[team/labels]", "routes/old.yaml:9:15: warning[traffic/host-not-found]"];
    s.run(strict).ends(1, &parts).ends(1, &["Configuration: plimsoll.yaml of main"]);
    // Patterns mean files of the work tree.
    s.write("other/a.yaml", service("other"));
    s.run(strict).lacks(&["other/a.yaml"]);
    // Neither does it help to delete it, or to look from below.
    std::fs::remove_file(s.path("plimsoll.yaml")).unwrap();
    s.run(strict).ends(1, &parts);
    s.run("check services --config-from main --format short").ends(1, &parts[..1]);
    s.run("check --config-from main --config plimsoll.yaml --format short").ends(1, &parts);
    s.run("check --config-from nope").ends(2, &[]).complains(&["no revision is called \"nope\""]);
    s.run("check --config-from change --format short").ends(0, &["1 warning in 6 files"]).lacks(&["Configuration"]);
}

#[test]
fn a_folder_that_looks_like_a_repository_is_none() {
    let s = repository();
    s.write("routes/mine.yaml", route("mine", "ratingz"));
    commit(&s, "mine");
    let elsewhere = Scratch::new(&[("routes/mine.yaml", route("mine", "ratingz"))]);
    git(&elsewhere, "init --quiet --initial-branch main");
    commit(&elsewhere, "same");
    let copied = Command::new("cp").arg("-r").arg(elsewhere.path(".git/.")).arg(s.path("routes")).status();
    assert!(copied.unwrap().success());
    s.write("routes/config", "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = .\n");
    for arguments in ["check routes services --since main", "check routes services --since main --config-from main"] {
        s.run(&format!("{arguments} --format short"))
            .ends(0, &["routes/mine.yaml:9:15: warning", "1 old, 0 fixed or suppressed"]);
    }
}

#[test]
fn what_git_holds_is_compared_whatever_gitignore_says() {
    let s = repository();
    s.write(".gitignore", "evil.yaml\n");
    s.write("routes/evil.yaml", route("evil", "ratingz"));
    git(&s, "add --force routes/evil.yaml .gitignore");
    git(&s, "commit --quiet --message hide");
    s.run("check --format short").lacks(&["evil"]);
    for arguments in ["--since main", "--config-from main", "routes services --since main"] {
        s.run(&format!("check {arguments} --format short")).ends(0, &["routes/evil.yaml:9:15: warning"]);
    }
    git(&s, "branch later");
    s.run("check --since later").ends(0, &["2 old, 0 fixed or suppressed"]);
}

#[test]
fn a_file_that_is_called_like_a_flag_is_no_flag() {
    let s = repository();
    s.write("--config=weak.yaml", "");
    let said = s.run("check --focus --config=weak.yaml");
    said.ends(2, &[]).complains(&["\"--config=weak.yaml\" is a flag, and a file that is called so"]);
    s.run("check --focus -- --config=weak.yaml").ends(0, &[]);
    s.run("check --focus ./--config=weak.yaml").ends(0, &[]);
}

#[test]
fn what_spreads_to_another_cluster_is_new() {
    let rule = |names: &str| {
        format!(
            "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{ name: reviews, namespace: shop }}\nspec:\n  host: reviews\n  subsets: [{names}]\n"
        )
    };
    let shared = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: reviews, namespace: shop }\nspec:\n  hosts: [reviews]\n  http:\n  - route:\n    - destination: { host: reviews, subset: v9 }\n";
    let s = Scratch::new(&[
        (
            "plimsoll.yaml",
            "clusters: { prod: { files: [prod] }, staging: { files: [staging] } }\nshared: [shared]\n".to_string(),
        ),
        ("shared/route.yaml", shared.to_string()),
        ("shared/service.yaml", service("reviews")),
        ("prod/rule.yaml", rule("{ name: v9 }")),
        ("staging/rule.yaml", rule("{ name: v1 }")),
    ]);
    git(&s, "init --quiet --initial-branch main");
    commit(&s, "base");
    s.run("check --since main").ends(0, &["1 old, 0 fixed or suppressed"]);
    s.write("prod/rule.yaml", rule("{ name: v1 }"));
    s.run("check --since main --format short").ends(1, &["has no subset \"v9\"", "0 old, 0 fixed or suppressed"]);
}

#[test]
fn a_configuration_that_the_revision_lacks_is_told() {
    let s = repository();
    s.write("ci/strict.yaml", "complete: true\n");
    s.run("check --config ci/strict.yaml --config-from main")
        .ends(2, &[])
        .complains(&["main has no configuration \"ci/strict.yaml\""]);
}

#[test]
fn a_deleted_destination_rule_takes_its_subsets_along() {
    let rule = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: { name: reviews, namespace: shop }\nspec:\n  host: reviews\n  subsets: [{ name: v1 }]\n";
    let s = repository();
    git(&s, "checkout --quiet main");
    s.write("rules/reviews.yaml", rule);
    s.write("routes/reviews.yaml", route("reviews", "reviews") + "        subset: v1\n");
    commit(&s, "subsets");
    git(&s, "checkout --quiet -b without");
    std::fs::remove_file(s.path("rules/reviews.yaml")).unwrap();
    let said = s.run("check --since main");
    said.ends(
        1,
        &[
            "error[traffic/subset-not-declared]",
            "routes/reviews.yaml:10:17",
            "note: this change deletes DestinationRule \"reviews\", which stood in rules/reviews.yaml",
            "1 error in",
        ],
    );
    // Another one for the host is all that is needed.
    s.write("rules/other.yaml", rule.replace("name: reviews,", "name: other,"));
    s.run("check --since main").ends(0, &["no errors or warnings"]);
}

#[test]
fn a_host_that_the_change_deletes_is_not_misspelt() {
    let s = repository();
    std::fs::remove_file(s.path("services/ratings.yaml")).unwrap();
    s.write("services/rating.yaml", service("rating"));
    let said = s.run("check --since main");
    said.ends(1, &["no Service or ServiceEntry declares host \"ratings\""]).lacks(&["did you mean", "fix:"]);
}
