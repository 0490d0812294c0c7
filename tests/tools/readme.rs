//! The commands of the README that need a repository, helm or kustomize.

use crate::scratch::Scratch;
use crate::shell::{ROOT, bash, route, run};

pub(crate) const TESTS: &[crate::Test] = &[("commands that need other programs", commands)];

const SETUP: &str = r#"
git init --quiet --initial-branch main
git add --all
git commit --quiet --message base
git update-ref refs/remotes/origin/main HEAD
"#;

fn commands() {
    let readme = std::fs::read_to_string(format!("{ROOT}/README.md")).unwrap();
    let blocks = readme.split("```sh\n").skip(1).filter_map(|block| block.split("```").next());
    let commands: Vec<&str> = blocks.flat_map(str::lines).filter(|line| !line.is_empty()).collect();
    assert!(commands.len() > 5, "{commands:?}");
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: shop }\nspec: { replicas: 1 }\n";
    let s = Scratch::new(&[
        ("charts/shop/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n"),
        ("charts/shop/values.yaml", "replicas: 1\n"),
        ("charts/shop/templates/shop.yaml", &deployment.replace("replicas: 1", "replicas: {{ .Values.replicas }}")),
        ("values-prod.yaml", "replicas: 2\n"),
        ("overlays/prod/kustomization.yaml", "resources: [shop.yaml]\n"),
        ("overlays/prod/shop.yaml", deployment),
        ("manifests/shop.yaml", deployment),
        ("routes.yaml", &route("shop", "shop")),
    ]);
    bash(&s, SETUP).ends(0, &[]);
    let path = format!(
        "{}:{}",
        std::path::Path::new(env!("CARGO_BIN_EXE_plimsoll")).parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    for command in commands {
        run(&s.path(""), &[("PATH", &path)], command).ends(0, &["Judged:"]);
    }
}
