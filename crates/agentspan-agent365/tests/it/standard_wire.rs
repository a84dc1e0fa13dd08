//! Bodies in the JSON of OTLP, which `Profile::Direct` sends and every profile can.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use agentspan_agent365::DropReason;
use agentspan_agent365::encode::{BodyEncoder, EncodedResource};
use agentspan_model::agent365::Profile;
use agentspan_model::agent365::contract::Wire;
use agentspan_model::keys;
use opentelemetry::trace::{SpanId, SpanKind, Status};
use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::any_span::{attributes, plain_span, span};
use crate::delivery_fixture::{TENANT, check_conserved, delivery_to, export, service, token};
use agentspan_testkit::Answer;

const AGENT: &str = "11111111-2222-4333-8444-555555555555";

fn encode(resource: &Resource, spans: &[SpanData]) -> Json {
    let mut body = Vec::new();
    BodyEncoder::new(Profile::Direct).encode(&EncodedResource::from(resource), spans, &mut body);
    serde_json::from_slice(&body).expect("a body is JSON")
}

fn no_resource() -> Resource {
    Resource::builder_empty().build()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_body_says_what_the_spans_hold(attributes in attributes(0..8), span in span()) {
        let resource = Resource::builder_empty().with_attributes(attributes).build();
        let body = encode(&resource, std::slice::from_ref(&span));
        let mut sorted: Vec<_> = resource.iter().collect();
        sorted.sort_by_key(|(key, _)| key.as_str());
        let of_resource = sorted
            .into_iter()
            .map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
        let list = list_model(&of_resource.collect::<Vec<_>>());
        prop_assert_eq!(&body["resourceSpans"][0]["resource"]["attributes"], &list);
        let group = &body["resourceSpans"][0]["scopeSpans"][0];
        let scope = &span.instrumentation_scope;
        let mut expected = json!({"name": scope.name()});
        if let Some(version) = scope.version() {
            expected["version"] = version.into();
        }
        prop_assert_eq!(&group["scope"], &expected);
        prop_assert_eq!(&group["spans"], &json!([span_model(&span)]));
    }

    #[test]
    fn all_spans_are_in_the_groups_of_their_scopes(spans in vec(span(), 0..8)) {
        let body = encode(&no_resource(), &spans);
        let groups = body["resourceSpans"][0]["scopeSpans"].as_array().expect("a list");
        let count: usize = groups
            .iter()
            .map(|group| group["spans"].as_array().map_or(0, Vec::len))
            .sum();
        prop_assert_eq!(count, spans.len());
        prop_assert_eq!(&body["resourceSpans"][0]["resource"]["attributes"], &json!([]));
    }
}

fn span_model(span: &SpanData) -> Json {
    let kind = match span.span_kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    };
    let mut json = json!({
        "traceId": span.span_context.trace_id().to_string(),
        "spanId": span.span_context.span_id().to_string(),
        "name": span.name,
        "kind": kind,
        "startTimeUnixNano": nanos(span.start_time),
        "endTimeUnixNano": nanos(span.end_time),
    });
    if span.parent_span_id != SpanId::INVALID {
        json["parentSpanId"] = span.parent_span_id.to_string().into();
    }
    add_attributes(&mut json, &span.attributes);
    let events = span.events.iter().map(|event| {
        let mut json = json!({"timeUnixNano": nanos(event.timestamp), "name": event.name});
        add_attributes(&mut json, &event.attributes);
        json
    });
    add_list(&mut json, "events", events.collect());
    let links = span.links.iter().map(|link| {
        let mut json = json!({
            "traceId": link.span_context.trace_id().to_string(),
            "spanId": link.span_context.span_id().to_string(),
        });
        add_attributes(&mut json, &link.attributes);
        json
    });
    add_list(&mut json, "links", links.collect());
    match &span.status {
        Status::Unset => {}
        Status::Ok => json["status"] = json!({"code": 1}),
        Status::Error { description } => {
            json["status"] = json!({"code": 2, "message": description});
        }
    }
    json
}

fn add_attributes(json: &mut Json, attributes: &[KeyValue]) {
    if let Json::Array(list) = list_model(attributes) {
        add_list(json, "attributes", list);
    }
}

fn add_list(json: &mut Json, name: &str, list: Vec<Json>) {
    if !list.is_empty() {
        json[name] = list.into();
    }
}

/// Of equal keys the last one counts.
fn list_model(attributes: &[KeyValue]) -> Json {
    let mut list: Vec<(&str, String)> = Vec::new();
    for attribute in attributes {
        let key = attribute.key.as_str();
        if !key.is_empty() {
            list.retain(|(known, _)| *known != key);
            list.push((key, text_model(&attribute.value)));
        }
    }
    let list = list.into_iter();
    list.map(|(key, text)| json!({"key": key, "value": {"stringValue": text}}))
        .collect()
}

fn text_model(value: &Value) -> String {
    match value {
        Value::Bool(flag) => flag.to_string(),
        Value::I64(number) => number.to_string(),
        Value::F64(number) => match crate::body_model::float(*number) {
            Json::String(text) => text,
            number => number.to_string(),
        },
        Value::String(text) => text.to_string(),
        Value::Array(Array::Bool(flags)) => json!(flags).to_string(),
        Value::Array(Array::I64(numbers)) => json!(numbers).to_string(),
        Value::Array(Array::F64(numbers)) => {
            let numbers = numbers
                .iter()
                .map(|number| crate::body_model::float(*number));
            numbers.collect::<Json>().to_string()
        }
        Value::Array(Array::String(texts)) => {
            let texts = texts.iter().map(StringValue::as_str);
            texts.collect::<Json>().to_string()
        }
        other => panic!("unknown kind of value {other:?}"),
    }
}

fn nanos(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_nanos())
        .unwrap_or(u64::MAX)
        .to_string()
}

#[test]
fn every_value_is_a_string_whatever_its_kind() {
    let mut one = plain_span();
    one.attributes = vec![
        KeyValue::new("tokens", 42),
        KeyValue::new("flag", true),
        KeyValue::new("share", 0.5),
        KeyValue::new(
            "reasons",
            Value::Array(vec![StringValue::from("a\"b")].into()),
        ),
    ];
    let body = encode(&no_resource(), &[one]);
    let span = &body["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    assert_eq!(
        span["attributes"],
        json!([
            {"key": "tokens", "value": {"stringValue": "42"}},
            {"key": "flag", "value": {"stringValue": "true"}},
            {"key": "share", "value": {"stringValue": "0.5"}},
            {"key": "reasons", "value": {"stringValue": "[\"a\\\"b\"]"}},
        ])
    );
}

#[test]
fn either_wire_goes_with_each_profile() {
    for profile in Profile::ALL {
        for (wire, is_list) in [(Wire::Flat, false), (Wire::Standard, true)] {
            let mut body = Vec::new();
            let mut one = plain_span();
            one.attributes = vec![KeyValue::new("tokens", 42)];
            BodyEncoder::new(profile).with_wire(wire).encode(
                &EncodedResource::from(&no_resource()),
                &[one],
                &mut body,
            );
            let body: Json = serde_json::from_slice(&body).unwrap();
            let span = &body["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
            assert_eq!(
                span["attributes"].is_array(),
                is_list,
                "{profile:?}, {wire:?}"
            );
        }
    }
}

fn direct_span(operation: &'static str) -> SpanData {
    let attributes = [
        KeyValue::new(keys::GEN_AI_OPERATION_NAME, operation),
        KeyValue::new(keys::MICROSOFT_TENANT_ID, TENANT),
        KeyValue::new(keys::GEN_AI_AGENT_ID, AGENT),
        KeyValue::new(keys::SERVER_PORT, 443),
    ];
    SpanData {
        attributes: attributes.into(),
        ..plain_span()
    }
}

#[test]
fn direct_sends_the_documented_operations_in_the_json_of_otlp() {
    let service = service([Answer::status(200)]);
    let delivery = delivery_to(&service, token("t"))
        .with_profile(Profile::Direct)
        .build()
        .unwrap();
    let operations = ["invoke_agent", "execute_tool", "chat", "output_messages"];
    let mut spans: Vec<SpanData> = operations.map(direct_span).into();
    spans.extend(["apply_guardrail", "Chat", "text_completion"].map(direct_span));
    let report = export(&delivery.exporter(), spans);
    assert_eq!(report.exported(), operations.len());
    assert_eq!(report.dropped_for(DropReason::OtherOperation), 3);
    let requests = service.requests();
    assert_eq!(requests.len(), 1);
    let path = requests[0].path();
    assert!(path.starts_with("/observabilityService/tenants/"), "{path}");
    let body: Json = serde_json::from_slice(&requests[0].body).unwrap();
    let sent = body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array();
    let sent = sent.expect("a list of spans");
    assert_eq!(sent.len(), operations.len());
    for span in sent {
        let port = json!({"key": "server.port", "value": {"stringValue": "443"}});
        assert!(span["attributes"].as_array().unwrap().contains(&port));
    }
    check_conserved(&delivery);
}

#[test]
fn one_setting_sends_the_flat_wire() {
    let service = service([Answer::status(200)]);
    let delivery = delivery_to(&service, token("t"))
        .with_profile(Profile::Direct)
        .with_wire(Wire::Flat)
        .build()
        .unwrap();
    export(&delivery.exporter(), vec![direct_span("chat")]);
    let requests = service.requests();
    let body: Json = serde_json::from_slice(&requests[0].body).unwrap();
    let span = &body["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    assert_eq!(span["attributes"]["server.port"], 443);
    check_conserved(&delivery);
}

/// What no service was seen to take: 1,000,000 bytes for a body, and 250 KiB for a span.
#[test]
fn bodies_and_spans_stay_within_the_limits_of_the_service() {
    let service = service((0..20).map(|_| Answer::status(200)));
    let delivery = delivery_to(&service, token("t"))
        .with_profile(Profile::Direct)
        .build()
        .unwrap();
    let spans = (0..12).map(|_| {
        let mut span = direct_span("chat");
        let texts: Vec<StringValue> = (0..30_000).map(|_| "\u{1}\"".into()).collect();
        span.attributes
            .push(KeyValue::new("texts", Value::Array(texts.into())));
        span.attributes
            .push(KeyValue::new("text", "\u{1}".repeat(30_000)));
        span
    });
    let report = export(&delivery.exporter(), spans.collect());
    assert_eq!(report.exported(), 12);
    for request in service.requests() {
        assert!(request.body.len() < 1_000_000, "{}", request.body.len());
        let body: Json = serde_json::from_slice(&request.body).unwrap();
        for span in body["resourceSpans"][0]["scopeSpans"][0]["spans"]
            .as_array()
            .unwrap()
        {
            assert!(span.to_string().len() <= 250 * 1024);
        }
    }
    check_conserved(&delivery);
}
