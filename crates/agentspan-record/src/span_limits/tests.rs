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
        let note = "...[cut from 80 bytes]";
        let note = if limit < note.len() { "" } else { note };
        let kept = cut.strip_suffix(note).unwrap();
        assert!(kept.chars().all(|c| c == '\u{1f600}'));
        assert!(cut.len() <= limit, "{limit}");
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
    fn t06_every_span_fits(
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
        let once = cut.clone();
        prop_assert_eq!(limits.apply(&mut cut), None);
        prop_assert_eq!(&cut.attributes, &once.attributes);
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

fn count(span: &SpanData) -> Option<&Value> {
    value(span, keys::AGENTSPAN_TRUNCATED_COUNT)
}

#[test]
fn a_span_that_was_cut_is_not_cut_once_more() {
    let mut with_events = span(Vec::new());
    let event = Event::new("e", UNIX_EPOCH, vec![text("app.note", 400)], 0);
    with_events.events.events = vec![event; 20_000];
    let many = (0..5_000).map(|at| KeyValue::new(format!("app.{at}"), "x".repeat(1_000)));
    let mut with_attributes = span(many.collect());
    for key in ["app.a", "app.b", "app.c"] {
        with_attributes.attributes.insert(0, text(key, 2_000_000));
    }
    for (mut cut, limits) in [
        (with_events, SpanLimits::default()),
        (with_attributes, SpanLimits::default()),
        (
            span(vec![text(PROMPT, 40), text("app.note", 9)]),
            SpanLimits::default()
                .with_value_bytes(8)
                .with_content_bytes(20),
        ),
        (
            span(vec![text(PROMPT, 1_000); 30]),
            SpanLimits::default().with_span_bytes(0),
        ),
    ] {
        let cuts = limits.apply(&mut cut).unwrap();
        let all = cuts.values + cuts.attributes + cuts.events + cuts.links;
        assert_eq!(count(&cut), Some(&Value::I64(all as i64)));
        let once = cut.attributes.clone();
        assert_eq!(limits.apply(&mut cut), None);
        assert_eq!(cut.attributes, once);
    }
}

#[test]
fn a_span_that_grew_after_it_was_cut_counts_once_and_says_all_that_was_cut() {
    let limits = SpanLimits::default().with_value_bytes(100);
    let mut cut = span(vec![text("app.one", 101)]);
    let mut cuts = limits.apply(&mut cut).unwrap();
    cut.attributes.push(text("app.two", 101));
    cuts += limits.apply(&mut cut).unwrap();
    assert_eq!((cuts.spans, cuts.values), (1, 2));
    let notes = cut.attributes.iter().filter(|one| is_note(one));
    assert_eq!(notes.count(), 2);
    assert_eq!(count(&cut), Some(&Value::I64(2)));
    let keys = Array::String(vec!["app.one".into(), "app.two".into()]);
    let named = value(&cut, keys::AGENTSPAN_TRUNCATED_KEYS);
    assert_eq!(named, Some(&Value::Array(keys)));
}

#[test]
fn ids_that_say_where_a_span_goes_are_not_shortened() {
    for bytes in [1, 8, 35] {
        let limits = SpanLimits::default()
            .with_value_bytes(bytes)
            .with_content_bytes(bytes);
        let mut cut = span(ROUTING.map(|key| text(key, 36)).to_vec());
        let before = cut.attributes.clone();
        limits.apply(&mut cut);
        assert_eq!(cut.attributes, before);
    }
}

#[test]
fn a_text_never_grows_when_it_is_cut() {
    for limit in 0..60 {
        let limits = SpanLimits::default().with_value_bytes(limit);
        let mut cut = span(vec![text("app.note", 60)]);
        limits.apply(&mut cut).unwrap();
        let length = value(&cut, "app.note").map(value_bytes);
        assert!(length.unwrap() <= limit, "{limit}");
    }
}
