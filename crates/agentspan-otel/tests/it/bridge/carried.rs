//! What is current is carried to threads, tasks and streams as it is.

use std::future::pending;
use std::pin::pin;
use std::task::{Poll, Waker};
use std::thread;

use agentspan_model::agent365::{
    AgentDetails, AgentId, InvokeAgentDetails, TenantDetails, TenantId,
};
use agentspan_model::agentspec::SpanDetails;
use agentspan_model::mapping::ContentCapture;
use agentspan_otel::{
    AgentContext, AgentContextFutureExt as _, BaggageBuilder, InvokeAgentScope, ScopeTracer,
};
use agentspan_processor::Span;
use futures_core::Stream;
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};

use super::watched::{Watched, check_nested, text};

fn step(name: &'static str) {
    let span = Span::builder(SpanDetails::Plain).with_name(name);
    span.start().unwrap().end().unwrap();
}

/// Runs `work` in a scope in baggage in an Agent Spec span, whose name is `turn`.
fn in_a_turn(watched: &Watched, work: impl FnOnce()) {
    let trace = watched.trace();
    let turn = Span::builder(SpanDetails::Plain).with_name("turn").start();
    let turn = turn.unwrap();
    let baggage = BaggageBuilder::new().with_correlation_id("request-1");
    let agent = AgentDetails::new(AgentId::parse("agent-1").unwrap());
    let tenant = TenantDetails::new(TenantId::parse("tenant-1").unwrap());
    baggage.build().in_baggage(|| {
        InvokeAgentScope::builder(&InvokeAgentDetails::new(agent))
            .with_tenant(&tenant)
            .with_tracer(&ScopeTracer::new(&watched.provider))
            .start()
            .in_scope_infallible(|_| work());
    });
    turn.end().unwrap();
    trace.end().unwrap();
}

/// The step is in the scope, and the baggage has reached it.
#[track_caller]
fn check(watched: &Watched, name: &str) {
    let (step, scope) = (watched.live.named(name), watched.live.named("invoke_agent"));
    check_nested(&step, &scope);
    check_nested(&scope, &watched.live.named("turn"));
    assert_eq!(text(&step, "correlation.id").as_deref(), Some("request-1"));
}

#[test]
fn to_threads_and_back_again() {
    let watched = Watched::new(ContentCapture::NoContent);
    in_a_turn(&watched, || {
        let context = AgentContext::current();
        thread::scope(|scope| {
            for name in ["first", "second"] {
                let context = &context;
                scope.spawn(move || context.in_context(|| step(name)));
            }
        });
        // In its own place, nothing changes.
        context.in_context(|| step("here"));
        step("after");
    });
    for name in ["first", "second", "here", "after"] {
        check(&watched, name);
    }
}

#[test]
fn to_tasks_and_across_their_waits() {
    let watched = Watched::new(ContentCapture::NoContent);
    let runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = { runtime }.worker_threads(2).build().unwrap();
    in_a_turn(&watched, || {
        let work = async {
            step("before");
            tokio::task::yield_now().await;
            step("afterwards");
        };
        let task = runtime.spawn(work.with_agent_context());
        runtime.block_on(task).unwrap();
    });
    check(&watched, "before");
    check(&watched, "afterwards");
}

/// Each item is a step.
struct Steps(Vec<&'static str>);

impl Stream for Steps {
    type Item = ();

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> Poll<Option<()>> {
        Poll::Ready(self.0.pop().map(step))
    }
}

#[test]
fn to_streams_that_are_read_elsewhere() {
    let watched = Watched::new(ContentCapture::NoContent);
    in_a_turn(&watched, || {
        let steps = Steps(vec!["item 2", "item 1"]).with_agent_context();
        let reader = thread::spawn(move || {
            let mut steps = pin!(steps);
            let mut task = std::task::Context::from_waker(Waker::noop());
            while let Poll::Ready(Some(())) = steps.as_mut().poll_next(&mut task) {}
        });
        reader.join().unwrap();
    });
    check(&watched, "item 1");
    check(&watched, "item 2");
}

/// A guard of Agent Spec that is held across a wait stays current, as it does without a task.
#[test]
fn to_a_task_whose_span_stays_open_across_its_waits() {
    let watched = Watched::new(ContentCapture::NoContent);
    in_a_turn(&watched, || {
        let tracer = watched.provider.tracer("t");
        let work = async {
            let held = Span::builder(SpanDetails::Plain).with_name("held").start();
            tracer.start("plain before").end();
            tokio::task::yield_now().await;
            tracer.start("plain afterwards").end();
            step("afterwards");
            held.unwrap().end().unwrap();
            tracer.start("plain at the end").end();
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(work.with_agent_context());
    });
    let held = watched.live.named("held");
    for name in ["plain before", "plain afterwards", "afterwards"] {
        check_nested(&watched.live.named(name), &held);
    }
    check(&watched, "held");
    check(&watched, "plain at the end");
}

/// Makes a step when it is dropped.
struct StepOnDrop(&'static str);

impl Drop for StepOnDrop {
    fn drop(&mut self) {
        step(self.0);
    }
}

#[test]
fn to_what_a_task_drops_when_it_is_cancelled() {
    let watched = Watched::new(ContentCapture::NoContent);
    in_a_turn(&watched, || {
        let dropped = StepOnDrop("dropped");
        let work = async move {
            let _dropped = dropped;
            pending::<()>().await;
        };
        let task = work.with_agent_context();
        thread::spawn(move || drop(task)).join().unwrap();
    });
    check(&watched, "dropped");
}
