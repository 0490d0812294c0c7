//! What a rule's author is told: words of other languages, calls that fit nothing, names of types.

use super::vocabulary::{On, Word};

/// What to write instead of a word or sign that other languages have; nothing for what is fine here.
pub(super) fn instead(word: &str) -> Option<&'static str> {
    Some(match word {
        "and" => "`and` is written `&&`",
        "or" => "`or` is written `||`; what a missing value stands for is `.or(x)`",
        "not" => "`not` is written `!`",
        "elif" | "elsif" | "elseif" => "write `else if`",
        "null" | "nil" | "None" => "there is no such value: ask with `.missing()` or `.exists()`",
        "is" => "`is` is written `==`; whether something is there is asked with `.missing()`",
        "then" => "leave out `then`: what follows a condition stands in braces, `if x == 1 { … }`",
        "unless" => "`unless` is written `if !(…)`",
        "=" => "a comparison is written `==`",
        "'" => "texts stand in double quotes, `\"…\"`; with `${…}` in backticks",
        "“" | "”" | "„" | "‘" | "’" => "curly quotes are none: texts stand in `\"…\"`",
        "#" => "a comment starts with `//`",
        _ => return None,
    })
}

/// A call that fits no word: what Rhai calls its signature, and how the words of that name are called.
pub(super) fn no_such_call(signature: &str, words: &[Word]) -> String {
    let signature = signature.replace("&str | ImmutableString | String", "text").replace("i64", "number");
    let (name, arguments) = signature.split_once(" (").unwrap_or((&signature, ""));
    if arguments.starts_with("table") {
        return "a table answers only `.row(key)`, `.has(key)` and `.keys()`".to_string();
    }
    let mut calls: Vec<String> = Vec::new();
    for word in words.iter().filter(|word| word.name() == name) {
        let asked = match word.on {
            On::Function => "",
            On::Mesh => "mesh.",
            On::Finding => "report(…).",
            On::List => "list.",
            _ => "x.",
        };
        calls.push(format!("`{asked}{}`", word.signature));
    }
    calls.dedup();
    let right = if calls.is_empty() { String::new() } else { format!("; write {}", calls.join(" or ")) };
    format!("nothing answers `{signature}` here{right}")
}

/// A message in which types have the names that the vocabulary gives them, not those of Rust.
pub(super) fn without_paths(message: &str) -> String {
    let mut parts = message.split("plimsoll::");
    let mut clean = parts.next().unwrap_or("").to_string();
    for part in parts {
        let end = part.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(part.len());
        let name = part[..end].rsplit("::").next().unwrap_or("");
        clean += match name {
            "V" => "value",
            "L" => "list",
            "M" => "mesh",
            "F" => "finding",
            "E" => "edit",
            "P" => "proxy",
            "B" => "block",
            "CallTo" => "call",
            "C" => "certificate",
            "K" => "key pair",
            "End" => "end of a connection",
            "PodPort" => "port",
            "TableRef" => "table",
            other => other,
        };
        clean += &part[end..];
    }
    clean
}
