//! Requests that nobody waits for any more.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use agentspan_tower::{Layer as _, ServerLayer, Service as _};
use http::Request;
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt as _;
use opentelemetry::trace::{Status, TraceContextExt as _};

use crate::recorder::{Answer, Handler, Opaque, PARENT, Recorder, poll, request};

/// Says what was current when it was dropped.
struct OnDrop(Arc<Mutex<Vec<String>>>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        let context = Context::current();
        let source = context
            .baggage()
            .get("operation.source")
            .map(ToString::to_string);
        self.0.lock().unwrap().push(source.unwrap_or_default());
    }
}

#[test]
fn what_a_dropped_request_holds_is_dropped_in_its_context() {
    let recorder = Recorder::new();
    let dropped = Arc::<Mutex<Vec<String>>>::default();
    let seen = Arc::clone(&dropped);
    let scopes = recorder.clone();
    let layer = ServerLayer::new().with_scope(move |_| Some(scopes.scope("agent-1")));
    let mut service = layer.layer(Handler(move |_: Request<Opaque>| {
        let held = OnDrop(Arc::clone(&seen));
        async move {
            std::future::pending::<()>().await;
            drop(held);
            unreachable()
        }
    }));
    let headers: &[(&str, &[u8])] = &[
        ("traceparent", PARENT.as_bytes()),
        ("baggage", b"operation.source=web"),
    ];
    let mut running = Box::pin(service.call(request(headers)));
    assert!(poll(running.as_mut()).is_pending());
    assert!(recorder.spans().is_empty());
    drop(running);
    assert_eq!(*dropped.lock().unwrap(), ["web"]);
    let span = recorder.named("invoke_agent");
    assert_eq!(span.status, Status::error("Task was cancelled"));
    assert!(!Context::current().span().span_context().is_valid());
}

fn unreachable() -> Answer {
    panic!("nobody waits")
}

#[test]
fn a_request_that_is_never_polled_ends_its_scope() {
    let recorder = Recorder::new();
    let scopes = recorder.clone();
    let layer = ServerLayer::new().with_scope(move |_| Some(scopes.scope("agent-1")));
    let mut service = layer.layer(Handler(|_: Request<Opaque>| async { unreachable() }));
    drop(service.call(request(&[])));
    let span = recorder.named("invoke_agent");
    assert_eq!(span.status, Status::error("Task was cancelled"));
}

#[test]
fn a_request_that_another_panic_drops_was_cancelled() {
    let recorder = Recorder::new();
    let scopes = recorder.clone();
    let layer = ServerLayer::new().with_scope(move |_| Some(scopes.scope("agent-1")));
    let mut service = layer.layer(Handler(|_: Request<Opaque>| async {
        std::future::pending::<()>().await;
        unreachable()
    }));
    let mut running = Box::pin(service.call(request(&[])));
    assert!(poll(running.as_mut()).is_pending());
    let beside = catch_unwind(AssertUnwindSafe(move || {
        let _dropped_while_unwinding = running;
        panic!("beside it")
    }));
    assert!(beside.is_err());
    let span = recorder.named("invoke_agent");
    assert_eq!(span.status, Status::error("Task was cancelled"));
}

#[test]
fn a_service_that_panics_was_not_cancelled() {
    let recorder = Recorder::new();
    let scopes = recorder.clone();
    let layer = ServerLayer::new().with_scope(move |_| Some(scopes.scope("agent-1")));
    let mut service = layer.layer(Handler(|_: Request<Opaque>| async { unreachable() }));
    let mut running = Box::pin(service.call(request(&[])));
    let polled = catch_unwind(AssertUnwindSafe(|| poll(running.as_mut())));
    assert!(polled.is_err());
    drop(running);
    let span = recorder.named("invoke_agent");
    assert_eq!(span.status, Status::error("the code panicked"));
}
