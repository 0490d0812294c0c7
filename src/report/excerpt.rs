//! The few lines of a text that a snippet shows, harmless and short, with the places to underline.

use std::collections::BTreeMap;
use std::ops::Range;

use super::sanitize::stand_in;
use crate::source::{SourceFile, Span};

/// Lines with more characters are cut around their marks.
const LONG: usize = 300;
/// What stays of a cut line, in characters, before and after the start of a mark.
const BEFORE: usize = 30;
const AFTER: usize = 70;
const GAP: &str = "...";

/// A place to underline.
#[derive(Debug)]
pub(super) struct Mark {
    /// Bytes of the file; in an [`Excerpt`], bytes of its text.
    pub(super) range: Range<usize>,
    /// What is written at the underline; may be empty.
    pub(super) text: String,
    /// What the frame's head says if this mark leads it.
    pub(super) location: String,
    /// Whether the finding is about this place.
    pub(super) primary: bool,
}

/// Lines of a file that follow each other, and the marks in them.
#[derive(Debug)]
pub(super) struct Excerpt {
    /// Which lines, from 0.
    pub(super) lines: Range<usize>,
    /// Each line ends with a newline.
    pub(super) text: String,
    /// In order, each within one line, never overlapping.
    pub(super) marks: Vec<Mark>,
}

/// Crops a file to its marked lines, each with the line before it; the primary mark's come first.
pub(super) fn excerpts(file: &SourceFile, masked: &[Span], marks: Vec<Mark>) -> Vec<Excerpt> {
    let mut by_line: BTreeMap<usize, Vec<Mark>> = BTreeMap::new();
    for mark in marks {
        let (line, range) = visible(file, mark.range.clone());
        by_line.entry(line).or_default().push(Mark { range, ..mark });
    }
    let marked: Vec<usize> = by_line.keys().copied().collect();
    for before in marked.into_iter().filter_map(|line| line.checked_sub(1)) {
        let text = file.text[content(file, before)].trim();
        if !text.is_empty() && text != "---" {
            by_line.entry(before).or_default();
        }
    }
    let mut excerpts: Vec<Excerpt> = Vec::new();
    for (line, marks) in by_line {
        match excerpts.last_mut() {
            Some(last) if line <= last.lines.end + 1 => {
                if line > last.lines.end {
                    last.push(file, masked, Vec::new());
                }
                last.push(file, masked, disjoint(marks));
            }
            _ => {
                let mut new = Excerpt { lines: line..line, text: String::new(), marks: Vec::new() };
                new.push(file, masked, disjoint(marks));
                excerpts.push(new);
            }
        }
    }
    excerpts.sort_by_key(|excerpt| !excerpt.marks.iter().any(|mark| mark.primary));
    excerpts
}

impl Excerpt {
    /// Appends the next line of the file.
    fn push(&mut self, file: &SourceFile, masked: &[Span], marks: Vec<Mark>) {
        let content = content(file, self.lines.end);
        let mut shown = content.start;
        // Where each shown byte offset of the file stands in the excerpt.
        let mut offsets = Vec::new();
        for part in parts(&file.text, content.clone(), &marks) {
            if part.start > shown {
                self.text.push_str(GAP);
            }
            for (i, c) in file.text[part.clone()].char_indices() {
                let at = part.start + i;
                offsets.push((at, self.text.len()));
                let secret = masked.partition_point(|s| s.end as usize <= at);
                let secret = masked.get(secret).is_some_and(|s| s.start as usize <= at);
                self.text.push(if secret { '*' } else { stand_in(c).unwrap_or(c) });
            }
            offsets.push((part.end, self.text.len()));
            shown = part.end;
        }
        if shown < content.end {
            self.text.push_str(GAP);
        }
        let here = |offset: usize| {
            let next = offsets.partition_point(|(at, _)| *at < offset);
            offsets.get(next).or(offsets.last()).map_or(0, |o| o.1)
        };
        self.marks
            .extend(marks.into_iter().map(|mark| Mark { range: here(mark.range.start)..here(mark.range.end), ..mark }));
        self.text.push('\n');
        self.lines.end += 1;
    }
}

/// The line of a place, and what of the place can be underlined there: its part on the first line,
/// at least one character where the line has any.
pub(super) fn visible(file: &SourceFile, range: Range<usize>) -> (usize, Range<usize>) {
    let text = &*file.text;
    let boundary = |offset: usize| {
        let offset = offset.min(text.len());
        (0..=offset).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0)
    };
    let mut start = boundary(range.start);
    if start == text.len() {
        start = text.trim_end().len();
    }
    let line = file.line_starts().partition_point(|s| *s as usize <= start) - 1;
    let Range { start: first, end } = content(file, line);
    let last = first + text[first..end].trim_end().len();
    let start = start.clamp(first, last);
    let end = boundary(range.end).clamp(start, last);
    if start < end {
        return (line, start..end);
    }
    let next = text[start..last].chars().next();
    let previous = text[first..start].chars().next_back();
    let range = match (next, previous) {
        (Some(c), _) => start..start + c.len_utf8(),
        (None, Some(c)) => start - c.len_utf8()..start,
        (None, None) => start..start,
    };
    (line, range)
}

/// The bytes of a line without its ending and without a byte order mark.
fn content(file: &SourceFile, line: usize) -> Range<usize> {
    let starts = file.line_starts();
    let start = starts[line] as usize;
    let end = starts.get(line + 1).map_or(file.text.len(), |next| *next as usize - 1);
    let text = &file.text[start..end];
    let bom = if start == 0 && text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    start + bom..end - usize::from(text.ends_with('\r'))
}

/// Gives every mark of a line a start of its own, as the frames can't draw two underlines in one
/// column: marks with the same start become one, the others end where the next begins.
fn disjoint(mut marks: Vec<Mark>) -> Vec<Mark> {
    marks.sort_by_key(|mark| mark.range.start);
    marks.dedup_by(|next, mark| {
        let same = next.range.start == mark.range.start;
        if same {
            if !mark.text.is_empty() && !next.text.is_empty() {
                mark.text.push('\n');
            }
            mark.text.push_str(&next.text);
        }
        same
    });
    for i in 1..marks.len() {
        let next = marks[i].range.start;
        let range = &mut marks[i - 1].range;
        range.end = range.end.min(next);
    }
    marks
}

/// The parts of a line that are shown, in order: all of it, unless it is long.
fn parts(text: &str, line: Range<usize>, marks: &[Mark]) -> Vec<Range<usize>> {
    if text[line.clone()].chars().nth(LONG).is_none() {
        return vec![line];
    }
    let around = |at: usize| {
        let before = text[line.start..at].char_indices().nth_back(BEFORE);
        let after = text[at..line.end].char_indices().nth(AFTER);
        before.map_or(line.start, |(i, _)| line.start + i)..after.map_or(line.end, |(i, _)| at + i)
    };
    let Some(first) = marks.first() else {
        return vec![around(line.start)];
    };
    let mut parts = vec![around(first.range.start)];
    for mark in &marks[1..] {
        let next = around(mark.range.start);
        match parts.last_mut() {
            Some(last) if next.start <= last.end => last.end = last.end.max(next.end),
            _ => parts.push(next),
        }
    }
    parts
}
