//! The body as a tree of JSON values, built the slow and obvious way.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{SpanId, Status};
use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use serde_json::{Map, Value as Json, json};

/// The name and the version.
type Scope<'a> = (&'a str, Option<&'a str>);

/// The body as a tree of values.
pub(crate) fn model(resource: &Resource, spans: &[SpanData]) -> Json {
    let mut sorted: Vec<_> = resource.iter().collect();
    sorted.sort_by_key(|(key, _)| key.as_str());
    let resource_attributes = sorted
        .into_iter()
        .map(|(key, value)| KeyValue::new(key.clone(), value.clone()))
        .collect::<Vec<_>>();

    let mut scopes: Vec<(Scope<'_>, Vec<Json>)> = Vec::new();
    for span in spans {
        let scope = &span.instrumentation_scope;
        let key = (scope.name(), scope.version());
        match scopes.iter_mut().find(|(known, _)| *known == key) {
            Some((_, spans)) => spans.push(span_model(span)),
            None => scopes.push((key, vec![span_model(span)])),
        }
    }
    let scope_spans: Vec<Json> = scopes
        .into_iter()
        .map(|((name, version), spans)| {
            json!({"scope": {"name": name, "version": version}, "spans": spans})
        })
        .collect();
    json!({"resourceSpans": [{
        "resource": {"attributes": attributes_model(&resource_attributes)},
        "scopeSpans": scope_spans,
    }]})
}

fn span_model(span: &SpanData) -> Json {
    let (code, message) = match &span.status {
        Status::Unset => ("UNSET", ""),
        Status::Ok => ("OK", ""),
        Status::Error { description } => ("ERROR", description.as_ref()),
    };
    let events = span.events.iter().map(|event| {
        json!({
            "timeUnixNano": nanos(event.timestamp),
            "name": event.name,
            "attributes": attributes_model(&event.attributes),
        })
    });
    let links = span.links.iter().map(|link| {
        json!({
            "traceId": link.span_context.trace_id().to_string(),
            "spanId": link.span_context.span_id().to_string(),
            "attributes": attributes_model(&link.attributes),
        })
    });
    let parent = (span.parent_span_id != SpanId::INVALID).then(|| span.parent_span_id.to_string());
    json!({
        "traceId": span.span_context.trace_id().to_string(),
        "spanId": span.span_context.span_id().to_string(),
        "parentSpanId": parent,
        "name": span.name,
        "kind": format!("{:?}", span.span_kind).to_uppercase(),
        "startTimeUnixNano": (span.start_time != UNIX_EPOCH).then(|| nanos(span.start_time)),
        "endTimeUnixNano": (span.end_time != UNIX_EPOCH).then(|| nanos(span.end_time)),
        "attributes": attributes_model(&span.attributes),
        "events": list_model(events.collect()),
        "links": list_model(links.collect()),
        "status": {"code": code, "message": message},
    })
}

fn list_model(items: Vec<Json>) -> Json {
    if items.is_empty() {
        Json::Null
    } else {
        Json::Array(items)
    }
}

/// Sets one attribute after the other, as the reference does.
fn attributes_model(attributes: &[KeyValue]) -> Json {
    let mut object = Map::new();
    for attribute in attributes {
        let key = attribute.key.as_str();
        if !key.is_empty() {
            object.shift_remove(key);
            object.insert(key.to_owned(), value_model(&attribute.value));
        }
    }
    if object.is_empty() {
        Json::Null
    } else {
        Json::Object(object)
    }
}

fn value_model(value: &Value) -> Json {
    match value {
        Value::Bool(flag) => json!(flag),
        Value::I64(number) => json!(number),
        Value::F64(number) => float(*number),
        Value::String(text) => json!(text.as_str()),
        Value::Array(Array::Bool(flags)) => json!(flags),
        Value::Array(Array::I64(numbers)) => json!(numbers),
        Value::Array(Array::F64(numbers)) => numbers.iter().map(|number| float(*number)).collect(),
        Value::Array(Array::String(texts)) => texts.iter().map(StringValue::as_str).collect(),
        other => panic!("unknown kind of value {other:?}"),
    }
}

pub(crate) fn float(number: f64) -> Json {
    if number.is_nan() {
        json!("NaN")
    } else if number == f64::INFINITY {
        json!("Infinity")
    } else if number == f64::NEG_INFINITY {
        json!("-Infinity")
    } else {
        json!(number)
    }
}

fn nanos(time: SystemTime) -> u64 {
    let nanos = time
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_nanos();
    nanos.try_into().unwrap_or(u64::MAX)
}
