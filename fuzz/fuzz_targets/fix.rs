//! Every fix of every finding: what comes of it can be read, a second round changes nothing, and
//! lines that no fix names stay as they are.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use plimsoll::fix::{self, Cause};
use plimsoll::source::{FileId, Sources};
use plimsoll_fuzz::{loaded, settings, sources, swap_values, tree};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| { swap_values(data, size, max_size, seed) });

fuzz_target!(|text: &str| {
    let settings = settings(loaded());
    let check = |sources: &Sources| plimsoll::check(sources, loaded(), &settings).findings;
    let before = sources(text);
    let findings = check(&before);
    let round = fix::apply(&before, &findings, true);
    for conflict in &round.conflicts {
        let broken = !tree(&before.file(conflict.span.file).text).errors.is_empty();
        assert!(conflict.cause != Cause::Breaks || broken, "\"{}\" breaks the file", conflict.title);
    }
    for (id, new) in &round.files {
        let touched: Vec<_> =
            findings.iter().flat_map(|f| &f.fixes).flat_map(|f| &f.edits).filter(|e| e.span.file == *id).collect();
        let mut from = 0;
        let mut rest = new.split_inclusive('\n');
        for line in before.file(*id).text.split_inclusive('\n') {
            let end = from + line.len();
            let is_touched = touched.iter().any(|e| e.span.start as usize <= end && from <= e.span.end as usize);
            assert!(is_touched || rest.any(|new| new == line), "{line:?} is lost");
            from = end;
        }
    }
    let readable = |sources: &Sources, id: FileId| !tree(&sources.file(id).text).is_broken();
    let fixed = fix::converge(sources(text), true, check);
    assert!(fixed.settled, "fixes undo each other");
    for (id, _) in before.iter() {
        assert!(readable(&fixed.sources, id) || !readable(&before, id), "fixes leave what can't be read");
    }
    let again = fix::apply(&fixed.sources, &check(&fixed.sources), true);
    assert!(again.files.is_empty(), "a second round changes something");
});
