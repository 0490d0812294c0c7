//! `plimsoll snapshot`: the command that it prints, run by a shell with a kubectl that plays a cluster.

use std::process::Command;

use super::scratch::{Said, Scratch, said};

/// Answers what the printed line asks; `KUBECTL_FAILS` names the words with which it fails.
const KUBECTL: &str = r#"#!/bin/sh
echo "$*" | tr '\n' ' ' >> asked; echo >> asked
test -n "$KUBECTL_FAILS" && case "$*" in *"$KUBECTL_FAILS"*) exit 1 ;; esac
case "$*" in
  *api-resources*) printf 'pods\nservices\nsecrets\nnamespaces\nvirtualservices.networking.istio.io\nwidgets.example.com\n' ;;
  *secrets*) printf -- '---\napiVersion: v1\nkind: Secret\nmetadata: {name: "tls", namespace: "shop", uid: "s"}\ndata: { "tls.crt": "${NOT_COLLECTED}", }\n' ;;
  *) cat cluster.yaml ;;
esac
"#;

const CLUSTER: &str = "apiVersion: v1
kind: List
items:
- apiVersion: networking.istio.io/v1
  kind: VirtualService
  metadata: { name: web, namespace: shop, uid: v }
  spec: { hosts: [web], http: [{ route: [{ destination: { host: cart } }] }] }
- apiVersion: v1
  kind: Service
  metadata: { name: web, namespace: shop, uid: w }
";

fn cluster() -> Scratch {
    let s = Scratch::new(&[("bin/kubectl", KUBECTL), ("cluster.yaml", CLUSTER)]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(s.path("bin/kubectl"), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    s
}

fn run(s: &Scratch, line: &str, fails: &str) -> Said {
    let path = format!("{}:{}", s.path("bin").display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).current_dir(s.path("")).env("PATH", path).env("KUBECTL_FAILS", fails);
    said(&mut shell, b"")
}

#[test]
fn one_line_that_only_reads() {
    let s = Scratch::new(&[("x", "")]);
    let line = s
        .run("snapshot")
        .ends(0, &["deployments[.]apps", "get secrets --all-namespaces", "${NOT_COLLECTED}"])
        .out
        .clone();
    assert_eq!(line.lines().count(), 1);
    for word in line.split("kubectl ").skip(1) {
        let verb = word.split_whitespace().next().unwrap();
        assert!(matches!(verb, "get" | "api-resources"), "{verb}");
    }
    assert!(!line.contains("secrets|") && !line.contains("|secrets"), "values of Secrets are left out: {line}");
    s.run("snapshot --secrets").ends(0, &["|secrets|"]).lacks(&["go-template"]);
    s.run("snapshot --context it's").ends(0, &[r"kubectl --context 'it'\''s' get", r"'it'\''s' api-resources"]);
    let few = s.run("snapshot -n shop,istio-system");
    few.ends(0, &["for n in 'shop' 'istio-system'; do", "-n \"$n\" get", "# plimsoll: collected Namespace, Node"]);
    few.lacks(&["--all-namespaces", "collected ConfigMap", ", Service,"]);
}

#[test]
fn rules_of_the_project_say_what_to_collect() {
    let rule = "//! ---\n//! severity: info\n//! checks: Widget.example.com\n//! ---\n//! # widgets are fine\n//!\n//! Nothing happens.\n//!\n//! ## How to fix\n//!\n//! Nothing.\n\nfn check(widget, mesh) {\n    report(widget, \"it is a widget\");\n}\n";
    let s = Scratch::new(&[("rules/own/widget.rhai", rule)]);
    s.run("snapshot --rules rules").ends(0, &["|widgets[.]example[.]com", "Widget.example.com"]);
    s.run("snapshot").ends(0, &[]).lacks(&["widgets"]);
}

#[cfg(unix)]
#[test]
fn what_a_dump_says_it_holds_is_known_to_be_all() {
    let s = cluster();
    let line = s.run("snapshot").out.clone();
    let dump = run(&s, &line, "");
    assert_eq!(dump.status, 0, "{dump}");
    let asked = s.read("asked");
    // What the cluster does not serve is not asked for, nor what no rule reads.
    assert!(
        asked.contains("get pods,services,namespaces,virtualservices.networking.istio.io --all-namespaces -o yaml"),
        "{asked}"
    );
    // No Service is called cart, and all of them were collected.
    s.pipe(&dump.out, "check - --no-config")
        .ends(1, &["error[traffic/host-not-found]"])
        .lacks(&["suppression/malformed"]);
    // What could not be collected as a whole proves less.
    let partial = run(&s, &line, "secrets");
    assert_ne!(partial.status, 0);
    assert!(!partial.out.contains("# plimsoll: collected"), "{partial}");
    s.pipe(&partial.out, "check - --no-config").ends(0, &["warning[traffic/host-not-found]"]);
    assert!(!run(&s, &line, "api-resources").out.contains("# plimsoll: collected"));
    // The comment alone makes no dump of manifests on disk.
    let manifests = dump.out.replace(", uid: v", "").replace(", uid: w", "").replace(", uid: \"s\"", "");
    s.pipe(&manifests, "check - --no-config").ends(0, &["warning[traffic/host-not-found]"]);
}
