use std::fs;

use super::*;

/// [`collect`] without exclusions.
fn all(paths: &[PathBuf], stdin: Option<String>) -> Result<Collected, Vec<String>> {
    collect(paths, stdin, &|_| None, &|_| Vec::new())
}

/// A temporary folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

fn names(dir: &tempfile::TempDir, collected: &Collected) -> Vec<String> {
    let prefix = format!("{}/", dir.path().display());
    collected.sources.iter().map(|(_, f)| f.name.strip_prefix(&prefix).unwrap_or(&f.name).to_string()).collect()
}

fn walk(dir: &tempfile::TempDir, paths: &[&str]) -> Collected {
    let paths: Vec<_> = paths.iter().map(|p| dir.path().join(p)).collect();
    all(&paths, None).unwrap()
}

#[test]
fn folders_hold_yaml_and_json() {
    let dir = folder(&[
        ("b/a.yaml", ""),
        ("b/c.YML", ""),
        ("a.json", ""),
        ("notes.md", ""),
        ("yaml", ""),
        (".hidden/x.yaml", ""),
        (".x.yaml", ""),
    ]);
    assert_eq!(names(&dir, &walk(&dir, &[""])), ["a.json", "b/a.yaml", "b/c.YML"]);
    assert_eq!(
        names(&dir, &walk(&dir, &["notes.md", ".x.yaml", ".hidden"])),
        [".hidden/x.yaml", ".x.yaml", "notes.md"]
    );
}

#[test]
fn gitignore_holds_outside_a_repository() {
    let dir = folder(&[(".gitignore", "/out/\n*.tmp.yaml\n"), ("out/a.yaml", ""), ("b.tmp.yaml", ""), ("c.yaml", "")]);
    assert_eq!(names(&dir, &walk(&dir, &[""])), ["c.yaml"]);
    assert_eq!(names(&dir, &walk(&dir, &["out", "b.tmp.yaml"])), ["b.tmp.yaml", "out/a.yaml"]);
}

#[test]
fn one_file_is_read_once() {
    let dir = folder(&[("a/x.yaml", "x: 1")]);
    let collected = walk(&dir, &["a/x.yaml", "a", "", "a/../a/x.yaml"]);
    assert_eq!(names(&dir, &collected), ["a/x.yaml"]);
}

#[test]
fn names_are_as_given() {
    let name = |root: &str, below: &str| name_below(Path::new(root), Path::new(below));
    assert_eq!(name(".", "a/b.yaml"), "a/b.yaml");
    assert_eq!(name("./", "b.yaml"), "b.yaml");
    assert_eq!(name("./a", "b.yaml"), "./a/b.yaml");
    assert_eq!(name("a/", "b.yaml"), "a/b.yaml");
    assert_eq!(name("../a", "b.yaml"), "../a/b.yaml");
    assert_eq!(name(".", ""), ".");
    // Tests run in the package's folder.
    let collected = all(&[".".into()], None).unwrap();
    assert!(collected.sources.iter().all(|(_, f)| !f.name.starts_with("./")));
}

#[test]
fn standard_input_is_a_text_without_a_path() {
    let collected = all(&["-".into(), "-".into()], Some("a: 1".to_string())).unwrap();
    let files: Vec<_> = collected.sources.iter().map(|(_, f)| (f.name.as_str(), &f.path, &*f.text)).collect();
    assert_eq!(files, [("<stdin>", &None, "a: 1")]);
    assert!(all(&["-".into()], None).is_err());
}

#[test]
fn arguments_that_name_nothing_are_told() {
    let dir = folder(&[("a.yaml", "")]);
    let paths = [dir.path().join("a.yaml"), "no-such-thing".into()];
    assert_eq!(all(&paths, None).unwrap_err(), ["no file or folder is called \"no-such-thing\""]);
}

#[test]
fn what_is_no_text_is_told() {
    let dir = folder(&[]);
    fs::write(dir.path().join("a.yaml"), b"abc\xffd").unwrap();
    fs::write(dir.path().join("b.yaml"), b"\xff\xfea\0").unwrap();
    File::create(dir.path().join("c.yaml")).unwrap().set_len(LARGEST + 1).unwrap();
    let reasons: Vec<_> =
        walk(&dir, &[""]).sources.into_files().into_iter().filter_map(|file| file.unreadable).collect();
    assert_eq!(
        reasons,
        ["not UTF-8: byte 0xff at offset 3", "UTF-16 is not read; save it as UTF-8", "larger than 512 MiB"]
    );
}

#[test]
fn chart_templates_are_skipped_once_per_chart() {
    let dir = folder(&[
        ("shop/Chart.yaml", ""),
        ("shop/values.yaml", ""),
        ("shop/templates/a.yaml", ""),
        ("shop/templates/tests/b.yaml", ""),
        ("shop/crds/c.yaml", ""),
        ("shop/charts/sub/Chart.yaml", ""),
        ("shop/charts/sub/templates/d.yaml", ""),
        ("templates/e.yaml", ""),
    ]);
    let collected = walk(&dir, &[""]);
    assert_eq!(
        names(&dir, &collected),
        ["shop/Chart.yaml", "shop/charts/sub/Chart.yaml", "shop/crds/c.yaml", "shop/values.yaml", "templates/e.yaml"]
    );
    let chart = format!("{}/shop", dir.path().display());
    let reason = format!("raw chart templates; render them: --render, or helm template {chart} | plimsoll check -");
    assert_eq!(collected.skipped, [Skipped { path: chart.clone(), reason, notable: true }]);

    let direct = walk(&dir, &["shop/templates/a.yaml"]);
    assert_eq!((names(&dir, &direct).len(), direct.skipped.len()), (1, 0));
    let inside = walk(&dir, &["shop/templates"]);
    assert_eq!((inside.sources.len(), inside.skipped[0].path.ends_with("/shop")), (0, true));
}

#[cfg(unix)]
#[test]
fn links_are_followed_as_arguments_only() {
    use std::os::unix::fs::symlink;
    let dir = folder(&[("real/a.yaml", "a: 1")]);
    let at = |name: &str| dir.path().join(name);
    symlink("real", at("folder")).unwrap();
    symlink("real/a.yaml", at("link.yaml")).unwrap();
    symlink(".", at("real/loop")).unwrap();
    let collected = walk(&dir, &[""]);
    assert_eq!(names(&dir, &collected), ["real/a.yaml"]);
    assert_eq!(collected.skipped.len(), 1);
    assert_eq!(names(&dir, &walk(&dir, &["folder"])), ["folder/a.yaml"]);
    assert_eq!(names(&dir, &walk(&dir, &["link.yaml"])), ["link.yaml"]);
}

#[cfg(unix)]
#[test]
fn pipes_are_read_but_not_written_back() {
    let dir = folder(&[]);
    let pipe = dir.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    if !made.is_ok_and(|status| status.success()) {
        return;
    }
    let writer = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::write(pipe, "a: 1")
    });
    let collected = all(&[pipe], None).unwrap();
    writer.join().unwrap().unwrap();
    let (_, file) = collected.sources.iter().next().unwrap();
    assert_eq!((&*file.text, &file.path), ("a: 1", &None));
}
