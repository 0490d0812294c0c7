//! `plimsoll completions` and `plimsoll man`: what a package installs beside the binary.

use clap::CommandFactory;

use super::{Status, out};

#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: clap_complete::Shell,
}

pub(super) fn completions(arguments: &Completions) -> Status {
    let mut command = super::Arguments::command();
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "plimsoll", &mut script);
    out(&String::from_utf8_lossy(&script));
    Status::Clean
}

/// One page for all commands, in roff.
pub(super) fn man() -> Status {
    let command = super::Arguments::command();
    let mut page = Vec::new();
    // Writing to memory does not fail.
    let _ = clap_mangen::Man::new(command.clone()).render(&mut page);
    for sub in command.get_subcommands() {
        page.extend_from_slice(format!(".SH \"PLIMSOLL {}\"\n", sub.get_name().to_uppercase()).as_bytes());
        let sub = sub.clone().bin_name(format!("plimsoll {}", sub.get_name()));
        let man = clap_mangen::Man::new(sub);
        let _ = man.render_description_section(&mut page).and_then(|()| man.render_options_section(&mut page));
    }
    out(&String::from_utf8_lossy(&page));
    Status::Clean
}
