//! Reads spans from the JSON of a request, in both wire formats.

use serde_json::{Map, Value};

use super::observed::{FieldForm, ObservedSpan, Wire};
use crate::mapping::normal::SourceValue;

/// The spans of a body, in both wire formats. Other values than spans are skipped; a body without
/// `resourceSpans` has none.
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
    spans.filter_map(observed_span).collect()
}

/// One span of a body, in both wire formats. `None` for JSON that is not an object.
#[must_use]
pub fn observed_span(span: &Value) -> Option<ObservedSpan<'_>> {
    span.as_object().map(of_members)
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    let list = value.get(name).and_then(Value::as_array);
    list.into_iter().flatten()
}

fn of_members(json: &Map<String, Value>) -> ObservedSpan<'_> {
    let text = |name: &str| json.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut span = ObservedSpan::new(text("name"))
        .with_ids(text("traceId"), text("spanId"))
        .with_parent(text("parentSpanId"));
    span.start = json.get("startTimeUnixNano").and_then(time);
    span.end = json.get("endTimeUnixNano").and_then(time);
    span.kind = json.get("kind").and_then(form);
    let code = json.get("status").and_then(|status| status.get("code"));
    span.status = code.and_then(form);
    span.is_error = code.is_some_and(is_error);
    match json.get("attributes") {
        Some(Value::Array(attributes)) => {
            span.wire = Some(Wire::Standard);
            for attribute in attributes {
                let key = attribute.get("key").and_then(Value::as_str);
                let value = attribute.get("value").and_then(Value::as_object);
                if let (Some(key), Some(value)) = (key, value) {
                    span.attribute(key, SourceValue::of_any_value(value));
                }
            }
        }
        Some(Value::Object(attributes)) => {
            span.wire = Some(Wire::Flat);
            for (key, value) in attributes {
                span.attribute(key, SourceValue::of_json(value));
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

/// `ERROR` on the flat wire, 2 on the standard one, and the name of that number in the JSON of protobuf.
fn is_error(code: &Value) -> bool {
    match code {
        Value::String(name) => matches!(name.as_str(), "ERROR" | "STATUS_CODE_ERROR"),
        code => code.as_u64() == Some(2),
    }
}

fn form(value: &Value) -> Option<FieldForm> {
    match value {
        Value::String(_) => Some(FieldForm::Name),
        Value::Number(_) => Some(FieldForm::Number),
        _ => None,
    }
}
