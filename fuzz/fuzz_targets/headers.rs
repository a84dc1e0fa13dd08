//! The headers of a request: what goes out of what came in is a header, and is sent on unchanged.

#![no_main]

use agentspan_otel::Propagation;
use http::HeaderValue;
use libfuzzer_sys::fuzz_target;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::{Context, Key};
use serde_json::{Map, Value};

fuzz_target!(|bytes: &[u8]| {
    // A header a line: its first letter is its name.
    let headers = bytes.split(|byte| *byte == b'\n').filter_map(|line| {
        let (name, value) = line.split_first()?;
        Some((name_of(*name)?, value))
    });
    let headers: Vec<(&str, &[u8])> = headers.collect();
    let context = Propagation::new().extract_headers(&Context::new(), headers.iter().copied());
    check(&context);

    // Unlike headers, members of an object can hold line breaks.
    let mut meta = Map::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value).replace('\r', "\r\n");
        meta.insert(name.to_owned(), Value::String(value));
    }
    check(&Propagation::new().extract_meta(&Context::new(), &meta));
});

fn name_of(letter: u8) -> Option<&'static str> {
    match letter {
        b'p' => Some("traceparent"),
        b's' => Some("tracestate"),
        b'b' => Some("baggage"),
        _ => None,
    }
}

fn check(context: &Context) {
    let sent = sent(context);
    for (name, value) in &sent {
        let value = HeaderValue::from_str(value).expect("a value of a header");
        assert!(value.to_str().is_ok(), "{name}: {value:?}");
    }
    let received = Propagation::new().extract_headers(&Context::new(), sent.clone());
    assert_eq!(
        self::sent(&received),
        sent,
        "what is sent is read as what it says"
    );
}

/// What leaves if all of it may.
fn sent(context: &Context) -> Vec<(String, String)> {
    let mut keys: Vec<Key> = context
        .baggage()
        .iter()
        .map(|(key, _)| key.clone())
        .collect();
    keys.sort();
    Propagation::new()
        .with_allowed_baggage(keys)
        .to_headers(context)
}
