//! A span of the server around each request. It comes from the global provider, which only this
//! test sets.

use agentspan_tower::{Layer as _, ServerLayer};
use http::{Request, Response, StatusCode};
use opentelemetry::global;
use opentelemetry::trace::{SpanId, SpanKind, Status};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SimpleSpanProcessor};

use crate::recorder::{Answer, Handler, Opaque, PARENT, send, text};

#[test]
fn a_span_names_method_route_and_status_and_never_the_path() {
    let exporter = InMemorySpanExporter::default();
    let processor = SimpleSpanProcessor::new(exporter.clone());
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .build();
    global::set_tracer_provider(provider);
    let layer = ServerLayer::new().with_span(|_| Some("/{what}".to_owned()));
    let mut service = layer.layer(Handler(|_: Request<Opaque>| async {
        let mut answer = Response::new(());
        *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        Answer::Ok(answer)
    }));
    send(&mut service, &[("traceparent", PARENT.as_bytes())]).unwrap();
    let spans = exporter.get_finished_spans().unwrap();
    let [span] = &spans[..] else {
        panic!("{spans:?}")
    };
    assert_eq!(span.name, "GET /{what}");
    assert_eq!(span.span_kind, SpanKind::Server);
    assert_eq!(span.parent_span_id, SpanId::from(0x00f0_67aa_0ba9_02b7));
    assert_eq!(span.status, Status::error(""));
    for (key, expected) in [
        ("http.request.method", "GET"),
        ("http.route", "/{what}"),
        ("http.response.status_code", "503"),
        ("error.type", "503"),
    ] {
        assert_eq!(text(span, key).as_deref(), Some(expected), "{key}");
    }
    assert!(!format!("{:?}", span.attributes).contains("/ask"));
}
