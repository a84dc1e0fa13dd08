//! One span as the object that stands for it in a body.

use opentelemetry::trace::SpanKind;

use super::escape::push_text;
use super::hex;
use super::span_view::{AttributeList, EventView, LinkView, SpanView, StatusView};
use super::unique_keys::UniqueKeys;
use super::value::{ValueWriter, Written, push_integer};

/// Appends the object of `span`.
pub(super) fn push_span<S: SpanView>(out: &mut Vec<u8>, span: &S, unique_keys: &mut UniqueKeys) {
    out.extend_from_slice(b"{\"traceId\":\"");
    hex::push_trace_id(out, span.trace_id());
    out.extend_from_slice(b"\",\"spanId\":\"");
    hex::push_span_id(out, span.span_id());
    let parent = span.parent_span_id();
    if parent == [0; 8] {
        out.extend_from_slice(b"\",\"parentSpanId\":null,\"name\":\"");
    } else {
        out.extend_from_slice(b"\",\"parentSpanId\":\"");
        hex::push_span_id(out, parent);
        out.extend_from_slice(b"\",\"name\":\"");
    }
    push_text(out, span.name());
    push_kind(out, span.kind());
    out.extend_from_slice(b",\"startTimeUnixNano\":");
    push_time(out, span.start_time());
    out.extend_from_slice(b",\"endTimeUnixNano\":");
    push_time(out, span.end_time());
    out.extend_from_slice(b",\"attributes\":");
    push_attributes(out, &span.attributes(), unique_keys);
    push_events(out, span.events(), unique_keys);
    push_links(out, span.links(), unique_keys);
    push_status(out, span.status());
}

/// Closes the name and appends the kind.
fn push_kind(out: &mut Vec<u8>, kind: SpanKind) {
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
        Some(nanos) => push_integer(out, nanos),
        None => out.extend_from_slice(b"null"),
    }
}

/// Appends the object of `attributes`, or `null` when none is to be written.
fn push_attributes<A: AttributeList>(
    out: &mut Vec<u8>,
    attributes: &A,
    unique_keys: &mut UniqueKeys,
) {
    let mut is_first = true;
    unique_keys.for_each(attributes, |index| {
        out.extend_from_slice(if is_first { b"{\"" } else { b",\"" });
        is_first = false;
        push_text(out, attributes.key(index));
        out.extend_from_slice(b"\":");
        let _: Written = attributes.write_value(index, ValueWriter::new(out));
    });
    if is_first {
        out.extend_from_slice(b"null");
    } else {
        out.push(b'}');
    }
}

fn push_events<'a, A: AttributeList>(
    out: &mut Vec<u8>,
    events: impl Iterator<Item = EventView<'a, A>>,
    unique_keys: &mut UniqueKeys,
) {
    out.extend_from_slice(b",\"events\":");
    let mut is_first = true;
    for event in events {
        out.push(if is_first { b'[' } else { b',' });
        is_first = false;
        out.extend_from_slice(b"{\"timeUnixNano\":");
        push_integer(out, event.time);
        out.extend_from_slice(b",\"name\":\"");
        push_text(out, event.name);
        out.extend_from_slice(b"\",\"attributes\":");
        push_attributes(out, &event.attributes, unique_keys);
        out.push(b'}');
    }
    close_list(out, is_first);
}

fn push_links<A: AttributeList>(
    out: &mut Vec<u8>,
    links: impl Iterator<Item = LinkView<A>>,
    unique_keys: &mut UniqueKeys,
) {
    out.extend_from_slice(b",\"links\":");
    let mut is_first = true;
    for link in links {
        out.push(if is_first { b'[' } else { b',' });
        is_first = false;
        out.extend_from_slice(b"{\"traceId\":\"");
        hex::push_trace_id(out, link.trace_id);
        out.extend_from_slice(b"\",\"spanId\":\"");
        hex::push_span_id(out, link.span_id);
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
fn push_status(out: &mut Vec<u8>, status: StatusView<'_>) {
    match status {
        StatusView::Unset => {
            out.extend_from_slice(b",\"status\":{\"code\":\"UNSET\",\"message\":\"\"}}");
        }
        StatusView::Ok => {
            out.extend_from_slice(b",\"status\":{\"code\":\"OK\",\"message\":\"\"}}");
        }
        StatusView::Error(message) => {
            out.extend_from_slice(b",\"status\":{\"code\":\"ERROR\",\"message\":\"");
            push_text(out, message);
            out.extend_from_slice(b"\"}}");
        }
    }
}
