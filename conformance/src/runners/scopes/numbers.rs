//! Numbers that Python keeps as they are, and our types do not.

use agentspan_model::keys;
use serde_json::json;

use super::Input;
use super::deviation::each_value;
use crate::runners::exports::float;
use crate::{Case, Json};

/// Writes the scores of findings as floats, of which type ours are, if the input has integers there.
pub(super) fn write_scores_as_floats(case: &Case, expected: &mut Json) {
    let Ok(input) = case.input::<Input>() else {
        return;
    };
    let actions = input.scopes.iter().flat_map(|scope| &scope.actions);
    let findings = actions.filter(|action| action.op.as_deref() == Some("record_finding"));
    let mut scores = findings.filter_map(|action| action.args.first()?.get("risk_score"));
    if !scores.any(serde_json::Value::is_i64) {
        return;
    }
    each_value(
        expected,
        keys::MICROSOFT_SECURITY_RISK_SCORE,
        &mut |value| {
            let Some(Json::Number(score)) = value.member("int") else {
                return;
            };
            if let Ok(score) = score.to_string().parse::<f64>() {
                *value = json!({ "double": score }).into();
            }
        },
    );
}

/// Writes the integers of the input that 64 bits do not hold as the floats that they become where JSON is read.
pub(super) fn write_wide_integers_as_floats(case: &Case, expected: &mut Json) {
    let mut wide = Vec::new();
    if let Ok(input) = case.input_json() {
        wide_integers(&input, &mut wide);
    }
    for digits in wide {
        if let Ok(number) = digits.parse() {
            replace_digits(expected, &digits, &float(number));
        }
    }
}

fn wide_integers(json: &Json, found: &mut Vec<String>) {
    match json {
        Json::Number(number) => {
            let digits = number.to_string();
            let is_integer = digits
                .bytes()
                .all(|byte| byte == b'-' || byte.is_ascii_digit());
            let is_held = digits.parse::<i64>().is_ok() || digits.parse::<u64>().is_ok();
            if is_integer && !is_held && !found.contains(&digits) {
                found.push(digits);
            }
        }
        Json::Array(items) => items.iter().for_each(|item| wide_integers(item, found)),
        Json::Object(members) => {
            for (_, value) in members {
                wide_integers(value, found);
            }
        }
        Json::Null | Json::Bool(_) | Json::String(_) => {}
    }
}

/// Replaces a number in all texts, where it stands alone.
fn replace_digits(json: &mut Json, digits: &str, by: &str) {
    match json {
        Json::String(text) => {
            let mut written = String::new();
            let mut rest = text.as_str();
            while let Some(at) = rest.find(digits) {
                let (before, found) = rest.split_at(at);
                let after = &found[digits.len()..];
                let belongs = |c: char| c.is_ascii_digit() || "-+.eE".contains(c);
                let stands_alone = !before.ends_with(belongs) && !after.starts_with(belongs);
                written.push_str(before);
                written.push_str(if stands_alone { by } else { digits });
                rest = after;
            }
            written.push_str(rest);
            *text = written;
        }
        Json::Array(items) => items
            .iter_mut()
            .for_each(|item| replace_digits(item, digits, by)),
        Json::Object(members) => {
            for (_, value) in members {
                replace_digits(value, digits, by);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}
