//! Texts that are Python's form of an object: they are kept as they are.

use serde_json::Value;

use super::Scenario;
use super::asked::{facts, plain};
use crate::{Case, Json, Predicate};

/// The outcome of such a fact.
pub(super) const KEPT: &str = "in a text of Python";

/// A source that has no JSON for what it was given writes what Python's `repr` makes of it into a text.
pub(super) const KEPT_IN_PYTHON_TEXT: Predicate = Predicate {
    name: "said_in_a_text_of_python_only",
    applies: |case| {
        case.input()
            .is_ok_and(|scenario: Scenario| !kept(&scenario).is_empty())
    },
    instead: |case: &Case, expected: &mut Json| {
        let Ok(scenario) = case.input::<Scenario>() else {
            return;
        };
        for path in kept(&scenario) {
            if let (Some(outcome), Ok(kept)) = (expected.member_mut(&path), Json::of(&KEPT)) {
                *outcome = kept;
            }
        }
    },
};

/// The paths of facts whose values occur in texts of Python, and nowhere else in the attributes.
fn kept(scenario: &Scenario) -> Vec<String> {
    let texts = texts_of(scenario);
    let (python, others): (Vec<_>, Vec<_>) = texts.iter().partition(|text| is_python_text(text));
    let occurs = |texts: &[&String], said: &str| texts.iter().any(|text| text.contains(said));
    let facts = facts(&scenario.facts, &scenario.not_in_spans);
    let kept = facts.iter().filter(|fact| {
        let said = plain(&fact.value);
        !fact.is_told_by_absence() && occurs(&python, &said) && !occurs(&others, &said)
    });
    kept.map(|fact| fact.path()).collect()
}

/// All texts in the attributes of a scenario's spans.
pub(super) fn texts_of(scenario: &Scenario) -> Vec<String> {
    let mut texts = Vec::new();
    for attribute in scenario.spans.iter().flat_map(|span| &span.attributes) {
        collect(&attribute.value, &mut texts);
    }
    texts
}

/// All texts, of JSON in texts as well.
fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => match serde_json::from_str(text) {
            Ok(inner @ (Value::Object(_) | Value::Array(_))) => collect(&inner, texts),
            _ => texts.push(text.clone()),
        },
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(members) => members.values().for_each(|value| collect(value, texts)),
        value => texts.push(value.to_string()),
    }
}

/// `{'id': None}`, `[Part(text='a')]`, `Call(arguments='{}')`.
pub(super) fn is_python_text(text: &str) -> bool {
    let is_dict = text.starts_with("{'") || text.starts_with("[{'");
    let class = text.trim_start_matches('[');
    let is_call = class.split_once('(').is_some_and(|(name, rest)| {
        name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && rest.contains('=')
            && rest.trim_end_matches(']').ends_with(')')
    });
    is_dict || is_call
}
