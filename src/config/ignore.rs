//! `ignore:` of the configuration: whether its entries can be used.

use super::file::ConfigFile;
use crate::finding::Problem;
use crate::resource::pattern::ResourcePattern;
use crate::source::pattern::Patterns;
use crate::suppress::until_problem;

/// What is wrong with the entries. Names that mean no rule are findings instead, like those in comments.
pub(super) fn problems(file: &ConfigFile, problems: &mut Vec<Problem>) {
    for (number, entry) in file.contents.ignore.iter().enumerate() {
        let number = number.to_string();
        let mut add = |path: &[&str], message: String| {
            problems.push(file.at(&[&["ignore", number.as_str()], path].concat(), message));
        };
        if entry.rules.iter().all(|rule| rule.trim().is_empty()) {
            add(&["rules"], "entry names no rule".to_string());
        }
        if entry.reason.trim().is_empty() {
            add(&["reason"], "entry gives no reason".to_string());
        }
        if entry.resources.is_empty() && entry.paths.is_empty() {
            add(&[], "entry names neither resources nor paths".to_string());
        }
        for (nth, text) in entry.resources.iter().enumerate() {
            if let Err(reason) = ResourcePattern::parse(text) {
                add(&["resources", &nth.to_string()], reason);
            }
        }
        if let Err((nth, reason)) = Patterns::new(&entry.paths) {
            add(&["paths", &nth.to_string()], format!("pattern can't be used: {reason}"));
        }
        if let Some(reason) = entry.until.as_deref().and_then(until_problem) {
            add(&["until"], reason);
        }
    }
}
