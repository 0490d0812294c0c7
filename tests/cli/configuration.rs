//! `plimsoll.yaml`: where it is found, what it changes, and how its mistakes are told.

use super::scratch::Scratch;

const ISTIOD: &str = include_str!("../../examples/broken/istiod.yaml");

fn scratch(config: &str) -> Scratch {
    let s = Scratch::new(&[("manifests/a.yaml", MEMORY), ("plimsoll.yaml", config)]);
    s.write(".git/HEAD", "ref: refs/heads/main\n");
    s
}

/// A sidecar with too little memory.
const MEMORY: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop, labels: {tier: front}}\nspec:\n  template:\n    metadata:\n      labels: {sidecar.istio.io/inject: \"true\"}\n      annotations: {sidecar.istio.io/proxyMemoryLimit: 64Mi, sidecar.istio.io/proxyMemory: 64Mi, sidecar.istio.io/proxyCPU: 100m, sidecar.istio.io/proxyCPULimit: \"1\"}\n    spec: {containers: [{name: app, image: web}]}\n";

const FOUND: &str = "[resources/proxy-memory-limit-too-low]";

#[test]
fn it_is_found_upwards_to_the_root_of_the_repository() {
    let s = scratch("severity: {proxy-memory-limit-too-low: error}\n");
    s.run("check --format short").ends(1, &["manifests/a.yaml:8:56: error[resources/"]);
    s.run("check manifests/a.yaml --format short").ends(1, &["error[resources/"]);
    s.run("check manifests --no-config --format short").ends(0, &["warning[resources/"]);
    // A repository inside knows nothing of it.
    s.write("manifests/.git/HEAD", "");
    s.run("check manifests --format short").ends(0, &["warning[resources/"]);
    s.write("other.yaml", "severity: {resources: info}\n");
    s.run("check manifests --config other.yaml --format short").ends(0, &["no errors or warnings (1 info"]);
    s.run("check --config nowhere.yaml").ends(2, &[]).complains(&["configuration \"nowhere.yaml\" can't be read"]);
}

#[test]
fn severities_and_parameters_by_rule_topic_and_alias() {
    let with = |config: &str| scratch(config).run("check --format short --min-severity info");
    with("severity: {resources: info}\n").ends(0, &["info[resources/"]);
    // The rule wins over its topic.
    with("severity: {resources: error, proxy-memory-limit-too-low: info}\n").ends(0, &["info[resources/"]);
    let off = with("severity: {resources: off}\n");
    off.ends(0, &["no findings", "Configuration: plimsoll.yaml (--show-settings tells what it changes)"]);
    with("params: {proxy-memory-limit-too-low: {least: 32Mi}}\n").ends(0, &["no findings"]);
    // The command line wins.
    let s = scratch("params: {proxy-memory-limit-too-low: {least: 32Mi}}\n");
    s.run("check --format short --param proxy-memory-limit-too-low.least=1Gi").ends(0, &[FOUND]);
    let s = scratch("severity: {resources: off}\n");
    s.run("check --format short --select resources").ends(0, &[FOUND]);
}

#[test]
fn overrides_hold_where_they_match() {
    let on = |matching: &str, then: &str| {
        let s = scratch(&format!("overrides:\n- match: {{{matching}}}\n  {then}\n"));
        s.run("check --format short --min-severity info").out
    };
    for (matching, fits) in [
        ("paths: [manifests]", true),
        ("paths: [other]", false),
        ("namespace: shop", true),
        ("namespace: [web, test]", false),
        ("kind: Deployment", true),
        ("kind: StatefulSet", false),
        ("labels: {tier: front}", true),
        ("labels: {tier: back}", false),
        ("environment: prod", true),
        ("environment: test", false),
        ("namespace: shop, kind: Pod", false),
    ] {
        let off = on(matching, "severity: {resources: off}");
        assert_eq!(off.contains(FOUND), !fits, "{matching}\n{off}");
        let graver = on(matching, "severity: {proxy-memory-limit-too-low: error}");
        assert_eq!(graver.contains("error[resources/"), fits, "{matching}\n{graver}");
        let milder = on(matching, "params: {proxy-memory-limit-too-low: {least: 32Mi}}");
        assert_eq!(milder.contains(FOUND), !fits, "{matching}\n{milder}");
    }
}

#[test]
fn excluded_files_are_not_read() {
    let s = scratch("exclude: [\"**/generated/**\", manifests/b.yaml]\n");
    s.write("manifests/generated/x.yaml", MEMORY);
    s.write("manifests/b.yaml", MEMORY);
    s.run("check --show-files").ends(0, &["manifests/a.yaml\n"]);
    // Hooks name files; what is excluded stays so.
    s.run("check -v manifests/b.yaml").ends(4, &["Skipped: manifests/b.yaml: excluded by \"manifests/b.yaml\""]);
}

#[test]
fn rules_and_tables_of_the_configuration() {
    let s = scratch("rules: [policies]\ntables: {teams: teams.yaml}\n");
    s.write("teams.yaml", "source: us\ndate: \"2026-11-22\"\nrows:\n  shop: {team: blue}\n");
    let rule = "//! ---\n//! severity: error\n//! checks: Deployment\n//! ---\n//! # no team\n//!\n//! Nobody answers.\n\nfn check(deployment, mesh) {\n    report(deployment.metadata.namespace, `of team ${table(\"teams\").row(\"shop\").team}`);\n}\n";
    s.write("policies/team.rhai", rule);
    s.run("check --format short").ends(1, &["error[custom/team] of team blue"]);
    s.run("rules").ends(0, &["custom/team"]);
    s.run("explain team").ends(0, &["Nobody answers"]);
    s.run("test").ends(1, &["FAIL  custom/team"]);
    scratch("rules: [nowhere]\n")
        .run("check")
        .ends(2, &[])
        .complains(&["rules folder \"nowhere\" is not there", "nowhere"]);
}

#[test]
fn a_table_of_the_configuration_replaces_a_built_in_one_and_grows_old() {
    let istiod = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: istiod, namespace: istio-system}\nspec: {template: {metadata: {labels: {app: istiod}}, spec: {containers: [{name: discovery, image: 'istio/pilot:1.20.3'}]}}}\n";
    let table = |date: &str| {
        format!(
            "source: us\ndate: {date}\nrows:\n  \"1.20\": {{ end_of_life: 2027-03-31, kubernetes: [], tested: [] }}\n"
        )
    };
    let own = scratch("tables: {istio-releases: releases.yaml}\n");
    own.write("istiod.yaml", istiod);
    let run = |today: &str| own.run(&format!("check --format json --select istio-eol --today {today} istiod.yaml"));
    own.write("releases.yaml", table("2026-11-22"));
    run("2026-11-24").ends(0, &["\"warnings\": 0"]);
    run("2027-04-01").ends(0, &["out of support on 2027-03-31"]).lacks(&["older than a year"]);
    own.write("releases.yaml", table("2026-01-01"));
    run("2027-04-01").ends(0, &["out of support on 2027-03-31", "of 2026-01-01, which is older than a year"]);
    let built_in = scratch("severity: {}\n");
    built_in.write("istiod.yaml", istiod);
    built_in
        .run("check --select istio-eol --today 2026-11-24 istiod.yaml")
        .ends(0, &["Istio 1.20 went out of support on 2024-06-25"]);
}

#[test]
fn mistakes_are_drawn_in_the_file() {
    for (config, parts) in [
        (
            "severty: {}\n",
            &["configuration has no key \"severty\"", "did you mean \"severity\"?", "plimsoll.yaml:1:1"][..],
        ),
        (
            "severity:\n  resorces: off\n",
            &["no rule, topic or alias is called \"resorces\"", "did you mean \"resources\"?"],
        ),
        (
            "params: {istiod-memory-below-tier: {many_object: 3}}\n",
            &["has no parameter \"many_object\"", "many_objects"],
        ),
        ("params: {istiod-memory-below-tier: {many_objects: many}}\n", &["plimsoll.yaml:1:", "many"]),
        ("complete: [Servce]\n", &["did you mean \"Service\"?"]),
        ("externals: [Service/api]\n", &["Service has a namespace"]),
        ("assume: {istio: new}\n", &["\"new\" is no version such as 1.30"]),
        ("today: soon\n", &["\"soon\" is not written as 2026-11-24"]),
        ("exclude: [\"a[\"]\n", &["pattern can't be used"]),
        ("- a\n", &["keys and values are wanted"]),
        ("exclude: a\n", &["\"exclude\" can't be used: string \"a\", a list is wanted"]),
        ("clusters: {eu: {files: [a]}}\noverrides: [{match: {cluster: us}}]\n", &["no cluster is called \"us\""]),
        ("a: b: c\n", &["configuration can't be read"]),
    ] {
        scratch(config).run("check").ends(2, &[]).complains(parts);
    }
}

#[test]
fn show_settings_says_what_holds_and_can_be_read_again() {
    let s = scratch(
        "severity: {sizing: off}\nassume: {istio: 1.30}\nexclude: [x]\nclusters: {eu: {files: [eu], assume: {environment: test}}}\n",
    );
    let said = s.run("check --show-settings --today 2026-01-02 --assume cni=cilium");
    said.ends(
        0,
        &[
            "# configuration: plimsoll.yaml\n",
            "today: \"2026-01-02\"\n",
            "  istio: \"1.30\"\n",
            "  cni: \"cilium\"\n",
            "  sizing/istiod-memory-below-tier: off\n",
            "# environment test\n",
        ],
    );
    s.write("again.yaml", &said.out);
    let again = s.run("check --show-settings --config again.yaml");
    assert_eq!(again.status, 0, "{}", again.err);
    assert_eq!(
        again.out.lines().skip(1).collect::<Vec<_>>(),
        said.out.replace("# environment test", "# environment prod").lines().skip(1).collect::<Vec<_>>()
    );
}

#[test]
fn init_writes_what_it_guesses_once() {
    let s = Scratch::new(&[
        ("envs/prod/a.yaml", ISTIOD),
        ("envs/test/a.yaml", ISTIOD),
        ("base/a.yaml", MEMORY),
        ("x.yaml", &MEMORY.replace("name: web", "name: x")),
    ]);
    s.run("init").ends(0, &["plimsoll.yaml"]);
    let text = s.read("plimsoll.yaml");
    for part in ["  prod:\n    files: [envs/prod]\n", "  test:\n    files: [envs/test]\n", "shared: [base, x.yaml]\n"] {
        assert!(text.contains(part), "{text}");
    }
    s.run("init").ends(2, &[]).complains(&["plimsoll.yaml is there already"]);
    s.run("clusters").ends(0, &["envs/prod/a.yaml  prod   clusters: \"envs/prod\"", "shared: \"base\""]);
    // Every key that stands in a comment is one that can be read.
    let all: String = text
        .lines()
        .skip_while(|l| !l.starts_with("# What the manifests"))
        .filter_map(|l| l.strip_prefix("# "))
        .filter(|l| {
            l.contains(": ") && !l.ends_with('.') || l.ends_with(':') || l.starts_with("- ") || l.starts_with("  ")
        })
        .filter(|l| !l.contains("does not exist"))
        .map(|l| format!("{l}\n"))
        .collect();
    s.write("policies/x.txt", "");
    s.write("all.yaml", &all);
    s.run("check --config all.yaml --show-settings").ends(0, &["injection: \"sidecar\"", "rules:\n"]);
}

#[test]
fn the_schema_knows_every_key() {
    let s = Scratch::new(&[("a", "")]);
    let schema = s.run("config schema").json();
    let keys: Vec<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    for key in [
        "rules",
        "severity",
        "params",
        "overrides",
        "clusters",
        "shared",
        "assume",
        "complete",
        "externals",
        "today",
        "namespace",
        "preset",
        "tables",
        "exclude",
        "charts",
        "render",
        "ignore",
        "baseline",
    ] {
        assert!(keys.contains(&key), "{key}");
    }
    assert_eq!(keys.len(), 18);
    assert!(schema["properties"].as_object().unwrap().values().all(|p| p["description"].is_string()), "{schema:#}");
}

#[test]
fn a_configuration_of_strangers_reads_nothing_outside() {
    let outside = Scratch::new(&[("secret.yaml", "password: hunter2\n"), ("x.rhai", "hunter2\n")]);
    let path = outside.path("").display().to_string();
    for config in [
        format!("tables: {{t: {path}/secret.yaml}}\n"),
        format!("rules: [{path}]\n"),
        "rules: [../..]\n".to_string(),
        "tables: {t: ../../secret.yaml}\n".to_string(),
    ] {
        let said = scratch(&config).run("check");
        said.ends(2, &[]).complains(&["leads out of the configuration's folder"]);
        assert!(!said.err.contains("hunter2") && !said.out.contains("hunter2"), "{said}");
    }
    #[cfg(unix)]
    {
        let s = scratch("rules: [policies]\n");
        s.write("policies/a/ok.txt", "");
        std::os::unix::fs::symlink(outside.path("x.rhai"), s.path("policies/a/x.rhai")).unwrap();
        let said = s.run("check");
        said.ends(2, &["policies/a/x.rhai\" is a link that leads out of its folder"]);
        assert!(!said.err.contains("hunter2") && !said.out.contains("hunter2"), "{said}");
        // A configuration that is a link is none.
        let s = Scratch::new(&[("a.yaml", MEMORY)]);
        std::os::unix::fs::symlink(outside.path("secret.yaml"), s.path("plimsoll.yaml")).unwrap();
        s.run("check").ends(0, &[FOUND]);
        let said = s.run("check --config plimsoll.yaml");
        said.ends(2, &[]).complains(&["is a link that leads out of its folder"]);
        assert!(!said.err.contains("hunter2"), "{said}");
        // Neither is a kustomization beside a named file.
        let s = Scratch::new(&[("p/a.yaml", MEMORY)]);
        std::os::unix::fs::symlink(outside.path("secret.yaml"), s.path("p/kustomization.yaml")).unwrap();
        let said = s.run("check p/a.yaml");
        assert!(said.out.contains(FOUND) && !said.out.contains("hunter2"), "{said}");
    }
}

#[test]
fn without_a_repository_the_current_folder_counts() {
    let s = Scratch::new(&[("m/a.yaml", MEMORY), ("plimsoll.yaml", "severity: {resources: error}\n")]);
    s.run("check m --format short").ends(1, &["error[resources/"]);
    s.run("check . --format short").ends(1, &["error[resources/"]);
}

#[test]
fn what_rust_finds_has_a_severity_too() {
    let s = scratch("severity: {suppression: error, yaml/duplicate-key: info}\n");
    s.write(
        "manifests/b.yaml",
        "apiVersion: v1\nkind: Service\nmetadata: {name: b}\n# plimsoll: ignore\nspec: {a: 1, a: 2}\n",
    );
    s.run("check --format short --min-severity info")
        .ends(1, &["error[suppression/malformed]", "info[yaml/duplicate-key]"]);
}
