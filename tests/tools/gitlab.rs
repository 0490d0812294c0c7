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
        let value = if name == "args" { "--complete=Service --no-config" } else { &default };
        job = job.replace(&format!("$[[ inputs.{name} ]]"), value);
    }
    let s = Scratch::new(&[(".gitlab-ci.yml", &job), ("a.yaml", &service("a")), ("b.yaml", &route("b", "c"))]);
    bash(&s, "check-jsonschema --builtin-schema vendor.gitlab-ci .gitlab-ci.yml").ends(0, &[]);

    let job: Value = serde_yaml::from_str(&job).unwrap();
    let job = &job["plimsoll"];
    let mut variables = String::new();
    for (name, value) in job["variables"].as_mapping().unwrap() {
        variables += &format!("export {}='{}'\n", name.as_str().unwrap(), value.as_str().unwrap());
    }
    let lines: Vec<&str> = job["script"].as_sequence().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    // A runner's shell does not stop at variables that are not set.
    let run_job = |more: &str| {
        let path = "export PATH=\"$PWD/venv/bin:$PATH\"; set +u";
        let script = format!("{path}\n{variables}\n{more}\n{}", lines.join("\n"));
        run(&s.path(""), &[("PIP_FIND_LINKS", wheel::folder().to_str().unwrap())], &script)
    };
    bash(&s, "python3 -m venv venv").ends(0, &[]);
    run_job("").ends(1, &["traffic/host-not-found", "b.yaml:9:15"]);
    let reports = job["artifacts"]["reports"].as_mapping().unwrap();
    assert_eq!(reports.len(), 2);
    for file in reports.values() {
        let report = s.read(file.as_str().unwrap());
        assert!(report.contains("traffic/host-not-found"), "{report}");
    }

    // In a merge request that does not touch what is wrong.
    bash(&s, "git init --quiet; git add .gitlab-ci.yml *.yaml; git commit --quiet --message base").ends(0, &[]);
    let merge_request = "export CI_MERGE_REQUEST_DIFF_BASE_SHA=$(git rev-parse HEAD)";
    run_job(merge_request).ends(1, &["b.yaml:9:15"]);
    run_job(&format!("{merge_request} PLIMSOLL_CHANGE_ONLY=true")).ends(0, &["1 old,"]);
}
