//! Baggage and identity that are entered around a trace that runs already reach its spans.

use std::thread;

use agentspan_model::agentspec::SpanDetails;
use agentspan_model::mapping::ContentCapture;
use agentspan_otel::{BaggageBuilder, RequestBaggage, ScopeFutureExt};
use agentspan_processor::{OpenSpan, Span, SpanBuilder};
use opentelemetry::trace::Tracer;

use super::watched::{Watched, text};

fn plain(name: &'static str) -> SpanBuilder {
    Span::builder(SpanDetails::Plain).with_name(name)
}

fn detached(name: &'static str) -> OpenSpan {
    plain(name).start_detached().unwrap()
}

fn step(name: &'static str) {
    plain(name).start().unwrap().end().unwrap();
}

fn of(agent: &str) -> RequestBaggage {
    let baggage = BaggageBuilder::new().tenant_id("tenant-1").agent_id(agent);
    baggage.build()
}

fn with_correlation(agent: &str, session: &str) -> RequestBaggage {
    let baggage = BaggageBuilder::new().tenant_id("tenant-1").agent_id(agent);
    baggage.correlation_id(session).build()
}

fn watched() -> Watched {
    Watched::new(ContentCapture::NoContent)
}

#[track_caller]
fn check(watched: &Watched, name: &str, agent: Option<&str>) {
    let span = watched.live.named(name);
    let tenant = agent.map(|_| "tenant-1");
    let found = text(&span, "gen_ai.agent.id");
    assert_eq!(found.as_deref(), agent, "{name}");
    assert_eq!(text(&span, "tenant.id").as_deref(), tenant, "{name}");
}

#[test]
fn an_identity_that_is_entered_around_a_running_span_reaches_the_spans_in_it() {
    let watched = watched();
    let trace = watched.detached_trace();
    let outer = trace.root().enter();
    let turn = detached("turn");
    drop(outer);
    of("agent-1").in_baggage(|| {
        let _turn = turn.enter();
        step("step");
        watched.foreign().in_span("foreign", |_| step("inner"));
    });
    // Nothing is current outside any more.
    let again = turn.enter();
    step("later");
    drop(again);
    turn.end().unwrap();
    trace.end().unwrap();
    for name in ["step", "foreign", "inner"] {
        check(&watched, name, Some("agent-1"));
    }
    check(&watched, "later", None);
}

#[test]
fn what_was_current_at_the_start_stays_where_nothing_is_current_outside() {
    let watched = watched();
    let trace = watched.detached_trace();
    let active = trace.root().enter();
    let turn = of("agent-1").in_baggage(|| detached("turn"));
    drop(active);
    let entered = turn.enter();
    step("step");
    drop(entered);
    turn.end().unwrap();
    trace.end().unwrap();
    check(&watched, "step", Some("agent-1"));
}

#[test]
fn what_is_entered_later_wins_key_by_key() {
    let watched = watched();
    let trace = watched.detached_trace();
    let active = trace.root().enter();
    let turn = with_correlation("agent-1", "session-1").in_baggage(|| detached("turn"));
    drop(active);
    of("agent-2").in_baggage(|| {
        let _turn = turn.enter();
        step("step");
        // Once more, in itself: nothing is new.
        let _again = turn.enter();
        step("again");
    });
    turn.end().unwrap();
    trace.end().unwrap();
    for name in ["step", "again"] {
        check(&watched, name, Some("agent-2"));
        let span = watched.live.named(name);
        assert_eq!(text(&span, "correlation.id").as_deref(), Some("session-1"));
    }
}

#[test]
fn the_identity_of_a_span_around_does_not_replace_that_of_a_span_that_has_its_own() {
    let watched = watched();
    let trace = watched.detached_trace();
    let active = trace.root().enter();
    let outer = of("agent-1").in_baggage(|| detached("outer"));
    let in_outer = outer.enter();
    let inner = of("agent-2").in_baggage(|| detached("inner"));
    let in_inner = inner.enter();
    step("of the inner");
    drop(in_inner);
    // What is entered in between is new.
    of("agent-3").in_baggage(|| {
        let _inner = inner.enter();
        step("of what is between");
    });
    drop(in_outer);
    inner.end().unwrap();
    outer.end().unwrap();
    drop(active);
    trace.end().unwrap();
    check(&watched, "of the inner", Some("agent-2"));
    check(&watched, "of what is between", Some("agent-3"));
}

#[test]
fn it_reaches_the_spans_of_an_entered_span_in_an_entered_span() {
    let watched = watched();
    let trace = watched.detached_trace();
    let active = trace.root().enter();
    let outer = detached("outer");
    let inner = plain("inner").with_parent(&outer).start_detached().unwrap();
    drop(active);
    of("agent-1").in_baggage(|| {
        let _outer = outer.enter();
        let _inner = inner.enter();
        step("step");
    });
    inner.end().unwrap();
    outer.end().unwrap();
    trace.end().unwrap();
    check(&watched, "step", Some("agent-1"));
}

#[test]
fn it_reaches_them_on_another_thread_and_in_another_task() {
    let watched = watched();
    let trace = watched.detached_trace();
    let active = trace.root().enter();
    let turn = detached("turn");
    drop(active);
    thread::scope(|scope| {
        scope.spawn(|| {
            of("agent-1").in_baggage(|| {
                let _turn = turn.enter();
                step("on a thread");
            });
        });
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let span = Span::clone(&turn);
    let in_turn = span.scope(async {
        step("in a task");
        tokio::task::yield_now().await;
        step("after a wait");
    });
    let task = runtime.spawn(in_turn.with_baggage(&of("agent-2")));
    runtime.block_on(task).unwrap();
    turn.end().unwrap();
    trace.end().unwrap();
    check(&watched, "on a thread", Some("agent-1"));
    check(&watched, "in a task", Some("agent-2"));
    check(&watched, "after a wait", Some("agent-2"));
}

#[test]
fn a_span_of_another_trace_that_is_current_gives_nothing_to_the_spans_of_a_trace() {
    let watched = watched();
    let one = with_correlation("agent-1", "session-1").in_baggage(|| watched.detached_trace());
    let other = of("agent-2").in_baggage(|| watched.detached_trace());
    let active = one.root().enter();
    {
        let _other = other.root().enter();
        step("in the other root");
        let turn = detached("turn");
        let _turn = turn.enter();
        step("in a span of the other root");
    }
    // What is entered in between is new, and nothing else.
    of("agent-3").in_baggage(|| {
        let _other = other.root().enter();
        step("in what is between");
    });
    // A future of the other trace, which a task of this one waits for.
    let root = Span::clone(other.root());
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let future = root.scope(async { step("in a future") });
    runtime.unwrap().block_on(future);
    drop(active);
    other.end().unwrap();
    one.end().unwrap();
    for (name, agent) in [
        ("in the other root", "agent-2"),
        ("in a span of the other root", "agent-2"),
        ("in what is between", "agent-3"),
        ("in a future", "agent-2"),
    ] {
        check(&watched, name, Some(agent));
        let span = watched.live.named(name);
        assert_eq!(text(&span, "correlation.id"), None, "{name}");
    }
}
