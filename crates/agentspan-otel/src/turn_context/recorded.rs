//! Maps a turn to attributes of the span of an invocation.

use agentspan_model::agent365::{Profile, TurnRules};
use opentelemetry::{Array, KeyValue, StringValue, Value as Attribute};
use serde_json::Value;

use super::TurnContext;
use super::hosting::{Said, entries};
use super::pairs::turn_context_pairs;

/// The attributes of a turn, in order. What has no form as an attribute is left out.
pub(crate) fn turn_attributes(turn: &TurnContext, profile: Profile) -> Vec<KeyValue> {
    let turn = turn.to_json();
    match profile.turn_rules() {
        TurnRules::Core => {
            let pairs = turn_context_pairs(&turn).into_iter();
            let pairs =
                pairs.filter_map(|(key, value)| Some(KeyValue::new(key, attribute(&value)?)));
            pairs.collect()
        }
        _ => {
            let entries = entries(&turn).into_iter();
            let pairs = entries.filter_map(|(entry, said)| {
                Some(KeyValue::new(entry.key(profile)?, said.to_attribute()?))
            });
            pairs.collect()
        }
    }
}

impl Said<'_> {
    pub(super) fn to_attribute(&self) -> Option<Attribute> {
        match self {
            Self::Text(text) => Some((*text).to_owned().into()),
            Self::Product(product) => attribute(product),
        }
    }
}

/// A value of JSON as that of an attribute, which is neither null nor an object, nor a list of
/// values of several kinds.
fn attribute(value: &Value) -> Option<Attribute> {
    Some(match value {
        Value::Null | Value::Object(_) => return None,
        Value::Bool(value) => (*value).into(),
        Value::Number(number) if number.is_f64() => number.as_f64()?.into(),
        Value::Number(number) => number.as_i64()?.into(),
        Value::String(text) => text.clone().into(),
        Value::Array(items) => Attribute::Array(array(items)?),
    })
}

fn array(items: &[Value]) -> Option<Array> {
    let float = |item: &Value| item.as_f64().filter(|_| item.is_f64());
    let text = |item: &Value| Some(StringValue::from(item.as_str()?.to_owned()));
    all(items, text)
        .map(Array::String)
        .or_else(|| all(items, Value::as_bool).map(Array::Bool))
        .or_else(|| all(items, Value::as_i64).map(Array::I64))
        .or_else(|| all(items, float).map(Array::F64))
}

/// All items as values of one kind.
fn all<T>(items: &[Value], value: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    items.iter().map(value).collect()
}
