//! Texts and places in them.
//!
//! [`Sources`] owns every text that was read, ordered by path. A [`Span`] is a byte range in one of
//! them; it is made by the YAML parser and nowhere else, and it is turned into lines and columns
//! only when a report is written.

use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, OnceLock};

use render::Rendered;

pub mod git;
pub mod helm;
pub mod kustomize;
pub mod pattern;
pub mod render;
pub mod walk;

/// The number of a text within its [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A byte range of one text: `start` inclusive, `end` exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The text.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span from its parts.
    pub fn new(file: FileId, start: usize, end: usize) -> Span {
        Span { file, start: start as u32, end: end.max(start) as u32 }
    }

    /// The bytes as a range for slicing.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Whether `other` lies inside this span.
    pub fn contains(self, other: Span) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }
}

/// Why a text could not be had: another program failed, or is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What failed.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Failure {
    /// What failed.
    pub fn new(message: impl Into<String>) -> Failure {
        Failure { message: message.into(), help: None }
    }

    /// Sets what to do.
    pub fn help(mut self, help: impl Into<String>) -> Failure {
        self.help = Some(help.into());
        self
    }
}

/// A place as people read it: lines and columns count from 1, columns in Unicode code points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineCol {
    /// Line, from 1.
    pub line: usize,
    /// Column in code points, from 1.
    pub column: usize,
}

/// One text with its name.
pub struct SourceFile {
    /// How reports name it: the path as the user gave it, with `/` between folders, or `<stdin>`.
    pub name: String,
    /// Where it lies on disk; nothing for standard input and for embedded rules.
    pub path: Option<PathBuf>,
    /// The text. A byte order mark is part of it, so that offsets are those of the file.
    pub text: Arc<str>,
    /// Why it could not be read, if it could not; then the text is empty.
    pub unreadable: Option<String>,
    /// Where it comes from, if another program made it.
    pub rendered: Option<Arc<Rendered>>,
    line_starts: OnceLock<Vec<u32>>,
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceFile({:?}, {} bytes)", self.name, self.text.len())
    }
}

impl SourceFile {
    /// A text under a name; `path` if it can be written back.
    pub fn new(name: impl Into<String>, path: Option<&Path>, text: impl Into<Arc<str>>) -> SourceFile {
        SourceFile {
            name: name.into(),
            path: path.map(Path::to_path_buf),
            text: text.into(),
            unreadable: None,
            rendered: None,
            line_starts: OnceLock::new(),
        }
    }

    /// A file that could not be read: a name, so that its finding has a place.
    pub fn unreadable(name: impl Into<String>, path: Option<&Path>, reason: impl Into<String>) -> SourceFile {
        SourceFile { unreadable: Some(reason.into()), ..SourceFile::new(name, path, "") }
    }

    /// A text that another program made.
    pub fn rendered(name: impl Into<String>, text: impl Into<Arc<str>>, rendered: Rendered) -> SourceFile {
        SourceFile { rendered: Some(Arc::new(rendered)), ..SourceFile::new(name, None, text) }
    }

    /// The same file with another text.
    pub fn with_text(&self, text: impl Into<Arc<str>>) -> SourceFile {
        SourceFile {
            name: self.name.clone(),
            path: self.path.clone(),
            text: text.into(),
            unreadable: self.unreadable.clone(),
            rendered: self.rendered.clone(),
            line_starts: OnceLock::new(),
        }
    }

    /// Byte offsets at which lines start.
    pub fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let mut starts = vec![0];
            starts.extend(self.text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i as u32 + 1));
            starts
        })
    }

    /// Line and column of a byte offset; an offset past the end means the end.
    pub fn line_col(&self, offset: u32) -> LineCol {
        let offset = (offset as usize).min(self.text.len());
        let starts = self.line_starts();
        let line = starts.partition_point(|s| *s as usize <= offset);
        let start = starts[line - 1] as usize;
        let before = self.text.get(start..offset).unwrap_or("");
        let bom = usize::from(line == 1 && before.starts_with('\u{feff}'));
        LineCol { line, column: before.chars().count() - bom + 1 }
    }
}

/// A path from the root of the file system; dots and links stay.
pub fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// A path in which `..` takes a folder back where there is one. Links stay: what they lead to is not asked.
pub fn lexical(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        let is_folder = matches!(plain.components().next_back(), Some(Component::Normal(_)));
        match part {
            Component::CurDir => {}
            Component::ParentDir if is_folder => {
                plain.pop();
            }
            Component::ParentDir if plain.has_root() => {}
            other => plain.push(other),
        }
    }
    plain
}

/// Every text of a run, in the order of their names.
#[derive(Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
    masked: Vec<Span>,
}

impl Sources {
    /// Sorts the texts by name, so that no later order depends on the file system.
    pub fn new(mut files: Vec<SourceFile>) -> Sources {
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Sources { files, masked: Vec::new() }
    }

    /// Names the bytes that no output may show, in any order.
    pub fn set_masked(&mut self, mut spans: Vec<Span>) {
        spans.sort();
        spans.dedup_by(|next, last| {
            let overlaps = next.file == last.file && next.start <= last.end;
            if overlaps {
                last.end = last.end.max(next.end);
            }
            overlaps
        });
        self.masked = spans;
    }

    /// The bytes of one text that no output may show: in order, never overlapping.
    pub fn masked(&self, file: FileId) -> &[Span] {
        let start = self.masked.partition_point(|s| s.file < file);
        let end = self.masked.partition_point(|s| s.file <= file);
        &self.masked[start..end]
    }

    /// The texts, to make other `Sources` of them.
    pub fn into_files(self) -> Vec<SourceFile> {
        self.files
    }

    /// The text of that number.
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// All texts with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files.iter().enumerate().map(|(i, f)| (FileId(i as u32), f))
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether nothing was read.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The text under a span.
    pub fn slice(&self, span: Span) -> &str {
        self.file(span.file).text.get(span.range()).unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_code_points_from_one() {
        let file = SourceFile::new("a", None, "ab\näö: x\r\nz");
        assert_eq!(file.line_col(0), LineCol { line: 1, column: 1 });
        let x = file.text.find('x').unwrap() as u32;
        assert_eq!(file.line_col(x), LineCol { line: 2, column: 5 });
        assert_eq!(file.line_col(999), LineCol { line: 3, column: 2 });
    }

    #[test]
    fn a_byte_order_mark_takes_no_column() {
        let file = SourceFile::new("a", None, "\u{feff}kind: X");
        assert_eq!(file.line_col(3), LineCol { line: 1, column: 1 });
        assert_eq!(file.line_col(9), LineCol { line: 1, column: 7 });
    }

    #[test]
    fn sources_are_ordered_by_name() {
        let sources = Sources::new(vec![SourceFile::new("b", None, "2"), SourceFile::new("a", None, "1")]);
        assert_eq!(&*sources.file(FileId(0)).text, "1");
    }

    #[test]
    fn masked_spans_are_ordered_and_disjoint() {
        let span = |file, start, end| Span::new(FileId(file), start, end);
        let mut sources = Sources::default();
        sources.set_masked(vec![span(1, 5, 9), span(0, 4, 6), span(0, 1, 5), span(1, 10, 12)]);
        assert_eq!(sources.masked(FileId(0)), [span(0, 1, 6)]);
        assert_eq!(sources.masked(FileId(1)), [span(1, 5, 9), span(1, 10, 12)]);
        assert_eq!(sources.masked(FileId(2)), []);
    }
}
