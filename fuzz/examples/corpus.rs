//! Writes the seeds of all targets, made of the rules' own files and examples, and a dictionary of
//! the words in them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use plimsoll::yaml::{Kind, NodeId};
use plimsoll_fuzz::{FILE, loaded, tree};

fn main() -> std::io::Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let seed = |target: &str, name: String, text: &str| {
        let folder = here.join("corpus").join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), text)
    };
    let mut words = BTreeSet::new();
    for rule in &loaded().set.rules {
        let stem = rule.id.stem();
        if !rule.header.native {
            // Most of a page is prose, which teaches nothing.
            let header = rule.file.text.split("//! ## ").next().unwrap_or_default();
            seed("rule_files", stem.to_string(), &format!("{}\n{}", header.trim_end(), rule.code.trim_start()))?;
        }
        for example in &rule.page.examples {
            let name = format!("{stem}-{}", example.name());
            let texts: Vec<&str> = example.files.iter().map(|file| file.text.as_str()).collect();
            for target in ["check", "fix"] {
                seed(target, name.clone(), &texts.join(&format!("\n{FILE}\n")))?;
            }
            for (number, text) in texts.iter().enumerate() {
                seed("span_tree", format!("{name}-{number}"), text)?;
                let tree = tree(text);
                let scalars = (0..tree.len()).map(|n| tree.node(NodeId(n as u32))).filter(|n| n.kind() == Kind::Scalar);
                words.extend(scalars.filter_map(|n| n.text()).filter(|t| t.len() < 64).map(str::to_string));
            }
        }
    }
    let is_plain =
        |word: &&String| word.len() > 1 && word.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\');
    let lines: Vec<String> = words.iter().filter(is_plain).map(|word| format!("\"{word}\"\n")).collect();
    fs::write(here.join("words.dict"), lines.concat())
}
