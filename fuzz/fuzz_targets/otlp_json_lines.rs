//! Spans as lines of OTLP's JSON: each line is JSON that a Collector reads, and has each span once.

#![no_main]

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use agentspan_otel::OtlpJsonLines;
use fuzz::spans::{attribute, several, span};
use libfuzzer_sys::arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;
use opentelemetry::{Array, KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use serde_json::{Value as Json, json};

/// A longer line holds one span.
const LONGEST: usize = 1_000_000;

fuzz_target!(|bytes: &[u8]| {
    let mut input = Unstructured::new(bytes);
    let Ok(spans) = several(&mut input, 6, span) else {
        return;
    };
    let attributes = several(&mut input, 3, attribute).unwrap_or_default();
    let resource = Resource::builder_empty()
        .with_attributes(attributes)
        .build();
    let mut written = Vec::new();
    for line in lines(&spans, &resource).lines() {
        let json: Json = serde_json::from_str(line).expect("a line is JSON");
        let resources = json["resourceSpans"].as_array().expect("resources");
        assert_eq!(resources.len(), 1);
        let said = resources[0]["resource"]["attributes"].as_array();
        assert_eq!(said.map_or(0, Vec::len), resource.iter().count());
        let scopes = resources[0]["scopeSpans"].as_array().expect("scopes");
        let of_line = scopes.iter().flat_map(|scope| {
            let name = scope["scope"]["name"].clone();
            let spans = scope["spans"].as_array().expect("spans");
            spans.iter().map(move |span| (name.clone(), span.clone()))
        });
        let before = written.len();
        written.extend(of_line);
        assert!(line.len() <= LONGEST || written.len() == before + 1);
    }
    let mut expected: Vec<(Json, Json)> = spans.iter().map(of_span).collect();
    let mut written: Vec<(Json, Json)> = written.into_iter().map(said_of_span).collect();
    // Spans that say the same may be in several scopes.
    let text = |(scope, span): &(Json, Json)| format!("{scope} {span}");
    expected.sort_by_cached_key(text);
    written.sort_by_cached_key(text);
    assert_eq!(written, expected);
});

fn lines(spans: &[SpanData], resource: &Resource) -> String {
    let sink = Arc::new(Mutex::new(String::new()));
    let written = Arc::clone(&sink);
    let mut exporter = OtlpJsonLines::with_sink(move |lines| {
        written.lock().unwrap().push_str(lines);
        Ok(())
    });
    exporter.set_resource(resource);
    let export = pin!(exporter.export(spans.to_vec()));
    let polled = export.poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Ready(Ok(()))));
    let lines = sink.lock().unwrap();
    lines.clone()
}

/// What is compared of a span, beside the name of its scope.
fn of_span(span: &SpanData) -> (Json, Json) {
    let events = span.events.iter();
    let events = events.map(|event| json!([event.name, attributes(&event.attributes)]));
    let said = json!({
        "traceId": span.span_context.trace_id().to_string(),
        "spanId": span.span_context.span_id().to_string(),
        "name": span.name,
        "attributes": attributes(&span.attributes),
        "events": events.collect::<Vec<_>>(),
        "links": span.links.iter().count(),
    });
    (span.instrumentation_scope.name().into(), said)
}

fn said_of_span((scope, span): (Json, Json)) -> (Json, Json) {
    let list = |json: &Json| json.as_array().cloned().unwrap_or_default();
    let events = list(&span["events"]).into_iter();
    let events = events.map(|event| json!([event["name"], list(&event["attributes"])]));
    let said = json!({
        "traceId": span["traceId"],
        "spanId": span["spanId"],
        "name": span["name"],
        "attributes": list(&span["attributes"]),
        "events": events.collect::<Vec<_>>(),
        "links": list(&span["links"]).len(),
    });
    (scope, said)
}

fn attributes(attributes: &[KeyValue]) -> Vec<Json> {
    let attributes = attributes.iter();
    attributes
        .map(|it| json!({"key": it.key.as_str(), "value": value(&it.value)}))
        .collect()
}

fn value(value: &Value) -> Json {
    match value {
        Value::Bool(flag) => json!({"boolValue": flag}),
        Value::I64(number) => json!({"intValue": number.to_string()}),
        Value::F64(number) => json!({"doubleValue": double(*number)}),
        Value::String(text) => json!({"stringValue": text.as_str()}),
        Value::Array(array) => {
            let values: Vec<Json> = match array {
                Array::Bool(items) => items.iter().map(|it| json!({"boolValue": it})).collect(),
                Array::I64(items) => {
                    let items = items.iter();
                    items
                        .map(|it| json!({"intValue": it.to_string()}))
                        .collect()
                }
                Array::F64(items) => {
                    let items = items.iter();
                    items
                        .map(|it| json!({"doubleValue": double(*it)}))
                        .collect()
                }
                Array::String(items) => {
                    let items = items.iter();
                    items
                        .map(|it| json!({"stringValue": it.as_str()}))
                        .collect()
                }
                other => panic!("a new kind of list: {other:?}"),
            };
            json!({"arrayValue": {"values": values}})
        }
        other => panic!("a new kind of value: {other:?}"),
    }
}

fn double(number: f64) -> Json {
    match number {
        number if number.is_nan() => "NaN".into(),
        f64::INFINITY => "Infinity".into(),
        f64::NEG_INFINITY => "-Infinity".into(),
        number => number.into(),
    }
}
