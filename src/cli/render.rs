//! What is rendered before it is checked: charts and kustomizations that flags and configuration name,
//! or that the walk found.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::config::contents::ChartEntry;
use crate::config::file::ConfigFile;
use crate::finding::Problem;
use crate::layout::kustomize::roots;
use crate::layout::path::normal;
use crate::source::Sources;
use crate::source::helm::{self, Chart};
use crate::source::kustomize::{self, Kustomization};
use crate::source::render::Cache;
use crate::source::render::Rendered;
use crate::source::walk::{Collected, RAW_TEMPLATES, Skipped, display};

/// What is rendered.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Rendering")]
pub(super) struct Render {
    /// Render a chart with helm, and check what comes out; repeatable
    #[arg(long, value_name = "CHART")]
    helm: Vec<PathBuf>,
    /// Values files of --helm, the last one wins
    #[arg(long, short = 'f', value_name = "FILE", requires = "helm")]
    values: Vec<PathBuf>,
    /// Values of --helm, as helm takes them
    #[arg(long, value_name = "KEY=VALUE", requires = "helm")]
    set: Vec<String>,
    /// Name of the release of --helm; the default is the chart's folder
    #[arg(long, value_name = "NAME", requires = "helm")]
    release: Option<String>,
    /// Version of Kubernetes that charts are told; the default is what --assume says
    #[arg(long, value_name = "VERSION")]
    kube_version: Option<String>,
    /// Render a kustomization with kustomize or kubectl, and check what comes out; repeatable
    #[arg(long, value_name = "DIR")]
    kustomize: Vec<PathBuf>,
    /// Render the overlays and charts that are found, too, unless they name something remote
    #[arg(long, overrides_with = "no_render")]
    render: bool,
    /// Render nothing that only the configuration asks for
    #[arg(long)]
    no_render: bool,
    /// Render again what was rendered before
    #[arg(long)]
    no_cache: bool,
}

/// What is to be rendered, whatever the walk finds.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    charts: Vec<Chart>,
    kustomizations: Vec<Kustomization>,
    /// What the walk finds is rendered, too.
    pub(super) found: bool,
    kube_version: Option<String>,
    cache: Cache,
    /// Charts of the configuration that lie outside of what is read.
    outside: BTreeSet<String>,
}

impl Render {
    /// The charts and kustomizations that are named.
    pub(super) fn named(&self) -> Vec<PathBuf> {
        self.helm.iter().chain(&self.kustomize).cloned().collect()
    }

    /// Whether something is named that can be checked by itself.
    pub(super) fn names_input(&self) -> bool {
        !self.helm.is_empty() || !self.kustomize.is_empty()
    }

    /// What flags and configuration ask for; `paths` are what is read.
    ///
    /// # Errors
    ///
    /// A chart or a values file that leads out of the configuration's folder.
    pub(super) fn plan(
        &self,
        paths: &[PathBuf],
        file: Option<&ConfigFile>,
        namespace: Option<&str>,
        kubernetes: Option<&str>,
    ) -> Result<Plan, Vec<Problem>> {
        let mut plan = Plan {
            found: self.render,
            kube_version: self.kube_version.as_deref().or(kubernetes).map(str::to_string),
            cache: if self.no_cache { Cache::default() } else { Cache::of_user() },
            ..Plan::default()
        };
        for path in &self.helm {
            plan.charts.push(Chart {
                path: path.clone(),
                name: name_of(path),
                release: self.release.clone(),
                namespace: namespace.map(str::to_string),
                values: self.values.clone(),
                set: self.set.clone(),
                kube_version: plan.kube_version.clone(),
                set_name: String::new(),
            });
        }
        let kustomization = |path: &PathBuf| Kustomization { path: path.clone(), name: name_of(path) };
        plan.kustomizations.extend(self.kustomize.iter().map(kustomization));
        let Some(file) = file.filter(|_| !self.no_render) else { return Ok(plan) };
        plan.found |= file.contents.render;
        let mut problems = Vec::new();
        for (number, entry) in file.contents.charts.iter().enumerate() {
            match of_entry(file, number, entry, &plan) {
                Ok(charts) => {
                    let (read, other): (Vec<Chart>, Vec<Chart>) =
                        charts.into_iter().partition(|chart| is_among(paths, &chart.path));
                    plan.charts.extend(read);
                    plan.outside.extend(other.into_iter().map(|chart| chart.name));
                }
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(plan) } else { Err(problems) }
    }
}

/// The charts of an entry of the configuration, one for each set of values files.
fn of_entry(file: &ConfigFile, number: usize, entry: &ChartEntry, plan: &Plan) -> Result<Vec<Chart>, Problem> {
    let number = number.to_string();
    let below = |place: &[&str], path: &str| {
        let place = [&["charts", &number], place].concat();
        match file.below(path) {
            Some(there) if there.exists() => Ok(Some(there)),
            Some(_) if file.is_of_revision() => Ok(None),
            Some(_) => Err(file.at(&place, format!("\"{path}\" is not there"))),
            None => Err(file.at(&place, format!("\"{path}\" leads out of the configuration's folder"))),
        }
    };
    // What a revision speaks of may have moved since.
    let Some(path) = below(&["path"], &entry.path)? else { return Ok(Vec::new()) };
    let mut charts = Vec::new();
    for (set_name, files) in entry.values.sets() {
        let mut values = Vec::new();
        for (n, values_file) in files.iter().enumerate() {
            let n = n.to_string();
            let place: &[&str] = if set_name.is_empty() { &["values", &n] } else { &["values", set_name, &n] };
            values.extend(below(place, values_file)?);
        }
        charts.push(Chart {
            name: name_of(&path),
            path: path.clone(),
            release: entry.release.clone(),
            namespace: entry.namespace.clone(),
            values,
            set: entry.set.clone(),
            kube_version: entry.kube_version.clone().or_else(|| plan.kube_version.clone()),
            set_name: set_name.to_string(),
        });
    }
    Ok(charts)
}

/// Whether a chart lies in one of the folders that are read, or holds one of the paths.
fn is_among(paths: &[PathBuf], chart: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let chart = real(chart);
    paths.iter().filter(|path| path.as_os_str() != "-").any(|path| {
        let path = real(path);
        chart.starts_with(&path) || path.starts_with(&chart)
    })
}

/// The folders of charts, as the user calls them.
fn charts_of(sources: &Sources) -> Vec<String> {
    let folder = |name: &str| match name {
        "Chart.yaml" => Some(".".to_string()),
        name => name.strip_suffix("/Chart.yaml").map(str::to_string),
    };
    sources.iter().filter_map(|(_, file)| folder(&file.name)).collect()
}

/// Whether a chart is one of the charts in another.
fn is_inside(folder: &str, outer: &str) -> bool {
    let below = if outer == "." { Some(folder) } else { folder.strip_prefix(outer).and_then(|f| f.strip_prefix('/')) };
    below.is_some_and(|below| below.starts_with("charts/"))
}

/// Names the charts in a chart of which its rendering holds nothing: they are switched off, or hidden.
fn note_silent(sources: &Sources, rendered: &Rendered, text: &str, skipped: &mut Vec<Skipped>) {
    for folder in charts_of(sources).iter().filter(|folder| is_inside(folder, &rendered.folder)) {
        let below = folder.strip_prefix(&rendered.folder).unwrap_or(folder).trim_start_matches('/');
        let made = format!("/{below}/templates/");
        let is_named =
            text.lines().filter_map(|line| line.strip_prefix("# Source: ")).any(|source| source.contains(&made));
        if !is_named && Path::new(folder).join("templates").is_dir() {
            let reason = format!("not in what {} renders: switched off there, or hidden", rendered.folder);
            skipped.push(Skipped { path: folder.clone(), reason, notable: true });
        }
    }
}

/// The folders that manifests such as a HelmRelease or an Application install from, each with the name of
/// the manifest's file.
fn installed(sources: &Sources) -> Vec<(String, &str)> {
    let is_installer =
        |text: &str| ["HelmRelease", "argoproj.io", "helm.cattle.io"].iter().any(|word| text.contains(word));
    let folder = |line: &str| {
        let line = line.trim_start_matches([' ', '-']);
        let value = line.strip_prefix("chart:").or_else(|| line.strip_prefix("path:"))?;
        Some(normal(value.trim().trim_matches(['"', '\'']))).filter(|value| value.contains('/'))
    };
    let files = sources.iter().map(|(_, file)| file).filter(|file| is_installer(&file.text));
    files.flat_map(|file| file.text.lines().filter_map(folder).map(|value| (value, file.name.as_str()))).collect()
}

fn name_of(path: &Path) -> String {
    let name = display(path);
    let name = name.trim_end_matches('/');
    if name.is_empty() { "/".to_string() } else { name.strip_prefix("./").unwrap_or(name).to_string() }
}

impl Plan {
    /// The same plan for a copy of the repository; what is not in the copy is left out.
    pub(super) fn moved(&self, moved: &dyn Fn(&Path) -> Option<PathBuf>) -> Plan {
        let chart = |chart: &Chart| {
            let values = chart.values.iter().map(|file| moved(file)).collect::<Option<Vec<_>>>()?;
            Some(Chart { path: moved(&chart.path)?, values, ..chart.clone() })
        };
        let kustomization = |k: &Kustomization| Some(Kustomization { path: moved(&k.path)?, name: k.name.clone() });
        Plan {
            charts: self.charts.iter().filter_map(chart).collect(),
            kustomizations: self.kustomizations.iter().filter_map(kustomization).collect(),
            ..self.clone()
        }
    }

    /// Whether nothing is rendered.
    pub(super) fn is_empty(&self) -> bool {
        self.charts.is_empty() && self.kustomizations.is_empty() && !self.found
    }

    /// Renders, and adds what comes out to what was read.
    pub(super) fn carry_out(&self, collected: &mut Collected) {
        let outside = |name: &String| Skipped {
            path: name.clone(),
            reason: "a chart of the configuration outside of what is checked; it is not rendered".to_string(),
            notable: true,
        };
        collected.skipped.extend(self.outside.iter().map(outside));
        if self.is_empty() {
            return;
        }
        let mut plan =
            Plan { charts: self.charts.clone(), kustomizations: self.kustomizations.clone(), ..Plan::default() };
        if self.found {
            plan.add_found(&collected.sources, self.kube_version.as_deref(), &mut collected.skipped);
        }
        let charts = plan.charts.iter().map(|chart| helm::render(chart, &self.cache));
        let kustomizations = plan.kustomizations.iter().map(|k| kustomize::render(k, &self.cache));
        let mut files = Vec::new();
        for result in charts.chain(kustomizations) {
            match result {
                Ok(file) => {
                    if let Some(rendered) = &file.rendered {
                        collected.rendered.push(rendered.command.clone());
                        if rendered.is_chart {
                            note_silent(&collected.sources, rendered, &file.text, &mut collected.skipped);
                        }
                    }
                    files.push(file);
                }
                Err(failure) => collected.failures.push(failure),
            }
        }
        // What every chart lacks is said once.
        collected.failures.dedup();
        // A chart that was tried is not named once more.
        let tried: BTreeSet<String> = plan.charts.iter().map(|chart| normal(&chart.name)).collect();
        let is_done =
            |skipped: &Skipped| skipped.reason.starts_with(RAW_TEMPLATES) && tried.contains(&normal(&skipped.path));
        collected.skipped.retain(|skipped| !is_done(skipped));
        let read = std::mem::take(&mut collected.sources).into_files();
        collected.sources = Sources::new(read.into_iter().chain(files).collect());
    }

    /// Adds the overlays and charts of the walk that nobody named.
    fn add_found(&mut self, sources: &Sources, kube_version: Option<&str>, skipped: &mut Vec<Skipped>) {
        let mut pass_over = |path: &str, reason: String| {
            skipped.retain(|other| other.path != path || !other.reason.starts_with(RAW_TEMPLATES));
            skipped.push(Skipped { path: path.to_string(), reason, notable: true });
        };
        let named: BTreeSet<String> = self.kustomizations.iter().map(|k| normal(&k.name)).collect();
        for name in roots(sources).into_iter().filter(|name| !named.contains(&normal(name))) {
            let path = PathBuf::from(&name);
            match kustomize::refused(&path) {
                Some(reason) => pass_over(&name, format!("not rendered: {reason}")),
                None => self.kustomizations.push(Kustomization { path, name }),
            }
        }
        let named: BTreeSet<String> = self.charts.iter().map(|chart| normal(&chart.name)).collect();
        let folders = charts_of(sources);
        let installed = installed(sources);
        for name in folders.iter().filter(|folder| !folders.iter().any(|outer| is_inside(folder, outer))) {
            if named.contains(&normal(name)) {
                continue;
            }
            let path = PathBuf::from(name);
            let by_whom = || {
                let chart = normal(name);
                let is_it = |folder: &str| {
                    let above = chart.strip_suffix(folder);
                    above.is_some_and(|above| above.is_empty() || above.ends_with('/'))
                };
                let (_, by) = installed.iter().find(|(folder, _)| is_it(folder))?;
                Some(format!("{by} installs it with values of its own; name them under `charts` of plimsoll.yaml"))
            };
            match helm::passed_over(&path, name).or_else(by_whom) {
                Some(reason) => pass_over(name, format!("not rendered: {reason}")),
                // Where it goes is not known; nothing else shares a namespace of its own name by chance.
                None => self.charts.push(Chart {
                    namespace: Some(helm::own_name(&path)),
                    path,
                    name: name.clone(),
                    kube_version: kube_version.map(str::to_string),
                    ..Chart::default()
                }),
            }
        }
    }
}
