//! Rules as plain data: one file each, with its header, its page and its examples. Nothing here
//! knows the language that the rule's code is written in.

pub mod header;
pub mod load;
pub mod page;
pub mod params;
pub mod setting;
pub mod table;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use crate::spelling::closest;

use crate::finding::RuleId;
use crate::source::SourceFile;
use header::{Header, Subject};
use page::Page;
pub use setting::{Params, Setting};
use table::Table;

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// `topic/id`, from its folder and file name.
    pub id: RuleId,
    /// Its file, for errors.
    pub file: Arc<SourceFile>,
    /// What its front matter says.
    pub header: Header,
    /// Its page: title, why, examples.
    pub page: Page,
    /// The code; the page is blanked to empty lines, so that positions hold.
    pub code: String,
    /// Whether it comes with plimsoll.
    pub built_in: bool,
}

impl Rule {
    /// The names that mean it: id, stem, topic and aliases.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let own = [self.id.as_str(), self.id.stem(), self.id.topic()].into_iter();
        own.chain(self.header.aka.iter().map(String::as_str))
    }

    /// What it checks.
    pub fn subjects(&self) -> &[Subject] {
        &self.header.checks
    }

    /// Whether a name in `--select`, `--ignore` or a comment means this rule: its id, the part after
    /// the slash, its topic, an id of another tool, or a former id.
    pub fn is_named(&self, name: &str) -> bool {
        name == "all"
            || name == self.id.as_str()
            || name == self.id.stem()
            || name == self.id.topic()
            || self.header.aka.iter().any(|a| a == name)
            || self.header.formerly.iter().any(|f| f == name || f.rsplit('/').next() == Some(name))
    }
}

/// Shared functions that all rules may call.
#[derive(Debug)]
pub struct Library {
    /// Its file.
    pub file: Arc<SourceFile>,
}

/// All rules of a run, sorted by id.
#[derive(Debug, Default)]
pub struct RuleSet {
    /// The rules.
    pub rules: Vec<Rule>,
    /// Files of `lib` folders, by path.
    pub libraries: Vec<Library>,
    /// Tables of `data` folders, by file stem.
    pub tables: BTreeMap<String, Table>,
}

impl RuleSet {
    /// The rule of that id, stem or alias, if the name means exactly one.
    pub fn find(&self, name: &str) -> Option<&Rule> {
        let exact = self.rules.iter().find(|r| r.id.as_str() == name || r.id.stem() == name);
        exact.or_else(|| {
            let mut named = self.rules.iter().filter(|r| r.is_named(name));
            named.next().filter(|_| named.next().is_none())
        })
    }

    /// Whether a name means any rule.
    pub fn knows(&self, name: &str) -> bool {
        self.rules.iter().any(|r| r.is_named(name))
    }

    /// All names that mean a rule, for "did you mean".
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.rules.iter().flat_map(Rule::names).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// What a header, a table or a parameter may nest.
const DEPTH: i32 = 64;

/// Reads the YAML that rules are written in.
///
/// # Errors
///
/// It is no YAML, no `T`, or nests deeper than anything that makes sense: the parser looks at every
/// open bracket for every token, which a long run of them would turn into hours.
pub fn read_yaml<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, serde_yaml::Error> {
    let mut depth = 0;
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = (depth - 1).max(0),
            _ => {}
        }
        if depth > DEPTH {
            return Err(serde::de::Error::custom(format!("more than {DEPTH} brackets are open at once")));
        }
    }
    serde_yaml::from_str(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_are_counted_before_they_are_parsed() {
        let nested =
            |depth: usize| read_yaml::<serde_yaml::Value>(&format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
        assert!(nested(60).is_ok());
        assert!(nested(65).unwrap_err().to_string().contains("brackets"));
        assert!(read_yaml::<serde_yaml::Value>(&"[{".repeat(1_000_000)).is_err());
        assert!(read_yaml::<serde_yaml::Value>(&"- []\n".repeat(1_000)).is_ok());
    }
}
