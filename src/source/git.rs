//! What a revision of the repository holds, read by the user's own `git`.
//!
//! Nothing is fetched, and neither the work tree nor the index is touched: objects are listed and
//! printed, and written elsewhere.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Failure, absolute, lexical};

/// A file of a revision that is larger is left out, unless it is a manifest.
const LARGEST: u64 = 8 << 20;

/// The root of the repository that a path lies in, by its name: not git's own search, which would take
/// files that look like a repository for one.
pub fn root_around(path: &Path) -> Option<&Path> {
    path.ancestors().find(|folder| folder.join(".git").exists())
}

/// A repository with a work tree.
#[derive(Debug, Clone)]
pub struct Repository {
    /// The root of its work tree, without links.
    pub top: PathBuf,
    /// The same as the user reaches it.
    named: PathBuf,
}

impl Repository {
    /// The repository that a file or folder belongs to.
    ///
    /// # Errors
    ///
    /// There is none, or no `git`.
    pub fn around(path: &Path) -> Result<Repository, Failure> {
        let real = lexical(&absolute(path));
        let Some(top) = root_around(&real) else {
            return Err(Failure::new(format!("\"{}\" lies in no git repository", path.display())));
        };
        run(top, &["rev-parse", "--show-toplevel"])?;
        Ok(Repository { top: top.canonicalize().unwrap_or_else(|_| top.to_path_buf()), named: top.to_path_buf() })
    }

    /// A path from the root, by its names: what a link leads to today is not what the repository holds.
    /// Nothing for one that lies outside.
    pub fn below(&self, path: &Path) -> Option<PathBuf> {
        let path = lexical(&absolute(path));
        let below = path.strip_prefix(&self.named).or_else(|_| path.strip_prefix(&self.top)).ok()?;
        Some(below.to_path_buf())
    }

    /// Files of the index below a folder that `.gitignore` would hide, as paths from that folder.
    ///
    /// # Errors
    ///
    /// git's own.
    pub fn tracked_but_ignored(&self, folder: &Path) -> Result<Vec<PathBuf>, Failure> {
        let said = run(folder, &["ls-files", "-z", "--cached", "--ignored", "--exclude-standard"])?;
        let paths = said.split(|byte| *byte == 0).filter(|path| !path.is_empty());
        Ok(paths.map(|path| PathBuf::from(text(path).into_owned())).collect())
    }

    /// The commit that a revision means; nothing for a `HEAD` before the first commit.
    ///
    /// # Errors
    ///
    /// The revision means none.
    pub fn commit(&self, revision: &str) -> Result<Option<String>, Failure> {
        let wanted = format!("{revision}^{{commit}}");
        match run(&self.top, &["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted]) {
            Ok(said) => Ok(Some(text(&said).trim().to_string())),
            Err(_) if matches!(revision, "HEAD" | "@") => Ok(None),
            Err(_) => {
                let failure = Failure::new(format!("no revision is called \"{revision}\""));
                Err(match self.is_shallow() {
                    true => failure.help("the clone is shallow: fetch the revision first, or clone with its history (actions/checkout: `fetch-depth: 0`; GitLab: `GIT_DEPTH: 0`)"),
                    false => failure.help("name a branch, a tag or a commit that was fetched, such as origin/main"),
                })
            }
        }
    }

    /// Where the history of `HEAD` left that of a commit: what a change is measured against. Before the
    /// first commit it is the commit itself.
    ///
    /// # Errors
    ///
    /// They have no history in common, as far as it was fetched.
    pub fn merge_base(&self, revision: &str, commit: &str) -> Result<String, Failure> {
        if self.commit("HEAD")?.is_none() {
            return Ok(commit.to_string());
        }
        if let Ok(said) = run(&self.top, &["merge-base", commit, "HEAD"]) {
            return Ok(text(&said).trim().to_string());
        }
        let failure = Failure::new(format!("\"{revision}\" and the checked out commit have no history in common"));
        Err(match self.is_shallow() {
            true => failure.help("the clone is shallow: `git fetch --unshallow` (actions/checkout: `fetch-depth: 0`; GitLab: `GIT_DEPTH: 0`)"),
            false => failure,
        })
    }

    fn is_shallow(&self) -> bool {
        run(&self.top, &["rev-parse", "--is-shallow-repository"]).is_ok_and(|said| text(&said).trim() == "true")
    }

    /// Writes the regular files of a commit for which `wanted` holds below a folder; submodules whose
    /// commit is at hand are written, too. Paths are relative to the root, with `/` between folders.
    ///
    /// # Errors
    ///
    /// A commit that is not at hand, or a folder that can't be written.
    pub fn export(&self, commit: &str, into: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<(), Failure> {
        let listed = run(&self.top, &["ls-tree", "-r", "-z", "-l", "--full-tree", commit])?;
        let mut files: Vec<(String, PathBuf)> = Vec::new();
        for entry in listed.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()) {
            let entry = text(entry);
            // `<mode> SP <type> SP <object> SP+ <size> TAB <path>`
            let Some((about, path)) = entry.split_once('\t') else { continue };
            let about: Vec<&str> = about.split_whitespace().collect();
            let [mode, _, object, size] = about[..] else { continue };
            if !Path::new(path).components().all(|part| matches!(part, Component::Normal(_))) {
                continue;
            }
            match mode {
                "160000" => {
                    // Without its commit nothing of a submodule can be compared, but the rest can.
                    let submodule = Repository { top: self.top.join(path), named: self.named.join(path) };
                    if submodule.top.join(".git").exists() {
                        let _ = submodule.export(object, &into.join(path), &|inner| wanted(&format!("{path}/{inner}")));
                    }
                }
                "100644" | "100755" => {
                    let small = size.parse::<u64>().is_ok_and(|size| size <= LARGEST);
                    if wanted(path) && (small || super::walk::is_manifest(Path::new(path))) {
                        files.push((object.to_string(), into.join(path)));
                    }
                }
                // Links are not followed in a walk either.
                _ => {}
            }
        }
        self.write(&files)
    }

    /// Writes objects to files.
    fn write(&self, files: &[(String, PathBuf)]) -> Result<(), Failure> {
        let mut paths: HashMap<&str, Vec<&Path>> = HashMap::new();
        for (object, path) in files {
            paths.entry(object).or_default().push(path);
        }
        let mut wanted: Vec<&str> = paths.keys().copied().collect();
        wanted.sort_unstable();
        let mut child = git(&self.top)
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| not_started(&error))?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let list = wanted.join("\n") + "\n";
        let written = std::thread::scope(|scope| {
            // git answers while it is still being asked.
            scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(list.as_bytes())));
            let mut answers = BufReader::new(stdout?);
            Some(wanted.iter().try_for_each(|object| write_object(&mut answers, &paths[object])))
        });
        let _ = child.wait();
        written.unwrap_or(Ok(()))
    }
}

/// Reads `<object> SP <type> SP <size> LF <contents> LF`, and writes the contents.
fn write_object(answers: &mut impl BufRead, paths: &[&Path]) -> Result<(), Failure> {
    let broken = |error: std::io::Error| Failure::new(format!("git could not print an object: {error}"));
    let mut head = String::new();
    answers.read_line(&mut head).map_err(broken)?;
    let Some(size) = head.trim_end().rsplit(' ').next().and_then(|size| size.parse::<u64>().ok()) else {
        let failure = Failure::new("an object of the base is not at hand");
        return Err(failure.help("the clone is partial; fetch the base first: plimsoll never fetches"));
    };
    let mut contents = Vec::new();
    answers.take(size + 1).read_to_end(&mut contents).map_err(broken)?;
    contents.pop();
    for path in paths {
        let folder = path.parent().unwrap_or(path);
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(path, &contents));
        written
            .map_err(|error| Failure::new(format!("the base can't be written to \"{}\": {error}", folder.display())))?;
    }
    Ok(())
}

fn git(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(folder)
        .arg("--no-optional-locks")
        // Files of a repository can look like another one.
        .args(["-c", "safe.bareRepository=explicit", "-c", "core.fsmonitor=false"])
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        // A partial clone would fetch what it lacks.
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_ALLOW_PROTOCOL", "none")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C");
    // A hook runs with these set for the repository that it belongs to; here the folder decides.
    ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"].iter().for_each(|name| {
        command.env_remove(name);
    });
    command
}

fn run<S: AsRef<OsStr>>(folder: &Path, arguments: &[S]) -> Result<Vec<u8>, Failure> {
    let output = git(folder).args(arguments).stdin(Stdio::null()).output().map_err(|error| not_started(&error))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let first = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("no reason is given");
    Err(Failure::new(format!("git failed: {}", first.trim_start_matches("fatal: "))))
}

fn not_started(error: &std::io::Error) -> Failure {
    match error.kind() {
        std::io::ErrorKind::NotFound => {
            Failure::new("git is not installed").help("install it: https://git-scm.com/downloads")
        }
        _ => Failure::new(format!("git can't be started: {error}")),
    }
}

fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
