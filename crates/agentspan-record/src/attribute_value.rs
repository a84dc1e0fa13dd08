//! The values of a mapping as OpenTelemetry has them.

use agentspan_model::agent365::{json_array_text, json_object_text};
use agentspan_model::attribute::{AttributeValue, Key};
use agentspan_queue::contain;
use opentelemetry::{Array, KeyValue, StringValue, Value};

/// The value for OpenTelemetry. None for a kind of value that the model has learnt and this crate
/// has not.
#[must_use]
pub fn to_value(key: impl Into<Key>, value: AttributeValue<'_>) -> Option<Value> {
    Some(match value {
        AttributeValue::Str(text) => text.to_owned().into(),
        AttributeValue::Static(text) => text.into(),
        AttributeValue::I64(number) => number.into(),
        AttributeValue::F64(number) => number.into(),
        AttributeValue::Bool(flag) => flag.into(),
        // Not `to_string`, which makes room for the longest number, so that the text is moved once
        // more.
        AttributeValue::DecimalText(number) => itoa::Buffer::new().format(number).to_owned().into(),
        AttributeValue::JsonArrayText(texts) => json_array_text(texts).into(),
        AttributeValue::JsonArrayOfStrs(texts) => json_array_text(texts).into(),
        AttributeValue::JsonObjectText(object) => json_object_text(object).into(),
        AttributeValue::InputMessages(messages) => messages.to_json_text().into(),
        AttributeValue::OutputMessages(messages) => messages.to_json_text().into(),
        AttributeValue::StrList(texts) => {
            let texts = texts
                .iter()
                .map(|text| StringValue::from((*text).to_owned()));
            Value::Array(Array::String(texts.collect()))
        }
        _ => {
            unknown_value(key.into());
            return None;
        }
    })
}

/// Puts an attribute into a list.
///
/// Texts, which most values are, are not moved around on their way: what was just written in
/// pieces, and is then read as a whole, makes the processor wait.
#[inline]
pub fn push_attribute(
    attributes: &mut Vec<KeyValue>,
    key: &'static str,
    value: AttributeValue<'_>,
) {
    match value {
        AttributeValue::Str(text) => attributes.push(KeyValue::new(key, text.to_owned())),
        AttributeValue::Static(text) => attributes.push(KeyValue::new(key, text)),
        other => attributes.extend(to_value(key, other).map(|value| KeyValue::new(key, value))),
    }
}

#[cold]
fn unknown_value(key: Key) {
    contain::log(|| {
        tracing::error!(
            target: "agentspan::record::attribute",
            key = %key,
            "attribute left out: its kind of value is newer than this version"
        );
    });
}
