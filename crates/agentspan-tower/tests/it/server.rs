//! The context that a request is served in.

use agentspan_otel::Propagation;
use agentspan_tower::{Layer as _, ServerLayer};
use http::Request;
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt as _;
use opentelemetry::trace::{SpanId, TraceContextExt as _, TraceId};

use crate::recorder::{Handler, Opaque, PARENT, Recorder, answer, pause, send, text};

#[test]
fn what_runs_in_a_request_is_below_the_callers_span() {
    let recorder = Recorder::new();
    let handler = recorder.clone();
    let mut service = ServerLayer::new().layer(Handler(move |request: Request<Opaque>| {
        handler.work("call");
        let handler = handler.clone();
        async move {
            assert!(request.into_body() == Opaque(1));
            pause().await;
            handler.work("poll");
            answer()
        }
    }));
    let headers: &[(&str, &[u8])] = &[
        ("traceparent", PARENT.as_bytes()),
        ("baggage", b"correlation.id=r-1"),
    ];
    assert!(send(&mut service, headers).unwrap().into_body() == Opaque(2));
    for name in ["call", "poll"] {
        let span = recorder.named(name);
        let trace = TraceId::from_hex("4bf92f3577b34da6a3ce929d0e0e4736").unwrap();
        assert_eq!(span.span_context.trace_id(), trace, "{name}");
        assert_eq!(span.parent_span_id, SpanId::from(0x00f0_67aa_0ba9_02b7));
        assert_eq!(text(&span, "correlation.id").as_deref(), Some("r-1"));
    }
    assert!(!Context::current().span().span_context().is_valid());
}

#[test]
fn a_span_around_the_layer_stays_the_parent() {
    let recorder = Recorder::new();
    let handler = recorder.clone();
    let mut service = ServerLayer::new().layer(Handler(move |_: Request<Opaque>| {
        handler.work("work");
        async { answer() }
    }));
    let outer = recorder.scope("outer");
    let outer_id = outer.span_context().span_id();
    outer.in_scope_infallible(|_| {
        send(&mut service, &[("traceparent", PARENT.as_bytes())]).unwrap();
    });
    assert_eq!(recorder.named("work").parent_span_id, outer_id);
}

#[test]
fn settings_say_what_the_request_carries() {
    let layer = ServerLayer::new()
        .with_propagation(Propagation::new().without_trace_context())
        .with_correlation_header("x-request-id")
        .with_baggage(|request, baggage| baggage.with_conversation_id(request.uri.path()))
        .with_context(|_, context| context.with_value(7_u8));
    let mut service = layer.layer(Handler(|_: Request<Opaque>| async {
        let context = Context::current();
        assert!(!context.span().span_context().is_valid());
        assert_eq!(context.get(), Some(&7_u8));
        let baggage = context.baggage();
        let value = |key: &str| baggage.get(key).map(ToString::to_string);
        assert_eq!(value("correlation.id").as_deref(), Some("r-1"));
        assert_eq!(value("gen_ai.conversation.id").as_deref(), Some("/ask"));
        answer()
    }));
    let headers: &[(&str, &[u8])] = &[("traceparent", PARENT.as_bytes()), ("x-request-id", b"r-1")];
    send(&mut service, headers).unwrap();
    assert_eq!(layer.malformed_headers(), 0);
}
