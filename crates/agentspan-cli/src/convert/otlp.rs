//! Writes spans of any source in OTLP's JSON:
//! <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::group::Group;
use crate::reading::{Attributes, Reading, attributes};
use crate::span::{Form, Span};

/// A request with these spans. Those that came together stay together.
pub(crate) fn request(spans: &[&Span]) -> Value {
    let mut groups: Vec<(&Arc<Group>, Vec<Value>)> = Vec::new();
    for span in spans {
        let place = groups
            .iter()
            .rposition(|(group, _)| Arc::ptr_eq(group, &span.group));
        match place.and_then(|place| groups.get_mut(place)) {
            Some((_, spans)) => spans.push(of_span(span)),
            None => groups.push((&span.group, vec![of_span(span)])),
        }
    }
    let groups = groups.into_iter().map(|(group, spans)| {
        let scope = json!({"scope": scope(&group.scope), "spans": spans});
        json!({"resource": scope_or_resource(&group.resource), "scopeSpans": [scope]})
    });
    json!({"resourceSpans": groups.collect::<Vec<_>>()})
}

fn scope(scope: &Value) -> Value {
    scope_or_resource(scope)
}

/// Converts a resource or a scope: null becomes an empty object, and the attributes become a list.
fn scope_or_resource(value: &Value) -> Value {
    let mut members = value.as_object().cloned().unwrap_or_default();
    if let Some(found) = members.get("attributes") {
        let pairs = pairs(&attributes(Some(found)), found.is_array().then_some(found));
        members.insert("attributes".to_owned(), pairs);
    }
    Value::Object(members)
}

fn of_span(span: &Span) -> Value {
    let json = span.value();
    if span.form != Form::Agent365 && json.get("attributes").is_none_or(Value::is_array) {
        // It is OTLP already, with members that we need not know.
        return json;
    }
    let reading = Reading::of(&json);
    let time = |name: &str| digits(json.get(name));
    let events = json.get("events").and_then(Value::as_array);
    let events = events.into_iter().flatten().map(|event| {
        json!({
            "timeUnixNano": digits(event.get("timeUnixNano")),
            "name": event.get("name"),
            "attributes": pairs(&attributes(event.get("attributes")), None),
        })
    });
    let links = reading.links.iter().map(|link| {
        json!({"traceId": link.trace_id, "spanId": link.span_id, "attributes": pairs(&link.attributes, None)})
    });
    json!({
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "parentSpanId": span.parent_id.as_deref().unwrap_or_default(),
        "name": span.name,
        "kind": kind(json.get("kind")),
        "startTimeUnixNano": time("startTimeUnixNano"),
        "endTimeUnixNano": time("endTimeUnixNano"),
        "attributes": pairs(&reading.attributes, None),
        "events": events.collect::<Vec<_>>(),
        "links": links.collect::<Vec<_>>(),
        "status": {"code": status(reading.status), "message": reading.description},
    })
}

/// Numbers of 64 bits are texts in OTLP's JSON.
fn digits(value: Option<&Value>) -> Value {
    match value {
        Some(Value::Number(number)) => number.to_string().into(),
        Some(Value::String(text)) => text.as_str().into(),
        _ => "0".into(),
    }
}

/// Attributes as a list of keys with their values; `as_they_are`, if they are one already.
fn pairs(attributes: &Attributes, as_they_are: Option<&Value>) -> Value {
    let of_attributes = || {
        let pairs = attributes.iter();
        pairs
            .map(|(key, value)| json!({"key": key, "value": any_value(value)}))
            .collect()
    };
    as_they_are.cloned().unwrap_or_else(of_attributes)
}

fn any_value(value: &Value) -> Value {
    match value {
        Value::Null => json!({}),
        Value::Bool(truth) => json!({"boolValue": truth}),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => json!({"intValue": whole.to_string()}),
            None => json!({"doubleValue": number}),
        },
        Value::String(text) => json!({"stringValue": text}),
        Value::Array(items) => {
            let items: Vec<Value> = items.iter().map(any_value).collect();
            json!({"arrayValue": {"values": items}})
        }
        Value::Object(members) => json!({"kvlistValue": {"values": members_of(members)}}),
    }
}

fn members_of(members: &Map<String, Value>) -> Vec<Value> {
    let members = members.iter();
    members
        .map(|(key, value)| json!({"key": key, "value": any_value(value)}))
        .collect()
}

/// The names of kinds, in the order of their numbers.
pub(super) const KINDS: [&str; 6] = [
    "UNSPECIFIED",
    "INTERNAL",
    "SERVER",
    "CLIENT",
    "PRODUCER",
    "CONSUMER",
];

fn kind(kind: Option<&Value>) -> usize {
    match kind {
        Some(Value::String(name)) => KINDS
            .iter()
            .position(|known| name.ends_with(known))
            .unwrap_or(0),
        Some(Value::Number(number)) => number
            .as_u64()
            .and_then(|number| number.try_into().ok())
            .unwrap_or(0),
        _ => 0,
    }
}

fn status(word: &str) -> u8 {
    match word {
        "ok" => 1,
        "error" => 2,
        _ => 0,
    }
}
