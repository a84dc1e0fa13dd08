//! Spans out of the JSON of a request, on either wire.

use serde_json::{Map, Value};

use super::observed::{FieldForm, ObservedSpan, Wire};
use crate::mapping::normal::SourceValue;

/// The spans of a body, on either wire. What is no span is passed over; a body without `resourceSpans` has none.
///
/// ```
/// use agentspan_model::agent365::contract::observed_spans;
/// use serde_json::json;
///
/// let body = json!({"resourceSpans": [{"scopeSpans": [{"spans": [{
///     "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7", "name": "chat",
///     "attributes": [{"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}}],
/// }]}]}]});
/// assert_eq!(observed_spans(&body)[0].name(), "chat");
/// ```
#[must_use]
pub fn observed_spans(body: &Value) -> Vec<ObservedSpan<'_>> {
    let resources = list(body, "resourceSpans");
    let scopes = resources.flat_map(|resource| list(resource, "scopeSpans"));
    let spans = scopes.flat_map(|scope| list(scope, "spans"));
    spans.filter_map(Value::as_object).map(span).collect()
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    let list = value.get(name).and_then(Value::as_array);
    list.into_iter().flatten()
}

fn span(json: &Map<String, Value>) -> ObservedSpan<'_> {
    let text = |name: &str| json.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut span = ObservedSpan::new(text("name"))
        .with_ids(text("traceId"), text("spanId"))
        .with_parent(text("parentSpanId"));
    span.start = json.get("startTimeUnixNano").and_then(time);
    span.end = json.get("endTimeUnixNano").and_then(time);
    span.kind = json.get("kind").and_then(form);
    let status = json.get("status");
    span.status = status.and_then(|status| form(status.get("code")?));
    match json.get("attributes") {
        Some(Value::Array(attributes)) => {
            span.wire = Some(Wire::Standard);
            for attribute in attributes {
                let key = attribute.get("key").and_then(Value::as_str);
                let value = attribute.get("value").and_then(Value::as_object);
                if let (Some(key), Some(value)) = (key, value) {
                    span.attribute(key, standard_value(value));
                }
            }
        }
        Some(Value::Object(attributes)) => {
            span.wire = Some(Wire::Flat);
            for (key, value) in attributes {
                span.attribute(key, flat_value(value));
            }
        }
        _ => {}
    }
    span
}

/// A number, or its digits.
fn time(value: &Value) -> Option<u64> {
    let of_text = || value.as_str()?.parse().ok();
    value.as_u64().or_else(of_text)
}

fn form(value: &Value) -> Option<FieldForm> {
    match value {
        Value::String(_) => Some(FieldForm::Name),
        Value::Number(_) => Some(FieldForm::Number),
        _ => None,
    }
}

fn standard_value(value: &Map<String, Value>) -> SourceValue<'_> {
    let Some((kind, value)) = value.iter().next() else {
        return SourceValue::Other;
    };
    let number = || value.as_i64().or_else(|| value.as_str()?.parse().ok());
    match kind.as_str() {
        "intValue" => number().map_or(SourceValue::Other, SourceValue::I64),
        "arrayValue" => {
            let texts = list(value, "values").map(|item| item.get("stringValue")?.as_str());
            let texts: Option<Vec<_>> = texts.collect();
            texts.map_or(SourceValue::Other, SourceValue::Texts)
        }
        "stringValue" | "boolValue" | "doubleValue" => flat_value(value),
        _ => SourceValue::Other,
    }
}

fn flat_value(value: &Value) -> SourceValue<'_> {
    match value {
        Value::String(text) => SourceValue::Text(text),
        Value::Bool(truth) => SourceValue::Bool(*truth),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => SourceValue::I64(whole),
            None => number.as_f64().map_or(SourceValue::Other, SourceValue::F64),
        },
        Value::Array(items) => {
            let texts: Option<Vec<_>> = items.iter().map(Value::as_str).collect();
            texts.map_or(SourceValue::Other, SourceValue::Texts)
        }
        Value::Null | Value::Object(_) => SourceValue::Other,
    }
}
