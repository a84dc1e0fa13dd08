//! What spans and hooks cost in allocations.

use std::sync::Arc;

use agentspan_model::agentspec::{
    Agent, AgentExecutionSpan, AgentExecutionStart, Component, ExceptionRaised, JsonObject,
    SpanDetails,
};
use agentspan_processor::{HookError, Span, SpanProcessor, Trace, TraceError};
use allocation_counter::measure;
use futures_executor::block_on;

use crate::recorder::{EVENT, span};

fn count(f: impl FnMut()) -> u64 {
    let mut f = f;
    // Once without counting: thread-locals and buffers are there afterwards.
    f();
    measure(f).count_total
}

fn one_span() {
    let open = span("a").start().unwrap();
    open.add_event(EVENT).unwrap();
    open.add_event(EVENT).unwrap();
    open.end().unwrap();
}

fn one_span_awaited() {
    let future = async {
        let open = span("a").start_async().await?;
        open.add_event_async(EVENT).await?;
        open.add_event_async(EVENT).await?;
        open.end_async().await
    };
    let mut future = std::pin::pin!(future);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(matches!(
        future.as_mut().poll(&mut cx),
        std::task::Poll::Ready(Ok::<_, TraceError>(()))
    ));
}

#[derive(Debug)]
struct OnlySync;

impl SpanProcessor for OnlySync {
    fn on_end(&self, _: &Span) -> Result<(), HookError> {
        Ok(())
    }
}

#[test]
fn a_span_takes_the_place_of_one_that_was_dropped() {
    assert_eq!(count(one_span), 0);
    assert_eq!(count(one_span_awaited), 0);
    let _trace = Trace::builder().start().unwrap();
    assert_eq!(count(one_span), 0);
    assert_eq!(count(one_span_awaited), 0);
}

#[test]
fn a_span_that_nobody_observes_costs_nothing_with_what_it_would_have_said() {
    let text = "x".repeat(100);
    let one_span = || {
        let made = || Span::builder(SpanDetails::Plain).with_description(text.clone());
        let open = Span::when_observed(made).start().unwrap();
        let event = || ExceptionRaised::new("Timeout", text.as_str());
        open.add_event_with(event).unwrap();
        Span::when_observed(made)
            .in_span(|inner| inner.add_event_with(event))
            .unwrap();
        open.end().unwrap();
    };
    assert_eq!(count(one_span), 0);
    let _trace = Trace::builder().start().unwrap();
    assert_eq!(count(one_span), 0);
    drop(_trace);
    let _trace = Trace::builder().with_processor(OnlySync).start().unwrap();
    assert!(count(one_span) >= 4, "the counter is dead");
}

#[test]
fn a_processor_without_asynchronous_hooks_costs_no_allocation_in_asynchronous_code() {
    let trace = Trace::builder()
        .with_processor(OnlySync)
        .with_processor(Arc::new(OnlySync));
    let _trace = trace.start().unwrap();
    assert_eq!(count(one_span), 0);
    assert_eq!(count(one_span_awaited), 0);
}

#[test]
fn what_a_dropped_span_leaves_holds_nothing() {
    let agent = Component::builder("Agent", "agent").build();
    let agent = Agent::try_from(agent).unwrap();
    let processor = Arc::new(OnlySync);
    let trace = Trace::builder().with_processor(Arc::clone(&processor));
    let trace = trace.start().unwrap();
    let parent = Span::builder(AgentExecutionSpan::new(agent.clone()));
    let parent = parent.start().unwrap();
    let open = span("a").start().unwrap();
    let start = AgentExecutionStart::new(agent.clone(), JsonObject::new());
    (0..5).for_each(|_| open.add_event(start.clone()).unwrap());
    let (child, outer) = (open.downgrade(), parent.downgrade());
    open.end().unwrap();
    parent.end().unwrap();
    trace.end().unwrap();
    assert_eq!(Arc::strong_count(&processor), 1);
    assert_ne!(child.key(), outer.key());
    let fresh = span("b").start_detached().unwrap();
    assert!(fresh.key() != child.key() && fresh.key() != outer.key());
    assert_eq!((fresh.event_count(), fresh.end_time()), (0, None));
    assert!(fresh.parent().is_none() && fresh.trace().is_none() && !fresh.is_observed());
}

#[test]
fn a_span_costs_the_same_at_any_depth() {
    let at_depth = |depth: usize| {
        let _outer: Vec<_> = (0..depth).map(|_| span("outer").start().unwrap()).collect();
        count(one_span)
    };
    assert_eq!((at_depth(1), at_depth(64), at_depth(1_000)), (0, 0, 0));
}

#[test]
fn an_event_never_copies_the_definition_that_it_carries() {
    let definition = Component::builder("Agent", "large")
        .with_text("system_prompt", "x".repeat(1 << 20))
        .build();
    let agent = Agent::try_from(definition).unwrap();
    let open = Span::builder(AgentExecutionSpan::new(agent.clone()))
        .start()
        .unwrap();
    let bytes = measure(|| {
        for _ in 0..1_000 {
            open.add_event(AgentExecutionStart::new(agent.clone(), JsonObject::new()))
                .unwrap();
        }
    });
    assert!(bytes.bytes_total < 2 << 20, "{} bytes", bytes.bytes_total);
}

#[test]
fn events_are_appended_in_linear_time_and_space() {
    let events_of = |count: usize| {
        let open = span("a").start().unwrap();
        measure(|| (0..count).for_each(|_| open.add_event(EVENT).unwrap()))
    };
    let (ten, hundred) = (events_of(10_000), events_of(100_000));
    assert!(hundred.bytes_total < ten.bytes_total * 20);
    assert!(
        hundred.count_total < 40,
        "{} allocations",
        hundred.count_total
    );
}

#[test]
fn an_entered_future_allocates_nothing_per_poll() {
    let open = span("a").start_detached().unwrap();
    let polls = |count: usize| {
        let future = open.wrap(async move {
            for _ in 0..count {
                crate::recorder::yield_once().await;
            }
        });
        measure(|| block_on(future)).count_total
    };
    polls(1);
    assert_eq!(polls(1), polls(1_000));
}
