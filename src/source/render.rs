//! Charts and kustomizations, rendered by the user's own programs: how they are run, and what is kept.
//!
//! Nothing is fetched: what names something remote is refused before a program starts, and the
//! programs run without a way to the network for what slips through. They end after a time and a size.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::Failure;

/// A program that renders longer is stopped.
const PATIENCE: Duration = Duration::from_secs(60);

/// More than that is not taken from a program.
const LARGEST: u64 = 64 << 20;

/// So many lines of a program's complaint are shown.
const COMPLAINT: usize = 12;

/// A chart that is made of more is not rendered, and of a kustomization that is nothing is kept.
const MOST_FILES: usize = 20_000;
const LARGEST_INPUT: u64 = 256 << 20;

/// Helm itself takes no larger file of a chart.
const LARGEST_TEMPLATE: u64 = 5 << 20;

/// What is kept of earlier renderings, newest first.
const KEPT: usize = 500;

/// Where a rendered text comes from.
#[derive(Debug, Clone, Default)]
pub struct Rendered {
    /// The folder of the chart or kustomization, as the user calls it.
    pub folder: String,
    /// Whether it is a chart, and not a kustomization.
    pub is_chart: bool,
    /// The file that makes the folder a chart or kustomization.
    pub file: String,
    /// The set of values files; empty where there is only one.
    pub set: String,
    /// The namespace of resources that name none, if the renderer was told one.
    pub namespace: Option<String>,
    /// The command, for people who want to see the text.
    pub command: String,
    /// The files that made the resources, by what the text calls them.
    pub templates: BTreeMap<String, Template>,
    /// Files and folders that the text depends on.
    pub inputs: Vec<PathBuf>,
}

/// A file that makes resources.
#[derive(Debug, Clone)]
pub struct Template {
    /// Its path as the user would write it.
    pub path: String,
    /// Its text, if it is a chart's template.
    pub text: Arc<str>,
}

impl Rendered {
    /// The same under other names of files and folders.
    pub fn renamed(&self, name: &dyn Fn(&str) -> String) -> Rendered {
        let template = |t: &Template| Template { path: name(&t.path), text: t.text.clone() };
        let templates = self.templates.iter().map(|(source, t)| (source.clone(), template(t))).collect();
        Rendered { folder: name(&self.folder), file: name(&self.file), templates, ..self.clone() }
    }
}

/// Renderings of earlier runs, by the content of everything that they depend on.
#[derive(Debug, Clone, Default)]
pub struct Cache {
    /// Nothing is kept if there is none.
    pub folder: Option<PathBuf>,
}

impl Cache {
    /// The user's: below `PLIMSOLL_CACHE_DIR`, or where the system keeps caches.
    pub fn of_user() -> Cache {
        let named = std::env::var_os("PLIMSOLL_CACHE_DIR").filter(|folder| !folder.is_empty()).map(PathBuf::from);
        Cache {
            folder: named.or_else(|| Some(dirs::cache_dir()?.join("plimsoll"))).map(|folder| folder.join("rendered")),
        }
    }

    /// The text under a key, or what `make` makes; a cache that can't be used is no error.
    pub(super) fn get(&self, key: &Key, make: impl FnOnce() -> Result<String, Failure>) -> Result<String, Failure> {
        let Some(folder) = self.folder.as_ref().filter(|_| key.is_whole) else { return make() };
        let file = folder.join(format!("{}.yaml", key.hex()));
        if let Ok(text) = fs::read_to_string(&file) {
            return Ok(text);
        }
        let text = make()?;
        if keep(folder, &file, &text).is_ok() {
            forget_old(folder);
        }
        Ok(text)
    }
}

/// Rendered charts may hold generated passwords, so only their user may read them.
fn keep(folder: &Path, file: &Path, text: &str) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    #[cfg(unix)]
    fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    let mut whole = tempfile::NamedTempFile::new_in(folder)?;
    std::io::Write::write_all(&mut whole, text.as_bytes())?;
    whole.persist(file)?;
    Ok(())
}

fn forget_old(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let time = |entry: fs::DirEntry| Some((entry.metadata().ok()?.modified().ok()?, entry.path()));
    let mut files: Vec<_> = entries.flatten().filter_map(time).collect();
    files.sort_by(|a, b| b.cmp(a));
    files.iter().skip(KEPT).for_each(|(_, path)| drop(fs::remove_file(path)));
}

/// What a rendering depends on.
pub(super) struct Key {
    hash: Sha256,
    /// Whether all of it was looked at: else nothing can be kept under it.
    is_whole: bool,
}

impl Key {
    /// A key that begins with words, such as the arguments of a program.
    pub(super) fn new(words: &[OsString]) -> Key {
        let mut key = Key { hash: Sha256::new(), is_whole: true };
        words.iter().for_each(|word| key.add(b'w', word.as_encoded_bytes()));
        key
    }

    /// A part of the key: what kind of part it is, and how long, can't be mistaken for another.
    fn add(&mut self, kind: u8, bytes: &[u8]) {
        self.hash.update([kind]);
        self.hash.update((bytes.len() as u64).to_le_bytes());
        self.hash.update(bytes);
    }

    /// The program itself: another version may render something else.
    pub(super) fn add_program(&mut self, program: &Path) {
        self.add(b'p', program.as_os_str().as_encoded_bytes());
        if let Ok(metadata) = program.metadata() {
            let changed = metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
            self.add(b't', format!("{} {:?}", metadata.len(), changed).as_bytes());
        }
    }

    /// Files, and all that lies below folders, as they are seen from a folder: a copy of the repository
    /// renders to the same. Where there is more than can be looked at, there is no key.
    pub(super) fn add_inputs(&mut self, inputs: &[PathBuf], from: &Path) {
        let (mut files, mut bytes) = (0, 0);
        for input in inputs {
            let entries = walkdir::WalkDir::new(input).sort_by_file_name().into_iter();
            for entry in entries.filter_entry(|entry| entry.file_name() != ".git").flatten() {
                self.add(b'n', relative(entry.path(), from).as_os_str().as_encoded_bytes());
                // A link is read as what it leads to.
                let Ok(metadata) = entry.path().metadata() else { continue };
                files += 1;
                bytes += metadata.len();
                if files > MOST_FILES || bytes > LARGEST_INPUT {
                    self.is_whole = false;
                    return;
                }
                if metadata.is_file() {
                    match fs::read(entry.path()) {
                        Ok(contents) => self.add(b'c', &contents),
                        Err(_) => self.add(b'u', b""),
                    }
                } else if entry.path_is_symlink() {
                    // What lies in that folder is not looked at.
                    self.is_whole = false;
                }
            }
        }
    }

    fn hex(&self) -> String {
        self.hash.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Why something is not rendered that could read what it should not, or never end: links out of a folder,
/// devices, more than can be meant.
pub(super) fn unfit(input: &Path, inside: &Path) -> Option<String> {
    let inside = inside.canonicalize().ok()?;
    let mut bytes = 0;
    let entries = walkdir::WalkDir::new(input).into_iter().filter_entry(|entry| entry.file_name() != ".git");
    for (number, entry) in entries.flatten().enumerate() {
        let shown = || relative(entry.path(), input).display().to_string();
        if entry.path_is_symlink()
            && entry.depth() > 0
            && !entry.path().canonicalize().is_ok_and(|real| real.starts_with(&inside))
        {
            return Some(format!("\"{}\" is a link that leads out of it", shown()));
        }
        let Ok(metadata) = entry.path().metadata() else { continue };
        if !metadata.is_file() && !metadata.is_dir() {
            return Some(format!("\"{}\" is no regular file", shown()));
        }
        bytes += metadata.len();
        if number > MOST_FILES || bytes > LARGEST_INPUT {
            return Some(format!("it is made of more than {MOST_FILES} files or {} MiB", LARGEST_INPUT >> 20));
        }
    }
    None
}

/// A file of a chart, if it is no larger than such a file can be.
pub(super) fn read_small(path: &Path) -> Option<String> {
    let metadata = path.metadata().ok().filter(|metadata| metadata.is_file() && metadata.len() <= LARGEST_TEMPLATE)?;
    let mut text = String::with_capacity(metadata.len() as usize);
    fs::File::open(path).ok()?.take(LARGEST_TEMPLATE).read_to_string(&mut text).ok()?;
    Some(text)
}

/// A path as it is seen from a folder, both absolute or both relative to the same.
pub(super) fn relative(path: &Path, folder: &Path) -> PathBuf {
    let common = path.components().zip(folder.components()).take_while(|(a, b)| a == b).count();
    let up = folder.components().skip(common).map(|_| Component::ParentDir);
    up.chain(path.components().skip(common)).collect()
}

/// Where a program lies that is found on `PATH`.
pub(super) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&path).map(|folder| folder.join(&name)).find(|file| file.is_file())
}

/// Ends a program and what it started.
fn end(child: &mut std::process::Child) {
    #[cfg(unix)]
    let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).status();
    let _ = child.kill();
}

/// As much of a stream as is taken.
fn read(stream: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        let _ = stream.take(LARGEST + 1).read_to_end(&mut bytes);
    }
    bytes
}

/// What a program prints.
///
/// # Errors
///
/// What it complains about, under `what` ("chart \"shop\"").
pub(super) fn run(program: &Path, arguments: &[OsString], what: &str) -> Result<String, Failure> {
    const NOWHERE: &str = "http://127.0.0.1:9";
    let failed = |reason: String| Failure::new(format!("{what} can't be rendered: {reason}"));
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        command.env(name, NOWHERE);
    }
    command.env("NO_PROXY", "").env("no_proxy", "").env("GIT_ALLOW_PROTOCOL", "none").env("GIT_TERMINAL_PROMPT", "0");
    // Its children end with it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child =
        command.spawn().map_err(|error| failed(format!("{} can't be started: {error}", program.display())))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (out, complaint, status) = std::thread::scope(|scope| {
        let out = scope.spawn(move || read(stdout));
        let complaint = scope.spawn(move || read(stderr));
        let start = Instant::now();
        let status = loop {
            match child.try_wait() {
                Ok(None) if start.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(3)),
                Ok(Some(status)) => break Some(status),
                _ => {
                    end(&mut child);
                    let _ = child.wait();
                    break None;
                }
            }
        };
        (out.join().unwrap_or_default(), complaint.join().unwrap_or_default(), status)
    });
    match status {
        None => return Err(failed(format!("it took longer than {} seconds", PATIENCE.as_secs()))),
        Some(_) if out.len() as u64 > LARGEST => {
            return Err(failed(format!("it is larger than {} MiB", LARGEST >> 20)));
        }
        Some(status) if status.success() => {}
        Some(_) => {
            let complaint = String::from_utf8_lossy(&complaint);
            let lines = complaint.lines().map(str::trim_end).filter(|line| {
                !line.is_empty()
                    && !line.contains("Warning: ")
                    && !line.starts_with("WARNING")
                    && !line.starts_with("Use --debug")
            });
            let lines: Vec<&str> = lines.map(|line| line.trim_start_matches("Error: ")).take(COMPLAINT).collect();
            return Err(failed(if lines.is_empty() { "it gives no reason".to_string() } else { lines.join(" ") }));
        }
    }
    super::walk::decode(out).map_err(failed)
}
