//! The comment for a pull request, read as CommonMark.

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

use super::scratch::{OURS, Scratch, deployment, said, shop, snapshot};

fn comment(s: &Scratch, arguments: &str) -> String {
    s.run(&format!("check {arguments} --format markdown")).out
}

/// What of a comment is neither code nor ours: its texts, its links, and its tags.
struct Read {
    prose: String,
    code: Vec<String>,
    links: Vec<String>,
    tags: Vec<String>,
}

fn read(comment: &str) -> Read {
    let mut read = Read { prose: String::new(), code: Vec::new(), links: Vec::new(), tags: Vec::new() };
    let mut fenced = false;
    for event in Parser::new_ext(comment, Options::all()) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => fenced = true,
            Event::End(TagEnd::CodeBlock) => fenced = false,
            Event::Text(text) if !fenced => read.prose += &text,
            Event::Text(_) => {}
            Event::Code(text) => read.code.push(text.to_string()),
            Event::Start(Tag::Link { dest_url, link_type, .. }) => {
                assert!(matches!(link_type, LinkType::Inline | LinkType::Autolink), "{comment}");
                read.links.push(dest_url.to_string());
            }
            Event::Start(Tag::Image { .. }) => panic!("an image: {comment}"),
            Event::Start(Tag::BlockQuote(_) | Tag::Table(_) | Tag::FootnoteDefinition(_)) => panic!("{comment}"),
            Event::InlineMath(_) | Event::DisplayMath(_) | Event::FootnoteReference(_) | Event::Rule => {
                panic!("{comment}")
            }
            Event::Html(tag) | Event::InlineHtml(tag) => read.tags.push(tag.trim().to_string()),
            _ => read.prose.push(' '),
        }
    }
    read
}

/// The tags that a comment is made with.
const OURS_ALONE: [&str; 7] =
    ["<details><summary>the lines</summary>", "</details>", "<sub>", "</sub>", "<br>", "<details>", ""];

#[track_caller]
fn assert_harmless(comment: &str) -> Read {
    let read = read(comment);
    for tag in &read.tags {
        let summary = tag.starts_with("<details><summary>the lines, in ") && tag.matches('<').count() == 3;
        assert!(OURS_ALONE.contains(&tag.as_str()) || summary, "{tag}: {comment}");
    }
    for sign in ["@", "#", "://", "www.", "[", "<", "*", "~", "$", "gh-", "GH-", ":tada:"] {
        assert!(!read.prose.contains(sign), "{sign}: {:?} in {comment}", read.prose);
    }
    for link in &read.links {
        assert!(link.starts_with("https://plimsoll.dev/rules/"), "{link}: {comment}");
    }
    read
}

#[test]
fn a_markdown_comment() {
    let s = shop();
    snapshot("markdown", &s.run(&format!("check a.yaml {OURS} --format markdown --min-severity info")).to_string());
}

#[test]
fn a_reviewer_reads_the_verdict_then_the_gravest() {
    let mut command = shop().command("check examples --format markdown");
    let comment = said(command.current_dir(env!("CARGO_MANIFEST_DIR")), b"").out;
    assert!(comment.starts_with(
        "**plimsoll: 6 errors, 4 warnings (3 infos: --min-severity info) in 12 files, 42 resources**\n\n#### 6 errors\n"
    ));
    let read = assert_harmless(&comment);
    assert_eq!(read.links.len(), 10);
    assert!(read.links.contains(&"https://plimsoll.dev/rules/traffic/host-not-found".to_string()));
    assert!(comment.find("#### 4 warnings") > comment.find("#### 6 errors"));
    assert!(comment.trim_end().ends_with("</sub>") && comment.contains("<sub>Judged: "));
    assert!(comment.contains("**host `chekout` is not among the 10 Services read in namespace `store`**"));
}

#[test]
fn a_clean_run_is_a_verdict_and_what_was_judged() {
    let s = shop();
    s.write("a.yaml", deployment("cart", 3));
    let comment = comment(&s, "a.yaml --rules rules --select ops");
    assert_eq!(
        comment,
        "**plimsoll: no errors or warnings in 1 file, 1 resource**\n\n<sub>Judged: 1 of 1 rule</sub>\n"
    );
}

#[test]
fn no_name_is_more_than_its_letters() {
    let names = [
        "@octocat",
        "see #1 and org/repo#2 GH-3",
        "<img src=x onerror=alert(1)>",
        "</details></sub><script>alert(1)</script>",
        "![x](https://evil.example/a.png)",
        "[click](https://evil.example)",
        "https://evil.example www.evil.example a@evil.example",
        "*bold* _it_ ~~gone~~ $math$ :tada:",
        "\\n# heading\\n- [ ] item\\n> quote\\n/approve",
        "``` `` ` ````",
        "`@octocat",
        "\\\"@octocat",
        "\\\"@a\\\"@b \\\"#1\\\"x",
        "&lt;b&gt; &#64;octocat &commat;x",
        "| a | b |\\n|---|---|",
        "<!-- x",
        "[^1] [x]: https://evil.example",
        "\\r\\n\\r\\n<b>x",
        "`\\\"`@octocat\\\"`",
        "(\\\"@octocat\\\")",
    ];
    for name in names {
        let s = shop();
        s.write("a.yaml", deployment("cart", 1).replace("name: cart", &format!("name: \"{name}\"")));
        let comment = comment(&s, &format!("a.yaml {OURS} --min-severity info"));
        let read = assert_harmless(&comment);
        assert!(read.prose.contains("runs 1 of 2 replicas"), "{name}: {comment}");
        assert!(read.code.iter().filter(|code| *code == "ops/replicas").count() == 1, "{name}: {comment}");
        assert!(comment.matches("\n</details>\n").count() == 3, "{name}: {comment}");
    }
}

#[test]
fn no_line_of_a_manifest_ends_its_fence() {
    let s = shop();
    s.write("a.yaml", deployment("cart", 1).replace("replicas: 1", "replicas: 1 # ``````` </details> @octocat"));
    let comment = comment(&s, "a.yaml --rules rules --select ops");
    assert!(comment.contains("\n````````text\n"), "{comment}");
    assert_harmless(&comment);
}

#[test]
fn a_comment_is_no_longer_than_github_takes() {
    let s = shop();
    let many: String = (0..900).map(|i| format!("---\n{}", deployment(&format!("w{i}"), 1))).collect();
    s.write("a.yaml", &many);
    let comment = comment(&s, "a.yaml --rules rules --select ops --max-per-rule 0");
    assert!(comment.len() <= 65_536 && comment.len() > 64_000, "{}", comment.len());
    let shown = comment.matches("runs 1 of 2 replicas**").count();
    assert!(comment.contains(&format!("\n*{} findings left out here: ", 900 - shown)), "{shown}");
    assert!(comment.starts_with("**plimsoll: 900 errors in 1 file"));
    assert!(comment.trim_end().ends_with("</sub>"));
    assert_harmless(&comment.replace("*", ""));
    // As on the terminal, one rule does not fill the page.
    let folded = self::comment(&s, "a.yaml --rules rules --select ops");
    assert_eq!(folded.matches("runs 1 of 2 replicas**").count(), 20);
    assert!(folded.contains("and 880 more of `ops/replicas`"), "{folded}");
}
