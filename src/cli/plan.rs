//! `plimsoll plan`

use std::path::PathBuf;

use super::declare::Declaring;
use super::render::Render;
use super::terminal::{Color, style};
use super::{Status, complain, err, input, out, project};
use crate::config::Settings;
use crate::finding::{Problem, Severity};
use crate::plan::{Figures, Plan, WhatIf, helm, html, json, markdown, table};
use crate::report::sanitize::one_line;

// Helm calls its own input --values, too.
#[derive(Debug, clap::Args)]
#[command(mut_arg("values", |values| values.long("helm-values")))]
pub(super) struct Arguments {
    /// Files and folders; `-` is standard input, nothing means the current folder
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    project: project::Origin,
    #[command(flatten)]
    declaring: Declaring,
    /// Plan for other numbers than those of the input: services=300, sidecars=2000, tracing=on
    /// (comma-separated, repeatable)
    #[arg(long, value_delimiter = ',', value_name = "KEY=VALUE")]
    what_if: Vec<String>,
    /// table, json, markdown, or html: one page for a browser
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Print values for Istio's charts that satisfy the plan
    #[arg(long = "values", conflicts_with = "format")]
    print_values: bool,
    /// Colours: auto, always or never
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
    #[command(flatten)]
    render: Render,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum Format {
    #[default]
    Table,
    Json,
    Markdown,
    Html,
}

pub(super) fn run(arguments: &Arguments) -> Status {
    let what_if = match WhatIf::parse(arguments.what_if.iter().map(String::as_str)) {
        Ok(what_if) => what_if,
        Err(reason) => return complain(&[Problem::error(format!("--what-if: {reason}"))]),
    };
    let render = &arguments.render;
    let paths = if render.names_input() { arguments.paths.clone() } else { input::or_here(&arguments.paths) };
    let project = match arguments.project.read(&[&paths[..], &render.named()].concat()) {
        Ok(project) => project,
        Err(status) => return status,
    };
    let loaded = project.loaded;
    let mut settings = match Settings::new(&arguments.declaring.flags(), project.file.as_ref(), &loaded.set) {
        Ok(settings) => settings,
        Err(problems) => return complain(&problems),
    };
    let (namespace, kubernetes) = (arguments.declaring.namespace.as_deref(), settings.declared.kubernetes.clone());
    let rendering = match render.plan(&paths, project.file.as_ref(), namespace, kubernetes.as_deref()) {
        Ok(rendering) => rendering,
        Err(problems) => return complain(&problems),
    };
    let mut collected = match input::collect(&paths, &mut settings) {
        Ok(collected) => collected,
        Err(problems) => return complain(&problems),
    };
    rendering.carry_out(&mut collected);
    // Without a part that could not be rendered, every sum would be wrong.
    if !collected.failures.is_empty() {
        return complain(&collected.failures.into_iter().map(Problem::from).collect::<Vec<_>>());
    }
    let sources = collected.sources;
    let survey = crate::survey(&sources, &loaded, &settings);
    let plans: Vec<Plan> = survey
        .clusters
        .iter()
        .map(|(mesh, rules)| Plan::new(mesh, &sources, &Figures { set: &loaded.set, settings: rules }, &what_if))
        .collect();
    for name in &survey.broken {
        err(&format!(
            "plimsoll: {} can't be read as a whole, and is not in the plan; `plimsoll check` says why\n",
            one_line(name)
        ));
    }
    for skipped in survey.skipped.iter().chain(&collected.skipped).filter(|skipped| skipped.notable) {
        err(&format!("plimsoll: {}: {}\n", one_line(&skipped.path), one_line(&skipped.reason)));
    }
    if plans.is_empty() {
        err("plimsoll: nothing to plan for: no resource was read\n");
        return if survey.broken.is_empty() { Status::Nothing } else { Status::BrokenInput };
    }
    if arguments.print_values {
        out(&helm::render(&plans));
    } else {
        out(&match arguments.format {
            Format::Table => table::render(&plans, &style(arguments.color, Severity::Info)),
            Format::Json => json::render(&plans),
            Format::Markdown => markdown::render(&plans),
            Format::Html => html::render(&plans),
        });
    }
    if survey.broken.is_empty() { Status::Clean } else { Status::BrokenInput }
}
