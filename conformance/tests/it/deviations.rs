//! A deviating case is held to its rule as strictly as another to the reference.

use conformance::{Allowance, Case, Deviations, Json, Outcome, Predicate, Runner, Suite};

use crate::scratch::{Echo, Scratch, echo, file, printed};

const RULE: &str = r#"
    [[rule]]
    id = "odd-becomes-zero"
    files = ["echo"]
    predicate = "odd"
    instead = "zero"
    reason = "for the test"
"#;

/// "We answer 1 where the reference answered something else": applies to the input 1.
const ODD: &[Predicate] = &[Predicate {
    name: "odd",
    applies: |case| case.input::<u8>().is_ok_and(|input| input == 1),
    instead: |_, expected| *expected = Json::parse("1").unwrap_or(Json::Null),
}];

#[track_caller]
fn check(case: &str, success: bool, text: &str) {
    let report = echo(ODD, RULE, &[case]);
    assert_eq!(printed(&report), text);
    assert_eq!(report.is_success(), success);
}

#[test]
fn a_case_that_does_what_its_rule_says_deviates() {
    check(
        r#"{"name":"c","input":1,"expected":7}"#,
        true,
        "echo.json: 0 passed, 0 failed, 1 deviates\n\
         rule odd-becomes-zero: 1 cases\n\
         1 of the passed cases deviate by rule\n\
         1 passed, 0 failed\n",
    );
}

#[test]
fn a_case_without_the_property_is_not_excused() {
    check(
        r#"{"name":"c","input":2,"expected":7}"#,
        false,
        "echo.json: 0 passed, 1 failed, 0 deviates\n  failed: c\n    .: expected 7, found 2\n\
         0 of the passed cases deviate by rule\n0 passed, 1 failed\n",
    );
}

#[test]
fn a_rule_that_asks_for_what_the_reference_did_fails() {
    check(
        r#"{"name":"c","input":1,"expected":1}"#,
        false,
        "echo.json: 0 passed, 1 failed, 0 deviates\n  failed: c\n    \
         rule odd-becomes-zero applies, and asks for nothing else than was expected without it\n\
         0 of the passed cases deviate by rule\n0 passed, 1 failed\n",
    );
}

/// A rule about the input 1 that expects what we do not do.
const WRONG: &[Predicate] = &[Predicate {
    name: "odd",
    applies: |case| case.input::<u8>().is_ok_and(|input| input == 1),
    instead: |_, expected| *expected = Json::parse("0").unwrap_or(Json::Null),
}];

#[test]
fn a_rule_that_is_not_kept_fails() {
    let report = echo(WRONG, RULE, &[r#"{"name":"c","input":1,"expected":7}"#]);
    let text = printed(&report);
    assert!(
        text.contains(
            "    rule odd-becomes-zero applies, but we do something else\n    \
             .: expected 0, found 1\n"
        ),
        "{text}"
    );
}

#[test]
fn a_rule_where_we_do_as_the_reference_fails() {
    let report = echo(WRONG, RULE, &[r#"{"name":"c","input":1,"expected":1}"#]);
    let text = printed(&report);
    assert!(
        text.contains("rule odd-becomes-zero applies, but we do as the reference does"),
        "{text}"
    );
    assert!(!report.is_success());
}

#[track_caller]
fn check_refused(predicates: &'static [Predicate], rules: &str, message: &str) {
    let error = match Deviations::parse(rules) {
        Err(error) => error,
        Ok(rules) => Suite::new(vec![Box::new(Echo(predicates))], &rules)
            .err()
            .unwrap(),
    };
    assert_eq!(error.to_string(), message);
}

#[test]
fn rules_and_predicates_come_in_pairs() {
    check_refused(
        ODD,
        "",
        r#"no rule gives a reason for predicate "odd" of echo"#,
    );
    check_refused(
        &[],
        RULE,
        r#"rule "odd-becomes-zero" names predicate "odd", which the runner of echo does not have"#,
    );
    check_refused(
        ODD,
        &RULE.replace(r#"["echo"]"#, r#"["echo", "ecko"]"#),
        r#"rule "odd-becomes-zero" is about ecko, which no runner runs"#,
    );
}

#[test]
fn a_rule_says_why_and_is_alone_with_its_id() {
    check_refused(
        ODD,
        &RULE.replace("for the test", " "),
        r#"rule "odd-becomes-zero" has no reason or no alternative"#,
    );
    check_refused(
        ODD,
        &format!("{RULE}{RULE}"),
        r#"there are two rules "odd-becomes-zero""#,
    );
    check_refused(
        ODD,
        &RULE.replace("reason", "because"),
        "cannot read the deviations",
    );
}

/// Answers with the input, and may differ from the reference at `free` if `is_odd` is true.
struct Free;

impl Runner for Free {
    fn file_stem(&self) -> &'static str {
        "echo"
    }

    fn run(&self, case: &Case) -> Outcome {
        case.input_json()
    }

    fn allowances(&self) -> Vec<Allowance> {
        vec![Allowance {
            name: "odd",
            applies: |case| {
                let input = case.input_json();
                input.is_ok_and(|input| input.member("is_odd") == Some(&Json::Bool(true)))
            },
            places: &["free"],
        }]
    }
}

#[track_caller]
fn check_allowed(input: &str, expected: &str, lines: &[&str]) {
    let case = format!(r#"{{"name":"c","input":{input},"expected":{expected}}}"#);
    let directory = Scratch::new().with("echo.json", &file(&[&case]));
    let rules = Deviations::parse(RULE).unwrap();
    let suite = Suite::new(vec![Box::new(Free)], &rules).unwrap();
    let text = printed(&suite.run(directory.path()).unwrap());
    for line in lines {
        assert!(text.lines().any(|found| found.trim() == *line), "{text}");
    }
}

#[test]
fn a_difference_is_allowed_in_its_place_and_said_to_be_new() {
    check_allowed(
        r#"{"is_odd":true,"free":{"a":[1]}}"#,
        r#"{"is_odd":true,"free":{"a":[2]}}"#,
        &[
            "echo.json: 0 passed, 0 failed, 1 deviates",
            "1 with differences that are not reviewed",
            "rule odd-becomes-zero: 1 cases",
        ],
    );
}

#[test]
fn a_difference_beside_the_place_or_without_the_property_fails() {
    check_allowed(
        r#"{"is_odd":true,"free":1,"other":1}"#,
        r#"{"is_odd":true,"free":2,"other":2}"#,
        &[
            "rule odd-becomes-zero applies, but we do something else",
            "other: expected 2, found 1",
            "0 passed, 1 failed",
        ],
    );
    check_allowed(
        r#"{"is_odd":false,"free":1}"#,
        r#"{"is_odd":false,"free":2}"#,
        &["free: expected 2, found 1", "0 passed, 1 failed"],
    );
}

#[test]
fn a_case_that_does_as_the_reference_meets_no_allowance() {
    let same = r#"{"is_odd":true,"free":1}"#;
    check_allowed(same, same, &["echo.json: 1 passed, 0 failed, 0 deviates"]);
}
