//! Every command in the README runs, and the finding on its first screen is what the terminal shows.

use std::path::Path;
use std::process::{Command, Output};

use serde_yaml::Value;

fn plimsoll(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("LANG", "C.UTF-8")
        .env("COLUMNS", "100")
        .output()
        .unwrap()
}

fn readme() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap()
}

/// The lines of console blocks that start with `$ `.
fn commands() -> Vec<String> {
    let readme = readme();
    let mut console = false;
    let mut commands = Vec::new();
    for line in readme.lines() {
        if line.starts_with("```") {
            console = line == "```console";
        } else if console && let Some(command) = line.strip_prefix("$ ") {
            commands.push(command.to_string());
        }
    }
    commands
}

#[test]
fn every_command_runs() {
    let folder = tempfile::tempdir().unwrap();
    let copied =
        Command::new("cp").args(["-r", concat!(env!("CARGO_MANIFEST_DIR"), "/examples")]).arg(folder.path()).status();
    assert!(copied.unwrap().success());
    let mut seen = 0;
    for command in commands() {
        if command == "cargo test" {
            continue;
        }
        let arguments = command.strip_prefix("cargo run --release -- ").or_else(|| command.strip_prefix("plimsoll "));
        let arguments = arguments.unwrap_or_else(|| panic!("no test knows how to run: {command}"));
        let arguments: Vec<&str> = arguments.split(' ').map(|a| a.trim_matches('\'')).collect();
        let output = plimsoll(&arguments, folder.path());
        let status = output.status.code().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(status == 0 || status == 1, "{command}: {status}\n{stderr}");
        assert!(!output.stdout.is_empty(), "{command} prints nothing");
        seen += 1;
    }
    assert!(seen > 15);
}

#[test]
fn the_first_screen_is_real() {
    let readme = readme();
    let shown = readme.split("…\n").nth(1).unwrap();
    let output = plimsoll(&["check", "examples"], Path::new(env!("CARGO_MANIFEST_DIR")));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains(shown), "the README shows\n{shown}\nbut the terminal shows\n{printed}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn the_clean_mesh_is_silent() {
    let arguments = ["check", "examples/clean", "--min-severity", "info", "--fail-on", "info"];
    let output = plimsoll(&arguments, Path::new(env!("CARGO_MANIFEST_DIR")));
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}

/// The file of the repository, as YAML.
fn yaml(name: &str) -> Value {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
    serde_yaml::from_str(text.split("\n---\n").next().unwrap()).unwrap()
}

/// The YAML block of the README that begins with the name of a file.
fn snippet(file: &str) -> Value {
    let readme = readme();
    let block = readme.split(&format!("```yaml\n# {file}\n")).nth(1).unwrap_or_else(|| panic!("no block for {file}"));
    serde_yaml::from_str(block.split("```").next().unwrap()).unwrap()
}

#[track_caller]
fn are_keys(used: &Value, known: &Value) {
    for (name, _) in used.as_mapping().unwrap() {
        assert!(known.get(name).is_some(), "{name:?} is not among {known:?}");
    }
}

const TAG: &str = concat!("v", env!("CARGO_PKG_VERSION"));

#[test]
fn every_hook_exists() {
    let hooks = yaml(".pre-commit-hooks.yaml");
    let exists = |id: &str| hooks.as_sequence().unwrap().iter().any(|hook| hook["id"].as_str() == Some(id));
    let repository = &snippet(".pre-commit-config.yaml")["repos"][0];
    assert_eq!(repository["rev"].as_str(), Some(TAG));
    for hook in repository["hooks"].as_sequence().unwrap() {
        assert!(exists(hook["id"].as_str().unwrap()), "{hook:?}");
    }
    let table = readme();
    let table = table.split("| hook |").nth(1).unwrap().split("\n\n").next().unwrap();
    let named: Vec<&str> =
        table.lines().filter_map(|line| line.strip_prefix("| `")).map(|line| line.split('`').next().unwrap()).collect();
    assert!(named.iter().all(|id| exists(id)), "{named:?}");
    assert_eq!(named.len(), hooks.as_sequence().unwrap().len());
}

#[test]
fn every_input_of_the_action_exists() {
    let action = yaml("action.yml");
    let job = snippet(".github/workflows/plimsoll.yml")["jobs"]["plimsoll"].clone();
    let step = &job["steps"][1];
    assert_eq!(step["uses"].as_str().unwrap().split('@').nth(1), Some(TAG));
    are_keys(&step["with"], &action["inputs"]);
    for (output, _) in action["outputs"].as_mapping().unwrap() {
        let output = format!("`{}`", output.as_str().unwrap());
        assert!(readme().contains(&output), "the README does not name the output {output}");
    }
}

#[test]
fn every_input_of_the_gitlab_job_exists() {
    let job = &snippet(".gitlab-ci.yml")["include"][0];
    let (_, file) = job["remote"].as_str().unwrap().split_once(&format!("/raw/{TAG}/")).unwrap();
    are_keys(&job["inputs"], &yaml(file)["spec"]["inputs"]);
}

/// The rule that `rules/README.md` shows passes its own examples.
#[test]
fn the_rule_in_the_guide_works() {
    let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/rules/README.md")).unwrap();
    let rule = guide.split("```rhai\n").nth(1).unwrap().split("\n```\n\n`check`").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("my-rules/sizes")).unwrap();
    std::fs::write(folder.path().join("my-rules/sizes/few.rhai"), format!("{rule}\n")).unwrap();
    let output = plimsoll(&["test", "my-rules", "-v"], folder.path());
    let printed = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}");
    assert!(printed.contains("sizes/few::bad-1"), "{printed}");
}
