//! Spans of every kind that the SDK can hold.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use proptest::collection::vec;
use proptest::prelude::*;

const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// A span that has an id and a name and nothing else.
pub(crate) fn plain_span() -> SpanData {
    SpanData {
        span_context: SpanContext::new(
            TraceId::from(1),
            SpanId::from(2),
            TraceFlags::SAMPLED,
            false,
            TraceState::default(),
        ),
        parent_span_id: SpanId::INVALID,
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: "plain".into(),
        start_time: UNIX_EPOCH,
        end_time: UNIX_EPOCH,
        attributes: Vec::new(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::default(),
    }
}

pub(crate) fn span() -> impl Strategy<Value = SpanData> {
    let ids = (
        any::<u128>(),
        any::<u64>(),
        prop_oneof![Just(0), any::<u64>()],
    );
    let facts = (text(), kind(), time(), time(), status(), scope());
    let content = (
        prop_oneof![9 => attributes(0..12), 1 => attributes(60..150)],
        vec((text(), time(), attributes(0..4)), 0..3),
        vec((any::<u128>(), any::<u64>(), attributes(0..4)), 0..3),
    );
    (ids, facts, content).prop_map(|(ids, facts, (attributes, events, links))| {
        let (name, span_kind, start_time, end_time, status, instrumentation_scope) = facts;
        let mut one = SpanData {
            span_context: context(ids.0, ids.1),
            parent_span_id: SpanId::from(ids.2),
            name: name.into(),
            span_kind,
            start_time,
            end_time,
            attributes,
            status,
            instrumentation_scope,
            ..plain_span()
        };
        for (name, time, attributes) in events {
            one.events
                .events
                .push(Event::new(name, time, attributes, 0));
        }
        for (trace_id, span_id, attributes) in links {
            one.links
                .links
                .push(Link::new(context(trace_id, span_id), attributes, 0));
        }
        one
    })
}

fn context(trace_id: u128, span_id: u64) -> SpanContext {
    SpanContext::new(
        TraceId::from(trace_id),
        SpanId::from(span_id),
        TraceFlags::SAMPLED,
        false,
        TraceState::default(),
    )
}

/// Any text, and text with many characters that are escaped.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[a-zé\u{0}-\u{1f}\"\\\\🦀]{0,120}"]
}

fn kind() -> impl Strategy<Value = SpanKind> {
    prop_oneof![
        Just(SpanKind::Internal),
        Just(SpanKind::Server),
        Just(SpanKind::Client),
        Just(SpanKind::Producer),
        Just(SpanKind::Consumer),
    ]
}

/// Times from before the epoch to after what the wire can say.
fn time() -> impl Strategy<Value = SystemTime> {
    let seconds = i128::from(u64::MAX) * 2 / NANOS_PER_SECOND;
    let nanos = prop_oneof![
        Just(0),
        -NANOS_PER_SECOND..NANOS_PER_SECOND,
        0..seconds * NANOS_PER_SECOND,
    ];
    nanos.prop_map(|nanos| {
        let distance = nanos.unsigned_abs();
        let distance = Duration::new(
            (distance / NANOS_PER_SECOND.unsigned_abs()) as u64,
            (distance % NANOS_PER_SECOND.unsigned_abs()) as u32,
        );
        if nanos < 0 {
            UNIX_EPOCH - distance
        } else {
            UNIX_EPOCH + distance
        }
    })
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![
        Just(Status::Unset),
        Just(Status::Ok),
        text().prop_map(Status::error),
    ]
}

/// Few names and versions, so that spans of one scope come together and apart.
fn scope() -> impl Strategy<Value = InstrumentationScope> {
    let name = prop_oneof![Just("a".to_owned()), Just(String::new()), text()];
    let version = prop_oneof![Just(None), Just(Some(String::new())), text().prop_map(Some)];
    (name, version).prop_map(|(name, version)| {
        let builder = InstrumentationScope::builder(name);
        match version {
            Some(version) => builder.with_version(version).build(),
            None => builder.build(),
        }
    })
}

/// Few short keys, so that many come again, and any others.
pub(crate) fn attributes(
    len: impl Into<proptest::collection::SizeRange>,
) -> impl Strategy<Value = Vec<KeyValue>> {
    let key = prop_oneof!["[a-c]{0,2}", "k[0-9]{1,2}", text()];
    vec((key, value()), len).prop_map(|pairs| {
        pairs
            .into_iter()
            .map(|(key, value)| KeyValue::new(key, value))
            .collect()
    })
}

fn value() -> impl Strategy<Value = Value> {
    let float = any::<u64>().prop_map(f64::from_bits);
    prop_oneof![
        4 => text().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => float.clone().prop_map(Value::from),
        1 => vec(any::<bool>(), 0..4).prop_map(|all| Value::Array(all.into())),
        1 => vec(any::<i64>(), 0..4).prop_map(|all| Value::Array(all.into())),
        1 => vec(float, 0..4).prop_map(|all| Value::Array(all.into())),
        1 => vec(text().prop_map(StringValue::from), 0..4)
            .prop_map(|all| Value::Array(all.into())),
    ]
}
