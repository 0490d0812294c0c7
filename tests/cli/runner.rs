//! A reader of workflow commands, written from the rules of GitHub's runner: `TryParseV2` and
//! `TryParse` in <https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs>, and
//! what `ActionCommandManager.cs` does with `stop-commands`.

use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) name: String,
    pub(crate) properties: BTreeMap<String, String>,
    pub(crate) data: String,
}

/// What a step's log does: the commands that the runner obeys, and the lines that it shows.
pub(crate) fn obeyed(log: &str) -> (Vec<Command>, Vec<&str>) {
    let mut commands = Vec::new();
    let mut shown = Vec::new();
    let mut stopped: Option<String> = None;
    // The runner ends lines where .NET does.
    for line in log.split(['\n', '\r']) {
        let command = second_form(line).or_else(|| first_form(line));
        match (&stopped, command) {
            (Some(token), Some(command)) if command.name.eq_ignore_ascii_case(token) => stopped = None,
            (Some(_), _) | (None, None) => shown.push(line),
            (None, Some(command)) if command.name == "stop-commands" => stopped = Some(command.data),
            (None, Some(command)) => commands.push(command),
        }
    }
    assert!(stopped.is_none(), "commands stay stopped: {log}");
    (commands, shown)
}

/// `::name key=value,key=value::data`, blanks before it or not.
fn second_form(line: &str) -> Option<Command> {
    let (head, data) = line.trim_start().strip_prefix("::")?.split_once("::")?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let properties = properties.trim().split(',').filter_map(|pair| pair.split_once('='));
    let unescape = |text: &str| {
        text.replace("%0D", "\r").replace("%0A", "\n").replace("%3A", ":").replace("%2C", ",").replace("%25", "%")
    };
    let data = data.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%");
    Some(Command {
        name: name.to_string(),
        properties: properties.map(|(key, value)| (key.to_string(), unescape(value))).collect(),
        data,
    })
}

/// `##[name key=value;]data`, anywhere in a line.
fn first_form(line: &str) -> Option<Command> {
    let (head, data) = line.split_once("##[")?.1.split_once(']')?;
    let name = head.split(' ').next()?.to_string();
    Some(Command { name, properties: BTreeMap::new(), data: data.to_string() })
}

#[test]
fn the_reader_reads_what_the_runner_reads() {
    let (commands, shown) =
        obeyed("a\n  ::error file=a%2Cb,line=3::x%0Ay%253A\n::stop-commands::t\n::error::z\n::T::\nb");
    assert_eq!(commands.len(), 1);
    assert_eq!(commands[0].properties["file"], "a,b");
    assert_eq!(commands[0].data, "x\ny%3A");
    assert_eq!(shown, ["a", "::error::z", "b"]);
}
