//! Arguments to texts: files and folders as `ripgrep` walks them, and standard input.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use super::{Failure, SourceFile, Sources};

/// The largest file that is read; places in it must fit 32 bits, and so must what is made of it.
const LARGEST: u64 = 512 << 20;

/// How the reason starts for which a chart's templates are passed over.
pub const RAW_TEMPLATES: &str = "raw chart templates";

/// The name of standard input.
pub const STDIN: &str = "<stdin>";

/// The names under which the configuration is found.
pub const CONFIGURATIONS: [&str; 2] = ["plimsoll.yaml", ".plimsoll.yaml"];

/// The name under which the baseline is found.
pub const BASELINE: &str = "plimsoll-baseline.json";

/// The names under which kustomize finds a kustomization.
pub const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// How many folders above a named file are searched for kustomizations.
const CONTEXT: usize = 4;

/// Input that was not checked, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// The file or folder as the user knows it.
    pub path: String,
    /// Why, as in "no Kubernetes resource".
    pub reason: String,
    /// A hint that everybody sees (chart templates), not only with `-v`.
    pub notable: bool,
}

/// What the arguments lead to.
#[derive(Debug, Default)]
pub struct Collected {
    /// The texts that were read, and the names of those that could not be.
    pub sources: Sources,
    /// What was passed over on purpose, in order.
    pub skipped: Vec<Skipped>,
    /// Charts and kustomizations that could not be rendered.
    pub failures: Vec<Failure>,
    /// Commands that rendered others.
    pub rendered: Vec<String>,
    /// Names of kustomizations that were read only because they may say what a named file is.
    pub context: Vec<String>,
}

/// Reads files, whatever they are called, and folders with all YAML and JSON below them; `-` stands
/// for `stdin`. Folders are walked as `.gitignore` says, hidden files and links are left out, and so is
/// every file for which `excluded` gives the pattern that excludes it. `tracked` names files below a folder
/// that are read whatever `.gitignore` says.
///
/// # Errors
///
/// A sentence for each argument that names nothing.
pub fn collect(
    paths: &[PathBuf],
    stdin: Option<String>,
    excluded: &dyn Fn(&Path) -> Option<String>,
    tracked: &dyn Fn(&Path) -> Vec<PathBuf>,
) -> Result<Collected, Vec<String>> {
    let mut walk = Walk {
        stdin,
        excluded,
        tracked,
        files: Vec::new(),
        skipped: Vec::new(),
        wrong: Vec::new(),
        seen: HashSet::new(),
    };
    for path in paths {
        walk.argument(path);
    }
    if !walk.wrong.is_empty() {
        return Err(walk.wrong);
    }
    walk.skipped.sort();
    walk.skipped.dedup();
    let context = walk.read_context(paths);
    let (sources, skipped) = (Sources::new(walk.files), walk.skipped);
    Ok(Collected { sources, skipped, context, ..Collected::default() })
}

struct Walk<'e> {
    stdin: Option<String>,
    excluded: &'e dyn Fn(&Path) -> Option<String>,
    tracked: &'e dyn Fn(&Path) -> Vec<PathBuf>,
    files: Vec<SourceFile>,
    skipped: Vec<Skipped>,
    wrong: Vec<String>,
    /// Files by where they really are: one that is reached twice is read once.
    seen: HashSet<PathBuf>,
}

impl Walk<'_> {
    fn argument(&mut self, path: &Path) {
        if path.as_os_str() == "-" {
            if self.seen.insert(path.to_path_buf()) {
                match self.stdin.take() {
                    Some(text) => self.files.push(SourceFile::new(STDIN, None, text)),
                    None => self.wrong.push("\"-\" asks for standard input, which is not there".to_string()),
                }
            }
            return;
        }
        match path.metadata() {
            Ok(metadata) if metadata.is_dir() => self.folder(path),
            Ok(_) => self.file(path, display(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.wrong.push(format!("no file or folder is called \"{}\"", path.display()));
            }
            Err(error) => self.refuse(display(path), reason(&error)),
        }
    }

    /// Reads the kustomizations beside and above files that were named one by one, as a hook names them:
    /// without those, a patch looks like a manifest.
    fn read_context(&mut self, paths: &[PathBuf]) -> Vec<String> {
        let before = self.files.len();
        for path in paths.iter().filter(|p| p.is_file() && is_manifest(p)) {
            let Ok(real) = path.canonicalize() else { continue };
            // The names that a user of the same folder would write.
            let mut named = path.parent();
            for folder in real.ancestors().skip(1).take(CONTEXT) {
                let shown = named.unwrap_or(folder);
                let shown = if shown.as_os_str().is_empty() { Path::new(".") } else { shown };
                for file in KUSTOMIZATIONS.map(|name| folder.join(name)).iter().filter(|f| is_plain(f)) {
                    self.file(file, name_below(shown, Path::new(file.file_name().unwrap_or_default())));
                }
                if folder.join(".git").exists() {
                    break;
                }
                named = named.and_then(Path::parent);
                if named.is_none() {
                    break;
                }
            }
        }
        self.files[before..].iter().map(|file| file.name.clone()).collect()
    }

    fn folder(&mut self, root: &Path) {
        // What it really is, to find a chart that the folder itself is part of.
        let real_root = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
        let entries = WalkBuilder::new(root)
            // As in a checkout, also where there is none: an unpacked archive, a mounted volume.
            .require_git(false)
            // What one user's machine ignores would make another's run differ.
            .git_global(false)
            // Only what git leaves out is left out.
            .ignore(false)
            .sort_by_file_name(std::ffi::OsStr::cmp)
            .build();
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let name = path_of(&error).map_or_else(|| display(root), display);
                    let why = error.io_error().map_or_else(|| error.to_string(), reason);
                    self.refuse(name, why);
                    continue;
                }
            };
            if entry.file_type().is_some_and(|kind| !kind.is_dir()) {
                let below = entry.path().strip_prefix(root).unwrap_or(entry.path());
                self.found(root, &real_root, below);
            }
        }
        let is_hidden = |part: std::path::Component| part.as_os_str().as_encoded_bytes().starts_with(b".");
        for below in (self.tracked)(root) {
            if !below.components().any(is_hidden) {
                self.found(root, &real_root, &below);
            }
        }
    }

    /// Reads what a walk found, if it is a manifest.
    fn found(&mut self, root: &Path, real_root: &Path, below: &Path) {
        let path = if below.as_os_str().is_empty() { root.to_path_buf() } else { root.join(below) };
        let Ok(kind) = path.symlink_metadata().map(|metadata| metadata.file_type()) else { return };
        if kind.is_dir() || !is_manifest(&path) {
            return;
        }
        let name = name_below(root, below);
        if kind.is_symlink() {
            let reason = "symbolic link; name it to have it read".to_string();
            self.skipped.push(Skipped { path: name, reason, notable: false });
        } else if !kind.is_file() {
            // Reading a pipe waits for somebody who writes; one that is named has such a writer.
            let reason = "no regular file; name it to have it read".to_string();
            self.skipped.push(Skipped { path: name, reason, notable: false });
        } else if let Some(chart) = chart_of_template(real_root, below) {
            let chart = chart.strip_prefix(real_root).map_or_else(|_| display(&chart), |c| name_below(root, c));
            let reason = format!("{RAW_TEMPLATES}; render them: --render, or helm template {chart} | plimsoll check -");
            self.skipped.push(Skipped { path: chart, reason, notable: true });
        } else {
            self.file(&path, name);
        }
    }

    fn file(&mut self, path: &Path, name: String) {
        if let Some(pattern) = (self.excluded)(path) {
            let reason = format!("excluded by \"{pattern}\" of the configuration");
            self.skipped.push(Skipped { path: name, reason, notable: false });
            return;
        }
        // A pipe (`<(helm template …)`) has no canonical path.
        let real = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        if !self.seen.insert(real) {
            return;
        }
        match read(path) {
            Ok((text, is_regular)) => {
                let path = is_regular.then_some(path);
                self.files.push(SourceFile::new(name, path, text));
            }
            Err(reason) => self.refuse(name, reason),
        }
    }

    fn refuse(&mut self, name: String, reason: String) {
        let path = PathBuf::from(&name);
        self.files.push(SourceFile::unreadable(name, Some(&path), reason));
    }
}

/// A file's text, and whether it is a regular file, which can be written back.
fn read(path: &Path) -> Result<(String, bool), String> {
    let file = File::open(path).map_err(|e| reason(&e))?;
    let metadata = file.metadata().map_err(|e| reason(&e))?;
    let too_large = || format!("larger than {} MiB", LARGEST >> 20);
    if metadata.len() > LARGEST {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|e| reason(&e))?;
    if bytes.len() as u64 > LARGEST {
        return Err(too_large());
    }
    Ok((decode(bytes)?, metadata.is_file()))
}

/// Bytes as text.
///
/// # Errors
///
/// Why they are none.
pub fn decode(bytes: Vec<u8>) -> Result<String, String> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err("UTF-16 is not read; save it as UTF-8".to_string());
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("not UTF-8: byte 0x{:02x} at offset {at}", error.as_bytes().get(at).copied().unwrap_or_default())
    })
}

/// An error of the system in a few words.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "permission denied".to_string(),
        io::ErrorKind::NotFound => "it is gone".to_string(),
        _ => error.to_string(),
    }
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        _ => None,
    }
}

/// Whether it is a file and no link, which may lead to a file that nobody gave.
fn is_plain(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_file())
}

/// Whether a walk reads a file of that name.
pub fn is_manifest(path: &Path) -> bool {
    if path.file_name().and_then(|n| n.to_str()).is_some_and(|name| CONFIGURATIONS.contains(&name) || name == BASELINE)
    {
        return false;
    }
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
        || path.file_name().is_some_and(|name| name == "Kustomization")
}

/// A path as the user gave it, with `/` between folders.
pub fn display(path: &Path) -> String {
    let text = path.to_string_lossy();
    if std::path::MAIN_SEPARATOR == '/' { text.into_owned() } else { text.replace(std::path::MAIN_SEPARATOR, "/") }
}

/// The name of what lies below a folder; what lies below the default folder `.` goes without it.
fn name_below(root: &Path, below: &Path) -> String {
    if below.as_os_str().is_empty() {
        display(root)
    } else if root == Path::new(".") {
        display(below)
    } else {
        display(&root.join(below))
    }
}

/// The chart whose `templates/` a file stands in; the outermost of charts in charts. Folders above
/// the root count too.
fn chart_of_template(real_root: &Path, below: &Path) -> Option<PathBuf> {
    let file = real_root.join(below);
    let is_chart = |folder: &Path| folder.join("Chart.yaml").is_file();
    let is_called = |folder: &Path, name: &str| folder.file_name().is_some_and(|own| own == name);
    let templates = file.ancestors().filter(|folder| is_called(folder, "templates"));
    let mut chart = templates.filter_map(Path::parent).find(|parent| is_chart(parent))?;
    while let Some(charts) = chart.parent().filter(|folder| is_called(folder, "charts"))
        && let Some(parent) = charts.parent().filter(|parent| is_chart(parent))
    {
        chart = parent;
    }
    Some(chart.to_path_buf())
}

#[cfg(test)]
mod tests;
