//! Where CI systems look for a place: a file, by its path from the repository's root, and one line.

use std::ops::Range;

use super::excerpt::visible;
use super::{Report, sanitize};
use crate::finding::{Place, Problem};
use crate::layout::path;
use crate::source::{SourceFile, walk};

/// How standard input is called where a path is expected: there is no such file, so its findings are
/// listed and stand at no line of a change. `<stdin>` would be no path everywhere, and no URI.
const STDIN: &str = "stdin";

/// Where the repository lies, as absolute paths with `/`; empty where that is not known, and paths stay
/// as the user gave them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Checkout<'a> {
    /// The root of the repository.
    pub root: &'a str,
    /// The current folder.
    pub here: &'a str,
}

/// A place as a CI system takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot {
    /// From the repository's root, `/` between folders, never `./`.
    pub(super) path: String,
    /// From 1; 1 too where the line is not known.
    pub(super) line: usize,
    /// Columns of that line in code points, from 1, the end exclusive; nothing where they are not known.
    pub(super) columns: Option<Range<usize>>,
    /// Whether the place goes on in the next line.
    pub(super) is_clipped: bool,
    /// The line of the rendered text, where the path is that of its template.
    pub(super) rendered: Option<usize>,
}

impl Checkout<'_> {
    /// The path from the root of a name as the user gave it; of what lies elsewhere, the name.
    pub(super) fn path(&self, name: &str) -> String {
        if name == walk::STDIN {
            return STDIN.to_string();
        }
        let absolute = path::join(self.here, name);
        let below = absolute.strip_prefix(self.root).and_then(|rest| rest.strip_prefix('/'));
        match below {
            Some(below) if !self.root.is_empty() && !below.is_empty() => below.to_string(),
            _ => Some(path::normal(name)).filter(|path| !path.is_empty()).unwrap_or_else(|| ".".to_string()),
        }
    }
}

impl Spot {
    /// Where a finding, a label or an edit stands.
    pub(super) fn of(report: &Report, place: &Place) -> Spot {
        let file = report.sources.file(place.span.file);
        // What was rendered is no file, and its lines are nobody's; a rendered manifest that was read from
        // a file is that file.
        let maker = file.rendered.as_ref().map(|rendered| rendered.file.as_str());
        // A template that is not on disk, such as one of an archive, is no file of the repository either.
        let is_there = |template: &&str| {
            file.rendered.as_ref().is_none_or(|r| r.templates.values().any(|known| known.path == **template))
        };
        let made_by = place.template.as_deref().filter(is_there).or(maker).filter(|_| file.path.is_none());
        match made_by {
            Some(path) => Spot {
                path: report.checkout.path(path),
                line: 1,
                columns: None,
                is_clipped: false,
                rendered: Some(file.line_col(place.span.start).line),
            },
            None => Spot::in_text(report.checkout, file, place.span.range()),
        }
    }

    /// Where the text of a problem lies on disk; built-in rules do not.
    pub(super) fn of_problem(report: &Report, problem: &Problem) -> Option<Spot> {
        let (file, range) = problem.place.as_ref().filter(|(file, _)| file.path.is_some())?;
        Some(Spot::in_text(report.checkout, file, range.clone()))
    }

    fn in_text(checkout: Checkout, file: &SourceFile, range: Range<usize>) -> Spot {
        let (line, seen) = visible(file, range.clone());
        let column = |offset: usize| file.line_col(offset as u32).column;
        let columns = (!file.text.is_empty()).then(|| column(seen.start)..column(seen.end));
        let last = file.line_starts().partition_point(|start| (*start as usize) < range.end);
        Spot { path: checkout.path(&file.name), line: line + 1, columns, is_clipped: last > line + 1, rendered: None }
    }

    /// What is said of the line where the path is that of a template.
    pub(super) fn rendered_line(&self) -> Option<String> {
        self.rendered.map(|line| format!("line {line} of the rendered text"))
    }

    /// `path:line`, with the rendered line where the one of the template is not known.
    pub(super) fn shown(&self) -> String {
        let text = match &self.rendered {
            Some(line) => format!("{} (rendered:{line})", self.path),
            None => format!("{}:{}", self.path, self.line),
        };
        sanitize::one_line(&text).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_start_at_the_root() {
        let below = Checkout { root: "/r", here: "/r/envs/prod" };
        for (name, path) in [
            ("a.yaml", "envs/prod/a.yaml"),
            ("./a.yaml", "envs/prod/a.yaml"),
            ("../../base/b.yaml", "base/b.yaml"),
            ("/r/c.yaml", "c.yaml"),
            ("/rest/c.yaml", "/rest/c.yaml"),
            ("../../../d.yaml", "../../../d.yaml"),
            ("<stdin>", "stdin"),
        ] {
            assert_eq!(below.path(name), path, "{name}");
        }
        let unknown = Checkout::default();
        assert_eq!((unknown.path("./a.yaml").as_str(), unknown.path("/b").as_str()), ("a.yaml", "/b"));
    }

    #[test]
    fn a_place_is_clipped_to_its_first_line() {
        let file = SourceFile::new("a", None, "é: |\n  b\n  c\nd: e\n");
        let spot = |range| Spot::in_text(Checkout::default(), &file, range);
        let first = spot(4..14);
        assert_eq!((first.line, first.columns, first.is_clipped), (1, Some(4..5), true));
        let one = spot(0..2);
        assert_eq!((one.line, one.columns, one.is_clipped), (1, Some(1..2), false));
        let end = spot(file.text.len()..file.text.len());
        assert_eq!((end.line, end.columns), (4, Some(4..5)));
        let empty = SourceFile::new("b", None, "");
        let nothing = Spot::in_text(Checkout::default(), &empty, 0..0);
        assert_eq!((nothing.line, nothing.columns, nothing.is_clipped), (1, None, false));
    }
}
