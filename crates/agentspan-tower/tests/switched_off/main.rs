//! Requests that are served while scopes are off. A binary of its own: the switch belongs to the
//! whole process.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::task::{Context as TaskContext, Poll, Waker};

use agentspan_model::agent365::{AgentDetails, AgentId, Identity, InvokeAgentDetails};
use agentspan_otel::InvokeAgentScope;
use agentspan_otel::scopes::set_enabled;
use agentspan_tower::{Layer as _, ServerLayer, Service};
use http::{Request, Response};
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt as _;
use opentelemetry::trace::TraceContextExt as _;

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Answers with what it finds in its context, when it is called and when it is polled.
struct Sees;

type Seen = (Option<String>, Option<u8>, String);

fn see() -> Seen {
    let context = Context::current();
    let tenant = context.baggage().get("tenant.id").map(ToString::to_string);
    let trace = context.span().span_context().trace_id().to_string();
    (tenant, context.get().copied(), trace)
}

impl Service<Request<()>> for Sees {
    type Response = Response<[Seen; 2]>;
    type Error = Infallible;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>>>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        let called = see();
        Box::pin(async { Ok(Response::new([called, see()])) })
    }
}

#[test]
fn a_request_whose_scope_is_off_is_served_in_its_context() {
    set_enabled(false);
    let layer = ServerLayer::new()
        .with_identity(|_| Identity::parse("tenant-1", "agent-1").ok())
        .with_context(|_, context| context.with_value(7_u8))
        .with_scope(|_| {
            let agent = AgentDetails::new(AgentId::parse("agent-1").unwrap());
            Some(InvokeAgentScope::builder(&InvokeAgentDetails::new(agent)).start())
        });
    let mut service = layer.layer(Sees);
    let request = Request::builder()
        .header("traceparent", PARENT)
        .body(())
        .unwrap();
    let mut future = pin!(service.call(request));
    let mut task = TaskContext::from_waker(Waker::noop());
    let Poll::Ready(answer) = future.as_mut().poll(&mut task) else {
        panic!("it waits for nothing");
    };
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736".to_owned();
    let expected = (Some("tenant-1".to_owned()), Some(7), trace);
    assert_eq!(answer.unwrap().into_body(), [expected.clone(), expected]);
}
