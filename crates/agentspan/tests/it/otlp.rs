//! Spans over OTLP, on the loopback.

use std::time::Duration;

use agentspan::discovery::Environment;
use agentspan::{Destination, Otlp, configure};
use agentspan_testkit::{Answer, Service};
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::SdkTracerProvider;

const WHILE: Duration = Duration::from_secs(30);

#[test]
fn the_environment_says_where_otlp_goes_and_the_request_holds_the_span() {
    let service = Service::builder()
        .script([Answer::status(200)])
        .start()
        .unwrap();
    let base = service.url();
    let environment = Environment::from_iter([
        ("OTEL_TRACES_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", base.as_str()),
    ]);
    let processor = configure()
        .with_environment(&environment)
        .into_processor()
        .unwrap();
    let queues = processor.queues().to_vec();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .build();
    provider.tracer("t").start("over the wire").end();
    queues[0].flush(WHILE).unwrap();
    let requests = service.wait_for(1, WHILE).unwrap();
    assert_eq!(requests[0].target, "/v1/traces");
    let body = String::from_utf8_lossy(&requests[0].body);
    assert!(body.contains("over the wire"), "{body}");
    assert_eq!(queues[0].stats().exported, 1);
}

#[test]
fn debug_shows_no_secret_of_a_receiver() {
    let otlp = Otlp::new()
        .with_endpoint("https://example.com/v1/traces?key=secret-1")
        .with_header("authorization", "secret-2");
    let text = format!("{otlp:?}");
    assert!(!text.contains("secret"), "{text}");
    assert!(text.contains("authorization") && text.contains("example.com"));
    let destination = Destination::otlp_http(otlp).unwrap();
    assert!(!format!("{destination:?}").contains("secret"));
}
