//! Packing where memory is short, spans are large or ids are long: it is never worse than not to pack.

use std::sync::Arc;

use serde_json::json;

use super::packed::{check_sums, held};
use crate::span::Span;
use crate::store::{Fit, Store};

/// A span whose name takes about so many bytes.
fn span(trace: &str, id: u64, end: u64, bytes: usize) -> Span {
    let json = json!({
        "traceId": trace, "spanId": format!("{id:016x}"), "name": "n".repeat(bytes / 3),
        "startTimeUnixNano": "1000", "endTimeUnixNano": end.to_string(),
    });
    Span::of_json(&json, None, &Arc::default()).unwrap()
}

#[test]
fn t24_long_ids_count_in_a_trace_that_is_packed() {
    let mut store = Store::new(64 << 20).with_packing_beyond(0);
    for trace in 0..5 {
        let id = format!("{trace}{}", "1".repeat(100_000));
        for at in 0..2 {
            assert_eq!(store.insert(span(&id, at, 2_000, 300_000)), Fit::Kept);
        }
    }
    assert_eq!((store.size.loose, store.len()), (0, 5));
    // Each is in the trace, and in its row once somebody has asked for it.
    assert!(store.bytes() > 5 * 2 * 100_000, "{}", store.bytes());
    check_sums(&store);
}

#[test]
fn a_small_memory_holds_no_fewer_spans_than_without_packing() {
    for kib in [640, 1_024, 1_536, 2_048, 4_096] {
        let (mut packed, mut plain) = (Store::new(kib << 10), Store::new(kib << 10));
        packed = packed.with_packing();
        for trace in 0..60 {
            for at in 0..64 {
                let span = || span(&format!("{trace}"), at, 2_000, 2_000);
                assert_eq!(packed.insert(span()), plain.insert(span()));
                // Whoever sent it looks for it.
                let found = packed.trace(&format!("{trace}"));
                assert!(
                    found.is_some_and(|trace| trace.is_refused(&format!("{at:016x}")).is_some())
                );
            }
        }
        let (packed, plain) = (held(&packed), held(&plain));
        assert!(packed >= plain, "{kib} KiB: {packed} and {plain}");
    }
}

#[test]
fn a_trace_that_cannot_be_packed_is_stepped_over() {
    let mut store = Store::new(4 << 20).with_packing_beyond(16);
    assert_eq!(store.insert(span("large", 0, 2_000, 2 << 20)), Fit::Kept);
    for trace in 0..200 {
        store.insert(span(&format!("{trace}"), 0, 2_000, 1_000));
    }
    assert_eq!((store.size.loose, held(&store)), (16, 201));
    check_sums(&store);
    // It stays as it is until it changes.
    let loose = store.trace("large").unwrap().counted();
    assert!(loose.bytes > 1 << 20);
}

#[test]
fn spans_that_come_again_and_again_leave_nothing_behind() {
    let bytes = |rounds: u64| {
        let mut store = Store::new(1 << 28).with_packing_beyond(64);
        for round in 0..rounds {
            for at in 0..320 {
                let end = if round % 2 == 0 { 0 } else { 2_000 + round };
                // After they have ended, a running copy is late.
                let end = if round > 1 { 2_000 + round } else { end };
                store.insert(span("a", at, end, 300));
            }
        }
        assert_eq!(held(&store), 320);
        check_sums(&store);
        store.bytes()
    };
    let (few, many) = (bytes(6), bytes(60));
    assert!(many < few + 8_000, "{few} {many}");
}

#[test]
fn a_late_copy_of_a_span_that_has_ended_costs_nobody_anything() {
    let mut store = Store::new(4 << 20);
    store.insert(span("a", 0, 2_000, 400_000));
    for trace in 0..30 {
        store.insert(span(&format!("{trace}"), 0, 2_000, 100_000));
    }
    let before = (store.lost(), store.bytes(), store.len());
    assert!(before.1 > (4 << 20) - 800_000, "{before:?}");
    assert_eq!(store.insert(span("a", 0, 0, 1_200_000)), Fit::Kept);
    assert_eq!((store.lost(), store.bytes(), store.len()), before);
}
