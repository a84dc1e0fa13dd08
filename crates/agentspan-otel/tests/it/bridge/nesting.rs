//! Agent spans and spans of other instrumentation nest in each other.

use agentspan_model::agentspec::{LlmGenerationSpan, SpanDetails};
use agentspan_model::mapping::ContentCapture;
use agentspan_otel::BaggageBuilder;
use agentspan_processor::Span;
use agentspan_processor::span::SpanBuilder;
use opentelemetry::trace::{
    FutureExt, SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer,
};
use opentelemetry::{Context, KeyValue};

use super::story::model;
use super::watched::{Watched, check_nested, text};

fn plain(name: &'static str) -> SpanBuilder {
    Span::builder(SpanDetails::Plain).with_name(name)
}

fn watched() -> Watched {
    Watched::new(ContentCapture::NoContent)
}

/// The context of a request from another process.
fn remote() -> Context {
    let remote = SpanContext::new(
        TraceId::from(0x1234_u128),
        SpanId::from(0x56_u64),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    Context::new().with_remote_span_context(remote)
}

#[test]
fn a_foreign_span_between_two_agent_spans_is_in_one_and_around_the_other() {
    let watched = watched();
    let trace = watched.trace();
    let outer = plain("outer").start().unwrap();
    watched.foreign().in_span("foreign", |_| {
        plain("inner").start().unwrap().end().unwrap();
    });
    outer.end().unwrap();
    trace.end().unwrap();
    let live = &watched.live;
    check_nested(&live.named("inner"), &live.named("foreign"));
    check_nested(&live.named("foreign"), &live.named("outer"));
    check_nested(&live.named("outer"), &live.named("RootSpan"));
}

#[test]
fn an_agent_span_nests_in_its_agent_parent_wherever_it_starts() {
    let watched = watched();
    let trace = watched.trace();
    let parent = plain("parent").start_detached().unwrap();
    // Here the current OpenTelemetry span is one that has nothing to do with the parent.
    watched.foreign().in_span("elsewhere", |_| {
        let child = plain("child").with_parent(&parent).start_detached();
        child.unwrap().end().unwrap();
    });
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let child = plain("on a thread").with_parent(&parent).start_detached();
            child.unwrap().end().unwrap();
        });
    });
    parent.end().unwrap();
    trace.end().unwrap();
    let live = &watched.live;
    check_nested(&live.named("child"), &live.named("parent"));
    check_nested(&live.named("on a thread"), &live.named("parent"));
    check_nested(&live.named("elsewhere"), &live.named("RootSpan"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(
    clippy::disallowed_methods,
    reason = "the test is about spawned tasks, and waits for its own"
)]
async fn spans_nest_across_spawned_tasks() {
    let watched = watched();
    let tracer = watched.foreign();
    let trace = watched.detached_trace();
    let outer = plain("outer")
        .with_parent(trace.root())
        .start_detached()
        .unwrap();
    let task = outer.wrap(async move {
        tokio::task::yield_now().await;
        let foreign = Context::current_with_span(tracer.start("foreign"));
        async {
            tokio::task::yield_now().await;
            plain("inner")
                .run(|_| async {
                    tokio::task::yield_now().await;
                    tracer.start("leaf");
                    Ok::<_, agentspan_processor::TraceError>(())
                })
                .await
        }
        .with_context(foreign)
        .await
    });
    tokio::spawn(task).await.unwrap().unwrap();
    assert!(!Context::current().span().span_context().is_valid());
    outer.end().unwrap();
    trace.end().unwrap();
    let live = &watched.live;
    check_nested(&live.named("leaf"), &live.named("inner"));
    check_nested(&live.named("inner"), &live.named("foreign"));
    check_nested(&live.named("foreign"), &live.named("outer"));
}

#[test]
fn a_root_span_nests_in_the_remote_parent_of_a_request() {
    let watched = watched();
    let request = remote().attach();
    let trace = watched.trace();
    plain("work").start().unwrap().end().unwrap();
    trace.end().unwrap();
    drop(request);
    let root = watched.live.named("RootSpan");
    assert_eq!(root.span_context.trace_id(), TraceId::from(0x1234_u128));
    assert_eq!(root.parent_span_id, SpanId::from(0x56_u64));
    assert!(root.parent_span_is_remote);
    check_nested(&watched.live.named("work"), &root);
}

#[test]
fn a_span_that_starts_after_its_parent_ended_is_still_in_it() {
    let watched = watched();
    let request = remote().attach();
    let trace = watched.trace();
    let parent = plain("parent").start_detached().unwrap();
    Span::end(&parent).unwrap();
    let late = plain("late").with_parent(&parent).start_detached();
    late.unwrap().end().unwrap();
    trace.end().unwrap();
    drop(request);
    check_nested(&watched.live.named("late"), &watched.live.named("parent"));
}

#[test]
fn baggage_flows_through_agent_spans() {
    let watched = watched();
    let baggage = BaggageBuilder::request_context("tenant-1", "agent-1", "c-1");
    let request = baggage.enter();
    let trace = watched.trace();
    let span = plain("work").start().unwrap();
    watched.foreign().start("foreign");
    span.end().unwrap();
    trace.end().unwrap();
    drop(request);
    for name in ["RootSpan", "work", "foreign"] {
        let span = watched.live.named(name);
        assert_eq!(
            text(&span, "tenant.id").as_deref(),
            Some("tenant-1"),
            "{name}"
        );
        assert_eq!(text(&span, "gen_ai.agent.id").as_deref(), Some("agent-1"));
    }
}

#[test]
fn what_other_code_says_of_the_current_span_is_on_it() {
    let watched = watched();
    let trace = watched.trace();
    let span = plain("work").start().unwrap();
    Context::current()
        .span()
        .set_attribute(KeyValue::new("app.step", "two"));
    span.end().unwrap();
    trace.end().unwrap();
    let span = watched.live.named("work");
    assert_eq!(text(&span, "app.step").as_deref(), Some("two"));
}

#[test]
fn nothing_is_current_and_nothing_is_kept_when_a_trace_has_ended() {
    let watched = watched();
    let trace = watched.trace();
    let span = plain("work").start().unwrap();
    assert_eq!(watched.bridge.open_spans(), 2);
    span.end().unwrap();
    trace.end().unwrap();
    assert_eq!(watched.bridge.open_spans(), 0);
    assert!(!Context::current().span().span_context().is_valid());
}

#[test]
fn a_span_names_the_nearest_component_above_it_however_deep_it_is() {
    let watched = watched();
    let trace = watched.trace();
    let call = Span::builder(LlmGenerationSpan::new(model())).with_name("call");
    let call = call.start_detached().unwrap();
    let component = call.details().component().unwrap().id().to_owned();
    let named = |name| {
        text(
            &watched.live.named(name),
            "agentspec.span.parent_component_id",
        )
    };
    let mut chain = vec![plain("first").with_parent(&call).start_detached().unwrap()];
    for _ in 0..100 {
        let parent: &Span = chain.last().unwrap();
        chain.push(
            plain("between")
                .with_parent(parent)
                .start_detached()
                .unwrap(),
        );
    }
    let parent: &Span = chain.last().unwrap();
    let of_open = plain("of an open one").with_parent(parent);
    of_open.start_detached().unwrap().end().unwrap();
    // One that the bridge does not hold any more.
    Span::end(parent).unwrap();
    let of_ended = plain("of one that has ended").with_parent(parent);
    of_ended.start_detached().unwrap().end().unwrap();
    drop(chain);
    Span::end(&call).unwrap();
    trace.end().unwrap();
    for name in ["first", "of an open one", "of one that has ended"] {
        assert_eq!(named(name), Some(component.clone()), "{name}");
    }
    assert_eq!(named("chat gpt-4o"), None);
}
