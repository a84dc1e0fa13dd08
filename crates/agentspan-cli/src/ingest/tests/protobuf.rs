//! Protobuf becomes the same as its JSON.

use agentspan_model::agent365::Profile;
use agentspan_model::agent365::contract::observed_span;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Proto;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1 as proto;
use serde_json::Value;

use crate::ingest::{body, otlp};
use crate::reading::Reading;
use crate::span::{Form, Span};
use crate::store::Store;

fn text(text: &str) -> Option<Proto> {
    Some(Proto::StringValue(text.to_owned()))
}

fn pair(key: &str, value: Option<Proto>) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value }),
        ..KeyValue::default()
    }
}

fn list(items: [Option<Proto>; 2]) -> Option<Proto> {
    let values = items.into_iter().map(|value| AnyValue { value });
    let values = values.collect();
    Some(Proto::ArrayValue(ArrayValue { values }))
}

/// Attributes with a value of each kind, and those of a call of a model.
fn attributes() -> Vec<KeyValue> {
    let map = KeyValueList {
        values: vec![pair("in", text("it"))],
    };
    let mut attributes = vec![
        pair("text", text("Grüße, \"quoted\"")),
        pair("truth", Some(Proto::BoolValue(true))),
        pair("whole", Some(Proto::IntValue(i64::MIN))),
        pair("half", Some(Proto::DoubleValue(0.5))),
        pair("no number", Some(Proto::DoubleValue(f64::NAN))),
        pair("texts", list([text("a"), text("b")])),
        pair("mixed", list([text("a"), Some(Proto::IntValue(-3))])),
        pair("bytes", Some(Proto::BytesValue(vec![0, 255]))),
        pair("map", Some(Proto::KvlistValue(map))),
        pair("empty", None),
        KeyValue {
            key: "nothing".to_owned(),
            ..KeyValue::default()
        },
        pair("", text("no key")),
    ];
    for (key, value) in super::attributes() {
        attributes.push(match value {
            Value::String(words) => pair(key, text(&words)),
            number => pair(key, number.as_i64().map(Proto::IntValue)),
        });
    }
    attributes
}

fn span() -> proto::Span {
    proto::Span {
        trace_id: vec![0xab; 16],
        span_id: vec![1; 8],
        name: "chat gpt-4o".to_owned(),
        kind: 3,
        start_time_unix_nano: 1_765_000_000_000_000_000,
        end_time_unix_nano: 1_765_000_001_000_000_000,
        attributes: attributes(),
        events: vec![proto::span::Event {
            name: "gen_ai.content.prompt".to_owned(),
            time_unix_nano: 1_765_000_000_000_000_001,
            attributes: attributes(),
            ..proto::span::Event::default()
        }],
        links: vec![proto::span::Link {
            trace_id: vec![0xcd; 16],
            span_id: vec![0xef; 8],
            attributes: attributes(),
            ..proto::span::Link::default()
        }],
        ..proto::Span::default()
    }
}

/// Spans in each state, two of them without ids.
fn spans() -> Vec<proto::Span> {
    let of = |number: u8, change: &dyn Fn(&mut proto::Span)| {
        let mut span = span();
        span.span_id = vec![number; 8];
        change(&mut span);
        span
    };
    let status = |span: &mut proto::Span, code| {
        let message = "gone".to_owned();
        span.status = Some(proto::Status { code, message });
    };
    vec![
        of(1, &|_| ()),
        of(2, &|span| status(span, 0)),
        of(3, &|span| status(span, 1)),
        of(4, &|span| status(span, 2)),
        of(5, &|span| span.end_time_unix_nano = 0),
        of(6, &|span| span.start_time_unix_nano = 0),
        of(7, &|span| span.parent_span_id = vec![9; 8]),
        of(8, &|span| span.kind = 1),
        of(9, &|span| span.kind = 99),
        of(10, &|span| span.trace_id = vec![7; 3]),
        of(11, &|span| span.trace_id = Vec::new()),
        of(12, &|span| span.span_id = Vec::new()),
        of(13, &|span| span.attributes.truncate(12)),
        of(14, &|span| span.attributes.rotate_left(13)),
        proto::Span {
            trace_id: vec![8; 16],
            span_id: vec![15; 8],
            ..proto::Span::default()
        },
    ]
}

/// A request with and without a resource, each with and without a scope.
fn request() -> ExportTraceServiceRequest {
    let scope = InstrumentationScope {
        name: "agent".to_owned(),
        ..InstrumentationScope::default()
    };
    let of_scope = |scope| proto::ScopeSpans {
        scope,
        spans: spans(),
        ..proto::ScopeSpans::default()
    };
    let resource = Resource {
        attributes: vec![pair("service.name", text("trips"))],
        ..Resource::default()
    };
    let of_resource = |resource| proto::ResourceSpans {
        resource,
        scope_spans: vec![of_scope(Some(scope.clone())), of_scope(None)],
        ..proto::ResourceSpans::default()
    };
    ExportTraceServiceRequest {
        resource_spans: vec![of_resource(Some(resource)), of_resource(None)],
    }
}

/// All that is known of a span, its JSON by its value: the order of members says nothing.
fn known(span: &Span) -> String {
    let Span {
        facts, form, group, ..
    } = span;
    let ids = (&span.trace_id, &span.span_id, &span.parent_id);
    let times = (span.start, span.end);
    let (name, json) = (&span.name, span.value());
    format!(
        "{ids:?} {times:?} {name} {} {facts:?} {form:?} {group:?} {json}",
        span.is_error
    )
}

#[test]
fn protobuf_says_the_same_as_its_json() {
    for span in spans() {
        let json = serde_json::to_value(&span).unwrap();
        let reading = Reading::of_otlp(span);
        assert_eq!(format!("{reading:?}"), format!("{:?}", Reading::of(&json)));
    }
}

#[test]
fn the_rules_see_the_same_in_protobuf_as_in_its_json() {
    for mut span in spans() {
        // Without a value, an attribute of JSON is none.
        span.attributes.retain(|pair| pair.value.is_some());
        let json = serde_json::to_value(&span).unwrap();
        let of_json = observed_span(&json).unwrap().without_wire();
        let of_json = of_json.with_ids("", "").with_parent("");
        assert_eq!(Reading::of_otlp(span).observed(), of_json);
    }
}

#[test]
fn protobuf_becomes_the_same_as_its_json() {
    let json = serde_json::to_value(request()).unwrap();
    for package in [Profile::V0_1, Profile::V2, Profile::V3] {
        let store = || Store::new(1 << 24).with_package(package);
        let (mut of_protobuf, mut of_json) = (store(), store());
        let taken = otlp(request(), &mut of_protobuf).unwrap();
        assert_eq!(taken, body(&json, Some(Form::Otlp), None, &mut of_json));
        assert_eq!((taken.spans, taken.without_ids), (52, 8));
        let known = |store: &Store| -> Vec<_> {
            let spans = store.traces().flat_map(|trace| trace.spans().into_owned());
            spans.map(|span| known(&span)).collect()
        };
        assert_eq!(known(&of_protobuf), known(&of_json));
        let refused = |known: &String| known.contains("is_refused: true");
        assert!(known(&of_json).iter().any(refused));
        assert!(!known(&of_json).iter().all(refused));
    }
}

#[test]
fn what_resources_of_one_request_take_is_freed_with_their_traces() {
    let mut request = request();
    request.resource_spans.clear();
    for number in 1..=100 {
        let mut span = span();
        span.trace_id = vec![number; 16];
        let name = |at: u8| format!("attribute {at}");
        let attributes = (0..20).map(|at| pair(&name(at), text(&number.to_string())));
        request.resource_spans.push(proto::ResourceSpans {
            resource: Some(Resource {
                attributes: attributes.collect(),
                ..Resource::default()
            }),
            scope_spans: vec![proto::ScopeSpans {
                spans: vec![span],
                ..proto::ScopeSpans::default()
            }],
            ..proto::ResourceSpans::default()
        });
    }
    let mut store = Store::new(1 << 20);
    let taken = otlp(request, &mut store).unwrap();
    assert_eq!((taken.spans, taken.too_large), (100, 0));
    assert!(store.lost().traces > 0);
}
