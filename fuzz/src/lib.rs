//! What the fuzz targets share: bytes → manifests, settings, and a mutation that knows YAML.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use plimsoll::config::{FIXED_DATE, Flags, Settings};
use plimsoll::rule::load;
use plimsoll::run::Loaded;
use plimsoll::source::{FileId, SourceFile, Sources};
use plimsoll::yaml::parse::parse;
use plimsoll::yaml::{NodeId, Tree};

/// Separates the files of one input, as in the examples of rules.
pub const FILE: &str = "# file: ";

/// The built-in rules.
pub fn loaded() -> &'static Loaded {
    static LOADED: OnceLock<Loaded> = OnceLock::new();
    LOADED.get_or_init(|| {
        let (set, problems) = load::load(&[], &[]);
        Loaded::new(set, problems)
    })
}

/// All rules on, one thread, a fixed date.
pub fn settings(loaded: &Loaded) -> Settings {
    let flags = Flags { today: Some(FIXED_DATE.to_string()), ..Flags::default() };
    let mut settings = Settings::new(&flags, None, &loaded.set).expect("settings without flags are right");
    settings.rules.iter_mut().for_each(|rule| rule.on = true);
    settings.jobs = 1;
    settings
}

/// The files of one input: one, or several split by `# file: ` lines.
pub fn sources(text: &str) -> Sources {
    let mut parts = vec![String::new()];
    for line in text.split_inclusive('\n') {
        match line.strip_prefix(FILE) {
            Some(_) => parts.push(String::new()),
            None => parts.last_mut().expect("there is one").push_str(line),
        }
    }
    parts.retain(|part| !part.is_empty());
    let file = |(number, text): (usize, String)| {
        let name = format!("{number:03}.yaml");
        SourceFile::new(name.as_str(), Some(Path::new(&name)), text)
    };
    Sources::new(parts.into_iter().enumerate().map(file).collect())
}

/// The tree of a text.
pub fn tree(text: &str) -> Tree {
    parse(FileId(0), Arc::from(text))
}

/// Replaces a value by another one of the same text, by a usual one, or drops its line: far more
/// often still YAML than bytes that change anywhere.
pub fn swap_values(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    const USUAL: &[&str] = &[
        "1",
        "0",
        "-1",
        "443",
        "15012",
        "15017",
        "1.5",
        "\"1\"",
        "128Mi",
        "4Gi",
        "500m",
        "10s",
        "true",
        "\"true\"",
        "false",
        "null",
        "\"\"",
        "'*'",
        "istiod",
        "istio-system",
        "\"${X}\"",
        "ENC[x]",
        "é日本",
        "[]",
        "{}",
        "[null]",
        "{ a: { b: c } }",
        "[{ name: app, port: 80 }]",
        "1.30.2",
        "TCP",
        "10.0.0.0/8",
        "enabled",
        "&a 1",
        "*a",
        "|\n  x\n",
        "'{\"a\": 1}'",
        "\"\\u001b[31m\u{202e}\"",
        "<<",
        "Secret",
    ];
    let mut random = u64::from(seed) | 1 << 40;
    let mut below = |limit: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % limit.max(1)
    };
    let Ok(text) = std::str::from_utf8(&data[..size]) else {
        return libfuzzer_sys::fuzzer_mutate(data, size, max_size);
    };
    let tree = tree(text);
    if tree.is_empty() || below(3) == 0 {
        return libfuzzer_sys::fuzzer_mutate(data, size, max_size);
    }
    let range = |below: &mut dyn FnMut(usize) -> usize| tree.node(NodeId(below(tree.len()) as u32)).local_range();
    let old = range(&mut below);
    let new = match below(4) {
        0 => text[range(&mut below)].to_string(),
        1 => String::new(),
        _ => USUAL[below(USUAL.len())].to_string(),
    };
    let changed = [&text[..old.start], &new, &text[old.end..]].concat();
    let length = changed.len().min(max_size).min(data.len());
    data[..length].copy_from_slice(&changed.as_bytes()[..length]);
    length
}
