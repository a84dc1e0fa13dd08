//! Futures in scopes: errors, panics, and what happens to one that is never finished.

use std::collections::HashMap;
use std::future::{pending, poll_fn, ready};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context as TaskContext, Poll, Waker};

use agentspan_model::agent365::ToolCallDetails;
use agentspan_otel::scopes::ScopedFuture;
use agentspan_otel::{ExecuteToolScope, InferenceScope, ScopeFutureExt as _, ScopeTracer};
use opentelemetry::Context;
use opentelemetry::trace::{
    SpanContext, SpanId, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState, Tracer,
    TracerProvider,
};

use crate::recorder::{Recorder, assert_child, assert_error, exceptions, values};

#[tokio::test]
async fn an_err_that_a_future_ends_with_is_recorded_and_unchanged() {
    let recorder = Recorder::new();
    let result = async { Err::<(), _>(io::Error::other("disk full")) }
        .in_scope(recorder.tool("a"))
        .await;
    assert_eq!(result.unwrap_err().to_string(), "disk full");
    assert_error(&recorder.span(), "io::Error", "disk full");

    let recorder = Recorder::new();
    let result = recorder
        .tool("a")
        .run(|_| async { Err::<(), _>(Box::<dyn std::error::Error>::from("refused")) })
        .await;
    assert_eq!(result.unwrap_err().to_string(), "refused");
    assert_error(&recorder.span(), "_OTHER", "refused");
}

#[tokio::test]
async fn a_future_that_cannot_fail_ends_its_scope_when_it_is_done() {
    let recorder = Recorder::new();
    let scope = recorder.inference();
    let output = scope
        .run_infallible(|scope| async move {
            scope.record_input_tokens(3);
            7
        })
        .await;
    assert_eq!(output, 7);
    let span = recorder.span();
    assert_eq!(span.status, Status::Unset);
    assert_eq!(values(&span, "gen_ai.usage.input_tokens"), ["3".into()]);
}

fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut TaskContext::from_waker(Waker::noop()))
}

#[test]
fn dropping_an_unfinished_future_records_a_cancellation() {
    let recorder = Recorder::new();
    {
        let mut future = pin!(pending::<()>().in_scope_infallible(recorder.tool("a")));
        assert!(poll_once(future.as_mut()).is_pending());
        assert!(recorder.spans().is_empty());
    }
    let span = recorder.span();
    assert_error(&span, "TaskCanceledException", "Task was cancelled");
    assert!(span.events.events.is_empty());
}

#[test]
fn dropping_a_future_that_was_never_polled_records_a_cancellation() {
    let recorder = Recorder::new();
    drop(ready(()).in_scope_infallible(recorder.tool("a")));
    assert_error(
        &recorder.span(),
        "TaskCanceledException",
        "Task was cancelled",
    );
}

#[test]
fn dropping_a_finished_future_records_nothing_more() {
    let recorder = Recorder::new();
    {
        let mut future = pin!(ready(()).in_scope_infallible(recorder.tool("a")));
        assert!(poll_once(future.as_mut()).is_ready());
    }
    assert_eq!(recorder.span().status, Status::Unset);
}

struct StartsASpan(opentelemetry_sdk::trace::SdkTracer);

impl Drop for StartsASpan {
    fn drop(&mut self) {
        self.0.start("clean up");
    }
}

#[test]
fn what_a_finished_future_holds_is_dropped_inside_its_scope_and_ends_before_it() {
    let recorder = Recorder::new();
    let held = StartsASpan(recorder.provider.tracer("inner"));
    let mut future = pin!(recorder.tool("a").run_infallible(|_| {
        poll_fn(move |_| {
            let _held = &held;
            Poll::Ready(())
        })
    }));
    assert!(poll_once(future.as_mut()).is_ready());
    let spans = recorder.spans();
    assert_eq!(spans[0].name, "clean up");
    assert_child(&spans[0], &spans[1]);
}

#[test]
fn what_a_dropped_future_holds_is_dropped_inside_its_scope_and_ends_before_it() {
    let recorder = Recorder::new();
    let held = StartsASpan(recorder.provider.tracer("inner"));
    {
        let future = async move {
            let _held = held;
            pending::<()>().await;
        };
        let mut future = pin!(future.in_scope_infallible(recorder.tool("a")));
        assert!(poll_once(future.as_mut()).is_pending());
    }
    let spans = recorder.spans();
    assert_eq!(spans[0].name, "clean up");
    assert_child(&spans[0], &spans[1]);
}

#[test]
fn a_panic_in_a_poll_is_recorded_at_once_and_goes_on_unchanged() {
    let recorder = Recorder::new();
    let mut future = Box::pin(async { panic!("original") }.in_scope_infallible(recorder.tool("a")));
    let poll = AssertUnwindSafe(|| -> Poll<()> { poll_once(future.as_mut()) });
    let payload = catch_unwind(poll).unwrap_err();
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"original"));
    // The span has ended, although the future is still there, and dropping it is no cancellation.
    assert_error(&recorder.span(), "panic", "the code panicked");
    drop(future);
    assert_eq!(recorder.spans().len(), 1);
}

#[tokio::test]
async fn a_task_that_panics_or_is_aborted_ends_its_scope() {
    let recorder = Recorder::new();
    #[expect(clippy::disallowed_methods, reason = "the test is about tasks")]
    let panics = tokio::spawn(async { panic!("x") }.in_scope_infallible(recorder.tool("panics")));
    #[expect(clippy::disallowed_methods, reason = "the test is about tasks")]
    let aborted = tokio::spawn(pending::<()>().in_scope_infallible(recorder.tool("aborted")));
    tokio::task::yield_now().await;
    aborted.abort();
    let panicked: Result<(), _> = panics.await;
    assert!(panicked.unwrap_err().is_panic());
    assert!(aborted.await.unwrap_err().is_cancelled());
    let span = recorder.named("execute_tool panics");
    assert_error(&span, "panic", "the code panicked");
    assert_eq!(exceptions(&span).len(), 1);
    assert_error(
        &recorder.named("execute_tool aborted"),
        "TaskCanceledException",
        "Task was cancelled",
    );
}

#[test]
fn scopes_and_their_futures_move_between_threads() {
    fn send<T: Send>(_: &T) {}
    fn sync<T: Sync>(_: &T) {}
    let recorder = Recorder::new();
    let scope: InferenceScope = recorder.inference();
    send(&scope);
    sync(&scope);
    let future: ScopedFuture<_> = ready(()).in_scope_infallible(scope);
    send(&future);
}

#[test]
fn without_a_provider_work_is_where_its_scope_was_told_to_be() {
    let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder().build();
    provider.shutdown().unwrap();
    let tracer = ScopeTracer::new(&provider);
    let ids = SpanContext::new(
        TraceId::from(1),
        SpanId::from(2),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    let caller = Context::new()
        .with_remote_span_context(ids)
        .with_value("told");
    let tool = ToolCallDetails::new("clock");
    let start = || {
        let builder = ExecuteToolScope::builder(&tool).with_tracer(&tracer);
        builder.with_parent(&caller).start()
    };
    let seen = || {
        let context = Context::current();
        let trace = context.span().span_context().trace_id();
        (trace, context.get::<&str>().copied())
    };
    let expected = (TraceId::from(1), Some("told"));
    let future = start().run_infallible(|_| async move { seen() });
    assert_eq!(poll_once(pin!(future)), Poll::Ready(expected));
    assert_eq!(start().in_scope_infallible(|_| seen()), expected);
    // The caller's span is not the scope's.
    let scope = start();
    assert!(!scope.span_context().is_valid());
    let mut headers = HashMap::new();
    scope.inject_headers(&mut headers);
    assert!(headers.is_empty(), "{headers:?}");
    assert_eq!(scope.context().get::<&str>(), Some(&"told"));
}
