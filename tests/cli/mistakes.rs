//! Mistakes of rule authors: each is told at its place, and the other rules go on.

use super::scratch::{Said, Scratch, shop};

const HEAD: &str = "//! ---
//! severity: warning
//! checks: Deployment
//! params:
//!   least: { type: number, default: 2, help: x }
//! ---
//! # title
//!
//! Why.

";

/// The line on which the code starts.
const LINE: usize = 11;

fn with(rule: &str) -> (Scratch, Said) {
    let s = shop();
    s.write("rules/own/wrong.rhai", rule);
    let said = s.run("check a.yaml --rules rules --select ops,own");
    (s, said)
}

/// Runs code as a rule beside another; `place` is line, counted from the code's first, and column.
#[track_caller]
fn told(code: &str, place: (usize, usize), parts: &[&str]) {
    let s = shop();
    s.write("rules/own/wrong.rhai", format!("{HEAD}{code}\n"));
    let said = s.run("check a.yaml --rules rules --select ops,own --format short");
    let place = format!("rules/own/wrong.rhai:{}:{}: error: ", LINE - 1 + place.0, place.1);
    said.ends(2, &["error[ops/replicas]", &place]).ends(2, parts);
    assert!(said.err.is_empty(), "{said}");
}

/// A mistake in the body of `check`, which starts on column 1 of the second line.
#[track_caller]
fn body(code: &str, column: usize, parts: &[&str]) {
    told(&format!("fn check(d, mesh) {{\n{code}\n}}"), (2, column), parts);
}

/// An error of a limit has no place of its own: it points at `fn check`.
#[track_caller]
fn limit(code: &str, part: &str) {
    told(
        &format!("fn check(d, mesh) {{\n{code}\n}}"),
        (1, 1),
        &["rule own/wrong failed on Deployment shop/cart", part],
    );
}

#[test]
fn a_problem_is_drawn_on_the_rule() {
    let (_, said) = with(&format!("{HEAD}fn check(d, mesh) {{\n    reprot(d, \"x\");\n}}\n"));
    said.ends(
        2,
        &[
            "╭─[rules/own/wrong.rhai:12:5]",
            "reprot(d, \"x\");",
            "there is no function `reprot()`; did you mean `report()`?",
            "error[ops/replicas]",
            "1 problem kept something from being checked",
        ],
    );
}

#[test]
fn json_lists_problems_with_their_place() {
    let s = shop();
    s.write("rules/own/wrong.rhai", format!("{HEAD}fn check(d, mesh) {{\n    reprot(d, \"x\");\n}}\n"));
    let report = s.run("check a.yaml --rules rules --select ops,own --format json").json();
    let problem = &report["problems"][0];
    assert_eq!((problem["location"]["line"].as_u64(), problem["location"]["column"].as_u64()), (Some(12), Some(5)));
    assert!(problem["message"].as_str().unwrap().contains("did you mean `report()`?"), "{problem}");
    assert_eq!(report["findings"][0]["rule"], "ops/replicas");
}

#[test]
fn code_that_does_not_compile() {
    body("let x = ;", 9, &["Unexpected ';'"]);
    told("fn check(d, mesh) {\nreport(d, \"x\"\n}", (3, 1), &["Expecting ',' to separate the arguments"]);
    body("let x = 'ab';", 9, &["rule can't be read"]);
    body("nothing_of_that_name;", 1, &["no variable \"nothing_of_that_name\" is declared here"]);
}

#[test]
fn loops_without_end() {
    limit("for i in 0..9999999999 { let x = i; }", "the rule takes too long: five million steps");
    limit("for i in range(0, 9999999999) { }", "the rule takes too long");
    told(
        "fn a(n) { b(n) }\nfn b(n) { a(n) }\nfn check(d, mesh) { a(1) }",
        (3, 1),
        &["functions call each other too deeply"],
    );
    told("fn check(d, mesh) { check(d, mesh) }", (1, 1), &["functions call each other too deeply"]);
}

#[test]
fn memory_without_end() {
    limit("let s = \"x\"; for i in 0..64 { s += s; }", "Length of string too large");
    limit("let s = \"x\"; for i in 0..64 { s = `${s}${s}`; }", "Length of string too large");
    limit("let s = [1]; for i in 0..64 { s += s; }", "Size of array/BLOB too large");
    limit("let s = [1]; for i in 0..64 { s = [s, s]; }", "Size of array/BLOB too large");
    limit("let s = #{ a: 1 }; for i in 0..64 { s = #{ a: s, b: s }; }", "Size of object map too large");
}

#[test]
fn misspelt_words() {
    body("reprot(d, \"x\");", 1, &["there is no function `reprot()`; did you mean `report()`?"]);
    body("d.contianers();", 3, &["nothing answers `contianers()`; did you mean `containers()`?"]);
    body("for s in mesh.service() { }", 15, &["nothing answers `service()`; did you mean `services()`?"]);
    body("if d.spec.replicas < param(\"leats\") { }", 28, &["no parameter \"leats\"; did you mean \"least\"?"]);
    body("let x = table(\"ports\");", 15, &["there is no table \"ports\""]);
    // In closures and in texts, too.
    body("let x = [1].filter(|i| reprot(i, \"\"));", 24, &["did you mean `report()`?"]);
    body("report(d, `${d.nmae()}`);", 16, &["nothing answers `nmae()`; did you mean `name()`?"]);
    // In code that never runs.
    body("if false { reprot(d, \"x\"); }", 12, &["did you mean `report()`?"]);
}

#[test]
fn kinds_and_roles_that_do_not_exist() {
    body("mesh.all(\"Servce\");", 10, &["no kind \"Servce\"; did you mean \"Service\"?"]);
    body("if false { mesh.find(\"Servce\", \"x\", d); }", 22, &["did you mean \"Service\"?"]);
    body("let kind = \"Servce\"; mesh.all(kind);", 27, &["no kind \"Servce\"; did you mean \"Service\"?"]);
    body("d.is(\"Istoid\");", 6, &["no role \"Istoid\"; did you mean \"Istiod\"?"]);
}

#[test]
fn words_that_the_language_leaves_out() {
    body("switch d.spec { 1 => 2 }", 1, &["`switch` never matches a value; write `if` and `else if`"]);
    body("eval(\"1\");", 1, &["`eval` is not part of the rule language"]);
    body("print(\"x\");", 1, &["a rule has no output; report(value, message)"]);
    body("debug(\"x\");", 1, &["a rule has no output"]);
    body("while d.spec.replicas < 3 { }", 1, &["loops are written with `for x in list`"]);
    body("loop { }", 1, &["loops are written with `for x in list`"]);
    body("do { } until d.spec.paused.is_true();", 1, &["loops are written with `for x in list`"]);
    body("try { } catch { }", 1, &["`try` hides mistakes"]);
    body("let f = Fn(\"check\");", 9, &["`Fn` is not part of the rule language"]);
    body("let x = d.spec.replicas ?? 1;", 25, &["`??` never sees a missing value; write `.or(…)`"]);
    body("let x = d?.spec;", 10, &["a missing value never fails: write `.` instead of `?.`"]);
    body("let x = d.spec?.paused;", 15, &["a missing value never fails"]);
    told("import \"x\" as y;\nfn check(d, mesh) { }", (1, 1), &["rules share functions through `rules/lib`"]);
}

#[test]
fn code_outside_of_functions() {
    told("let x = 1;\nfn check(d, mesh) { }", (1, 1), &["code outside of functions never runs"]);
    told("const LEAST = 1;\nfn check(d, mesh) { }", (1, 1), &["a constant becomes a parameter or a function"]);
    told("fn check(d, mesh) { }\ncheck(1, 2);", (2, 1), &["code outside of functions never runs"]);
}

#[test]
fn orderings_that_a_missing_value_would_turn_around() {
    body("if !(d.spec.replicas > 2) { report(d, \"x\"); }", 22, &["an ordering under `!`", "`<=` for `>`"]);
    body("if !(d.spec.x == 1 || d.spec.y < 2) { }", 32, &["an ordering under `!`", "`>=` for `<`"]);
    body("if d.spec.replicas >= 2 { return; }", 20, &["an ordering as a guard", "`<` for `>=`"]);
    body("for c in d.containers() { if c.x <= 2 { continue; } }", 34, &["an ordering as a guard"]);
}

#[test]
fn forgotten_parentheses() {
    body("if d.spec.replicas.missing { }", 20, &["write `missing()`"]);
    body("let n = d.containers().count;", 24, &["write `count()`"]);
    body("if d.name == \"x\" { }", 6, &["a resource has no key \"name\" here; did you mean `name()`?"]);
    body("let n = mesh.services;", 14, &["a mesh has no keys; ask it with parentheses: `services()`"]);
    body("report(d, \"x\").help;", 16, &["ask it with parentheses: `help()`"]);
}

#[test]
fn values_as_conditions() {
    let advice = "a value is no condition: ask it with `.is_true()`, `.exists()` or a comparison";
    body("if d.spec.paused { }", 11, &[advice]);
    body("if !d.spec.paused { }", 12, &[advice]);
    body("if d.spec.paused && d.spec.replicas == 1 { }", 11, &[advice]);
    body("if d.spec[\"paused\"] { }", 10, &[advice]);
}

#[test]
fn values_are_read_and_never_written_or_added_to() {
    body("d.spec.replicas = 3;", 1, &["nothing here can be changed; a rule only reads"]);
    body("d.spec[\"replicas\"] += 3;", 1, &["nothing here can be changed"]);
    for code in ["let x = d.spec.replicas + 1;", "let x = d.spec.replicas + \"x\";"] {
        body(code, 25, &["a value can't be added to; write texts with backticks"]);
    }
    body("let x = \"replicas: \" + d.spec.replicas;", 22, &["a value can't be added to"]);
    body("let x = 1 + d.spec.replicas;", 11, &["a value can't be added to"]);
}

#[test]
fn wrong_arguments() {
    body("report(\"x\", d);", 1, &["nothing answers `report (text, value)` here"]);
    body("report(d);", 1, &["nothing answers `report (value)` here"]);
    body("report(d, \"x\").severity(\"fatal\");", 25, &["unknown severity \"fatal\"; one of error, warning, info"]);
    body("report(d, \"x\").fix(\"x\", \"y\");", 16, &["a fix takes edits: set(…), add(…)"]);
    body("let x = tcp(99999);", 9, &["99999 is no port"]);
    body("let x = external(\"10.0.0.0/99\");", 9, &["\"10.0.0.0/99\" is no CIDR"]);
    body("let x = mesh.all(\"Deployment\").some(|c| c.spec);", 32, &["the test of a list must answer true or false"]);
}

#[test]
fn a_severity_above_that_of_the_header() {
    let advice = "`.severity()` only lowers, and the header says warning: write `severity: error` there";
    body("if false { report(d, \"x\").severity(\"error\"); }", 36, &[advice]);
}

#[test]
fn words_of_other_languages() {
    let missing = "there is no such value: ask with `.missing()`";
    for (code, column, advice) in [
        ("if d.spec.x == 1 and d.spec.y == 2 { }", 18, "`and` is written `&&`"),
        ("if d.spec.x == 1 or d.spec.y == 2 { }", 18, "`or` is written `||`"),
        ("if not d.spec.x.missing() { }", 4, "`not` is written `!`"),
        ("if d.spec.x == 1 { } elif d.spec.x == 2 { }", 22, "write `else if`"),
        ("if d.spec.x == null { }", 16, missing),
        ("if d.spec.x == None { }", 16, missing),
        ("if d.spec.x is null { }", 13, "`is` is written `==`"),
        ("if d.spec.x == 1 then { }", 18, "leave out `then`"),
        ("unless d.spec.x == 1 { }", 1, "`unless` is written `if !(…)`"),
        ("if d.spec.x = 1 { }", 13, "a comparison is written `==`"),
        ("if d.spec.x == 'a' { }", 16, "texts stand in double quotes"),
        ("if d.spec.x == 'ab' { }", 16, "texts stand in double quotes"),
        ("if d.spec.x == “ab” { }", 16, "curly quotes are none"),
        ("# a comment", 1, "a comment starts with `//`"),
    ] {
        body(code, column, &[advice]);
    }
}

#[test]
fn words_of_other_languages_are_keys_after_a_dot() {
    let s = shop();
    let code = "fn check(d, mesh) {
    let m = #{ or: 1, and: d.spec.not.or(1), unless: d.spec.null.then.unless.is };
    if m.or == 1 && m[\"and\"] == 1 && d.spec.None.missing() { report(d, `fine, and ${m.or} or 'none' # not null`); }
}";
    s.write("rules/own/keys.rhai", format!("{HEAD}{code}\n"));
    s.run("check a.yaml --rules rules --select own --format short").ends(0, &["fine, and 1 or 'none' # not null"]);
}

#[test]
fn calls_that_fit_nothing() {
    body("report(d);", 1, &["nothing answers `report (value)` here; write `report(value, message)`"]);
    body("mesh.hpa_of();", 6, &["write `mesh.hpa_of(workload)`"]);
    body(
        "let x = table(\"istio-annotations\").count();",
        36,
        &["a table answers only `.row(key)`, `.has(key)` and `.keys()`"],
    );
    body("let x = table(\"istio-anotations\");", 15, &["did you mean \"istio-annotations\"?"]);
    body("if mesh.services() { }", 8, &["true or false is needed here, and this is a list"]);
    body("if table(\"istio-annotations\") { }", 4, &["true or false is needed here, and this is a table"]);
    limit(
        "mesh.all(\"Pod\").filter(|p| mesh.find(\"Pod\", p.name(), d).exists());",
        "keep the list first, `let all = mesh.all(…);`",
    );
    body("let x = d.spec.replicas - 1;", 25, &["reckon with `.number()`"]);
}

#[test]
fn the_entry_point() {
    told("fn check(d) { }", (1, 1), &["the rule starts at `fn check(resource, mesh)`"]);
    told("fn chekc(d, mesh) { }", (2, 1), &["the rule starts at `fn check(resource, mesh)`"]);
    let once = HEAD.replace("Deployment", "Mesh");
    let (_, said) = with(&format!("{once}fn check(resource, mesh) {{ }}\n"));
    said.ends(2, &["the rule starts at `fn check(mesh)`"]);
}

#[test]
fn a_failing_rule_is_stopped_at_its_first_failure() {
    let s = shop();
    s.write(
        "rules/own/wrong.rhai",
        format!(
            "{HEAD}fn check(d, mesh) {{\n    if d.name() != \"a\" {{ let x = 1 / 0; }}\n    report(d, \"seen\");\n}}\n"
        ),
    );
    let text: String = (0..40).map(|i| super::scratch::deployment(&format!("w{i}"), 1) + "---\n").collect();
    s.write("a.yaml", super::scratch::deployment("a", 1) + "---\n" + &text);
    let flags = "--rules rules --select ops,own --format short --max-per-rule 0";
    let said = s.run(&format!("check a.yaml {flags}"));
    said.ends(2, &["rule own/wrong failed on Deployment shop/w0: Division by zero", "\"w39\" runs 1", "seen"]);
    assert_eq!(said.out.matches("failed on").count(), 1, "{said}");
    assert_eq!(said.out, s.run(&format!("check a.yaml {flags} --jobs 1")).out);
}

#[test]
fn a_library_that_is_wrong_is_told_at_its_place() {
    let s = shop();
    s.write("rules/lib/shared.rhai", "fn twice(x) {\n    x.tims(2)\n}\n");
    s.run("check a.yaml --rules rules --select ops --format short")
        .ends(2, &["rules/lib/shared.rhai:2:7: error:", "nothing answers `tims()`", "error[ops/replicas]"]);
    s.write("rules/lib/shared.rhai", "fn twice(x) {\n    1 / 0\n}\n");
    s.write("rules/own/wrong.rhai", format!("{HEAD}fn check(d, mesh) {{ twice(d) }}\n"));
    s.run("check a.yaml --rules rules --select ops,own --format short")
        .ends(2, &["rules/lib/shared.rhai:2:7: error: rule own/wrong failed", "error[ops/replicas]"]);
}

#[test]
fn headers_and_pages() {
    let code = "fn check(d, mesh) { }\n";
    for (rule, place, part) in [
        (HEAD.replace("checks:", "cheks:"), "3:5", "did you mean \"checks\"?"),
        (HEAD.replace("warning", "fatal"), "2:5", "fatal"),
        (HEAD.replace("Deployment", "Deplyment"), "3:5", "did you mean \"Deployment\"?"),
        (HEAD.replace("default: 2", "default: many"), "5:7", "many"),
        (
            HEAD.replace("type: number, default: 2", "type: duration, default: 20"),
            "5:7",
            "\"20\" is no duration; write 20s",
        ),
        (HEAD.replace("# title", "title"), "6:5", "it needs a title"),
        (HEAD.replace("//! ---\n//! # title", "//! # title"), "1:5", "a second `//! ---` is missing"),
        ("fn check(d, mesh) { }\n".to_string(), "1:1", "the file starts with a block of `//!` lines"),
        (HEAD.replace("checks: Deployment", "native: true"), "", "a native rule has no code"),
    ] {
        let s = shop();
        s.write("rules/own/wrong.rhai", format!("{rule}{code}"));
        let said = s.run("check a.yaml --rules rules --select ops --format short");
        said.ends(2, &[&format!("rules/own/wrong.rhai:{place}"), part, "error[ops/replicas]"]);
    }
    // A rule that can't be read is told although its name means nothing then.
    let (_, said) = with(HEAD);
    said.ends(2, &[]).complains(&["the code is missing:", "no rule, topic or alias is called \"own\""]);
}

#[test]
fn names_of_files() {
    let s = shop();
    let rule = format!("{HEAD}fn check(d, mesh) {{ }}\n");
    s.write("rules/own/Wrong_Name.rhai", &rule);
    let run = || s.run("check a.yaml --rules rules --select ops --format short");
    run().ends(2, &["topic and id are lower-case letters, digits and \"-\"", "error[ops/replicas]"]);
    std::fs::remove_file(s.path("rules/own/Wrong_Name.rhai")).unwrap();
    s.write("rules/own/replicas.rhai", &rule);
    run().ends(2, &["stands twice: rules/ops/replicas.rhai and rules/own/replicas.rhai"]);
}

#[test]
fn a_table_that_is_wrong_is_told_at_its_place() {
    let s = shop();
    s.write("rules/data/ports.yaml", "source: x\ndate: soon\nrows: {}\n");
    let run = || s.run("check a.yaml --rules rules --select ops --format short");
    run().ends(2, &["rules/data/ports.yaml:1:1: error:", "date \"soon\" is not written as 2026-11-22"]);
    s.write("rules/data/ports.yaml", "source: x\ndate: 2026-01-01\nrow: {}\n");
    run().ends(2, &["rules/data/ports.yaml:3:1: error:", "unknown field `row`"]);
}

#[test]
fn a_word_that_is_asked_with_a_dot() {
    body("missing(d.spec);", 1, &["`missing` is asked with a dot: `x.missing(…)`"]);
}

#[test]
fn a_product_with_a_value_that_is_not_there_is_not_there() {
    let s = shop();
    let code = "fn check(d, mesh) {
    if 1 > d.spec.nothing * 4 || 1 < 4 * d.spec.nothing { report(d, \"false\"); }
    if d.metadata.name.or(\"64Mi\") == \"x\" { report(d, \"false\"); }
    if d.spec.nothing.or(\"64Mi\") * 4 != \"256Mi\" { report(d, \"false\"); }
    if [\"cart\", \"web\"].closest(d.spec.nothing.or(\"crat\")) != \"cart\" { report(d, \"false\"); }
}";
    s.write("rules/own/product.rhai", format!("{HEAD}{code}\n"));
    s.run("check a.yaml --rules rules --select own --format short").ends(0, &["no errors or warnings"]);
}
