//! Attributes of a mapping as OpenTelemetry has them, and back.

use agentspan_model::agent365::json_array_text;
use agentspan_model::attribute::{AttributeValue, Key, KeyVisitor};
use opentelemetry::{Array, KeyValue, StringValue, Value};

/// Collects what a mapping shows.
#[derive(Debug, Default)]
pub(crate) struct Attributes(pub(crate) Vec<KeyValue>);

impl KeyVisitor for Attributes {
    fn visit_key(&mut self, key: Key, value: AttributeValue<'_>) {
        let Some(value) = to_value(value) else {
            return;
        };
        let attribute = match key {
            Key::Static(key) => KeyValue::new(key, value),
            key => KeyValue::new(key.to_string(), value),
        };
        self.0.push(attribute);
    }
}

/// `None` for a kind of value that the model has learnt and this crate has not.
fn to_value(value: AttributeValue<'_>) -> Option<Value> {
    Some(match value {
        AttributeValue::Static(text) => text.into(),
        AttributeValue::Str(text) => text.to_owned().into(),
        AttributeValue::I64(number) => number.into(),
        AttributeValue::F64(number) => number.into(),
        AttributeValue::Bool(truth) => truth.into(),
        AttributeValue::DecimalText(number) => number.to_string().into(),
        AttributeValue::JsonArrayText(texts) => json_array_text(texts).into(),
        AttributeValue::StrList(texts) => {
            let texts = texts
                .iter()
                .map(|text| StringValue::from((*text).to_owned()));
            Value::Array(Array::String(texts.collect()))
        }
        _ => return None,
    })
}

/// `None` for lists: no attribute of Agent Spec is one.
pub(crate) fn from_value(value: &Value) -> Option<AttributeValue<'_>> {
    Some(match value {
        Value::String(text) => AttributeValue::Str(text.as_str()),
        Value::I64(number) => AttributeValue::I64(*number),
        Value::F64(number) => AttributeValue::F64(*number),
        Value::Bool(truth) => AttributeValue::Bool(*truth),
        _ => return None,
    })
}
