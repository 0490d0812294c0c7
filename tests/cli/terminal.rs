//! What reaches a terminal: colours, ASCII, hostile text, a closed pipe.

use std::io::Read;
use std::process::Stdio;

use super::scratch::{OURS, deployment, said, shop};

const ESC: char = '\u{1b}';

#[test]
fn colour_is_always_never_or_as_the_environment_says() {
    let s = shop();
    let has_color = |flags: &str, environment: &[(&str, &str)]| {
        let mut command = s.command(&format!("check a.yaml {OURS} {flags}"));
        command.envs(environment.iter().copied());
        let said = said(&mut command, b"");
        assert_eq!(said.status, 1, "{said}");
        said.out.contains(ESC)
    };
    assert!(has_color("--color always", &[]));
    assert!(has_color("--color always", &[("NO_COLOR", "1"), ("TERM", "dumb")]));
    assert!(!has_color("--color never", &[("CLICOLOR_FORCE", "1")]));
    // Standard output is a pipe here.
    assert!(!has_color("", &[]));
    assert!(has_color("", &[("CLICOLOR_FORCE", "1")]));
    assert!(!has_color("", &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(!has_color("", &[("CLICOLOR_FORCE", "0")]));
    assert!(has_color("--format short --color always", &[]));
    assert!(!has_color("--format json --color always", &[]));
}

#[test]
fn a_locale_without_unicode_gets_ascii() {
    let s = shop();
    for (name, value, ascii) in
        [("LANG", "C", true), ("LANG", "", true), ("LC_ALL", "POSIX", true), ("LC_CTYPE", "de_DE.UTF-8", false)]
    {
        let mut command = s.command(&format!("check a.yaml {OURS}"));
        command.env("LANG", "C").env(name, value);
        let said = said(&mut command, b"");
        assert_eq!(said.out.is_ascii(), ascii, "{name}={value}: {said}");
    }
}

#[test]
fn columns_bound_every_line() {
    let s = shop();
    s.write("a.yaml", deployment("cart", 1).replace("spec:", &format!("spec: # {}", "long ".repeat(40))));
    let mut command = s.command(&format!("check a.yaml {OURS} --select owner --min-severity info"));
    command.env("COLUMNS", "60");
    let said = said(&mut command, b"");
    let frame = |line: &&str| line.contains('│') || line.contains('·');
    for line in said.out.lines().filter(|line| !frame(line)) {
        assert!(line.chars().count() <= 60, "{line:?}");
    }
}

/// Characters that a terminal obeys, or that turn text around.
const HOSTILE: &str = "\u{1b}]0;x\u{7}\u{9b}31m\u{202e}\u{2066}\u{200f}\u{61c}\r\u{8}\u{7f}";

fn hostile() -> impl Iterator<Item = char> {
    HOSTILE.chars().filter(|c| !c.is_ascii_graphic())
}

/// Quoted for YAML.
fn quoted() -> String {
    HOSTILE.chars().map(|c| format!("\\u{:04x}", c as u32)).collect()
}

#[test]
fn text_of_a_manifest_never_steers_the_terminal() {
    let s = shop();
    let raw = "\u{202e}\u{2066}\u{200f}\u{61c}";
    let text = deployment(&format!("\"cart{}\" # {raw}", quoted()), 1);
    s.write("a.yaml", text.replace("replicas: 1", &format!("replicas: 1 # {raw}")));
    for format in ["pretty", "short", "json"] {
        let said = s.run(&format!("check a.yaml {OURS} --min-severity info --format {format}"));
        said.ends(1, &["cart"]);
        if format == "json" {
            continue;
        }
        for c in hostile() {
            assert!(!said.out.contains(c), "{format} holds {c:?}: {said:?}");
        }
    }
}

#[test]
fn json_escapes_what_a_terminal_would_obey_and_keeps_the_text() {
    let s = shop();
    s.write("a.yaml", deployment(&format!("\"cart{}\"", quoted()), 1));
    let said = s.run(&format!("check a.yaml {OURS} --format json"));
    for c in hostile() {
        assert!(!said.out.contains(c), "JSON holds {c:?} as it is");
    }
    assert_eq!(said.json()["findings"][0]["resource"]["name"], format!("cart{HOSTILE}"));
}

#[test]
fn a_hostile_file_name_is_harmless() {
    let s = shop();
    let name = "x\u{1b}[31m\u{202e}.yaml";
    s.write(name, deployment("web", 1));
    for format in ["pretty", "short"] {
        let said = s.run(&format!("check . {OURS} --format {format}"));
        assert!(!said.out.contains(ESC) && !said.out.contains('\u{202e}'), "{said:?}");
    }
}

#[test]
fn secrets_are_masked_in_snippets() {
    let s = shop();
    let secret =
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  password: hunter2\n  password: hunter3\n";
    s.write("s.yaml", secret);
    for format in ["pretty", "short", "json"] {
        let said = s.run(&format!("check s.yaml --format {format}"));
        said.ends(1, &["yaml/duplicate-key"]).lacks(&["hunter"]);
    }
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_is_no_crash() {
    let s = shop();
    let text: String = (0..3_000).map(|i| format!("{}---\n", deployment(&format!("w{i}"), 1))).collect();
    s.write("a.yaml", text);
    for format in ["pretty", "short", "json"] {
        let mut command = s.command(&format!("check a.yaml {OURS} --max-per-rule 0 --format {format}"));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = [0; 10];
        child.stdout.take().unwrap().read_exact(&mut first).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert_eq!(output.status.code(), Some(1), "{format}");
    }
}
