//! The estimate beside what an allocator says.

use std::time::UNIX_EPOCH;

use opentelemetry::InstrumentationScope;
use opentelemetry::trace::{Event, Link, SpanContext, SpanId, SpanKind};
use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};

use super::*;

/// As programs make them: lists that have grown, texts of a few letters.
fn small(number: usize) -> SpanData {
    let mut attributes = Vec::new();
    for n in 0..number {
        attributes.push(KeyValue::new("app.key", format!("value {n}")));
    }
    let mut events = SpanEvents::default();
    let mut links = SpanLinks::default();
    for n in 0..number / 8 {
        let attributes = vec![KeyValue::new("app.key", format!("value {n}"))];
        let event = Event::new(format!("event {n}"), UNIX_EPOCH, attributes.clone(), 0);
        events.events.push(event);
        let link = Link::new(SpanContext::NONE, attributes, 0);
        links.links.push(link);
    }
    SpanData {
        span_context: SpanContext::NONE,
        parent_span_id: SpanId::INVALID,
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: format!("span {number}").into(),
        start_time: UNIX_EPOCH,
        end_time: UNIX_EPOCH,
        attributes,
        dropped_attributes_count: 0,
        events,
        links,
        status: Status::error(format!("error {number}")),
        instrumentation_scope: InstrumentationScope::default(),
    }
}

/// Attributes whose keys were made while the program ran.
fn keyed(number: usize) -> SpanData {
    let attributes = (0..number).map(|n| KeyValue::new(format!("{n:064}"), 1));
    SpanData {
        attributes: attributes.collect(),
        ..small(0)
    }
}

#[test]
fn a13_many_keys_that_are_no_constants_are_not_larger_than_their_estimate() {
    for number in [64, 256, 1_024] {
        let mut kept = None;
        let measured = allocation_counter::measure(|| kept = Some(keyed(number)));
        let span = kept.unwrap();
        let all = measured.bytes_current as u64 + size_of::<SpanData>() as u64;
        let estimated = estimated_bytes(&span);
        // The first ones could be constants.
        let least = all - (CONSTANT_KEYS * 64) as u64;
        assert!(estimated >= least, "{number}: {estimated} for {least}");
        assert!(estimated <= all * 5 / 4, "{number}: {estimated} for {all}");
    }
}

#[test]
fn a13_small_spans_are_not_larger_than_their_estimate() {
    for number in 0..40 {
        let mut kept = None;
        let measured = allocation_counter::measure(|| kept = Some(small(number)));
        let span = kept.unwrap();
        // The allocator that is asked here does not count what it adds, which is at most 31 bytes
        // and a word.
        let least = measured.bytes_current as u64 + size_of::<SpanData>() as u64;
        let estimated = estimated_bytes(&span);
        assert!(estimated >= least, "{number}: {estimated} for {least}");
        assert!(estimated <= 2 * least, "{number}: {estimated} for {least}");
    }
}
