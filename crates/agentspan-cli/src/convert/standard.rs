//! Writes requests to Agent 365 in OTLP's JSON with every value as a string, as `Profile::Direct`
//! sends them.

use serde_json::{Map, Value, json};

use super::otlp::KINDS;

/// A body of the flat form in the standard one.
pub(super) fn body(mut flat: Value) -> Value {
    let resources = flat.get_mut("resourceSpans").and_then(Value::as_array_mut);
    for resource in resources.into_iter().flatten() {
        if let Some(attributes) = resource.pointer_mut("/resource/attributes") {
            *attributes = pairs(attributes);
        }
        let scopes = resource.get_mut("scopeSpans").and_then(Value::as_array_mut);
        for scope in scopes.into_iter().flatten() {
            if let Some(scope) = scope.get_mut("scope").and_then(Value::as_object_mut) {
                scope.retain(|_, value| !value.is_null());
            }
            let spans = scope.get_mut("spans").and_then(Value::as_array_mut);
            spans.into_iter().flatten().for_each(standard_span);
        }
    }
    flat
}

/// Leaves out the members for the parent, events and links of a span that has none.
fn standard_span(span: &mut Value) {
    let kind = span["kind"].as_str().unwrap_or_default();
    let kind = KINDS.iter().position(|known| *known == kind);
    span["kind"] = json!(kind.unwrap_or_default());
    for name in ["startTimeUnixNano", "endTimeUnixNano"] {
        span[name] = digits(&span[name]);
    }
    for name in ["events", "links"] {
        let items = span[name].as_array_mut();
        for item in items.into_iter().flatten() {
            if let Some(time) = item.get_mut("timeUnixNano") {
                *time = digits(time);
            }
            write_pairs(item);
        }
    }
    write_pairs(span);
    span["status"] = status(&span["status"]);
    if let Some(members) = span.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
}

/// Attributes as a list, or no member where there are none.
fn write_pairs(holder: &mut Value) {
    let Some(members) = holder.as_object_mut() else {
        return;
    };
    let pairs = members.get("attributes").map_or(Value::Null, pairs);
    match pairs.as_array().is_some_and(|pairs| !pairs.is_empty()) {
        true => members.insert("attributes".to_owned(), pairs),
        false => members.remove("attributes"),
    };
}

fn pairs(attributes: &Value) -> Value {
    let empty = Map::new();
    let members = attributes.as_object().unwrap_or(&empty).iter();
    let members = members.filter(|(_, value)| !value.is_null());
    members
        .map(|(key, value)| json!({"key": key, "value": {"stringValue": text(value)}}))
        .collect()
}

/// Texts as they are, and anything else as JSON writes it.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Numbers of 64 bits are texts in OTLP's JSON.
fn digits(time: &Value) -> Value {
    match time {
        Value::Null => "0".into(),
        time => text(time).into(),
    }
}

/// None that was not set.
fn status(status: &Value) -> Value {
    match status["code"].as_str() {
        Some("OK") => json!({"code": 1}),
        Some("ERROR") => json!({"code": 2, "message": text(&status["message"])}),
        _ => Value::Null,
    }
}
