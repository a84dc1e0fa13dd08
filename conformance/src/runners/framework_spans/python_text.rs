//! Texts that are Python's form of an object: they are kept as they are.

use serde_json::Value;

use super::Scenario;
use super::asked::{facts, plain};

/// The outcome of such a fact.
pub(super) const KEPT: &str = "in a text of Python";

/// Whether something is said in texts of Python, and nowhere else in the attributes.
pub(super) fn is_kept(scenario: &Scenario) -> bool {
    let texts = texts_of(scenario);
    let (python, others): (Vec<_>, Vec<_>) = texts.iter().partition(|text| is_python_text(text));
    let occurs = |texts: &[&String], said: &str| texts.iter().any(|text| text.contains(said));
    facts(&scenario.facts, &scenario.not_in_spans)
        .iter()
        .any(|fact| {
            let said = plain(&fact.value);
            !fact.is_told_by_absence() && occurs(&python, &said) && !occurs(&others, &said)
        })
}

/// Whether the id of an answer occurs as a part of other ids only. `not_in_spans` looks for texts: an answer
/// `resp-1` seems to be in a span that has its message `msg_resp-1`.
pub(super) fn has_part_of_id(scenario: &Scenario) -> bool {
    let texts = texts_of(scenario);
    let is_part = |id: &str| {
        let mut places = texts.iter().flat_map(|text| {
            let places = text.match_indices(id);
            places.map(|(at, _)| text[..at].chars().next_back())
        });
        places.all(|before| before.is_some_and(|c| c.is_alphanumeric() || c == '_'))
    };
    let facts = facts(&scenario.facts, &scenario.not_in_spans);
    let mut ids = facts.iter().filter(|fact| fact.name() == "response_id");
    ids.any(|fact| is_part(&plain(&fact.value)))
}

/// All texts in the attributes of a scenario's spans.
fn texts_of(scenario: &Scenario) -> Vec<String> {
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
