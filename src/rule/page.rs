//! The page of a rule: what `plimsoll explain` shows, with examples that are tests.

/// The page.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Its heading.
    pub title: String,
    /// Its first sentence: why the finding hurts.
    pub why: String,
    /// The whole page, Markdown.
    pub markdown: String,
    /// The blocks under `## Bad` and `## Good`.
    pub examples: Vec<Example>,
}

/// What an example shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExampleKind {
    /// The rule finds what the markers say.
    Bad,
    /// The rule finds nothing.
    Good,
}

/// One block of YAML on a page.
#[derive(Debug, Clone)]
pub struct Example {
    /// Under which heading it stands.
    pub kind: ExampleKind,
    /// Its number among those of its kind, from 1.
    pub number: usize,
    /// Its files: one, or several split by `# file: name` lines.
    pub files: Vec<ExampleFile>,
    /// Settings of the first line `# config: {…}`, as YAML.
    pub config: Option<String>,
    /// The line of the rule file on which the block starts, from 0.
    pub line: usize,
}

/// One file of an example.
#[derive(Debug, Clone)]
pub struct ExampleFile {
    /// Its name.
    pub name: String,
    /// Its text, markers included.
    pub text: String,
    /// Findings that it asks for.
    pub expected: Vec<Expectation>,
}

/// A `# finding: text` marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// The line of the file at which the finding's primary place starts, from 1.
    pub line: usize,
    /// A part of its message.
    pub text: String,
}

const MARKER: &str = "# finding:";

/// Reads a page; `first_line` is where it starts in the rule file, from 0.
pub fn parse(markdown: &str, first_line: usize) -> Page {
    let mut page = Page { markdown: markdown.trim().to_string(), ..Page::default() };
    let mut kind = None;
    let mut block: Option<(usize, bool, Vec<&str>)> = None;
    let mut paragraph = String::new();
    for (i, line) in markdown.lines().enumerate() {
        if let Some((start, is_yaml, lines)) = &mut block {
            if line.trim_start().starts_with("```") {
                if let Some(kind) = kind.filter(|_| *is_yaml) {
                    let number = page.examples.iter().filter(|e| e.kind == kind).count() + 1;
                    page.examples.push(example(kind, number, lines, first_line + *start));
                }
                block = None;
            } else {
                lines.push(line);
            }
        } else if let Some(language) = line.strip_prefix("```") {
            block = Some((i + 1, matches!(language.trim(), "yaml" | "yml" | ""), Vec::new()));
        } else if let Some(heading) = line.strip_prefix("## ") {
            kind = match heading.trim() {
                "Bad" => Some(ExampleKind::Bad),
                "Good" => Some(ExampleKind::Good),
                _ => None,
            };
        } else if let Some(title) = line.strip_prefix("# ") {
            page.title = title.trim().to_string();
        } else if page.why.is_empty() && !page.title.is_empty() {
            if line.trim().is_empty() {
                page.why = first_sentence(&paragraph);
            } else {
                paragraph = format!("{paragraph} {}", line.trim()).trim().to_string();
            }
        }
    }
    if page.why.is_empty() {
        page.why = first_sentence(&paragraph);
    }
    page
}

/// Up to the first full stop that ends a sentence; the stop is left out, as findings do.
fn first_sentence(paragraph: &str) -> String {
    let end = paragraph
        .match_indices(". ")
        .map(|(at, _)| at)
        .find(|at| !paragraph[..*at].ends_with("e.g") && !paragraph[..*at].ends_with("i.e"));
    let sentence = end.map_or(paragraph, |at| &paragraph[..at]);
    uncapitalised(sentence.trim_end_matches('.'))
}

/// Findings speak in half sentences: the first word loses its capital unless it is a name.
fn uncapitalised(sentence: &str) -> String {
    const NAMES: [&str; 8] = ["Istio", "Kubernetes", "Envoy", "Helm", "Prometheus", "Services", "Service", "Secrets"];
    let word = sentence.split(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
    let is_name = NAMES.contains(&word) || word.chars().skip(1).any(char::is_uppercase);
    let mut chars = sentence.chars();
    match chars.next() {
        Some(first) if !is_name => first.to_lowercase().chain(chars).collect(),
        _ => sentence.to_string(),
    }
}

fn example(kind: ExampleKind, number: usize, lines: &[&str], line: usize) -> Example {
    let mut config = None;
    let mut files: Vec<(String, Vec<&str>)> = Vec::new();
    for (i, text) in lines.iter().enumerate() {
        if i == 0
            && let Some(settings) = text.strip_prefix("# config:")
        {
            config = Some(settings.trim().to_string());
        }
        if let Some(name) = text.strip_prefix("# file:") {
            files.push((name.trim().to_string(), Vec::new()));
            continue;
        }
        match files.last_mut() {
            Some((_, lines)) => lines.push(text),
            None => files.push(("example.yaml".to_string(), vec![text])),
        }
    }
    // A `# config:` line above the first `# file:` is no file of its own.
    files.retain(|(_, lines)| lines.iter().any(|l| !l.trim().is_empty() && !l.starts_with("# config:")));
    let files = files
        .into_iter()
        .map(|(name, lines)| {
            let text = lines.join("\n") + "\n";
            ExampleFile { expected: expectations(&text), name, text }
        })
        .collect();
    Example { kind, number, files, config, line }
}

/// Markers of a text: at the end of the line they mean, or on lines of their own above it.
pub fn expectations(text: &str) -> Vec<Expectation> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        let Some((before, marker)) = line.split_once(MARKER) else { continue };
        let at = if before.trim().is_empty() {
            lines[i + 1..].iter().position(|l| !l.trim_start().starts_with('#')).map_or(i, |skip| i + 1 + skip)
        } else {
            i
        };
        found.push(Expectation { line: at + 1, text: marker.trim().to_string() });
    }
    found
}

/// A line of an example without its marker; nothing for a line that is only a marker.
pub fn without_marker(line: &str) -> Option<&str> {
    match line.split_once(MARKER) {
        None => Some(line),
        Some((before, _)) => Some(before.trim_end()).filter(|b| !b.is_empty()),
    }
}

impl Example {
    /// The example as a reader may see it: without markers, which are for tests only.
    pub fn without_markers(&self) -> Example {
        let mut example = self.clone();
        for file in &mut example.files {
            file.text = file.text.lines().filter_map(without_marker).map(|l| format!("{l}\n")).collect();
            file.expected.clear();
        }
        example
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn title_why_and_examples() {
        let page = parse(
            "# route is wrong\n\nRequests get 503. More text,\nover lines.\n\n## Bad\n```yaml\na: 1 # finding: one\n# finding: two\nb: 2\n```\n\n## Good\n```yaml\n# config: {today: 2026-01-01}\n# file: a.yaml\na: 1\n# file: b.yaml\nb: 1\n```\n",
            3,
        );
        assert_eq!((page.title.as_str(), page.why.as_str()), ("route is wrong", "requests get 503"));
        assert_eq!(page.examples.len(), 2);
        let expected = &page.examples[0].files[0].expected;
        assert_eq!(expected[0], Expectation { line: 1, text: "one".into() });
        assert_eq!(expected[1], Expectation { line: 3, text: "two".into() });
        assert_eq!(page.examples[1].files.len(), 2);
        assert_eq!(page.examples[1].config.as_deref(), Some("{today: 2026-01-01}"));
    }
}
