//! The bound of the store, and what takes the place of what.

use std::sync::Arc;

use serde_json::json;

use super::{Store, TRACE_BYTES};
use crate::span::Span;

fn span(trace: &str, id: &str, end: u64) -> Span {
    let json = json!({
        "traceId": trace, "spanId": id, "name": "chat", "startTimeUnixNano": "1000",
        "endTimeUnixNano": end.to_string(),
        "attributes": [{"key": "text", "value": {"stringValue": "x".repeat(1_000)}}],
    });
    Span::of_json(&json, None, &Arc::default()).unwrap()
}

#[test]
fn the_oldest_traces_go_first_and_are_counted() {
    let bytes = span("a0", "1", 2_000).bytes() + TRACE_BYTES;
    let mut store = Store::new(bytes * 5 / 2);
    for trace in ["a0", "a1", "a2", "a3"] {
        store.insert(span(trace, "1", 2_000));
    }
    let held: Vec<_> = store
        .traces()
        .map(|trace| trace.spans()[0].trace_id.as_str())
        .collect();
    assert_eq!(held, ["a2", "a3"]);
    assert_eq!((store.lost().traces, store.lost().spans), (2, 2));
    assert_eq!(store.bytes(), 2 * bytes);
}

#[test]
fn a_trace_that_is_too_large_loses_its_newest_spans() {
    let bytes = span("a", "1", 2_000).bytes();
    let mut store = Store::new(TRACE_BYTES + bytes * 5 / 2);
    for id in ["1", "2", "3"] {
        store.insert(span("a", id, 2_000));
    }
    assert_eq!(store.trace("a").unwrap().spans().len(), 2);
    assert_eq!((store.lost().traces, store.lost().spans), (0, 1));
}

#[test]
fn a_span_that_has_ended_replaces_the_one_that_ran_and_never_the_other_way_round() {
    let mut store = Store::new(1 << 20);
    store.insert(span("a", "1", 0));
    assert!(store.trace("a").unwrap().row().is_running);
    store.insert(span("a", "1", 5_000));
    let bytes = store.bytes();
    store.insert(span("a", "1", 0));
    assert!(!store.trace("a").unwrap().row().is_running);
    assert_eq!(store.trace("a").unwrap().spans().len(), 1);
    assert_eq!(store.bytes(), bytes);
}
