//! The real binary, run in scratch folders.

#[path = "cli/answers.rs"]
mod answers;
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
#[path = "cli/examples.rs"]
mod examples;
#[path = "cli/formats.rs"]
mod formats;
#[path = "cli/input.rs"]
mod input;
#[path = "cli/mistakes.rs"]
mod mistakes;
#[path = "cli/new_rule.rs"]
mod new_rule;
#[path = "cli/render.rs"]
mod render;
#[path = "cli/scratch.rs"]
mod scratch;
#[path = "cli/selection.rs"]
mod selection;
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
