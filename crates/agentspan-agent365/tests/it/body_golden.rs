//! Bodies that the reference wrote are written again, byte for byte.
//!
//! `tests/golden/bodies_v0_1.json` names its source and version. It was recorded, so there is
//! nothing that `UPDATE_GOLDEN` could rewrite.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use agentspan_agent365::encode::{BodyEncoder, EncodedResource};
use agentspan_model::agent365::Profile;
use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Array, InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use serde_json::Value as Json;

#[test]
fn the_bodies_are_those_of_the_reference() {
    let golden: Json =
        serde_json::from_str(include_str!("../golden/bodies_v0_1.json")).expect("golden file");
    let cases = golden["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 20);
    let mut encoder = BodyEncoder::new(Profile::V0_1);
    let mut body = Vec::new();
    for case in cases {
        let resource = Resource::builder_empty()
            .with_attributes(attributes(&case["resource"]))
            .build();
        let spans: Vec<SpanData> = list(&case["spans"]).iter().map(span).collect();
        body.clear();
        encoder.encode(&EncodedResource::from(&resource), &spans, &mut body);
        assert_eq!(
            String::from_utf8_lossy(&body),
            text(&case["body"]),
            "case {}",
            case["name"]
        );
    }
}

fn span(json: &Json) -> SpanData {
    let mut events = SpanEvents::default();
    events
        .events
        .extend(list(&json["events"]).iter().map(event));
    let mut links = SpanLinks::default();
    links.links.extend(
        list(&json["links"])
            .iter()
            .map(|link| Link::new(context(link), attributes(&link["attributes"]), 0)),
    );
    let scope = &json["scope"];
    let mut builder = InstrumentationScope::builder(text(&scope["name"]).to_owned());
    if let Some(version) = scope["version"].as_str() {
        builder = builder.with_version(version.to_owned());
    }
    SpanData {
        span_context: context(json),
        parent_span_id: match &json["parent"] {
            Json::Null => SpanId::INVALID,
            parent => context(parent).span_id(),
        },
        parent_span_is_remote: false,
        span_kind: match text(&json["kind"]) {
            "INTERNAL" => SpanKind::Internal,
            "SERVER" => SpanKind::Server,
            "CLIENT" => SpanKind::Client,
            "PRODUCER" => SpanKind::Producer,
            "CONSUMER" => SpanKind::Consumer,
            other => panic!("unknown kind {other}"),
        },
        name: text(&json["name"]).to_owned().into(),
        start_time: time(&json["start_time_unix_nano"]),
        end_time: time(&json["end_time_unix_nano"]),
        attributes: attributes(&json["attributes"]),
        dropped_attributes_count: 0,
        events,
        links,
        status: match text(&json["status"]["code"]) {
            "UNSET" => Status::Unset,
            "OK" => Status::Ok,
            "ERROR" => Status::error(
                json["status"]["description"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
            ),
            other => panic!("unknown status {other}"),
        },
        instrumentation_scope: builder.build(),
    }
}

fn event(json: &Json) -> Event {
    Event::new(
        text(&json["name"]).to_owned(),
        time(&json["timestamp_unix_nano"]),
        attributes(&json["attributes"]),
        0,
    )
}

fn context(json: &Json) -> SpanContext {
    SpanContext::new(
        TraceId::from_hex(text(&json["trace_id"])).expect("trace id"),
        SpanId::from_hex(text(&json["span_id"])).expect("span id"),
        TraceFlags::SAMPLED,
        false,
        TraceState::default(),
    )
}

fn time(json: &Json) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(json.as_u64().unwrap_or_default())
}

fn attributes(json: &Json) -> Vec<KeyValue> {
    let pairs = json.as_array().map(Vec::as_slice).unwrap_or_default();
    pairs
        .iter()
        .map(|pair| KeyValue::new(text(&pair[0]).to_owned(), value(&pair[1])))
        .collect()
}

fn value(json: &Json) -> Value {
    let (kind, value) = json
        .as_object()
        .and_then(|object| object.iter().next())
        .expect("typed value");
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    match kind.as_str() {
        "string" => text(value).to_owned().into(),
        "bool" => value.as_bool().expect("bool").into(),
        "int" => value.as_i64().expect("int").into(),
        "double" => value.as_f64().expect("double").into(),
        "string_array" => {
            let texts = items.iter().map(|item| text(item).to_owned().into());
            Value::Array(Array::String(texts.collect::<Vec<StringValue>>()))
        }
        "bool_array" => Value::Array(Array::Bool(items.iter().flat_map(Json::as_bool).collect())),
        "int_array" => Value::Array(Array::I64(items.iter().flat_map(Json::as_i64).collect())),
        "double_array" => Value::Array(Array::F64(items.iter().flat_map(Json::as_f64).collect())),
        other => panic!("unknown kind of value {other}"),
    }
}

fn list(json: &Json) -> &[Json] {
    json.as_array().expect("list")
}

fn text(json: &Json) -> &str {
    json.as_str().expect("text")
}
