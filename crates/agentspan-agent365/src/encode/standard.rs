//! A span, a scope and a resource in the JSON of OTLP, with every value as a string.
//!
//! The form is that of the [JSON encoding](https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding)
//! of OTLP 1. Microsoft's attribute reference asks for a `stringValue` whatever the type.

use agentspan_model::escape::push_quoted;
use opentelemetry::trace::{Event, Link, SpanContext, SpanId, SpanKind, Status};
use opentelemetry::{InstrumentationScope, Key, KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

use super::hex;
use super::sdk_span::{push_value, unix_nanos};
use super::unique_keys::UniqueKeys;
use super::value::push_nanos;

/// Opens the object of one scope, up to its first span.
pub(super) fn push_scope(out: &mut Vec<u8>, scope: &InstrumentationScope) {
    out.extend_from_slice(b"{\"scope\":{\"name\":");
    push_quoted(out, scope.name());
    if let Some(version) = scope.version() {
        out.extend_from_slice(b",\"version\":");
        push_quoted(out, version);
    }
    out.extend_from_slice(b"},\"spans\":[");
}

/// Appends the object of `span`.
pub(super) fn push_span(out: &mut Vec<u8>, span: &SpanData, unique_keys: &mut UniqueKeys) {
    push_ids(out, &span.span_context);
    if span.parent_span_id != SpanId::INVALID {
        out.extend_from_slice(b",\"parentSpanId\":\"");
        hex::push_span_id(out, span.parent_span_id.to_bytes());
        out.push(b'"');
    }
    out.extend_from_slice(b",\"name\":");
    push_quoted(out, &span.name);
    out.extend_from_slice(b",\"kind\":");
    out.push(kind(&span.span_kind));
    out.extend_from_slice(b",\"startTimeUnixNano\":\"");
    push_nanos(out, unix_nanos(span.start_time));
    out.extend_from_slice(b"\",\"endTimeUnixNano\":\"");
    push_nanos(out, unix_nanos(span.end_time));
    out.push(b'"');
    push_attributes(out, &span.attributes, unique_keys);
    push_list(out, b",\"events\":[", &span.events, |out, event| {
        push_event(out, event, unique_keys);
    });
    push_list(out, b",\"links\":[", &span.links, |out, link| {
        push_link(out, link, unique_keys);
    });
    push_status(out, &span.status);
}

/// The list of the attributes of a resource.
pub(super) fn resource(attributes: &[(&Key, &Value)]) -> Vec<u8> {
    let mut list = Vec::new();
    for (key, value) in attributes {
        list.push(if list.is_empty() { b'[' } else { b',' });
        push_attribute(&mut list, key, value);
    }
    list.extend_from_slice(if list.is_empty() { b"[]" } else { b"]" });
    list
}

/// The JSON text that stands for an array, since a string stands for every value. `None` for other values.
pub(super) fn array_text(value: &Value) -> Option<String> {
    if !matches!(value, Value::Array(_)) {
        return None;
    }
    let mut json = Vec::new();
    push_value(&mut json, value);
    Some(String::from_utf8_lossy(&json).into_owned())
}

/// Opens an object with the ids of a span.
fn push_ids(out: &mut Vec<u8>, context: &SpanContext) {
    out.extend_from_slice(b"{\"traceId\":\"");
    hex::push_trace_id(out, context.trace_id().to_bytes());
    out.extend_from_slice(b"\",\"spanId\":\"");
    hex::push_span_id(out, context.span_id().to_bytes());
    out.push(b'"');
}

/// The digit of a kind in `SpanKind` of OTLP.
fn kind(kind: &SpanKind) -> u8 {
    match kind {
        SpanKind::Internal => b'1',
        SpanKind::Server => b'2',
        SpanKind::Client => b'3',
        SpanKind::Producer => b'4',
        SpanKind::Consumer => b'5',
    }
}

/// Appends the member that holds `items`, unless there are none.
fn push_list<T>(
    out: &mut Vec<u8>,
    open: &[u8],
    items: &[T],
    mut push: impl FnMut(&mut Vec<u8>, &T),
) {
    let Some((first, rest)) = items.split_first() else {
        return;
    };
    out.extend_from_slice(open);
    push(out, first);
    for item in rest {
        out.push(b',');
        push(out, item);
    }
    out.push(b']');
}

fn push_event(out: &mut Vec<u8>, event: &Event, unique_keys: &mut UniqueKeys) {
    out.extend_from_slice(b"{\"timeUnixNano\":\"");
    push_nanos(out, unix_nanos(event.timestamp));
    out.extend_from_slice(b"\",\"name\":");
    push_quoted(out, &event.name);
    push_attributes(out, &event.attributes, unique_keys);
    out.push(b'}');
}

fn push_link(out: &mut Vec<u8>, link: &Link, unique_keys: &mut UniqueKeys) {
    push_ids(out, &link.span_context);
    push_attributes(out, &link.attributes, unique_keys);
    out.push(b'}');
}

/// Appends the member with the attributes to be written, unless there are none.
fn push_attributes(out: &mut Vec<u8>, attributes: &[KeyValue], unique_keys: &mut UniqueKeys) {
    let mut is_first = true;
    unique_keys.for_each(attributes, |index| {
        if let Some(attribute) = attributes.get(index) {
            out.extend_from_slice(if is_first {
                b",\"attributes\":[".as_slice()
            } else {
                b","
            });
            is_first = false;
            push_attribute(out, &attribute.key, &attribute.value);
        }
    });
    if !is_first {
        out.push(b']');
    }
}

fn push_attribute(out: &mut Vec<u8>, key: &Key, value: &Value) {
    out.extend_from_slice(b"{\"key\":");
    push_quoted(out, key.as_str());
    out.extend_from_slice(b",\"value\":{\"stringValue\":");
    push_text_of(out, value);
    out.extend_from_slice(b"}}");
}

/// Appends the text of a value: what JSON writes, in quotes.
fn push_text_of(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Bool(_) | Value::I64(_) => {
            out.push(b'"');
            push_value(out, value);
            out.push(b'"');
        }
        // One that is not finite has its quotes already.
        Value::F64(number) if number.is_finite() => {
            out.push(b'"');
            push_value(out, value);
            out.push(b'"');
        }
        value => match array_text(value) {
            Some(text) => push_quoted(out, &text),
            None => push_value(out, value),
        },
    }
}

/// Appends the status, unless none was set, and closes the span.
fn push_status(out: &mut Vec<u8>, status: &Status) {
    match status {
        Status::Unset => {}
        Status::Ok => out.extend_from_slice(b",\"status\":{\"code\":1}"),
        Status::Error { description } => {
            out.extend_from_slice(b",\"status\":{\"code\":2,\"message\":");
            push_quoted(out, description);
            out.push(b'}');
        }
    }
    out.push(b'}');
}
