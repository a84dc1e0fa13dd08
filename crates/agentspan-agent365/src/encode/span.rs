//! One span as the object that stands for it in a body.

use agentspan_model::escape::{push_escaped, push_framed};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Event, Link, SpanId, SpanKind, Status};
use opentelemetry_sdk::trace::SpanData;

use super::hex;
use super::sdk_span::{push_value, set_time, unix_nanos};
use super::unique_keys::{Seen, UniqueKeys};
use super::value::push_nanos;

/// Appends the object of `span`.
pub(super) fn push_span(out: &mut Vec<u8>, span: &SpanData, unique_keys: &mut UniqueKeys) {
    out.extend_from_slice(b"{\"traceId\":\"");
    hex::push_trace_id(out, span.span_context.trace_id().to_bytes());
    out.extend_from_slice(b"\",\"spanId\":\"");
    hex::push_span_id(out, span.span_context.span_id().to_bytes());
    if span.parent_span_id == SpanId::INVALID {
        out.extend_from_slice(b"\",\"parentSpanId\":null,\"name\":\"");
    } else {
        out.extend_from_slice(b"\",\"parentSpanId\":\"");
        hex::push_span_id(out, span.parent_span_id.to_bytes());
        out.extend_from_slice(b"\",\"name\":\"");
    }
    push_escaped(out, &span.name);
    push_kind(out, &span.span_kind);
    out.extend_from_slice(b",\"startTimeUnixNano\":");
    push_time(out, set_time(span.start_time));
    out.extend_from_slice(b",\"endTimeUnixNano\":");
    push_time(out, set_time(span.end_time));
    out.extend_from_slice(b",\"attributes\":");
    push_attributes(out, &span.attributes, unique_keys);
    push_events(out, &span.events, unique_keys);
    push_links(out, &span.links, unique_keys);
    push_status(out, &span.status);
}

/// Closes the name and appends the kind.
fn push_kind(out: &mut Vec<u8>, kind: &SpanKind) {
    match kind {
        SpanKind::Internal => out.extend_from_slice(b"\",\"kind\":\"INTERNAL\""),
        SpanKind::Server => out.extend_from_slice(b"\",\"kind\":\"SERVER\""),
        SpanKind::Client => out.extend_from_slice(b"\",\"kind\":\"CLIENT\""),
        SpanKind::Producer => out.extend_from_slice(b"\",\"kind\":\"PRODUCER\""),
        SpanKind::Consumer => out.extend_from_slice(b"\",\"kind\":\"CONSUMER\""),
    }
}

fn push_time(out: &mut Vec<u8>, time: Option<u64>) {
    match time {
        Some(nanos) => push_nanos(out, nanos),
        None => out.extend_from_slice(b"null"),
    }
}

/// Appends the object of `attributes`, or `null` when none is to be written.
fn push_attributes(out: &mut Vec<u8>, attributes: &[KeyValue], unique_keys: &mut UniqueKeys) {
    let begin = out.len();
    let mut is_first = push_while_unique(out, attributes);
    if is_first.is_none() {
        out.truncate(begin);
        let mut first = true;
        unique_keys.for_each(attributes, |index| {
            if let Some(attribute) = attributes.get(index) {
                push_attribute(out, attribute, first);
                first = false;
            }
        });
        is_first = Some(first);
    }
    if is_first == Some(true) {
        out.extend_from_slice(b"null");
    } else {
        out.push(b'}');
    }
}

/// Appends attributes whose keys are unique, as nearly always, which is seen while they are written. Returns
/// whether there were none. `None` if a key comes again or there are very many: then nothing of what was
/// appended counts.
fn push_while_unique(out: &mut Vec<u8>, attributes: &[KeyValue]) -> Option<bool> {
    let len = attributes.len();
    if !Seen::has_room(len) {
        return None;
    }
    let mut seen = Seen::default();
    let mut is_first = true;
    for (index, attribute) in attributes.iter().enumerate() {
        let key = attribute.key.as_str();
        if key.is_empty() {
            continue;
        }
        if len > 1 && seen.insert(attributes, index, key).is_some() {
            return None;
        }
        push_attribute(out, attribute, is_first);
        is_first = false;
    }
    Some(is_first)
}

#[inline(always)]
fn push_attribute(out: &mut Vec<u8>, attribute: &KeyValue, is_first: bool) {
    let before = if is_first { b"{\"" } else { b",\"" };
    push_framed(out, before, attribute.key.as_str(), b"\":");
    push_value(out, &attribute.value);
}

fn push_events(out: &mut Vec<u8>, events: &[Event], unique_keys: &mut UniqueKeys) {
    out.extend_from_slice(b",\"events\":");
    let mut is_first = true;
    for event in events {
        out.push(if is_first { b'[' } else { b',' });
        is_first = false;
        out.extend_from_slice(b"{\"timeUnixNano\":");
        push_nanos(out, unix_nanos(event.timestamp));
        out.extend_from_slice(b",\"name\":\"");
        push_escaped(out, &event.name);
        out.extend_from_slice(b"\",\"attributes\":");
        push_attributes(out, &event.attributes, unique_keys);
        out.push(b'}');
    }
    close_list(out, is_first);
}

fn push_links(out: &mut Vec<u8>, links: &[Link], unique_keys: &mut UniqueKeys) {
    out.extend_from_slice(b",\"links\":");
    let mut is_first = true;
    for link in links {
        out.push(if is_first { b'[' } else { b',' });
        is_first = false;
        out.extend_from_slice(b"{\"traceId\":\"");
        hex::push_trace_id(out, link.span_context.trace_id().to_bytes());
        out.extend_from_slice(b"\",\"spanId\":\"");
        hex::push_span_id(out, link.span_context.span_id().to_bytes());
        out.extend_from_slice(b"\",\"attributes\":");
        push_attributes(out, &link.attributes, unique_keys);
        out.push(b'}');
    }
    close_list(out, is_first);
}

/// Ends a list whose bracket came with its first item; an empty one is `null`.
fn close_list(out: &mut Vec<u8>, is_empty: bool) {
    if is_empty {
        out.extend_from_slice(b"null");
    } else {
        out.push(b']');
    }
}

/// Appends the status and closes the span.
fn push_status(out: &mut Vec<u8>, status: &Status) {
    match status {
        Status::Unset => {
            out.extend_from_slice(b",\"status\":{\"code\":\"UNSET\",\"message\":\"\"}}");
        }
        Status::Ok => {
            out.extend_from_slice(b",\"status\":{\"code\":\"OK\",\"message\":\"\"}}");
        }
        Status::Error {
            description: message,
        } => {
            out.extend_from_slice(b",\"status\":{\"code\":\"ERROR\",\"message\":\"");
            push_escaped(out, message);
            out.extend_from_slice(b"\"}}");
        }
    }
}
