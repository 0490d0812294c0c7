//! What Istio's charts take where no value is written. The figures stand in a table of `rules/data`.

use std::collections::BTreeMap;

use crate::units::Version;

/// The table's name.
pub const TABLE: &str = "istio-chart-defaults";

/// The defaults of all charts and profiles.
#[derive(Debug, Clone, Default)]
pub struct Defaults(Vec<Row>);

/// One key of one chart.
#[derive(Debug, Clone)]
struct Row {
    /// `istiod`, or `istiod@demo` for a profile.
    chart: Box<str>,
    /// `resources.requests.cpu`
    key: Box<str>,
    /// Its values, each with the version since which it holds, in their order.
    values: Vec<(Version, serde_yaml::Value)>,
}

impl Defaults {
    /// From the rows of the table: `<chart> <key>`, or `<chart>@<profile> <key>`, each with its values by
    /// the version since which they hold. What is no version, and what has no key, is left out.
    pub fn new(rows: &BTreeMap<String, BTreeMap<String, serde_yaml::Value>>) -> Defaults {
        let read = |(row, columns): (&String, &BTreeMap<String, serde_yaml::Value>)| {
            let (chart, key) = row.split_once(' ')?;
            let mut values: Vec<_> =
                columns.iter().filter_map(|(since, value)| Some((Version::parse(since)?, value.clone()))).collect();
            values.sort_by_key(|(since, _)| *since);
            Some(Row { chart: chart.into(), key: key.into(), values })
        };
        Defaults(rows.iter().filter_map(read).collect())
    }

    /// Whether there is anything about a chart, or a profile of it.
    pub fn knows(&self, chart: &str) -> bool {
        self.0.iter().any(|row| &*row.chart == chart)
    }

    /// The defaults of a chart as YAML. Where the version is not known, only what all versions share.
    pub fn yaml(&self, chart: &str, version: Option<Version>) -> String {
        let mut root = serde_yaml::Mapping::new();
        for row in self.0.iter().filter(|row| &*row.chart == chart) {
            let value = match version {
                Some(version) => row.values.iter().rev().find(|(since, _)| *since <= version),
                None => row.values.first().filter(|first| row.values.iter().all(|(_, value)| *value == first.1)),
            };
            let Some((_, value)) = value else { continue };
            let keys: Vec<&str> = row.key.split('.').collect();
            insert(&mut root, &keys, value);
        }
        serde_yaml::to_string(&root).unwrap_or_default()
    }
}

/// Puts a value at a path of keys.
fn insert(map: &mut serde_yaml::Mapping, path: &[&str], value: &serde_yaml::Value) {
    match path {
        [] => {}
        [last] => {
            map.insert((*last).into(), value.clone());
        }
        [first, rest @ ..] => {
            let empty = || serde_yaml::Value::Mapping(serde_yaml::Mapping::new());
            if let serde_yaml::Value::Mapping(inner) = map.entry((*first).into()).or_insert_with(empty) {
                insert(inner, rest, value);
            }
        }
    }
}

/// The table as it is delivered, for tests.
#[cfg(test)]
pub(crate) fn delivered() -> Defaults {
    #[derive(serde::Deserialize)]
    struct Table {
        rows: BTreeMap<String, BTreeMap<String, serde_yaml::Value>>,
    }
    let table: Table = serde_yaml::from_str(include_str!("../../../rules/data/istio-chart-defaults.yaml")).unwrap();
    Defaults::new(&table.rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_holds_from_a_version_on() {
        let defaults = delivered();
        let memory = |version: Option<&str>| {
            let yaml = defaults.yaml("ztunnel", version.and_then(Version::parse));
            let values: serde_yaml::Value = serde_yaml::from_str(&yaml).unwrap();
            values["resources"]["requests"]["memory"].as_str().map(str::to_string)
        };
        assert_eq!(memory(Some("1.22.1")).as_deref(), Some("2048Mi"));
        assert_eq!(memory(Some("1.30")).as_deref(), Some("512Mi"));
        assert_eq!((memory(Some("1.17")), memory(None)), (None, None));
        assert!(defaults.knows("istiod@demo") && !defaults.knows("istiod@mine"));
    }
}
