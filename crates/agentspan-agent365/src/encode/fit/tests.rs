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
    json_on(Wire::Flat, span)
}

fn json_on(wire: Wire, span: &SpanData) -> Vec<u8> {
    let mut json = Vec::new();
    match wire {
        Wire::Flat => push_span(&mut json, span, &mut UniqueKeys::default()),
        Wire::Standard => standard::push_span(&mut json, span, &mut UniqueKeys::default()),
    }
    json
}

fn cut(span: &SpanData, limit: usize, truncation: Truncation) -> Option<SpanData> {
    cut_on(Wire::Flat, span, limit, truncation)
}

fn cut_on(wire: Wire, span: &SpanData, limit: usize, truncation: Truncation) -> Option<SpanData> {
    let mut fit = Fit::new(limit);
    fit.truncation = truncation;
    match fit.apply(span, wire, &mut UniqueKeys::default()) {
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
}

#[test]
fn a14_a_marker_makes_no_span_longer() {
    // `"TRUNCATED"` takes eleven bytes.
    check_marked(
        &["123456789", "12345678", ""],
        10,
        Some(&[MARKER, "12345678", ""]),
    );
    check_marked(&["", "", ""], 10, None);
    let many = (0..10_000).map(|n| KeyValue::new(format!("{n}"), true));
    let span = span(many.collect());
    assert!(cut(&span, 10_000, Truncation::Marker).is_none());
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
    let found = cut(&span, 8_300, Truncation::Structured).unwrap();
    assert_eq!(said(&found), Some((vec!["largest".to_owned()], 1)));
    let found = cut(&span, 6_000, Truncation::Structured).unwrap();
    let names = ["largest", "larger"].map(str::to_owned);
    assert_eq!(said(&found), Some((names.to_vec(), 2)));
    span.name = "n".repeat(10_000).into();
    let found = cut(&span, 2_000, Truncation::Structured).unwrap();
    let names = ["largest", "larger", "large"].map(str::to_owned);
    // And the event, and the name.
    assert_eq!(said(&found), Some((names.to_vec(), 5)));
}

/// The texts of attributes after cutting to the limit of version 2.
fn texts(attributes: Vec<KeyValue>) -> Vec<String> {
    let span = span(attributes);
    let found = cut(&span, 250 * 1024, Truncation::Structured).unwrap();
    let length = ascii_length(&json_of(&found));
    assert!((255_500..=256_000).contains(&length), "{length}");
    let attributes = found.attributes.iter();
    attributes
        .map(|attribute| attribute.value.as_str().into_owned())
        .collect()
}

/// Messages of one text, as the reference writes them.
fn prompt(text: &str) -> KeyValue {
    let parts = serde_json::json!([{ "type": "text", "content": text }]);
    let message = serde_json::json!({ "role": "user", "parts": parts });
    let messages = serde_json::json!({ "version": "0.1.0", "messages": [message] });
    KeyValue::new(keys::GEN_AI_INPUT_MESSAGES, messages.to_string())
}

fn content(messages: &str) -> String {
    let messages: serde_json::Value = serde_json::from_str(messages).unwrap();
    assert_eq!(messages["version"], "0.1.0");
    assert_eq!(messages["messages"][0]["role"], "user");
    assert_eq!(messages["messages"][0]["parts"][0]["type"], "text");
    let text = &messages["messages"][0]["parts"][0]["content"];
    text.as_str().unwrap().to_owned()
}

#[test]
fn f4_a_prompt_and_another_long_text_share_the_room() {
    let other = || KeyValue::new("other_large_text", "x".repeat(256_000));
    let cut = texts(vec![prompt(&"y".repeat(360 * 1024)), other()]);
    let prompt_text = content(&cut[0]);
    assert!(prompt_text.starts_with("yyy") && prompt_text.ends_with("...[cut from 368640 bytes]"));
    assert!(cut[1].starts_with("xxx") && cut[1].ends_with("...[cut from 256000 bytes]"));
    let lengths = [cut[0].len(), cut[1].len()];
    assert!(lengths[0].abs_diff(lengths[1]) < 100, "{lengths:?}");
    assert!(lengths[0] > 127_000, "{lengths:?}");

    // A character beyond the basic plane takes twelve bytes in the measure of the reference.
    let cut = texts(vec![prompt(&"🙂".repeat(90 * 1024)), other()]);
    let characters = content(&cut[0]).chars().filter(|c| *c == '🙂').count();
    assert!((10_500..10_700).contains(&characters), "{characters}");
    assert!(cut[1].len() > 127_000);

    let cut = texts(vec![prompt(&"🙂".repeat(90 * 1024))]);
    let characters = content(&cut[0]).chars().filter(|c| *c == '🙂').count();
    assert!((21_200..21_400).contains(&characters), "{characters}");
}

#[test]
fn f4_a_short_value_stays_and_leaves_its_share_to_the_longer_ones() {
    let values = ["a".repeat(200_000), "b".repeat(150_000), "c".repeat(20_000)];
    let attributes = ["a", "b", "c"].into_iter().zip(&values);
    let cut = texts(
        attributes
            .map(|(key, value)| KeyValue::new(key, value.clone()))
            .collect(),
    );
    assert_eq!(cut[2], values[2]);
    assert!(cut[0].len().abs_diff(cut[1].len()) <= 1);
    assert!(cut[0].len() > 117_000, "{}", cut[0].len());
}

#[test]
fn f4_what_a_value_cannot_use_is_for_the_others() {
    let image = "QUJD".repeat(75_000);
    let parts = serde_json::json!([
        { "type": "blob", "modality": "image", "mime_type": "image/png", "content": image },
        { "type": "text", "content": "What is in the picture?" },
    ]);
    let message = serde_json::json!({ "role": "user", "parts": parts });
    let messages = serde_json::json!({ "version": "0.1.0", "messages": [message] });
    let cut = texts(vec![
        KeyValue::new(keys::GEN_AI_INPUT_MESSAGES, messages.to_string()),
        KeyValue::new("url", format!("data:image/png;base64,{image}")),
        KeyValue::new("text", "x".repeat(300_000)),
    ]);
    let messages: serde_json::Value = serde_json::from_str(&cut[0]).unwrap();
    let parts = &messages["messages"][0]["parts"];
    // Half of an image in base64 helps nobody.
    assert_eq!(parts[0]["content"], "...[cut from 300000 bytes]");
    assert_eq!(parts[0]["mime_type"], "image/png");
    assert_eq!(parts[1]["content"], "What is in the picture?");
    assert_eq!(cut[1], "...[cut from 300022 bytes]");
    assert!(cut[2].len() > 254_000, "{}", cut[2].len());
}

#[test]
fn f4_a_long_conversation_keeps_its_first_messages() {
    let message = |n: usize| {
        let parts = serde_json::json!([{ "type": "text", "content": format!("message {n}") }]);
        serde_json::json!({ "role": "user", "parts": parts })
    };
    let messages: Vec<_> = (0..20_000).map(message).collect();
    let messages = serde_json::json!({ "version": "0.1.0", "messages": messages }).to_string();
    let cut = texts(vec![KeyValue::new(keys::GEN_AI_INPUT_MESSAGES, messages)]);
    let messages: serde_json::Value = serde_json::from_str(&cut[0]).unwrap();
    let messages = messages["messages"].as_array().unwrap();
    assert!(
        (2_000..4_000).contains(&messages.len()),
        "{}",
        messages.len()
    );
    let parts = &messages[messages.len() - 1]["parts"];
    assert_eq!(
        parts[0]["content"],
        format!("message {}", messages.len() - 1)
    );
}

#[test]
fn f4_a_list_of_texts_is_cut_in_its_longest() {
    let items = ["short".to_owned(), "x".repeat(300_000), "y".repeat(200_000)];
    let items = items.into_iter().map(StringValue::from).collect();
    let span = span(vec![KeyValue::new(
        "list",
        Value::Array(Array::String(items)),
    )]);
    let found = cut(&span, 250 * 1024, Truncation::Structured).unwrap();
    let Value::Array(Array::String(items)) = &found.attributes[0].value else {
        panic!("{found:?}");
    };
    let items: Vec<&str> = items.iter().map(StringValue::as_str).collect();
    assert_eq!(items[0], "short");
    assert!(items[1].ends_with("x...[cut from 300000 bytes]") && items[1].len() > 127_000);
    assert!(items[2].ends_with("y...[cut from 200000 bytes]") && items[2].len() > 127_000);
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
    fn a_structured_cut_is_within_the_limit_on_the_standard_wire(
        span in any_span(),
        limit in 2_000_usize..20_000,
    ) {
        let found = cut_on(Wire::Standard, &span, limit, Truncation::Structured);
        let json = json_on(Wire::Standard, found.as_ref().unwrap_or(&span));
        prop_assert!(ascii_length(&json) <= limit, "{} > {}", ascii_length(&json), limit);
        let read: serde_json::Value = serde_json::from_slice(&json).expect("JSON in UTF-8");
        prop_assert!(read.is_object());
    }

    #[test]
    fn no_span_is_longer_than_its_estimate(span in any_span()) {
        for wire in [Wire::Flat, Wire::Standard] {
            prop_assert!(ascii_length(&json_on(wire, &span)) <= longest_form(&span, wire));
        }
    }
}
