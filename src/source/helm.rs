//! Charts, rendered by `helm template`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::render::{self, Cache, Key, Rendered, Template, program, relative, run};
use super::{Failure, SourceFile};

/// A chart, and what it is rendered with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chart {
    /// Its folder or archive.
    pub path: PathBuf,
    /// How the user calls it.
    pub name: String,
    /// The name of the release; the chart's folder where nothing is said.
    pub release: Option<String>,
    /// The namespace of the release.
    pub namespace: Option<String>,
    /// Values files, the last one wins.
    pub values: Vec<PathBuf>,
    /// Values as `--set` takes them.
    pub set: Vec<String>,
    /// The version of Kubernetes that the chart is told.
    pub kube_version: Option<String>,
    /// What its values files are called together; empty where there is only one set.
    pub set_name: String,
}

/// What `Chart.yaml` says, as far as it matters here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ChartFile {
    #[serde(rename = "type")]
    kind: String,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Dependency {
    name: String,
    alias: String,
}

/// Why a chart that a walk found is passed over; nothing where it can be rendered.
pub fn passed_over(folder: &Path, name: &str) -> Option<String> {
    let text = render::read_small(&folder.join("Chart.yaml"))?;
    let chart: ChartFile = serde_yaml::from_str(&text).unwrap_or_default();
    if chart.kind == "library" {
        return Some("a library chart, which makes no resources of its own".to_string());
    }
    // Charts of Helm 2 keep them apart.
    let apart = render::read_small(&folder.join("requirements.yaml")).unwrap_or_default();
    let apart: ChartFile = serde_yaml::from_str(&apart).unwrap_or_default();
    let missing = missing_dependencies(folder, chart.dependencies.iter().chain(&apart.dependencies));
    (!missing.is_empty())
        .then(|| format!("its dependencies are not there ({}): helm dependency build {name}", missing.join(", ")))
}

/// Dependencies that `charts/` does not hold, neither as a folder nor as an archive.
fn missing_dependencies<'c>(folder: &Path, dependencies: impl Iterator<Item = &'c Dependency>) -> Vec<String> {
    let held: Vec<String> = fs::read_dir(folder.join("charts"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let is_held = |name: &str| {
        let archive =
            |file: &String| file.strip_prefix(name).is_some_and(|rest| rest.starts_with('-') && rest.ends_with(".tgz"));
        !name.is_empty() && held.iter().any(|file| file == name || archive(file))
    };
    let missing = dependencies.filter(|d| !is_held(&d.name) && !is_held(&d.alias));
    missing.map(|dependency| dependency.name.clone()).collect()
}

/// The name of a chart's folder or archive.
pub fn own_name(path: &Path) -> String {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let name = if real.is_dir() { real.file_name() } else { real.file_stem() };
    let name = name.map_or(String::new(), |name| name.to_string_lossy().to_lowercase());
    if is_release(&name) { name } else { "release".to_string() }
}

/// Whether helm takes it for the name of a release; anything else could be a flag.
/// Source: `pkg/chart/v2/util/validate_name.go` of helm.
fn is_release(name: &str) -> bool {
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && !part.ends_with('-')
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    name.len() <= 53 && name.split('.').all(is_part)
}

/// Renders a chart.
///
/// # Errors
///
/// No `helm`, no chart, or helm's own complaint.
pub fn render(chart: &Chart, cache: &Cache) -> Result<SourceFile, Failure> {
    let what = format!("chart \"{}\"", chart.name);
    if !chart.path.exists() {
        let failure = Failure::new(format!("{what} is not there"));
        let folder = chart.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let is_repository = folder.is_some_and(|folder| !folder.exists()) && chart.name.split('/').count() == 2;
        let is_remote = chart.name.contains("://") || is_repository;
        return Err(if is_remote {
            failure.help(format!("plimsoll fetches nothing: `helm pull --untar {}` first", chart.name))
        } else {
            failure
        });
    }
    if chart.path.is_dir() {
        if !chart.path.join("Chart.yaml").is_file() {
            return Err(Failure::new(format!("{what} has no Chart.yaml")));
        }
        if let Some(reason) = passed_over(&chart.path, &chart.name) {
            return Err(Failure::new(format!("{what} can't be rendered: {reason}")));
        }
    }
    let Some(helm) = program("helm") else {
        let failure = Failure::new("charts can't be rendered: helm is not installed");
        return Err(failure.help("install it: https://helm.sh/docs/intro/install/"));
    };
    let release = chart.release.clone().unwrap_or_else(|| own_name(&chart.path));
    if !is_release(&release) {
        return Err(Failure::new(format!("{what} can't be rendered: \"{release}\" is no name of a release")));
    }
    if let Some(reason) = render::unfit(&chart.path, &chart.path) {
        return Err(Failure::new(format!("{what} can't be rendered: {reason}")));
    }
    let arguments = |chart_path: &Path, show: &dyn Fn(&Path) -> OsString| {
        let mut arguments: Vec<OsString> = vec!["template".into(), release.clone().into(), show(chart_path)];
        let mut flag = |name: &str, value: OsString| arguments.extend([name.into(), value]);
        chart.namespace.iter().for_each(|namespace| flag("--namespace", namespace.into()));
        chart.kube_version.iter().for_each(|version| flag("--kube-version", version.into()));
        chart.values.iter().for_each(|file| flag("--values", show(file)));
        chart.set.iter().for_each(|value| flag("--set", value.into()));
        // Tests run on demand, not in production.
        arguments.push("--skip-tests".into());
        arguments
    };
    let real = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
    // No path that could be taken for a flag.
    let exact = arguments(&chart.path, &|path| real(&path.to_path_buf()).into());
    let inputs: Vec<PathBuf> = [&chart.path].into_iter().chain(&chart.values).map(real).collect();
    let shown = arguments(Path::new(&chart.name), &|path| path.as_os_str().to_owned());
    let seen = arguments(Path::new(""), &|path| relative(&real(&path.to_path_buf()), &inputs[0]).into());
    let mut key = Key::new(&seen);
    key.add_program(&helm);
    key.add_inputs(&inputs, &inputs[0]);
    let text = cache.get(&key, || run(&helm, &exact, &what))?;
    let shown: Vec<String> = shown.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let rendered = Rendered {
        folder: chart.name.clone(),
        is_chart: true,
        file: if chart.path.is_dir() { format!("{}/Chart.yaml", chart.name) } else { chart.name.clone() },
        set: chart.set_name.clone(),
        namespace: chart.namespace.clone(),
        command: format!("helm {}", shown.join(" ")),
        templates: templates(&text, &chart.path, &chart.name),
        inputs,
    };
    let set = if chart.set_name.is_empty() { String::new() } else { format!(" {}", chart.set_name) };
    Ok(SourceFile::rendered(format!("{}/<helm{set}>", chart.name), text, rendered))
}

/// The templates that `# Source:` names and that lie on disk; its first part is the chart itself.
fn templates(text: &str, folder: &Path, name: &str) -> BTreeMap<String, Template> {
    let mut templates = BTreeMap::new();
    for source in text.lines().filter_map(|line| line.strip_prefix("# Source: ")).map(str::trim) {
        let Some((_, below)) = source.split_once('/') else { continue };
        let is_plain = below.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if is_plain
            && !templates.contains_key(source)
            && let Some(text) = render::read_small(&folder.join(below))
        {
            let path = if name == "." { below.to_string() } else { format!("{name}/{below}") };
            templates.insert(source.to_string(), Template { path, text: Arc::from(text) });
        }
    }
    templates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_without_its_dependencies_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let chart = |text: &str| {
            fs::write(folder.path().join("Chart.yaml"), text).unwrap();
            passed_over(folder.path(), "shop").unwrap_or_default()
        };
        assert_eq!(chart("name: shop"), "");
        assert!(chart("type: library").starts_with("a library chart"));
        let needy = "dependencies: [{ name: redis }, { name: pg, alias: db }, { name: web }]";
        let told = "its dependencies are not there (redis, pg, web): helm dependency build shop";
        assert_eq!(chart(needy), told);
        fs::create_dir_all(folder.path().join("charts/db")).unwrap();
        fs::create_dir_all(folder.path().join("charts/web")).unwrap();
        fs::write(folder.path().join("charts/redis-cluster-1.0.0.tgz"), "").unwrap();
        fs::write(folder.path().join("charts/redis-1.0.0.tgz"), "").unwrap();
        assert_eq!(chart(needy), "");
        fs::write(folder.path().join("requirements.yaml"), "dependencies: [{ name: old }]").unwrap();
        assert!(chart("name: shop").contains("(old)"));
    }

    #[test]
    fn templates_that_are_on_disk_are_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("templates")).unwrap();
        fs::write(folder.path().join("templates/a.yaml"), "a").unwrap();
        let text = "# Source: shop/templates/a.yaml\n# Source: shop/templates/../../x\n# Source: shop/charts/db/templates/b.yaml\n";
        let names = |name: &str| templates(text, folder.path(), name).into_values().map(|t| t.path).collect::<Vec<_>>();
        assert_eq!(names("charts/shop"), ["charts/shop/templates/a.yaml"]);
        assert_eq!(names("."), ["templates/a.yaml"]);
    }
}
