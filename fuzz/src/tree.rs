//! The body of spans as a tree of values, built without our encoder.

use std::time::SystemTime;

use opentelemetry::trace::{SpanId, Status};
use opentelemetry::{Array, KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;
use serde_json::{Map, Value as Json, json};

/// What `Profile::V0_1` says of a span.
pub fn tree(span: &SpanData) -> Json {
    let (code, message) = match &span.status {
        Status::Unset => ("UNSET", ""),
        Status::Ok => ("OK", ""),
        Status::Error { description } => ("ERROR", &**description),
    };
    let parent = (span.parent_span_id != SpanId::INVALID).then(|| span.parent_span_id.to_string());
    let set = |time| (time != SystemTime::UNIX_EPOCH).then(|| nanos(time));
    let events = span.events.iter().map(|event| {
        json!({
            "timeUnixNano": nanos(event.timestamp),
            "name": event.name,
            "attributes": object(&event.attributes),
        })
    });
    let links = span.links.iter().map(|link| {
        json!({
            "traceId": link.span_context.trace_id().to_string(),
            "spanId": link.span_context.span_id().to_string(),
            "attributes": object(&link.attributes),
        })
    });
    json!({
        "traceId": span.span_context.trace_id().to_string(),
        "spanId": span.span_context.span_id().to_string(),
        "parentSpanId": parent,
        "name": span.name,
        "kind": format!("{:?}", span.span_kind).to_uppercase(),
        "startTimeUnixNano": set(span.start_time),
        "endTimeUnixNano": set(span.end_time),
        "attributes": object(&span.attributes),
        "events": list(events),
        "links": list(links),
        "status": {"code": code, "message": message},
    })
}

fn list(items: impl Iterator<Item = Json>) -> Json {
    let items: Vec<_> = items.collect();
    match items.is_empty() {
        true => Json::Null,
        false => Json::Array(items),
    }
}

/// The last attribute of a key counts, and an empty key does not.
pub fn object(attributes: &[KeyValue]) -> Json {
    let named = attributes.iter().filter(|it| !it.key.as_str().is_empty());
    let members: Map<_, _> = named
        .map(|it| (it.key.to_string(), value(&it.value)))
        .collect();
    match members.is_empty() {
        true => Json::Null,
        false => Json::Object(members),
    }
}

fn value(value: &Value) -> Json {
    match value {
        Value::String(text) => text.as_str().into(),
        Value::I64(number) => (*number).into(),
        Value::F64(number) => float(*number),
        Value::Bool(flag) => (*flag).into(),
        Value::Array(Array::String(items)) => items.iter().map(|it| it.as_str()).collect(),
        Value::Array(Array::I64(items)) => items.iter().copied().collect(),
        Value::Array(Array::F64(items)) => items.iter().copied().map(float).collect(),
        Value::Array(Array::Bool(items)) => items.iter().copied().collect(),
        other => panic!("a new kind of value: {other:?}"),
    }
}

fn float(number: f64) -> Json {
    if number.is_nan() {
        "NaN".into()
    } else if number.is_infinite() {
        let text = if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        };
        text.into()
    } else {
        number.into()
    }
}

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_nanos()).unwrap_or(u64::MAX)
}
