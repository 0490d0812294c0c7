//! `plimsoll init`, `plimsoll config`, and what `check --show-settings` prints.

use std::path::PathBuf;

use super::{Status, complain, input, out};
use crate::config::file::{self, ConfigFile};
use crate::config::{Flags, Settings, init};
use crate::finding::Problem;
use crate::report::sanitize::clean;
use crate::rule::RuleSet;
use crate::source::walk::CONFIGURATIONS;

#[derive(Debug, clap::Args)]
pub(super) struct Init {
    /// The folder to look at and to write plimsoll.yaml into
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Print it instead of writing it
    #[arg(long)]
    print: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Config {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Print the JSON Schema of plimsoll.yaml, for editors
    Schema,
}

pub(super) fn config(arguments: &Config) -> Status {
    match arguments.what {
        What::Schema => out(&file::schema()),
    }
    Status::Clean
}

pub(super) fn init(arguments: &Init) -> Status {
    let there = CONFIGURATIONS.map(|name| arguments.folder.join(name)).into_iter().find(|path| path.exists());
    if let Some(path) = there.filter(|_| !arguments.print) {
        return complain(&[Problem::error(format!("{} is there already", file::shown(&path)))
            .help("--print shows what would be written")]);
    }
    let text = match guess(&arguments.folder) {
        Ok(text) => text,
        Err(problems) => return complain(&problems),
    };
    if arguments.print {
        out(&clean(&text));
        return Status::Clean;
    }
    if let Some(above) = file::find(std::slice::from_ref(&arguments.folder)) {
        let name = file::shown(&above);
        super::err(&format!("plimsoll: {name} holds for all around; in this folder the new file takes its place\n"));
    }
    let path = arguments.folder.join(CONFIGURATIONS[0]);
    // Somebody may have written it in the meantime, or it is a link to elsewhere.
    let written = std::fs::File::create_new(&path).and_then(|mut f| std::io::Write::write_all(&mut f, text.as_bytes()));
    match written {
        Ok(()) => {
            out(&format!("{}\n\nplimsoll clusters   shows what goes where\n", path.display()));
            Status::Clean
        }
        Err(error) => complain(&[Problem::error(format!("{}: {error}", path.display()))]),
    }
}

/// The commented configuration for a folder.
fn guess(folder: &std::path::Path) -> Result<String, Vec<Problem>> {
    let mut settings = Settings::new(&Flags::default(), None, &RuleSet::default())?;
    let sources = input::collect(std::slice::from_ref(&folder.to_path_buf()), &mut settings)?.sources;
    let layout = crate::clusters(&sources, &settings);
    let root = std::path::absolute(folder).map_err(|e| vec![Problem::error(e.to_string())])?;
    Ok(init::text(&layout, &sources, &root))
}

/// The settings that hold, as YAML that a configuration may hold, too.
pub(super) fn settings(file: Option<&ConfigFile>, folders: &[PathBuf], settings: &Settings, set: &RuleSet) -> String {
    let declared = &settings.declared;
    let mut text = match file {
        Some(file) => format!("# configuration: {}\n", file.name()),
        None => "# no configuration\n".to_string(),
    };
    let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
    if !folders.is_empty() {
        text += "rules:\n";
        text.extend(folders.iter().map(|folder| format!("- {}\n", quoted(&folder.display().to_string()))));
    }
    text += &format!("today: {}\nnamespace: {}\n", quoted(&declared.today), quoted(&settings.namespace));
    text += &format!("preset: {}\n", if declared.official { "official" } else { "field" });
    let assumed = [
        ("istio", &declared.istio),
        ("kubernetes", &declared.kubernetes),
        ("injection", &declared.injection),
        ("environment", &declared.environment),
        ("platform", &declared.platform),
        ("cni", &declared.cni),
    ];
    if assumed.iter().any(|(_, value)| value.is_some()) {
        text += "assume:\n";
        text.extend(assumed.iter().filter_map(|(key, value)| Some(format!("  {key}: {}\n", quoted(value.as_ref()?)))));
    }
    let list = |key: &str, items: &[String]| match items {
        [] => String::new(),
        items => format!("{key}: [{}]\n", items.iter().map(|i| quoted(i)).collect::<Vec<_>>().join(", ")),
    };
    text += &list("complete", &declared.complete);
    text += &list("exclude", settings.exclude.texts());
    text += &list("shared", settings.clusters.shared.texts());
    let ignored = file.map_or(&[][..], |file| &file.contents.ignore);
    if !ignored.is_empty() && !settings.suppressing.off {
        text += "ignore:\n";
        for entry in ignored {
            text += &format!("- {}", list("rules", &entry.rules));
            let parts = [list("  resources", &entry.resources), list("  paths", &entry.paths)];
            text.extend(parts);
            text += &format!("  reason: {}\n", quoted(&entry.reason));
            text += &entry.until.as_ref().map_or(String::new(), |until| format!("  until: {}\n", quoted(until)));
        }
    }
    if let Some(baseline) = &settings.suppressing.baseline {
        text += &format!("baseline: {}\n", quoted(&baseline.name));
    }
    if !settings.clusters.declared.is_empty() {
        text += "clusters:\n";
        for cluster in &settings.clusters.declared {
            let environment = cluster.declared.environment.as_deref().unwrap_or("prod");
            text += &format!("  {}: # environment {environment}\n", quoted(&cluster.name));
            text += &format!("  {}", list("  files", cluster.files.texts()));
        }
    }
    if let Some(contents) = file.map(|file| &file.contents) {
        text += if contents.render { "render: true\n" } else { "" };
        text += if contents.charts.is_empty() { "" } else { "charts:\n" };
        for chart in &contents.charts {
            let sets = chart.values.sets();
            let sets = sets.iter().map(|(name, files)| list(&quoted(name), files).trim_end().to_string());
            let sets: Vec<String> = sets.filter(|set| !set.is_empty()).collect();
            text += &format!("- path: {}\n", quoted(&chart.path));
            let namespace = chart.namespace.iter().map(|name| format!("  namespace: {}\n", quoted(name)));
            text.extend(namespace);
            text += &if sets.is_empty() { String::new() } else { format!("  values: {{ {} }}\n", sets.join(", ")) };
        }
    }
    text += "severity:\n";
    for (rule, setting) in set.rules.iter().zip(&settings.rules) {
        let level = setting.severity.unwrap_or(rule.header.severity);
        text += &format!("  {}: {}\n", rule.id, if setting.on { level.as_str() } else { "off" });
    }
    text += "params:\n";
    for (rule, setting) in set.rules.iter().zip(&settings.rules).filter(|(_, s)| s.on && !s.params.is_empty()) {
        text += &format!("  {}:\n", rule.id);
        text.extend(setting.params.iter().map(|(key, value)| format!("    {key}: {value}\n")));
    }
    clean(&text).into_owned()
}
