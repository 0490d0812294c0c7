//! Kustomizations, rendered by `kustomize build` or `kubectl kustomize`.
//!
//! The folder is rendered through an overlay that asks for `originAnnotations`, so that every resource
//! names the file that it comes from.
//!
//! Source: kustomize 5, `api/types/kustomization.go` and `api/types/fix.go`.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use serde_yaml::Value;

use super::git::root_around;
use super::render::{Cache, Key, Rendered, Template, program, relative, run};
use super::walk::{KUSTOMIZATIONS, display};
use super::{Failure, SourceFile, absolute, lexical};

/// So many folders are followed.
const MOST_FOLDERS: usize = 1_000;

/// Keys that name other kustomizations or resources: what is not on disk would be fetched.
const MEMBERS: [&str; 6] = ["resources", "bases", "components", "generators", "transformers", "validators"];

/// Keys that name files.
const FILES: [&str; 9] = [
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "configMapGenerator",
    "secretGenerator",
    "configurations",
    "crds",
    "replacements",
    "openapi",
];

/// Keys below those whose text names no file.
const WORDS: [&str; 5] = ["literals", "patch", "target", "options", "name"];

/// A kustomization that is rendered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kustomization {
    /// Its folder.
    pub path: PathBuf,
    /// How the user calls it.
    pub name: String,
}

/// What a kustomization is made of.
#[derive(Debug, Default)]
struct Inputs {
    folders: BTreeSet<PathBuf>,
    files: BTreeSet<PathBuf>,
    /// Why it is not rendered: it would fetch something, or read what lies outside.
    refused: Option<String>,
}

/// Why a kustomization is not rendered; nothing where all of it is on disk.
pub fn refused(folder: &Path) -> Option<String> {
    inputs(folder).refused
}

/// Renders a kustomization.
///
/// # Errors
///
/// No program, nothing to render, something remote, or the program's own complaint.
pub fn render(kustomization: &Kustomization, cache: &Cache) -> Result<SourceFile, Failure> {
    let Kustomization { path, name } = kustomization;
    let what = format!("kustomization \"{name}\"");
    if !path.is_dir() {
        return Err(Failure::new(format!("{what} is not there")));
    }
    let Some(file) = file_of(path) else {
        return Err(Failure::new(format!("{what} has no kustomization.yaml")));
    };
    let found = inputs(path);
    if let Some(reason) = found.refused {
        let failure = Failure::new(format!("{what} can't be rendered: {reason}"));
        return Err(failure.help("plimsoll fetches nothing; render it yourself: kustomize build … | plimsoll check -"));
    }
    let (program, first, shown) = match (program("kustomize"), program("kubectl")) {
        (Some(program), _) => (program, "build", "kustomize build"),
        (None, Some(program)) => (program, "kustomize", "kubectl kustomize"),
        (None, None) => {
            let failure = Failure::new("kustomizations can't be rendered: neither kustomize nor kubectl is installed");
            return Err(failure.help("install one: https://kubectl.docs.kubernetes.io/installation/kustomize/"));
        }
    };
    let real = path.canonicalize().unwrap_or_else(|_| path.clone());
    let inputs = found.folders.into_iter().chain(found.files);
    let inputs: Vec<PathBuf> = inputs.map(|path| path.canonicalize().unwrap_or(path)).collect();
    let mut key = Key::new(&[first.into(), "with origins".into()]);
    key.add_program(&program);
    key.add_inputs(&inputs, &real);
    let text = cache.get(&key, || {
        let with_origins = overlay(&real).and_then(|overlay| {
            let arguments: Vec<OsString> = vec![first.into(), overlay.path().into()];
            Some(own_origins(&run(&program, &arguments, &what).ok()?, overlay.path(), &real))
        });
        match with_origins {
            Some(text) => Ok(text),
            // What can't be an overlay's base, and what can't be rendered at all: its own complaint counts.
            None => run(&program, &[first.into(), real.clone().into()], &what),
        }
    })?;
    let rendered = Rendered {
        folder: name.clone(),
        file: display(&Path::new(name).join(file.file_name().unwrap_or_default())),
        command: format!("{shown} {name}"),
        templates: origins(&text, name),
        inputs,
        ..Rendered::default()
    };
    Ok(SourceFile::rendered(format!("{name}/<kustomize>"), text, rendered))
}

/// A folder with a kustomization that renders another one and notes where resources come from.
fn overlay(base: &Path) -> Option<tempfile::TempDir> {
    let folder = tempfile::tempdir().ok()?;
    let from = folder.path().canonicalize().ok()?;
    let up = from.components().filter(|part| matches!(part, Component::Normal(_))).map(|_| "..");
    let down = base.components().filter_map(|part| match part {
        Component::Normal(name) => name.to_str(),
        _ => None,
    });
    let reference = up.chain(down).collect::<Vec<_>>().join("/");
    let quoted = serde_yaml::to_string(&reference).ok()?;
    let text = format!("resources:\n- {quoted}buildMetadata: [originAnnotations]\n");
    fs::write(folder.path().join("kustomization.yaml"), text).ok()?;
    Some(folder)
}

const ORIGIN_KEYS: [&str; 2] = ["path: ", "configuredIn: "];

/// Makes the paths of origins, which are relative to the overlay's folder, relative to the folder that
/// is rendered, as they would be without the overlay.
fn own_origins(text: &str, overlay: &Path, folder: &Path) -> String {
    let overlay = overlay.canonicalize().unwrap_or_else(|_| overlay.to_path_buf());
    let mut inside = false;
    let mut lines = Vec::new();
    for line in text.split_inclusive('\n') {
        let content = line.trim();
        let key = ORIGIN_KEYS.iter().find(|key| content.starts_with(**key) && content.contains("../"));
        match key.filter(|_| inside) {
            Some(key) => {
                let path = relative(&lexical(&overlay.join(&content[key.len()..])), folder);
                let indent = &line[..line.len() - line.trim_start().len()];
                lines.push(format!("{indent}{key}{}\n", display(&path)));
            }
            None => {
                inside = content.starts_with("config.kubernetes.io/origin:");
                lines.push(line.to_string());
            }
        }
    }
    lines.concat()
}

/// The files that origins name, under the names that the user would give them.
fn origins(text: &str, name: &str) -> BTreeMap<String, Template> {
    let mut origins = BTreeMap::new();
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if let Some(path) = ORIGIN_KEYS.iter().find_map(|key| line.strip_prefix(key)).filter(|_| inside) {
            let shown = lexical(&Path::new(name).join(path));
            origins.insert(path.to_string(), Template { path: display(&shown), text: Arc::from("") });
        }
        inside = line.starts_with("config.kubernetes.io/origin:");
    }
    origins
}

/// The kustomization of a folder.
fn file_of(folder: &Path) -> Option<PathBuf> {
    KUSTOMIZATIONS.iter().map(|name| folder.join(name)).find(|file| file.is_file())
}

/// Follows a kustomization to everything on disk that it is made of, or to the first thing that is not.
fn inputs(root: &Path) -> Inputs {
    let mut inputs = Inputs::default();
    let root = lexical(&absolute(root));
    // Another repository, or the whole disk, is not meant.
    let repository = root_around(&root);
    let current = std::env::current_dir().unwrap_or_default();
    let around = match repository {
        Some(repository) => repository.to_path_buf(),
        None if root.starts_with(&current) => current,
        None => root.parent().unwrap_or(&root).to_path_buf(),
    };
    let around = around.canonicalize().unwrap_or(around);
    let mut open = vec![root];
    while let Some(folder) = open.pop() {
        if !inputs.folders.insert(folder.clone()) {
            continue;
        }
        if inputs.folders.len() > MOST_FOLDERS {
            inputs.refused.get_or_insert(format!("it is made of more than {MOST_FOLDERS} folders"));
            break;
        }
        let text = file_of(&folder).and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
        let keys = match serde_yaml::from_str(&text) {
            Ok(Value::Mapping(keys)) => keys,
            Ok(Value::Null) => continue,
            // kustomize may see in it what is not seen here.
            _ => {
                inputs.refused.get_or_insert("its kustomization.yaml can't be read".to_string());
                continue;
            }
        };
        if keys.contains_key("helmCharts") || keys.contains_key("helmChartInflationGenerator") {
            inputs.refused.get_or_insert("it renders a Helm chart (helmCharts)".to_string());
        }
        for (key, value) in &keys {
            let key = key.as_str().unwrap_or_default();
            let is_member = MEMBERS.contains(&key);
            if !is_member && !FILES.contains(&key) {
                continue;
            }
            for reference in texts(value, 0) {
                // `files: [name=path]`
                let path = reference.split_once('=').filter(|_| !is_member).map_or(reference, |(_, path)| path);
                let there = lexical(&folder.join(path));
                let is_inline = path.contains('\n');
                let leads_out = || there.canonicalize().is_ok_and(|real| !real.starts_with(&around));
                if !is_inline && is_member && leads_out() {
                    let reason = format!("it names {path}, which lies outside of the repository");
                    inputs.refused.get_or_insert(reason);
                } else if path.contains("://") || (is_member && !is_inline && !there.exists()) {
                    let named = path.lines().find(|line| line.contains("://")).unwrap_or(path).trim();
                    inputs.refused.get_or_insert(format!("it names {named}, which is not on disk"));
                } else if there.is_dir() && is_member {
                    open.push(there);
                } else if there.is_file() && !there.starts_with(&folder) {
                    inputs.files.insert(there);
                }
            }
        }
    }
    inputs
}

/// The texts in a value that may name files, or hold what does.
fn texts(value: &Value, depth: usize) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Sequence(items) if depth < 4 => items.iter().flat_map(|item| texts(item, depth + 1)).collect(),
        Value::Mapping(keys) if depth < 4 => {
            let is_path = |key: &Value| key.as_str().is_some_and(|key| !WORDS.contains(&key));
            keys.iter().filter(|(key, _)| is_path(key)).flat_map(|(_, value)| texts(value, depth + 1)).collect()
        }
        Value::Tagged(tagged) if depth < 4 => texts(&tagged.value, depth + 1),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn what_would_be_fetched_or_lies_outside_is_refused() {
        for (text, reason) in [
            ("resources: [a.yaml, ../base]", None),
            (
                "resources: [https://example.com/a.yaml]",
                Some("it names https://example.com/a.yaml, which is not on disk"),
            ),
            ("resources: [github.com/a/b//c?ref=v1]", Some("it names github.com/a/b//c?ref=v1, which is not on disk")),
            ("components: [../gone]", Some("it names ../gone, which is not on disk")),
            ("transformers:\n- |\n  apiVersion: builtin\n  kind: X", None),
            (
                "patches: [{ path: https://example.com/p.yaml }]",
                Some("it names https://example.com/p.yaml, which is not on disk"),
            ),
            ("patches: [{ patch: 'https://example.com', target: { kind: X } }]", None),
            (
                "configMapGenerator: [{ name: a, files: [k=https://example.com/f] }]",
                Some("it names https://example.com/f, which is not on disk"),
            ),
            ("configMapGenerator: [{ name: a, literals: [k=https://example.com/f] }]", None),
            ("commonAnnotations: { docs: https://example.com }", None),
            ("helmCharts: [{ name: x, repo: https://example.com }]", Some("it renders a Helm chart (helmCharts)")),
            ("resources: [../base, ../far]", Some("it names git@example.com:a/b, which is not on disk")),
            ("resources: [", Some("its kustomization.yaml can't be read")),
            (
                "resources: !t [a.yaml, !x 'http://127.0.0.1/a.yaml']",
                Some("it names http://127.0.0.1/a.yaml, which is not on disk"),
            ),
            ("resources: [a.yaml]\n---\n{}", Some("its kustomization.yaml can't be read")),
            ("crds: [http://127.0.0.1/a]", Some("it names http://127.0.0.1/a, which is not on disk")),
            (
                "generators:\n- |\n  kind: X\n  files: [http://127.0.0.1/a]",
                Some("it names files: [http://127.0.0.1/a], which is not on disk"),
            ),
            ("resources: [../..]", Some("it names ../.., which lies outside of the repository")),
        ] {
            let files = [
                ("top/kustomization.yaml", text),
                ("top/a.yaml", ""),
                ("base/Kustomization", "resources: [../top]"),
                ("far/kustomization.yml", "bases: [git@example.com:a/b]"),
            ];
            let folder = folder(&files);
            fs::create_dir_all(folder.path().join(".git")).unwrap();
            assert_eq!(refused(&folder.path().join("top")).as_deref(), reason, "{text}");
        }
    }

    #[test]
    fn a_rendering_depends_on_all_that_it_is_made_of() {
        let folder = folder(&[
            ("top/kustomization.yaml", "resources: [../base, ../one.yaml]\npatches: [{ path: ../patches/p.yaml }]"),
            ("base/kustomization.yaml", "resources: [x.yaml]"),
            ("one.yaml", ""),
            ("patches/p.yaml", ""),
        ]);
        let found = inputs(&folder.path().join("./base/../top"));
        let names = |paths: &BTreeSet<PathBuf>| {
            paths.iter().map(|path| display(path.strip_prefix(folder.path()).unwrap())).collect::<Vec<_>>()
        };
        assert_eq!(names(&found.folders), ["base", "top"]);
        assert_eq!(names(&found.files), ["one.yaml", "patches/p.yaml"]);
    }

    #[test]
    fn origins_are_named_as_the_user_would() {
        let text = "metadata:\n  annotations:\n    config.kubernetes.io/origin: |\n      path: ../../repo/base/x.yaml\n      ref: v1\n    other: |\n      path: ../kept\n";
        let own = own_origins(text, Path::new("/tmp/overlay"), Path::new("/repo/envs/prod"));
        assert_eq!(own, text.replace("../../repo/base", "../../base"));
        let paths = |name: &str| origins(&own, name).into_values().map(|origin| origin.path).collect::<Vec<_>>();
        assert_eq!(paths("envs/prod"), ["base/x.yaml"]);
        assert_eq!(paths("."), ["../../base/x.yaml"]);
        assert_eq!(paths("/repo/envs/prod"), ["/repo/base/x.yaml"]);
    }
}
