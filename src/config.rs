//! Configuration and flags → settings: which rules run and how, and what is declared about the cluster.

pub mod contents;
pub mod declare;
mod example;
pub mod file;
mod ignore;
pub mod init;
mod rules;

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use crate::change::{Before, Focus};
use crate::finding::{Finding, Problem};
use crate::layout::{Cluster, Clusters, DeclaredCluster};
use crate::mesh::{Declared, is_production};
use crate::progress::Progress;
use crate::rule::setting::{Condition, Override};
use crate::rule::{RuleSet, Setting, load};
use crate::source::pattern::Patterns;
use crate::source::{FileId, SourceFile, Sources};

pub use example::{FIXED_DATE, for_example};
use file::ConfigFile;

/// Everything that a check needs to know beside the texts and the rules.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// How each rule takes part wherever nothing else is said, in the order of the rules.
    pub rules: Vec<Setting>,
    /// Whether no rule was left out by selection: only then can a suppression be called unused.
    pub all_rules: bool,
    /// What is declared about clusters that nobody declared.
    pub declared: Declared,
    /// The clusters of the configuration.
    pub clusters: Clusters,
    /// Files that are not checked.
    pub exclude: Patterns,
    /// The namespace of namespaced resources that name none.
    pub namespace: String,
    /// Threads.
    pub jobs: usize,
    /// Where a check notes how far it is and what it costs.
    pub progress: Arc<Progress>,
    /// Names of files that the user gave: those are manifests, whatever they look like.
    pub named: HashSet<String>,
    /// Names of kustomizations that nobody gave: they say what the named files are, and no more.
    pub context: HashSet<String>,
    /// What was there before the change that is checked: only what is new is reported.
    pub before: Option<Arc<Before>>,
    /// This run is about what was there before a change, which the outcome remembers.
    pub remember: bool,
    /// Files that git holds are read although `.gitignore` names them: a change can't hide what it brings.
    pub tracked_too: bool,
    /// Only findings that touch these files are reported.
    pub focus: Option<Focus>,
    /// The name of the configuration.
    pub configuration: Option<String>,
    /// What switches findings off, beside what the manifests say.
    pub suppressing: Suppressing,
    /// The folder that patterns are relative to; nothing where there is no configuration.
    root: Option<PathBuf>,
    overrides: Vec<Overriding>,
}

/// What switches findings off, beside comments and annotations.
#[derive(Debug, Clone, Default)]
pub struct Suppressing {
    /// Nothing is switched off, comments and annotations included.
    pub off: bool,
    /// The configuration, where it has entries that do. It is read, and not judged.
    pub configuration: Option<Arc<SourceFile>>,
    /// The baseline. It is read, and not judged.
    pub baseline: Option<Arc<SourceFile>>,
    /// Whether all that the configuration may speak of is read.
    pub whole_project: bool,
    /// Whether all that the baseline may speak of is read.
    pub whole_baseline: bool,
}

impl Suppressing {
    /// The texts that are read beside the manifests.
    pub fn texts(&self) -> impl Iterator<Item = &Arc<SourceFile>> {
        self.configuration.iter().chain(&self.baseline)
    }

    /// Whether a text is one of those.
    pub fn is_beside(&self, name: &str) -> bool {
        self.texts().any(|file| file.name == name)
    }
}

/// An override of the configuration, before it is known which files and clusters there are.
#[derive(Debug, Clone, Default)]
struct Overriding {
    paths: Option<Patterns>,
    clusters: Vec<String>,
    environments: Vec<String>,
    condition: Condition,
    /// By number of the rule.
    rules: Vec<(usize, rules::Change)>,
}

/// Whose figures the parameters take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// Field experience.
    #[default]
    Field,
    /// What the projects themselves measured or recommend.
    Official,
}

/// What the user said, still as text.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// Only these rules; empty for all.
    pub select: Vec<String>,
    /// Not these.
    pub ignore: Vec<String>,
    /// `rule.key=value`
    pub params: Vec<String>,
    /// `key=value`, maybe several with commas between.
    pub assume: Vec<String>,
    /// Kinds of which everything is in the input; an empty text for all.
    pub complete: Option<String>,
    /// The date of the run.
    pub today: Option<String>,
    /// Whose figures.
    pub preset: Option<Preset>,
    /// The namespace of resources that name none.
    pub namespace: Option<String>,
}

impl Settings {
    /// Checks what the user said, in flags and in the configuration, against the rules; flags win.
    ///
    /// # Errors
    ///
    /// A problem for each word that means nothing, at its place, with what may have been meant.
    pub fn new(flags: &Flags, file: Option<&ConfigFile>, set: &RuleSet) -> Result<Settings, Vec<Problem>> {
        let mut problems = Vec::new();
        for name in flags.select.iter().chain(&flags.ignore).filter(|n| *n != "all" && !set.knows(n)) {
            let problem = Problem::error(format!("no rule, topic or alias is called \"{name}\""));
            problems.push(problem.help(load::did_you_mean(set, name)));
        }
        let preset = flags.preset.or(file.and_then(|f| f.contents.preset)).unwrap_or_default();
        let mut settings = Settings {
            namespace: flags
                .namespace
                .clone()
                .or_else(|| file.and_then(|f| f.contents.namespace.clone()))
                .unwrap_or_else(|| "default".to_string()),
            jobs: std::thread::available_parallelism().map_or(1, usize::from),
            root: file.map(|f| f.folder.clone()),
            configuration: file.map(|f| f.name().to_string()),
            ..Settings::default()
        };
        let changes = rules::changes(flags, file, set, &mut problems);
        (settings.rules, settings.all_rules) = rules::settings(flags, preset, set, changes);
        settings.declared = declare::declared(flags, file, preset, &mut problems);
        if let Some(file) = file {
            settings.read_layout(file, flags, set, &mut problems);
            ignore::problems(file, &mut problems);
            settings.suppressing.configuration = (!file.contents.ignore.is_empty()).then(|| file.source());
        }
        if problems.is_empty() { Ok(settings) } else { Err(problems) }
    }

    /// Clusters, patterns and overrides of the configuration.
    fn read_layout(&mut self, file: &ConfigFile, flags: &Flags, set: &RuleSet, problems: &mut Vec<Problem>) {
        let contents = &file.contents;
        let mut patterns = |path: &[&str], texts: &[String]| {
            Patterns::new(texts).unwrap_or_else(|(number, reason)| {
                let number = number.to_string();
                let path: Vec<&str> = path.iter().copied().chain([number.as_str()]).collect();
                problems.push(file.at(&path, format!("pattern can't be used: {reason}")));
                Patterns::default()
            })
        };
        self.exclude = patterns(&["exclude"], &contents.exclude);
        self.clusters.shared = patterns(&["shared"], &contents.shared);
        let mut declared = Vec::new();
        for (name, entry) in &contents.clusters {
            declared.push((name.clone(), patterns(&["clusters", name, "files"], &entry.files)));
        }
        let paths: Vec<Patterns> = contents
            .overrides
            .iter()
            .enumerate()
            .map(|(n, entry)| patterns(&["overrides", &n.to_string(), "match", "paths"], &entry.matching.paths))
            .collect();
        for (name, files) in declared {
            let declared = declare::of_cluster(&self.declared, file, &name, flags, problems);
            self.clusters.declared.push(DeclaredCluster { name, files, declared });
        }
        for (number, (entry, paths)) in contents.overrides.iter().zip(paths).enumerate() {
            let at = number.to_string();
            let matching = &entry.matching;
            let mut kinds = Vec::new();
            for kind in matching.kind.to_vec() {
                match crate::resource::pattern::kind(&kind) {
                    Ok(kind) => kinds.push(kind),
                    Err(reason) => problems.push(file.at(&["overrides", &at, "match", "kind"], reason)),
                }
            }
            for cluster in matching
                .cluster
                .to_vec()
                .iter()
                .filter(|c| !contents.clusters.is_empty() && !contents.clusters.contains_key(*c))
            {
                let near = crate::rule::closest(cluster, contents.clusters.keys().map(String::as_str));
                let problem =
                    file.at(&["overrides", &at, "match", "cluster"], format!("no cluster is called \"{cluster}\""));
                problems.push(match near {
                    Some(near) => problem.help(format!("did you mean \"{near}\"?")),
                    None => problem,
                });
            }
            let start = ["overrides", at.as_str()];
            let rules = rules::changes_of(file, &start, &entry.severity, &entry.params, set, problems);
            self.overrides.push(Overriding {
                paths: (!matching.paths.is_empty()).then_some(paths),
                clusters: matching.cluster.to_vec(),
                environments: matching.environment.to_vec(),
                condition: Condition {
                    files: None,
                    namespaces: matching.namespace.to_vec(),
                    kinds,
                    labels: matching.labels.clone(),
                },
                rules: rules.into_iter().collect(),
            });
        }
    }

    /// The resources that each override means, once it is known which files there are.
    pub fn conditions(&self, sources: &Sources) -> Vec<Arc<Condition>> {
        if self.overrides.is_empty() {
            return Vec::new();
        }
        let paths: Vec<(FileId, String)> = sources.iter().map(|(id, file)| (id, self.path_of(file))).collect();
        let files = |patterns: &Patterns| -> BTreeSet<FileId> {
            paths.iter().filter(|(_, path)| patterns.matching(path).is_some()).map(|(id, _)| *id).collect()
        };
        let resolved = |overriding: &Overriding| {
            let files = overriding.paths.as_ref().map(files);
            Arc::new(Condition { files, ..overriding.condition.clone() })
        };
        self.overrides.iter().map(resolved).collect()
    }

    /// How each rule takes part in a cluster.
    /// `conditions` are those of the overrides, as [`Settings::conditions`] makes them.
    pub fn rules_in(&self, cluster: &Cluster, set: &RuleSet, conditions: &[Arc<Condition>]) -> Vec<Setting> {
        let mut rules = self.rules.clone();
        for (setting, rule) in rules.iter_mut().zip(&set.rules) {
            setting.on &= cluster.declared.is_production() || !rule.header.production_only;
        }
        let environment = cluster.declared.environment.as_deref();
        // `prod` means every name of production.
        let is_environment = |wanted: &String| {
            environment == Some(wanted) || (is_production(wanted) && cluster.declared.is_production())
        };
        for (overriding, condition) in self.overrides.iter().zip(conditions) {
            let is = |list: &[String], own: &str| list.is_empty() || list.iter().any(|x| x == own);
            let fits = overriding.environments.is_empty() || overriding.environments.iter().any(is_environment);
            if !fits || !is(&overriding.clusters, &cluster.name) {
                continue;
            }
            for (rule, change) in &overriding.rules {
                rules[*rule].overrides.push(Override {
                    condition: condition.clone(),
                    severity: change.level.map(contents::Level::severity),
                    params: change.params.clone(),
                });
            }
        }
        rules
    }

    /// The path of a file relative to the configuration, for patterns.
    pub fn path_of(&self, file: &SourceFile) -> String {
        let rendered = file.rendered.as_ref().map(|_| PathBuf::from(&file.name));
        match (&self.root, file.path.as_ref().or(rendered.as_ref())) {
            (Some(root), Some(path)) => relative(root, path),
            _ => crate::layout::path::normal(&file.name),
        }
    }

    /// The same settings for an earlier state of the repository, of which a copy lies elsewhere.
    pub fn for_earlier(&self, top: &std::path::Path, copy: &std::path::Path) -> Settings {
        let mut settings = Settings { remember: true, focus: None, tracked_too: false, ..self.clone() };
        let below = self.root.as_ref().and_then(|root| root.strip_prefix(top).ok());
        settings.root = below.map(|below| copy.join(below)).or_else(|| self.root.clone());
        settings
    }

    /// The path of something that the user calls by that name, relative to the configuration.
    pub fn path_of_name(&self, name: &str) -> String {
        match &self.root {
            Some(root) => relative(root, std::path::Path::new(name)),
            None => crate::layout::path::normal(name),
        }
    }

    /// The pattern that excludes a file on disk.
    pub fn excludes(&self, path: &std::path::Path) -> Option<&str> {
        self.exclude.matching(&relative(self.root.as_ref()?, path))
    }

    /// Gives findings that Rust makes the severity that the configuration gives their rule.
    pub fn grade_native(&self, findings: &mut [Finding], set: &RuleSet) {
        for (rule, setting) in set.rules.iter().zip(&self.rules).filter(|(rule, _)| rule.header.native) {
            let Some(severity) = setting.severity else { continue };
            findings.iter_mut().filter(|f| f.rule == rule.id).for_each(|f| f.severity = severity);
        }
    }
}

/// A path on disk as it is seen from a folder, with `/` between folders.
pub fn relative(root: &std::path::Path, path: &std::path::Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let normal = |path: &std::path::Path| crate::layout::path::normal(&path.to_string_lossy().replace('\\', "/"));
    let (root, path) = (normal(root), normal(&absolute));
    let root = root.trim_end_matches('/');
    path.strip_prefix(root).and_then(|p| p.strip_prefix('/')).unwrap_or(&path).to_string()
}

/// The date of the run: `SOURCE_DATE_EPOCH` where it is set, as reproducible builds ask, else the
/// clock's, in UTC.
fn today() -> String {
    let epoch = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|s| s.trim().parse::<i64>().ok());
    let seconds = epoch.unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(0))
    });
    let stamp = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    stamp.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}

/// Whether a text is a date, `2026-11-24`.
fn is_date(text: &str) -> bool {
    jiff::civil::Date::from_str(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_that_mean_nothing_are_named() {
        let set = RuleSet::default();
        for (flags, part) in [
            (Flags { select: vec!["nope".into()], ..Flags::default() }, "nope"),
            (Flags { assume: vec!["isito=1.30".into()], ..Flags::default() }, "isito"),
            (Flags { assume: vec!["istio=new".into()], ..Flags::default() }, "no version"),
            (Flags { complete: Some("Servce".into()), ..Flags::default() }, "Servce"),
            (Flags { today: Some("soon".into()), ..Flags::default() }, "soon"),
            (Flags { params: vec!["x".into()], ..Flags::default() }, "rule.key=value"),
        ] {
            let problems = Settings::new(&flags, None, &set).unwrap_err();
            assert!(problems[0].message.contains(part), "{}", problems[0].message);
        }
    }

    #[test]
    fn assumptions_become_declarations() {
        let flags = Flags {
            assume: vec!["istio=1.30,injection=sidecar".into()],
            complete: Some("Service,Secret".into()),
            today: Some("2026-01-01".into()),
            ..Flags::default()
        };
        let settings = Settings::new(&flags, None, &RuleSet::default()).unwrap();
        assert_eq!(settings.declared.istio.as_deref(), Some("1.30"));
        assert_eq!(settings.declared.complete, ["Service", "Secret"]);
        assert_eq!(settings.declared.today, "2026-01-01");
    }
}
