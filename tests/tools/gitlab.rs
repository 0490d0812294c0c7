//! The job of packaging/gitlab.yml, with its inputs put in, run as a runner does.

use serde_yaml::Value;

use super::Test;
use super::shell::{ROOT, VERSION, bash, route, run, service};
use super::wheel;
use crate::scratch::Scratch;

pub(crate) const TESTS: &[Test] = &[("the job leaves its reports", the_job_leaves_its_reports)];

fn the_job_leaves_its_reports() {
    let template = std::fs::read_to_string(format!("{ROOT}/packaging/gitlab.yml")).unwrap();
    let (inputs, job) = template.split_once("\n---\n").unwrap();
    let inputs: Value = serde_yaml::from_str(inputs).unwrap();
    let inputs = inputs["spec"]["inputs"].as_mapping().unwrap();
    assert_eq!(inputs["version"]["default"].as_str(), Some(VERSION));
    let mut job = job.to_string();
    for (name, input) in inputs {
        let name = name.as_str().unwrap();
        let default = match &input["default"] {
            Value::Bool(value) => value.to_string(),
            value => value.as_str().unwrap().to_string(),
        };
        let value = if name == "args" { "--statistics --complete=Service" } else { &default };
        job = job.replace(&format!("$[[ inputs.{name} ]]"), value);
    }
    let s = Scratch::new(&[(".gitlab-ci.yml", &job), ("a.yaml", &service("a")), ("b.yaml", &route("b", "c"))]);
    bash(&s, "check-jsonschema --builtin-schema vendor.gitlab-ci .gitlab-ci.yml").ends(0, &[]);

    let job: Value = serde_yaml::from_str(&job).unwrap();
    let job = &job["plimsoll"];
    let mut script = "python3 -m venv venv; export PATH=\"$PWD/venv/bin:$PATH\"\n".to_string();
    for (name, value) in job["variables"].as_mapping().unwrap() {
        script += &format!("export {}='{}'\n", name.as_str().unwrap(), value.as_str().unwrap());
    }
    // A runner's shell does not stop at variables that are not set.
    script += "set +u\n";
    for line in job["script"].as_sequence().unwrap() {
        script += &format!("{}\n", line.as_str().unwrap());
    }
    let said = run(&s.path(""), &[("PIP_FIND_LINKS", wheel::folder().to_str().unwrap())], &script);
    said.ends(1, &["traffic/host-not-found", "b.yaml:9:15"]);
    let reports = job["artifacts"]["reports"].as_mapping().unwrap();
    assert_eq!(reports.len(), 2);
    for file in reports.values() {
        let report = s.read(file.as_str().unwrap());
        assert!(report.contains("traffic/host-not-found"), "{report}");
    }
}
