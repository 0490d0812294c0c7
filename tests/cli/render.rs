//! `--helm`, `--kustomize`, `--render` and `charts`, with stand-ins for the programs: what plimsoll asks
//! of them and makes of their answers. `tests/tools` runs the real ones.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;

use super::scratch::{Said, Scratch, git, said};

/// Prints a Deployment whose replicas are the last of the values files, or 1, in the way of helm.
const HELM: &str = r##"#!/bin/sh
echo "$@" >> "$LOG"
chart="$3"
values=1
namespace=default
while [ $# -gt 0 ]; do
    case "$1" in
        --values) values=$(sed -n 's/^replicas: //p' "$2"); ack=$(sed -n 's/^ack: //p' "$2") ;;
        --namespace) namespace="$2" ;;
    esac
    shift
done
if [ "$values" = broken ]; then
    echo 'WARNING: something else' >&2
    printf 'Error: template: shop/templates/deployment.yaml:6:22: nil pointer\n\nUse --debug flag\n' >&2
    exit 1
fi
printf -- '---\n# Source: shop/templates/deployment.yaml\n'
printf 'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: shop\n'
if [ -n "$ack" ]; then printf '  annotations:\n    ignore.plimsoll.dev/replicas: "%s"\n' "$ack"; fi
printf 'spec:\n  replicas: %s\n' "$values"
"##;

const TEMPLATE: &str =
    "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: shop\nspec:\n  replicas: {{ .Values.replicas }}\n";

/// Prints the resources that a kustomization lists, with the origins that its overlay asks for.
const KUSTOMIZE: &str = r##"#!/bin/sh
echo "$@" >> "$LOG"
if [ ! -f "$2/kustomization.yaml" ]; then exit 1; fi
base=$(sed -n 's/^- \.\./../p' "$2/kustomization.yaml")
sed "s|ORIGIN|$base/deployment.yaml|" "$2/$base/out.txt"
"##;

const KUSTOMIZED: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  annotations:\n    config.kubernetes.io/origin: |\n      path: ORIGIN\n  name: shop\nspec:\n  replicas: 1\n";

fn shop(files: &[(&str, &str)]) -> Scratch {
    let s = Scratch::new(&[super::scratch::REPLICAS]);
    s.write("bin/helm", HELM);
    s.write("bin/kustomize", KUSTOMIZE);
    for program in ["bin/helm", "bin/kustomize"] {
        std::fs::set_permissions(s.path(program), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    s.write("charts/shop/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n");
    s.write("charts/shop/values.yaml", "replicas: 1\n");
    s.write("charts/shop/templates/deployment.yaml", TEMPLATE);
    files.iter().for_each(|(name, text)| s.write(name, text));
    s
}

/// Runs with the stand-ins alone on the path, and a cache that belongs to the folder.
fn run(s: &Scratch, arguments: &str) -> Said {
    let path = format!("{}:/usr/bin:/bin", s.path("bin").display());
    let mut command = s.command(&format!("{arguments} --rules rules --select ops,yaml"));
    command.env("PATH", path).env("PLIMSOLL_CACHE_DIR", s.path(".cache")).env("LOG", s.path("log"));
    said(&mut command, b"")
}

/// How often a program was asked.
fn asked(s: &Scratch) -> Vec<String> {
    let log = std::fs::read_to_string(s.path("log")).unwrap_or_default();
    log.lines().map(str::to_string).collect()
}

#[test]
fn a_chart_is_rendered_and_its_template_and_values_are_named() {
    let s = shop(&[("prod.yaml", "replicas: 1\n")]);
    let said =
        run(&s, "check --helm charts/shop -f prod.yaml --set a=b --release r --namespace n --kube-version 1.34 -v");
    said.ends(
        1,
        &[
            "[charts/shop/templates/deployment.yaml (rendered:8)]",
            "values: the template reads `replicas` at \"replicas\"; it may set this",
            "Rendered: helm template r charts/shop --namespace n --kube-version 1.34 --values prod.yaml --set a=b --skip-tests",
        ],
    )
    .lacks(&["fix:", "--fix"]);
    assert_eq!(asked(&s).len(), 1);
    let report = run(&s, "check --helm ./charts/shop/ --format json").json();
    let location = &report["findings"][0]["location"];
    assert_eq!(location["path"], "charts/shop/<helm>");
    assert_eq!(location["template"], "charts/shop/templates/deployment.yaml");
    assert_eq!(location["line"], 8);
    assert_eq!(report["findings"][0]["resource"]["namespace"], "default");
    let short = run(&s, "check --helm charts/shop --format short");
    short.ends(1, &["charts/shop/templates/deployment.yaml (rendered:8): error[ops/replicas]"]);
}

#[test]
fn renderings_are_kept_by_their_content() {
    let s = shop(&[]);
    run(&s, "check --helm charts/shop").ends(1, &[]);
    run(&s, "check --helm charts/shop").ends(1, &[]);
    assert_eq!(asked(&s).len(), 1);
    run(&s, "check --helm charts/shop --no-cache").ends(1, &[]);
    assert_eq!(asked(&s).len(), 2);
    s.write("charts/shop/templates/_helpers.tpl", "{{/* another */}}");
    run(&s, "check --helm charts/shop").ends(1, &[]);
    assert_eq!(asked(&s).len(), 3);
    run(&s, "check --helm charts/shop --set a=c").ends(1, &[]);
    assert_eq!(asked(&s).len(), 4);
}

#[test]
fn sets_of_values_are_clusters_and_what_is_alike_is_said_once() {
    let config = "charts:\n- path: charts/shop\n  namespace: shop\n  values:\n    dev: [dev.yaml]\n    prod: [prod.yaml]\n    staging: [staging.yaml]\n";
    let s = shop(&[
        ("plimsoll.yaml", config),
        ("dev.yaml", "replicas: 2\n"),
        ("prod.yaml", "replicas: 1\n"),
        ("staging.yaml", "replicas: 1\n"),
        ("shared.yaml", &super::scratch::deployment("shared", 1)),
    ]);
    let report = run(&s, "check --format json").json();
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 2, "{findings:?}");
    let clusters =
        |n: usize| findings[n]["clusters"].as_array().unwrap().iter().map(|c| c.as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(clusters(0), ["prod", "staging"]);
    assert_eq!(findings[0]["location"]["path"], "charts/shop/<helm prod>");
    assert_eq!(findings[0]["resource"]["namespace"], "shop");
    assert_eq!(findings[1]["location"]["path"], "shared.yaml");
    assert_eq!(clusters(1), ["dev", "prod", "staging"]);
    run(&s, "check").ends(1, &["clusters: prod, staging"]).lacks(&["raw chart templates"]);
    run(&s, "check --no-render").ends(1, &["raw chart templates; render them: --render"]).lacks(&["charts/shop/<helm"]);
    // What lies elsewhere is not asked for.
    run(&s, "check shared.yaml").ends(1, &["1 error in 1 file"]);
    s.write(
        "plimsoll.yaml",
        "charts:\n- path: charts/nope\n- path: charts/shop\n  values: { a: [nope.yaml] }\n- path: ../x\n",
    );
    run(&s, "check").ends(2, &[]).complains(&[
        "\"charts/nope\" is not there",
        "\"nope.yaml\" is not there",
        "\"../x\"",
    ]);
}

#[test]
fn render_finds_charts_and_overlays() {
    let s = shop(&[
        ("overlays/prod/kustomization.yaml", "resources: [deployment.yaml]\n"),
        ("overlays/prod/deployment.yaml", &super::scratch::deployment("shop", 1)),
        ("overlays/prod/out.txt", KUSTOMIZED),
        ("remote/kustomization.yaml", "resources: [\"https://example.com/x.yaml\"]\n"),
        ("git/kustomization.yaml", "resources: [github.com/a/b]\n"),
        ("lib/Chart.yaml", "name: lib\ntype: library\n"),
        ("needy/Chart.yaml", "name: needy\ndependencies: [{ name: redis, repository: \"https://example.com\" }]\n"),
        ("given/Chart.yaml", "name: given\n"),
        (
            "release.yaml",
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: { name: given }\nspec:\n  chart:\n    spec:\n      chart: ./x/given\n",
        ),
    ]);
    std::fs::create_dir(s.path("x")).unwrap();
    std::fs::rename(s.path("given"), s.path("x/given")).unwrap();
    let said = run(&s, "check --render -v --format short");
    said.ends(
        1,
        &[
            "charts/shop/templates/deployment.yaml (rendered:8): error[ops/replicas]",
            "overlays/prod/deployment.yaml (rendered:9): error[ops/replicas]",
            "overlays/prod/deployment.yaml: rendered by overlays/prod",
            "Rendered: helm template shop charts/shop --namespace shop --skip-tests",
            "Rendered: kustomize build overlays/prod",
            "remote: not rendered: it names https://example.com/x.yaml",
            "git: not rendered: it names github.com/a/b",
            "lib: not rendered: a library chart",
            "needy: not rendered: its dependencies are not there (redis): helm dependency build needy",
            "x/given: not rendered: release.yaml installs it with values of its own",
            "2 errors",
        ],
    )
    .lacks(&["raw chart templates"]);
    let plain = run(&s, "check --format short");
    plain.ends(1, &["overlays/prod/deployment.yaml:7:13: error[ops/replicas]", "charts/shop: raw chart templates"]);
    s.write("plimsoll.yaml", "render: true\n");
    run(&s, "check --format short").ends(1, &["2 errors"]);
    run(&s, "check --no-render --format short").ends(1, &["1 error"]);
}

#[test]
fn a_kustomization_names_the_files_of_its_base() {
    let s = shop(&[
        ("base/kustomization.yaml", "resources: [deployment.yaml]\n"),
        ("base/deployment.yaml", &super::scratch::deployment("shop", 1)),
        ("base/out.txt", KUSTOMIZED),
    ]);
    for folder in ["base", "./base", "base/"] {
        let report = run(&s, &format!("check --kustomize {folder} --format json")).json();
        let location = &report["findings"][0]["location"];
        assert_eq!(location["path"], "base/<kustomize>");
        assert_eq!(location["template"], "base/deployment.yaml");
    }
    assert_eq!(asked(&s).len(), 1);
    let report = run(&s, "check base --kustomize base --format json").json();
    assert_eq!(report["summary"]["resources"], 1);
}

#[test]
fn what_can_not_be_rendered_is_told_and_hides_nothing() {
    let s = shop(&[
        ("bad.yaml", "replicas: broken\n"),
        ("a.yaml", &super::scratch::deployment("cart", 1)),
        ("far/kustomization.yaml", "bases: [../gone]\n"),
    ]);
    let told = |arguments: &str, parts: &[&str]| {
        let said = run(&s, &format!("check {arguments}"));
        let text = format!("{}{}", said.out, said.err);
        assert_eq!(said.status, 2, "{said}");
        parts.iter().for_each(|part| assert!(text.contains(part), "no {part:?} in {said}"));
        said
    };
    told(
        "--helm charts/shop -f bad.yaml",
        &["chart \"charts/shop\" can't be rendered: template: shop/templates/deployment.yaml:6:22: nil"],
    );
    told("a.yaml --helm charts/shop -f bad.yaml", &["error[ops/replicas]", "deployment.yaml:6:22: nil"]);
    told("--helm charts/nope", &["chart \"charts/nope\" is not there"]);
    told("--helm istio/istiod", &["`helm pull --untar istio/istiod` first"]);
    told("--helm bin", &["chart \"bin\" has no Chart.yaml"]);
    told("--kustomize bin", &["kustomization \"bin\" has no kustomization.yaml"]);
    told("--kustomize far", &["it names ../gone, which is not on disk"]);
    told("-f bad.yaml", &["--helm"]);
    std::fs::remove_file(s.path("bin/helm")).unwrap();
    let mut command = s.command("check --helm charts/shop");
    said(command.env("PATH", s.path("bin")), b"")
        .ends(2, &["helm is not installed", "https://helm.sh/docs/intro/install/"]);
}

#[test]
fn a_rendering_never_reaches_the_network() {
    let s = shop(&[]);
    s.write(
        "bin/helm",
        "#!/bin/sh\necho \"apiVersion: v1\nkind: $HTTPS_PROXY-$GIT_ALLOW_PROTOCOL\nmetadata: {name: a}\"\n",
    );
    let said = run(&s, "check --helm charts/shop --format json");
    assert_eq!(said.json()["summary"]["resources"], 1);
    let cached = std::fs::read_dir(s.path(".cache/rendered")).unwrap().next().unwrap().unwrap().path();
    assert!(std::fs::read_to_string(&cached).unwrap().contains("kind: http://127.0.0.1:9-none"));
    let mode = cached.parent().unwrap().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0);
}

#[test]
fn since_and_focus_see_through_renderings() {
    let s = shop(&[
        ("plimsoll.yaml", "charts: [{ path: charts/shop, values: [prod.yaml] }]\n"),
        ("prod.yaml", "replicas: 2\n"),
    ]);
    s.write(".gitignore", "bin\n.cache\nlog\n");
    git(&s, "init --quiet --initial-branch main");
    git(&s, "add --all");
    git(&s, "commit --quiet --message base");
    run(&s, "check --since main").ends(0, &["0 old, 0 fixed or suppressed"]);
    s.write("prod.yaml", "replicas: 1\n");
    let found = "charts/shop/templates/deployment.yaml (rendered:8): error";
    run(&s, "check --since main --format short").ends(1, &[found, "0 old, 0 fixed or suppressed"]);
    // The base is a copy that lies elsewhere each time, and is rendered once.
    let before = asked(&s).len();
    run(&s, "check --since main --format short").ends(1, &[found]);
    assert_eq!(asked(&s).len(), before);
    for file in ["prod.yaml", "charts/shop/values.yaml", "charts/shop/templates/deployment.yaml", "charts"] {
        run(&s, &format!("check --focus {file} --format short")).ends(1, &[found]);
    }
    s.write("charts/shop/templates/other.yaml", "");
    run(&s, "check --focus rules --format short").ends(0, &["1 finding in other files"]);
    git(&s, "add --all");
    git(&s, "commit --quiet --message worse");
    run(&s, "check --since main --format short").ends(0, &["1 old, 0 fixed or suppressed"]);
    s.write("prod.yaml", "replicas: 3\n");
    run(&s, "check --since main --format short").ends(0, &["0 old, 1 fixed or suppressed"]);
}

#[test]
fn init_and_settings_know_charts() {
    let s = shop(&[("charts/shop/values-prod.yaml", ""), ("charts/shop/staging-values.yaml", "")]);
    let said = s.run("init --print");
    let parts = "# - path: charts/shop\n#   values: { staging: [charts/shop/staging-values.yaml], prod: [charts/shop/values-prod.yaml] }\n";
    said.ends(0, &[parts, "# render: true"]);
    s.write("plimsoll.yaml", "charts: [{ path: charts/shop, values: { prod: [a.yaml] } }]\nrender: true\n");
    s.run("check --show-settings")
        .ends(0, &["render: true\ncharts:\n- path: \"charts/shop\"\n  values: { \"prod\": [\"a.yaml\"] }\n"]);
    s.write("plimsoll.yaml", "charts: [{ path: charts/shop, value: [a.yaml] }]\n");
    s.run("check").ends(2, &[]).complains(&["has no key \"value\"", "did you mean \"values\"?"]);
}

#[test]
fn a_stranger_reaches_no_flag_of_helm() {
    let s = shop(&[]);
    s.write("plimsoll.yaml", "charts: [{ path: charts/shop, release: --post-renderer=./evil.sh }]\n");
    let said = run(&s, "check");
    said.ends(2, &["\"--post-renderer=./evil.sh\" is no name of a release"]);
    assert!(asked(&s).is_empty());
    let s = shop(&[]);
    std::fs::rename(s.path("charts/shop"), s.path("charts/--post-renderer=sh")).unwrap();
    run(&s, "check --render").ends(1, &["1 error"]);
    let asked = asked(&s);
    assert!(asked[0].starts_with("template release /"), "{asked:?}");
    assert!(!asked[0].split(' ').any(|word| word.starts_with("--post")), "{asked:?}");
}

#[test]
fn a_chart_with_links_that_lead_out_is_not_rendered() {
    let outside = Scratch::new(&[("secret", "hunter2")]);
    let s = shop(&[]);
    std::fs::create_dir(s.path("charts/shop/files")).unwrap();
    std::os::unix::fs::symlink(outside.path("secret"), s.path("charts/shop/files/c")).unwrap();
    let said = run(&s, "check --render");
    said.ends(2, &["\"files/c\" is a link that leads out of it"]);
    assert!(asked(&s).is_empty());
    std::fs::remove_file(s.path("charts/shop/files/c")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", s.path("charts/shop/requirements.yaml")).unwrap();
    run(&s, "check --render").ends(2, &["\"requirements.yaml\" is a link that leads out of it"]);
}

#[test]
fn a_chart_hides_no_other_input() {
    let s = shop(&[
        // A folder that is both: the overlay is not rendered because the chart is.
        ("charts/shop/kustomization.yaml", "resources: [evil.yaml, \"https://example.com/x\"]\n"),
        ("charts/shop/evil.yaml", &super::scratch::deployment("evil", 1)),
        ("charts/shop/charts/a/Chart.yaml", "name: a\n"),
        ("charts/shop/charts/a/templates/a.yaml", ""),
    ]);
    run(&s, "check --render --format short").ends(
        1,
        &[
            "charts/shop/evil.yaml:7:13: error[ops/replicas]",
            "charts/shop: not rendered: it names https://example.com/x",
            "charts/shop/charts/a: not in what charts/shop renders",
            "2 errors",
        ],
    );
}

#[test]
fn each_set_is_judged_by_its_own_suppressions_baseline_and_past() {
    let s = shop(&[
        ("plimsoll.yaml", "charts: [{ path: charts/shop, values: { prod: [prod.yaml], staging: [staging.yaml] } }]\n"),
        ("prod.yaml", "replicas: 1\n"),
        ("staging.yaml", "replicas: 2\n"),
        (".gitignore", "bin\n.cache\nlog\n"),
    ]);
    git(&s, "init --quiet --initial-branch main");
    git(&s, "add --all");
    git(&s, "commit --quiet --message base");
    s.run("baseline --rules rules --select ops,suppression").ends(2, &[]);
    let baseline = run(&s, "baseline");
    baseline.ends(0, &["1 finding"]);
    run(&s, "check").ends(0, &["1 finding in the baseline"]);
    s.write("staging.yaml", "replicas: 1\n");
    run(&s, "check").ends(1, &["clusters: staging", "1 error"]).lacks(&["clusters: prod"]);
    std::fs::remove_file(s.path("plimsoll-baseline.json")).unwrap();
    run(&s, "check").ends(1, &["clusters: prod, staging", "1 error"]);
    run(&s, "check --since main").ends(1, &["clusters: staging", "1 old, 0 fixed"]);
    run(&s, "check --focus staging.yaml").ends(1, &["clusters: staging", "1 error"]);
    s.write("prod.yaml", "replicas: 1\nack: one is enough\n");
    run(&s, "check").ends(1, &["clusters: staging", "1 finding suppressed"]);
    // A suppression that only one set needs is of use.
    s.write("prod.yaml", "replicas: 2\nack: one is enough\n");
    s.write("staging.yaml", "replicas: 1\nack: one is enough\n");
    run(&s, "check").ends(0, &["1 finding suppressed"]).lacks(&["suppression/unused"]);
    // Patterns mean the path that is shown.
    s.write("staging.yaml", "replicas: 1\n");
    s.write("prod.yaml", "replicas: 2\n");
    let config = s.read("plimsoll.yaml");
    s.write(
        "plimsoll.yaml",
        format!("{config}ignore: [{{ rules: [ops], paths: [charts/shop/templates], reason: a demo }}]\n"),
    );
    run(&s, "check").ends(0, &["1 finding suppressed"]);
}
