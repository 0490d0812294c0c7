//! Time by stage and peak memory, side by side in one run:
//! `cargo bench --bench check -- 1000 10000 100000` (documents; 1,000 and 10,000 where none are given).
//!
//! Figures of one run may be compared with each other, not with those of another day or machine.

mod generator;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use plimsoll::config::{Flags, Settings};
use plimsoll::mesh::Mesh;
use plimsoll::progress::Progress;
use plimsoll::rule::load;
use plimsoll::run::{self, Loaded};
use plimsoll::script::Taken;
use plimsoll::source::{SourceFile, Sources};
use plimsoll::yaml::Trees;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The child process that measures memory: one check and nothing else.
const MEMORY: &str = "memory-of";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    if let [mode, documents] = arguments.as_slice()
        && mode == MEMORY
    {
        return check_once(documents.parse().unwrap_or(0));
    }
    if std::env::args().any(|a| a == "--test") {
        return;
    }
    let sizes: Vec<usize> = arguments.iter().filter_map(|a| a.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![1_000, 10_000] } else { sizes };
    for documents in &sizes {
        measure(*documents, false);
    }
    // What is looked up by namespace must not be sought in it: times stay what they are above.
    measure(sizes.into_iter().min().unwrap_or(1_000).max(10_000), true);
}

fn loaded() -> Loaded {
    let (set, problems) = load::load(&[], &[]);
    Loaded::new(set, problems)
}

fn settings(loaded: &Loaded, jobs: usize) -> Settings {
    let flags = Flags { today: Some("2026-11-22".to_string()), ..Flags::default() };
    let mut settings = Settings::new(&flags, None, &loaded.set).unwrap_or_default();
    settings.jobs = jobs;
    settings
}

fn sources(texts: &[String]) -> Sources {
    let files = texts.iter().enumerate().map(|(i, text)| SourceFile::new(format!("{i:05}.yaml"), None, text.as_str()));
    Sources::new(files.collect())
}

/// The shortest time of some work: what else runs on the machine only adds.
struct Stage<'a> {
    name: &'a str,
    best: Duration,
    work: Box<dyn FnMut() + 'a>,
}

fn stage<'a>(name: &'a str, work: impl FnMut() + 'a) -> Stage<'a> {
    Stage { name, best: Duration::MAX, work: Box::new(work) }
}

/// Runs the stages in turns, so that an unquiet minute falls on all of them.
fn in_turns(rounds: usize, stages: &mut [Stage<'_>]) {
    for _ in 0..rounds {
        for stage in &mut *stages {
            let clock = Instant::now();
            (stage.work)();
            stage.best = stage.best.min(clock.elapsed());
        }
    }
}

fn measure(documents: usize, crowded: bool) {
    let texts = generator::corpus(documents, crowded);
    let bytes: usize = texts.iter().map(String::len).sum();
    let rounds = if documents > 20_000 { 5 } else { 15 };
    let loaded = loaded();
    let sources = sources(&texts);
    let place = if crowded { " of one namespace" } else { "" };
    println!("{documents} documents{place}, {:.1} MB in {} files", bytes as f64 / 1e6, texts.len());

    let raw = || {
        for text in &texts {
            let mut parser = granit_parser::Parser::new_from_str(text);
            while let Some(event) = parser.next_event() {
                let _ = black_box(event);
            }
        }
    };
    let serde = || {
        for text in &texts {
            for document in serde_yaml::Deserializer::from_str(text) {
                use serde::Deserialize;
                let _ = black_box(serde_yaml::Value::deserialize(document));
            }
        }
    };
    let parse = || {
        let trees = sources.iter().map(|(id, file)| plimsoll::yaml::parse::parse(id, file.text.clone()));
        Arc::new(Trees::new(trees))
    };
    let (one, two) = (settings(&loaded, 1), settings(&loaded, 2));
    let mesh = |trees: &Arc<Trees>| {
        let resources = (0..sources.len()).flat_map(|n| {
            plimsoll::resource::find(
                trees,
                n as u32,
                plimsoll::resource::Origin { namespace: "default", ..Default::default() },
            )
            .resources
        });
        Arc::new(Mesh::new("", trees.clone(), resources.collect(), one.declared.clone(), Vec::new()))
    };
    let trees = parse();
    let indexed = mesh(&trees);
    let rules = |mesh: &Arc<Mesh>| {
        let taken: Vec<Taken> = loaded.set.rules.iter().map(|_| Taken::over(documents)).collect();
        drop(black_box(run::run(mesh, &loaded, &one.rules, &taken, 1, &Progress::default())));
    };
    let check = |settings| drop(black_box(plimsoll::check(&sources, &loaded, settings)));
    let mut stages = [
        stage("raw events", raw),
        stage("serde_yaml::Value", serde),
        stage("span tree", || drop(black_box(parse()))),
        stage("resources and mesh", || drop(black_box(mesh(&trees)))),
        stage("rules, 1 thread", || rules(&indexed)),
        stage("whole check, 1 thread", || check(&one)),
        stage("whole check, 2 threads", || check(&two)),
    ];
    in_turns(rounds, &mut stages);
    let raw = stages[0].best.as_secs_f64();
    for Stage { name, best, .. } in &stages {
        let time = best.as_secs_f64();
        let (each, ratio) = (time * 1e6 / documents as f64, time / raw);
        println!("  {name:<28} {:>9.1} ms {each:>8.1} µs a document {ratio:>6.2} × raw events", time * 1e3);
    }
    drop(stages);
    start_up();
    memory(documents, bytes);
}

/// From nothing to the findings of one small file: rules are read, checked and compiled.
fn start_up() {
    let small = sources(&[include_str!("../../examples/broken/routes.yaml").to_string()]);
    let mut all = [stage("start-up on one small file", || {
        let loaded = loaded();
        let settings = settings(&loaded, 2);
        drop(black_box(plimsoll::check(&small, &loaded, &settings)));
    })];
    in_turns(15, &mut all);
    println!("  {:<28} {:>9.1} ms", all[0].name, all[0].best.as_secs_f64() * 1e3);
}

fn check_once(documents: usize) {
    let loaded = loaded();
    let settings = settings(&loaded, 2);
    let sources = sources(&generator::corpus(documents, false));
    let outcome = plimsoll::check(&sources, &loaded, &settings);
    assert!(outcome.problems.is_empty());
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or("0 kB").trim();
    println!("{} {}", peak.trim_end_matches(" kB"), outcome.findings.len());
}

/// The peak of a process that does one check; its input is in memory as well.
fn memory(documents: usize, bytes: usize) {
    let Ok(this) = std::env::current_exe() else { return };
    let Ok(output) = std::process::Command::new(this).args([MEMORY, &documents.to_string()]).output() else { return };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut words = text.split_whitespace();
    let kilobytes: f64 = words.next().and_then(|w| w.parse().ok()).unwrap_or(0.0);
    let findings = words.next().unwrap_or("?");
    let factor = kilobytes * 1024.0 / bytes as f64;
    println!(
        "  peak memory                  {:>9.1} MB {factor:>8.1} × the input's bytes ({findings} findings)",
        kilobytes / 1024.0
    );
}
