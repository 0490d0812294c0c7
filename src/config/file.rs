//! `plimsoll.yaml`: where it lies, and where in it an error is.

use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::contents::Contents;
use crate::finding::Problem;
use crate::rule::closest;
use crate::source::walk::CONFIGURATIONS;
use crate::source::{FileId, SourceFile};
use crate::yaml::{Node, Tree};

/// A configuration larger than that is none.
const LARGEST: u64 = 1 << 20;

/// A configuration that was read.
#[derive(Debug, Clone)]
pub struct ConfigFile {
    /// What it says.
    pub contents: Contents,
    /// The folder that its paths and patterns are relative to.
    pub folder: PathBuf,
    /// The folder in which the rules, the tables and the baseline that it names are read: the same, but
    /// for a configuration that comes from a revision.
    pub stored: PathBuf,
    /// Where it lies, if it can be written back.
    path: Option<PathBuf>,
    file: Arc<SourceFile>,
    tree: Arc<Tree>,
}

/// Finds the configuration for paths that are to be checked: in the folder that holds them all, or in
/// one above it, up to the root of the repository. Without a repository the current folder is the end,
/// where the paths lie below it.
pub fn find(paths: &[PathBuf]) -> Option<PathBuf> {
    let (common, root) = extent(paths)?;
    let up_to_root = common.ancestors().take_while(|folder| folder.starts_with(&root));
    // A link may lead to a file that is nobody's configuration.
    let is_file = |path: &PathBuf| path.symlink_metadata().is_ok_and(|m| m.is_file());
    up_to_root.flat_map(|folder| CONFIGURATIONS.map(|name| folder.join(name))).find(is_file)
}

/// The root of the repository that holds the paths; nothing where there is none.
pub fn repository_root(paths: &[PathBuf]) -> Option<PathBuf> {
    extent(paths).map(|(_, root)| root).filter(|root| root.join(".git").exists())
}

/// The folder that holds all the paths, and the one above it where the search for a configuration ends.
fn extent(paths: &[PathBuf]) -> Option<(PathBuf, PathBuf)> {
    let current = Path::new(".").canonicalize().ok()?;
    let folder = |path: &PathBuf| {
        let real = if path.as_os_str() == "-" { current.clone() } else { path.canonicalize().ok()? };
        if real.is_dir() { Some(real) } else { real.parent().map(Path::to_path_buf) }
    };
    let here = [PathBuf::from(".")];
    let mut folders = if paths.is_empty() { &here[..] } else { paths }.iter().filter_map(folder);
    let mut common = folders.next()?;
    for other in folders {
        while !other.starts_with(&common) {
            common = common.parent()?.to_path_buf();
        }
    }
    let is_root = |folder: &&Path| folder.join(".git").exists();
    let outside = if common.starts_with(&current) { &current } else { &common };
    let root = common.ancestors().find(is_root).unwrap_or(outside).to_path_buf();
    Some((common, root))
}

/// A path relative to the current folder where it lies below it, with `/` between folders.
pub fn shown(path: &Path) -> String {
    let here = Path::new(".").canonicalize().unwrap_or_default();
    let real = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    real.strip_prefix(&here).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// Reads a configuration.
///
/// # Errors
///
/// Why it can't be used, at its place.
pub fn read(path: &Path) -> Result<ConfigFile, Vec<Problem>> {
    let name = shown(path);
    let wrong = |reason: String| vec![Problem::error(format!("configuration \"{name}\" can't be read: {reason}"))];
    // A link to elsewhere would have any file of the machine read, and its text told.
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let leads_out = |real: PathBuf| folder.canonicalize().is_ok_and(|folder| !real.starts_with(folder));
    if path.canonicalize().is_ok_and(leads_out) {
        return Err(wrong("it is a link that leads out of its folder".to_string()));
    }
    let text = read_text(path, LARGEST).map_err(wrong)?;
    let absolute = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let mut file = parse(&name, absolute.parent().unwrap_or(Path::new("/")), &text)?;
    file.path = Some(absolute);
    Ok(file)
}

/// The text of a file that is no larger than so many bytes.
///
/// # Errors
///
/// Why it can't be read.
pub fn read_text(path: &Path, largest: u64) -> Result<String, String> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|e| e.to_string())?;
    file.take(largest + 1).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    if bytes.len() as u64 > largest {
        return Err(format!("it is larger than {} MiB", largest >> 20));
    }
    crate::source::walk::decode(bytes)
}

/// Reads the text of a configuration.
///
/// # Errors
///
/// Why it can't be used, at its place.
pub fn parse(name: &str, folder: &Path, text: &str) -> Result<ConfigFile, Vec<Problem>> {
    let file = Arc::new(SourceFile::new(name, None, text));
    let tree = Arc::new(crate::yaml::parse::parse(FileId(0), file.text.clone()));
    let broken: Vec<Problem> = tree
        .errors
        .iter()
        .map(|error| Problem::error("configuration can't be read").at(&file, error.span.range(), &error.message))
        .collect();
    if !broken.is_empty() {
        return Err(broken);
    }
    let mut config = ConfigFile {
        contents: Contents::default(),
        folder: folder.to_path_buf(),
        stored: folder.to_path_buf(),
        path: None,
        file,
        tree,
    };
    // A file of comments says nothing.
    if config.root().is_none_or(|root| root.is_null()) {
        return Ok(config);
    }
    let deserializer = serde_yaml::Deserializer::from_str(text);
    match serde_path_to_error::deserialize(deserializer) {
        Ok(contents) => config.contents = contents,
        Err(error) => return Err(vec![config.type_error(&error)]),
    }
    Ok(config)
}

impl ConfigFile {
    /// What a path of the configuration means; nothing if it leads out of the configuration's folder.
    pub fn below(&self, path: &str) -> Option<PathBuf> {
        below(&self.folder, path)
    }

    /// The same for what belongs to the configuration: rules, tables and the baseline.
    pub fn stored_below(&self, path: &str) -> Option<PathBuf> {
        below(&self.stored, path)
    }

    /// The configuration of a revision: read from a copy, and valid for a folder of the work tree.
    pub fn of_revision(mut self, revision: &str, folder: PathBuf) -> ConfigFile {
        let name = self.file.name.rsplit('/').next().unwrap_or_default();
        let name = format!("{} of {revision}", shown(&folder.join(name)));
        self.file = Arc::new(SourceFile::new(name, None, self.file.text.clone()));
        self.path = None;
        self.folder = folder;
        self
    }

    /// Its text.
    pub fn source(&self) -> Arc<SourceFile> {
        Arc::new(SourceFile::new(self.name(), self.path.as_deref(), self.file.text.clone()))
    }

    /// Whether it comes from a revision, and not from the work tree.
    pub fn is_of_revision(&self) -> bool {
        self.stored != self.folder
    }

    /// How it is called in reports.
    pub fn name(&self) -> &str {
        &self.file.name
    }

    fn root(&self) -> Option<Node<'_>> {
        self.tree.documents.first()?.root.map(|id| self.tree.node(id))
    }

    /// An error about the value at a path; about its key if `key` is set.
    fn problem(&self, path: &[String], key: bool, message: impl Into<String>) -> Problem {
        let mut node = self.root();
        let mut found = node;
        for part in path {
            let next = node.and_then(|n| match part.parse::<usize>() {
                Ok(index) if n.is_seq() => n.items().nth(index),
                _ => n.get(part),
            });
            found = next.or(found);
            node = next;
        }
        let at = found.map(|n| if key { n.key().unwrap_or(n) } else { n });
        let range = at.map_or(0..0, |n| n.place().range());
        Problem::error(message).at(&self.file, range, "")
    }

    /// An error about the value at a path of keys and numbers.
    pub fn at(&self, path: &[&str], message: impl Into<String>) -> Problem {
        self.problem(&path.iter().map(|p| (*p).to_string()).collect::<Vec<_>>(), false, message)
    }

    /// An error about a key.
    pub fn at_key(&self, path: &[&str], message: impl Into<String>) -> Problem {
        self.problem(&path.iter().map(|p| (*p).to_string()).collect::<Vec<_>>(), true, message)
    }

    /// serde's words at their place, with what may have been meant.
    fn type_error(&self, error: &serde_path_to_error::Error<serde_yaml::Error>) -> Problem {
        use serde_path_to_error::Segment;
        let path: Vec<String> = error
            .path()
            .iter()
            .filter_map(|segment| match segment {
                Segment::Seq { index } => Some(index.to_string()),
                Segment::Map { key } => Some(key.clone()),
                _ => None,
            })
            .collect();
        let inner = error.inner().to_string();
        let message = inner.split(" at line ").next().unwrap_or(&inner);
        let message = message.split_once(": ").filter(|(p, _)| !p.contains(' ')).map_or(message, |(_, m)| m);
        let named = |start: &str| message.strip_prefix(start).and_then(|rest| rest.split('`').next());
        let choices = || {
            let list = message.split_once("expected").map_or("", |(_, list)| list);
            list.split('`').skip(1).step_by(2).collect::<Vec<_>>()
        };
        let hint = |problem: Problem, word: &str| match closest(word, choices()) {
            Some(near) => problem.help(format!("did you mean \"{near}\"?")),
            None if choices().is_empty() => problem,
            None => problem.help(format!("there are {}", choices().join(", "))),
        };
        if let Some(key) = named("unknown field `") {
            let mut path = path;
            if path.last().is_none_or(|last| last != key) {
                path.push(key.to_string());
            }
            return hint(self.problem(&path, true, format!("configuration has no key \"{key}\"")), key);
        }
        let place = if path.is_empty() { "the configuration".to_string() } else { format!("\"{}\"", path.join(".")) };
        if let Some(word) = named("unknown variant `") {
            return hint(self.problem(&path, false, format!("{place} can't be \"{word}\"")), word);
        }
        let message = message
            .replace("expected a sequence", "a list is wanted")
            .replace("expected a map", "keys and values are wanted")
            .replace("expected struct Contents", "keys and values are wanted")
            .replace("invalid type: ", "");
        if message.contains("untagged enum") {
            let wanted =
                if message.contains("Complete") { "true, a kind or a list of kinds" } else { "a text or a list" };
            return self.problem(&path, false, format!("{place} must be {wanted}"));
        }
        self.problem(&path, false, format!("{place} can't be used: {message}"))
    }
}

/// What a path means from a folder; nothing if it leads out of it.
fn below(folder: &Path, path: &str) -> Option<PathBuf> {
    let joined = folder.join(path);
    let real = joined.canonicalize().ok();
    let lexical = Path::new(path).components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
    let inside = match &real {
        Some(real) => real.starts_with(folder),
        None => lexical,
    };
    inside.then(|| PathBuf::from(shown(&joined)))
}

/// The JSON Schema of the configuration.
pub fn schema() -> String {
    let schema = schemars::schema_for!(Contents);
    serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> (String, String, String) {
        let problem = parse("plimsoll.yaml", Path::new("/"), text).unwrap_err().remove(0);
        let (file, range) = problem.place.clone().unwrap();
        (problem.message, file.text[range].to_string(), problem.help.unwrap_or_default())
    }

    #[test]
    fn mistakes_are_named_at_their_place() {
        for (text, message, place, help) in [
            ("sevrity: {}\n", "configuration has no key \"sevrity\"", "sevrity", "did you mean \"severity\"?"),
            (
                "severity:\n  sizing: warn\n",
                "\"severity.sizing\" can't be \"warn\"",
                "warn",
                "there are error, warning, info, off",
            ),
            (
                "clusters:\n  eu:\n    file: [a]\n",
                "configuration has no key \"file\"",
                "file",
                "did you mean \"files\"?",
            ),
            ("clusters:\n  eu: {}\n", "\"clusters.eu\" can't be used: missing field `files`", "eu", ""),
            ("exclude: a\n", "\"exclude\" can't be used: string \"a\", a list is wanted", "a", ""),
            (
                "assume: {injection: yes please}\n",
                "\"assume.injection\" can't be \"yes please\"",
                "yes please",
                "there are sidecar, ambient, none",
            ),
            ("complete: {a: b}\n", "\"complete\" must be true, a kind or a list of kinds", "complete", ""),
            (
                "overrides:\n- match: {kinds: Pod}\n",
                "configuration has no key \"kinds\"",
                "kinds",
                "did you mean \"kind\"?",
            ),
            ("a: [\n", "configuration can't be read", "", ""),
            ("exclude: []\nexclude: []\n", "configuration can't be read", "exclude", ""),
        ] {
            let (said, at, hint) = problem(text);
            assert_eq!(said, message, "{text}");
            assert_eq!(hint, help, "{text}");
            if !place.is_empty() {
                assert_eq!(at, place, "{text}");
            }
        }
    }

    #[test]
    fn versions_are_texts_and_empty_files_say_nothing() {
        let read = |text: &str| parse("plimsoll.yaml", Path::new("/"), text).unwrap().contents;
        assert_eq!(read("assume: {istio: 1.30}\n").assume.istio.as_deref(), Some("1.30"));
        assert!(read("# nothing\n").rules.is_empty() && read("").exclude.is_empty());
        assert_eq!(read("complete: [Service]\n").complete.kinds(), ["Service"]);
        assert_eq!(read("complete: true\n").complete.kinds(), ["*"]);
    }
}
