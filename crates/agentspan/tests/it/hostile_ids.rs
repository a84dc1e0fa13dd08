//! T2, T3: whatever a tenant or an agent calls itself, a destination beside Agent 365 gets it as a value, and no part
//! of it as anything else.

use std::collections::BTreeSet;
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agentspan::discovery::Environment;
use agentspan::model::keys;
use agentspan::otel::{ConsoleExporter, OtlpJsonLines};
use agentspan::{Destination, configure};
use agentspan_testkit::hostile_ids;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use serde_json::Value as Json;

const WHILE: Duration = Duration::from_secs(60);
const KEYS: [&str; 2] = [keys::MICROSOFT_TENANT_ID, keys::GEN_AI_AGENT_ID];

/// The names of spans, which number the ids, and the tenant and the agent of each.
fn claims() -> Vec<(String, [String; 2])> {
    let ids = hostile_ids().into_iter().enumerate();
    ids.flat_map(|(number, id)| {
        [
            (format!("tenant {number}"), [id.clone(), "agent".to_owned()]),
            (format!("agent {number}"), ["tenant".to_owned(), id]),
        ]
    })
    .collect()
}

/// Ends a span for each claim, and gives the provider, whose shutdown empties an exporter that keeps spans.
fn send_to(destination: Destination) -> SdkTracerProvider {
    let processor = configure()
        .with_environment(&Environment::default())
        .with_destination(destination)
        .with_switches_on()
        .into_processor()
        .unwrap();
    let queue = processor.queues()[0].clone();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .build();
    let tracer = provider.tracer("hostile");
    for (name, ids) in claims() {
        let ids = KEYS.into_iter().zip(ids);
        let mut span = tracer
            .span_builder(name)
            .with_attributes(ids.map(|(key, id)| KeyValue::new(key, id)))
            .start(&tracer);
        span.end();
    }
    queue.flush(WHILE).unwrap();
    let stats = queue.stats();
    assert_eq!((stats.dropped(), stats.queued), (0, 0), "{stats:?}");
    provider
}

/// Checks that each claim has arrived once, and as it was. A very long id may be cut.
fn check(arrived: Vec<(String, [String; 2])>) {
    let names: BTreeSet<_> = arrived.iter().map(|(name, _)| name.clone()).collect();
    let claims = claims();
    assert_eq!((names.len(), arrived.len()), (claims.len(), claims.len()));
    for (name, ids) in arrived {
        let claim = claims.iter().find(|(claimed, _)| *claimed == name).unwrap();
        for (id, claimed) in ids.iter().zip(&claim.1) {
            let is_cut = claimed.len() > 100_000 && id.len() > 1_000;
            assert!(id == claimed || is_cut, "{name}: {id:?} of {claimed:?}");
        }
    }
}

#[test]
fn t02_a_queue_passes_hostile_ids_on_as_values() {
    let kept = InMemorySpanExporter::default();
    let _provider = send_to(Destination::exporter("kept", kept.clone()));
    let spans = kept.get_finished_spans().unwrap();
    let arrived = spans.iter().map(|span| {
        let ids = KEYS.map(|key| {
            let mut attributes = span.attributes.iter();
            let found = attributes.find(|attribute| attribute.key.as_str() == key);
            found.unwrap().value.to_string()
        });
        (span.name.to_string(), ids)
    });
    check(arrived.collect());
}

/// The spans in a document of OTLP.
fn spans_of(document: &Json) -> Vec<(String, [String; 2])> {
    let scopes = document["resourceSpans"][0]["scopeSpans"].as_array();
    let spans = scopes.unwrap().iter();
    let spans = spans.flat_map(|scope| scope["spans"].as_array().unwrap());
    spans
        .map(|span| {
            let ids = KEYS.map(|key| {
                let mut attributes = span["attributes"].as_array().unwrap().iter();
                let found = attributes.find(|attribute| attribute["key"] == key);
                let value = found.unwrap()["value"]["stringValue"].as_str();
                value.unwrap().to_owned()
            });
            (span["name"].as_str().unwrap().to_owned(), ids)
        })
        .collect()
}

#[test]
fn t02_hostile_ids_stay_values_in_a_file() {
    let path = format!("{}/hostile-ids.jsonl", env!("CARGO_TARGET_TMPDIR"));
    let _ = fs::remove_file(&path);
    send_to(Destination::json_lines(
        OtlpJsonLines::append(&path).unwrap(),
    ));
    let text = fs::read_to_string(&path).unwrap();
    let documents = text
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).unwrap());
    check(documents.flat_map(|document| spans_of(&document)).collect());
}

#[test]
fn t02_hostile_ids_steer_no_console() {
    let text = Arc::new(Mutex::new(String::new()));
    let sink = Arc::clone(&text);
    let console = ConsoleExporter::with_sink(move |tree| {
        sink.lock().unwrap().push_str(tree);
        Ok(())
    });
    send_to(Destination::console(console.with_contents()));
    let text = text.lock().unwrap();
    for (name, _) in claims() {
        assert!(text.contains(&name), "{name}");
    }
    let steers = |c: &char| {
        let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        turns || (c.is_control() && *c != '\n')
    };
    let found: BTreeSet<_> = text.chars().filter(steers).collect();
    assert_eq!(found, BTreeSet::new());
}

#[cfg(all(feature = "otlp-http", feature = "otlp-grpc"))]
mod wire {
    use agentspan::Otlp;
    use agentspan_testkit::Service;
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use prost::Message as _;

    use super::*;
    use crate::grpc_receiver::GrpcReceiver;

    /// The spans in a message of OTLP.
    fn spans_of(message: ExportTraceServiceRequest) -> Vec<(String, [String; 2])> {
        let scopes = message.resource_spans.into_iter();
        let scopes = scopes.flat_map(|resource| resource.scope_spans);
        let document = |span: opentelemetry_proto::tonic::trace::v1::Span| {
            let ids = KEYS.map(|key| {
                let mut attributes = span.attributes.iter();
                let found = attributes.find(|attribute| attribute.key == key);
                let value = found.unwrap().value.clone().unwrap().value;
                match value.unwrap() {
                    opentelemetry_proto::tonic::common::v1::any_value::Value::StringValue(id) => id,
                    other => format!("{other:?}"),
                }
            });
            (span.name, ids)
        };
        scopes.flat_map(|scope| scope.spans).map(document).collect()
    }

    #[test]
    fn t03_hostile_ids_stay_in_bodies_over_http() {
        let service = Service::start().unwrap();
        let otlp = Otlp::new().with_endpoint(format!("{}/v1/traces", service.url()));
        send_to(Destination::otlp_http(otlp).unwrap());
        let mut arrived = Vec::new();
        let mut heads = BTreeSet::new();
        for request in service.requests() {
            assert_eq!(request.target, "/v1/traces");
            assert_eq!(request.header_values("host").len(), 1);
            let names = request.headers.iter().map(|(name, _)| name.to_string());
            heads.insert(names.collect::<Vec<_>>());
            arrived.extend(spans_of(
                ExportTraceServiceRequest::decode(request.body).unwrap(),
            ));
        }
        // No id adds a header to any request.
        assert_eq!(heads.len(), 1, "{heads:?}");
        check(arrived);
    }

    #[test]
    fn t03_hostile_ids_stay_in_bodies_over_grpc() {
        let receiver = GrpcReceiver::start(None);
        let otlp = Otlp::new().with_endpoint(receiver.url("http"));
        send_to(Destination::otlp_grpc(otlp).unwrap());
        let names: BTreeSet<_> = receiver.span_names().into_iter().collect();
        assert_eq!(names.len(), claims().len());
        assert_eq!(receiver.metadata("x-evil"), Vec::<String>::new());
    }
}
