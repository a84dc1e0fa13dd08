//! Baggage and identity that are entered around a trace that runs already reach its spans.

use std::thread;

use agentspan_model::agent365::{
    AgentDetails, AgentId, InvokeAgentDetails, TenantDetails, TenantId,
};
use agentspan_model::agentspec::SpanDetails;
use agentspan_model::mapping::ContentCapture;
use agentspan_otel::baggage::RequestBaggage;
use agentspan_otel::{BaggageBuilder, InvokeAgentScope, ScopeFutureExt, ScopeTracer};
use agentspan_processor::Span;
use agentspan_processor::span::{OpenSpan, SpanBuilder};
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
    let baggage = BaggageBuilder::new()
        .with_tenant_id("tenant-1")
        .with_agent_id(agent);
    baggage.build()
}

fn with_correlation(agent: &str, session: &str) -> RequestBaggage {
    let baggage = BaggageBuilder::new()
        .with_tenant_id("tenant-1")
        .with_agent_id(agent);
    baggage.with_correlation_id(session).build()
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
    let another_agent = BaggageBuilder::new().with_agent_id("agent-2").build();
    another_agent.in_baggage(|| {
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

/// The name is no agent; what is around it, and was around the span at its start, is older.
#[test]
fn a_description_that_is_entered_does_not_bring_the_agent_and_the_words_around_it_along() {
    let watched = watched();
    let trace = watched.detached_trace();
    let around = BaggageBuilder::new().with_agent_description("of agent-1");
    let around = around.with_tenant_id("tenant-1").with_agent_id("agent-1");
    let _around = around.build().enter();
    let outer = trace.root().enter();
    let inner = BaggageBuilder::new()
        .with_agent_id("agent-2")
        .with_agent_description("of agent-2");
    let turn = inner.build().in_baggage(|| detached("turn"));
    let name = BaggageBuilder::new().with_agent_name("name").build();
    name.in_baggage(|| {
        let _turn = turn.enter();
        step("step");
    });
    drop(outer);
    turn.end().unwrap();
    trace.end().unwrap();
    check(&watched, "step", Some("agent-2"));
    let span = watched.live.named("step");
    let said = |key| text(&span, key);
    assert_eq!(said("gen_ai.agent.name").as_deref(), Some("name"));
    let description = said("gen_ai.agent.description");
    assert_eq!(description.as_deref(), Some("of agent-2"));
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
    let in_turn = span.wrap(async {
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
    let future = root.wrap(async { step("in a future") });
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

fn of_tenant(tenant: &str, agent: &str, conversation: &str) -> RequestBaggage {
    let baggage = BaggageBuilder::new()
        .with_tenant_id(tenant)
        .with_agent_id(agent);
    baggage.with_conversation_id(conversation).build()
}

#[track_caller]
fn check_identity(watched: &Watched, name: &str, expected: [Option<&str>; 3]) {
    let span = watched.live.named(name);
    let keys = ["tenant.id", "gen_ai.agent.id", "gen_ai.conversation.id"];
    let found = keys.map(|key| text(&span, key));
    assert_eq!(
        found.each_ref().map(Option::as_deref),
        expected,
        "{name}: tenant, agent, conversation"
    );
}

#[test]
fn an_identity_that_is_entered_is_a_pair_that_somebody_set() {
    let watched = watched();
    let trace = of_tenant("a", "agent-a", "talk-a").in_baggage(|| watched.detached_trace());
    let other = of_tenant("b", "agent-b", "talk-b").in_baggage(|| watched.detached_trace());
    let active = trace.root().enter();
    let turn = of_tenant("b", "agent-b", "talk-b").in_baggage(|| detached("turn"));
    // The tenant is the one of the span around, and the agent is new, so that it is another
    // request: also what it says as the one around does is its own.
    let entered = of_tenant("a", "agent-a2", "talk-a");
    entered.in_baggage(|| {
        let _turn = turn.enter();
        step("within one trace");
    });
    entered.in_baggage(|| {
        let _other = other.root().enter();
        step("within another trace");
    });
    drop(active);
    turn.end().unwrap();
    other.end().unwrap();
    trace.end().unwrap();
    check_identity(
        &watched,
        "within one trace",
        [Some("a"), Some("agent-a2"), Some("talk-a")],
    );
    check_identity(
        &watched,
        "within another trace",
        [Some("a"), Some("agent-a2"), Some("talk-a")],
    );
}

#[test]
fn one_person_in_two_requests_is_the_person_of_both() {
    let watched = watched();
    let asked_by_ann = |tenant: &str, agent: &str| {
        let baggage = BaggageBuilder::new()
            .with_tenant_id(tenant)
            .with_agent_id(agent);
        baggage.with_caller_id("ann").build()
    };
    let trace = asked_by_ann("a", "agent-a").in_baggage(|| watched.detached_trace());
    let active = trace.root().enter();
    let turn = of_tenant("b", "agent-b", "talk-b").in_baggage(|| detached("turn"));
    asked_by_ann("a", "agent-a2").in_baggage(|| {
        let _turn = turn.enter();
        watched.foreign().in_span("invoke_agent x", |_| ());
    });
    drop(active);
    turn.end().unwrap();
    trace.end().unwrap();
    let invocation = "invoke_agent x";
    check_identity(&watched, invocation, [Some("a"), Some("agent-a2"), None]);
    let invocation = watched.live.named(invocation);
    assert_eq!(
        text(&invocation, "gen_ai.caller.id").as_deref(),
        Some("ann")
    );
}

#[test]
fn what_a_span_has_for_its_tenant_does_not_go_to_the_tenant_that_is_entered() {
    let watched = watched();
    let trace = of_tenant("a", "agent-a", "talk-a").in_baggage(|| watched.detached_trace());
    let other = BaggageBuilder::new()
        .with_tenant_id("b")
        .with_agent_id("agent-b");
    other.build().in_baggage(|| {
        let _root = trace.root().enter();
        step("whole");
    });
    // One half only: the agent of another tenant is none of this one.
    BaggageBuilder::new()
        .with_tenant_id("b")
        .build()
        .in_baggage(|| {
            let _root = trace.root().enter();
            step("half");
        });
    BaggageBuilder::new()
        .with_agent_id("agent-2")
        .build()
        .in_baggage(|| {
            let _root = trace.root().enter();
            step("another agent");
        });
    trace.end().unwrap();
    check_identity(&watched, "whole", [Some("b"), Some("agent-b"), None]);
    check_identity(&watched, "half", [Some("b"), None, None]);
    let of_a = [Some("a"), Some("agent-2"), Some("talk-a")];
    check_identity(&watched, "another agent", of_a);
}

fn scope_of(tracer: &ScopeTracer, tenant: &str, agent: &str) -> InvokeAgentScope {
    let agent = AgentDetails::new(AgentId::parse(agent).unwrap());
    let tenant = TenantDetails::new(TenantId::parse(tenant).unwrap());
    InvokeAgentScope::builder(&InvokeAgentDetails::new(agent))
        .with_tenant(&tenant)
        .with_tracer(tracer)
        .start()
}

#[test]
fn a_scope_of_another_trace_gives_nothing_to_a_span_that_has_a_scope_of_its_own() {
    let watched = watched();
    let tracer = ScopeTracer::new(&watched.provider);
    let scope = |tenant: &str, agent: &str| scope_of(&tracer, tenant, agent);
    let of_b = scope("b", "agent-b").in_scope_infallible(|_| watched.detached_trace());
    let of_nobody = watched.detached_trace();
    scope("a", "agent-a").in_scope_infallible(|_| {
        let _root = of_b.root().enter();
        step("of b");
    });
    scope("a", "agent-a").in_scope_infallible(|_| {
        let _root = of_nobody.root().enter();
        step("of nobody");
    });
    of_b.end().unwrap();
    of_nobody.end().unwrap();
    check_identity(&watched, "of b", [Some("b"), Some("agent-b"), None]);
    check_identity(&watched, "of nobody", [Some("a"), Some("agent-a"), None]);
}

#[test]
fn a_span_of_another_trace_that_has_ended_and_is_current_gives_nothing() {
    let watched = watched();
    let one = of_tenant("a", "agent-a", "talk-a").in_baggage(|| watched.detached_trace());
    let other = of_tenant("b", "agent-b", "talk-b").in_baggage(|| watched.detached_trace());
    let root = Span::clone(one.root());
    let entered = root.enter();
    one.end().unwrap();
    {
        let _other = other.root().enter();
        step("in the other root");
    }
    drop(entered);
    other.end().unwrap();
    let of_b = [Some("b"), Some("agent-b"), Some("talk-b")];
    check_identity(&watched, "in the other root", of_b);
}

#[test]
fn two_traces_below_one_span_of_opentelemetry_are_told_apart() {
    let watched = watched();
    let tracer = ScopeTracer::new(&watched.provider);
    let scope = |tenant: &str, agent: &str| scope_of(&tracer, tenant, agent);
    watched.foreign().in_span("batch", |_| {
        let of_b = scope("b", "agent-b").in_scope_infallible(|_| watched.detached_trace());
        scope("a", "agent-a").in_scope_infallible(|_| {
            let _root = of_b.root().enter();
            step("in a scope of a");
        });
        let half = BaggageBuilder::new().with_agent_id("agent-b").build();
        let half = half.in_baggage(|| watched.detached_trace());
        scope("a", "agent-a").in_scope_infallible(|_| {
            let _root = half.root().enter();
            step("half, in a scope of a");
        });
        let one = of_tenant("a", "agent-a", "talk-a").in_baggage(|| watched.detached_trace());
        let other = of_tenant("b", "agent-b", "talk-b").in_baggage(|| watched.detached_trace());
        let root = Span::clone(one.root());
        let entered = root.enter();
        one.end().unwrap();
        {
            let _other = other.root().enter();
            step("in a that has ended");
        }
        drop(entered);
        for trace in [of_b, half, other] {
            trace.end().unwrap();
        }
    });
    let of_b = [Some("b"), Some("agent-b"), None];
    check_identity(&watched, "in a scope of a", of_b);
    let of_nobody = [None, Some("agent-b"), None];
    check_identity(&watched, "half, in a scope of a", of_nobody);
    let of_b = [Some("b"), Some("agent-b"), Some("talk-b")];
    check_identity(&watched, "in a that has ended", of_b);
}

#[test]
fn a_scope_within_a_trace_is_that_of_the_spans_that_are_entered_in_it() {
    let watched = watched();
    let tracer = ScopeTracer::new(&watched.provider);
    let scope = |tenant: &str, agent: &str| scope_of(&tracer, tenant, agent);
    let talk = BaggageBuilder::new().with_conversation_id("talk-b").build();
    scope("b", "agent-b").in_scope_infallible(|_| {
        let trace = talk.in_baggage(|| watched.detached_trace());
        let root = trace.root().enter();
        let turn = detached("turn");
        scope("b", "agent-2").in_scope_infallible(|_| {
            let _turn = turn.enter();
            step("in another agent");
        });
        scope("c", "agent-c").in_scope_infallible(|_| {
            let _turn = turn.enter();
            step("in another tenant");
        });
        turn.end().unwrap();
        drop(root);
        trace.end().unwrap();
    });
    check_identity(
        &watched,
        "in another agent",
        [Some("b"), Some("agent-2"), None],
    );
    check_identity(
        &watched,
        "in another tenant",
        [Some("c"), Some("agent-c"), None],
    );
}
