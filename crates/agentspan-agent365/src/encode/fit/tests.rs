//! Tests of cutting spans.

use opentelemetry::StringValue;
use opentelemetry::trace::{Event, Link, SpanContext};
use proptest::collection::vec;
use proptest::prelude::*;
use std::time::UNIX_EPOCH;

use super::*;
use crate::span_of_test::span;
use agentspan_model::keys;

fn json_of(span: &SpanData) -> Vec<u8> {
    let mut json = Vec::new();
    push_span(&mut json, &span, &mut UniqueKeys::default());
    json
}

fn cut(span: &SpanData, limit: usize, truncation: Truncation) -> Option<SpanData> {
    let mut fit = Fit::new(limit);
    fit.truncation = truncation;
    match fit.apply(span, &mut UniqueKeys::default()) {
        Cow::Borrowed(_) => None,
        Cow::Owned(cut) => Some(cut),
    }
}

/// The values after cutting to `limit` with markers; `None` when nothing is cut.
fn check_marked(values: &[&str], limit: usize, expected: Option<&[&str]>) {
    let keys = ["a", "b", "c"];
    let pairs = keys.into_iter().zip(values);
    let span = span(
        pairs
            .map(|(key, value)| KeyValue::new(key, value.to_string()))
            .collect(),
    );
    let found = cut(&span, limit, Truncation::Marker);
    let found: Option<Vec<_>> = found.as_ref().map(|span| {
        let attributes = span.attributes.iter();
        attributes
            .map(|attribute| attribute.value.as_str().into_owned())
            .collect()
    });
    let expected = expected.map(|values| values.iter().map(ToString::to_string).collect());
    assert_eq!(found, expected);
}

#[test]
fn the_largest_are_replaced_first_and_of_equal_ones_the_first() {
    let (long, longer) = ("x".repeat(1_000), "y".repeat(1_001));
    check_marked(
        &[&long, &long, &longer],
        2_400,
        Some(&[&long, &long, MARKER]),
    );
    check_marked(
        &[&long, &long, &longer],
        1_600,
        Some(&[MARKER, &long, MARKER]),
    );
    check_marked(&[&long, &long, &longer], 10_000, None);
    check_marked(&["", "", ""], 10, Some(&[MARKER, MARKER, MARKER]));
}

#[test]
fn characters_count_as_their_escapes() {
    let text = "\u{e9}".repeat(1_000);
    check_marked(&[&text], 6_000, Some(&[MARKER]));
    check_marked(&[&text], 6_400, None);
}

#[test]
fn a_span_at_the_limit_is_not_cut() {
    let span = span(vec![KeyValue::new("a", "x".repeat(2_000))]);
    let length = json_of(&span).len();
    assert!(cut(&span, length, Truncation::Marker).is_none());
    assert!(cut(&span, length, Truncation::Structured).is_none());
    assert!(cut(&span, length - 1, Truncation::Marker).is_some());
    assert!(cut(&span, length - 1, Truncation::Structured).is_some());
}

/// The keys and the count that a span says of its cuts.
fn said(span: &SpanData) -> Option<(Vec<String>, i64)> {
    let value = |key| {
        let mut attributes = span.attributes.iter();
        Some(
            &attributes
                .find(|attribute| attribute.key.as_str() == key)?
                .value,
        )
    };
    let Some(Value::I64(count)) = value(keys::AGENTSPAN_TRUNCATED_COUNT) else {
        return None;
    };
    let names = match value(keys::AGENTSPAN_TRUNCATED_KEYS) {
        Some(Value::Array(Array::String(names))) => names.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    };
    Some((names, *count))
}

#[test]
fn structured_cuts_name_the_largest_first_and_count_what_has_no_key() {
    let mut span = span(vec![
        KeyValue::new("small", 1),
        KeyValue::new("large", "x".repeat(1_500)),
        KeyValue::new("larger", "y".repeat(3_000)),
        KeyValue::new(keys::AGENTSPAN_TRUNCATED_COUNT, "somebody else's"),
    ]);
    span.events.events.push(Event::new(
        "e",
        UNIX_EPOCH,
        vec![KeyValue::new("largest", "z".repeat(4_000))],
        0,
    ));
    let found = cut(&span, 6_000, Truncation::Structured).unwrap();
    assert_eq!(said(&found), Some((vec!["largest".to_owned()], 1)));
    let found = cut(&span, 2_500, Truncation::Structured).unwrap();
    let names = ["largest", "larger"].map(str::to_owned);
    assert_eq!(said(&found), Some((names.to_vec(), 2)));
    span.name = "n".repeat(10_000).into();
    let found = cut(&span, 2_000, Truncation::Structured).unwrap();
    let names = ["largest", "larger", "large"].map(str::to_owned);
    // And the event, and the name.
    assert_eq!(said(&found), Some((names.to_vec(), 5)));
}

#[test]
fn a_span_that_is_short_enough_or_cut_by_markers_says_nothing() {
    let long = span(vec![KeyValue::new("a", "x".repeat(5_000))]);
    assert!(cut(&long, 10_000, Truncation::Structured).is_none());
    let marked = cut(&long, 2_000, Truncation::Marker).unwrap();
    assert_eq!(said(&marked), None);
}

#[test]
fn structured_cuts_say_how_much_there_was() {
    let text = KeyValue::new("a", "x".repeat(5_000));
    let found = cut(&span(vec![text]), 2_000, Truncation::Structured).unwrap();
    let kept = found.attributes[0].value.as_str();
    assert!(kept.starts_with("xxx") && kept.ends_with("x...[cut from 5000 bytes]"));
    assert_eq!(said(&found), Some((vec!["a".to_owned()], 1)));
    let length = json_of(&found).len();
    assert!((1_900..=2_000).contains(&length), "{length}");
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => ".{0,40}",
        1 => (".{1,4}", 1_usize..2_000).prop_map(|(unit, times)| unit.repeat(times)),
    ]
}

/// A document of messages, valid JSON.
fn messages() -> impl Strategy<Value = String> {
    vec((text(), text()), 0..6).prop_map(|messages| {
        let messages: Vec<_> = messages
            .iter()
            .map(|(role, content)| serde_json::json!({ "role": role, "content": content }))
            .collect();
        serde_json::json!({ "messages": messages }).to_string()
    })
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        text().prop_map(Value::from),
        messages().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        vec(any::<i64>(), 0..600).prop_map(|items| Value::Array(Array::I64(items))),
        vec(any::<f64>(), 0..600).prop_map(|items| Value::Array(Array::F64(items))),
        vec(text(), 0..20).prop_map(|items| {
            let items = items.into_iter().map(StringValue::from);
            Value::Array(Array::String(items.collect()))
        }),
    ]
}

fn attributes(most: usize) -> impl Strategy<Value = Vec<KeyValue>> {
    vec((text(), value()), 0..most).prop_map(|pairs| {
        let pairs = pairs.into_iter();
        pairs
            .map(|(key, value)| KeyValue::new(key, value))
            .collect()
    })
}

fn any_span() -> impl Strategy<Value = SpanData> {
    let content = (
        attributes(8),
        vec((text(), attributes(4)), 0..20),
        vec(attributes(3), 0..20),
    );
    (text(), text(), content).prop_map(|(name, message, (attributes, events, links))| {
        let mut span = span(attributes);
        span.name = name.into();
        span.status = Status::error(message);
        for (name, attributes) in events {
            let event = Event::new(name, UNIX_EPOCH, attributes, 0);
            span.events.events.push(event);
        }
        for attributes in links {
            let link = Link::new(SpanContext::NONE, attributes, 0);
            span.links.links.push(link);
        }
        span
    })
}

/// A span that was cut says which attributes were, all of them unless there was no room.
fn check_said(before: &SpanData, after: &SpanData) {
    let Some((names, count)) = said(after) else {
        assert!(json_of(before).len() == json_of(after).len());
        return;
    };
    let value = |span: &SpanData, key: &str| {
        let mut attributes = span.attributes.iter();
        attributes
            .find(|attribute| attribute.key.as_str() == key)
            .map(|a| a.value.clone())
    };
    let is_cut = |key: &str| value(before, key) != value(after, key);
    let all: std::collections::HashSet<_> = before
        .attributes
        .iter()
        .chain(before.events.iter().flat_map(|event| &event.attributes))
        .chain(before.links.iter().flat_map(|link| &link.attributes))
        .map(|attribute| attribute.key.as_str())
        .collect();
    assert!(count > 0 && names.len() as i64 <= count);
    assert!(
        names.iter().all(|name| all.contains(name.as_str())),
        "{names:?}"
    );
    let cut = before
        .attributes
        .iter()
        .map(|attribute| attribute.key.as_str());
    let unsaid = cut
        .filter(|key| is_cut(key) && !names.iter().any(|name| name == key))
        .count();
    assert!(
        unsaid as i64 <= count - names.len() as i64,
        "{names:?} {count}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_structured_cut_is_json_within_the_limit(span in any_span(), limit in 1_000_usize..20_000) {
        let found = cut(&span, limit, Truncation::Structured);
        let found = found.as_ref().unwrap_or(&span);
        let json = json_of(found);
        prop_assert!(ascii_length(&json) <= limit, "{} > {}", ascii_length(&json), limit);
        let read: serde_json::Value = serde_json::from_slice(&json).expect("JSON in UTF-8");
        prop_assert!(read.is_object());
        let unique = with_unique_keys(&span, &mut UniqueKeys::default());
        check_said(&unique, found);
        // Of equal keys the last one counts.
        for kept in &found.attributes {
            let mut before = span.attributes.iter().rev();
            let before = before.find(|attribute| attribute.key == kept.key);
            let (Some(before), Value::String(after)) = (before, &kept.value) else {
                continue;
            };
            if before.value.as_str().starts_with("{\"messages\"") {
                let is_json = serde_json::from_str::<serde_json::Value>(after.as_str()).is_ok();
                prop_assert!(is_json, "{}", after.as_str());
            }
        }
    }

    #[test]
    fn no_span_is_longer_than_its_estimate(span in any_span()) {
        prop_assert!(ascii_length(&json_of(&span)) <= longest_form(&span));
    }
}
