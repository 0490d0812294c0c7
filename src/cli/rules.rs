//! `plimsoll rules`

use super::{Status, complain, out, project};
use crate::report::sanitize::clean;
use crate::rule::header::OptIn;
use crate::run::Loaded;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    project: project::Origin,
    /// table, json or markdown
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum Format {
    #[default]
    Table,
    Json,
    Markdown,
}

pub(super) fn run(arguments: &Arguments) -> Status {
    let loaded = match arguments.project.read(&[]) {
        Ok(project) => project.loaded,
        Err(status) => return status,
    };
    match arguments.format {
        Format::Table => out(&clean(&table(&loaded))),
        Format::Json => out(&json(&loaded)),
        Format::Markdown => out(&clean(&markdown(&loaded))),
    }
    if loaded.problems.is_empty() { Status::Clean } else { complain(&loaded.problems) }
}

fn table(loaded: &Loaded) -> String {
    let rules = &loaded.set.rules;
    let width = rules.iter().map(|r| r.id.as_str().len()).max().unwrap_or(0);
    let mut out = String::new();
    for rule in rules {
        let note = match rule.header.opt_in {
            Some(OptIn::Preview) => " (preview: --select it)",
            Some(OptIn::Pedantic) => " (pedantic: --select it)",
            None => "",
        };
        out +=
            &format!("{:width$}  {:<7}  {}{note}\n", rule.id.as_str(), rule.header.severity.as_str(), rule.page.title);
    }
    let topics: std::collections::BTreeSet<_> = rules.iter().map(|r| r.id.topic()).collect();
    out + format!("\n{} rules in {} topics; `plimsoll explain RULE` shows one\n", rules.len(), topics.len()).as_str()
}

/// A table for each topic, as the rules' own guide holds it.
fn markdown(loaded: &Loaded) -> String {
    let mut out = String::new();
    let mut topic = "";
    let cell = |text: &str| text.replace('|', "\\|");
    for (rule, reads) in loaded.set.rules.iter().zip(&loaded.checked.reads) {
        if rule.id.topic() != topic {
            topic = rule.id.topic();
            let gap = if out.is_empty() { "" } else { "\n" };
            out += &format!(
                "{gap}### {topic}\n\n| rule | severity | finds | reads | source | also known as |\n|---|---|---|---|---|---|\n"
            );
        }
        let header = &rule.header;
        let mut read: Vec<String> = header.checks.iter().map(crate::rule::header::Subject::name).collect();
        if header.native {
            read.push("every file".to_string());
        }
        for more in reads {
            if !read.contains(more) {
                read.push(more.clone());
            }
        }
        let opt_in = header.opt_in.map_or("", |_| ", if asked for");
        out += &format!(
            "| `{}` | {}{opt_in} | {} | {} | {} | {} |\n",
            rule.id.stem(),
            header.severity,
            cell(&rule.page.title),
            cell(&read.join(", ")),
            cell(header.source.as_deref().unwrap_or("")),
            cell(&header.aka.join(", ")),
        );
    }
    out
}

fn json(loaded: &Loaded) -> String {
    let rules: Vec<_> = loaded
        .set
        .rules
        .iter()
        .zip(&loaded.checked.reads)
        .map(|(rule, reads)| {
            let header = &rule.header;
            serde_json::json!({
                "id": rule.id.as_str(),
                "title": rule.page.title,
                "why": rule.page.why,
                "severity": header.severity.as_str(),
                "checks": header.checks.iter().map(crate::rule::header::Subject::name).collect::<Vec<_>>(),
                "reads": reads,
                "aka": header.aka,
                "params": header.params.iter().map(|p| serde_json::json!({
                    "name": p.name, "type": p.kind.to_string(), "default": p.default.to_string(), "help": p.help,
                })).collect::<Vec<_>>(),
                "native": header.native,
                "builtIn": rule.built_in,
                "source": header.source,
            })
        })
        .collect();
    crate::report::json::escaped(&rules)
}
