//! A13: what is beyond the limits of a span is cut, with a note.

use std::time::UNIX_EPOCH;

use opentelemetry::InstrumentationScope;
use opentelemetry::trace::{Event, Link, SpanContext, SpanId, SpanKind};
use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};
use proptest::prelude::*;

use super::*;

const PROMPT: &str = keys::GEN_AI_INPUT_MESSAGES;

fn span(attributes: Vec<KeyValue>) -> SpanData {
    SpanData {
        span_context: SpanContext::NONE,
        parent_span_id: SpanId::INVALID,
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: "s".into(),
        start_time: UNIX_EPOCH,
        end_time: UNIX_EPOCH,
        attributes,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::default(),
    }
}

fn text(key: &'static str, bytes: usize) -> KeyValue {
    KeyValue::new(key, "x".repeat(bytes))
}

fn value<'a>(span: &'a SpanData, key: &str) -> Option<&'a Value> {
    let found = span.attributes.iter().rev();
    found
        .into_iter()
        .find(|one| one.key.as_str() == key)
        .map(|one| &one.value)
}

#[test]
fn a_span_within_the_limits_stays_as_it_is() {
    let limits = SpanLimits::default();
    let mut kept = span(vec![
        text(PROMPT, 1024 * 1024),
        text("app.note", 256 * 1024),
    ]);
    let before = kept.clone();
    assert_eq!(limits.apply(&mut kept), None);
    assert_eq!(kept.attributes, before.attributes);
}

#[test]
fn a_long_value_keeps_its_beginning_and_says_how_long_it_was() {
    let limits = SpanLimits::default()
        .with_value_bytes(100)
        .with_content_bytes(200);
    let mut cut = span(vec![
        text(PROMPT, 201),
        text("app.note", 101),
        text("app.short", 100),
    ]);
    let cuts = limits.apply(&mut cut).unwrap();
    assert_eq!((cuts.spans, cuts.values), (1, 2));
    for (key, bytes, note) in [
        (PROMPT, 200, "x...[cut from 201 bytes]"),
        ("app.note", 100, "x...[cut from 101 bytes]"),
    ] {
        let Some(Value::String(text)) = value(&cut, key) else {
            panic!("a text");
        };
        assert_eq!(text.as_str().len(), bytes);
        assert!(text.as_str().ends_with(note), "{text}");
    }
    assert_eq!(value(&cut, "app.short"), Some(&text("", 100).value));
    assert_eq!(
        value(&cut, keys::AGENTSPAN_TRUNCATED_COUNT),
        Some(&Value::I64(2))
    );
    let named = vec![PROMPT.into(), "app.note".into()];
    let named = Value::Array(Array::String(named));
    assert_eq!(value(&cut, keys::AGENTSPAN_TRUNCATED_KEYS), Some(&named));
}

#[test]
fn a_text_is_cut_between_two_characters() {
    for limit in 0..60 {
        let cut = cut_text(&"\u{1f600}".repeat(20), limit).unwrap();
        let kept = cut.strip_suffix("...[cut from 80 bytes]").unwrap();
        assert!(kept.chars().all(|c| c == '\u{1f600}'));
        assert!(cut.len() <= limit.max(22), "{limit}");
    }
}

#[test]
fn too_many_attributes_events_and_links_are_left_out_and_counted() {
    let limits = SpanLimits::default()
        .with_attributes(3)
        .with_events(2)
        .with_links(1);
    let many = || {
        (0..5)
            .map(|n| KeyValue::new(format!("k{n}"), n))
            .collect::<Vec<_>>()
    };
    let mut cut = span(many());
    cut.attributes
        .push(KeyValue::new(keys::GEN_AI_AGENT_ID, "a"));
    cut.events.events = vec![Event::new("e", UNIX_EPOCH, many(), 1); 4];
    cut.links.links = vec![Link::new(SpanContext::empty_context(), many(), 0); 3];
    let cuts = limits.apply(&mut cut).unwrap();
    // Two of the span, of each of two events, and of a link.
    assert_eq!((cuts.attributes, cuts.events, cuts.links), (8, 2, 2));
    assert_eq!(cut.dropped_attributes_count, 2);
    assert_eq!((cut.events.dropped_count, cut.links.dropped_count), (2, 2));
    assert_eq!(cut.events.events[0].dropped_attributes_count, 3);
    assert_eq!(cut.links.links[0].dropped_attributes_count, 2);
    let agent = Value::from("a");
    assert_eq!(value(&cut, keys::GEN_AI_AGENT_ID), Some(&agent));
}

#[test]
fn a_span_that_is_too_large_loses_of_its_longest_values_first() {
    let limits = SpanLimits::default().with_span_bytes(100_000);
    let mut cut = span(vec![text(PROMPT, 500_000), text("app.note", 10_000)]);
    cut.attributes.push(KeyValue::new(keys::TENANT_ID, "t"));
    limits.apply(&mut cut).unwrap();
    assert!(estimated_bytes(&cut) <= 101_000);
    assert_eq!(value(&cut, "app.note"), Some(&text("", 10_000).value));
    let Some(Value::String(prompt)) = value(&cut, PROMPT) else {
        panic!("a text");
    };
    assert!(prompt.as_str().len() > 50_000);
}

proptest! {
    /// Whatever a span has, it fits afterwards, but for the note and where it goes.
    #[test]
    fn every_span_fits(
        texts in proptest::collection::vec((0_usize..4_000, any::<bool>()), 0..60),
        events in proptest::collection::vec(proptest::collection::vec(0_usize..3_000, 0..5), 0..30),
        limit in 2_000_usize..40_000,
    ) {
        let attribute = |(bytes, is_content): (usize, bool)| {
            text(if is_content { PROMPT } else { "app.note" }, bytes)
        };
        let mut cut = span(texts.into_iter().map(attribute).collect());
        cut.attributes.push(KeyValue::new(keys::TENANT_ID, "t"));
        let event = |texts: Vec<usize>| {
            let attributes = texts.into_iter().map(|bytes| text("app.note", bytes));
            Event::new("e", UNIX_EPOCH, attributes.collect(), 0)
        };
        cut.events.events = events.into_iter().map(event).collect();
        let limits = SpanLimits::default()
            .with_value_bytes(1_500)
            .with_content_bytes(2_000)
            .with_events(20)
            .with_attributes(50)
            .with_span_bytes(limit);
        let before = cut.clone();
        let cuts = limits.apply(&mut cut);
        prop_assert!(estimated_bytes(&cut) <= limit as u64 + 2_000);
        prop_assert_eq!(value(&cut, keys::TENANT_ID), Some(&Value::from("t")));
        match cuts {
            None => prop_assert_eq!(cut.attributes, before.attributes),
            Some(cuts) => {
                prop_assert!(cut.events.events.len() <= 20);
                let gone = before.events.events.len() - cut.events.events.len();
                prop_assert_eq!(cuts.events, gone as u64);
            }
        }
    }
}
