//! Which files are run, what counts as a failure, and how it is printed.

use conformance::{Deviations, Suite};

use crate::scratch::{Echo, Scratch, echo, file, printed};

#[track_caller]
fn check(directory: &Scratch, success: bool, text: &str) {
    let rules = Deviations::parse("").unwrap();
    let suite = Suite::new(vec![Box::new(Echo(&[]))], &rules).unwrap();
    let report = suite.run(directory.path()).unwrap();
    assert_eq!(printed(&report), text);
    assert_eq!(report.is_success(), success);
}

const GOOD: &str = r#"{"name":"good","input":1,"expected":1}"#;

#[test]
fn files_without_a_runner_are_listed_and_do_no_harm() {
    let directory = Scratch::new()
        .with("echo.json", &file(&[GOOD]))
        .with("later.json", "{}")
        .with("lines.jsonl", "{}\n{}\n")
        .with("README.md", "not listed");
    check(
        &directory,
        true,
        "echo.json: 1 passed, 0 failed, 0 deviates\n\
         later.json: no runner yet\n\
         lines.jsonl: no runner yet\n\
         0 of the passed cases deviate by rule\n\
         1 passed, 0 failed\n",
    );
}

#[test]
fn a_file_that_holds_no_json_is_a_failure() {
    let directory = Scratch::new()
        .with("echo.json", &file(&[GOOD]))
        .with("empty.json", "")
        .with("broken.jsonl", "{}\n{");
    check(
        &directory,
        false,
        "broken.jsonl: cannot be run: EOF while parsing an object at line 2 column 1\n\
         echo.json: 1 passed, 0 failed, 0 deviates\n\
         empty.json: cannot be run: the file is empty\n\
         0 of the passed cases deviate by rule\n\
         1 passed, 2 failed\n",
    );
}

#[test]
fn running_nothing_is_no_success() {
    check(
        &Scratch::new(),
        false,
        "nothing was run\n0 of the passed cases deviate by rule\n0 passed, 0 failed\n",
    );
    check(
        &Scratch::new().with("echo.json", &file(&[])),
        false,
        "echo.json: cannot be run: the file has no cases\n\
         0 of the passed cases deviate by rule\n\
         0 passed, 1 failed\n",
    );
}

#[test]
fn a_missing_directory_is_named() {
    let suite = Suite::new(Vec::new(), &Deviations::parse("").unwrap()).unwrap();
    let error = suite.run("no/such/directory".as_ref()).unwrap_err();
    assert_eq!(error.to_string(), "cannot list no/such/directory");
}

#[test]
fn a_case_that_fails_panics_or_is_malformed_does_not_hide_the_others() {
    let report = echo(
        &[],
        "",
        &[
            r#"{"name":"wrong","input":{"a":[1,2]},"expected":{"a":[1,3]}}"#,
            r#"{"name":"panics","input":"panic","expected":"panic"}"#,
            r#"{"name":"odd","input":1,"expected":1,"only_if":true}"#,
            GOOD,
        ],
    );
    assert!(!report.is_success());
    let text = printed(&report);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "echo.json: 1 passed, 3 failed, 0 deviates");
    assert_eq!(lines[1], "  failed: wrong");
    assert_eq!(lines[2], "    a[1]: expected 3, found 2");
    assert_eq!(lines[3], "  failed: panics");
    assert!(lines[4].starts_with("    panicked: "), "{text}");
    assert_eq!(lines[5], "  failed: number 2", "{text}");
    assert!(lines[6].contains("unknown field `only_if`"), "{text}");
    assert_eq!(lines.last(), Some(&"1 passed, 3 failed"));
}
