//! A scope around each request.

use std::io;
use std::sync::Mutex;

use agentspan_model::agent365::{AgentDetails, AgentId, InvokeAgentDetails};
use agentspan_otel::InvokeAgentScope;
use agentspan_tower::{Layer as _, ServerLayer};
use http::{Request, Response, StatusCode};
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt as _;
use opentelemetry::trace::{SpanId, Status, TraceContextExt as _};

use crate::recorder::{
    Handler, Opaque, PARENT, Recorder, answer, block_on, pause, request, send, text,
};

fn layer(recorder: &Recorder) -> ServerLayer {
    let scopes = recorder.clone();
    ServerLayer::new()
        .with_scope(move |request| (request.uri.path() == "/ask").then(|| scopes.scope("agent-1")))
}

#[test]
fn the_scope_is_below_the_caller_and_above_the_work() {
    let recorder = Recorder::new();
    let handler = recorder.clone();
    let mut service = layer(&recorder).layer(Handler(move |request: Request<Opaque>| {
        let handler = handler.clone();
        async move {
            let scope = request.extensions().get::<InvokeAgentScope>().unwrap();
            scope.record_response("It rains.");
            pause().await;
            handler.work("work");
            answer()
        }
    }));
    send(&mut service, &[("traceparent", PARENT.as_bytes())]).unwrap();
    let scope = recorder.named("invoke_agent");
    assert_eq!(scope.parent_span_id, SpanId::from(0x00f0_67aa_0ba9_02b7));
    assert_eq!(scope.status, Status::Unset);
    assert!(
        text(&scope, "gen_ai.output.messages")
            .unwrap()
            .contains("It rains.")
    );
    assert_eq!(
        recorder.named("work").parent_span_id,
        scope.span_context.span_id()
    );
}

#[test]
fn a_request_that_is_no_invocation_has_no_scope() {
    let recorder = Recorder::new();
    let mut service = layer(&recorder).layer(Handler(|request: Request<Opaque>| async move {
        assert!(request.extensions().get::<InvokeAgentScope>().is_none());
        answer()
    }));
    let mut health = request(&[]);
    *health.uri_mut() = "/health".parse().unwrap();
    block_on(agentspan_tower::Service::call(&mut service, health)).unwrap();
    assert!(recorder.spans().is_empty());
}

#[test]
fn an_answer_that_says_so_is_an_error() {
    for (status, expected) in [
        (StatusCode::BAD_GATEWAY, Status::error("Bad Gateway")),
        (StatusCode::NOT_FOUND, Status::Unset),
    ] {
        let recorder = Recorder::new();
        let mut service = layer(&recorder).layer(Handler(move |_: Request<Opaque>| async move {
            let mut answer = Response::new(());
            *answer.status_mut() = status;
            Ok::<_, io::Error>(answer)
        }));
        assert_eq!(send(&mut service, &[]).unwrap().status(), status);
        let span = recorder.named("invoke_agent");
        assert_eq!(span.status, expected);
        let error = text(&span, "error.type");
        assert_eq!(error.is_some(), expected != Status::Unset, "{error:?}");
    }
}

#[test]
fn a_service_that_fails_is_an_error() {
    let recorder = Recorder::new();
    let mut service = layer(&recorder).layer(Handler(|_: Request<Opaque>| async {
        Err::<Response<()>, _>(io::Error::other("gone"))
    }));
    assert_eq!(send(&mut service, &[]).unwrap_err().to_string(), "gone");
    assert_eq!(recorder.named("invoke_agent").status, Status::error("gone"));
}

#[test]
fn a_request_whose_scope_is_not_recorded_is_served_in_its_context() {
    let layer = ServerLayer::new()
        .with_correlation_header("x-request-id")
        .with_context(|_, context| context.with_value(7_u8))
        .with_scope(|_| {
            let agent = AgentDetails::new(AgentId::parse("agent-1").unwrap());
            // Nobody has set a default tracer: there is no provider.
            Some(InvokeAgentScope::builder(&InvokeAgentDetails::new(agent)).start())
        });
    let seen = &Mutex::new(Vec::new());
    let see = || {
        let context = Context::current();
        let value = |key: &str| context.baggage().get(key).map(ToString::to_string);
        let trace = context.span().span_context().trace_id().to_string();
        let values = (value("correlation.id"), context.get::<u8>().copied(), trace);
        seen.lock().unwrap().push(values);
    };
    let mut service = layer.layer(Handler(|request: Request<Opaque>| {
        assert!(request.extensions().get::<InvokeAgentScope>().is_some());
        see();
        async move {
            see();
            pause().await;
            see();
            answer()
        }
    }));
    let headers: &[(&str, &[u8])] = &[("traceparent", PARENT.as_bytes()), ("x-request-id", b"r")];
    send(&mut service, headers).unwrap();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736".to_owned();
    let expected = (Some("r".to_owned()), Some(7), trace);
    assert_eq!(*seen.lock().unwrap(), vec![expected; 3]);
}
