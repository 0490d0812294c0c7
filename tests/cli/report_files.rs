//! Reports in files: whole or not at all.

use super::scratch::{OURS, Scratch, said, shop};

fn names(s: &Scratch, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(s.path(folder)).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn one_file_that_cannot_be_written_keeps_none_of_the_others_back() {
    let s = shop();
    std::fs::create_dir(s.path("folder")).unwrap();
    let targets = "--format json=no/such/folder/a --format sarif=folder --format junit=out.xml --format short";
    let said = s.run(&format!("check a.yaml {OURS} {targets}"));
    said.ends(2, &["a.yaml:7:13: error[ops/replicas]"]).complains(&["no/such/folder/a: ", "folder: "]);
    assert!(s.read("out.xml").ends_with("</testsuites>\n"));
    assert_eq!(names(&s, ""), ["a.yaml", "folder", "out.xml", "rules"]);
    assert!(names(&s, "folder").is_empty());
}

#[test]
fn two_reports_for_one_file_are_a_mistake() {
    let s = shop();
    let said = s.run("check a.yaml --format json=a.out --format short=./a.out");
    said.ends(2, &[]).complains(&["two reports can't go to \"./a.out\""]);
    assert!(!s.path("a.out").exists());
}

#[test]
fn what_a_program_reads_shares_standard_output_with_nothing() {
    let s = shop();
    for (first, second) in [("json", "pretty"), ("short", "sarif"), ("gitlab", "gitlab"), ("junit", "github")] {
        let said = s.run(&format!("check a.yaml --format {first} --format {second}"));
        said.ends(2, &[]).complains(&["can't share standard output", "=PATH"]);
        assert_eq!(said.out, "");
    }
    s.run(&format!("check a.yaml {OURS} --format short --format markdown")).ends(1, &["**plimsoll: ", "a.yaml:7:13: "]);
}

#[test]
fn a_target_names_a_file() {
    shop().run("check a.yaml --format json=").ends(2, &[]).complains(&["no path follows the \"=\""]);
}

#[test]
fn reports_for_people_give_no_orders_from_files_either() {
    let s = shop();
    s.write("::a.yaml", s.read("a.yaml").replace("name: cart", "name: \"##vso[x]\""));
    s.run(&format!("check ::a.yaml {OURS} --format short=a.out --format pretty=b.out --format markdown=c.out"));
    for file in ["a.out", "b.out", "c.out"] {
        let text = s.read(file);
        assert!(text.contains("a.yaml") && !text.contains("##vso["), "{text}");
        assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{text}");
    }
}

#[cfg(unix)]
mod unix {
    use std::io::Read;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_link_is_replaced_and_what_it_leads_to_stays() {
        let s = shop();
        s.write("elsewhere/profile", "mine\n");
        symlink(s.path("elsewhere/profile"), s.path("report.json")).unwrap();
        s.run(&format!("check a.yaml {OURS} --format json=report.json")).ends(1, &[]);
        assert_eq!(s.read("elsewhere/profile"), "mine\n");
        assert!(s.path("report.json").symlink_metadata().unwrap().is_file());
        assert!(s.read("report.json").starts_with('{'));
    }

    #[test]
    fn permissions_stay_and_a_file_that_may_not_be_written_is_not() {
        let s = shop();
        s.write("a.out", "old");
        let set = |mode| std::fs::set_permissions(s.path("a.out"), std::fs::Permissions::from_mode(mode)).unwrap();
        set(0o640);
        s.run(&format!("check a.yaml {OURS} --format short=a.out")).ends(1, &[]);
        assert_eq!(s.path("a.out").metadata().unwrap().permissions().mode() & 0o777, 0o640);
        s.write("a.out", "old");
        set(0o440);
        s.run(&format!("check a.yaml {OURS} --format short=a.out")).ends(2, &[]).complains(&["a.out: "]);
        assert_eq!(s.read("a.out"), "old");
    }

    #[test]
    fn devices_and_pipes_are_written_to() {
        let s = shop();
        let arguments = format!("check a.yaml {OURS} --format short");
        let printed = s.run(&arguments).out;
        assert_eq!(s.run(&format!("{arguments}=/dev/stdout")).out, printed);
        let made = std::process::Command::new("mkfifo").arg(s.path("pipe")).status().unwrap();
        assert!(made.success());
        let pipe = s.path("pipe");
        let reader = std::thread::spawn(move || {
            let mut text = String::new();
            std::fs::File::open(pipe).unwrap().read_to_string(&mut text).unwrap();
            text
        });
        let said = said(&mut s.command(&format!("{arguments}=pipe")), b"");
        said.ends(1, &[]);
        assert_eq!(reader.join().unwrap(), printed);
    }
}
