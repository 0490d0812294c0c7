//! The baseline: findings that were there before, by fingerprint, in a file beside the configuration.
//!
//! One line a finding, in the order of the fingerprints, so that two branches can add lines and still be
//! merged. What stands beside a fingerprint is for readers.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Problem};
use crate::source::{FileId, SourceFile};

/// The version that is read and written.
const VERSION: u64 = 1;

/// The largest baseline, in bytes.
pub const LARGEST: u64 = 64 << 20;

/// What a baseline says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    version: u64,
    /// The files and folders that were checked for it, relative to its folder; `-` for standard input.
    pub paths: Vec<String>,
    /// Entries by fingerprint.
    pub findings: BTreeMap<String, Entry>,
}

/// A finding for readers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// `topic/id`
    pub rule: String,
    /// Its file, relative to the baseline's folder.
    pub path: String,
    /// `Kind/namespace/name`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// What was wrong.
    pub message: String,
    /// The clusters in which it was found, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clusters: Vec<String>,
}

impl Baseline {
    /// A baseline of findings; `path_of` gives the path of a file relative to the baseline's folder.
    pub fn new<'f>(
        findings: impl Iterator<Item = &'f Finding>,
        mut paths: Vec<String>,
        path_of: &dyn Fn(FileId) -> String,
    ) -> Baseline {
        paths.sort();
        paths.dedup();
        let entry = |finding: &Finding| Entry {
            rule: finding.rule.to_string(),
            path: path_of(finding.primary.span.file),
            resource: finding.resource.as_ref().map(|r| match &r.namespace {
                Some(namespace) => format!("{}/{namespace}/{}", r.kind, r.name),
                None => format!("{}/{}", r.kind, r.name),
            }),
            message: finding.message.clone(),
            clusters: finding.clusters.clone(),
        };
        let findings = findings.map(|finding| (finding.fingerprint.clone(), entry(finding))).collect();
        Baseline { version: VERSION, paths, findings }
    }

    /// Reads a baseline.
    ///
    /// # Errors
    ///
    /// It is no JSON, of another version, or says what no baseline says: at its place.
    pub fn parse(file: &Arc<SourceFile>) -> Result<Baseline, Problem> {
        let text = &*file.text;
        let wrong = |error: &serde_json::Error| {
            let words = error.to_string();
            let words = words.rsplit_once(" at line ").map_or(words.as_str(), |(words, _)| words);
            let problem = Problem::error("baseline can't be read").at(file, place(file, error), words);
            problem.help("mend it, or write it anew: plimsoll baseline")
        };
        let value: serde_json::Value = serde_json::from_str(text).map_err(|error| wrong(&error))?;
        match value.get("version").map(|version| (version.as_u64(), version)) {
            Some((Some(VERSION), _)) => {}
            Some((_, version)) => {
                let at = text.find("\"version\"").unwrap_or(0);
                let range = at..at + if text[at..].starts_with("\"version\"") { "\"version\"".len() } else { 0 };
                let message = format!("baseline is of version {version}, and only version {VERSION} is read");
                return Err(Problem::error(message)
                    .at(file, range, "")
                    .help("use the plimsoll that wrote it, or write it anew: plimsoll baseline"));
            }
            None => {
                let problem = Problem::error("baseline names no version").at(file, 0..text.len().min(1), "");
                return Err(problem.help("write it anew: plimsoll baseline"));
            }
        }
        serde_json::from_str(text).map_err(|error| wrong(&error))
    }

    /// Its text.
    pub fn text(&self) -> String {
        let json = |value: &dyn Fn() -> serde_json::Result<String>| value().unwrap_or_default();
        let mut text = format!("{{\n  \"version\": {VERSION},\n");
        text += &format!("  \"paths\": {},\n", json(&|| serde_json::to_string(&self.paths)));
        text += "  \"findings\": {";
        for (number, (fingerprint, entry)) in self.findings.iter().enumerate() {
            text += if number == 0 { "\n" } else { ",\n" };
            let key = json(&|| serde_json::to_string(fingerprint));
            text += &format!("    {key}: {}", json(&|| serde_json::to_string(entry)));
        }
        text += if self.findings.is_empty() { "}\n}\n" } else { "\n  }\n}\n" };
        text
    }
}

/// The character at which an error was noticed.
fn place(file: &SourceFile, error: &serde_json::Error) -> std::ops::Range<usize> {
    let starts = file.line_starts();
    let line = starts.get(error.line().saturating_sub(1)).map_or(0, |start| *start as usize);
    let mut start = (line + error.column().saturating_sub(1)).min(file.text.len());
    while !file.text.is_char_boundary(start) {
        start -= 1;
    }
    let end = file.text[start..].chars().next().map_or(start, |c| start + c.len_utf8());
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Arc<SourceFile> {
        Arc::new(SourceFile::new("plimsoll-baseline.json", None, text))
    }

    #[test]
    fn what_is_written_is_read() {
        let entry = |message: &str| Entry {
            rule: "a/b".into(),
            path: "x.yaml".into(),
            resource: Some("Deployment/shop/cart".into()),
            message: message.into(),
            clusters: Vec::new(),
        };
        let findings = [("02".to_string(), entry("\"q\" ü")), ("01".to_string(), entry("two\nlines"))].into();
        let baseline = Baseline { version: VERSION, paths: vec![".".into()], findings };
        let text = baseline.text();
        assert_eq!(Baseline::parse(&file(&text)).unwrap(), baseline);
        assert_eq!(text.lines().count(), 8, "{text}");
        assert!(text.lines().nth(4).unwrap().starts_with("    \"01\": {\"rule\":\"a/b\""), "{text}");
        let empty = Baseline { version: VERSION, ..Baseline::default() };
        assert_eq!(Baseline::parse(&file(&empty.text())).unwrap(), empty);
    }

    #[test]
    fn what_is_no_baseline_is_refused_at_its_place() {
        let problem = |text: &str| {
            let problem = Baseline::parse(&file(text)).unwrap_err();
            let (file, range) = problem.place.clone().unwrap();
            let label = problem.label.clone().unwrap_or_default();
            (format!("{}: {label}", problem.message), file.text[range].to_string())
        };
        let good = "{\"version\": 1, \"paths\": [], \"findings\": {}}";
        assert!(Baseline::parse(&file(good)).is_ok());
        for (text, message, place) in [
            ("{\n<<<<<<< HEAD\n", "baseline can't be read: key must be a string", "<"),
            (
                "{\"version\": 2, \"found\": []}",
                "baseline is of version 2, and only version 1 is read: ",
                "\"version\"",
            ),
            ("{}", "baseline names no version: ", "{"),
            ("[]", "baseline names no version: ", "["),
            (
                "{\"version\": 1, \"paths\": [], \"findings\": {}, \"x\": 1}",
                "baseline can't be read: unknown field `x`, expected one of `version`, `paths`, `findings`",
                "\"",
            ),
            ("{\"version\": 1, \"findings\": {}}", "baseline can't be read: missing field `paths`", "}"),
            ("", "baseline can't be read: EOF while parsing a value", ""),
        ] {
            let (said, at) = problem(text);
            assert_eq!((said.as_str(), at.as_str()), (message, place), "{text}");
        }
    }
}
