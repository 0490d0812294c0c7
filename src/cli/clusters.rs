//! `plimsoll clusters`

use std::path::PathBuf;

use super::render::Render;
use super::{Status, complain, input, out, project};
use crate::config::{Flags, Settings};
use crate::finding::Problem;
use crate::layout::Layout;
use crate::report::sanitize::one_line;
use crate::report::summary::count;
use crate::source::Sources;
use crate::source::pattern::Patterns;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files and folders; `-` is standard input, nothing means the current folder
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    project: project::Origin,
    /// table or json
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum Format {
    #[default]
    Table,
    Json,
}

pub(super) fn run(arguments: &Arguments) -> Status {
    let project = match arguments.project.read(&arguments.paths) {
        Ok(project) => project,
        Err(status) => return status,
    };
    let mut settings = match Settings::new(&Flags::default(), project.file.as_ref(), &project.loaded.set) {
        Ok(settings) => settings,
        Err(problems) => return complain(&problems),
    };
    let paths = input::or_here(&arguments.paths);
    let kubernetes = settings.declared.kubernetes.clone();
    let plan = match Render::default().plan(&paths, project.file.as_ref(), None, kubernetes.as_deref()) {
        Ok(plan) => plan,
        Err(problems) => return complain(&problems),
    };
    let mut collected = match input::collect(&paths, &mut settings) {
        Ok(collected) => collected,
        Err(problems) => return complain(&problems),
    };
    plan.carry_out(&mut collected);
    if !collected.failures.is_empty() {
        return complain(&collected.failures.into_iter().map(Problem::from).collect::<Vec<_>>());
    }
    let sources = collected.sources;
    let layout = crate::clusters(&sources, &settings);
    match arguments.format {
        Format::Table => out(&table(&layout, &sources, &unused(&layout, &sources, &settings))),
        Format::Json => out(&json(&layout, &sources)),
    }
    if layout.files.is_empty() { Status::Nothing } else { Status::Clean }
}

/// Patterns of the configuration that no file of the input matches, with their cluster.
fn unused(layout: &Layout, sources: &Sources, settings: &Settings) -> Vec<(String, String)> {
    let paths: Vec<String> = layout.files.iter().map(|a| settings.path_of(sources.file(a.file))).collect();
    let clusters = settings.clusters.declared.iter().map(|c| (c.name.as_str(), &c.files));
    let all = clusters.chain(std::iter::once(("", &settings.clusters.shared)));
    let idle = |(name, patterns): (&str, &Patterns)| {
        let idle = patterns.unmatched(&paths);
        idle.into_iter().map(|pattern| (name.to_string(), pattern.to_string())).collect::<Vec<_>>()
    };
    all.flat_map(idle).collect()
}

/// Files by where they go, then what is declared of each cluster.
fn table(layout: &Layout, sources: &Sources, unused: &[(String, String)]) -> String {
    let names = |clusters: &[usize]| {
        let all = clusters.len() == layout.clusters.len() && clusters.len() > 1;
        let names: Vec<&str> = clusters.iter().map(|c| layout.clusters[*c].name.as_str()).collect();
        match names.as_slice() {
            _ if all => "(all)".to_string(),
            [""] => "(only one)".to_string(),
            names => names.join(", "),
        }
    };
    let rows: Vec<[String; 3]> = layout
        .files
        .iter()
        .map(|assigned| {
            let file = one_line(&sources.file(assigned.file).name);
            [file.into_owned(), one_line(&names(&assigned.clusters)).into_owned(), one_line(&assigned.why).into_owned()]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (file_width, cluster_width) = (width(0), width(1));
    let mut text = String::new();
    let only_one = layout.clusters.len() == 1 && layout.clusters[0].name.is_empty();
    for [file, clusters, why] in rows.iter().filter(|_| !only_one) {
        text += &format!("{file:file_width$}  {clusters:cluster_width$}  {why}\n");
    }
    let gap = if only_one { "" } else { "\n" };
    text += &format!("{gap}{} in {}\n", count(layout.files.len(), "file"), count(layout.clusters.len(), "cluster"));
    if only_one {
        text += "Everything is one cluster: nothing is declared, and no sibling folders declare mostly the same.\n";
    }
    for cluster in layout.clusters.iter().filter(|c| !c.name.is_empty()) {
        let environment = cluster.declared.environment.as_deref().unwrap_or("production, as nothing else is declared");
        let resources = count(cluster.resources.len(), "resource");
        text += &format!("  {}: {resources}; {}\n", one_line(&cluster.name), one_line(environment));
    }
    for (cluster, pattern) in unused {
        let place = if cluster.is_empty() { "shared".to_string() } else { format!("clusters.{cluster}") };
        text += &one_line(&format!("{place}: no file matches \"{pattern}\""));
        text.push('\n');
    }
    text
}

fn json(layout: &Layout, sources: &Sources) -> String {
    let name = |c: &usize| layout.clusters[*c].name.clone();
    let files: Vec<_> = layout
        .files
        .iter()
        .map(|assigned| {
            serde_json::json!({
                "path": sources.file(assigned.file).name,
                "clusters": assigned.clusters.iter().map(name).collect::<Vec<_>>(),
                "why": assigned.why,
            })
        })
        .collect();
    let clusters: Vec<_> = layout
        .clusters
        .iter()
        .map(|cluster| {
            serde_json::json!({
                "name": cluster.name,
                "resources": cluster.resources.len(),
                "environment": cluster.declared.environment,
            })
        })
        .collect();
    let value = serde_json::json!({ "version": 1, "clusters": clusters, "files": files });
    crate::report::json::escaped(&value)
}
