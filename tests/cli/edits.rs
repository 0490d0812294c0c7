//! `--fix` and `--diff`.

use super::scratch::{OURS, Scratch, deployment, shop, snapshot};

/// A file in which nothing but one number may change.
const AWKWARD: &str = "# top   \r\n\r\napiVersion: apps/v1\r\nkind:   Deployment # kept\r\nmetadata: { name: cart,   namespace: shop,\r\n  labels: {team: x} }\r\nspec:\r\n    replicas:   1   # one, ü\r\n    x: |\r\n      text\r\n\r\n# end";

fn fix(s: &Scratch, flags: &str) -> super::scratch::Said {
    s.run(&format!("check . {OURS} {flags}"))
}

#[test]
fn fix_changes_the_value_and_not_one_other_byte() {
    let s = shop();
    s.write("a.yaml", AWKWARD);
    fix(&s, "--fix").ends(0, &["no errors or warnings"]).complains(&["1 fix applied in 1 file"]);
    assert_eq!(s.read("a.yaml"), AWKWARD.replace("replicas:   1 ", "replicas:   2 "));
}

#[test]
fn a_second_round_changes_nothing() {
    let s = shop();
    fix(&s, "--fix=unsafe").complains(&["2 fixes applied in 1 file"]);
    let once = s.read("a.yaml");
    let modified = |s: &Scratch| s.path("a.yaml").metadata().unwrap().modified().unwrap();
    let before = modified(&s);
    fix(&s, "--fix=unsafe").complains(&["0 fixes applied in 0 files"]);
    assert_eq!((s.read("a.yaml"), modified(&s)), (once, before));
}

#[test]
fn fix_is_safe_and_unsafe_needs_a_word() {
    let s = shop();
    fix(&s, "--fix").ends(0, &["team/owner", "(plimsoll check --fix=unsafe)"]);
    assert_eq!(s.read("a.yaml"), deployment("cart", 2));
    fix(&s, "--fix=unsafe").lacks(&["\"cart\" has no owner"]);
    assert!(s.read("a.yaml").contains("labels: { team: a }"), "{}", s.read("a.yaml"));
    fix(&s, "--fix=maybe").ends(2, &[]);
}

#[test]
fn the_status_after_a_fix_is_that_of_what_is_left() {
    let s = shop();
    s.write("b.yaml", deployment("web", 1).replace("replicas: 1", "replicas: 1 # plimsoll: ignore[ops]: small"));
    assert_eq!(fix(&s, "--fix --fail-on warning").status, 1);
    assert_eq!(fix(&s, "--fix").status, 0);
    assert!(s.read("b.yaml").contains("replicas: 1 #"), "what is suppressed is not fixed");
}

#[test]
fn diff_shows_and_changes_nothing() {
    let s = shop();
    let said = fix(&s, "--diff");
    snapshot("diff", &said.to_string());
    assert_eq!(s.read("a.yaml"), deployment("cart", 1));
    assert_eq!(fix(&s, "--diff --fix=unsafe").out.matches("\n+").count(), 3, "{}", fix(&s, "--diff --fix=unsafe"));
    s.write("a.yaml", deployment("cart", 2));
    assert_eq!((fix(&s, "--diff").status, fix(&s, "--diff").out.as_str()), (0, ""));
}

#[test]
fn what_a_tool_wrote_is_never_edited() {
    let s = shop();
    let text = deployment("cart", 1);
    let generated = [
        ("helm.yaml", format!("---\n# Source: shop/templates/cart.yaml\n{text}")),
        (
            "kustomize.yaml",
            text.replace("  name:", "  annotations:\n    config.kubernetes.io/origin: |\n      path: x\n  name:"),
        ),
        ("dump.yaml", text.replace("  name:", "  uid: 0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f\n  name:")),
        ("sops.yaml", format!("{text}sops:\n  mac: x\n")),
    ];
    std::fs::remove_file(s.path("a.yaml")).unwrap();
    for (i, (name, text)) in generated.iter().enumerate() {
        s.write(name, text.replace("name: cart", &format!("name: cart{i}")));
    }
    let before: Vec<String> = generated.iter().map(|(name, _)| s.read(name)).collect();
    assert_eq!(fix(&s, "--diff").out, "");
    fix(&s, "--fix=unsafe").ends(1, &["ops/replicas"]).complains(&["0 fixes applied in 0 files"]);
    let after: Vec<String> = generated.iter().map(|(name, _)| s.read(name)).collect();
    assert_eq!(before, after);
}

#[test]
fn standard_input_is_never_edited() {
    let s = shop();
    let said = s.pipe(deployment("cart", 1), &format!("check - {OURS} --fix"));
    said.ends(1, &["ops/replicas"]).complains(&["0 fixes applied in 0 files"]);
}

#[test]
fn many_files_are_fixed_in_one_run() {
    let s = shop();
    for i in 0..20 {
        s.write(&format!("m/{i}.yaml"), deployment(&format!("w{i}"), 1) + "---\n" + &deployment(&format!("x{i}"), 0));
    }
    fix(&s, "--fix").ends(0, &[]).complains(&["41 fixes applied in 21 files"]);
    assert_eq!(s.read("m/7.yaml"), deployment("w7", 2) + "---\n" + &deployment("x7", 2));
}

#[test]
fn a_broken_document_keeps_its_bytes() {
    let s = shop();
    let broken = "---\nkind: [\n\tx\n";
    s.write("a.yaml", deployment("cart", 1) + broken);
    fix(&s, "--fix").ends(3, &["yaml/invalid"]);
    assert_eq!(s.read("a.yaml"), deployment("cart", 2) + broken);
}

#[test]
fn a_rule_that_cannot_be_used_ends_fix_and_diff_with_2() {
    let s = shop();
    s.write("rules/x/bad.rhai", "nonsense");
    fix(&s, "--diff").ends(2, &["+  replicas: 2"]).complains(&["rule has no header"]);
    fix(&s, "--fix").ends(2, &["rule has no header"]);
    assert_eq!(s.read("a.yaml"), deployment("cart", 2));
}

#[test]
fn fixes_that_undo_each_other_end() {
    let s = shop();
    let other = s.read("rules/ops/replicas.rhai").replace("replicas < param", "replicas >= param");
    s.write("rules/ops/fewer.rhai", other.replace("set(replicas, param(\"least\"))", "set(replicas, 1)"));
    fix(&s, "--fix --ignore owner").complains(&["fixes undo each other"]);
}

#[test]
fn an_unused_suppression_is_removed() {
    let s = shop();
    let text = "apiVersion: v1\nkind: Service\nmetadata:\n  name: cart # plimsoll: ignore[host-not-found]: old\n  namespace: shop\n";
    s.write("a.yaml", text);
    s.run("check a.yaml --fix").ends(0, &[]).complains(&["1 fix applied in 1 file"]);
    assert_eq!(s.read("a.yaml"), text.replace(" # plimsoll: ignore[host-not-found]: old", ""));
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_written_is_2_and_keeps_its_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let s = shop();
    std::fs::set_permissions(s.path("a.yaml"), std::fs::Permissions::from_mode(0o444)).unwrap();
    fix(&s, "--fix").ends(2, &[]).complains(&["a.yaml", "permission denied"]);
    std::fs::set_permissions(s.path("a.yaml"), std::fs::Permissions::from_mode(0o640)).unwrap();
    fix(&s, "--fix").ends(0, &[]);
    assert_eq!(s.path("a.yaml").metadata().unwrap().permissions().mode() & 0o777, 0o640);
}
