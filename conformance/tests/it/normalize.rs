//! Outcomes are compared in the form that the runner gives them.

use conformance::{Case, Deviations, Failure, Json, Outcome, Runner, Suite, Tolerances};

use crate::scratch::{Scratch, file, printed};

/// Answers with the input, and compares texts as the JSON in them.
struct Body;

impl Runner for Body {
    fn file_stem(&self) -> &'static str {
        "body"
    }

    fn run(&self, case: &Case) -> Outcome {
        case.input_json()
    }

    fn normalize(&self, outcome: &mut Json) -> Result<(), Failure> {
        let text = outcome.as_str().ok_or("the body is no text")?;
        *outcome = Json::parse(text)?;
        Ok(())
    }

    fn tolerances(&self) -> Tolerances {
        Tolerances {
            unordered: &["set"],
            ..Tolerances::default()
        }
    }
}

#[track_caller]
fn check(expected: &str, found: &str, line: &str) {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let case = format!(
        r#"{{"name":"c","input":{},"expected":{}}}"#,
        text(found),
        text(expected)
    );
    let directory = Scratch::new().with("body.json", &file(&[&case]));
    let rules = Deviations::parse("").unwrap();
    let suite = Suite::new(vec![Box::new(Body)], &rules).unwrap();
    let report = printed(&suite.run(directory.path()).unwrap());
    assert!(report.lines().any(|found| found == line), "{report}");
}

#[test]
fn json_in_a_text_is_compared_as_json() {
    check(
        r#"{"a": 1, "set": {"x": 1, "y": 2}}"#,
        r#"{"a":1,"set":{"y":2,"x":1}}"#,
        "1 passed, 0 failed",
    );
    check(r#"{"a":1}"#, r#"{"a":2}"#, "    a: expected 1, found 2");
    check(
        r#"{"a":1,"b":2}"#,
        r#"{"b":2,"a":1}"#,
        "    .: expected members in the order a, b, found the order b, a",
    );
}

#[test]
fn an_outcome_without_its_form_fails() {
    check(
        "{}",
        "{",
        "    the runner does not understand the JSON: EOF while parsing an object at line 1 column 1",
    );
}
