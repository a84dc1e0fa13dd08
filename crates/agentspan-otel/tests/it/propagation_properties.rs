//! Whatever comes in, what goes out is valid by its specification: `a4_header_injection`.

use std::str::FromStr;

use agentspan_otel::Propagation;
use agentspan_otel::propagation::HeaderReader;
use http::HeaderValue;
use opentelemetry::baggage::{Baggage, BaggageExt, BaggageMetadata};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, Key};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Lets everything out that came in.
fn all_of(context: &Context) -> Propagation {
    let keys = context.baggage().iter().map(|(key, _)| key.clone());
    Propagation::new().with_allowed_baggage(keys.collect::<Vec<Key>>())
}

fn is_hex(text: &str, len: usize) -> bool {
    text.len() == len && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn check_parent(value: &str) {
    let fields: Vec<&str> = value.split('-').collect();
    let [version, trace, parent, flags] = fields[..] else {
        panic!("{value:?}");
    };
    assert_eq!(version, "00", "{value:?}");
    assert!(
        is_hex(trace, 32) && trace.bytes().any(|b| b != b'0'),
        "{value:?}"
    );
    assert!(
        is_hex(parent, 16) && parent.bytes().any(|b| b != b'0'),
        "{value:?}"
    );
    assert!(is_hex(flags, 2), "{value:?}");
}

/// <https://www.w3.org/TR/trace-context-2/#tracestate-header-field-values>
fn check_state(value: &str) {
    let members: Vec<(&str, &str)> = value
        .split(',')
        .map(|member| member.split_once('=').expect("a key and a value"))
        .collect();
    assert!((1..=32).contains(&members.len()), "{value:?}");
    for (at, (key, value)) in members.iter().enumerate() {
        let is_key = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-*/@".contains(&b);
        assert!(
            (1..=256).contains(&key.len()) && key.bytes().all(is_key),
            "{key:?}"
        );
        assert!(
            key.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()),
            "{key:?}"
        );
        assert!(
            (1..=256).contains(&value.len()) && !value.ends_with(' '),
            "{value:?}"
        );
        let is_value = |b: u8| (b' '..=b'~').contains(&b) && b != b',' && b != b'=';
        assert!(value.bytes().all(is_value), "{value:?}");
        assert!(
            members[..at].iter().all(|(earlier, _)| earlier != key),
            "{key:?} twice"
        );
    }
}

/// <https://www.w3.org/TR/baggage/#definition>
fn check_baggage(value: &str) {
    assert!(value.len() <= 8192);
    let is_token = |text: &str| {
        let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        !text.is_empty() && text.bytes().all(is_token)
    };
    let is_value = |text: &str| {
        let is_octet = |b: u8| (b'!'..=b'~').contains(&b) && !b"\",;\\".contains(&b);
        text.bytes().all(is_octet)
    };
    let members: Vec<&str> = value.split(',').collect();
    assert!(members.len() <= 64);
    for member in members {
        let mut parts = member.split(';');
        let (key, value) = parts
            .next()
            .and_then(|pair| pair.split_once('='))
            .expect("a pair");
        assert!(is_token(key) && is_value(value), "{member:?}");
        for property in parts {
            let (key, value) = property.split_once('=').unwrap_or((property, ""));
            assert!(is_token(key) && is_value(value), "{member:?}");
        }
    }
}

fn check_headers(headers: &[(String, String)]) {
    let mut names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), headers.len(), "{headers:?}");
    for (name, value) in headers {
        let checked = HeaderValue::from_str(value).expect("a header's value");
        assert!(checked.to_str().is_ok(), "{value:?}");
        match name.as_str() {
            "traceparent" => check_parent(value),
            "tracestate" => check_state(value),
            "baggage" => check_baggage(value),
            other => panic!("{other}"),
        }
    }
}

fn check_sent(context: &Context) {
    let propagation = all_of(context);
    let headers = propagation.to_headers(context);
    check_headers(&headers);
    let mut meta = Map::new();
    propagation.inject_meta(context, &mut meta);
    let meta: Vec<_> = meta
        .into_iter()
        .map(|(key, value)| (key, value.as_str().expect("text").to_owned()))
        .collect();
    assert_eq!(meta.len(), headers.len());
    check_headers(&meta);

    // What was sent is read as what was meant, and sent on unchanged.
    let again = Propagation::new().extract_headers(&Context::new(), headers.clone());
    assert_eq!(all_of(&again).to_headers(&again).len(), headers.len());
    let (sent, read) = (
        context.span().span_context().clone(),
        again.span().span_context().clone(),
    );
    assert_eq!(sent.trace_id(), read.trace_id());
    assert_eq!(sent.span_id(), read.span_id());
}

#[test]
fn a4_line_breaks_in_a_tracestate_of_mcp_do_not_leave() {
    for state in [
        "a=b\r\nx-evil: 1",
        "a=b\nx-evil: 1",
        "a=\u{1}",
        "a=\u{7f}",
        "a=\u{e9}",
        "a\r\n=b",
    ] {
        let meta = json!({ "traceparent": PARENT, "tracestate": state });
        let context = Propagation::new().extract_meta(&Context::new(), meta.as_object().unwrap());
        let sent = Propagation::new().to_headers(&context);
        assert_eq!(
            sent,
            [("traceparent".to_owned(), PARENT.to_owned())],
            "{state:?}"
        );
    }
}

#[test]
fn a4_line_breaks_that_somebody_else_put_into_a_context_do_not_leave() {
    // The SDK takes any value without a comma or an equals sign.
    let state = TraceState::from_str("ok=1,evil=b\r\nx-evil: 1,late=2").unwrap();
    let span = SpanContext::new(
        TraceId::from(1_u128),
        SpanId::from(2_u64),
        TraceFlags::SAMPLED,
        true,
        state,
    );
    let context = Context::new().with_remote_span_context(span);
    let sent = Propagation::new().to_headers(&context);
    let state = ("tracestate".to_owned(), "ok=1,late=2".to_owned());
    assert_eq!(sent.len(), 2);
    assert!(sent.contains(&state), "{sent:?}");
}

#[test]
fn a_parent_of_another_length_is_none() {
    // The case h13: fields have fixed lengths.
    for version in ["000", "0"] {
        let parent = PARENT.replacen("00", version, 1);
        let context =
            Propagation::new().extract_headers(&Context::new(), [("traceparent", parent)]);
        assert!(!context.span().span_context().is_valid());
    }
    for parent in ["00-+1-+2-01", "8-78-7-1-", "00-1-2-01"] {
        let meta = json!({ "traceparent": parent });
        let context = Propagation::new().extract_meta(&Context::new(), meta.as_object().unwrap());
        assert!(!context.span().span_context().is_valid(), "{parent}");
    }
}

/// Bytes that look more like headers than most do.
fn headerish() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => "[a-z0-9@_*/-]{1,6}=[ -~]{0,6}".prop_map(String::into_bytes),
        2 => "[=,;@ \t%0-9a-zA-Z-]{0,12}".prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..6),
        1 => Just(PARENT.as_bytes().to_vec()),
        1 => Just(b"\r\nx-evil: 1".to_vec()),
    ];
    (
        vec(piece, 0..6),
        prop_oneof![Just(b",".to_vec()), Just(b";".to_vec()), Just(Vec::new())],
    )
        .prop_map(|(pieces, between)| pieces.join(&between[..]))
}

fn parentish() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => "[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-[ -~]{0,9})?".prop_map(String::into_bytes),
        2 => "[0-9a-fA-F+-]{0,60}".prop_map(String::into_bytes),
        1 => headerish(),
    ]
}

proptest! {
    #[test]
    fn a4_whatever_headers_come_in_those_that_go_out_are_valid(
        parents in vec(parentish(), 0..3),
        states in vec(headerish(), 0..3),
        baggage in vec(headerish(), 0..3),
    ) {
        let named = |name: &'static str, values: &[Vec<u8>]| -> Vec<(&'static str, Vec<u8>)> {
            values.iter().map(|value| (name, value.clone())).collect()
        };
        let mut headers = named("traceparent", &parents);
        headers.extend(named("TraceState", &states));
        headers.extend(named("baggage", &baggage));
        let context = Propagation::new().extract_headers(&Context::new(), headers);
        check_sent(&context);

        // The same as text, through a reader of anybody.
        let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
        let all: Vec<(&str, String)> = [("traceparent", &parents), ("tracestate", &states), ("baggage", &baggage)]
            .into_iter()
            .flat_map(|(name, values)| values.iter().map(move |value| (name, text(value))))
            .collect();
        let reader = HeaderReader::new(|wanted: &str| {
            all.iter().filter(|(name, _)| *name == wanted).map(|(_, value)| value.as_str()).collect()
        });
        check_sent(&Propagation::new().extract(&Context::new(), &reader));

        let meta: Map<String, Value> =
            all.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        check_sent(&Propagation::new().extract_meta(&Context::new(), &meta));
    }

    #[test]
    fn a4_whatever_a_context_holds_what_goes_out_is_valid(
        state in "[a-z]{1,3}=\\PC{0,5}(,[a-z]{1,3}=.{0,5}){0,3}",
        pairs in vec(("\\PC{1,5}", ".{0,8}", ".{0,12}"), 0..6),
    ) {
        let span = SpanContext::new(
            TraceId::from(1_u128),
            SpanId::from(2_u64),
            TraceFlags::new(0xff),
            true,
            TraceState::from_str(&state).unwrap_or_default(),
        );
        let mut baggage = Baggage::new();
        for (key, value, properties) in pairs {
            baggage.insert_with_metadata(key, value, BaggageMetadata::from(properties));
        }
        check_sent(&Context::new().with_remote_span_context(span).with_baggage(baggage));
    }
}
