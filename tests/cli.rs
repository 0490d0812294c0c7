//! The real binary, run in scratch folders.

#[path = "cli/answers.rs"]
mod answers;
#[path = "cli/baseline.rs"]
mod baseline;
#[path = "cli/change.rs"]
mod change;
#[path = "cli/clusters.rs"]
mod clusters;
#[path = "cli/commands.rs"]
mod commands;
#[path = "cli/configuration.rs"]
mod configuration;
#[path = "cli/declare.rs"]
mod declare;
#[path = "cli/edits.rs"]
mod edits;
#[path = "cli/every_format.rs"]
mod every_format;
#[path = "cli/examples.rs"]
mod examples;
#[path = "cli/formats.rs"]
mod formats;
#[path = "cli/github.rs"]
mod github;
#[path = "cli/gitlab.rs"]
mod gitlab;
#[path = "cli/input.rs"]
mod input;
#[path = "cli/junit.rs"]
mod junit;
#[path = "cli/markdown.rs"]
mod markdown;
#[path = "cli/mistakes.rs"]
mod mistakes;
#[path = "cli/new_rule.rs"]
mod new_rule;
#[path = "cli/plan.rs"]
mod plan;
#[path = "cli/releases.rs"]
mod releases;
#[path = "cli/render.rs"]
mod render;
#[path = "cli/report_files.rs"]
mod report_files;
#[path = "cli/runner.rs"]
mod runner;
#[path = "cli/sarif.rs"]
mod sarif;
#[path = "cli/scratch.rs"]
mod scratch;
#[path = "cli/selection.rs"]
mod selection;
#[path = "cli/snapshot.rs"]
mod snapshot;
#[path = "cli/status.rs"]
mod status;
#[path = "cli/strangers.rs"]
mod strangers;
#[path = "cli/suppression.rs"]
mod suppression;
#[path = "cli/terminal.rs"]
mod terminal;
#[path = "cli/timing.rs"]
mod timing;
