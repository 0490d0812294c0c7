//! Kustomizations, rendered by the real kustomize.

use crate::scratch::{REPLICAS, Scratch, deployment};

pub(crate) const TESTS: &[crate::Test] = &[
    ("findings name the file of the base", origins),
    ("a patch decides what is found", patches),
    ("kustomize's own complaint is shown", complaints),
];

const FLAGS: &str = "--no-cache --rules rules --select ops --format short";

fn repository() -> Scratch {
    let s = Scratch::new(&[REPLICAS]);
    let base = "resources: [cart.yaml, web.yaml]\nconfigMapGenerator: [{ name: c, literals: [a=b] }]\n";
    s.write("base/kustomization.yaml", base);
    s.write("base/cart.yaml", deployment("cart", 1));
    s.write("base/web.yaml", deployment("web", 1));
    for (name, replicas) in [("prod", 3), ("staging", 1)] {
        let text =
            format!("namePrefix: {name}-\nresources: [../../base]\nreplicas: [{{ name: cart, count: {replicas} }}]\n");
        s.write(&format!("overlays/{name}/kustomization.yaml"), text);
    }
    s
}

fn origins() {
    let s = repository();
    for folder in ["overlays/staging", "./overlays/staging/"] {
        s.run(&format!("check --kustomize {folder} {FLAGS}")).ends(
            1,
            &[
                "base/cart.yaml (rendered:",
                "error[ops/replicas] \"staging-cart\" runs 1",
                "base/web.yaml (rendered:",
                "2 errors",
            ],
        );
    }
    let report = s.run("check --kustomize overlays/staging --no-cache --rules rules --select ops --format json").json();
    assert_eq!(report["findings"][0]["location"]["template"], "base/cart.yaml");
    assert_eq!(report["findings"][0]["location"]["path"], "overlays/staging/<kustomize>");
}

fn patches() {
    let s = repository();
    s.run(&format!("check --kustomize overlays/prod {FLAGS}")).ends(1, &["\"prod-web\" runs 1", "1 error in"]);
    s.run(&format!("check --render {FLAGS} -v")).ends(
        1,
        &[
            "\"staging-cart\" runs 1",
            "base/cart.yaml: rendered by overlays/prod",
            "Rendered: kustomize build overlays/prod",
            "3 errors",
        ],
    );
    // Without it nothing is claimed about what overlays change.
    s.run(&format!("check {FLAGS}")).ends(1, &["base/web.yaml:7:13", "1 error in", "--render"]);
}

fn complaints() {
    let s = repository();
    s.write("overlays/prod/kustomization.yaml", "resources: [../../base]\npatches: [{ path: gone.yaml }]\n");
    s.run(&format!("check --kustomize overlays/prod {FLAGS}"))
        .ends(2, &["kustomization \"overlays/prod\" can't be rendered", "gone.yaml"]);
    s.run(&format!("check --render {FLAGS}")).ends(2, &["gone.yaml", "\"staging-cart\" runs 1"]);
}
