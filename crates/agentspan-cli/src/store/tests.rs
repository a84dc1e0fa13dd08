//! The bound of the store, and what takes the place of what.

mod hostile;
mod packed;
mod record;

use std::sync::Arc;

use agentspan_model::keys;
use serde_json::json;

use super::trace::TRACE_BYTES;
use super::{Fit, Store, Tally};
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
    let held: Vec<_> = store.traces().map(super::Trace::id).collect();
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
fn a_span_that_can_never_fit_costs_no_other() {
    let bytes = span("a", "1", 2_000).bytes() + TRACE_BYTES;
    let mut store = Store::new(bytes * 4);
    for trace in ["a", "b", "c"] {
        assert_eq!(store.insert(span(trace, "1", 2_000)), Fit::Kept);
    }
    let json = |trace: &str, text: usize| json!({"traceId": trace, "spanId": "2", "name": "x".repeat(text)});
    let large = |trace: &str, text: usize| {
        Span::of_json(&json(trace, text), None, &Arc::default()).unwrap()
    };
    // Alone; beside its trace; and with what it shares with others.
    assert_eq!(store.insert(large("d", bytes * 4)), Fit::TooLarge);
    assert_eq!(store.insert(large("b", bytes)), Fit::TooLarge);
    let resource = json!({"name": "x".repeat(bytes * 4)});
    for trace in ["e", "a"] {
        let group = store.group(&resource, &json!(null));
        let span = Span::of_json(&json(trace, 1), None, &group).unwrap();
        drop(group);
        assert_eq!(store.insert(span), Fit::TooLarge);
    }
    let held: Vec<_> = store.traces().map(super::Trace::id).collect();
    assert_eq!(held, ["a", "b", "c"]);
    assert_eq!((store.lost().traces, store.lost().spans), (0, 4));
}

#[test]
fn a_span_that_is_sent_twice_fits_in_its_own_place() {
    let bytes = span("a", "1", 2_000).bytes() + TRACE_BYTES;
    let mut store = Store::new(bytes * 2);
    for trace in ["a", "b", "b", "a"] {
        assert_eq!(store.insert(span(trace, "1", 2_000)), Fit::Kept);
    }
    assert_eq!((store.len(), store.lost().traces), (2, 0));
    assert_eq!(store.bytes(), 2 * bytes);
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

#[test]
fn sums_that_are_kept_equal_a_fresh_count_after_additions_changes_and_evictions() {
    let (tenant, agent) = (keys::MICROSOFT_TENANT_ID, keys::GEN_AI_AGENT_NAME);
    let mut store = Store::new(64 * 1024);
    let mut seed = 7_u64;
    let mut random = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) % below
    };
    for step in 0..2_000 {
        // Few ids, so that traces grow, spans are replaced, and traces come again after they were dropped.
        let json = json!({
            "traceId": format!("{}", random(60)), "spanId": format!("{}", random(4)), "name": "chat",
            "startTimeUnixNano": "1000", "endTimeUnixNano": (random(2) * 2_000).to_string(),
            "status": {"code": random(3)},
            "attributes": {
                "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": random(100),
                (tenant): format!("tenant {}", random(5)), (agent): format!("agent {}", random(300)),
            },
        });
        let mut span = Span::of_json(&json, None, &Arc::default()).unwrap();
        span.facts.is_refused = random(2) == 0;
        store.insert(span);
        if random(3) == 0 {
            let mut fresh = Tally::default();
            store.traces().for_each(|trace| fresh.add(trace.row()));
            assert_eq!(*store.tally(), fresh, "step {step}");
            assert_eq!(fresh.sums.rows, store.len());
        }
    }
    assert!(store.lost().traces > 100 && store.len() > 5);
    let sums = store.tally().sums;
    assert!(
        sums.errors > 0 && sums.refused > 0 && sums.input > 0,
        "{sums:?}"
    );
}
