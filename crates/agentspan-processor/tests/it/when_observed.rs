//! Spans that are only made if a processor hears of them.

use std::sync::Arc;

use agentspan_model::agentspec::ExceptionRaised;
use agentspan_processor::span::SpanBuilder;
use agentspan_processor::{Span, SpanProcessor, Trace, TraceError, current_span, current_trace};
use futures_executor::block_on;

use crate::recorder::{EVENT, Recorder, span};

fn never() -> SpanBuilder {
    panic!("a span was made that nobody observes")
}

#[test]
fn without_processors_nothing_is_made_and_what_is_recorded_is_left_out() {
    let check = || {
        let outer = current_span();
        let guard = Span::when_observed(never).start().unwrap();
        assert!(guard.has_ended() && !guard.is_observed() && guard.trace().is_none());
        assert_eq!(
            (
                guard.start_time(),
                guard.end_time(),
                guard.parent().is_none()
            ),
            (None, None, true)
        );
        let is_outer = |span: &Span| outer.as_ref().is_some_and(|outer| outer.is_same(span));
        assert!(current_span().as_ref().is_none_or(is_outer));
        guard.add_event(EVENT).unwrap();
        guard.add_complete_event(guard.new_event(EVENT)).unwrap();
        block_on(guard.add_event_async(EVENT)).unwrap();
        guard.record_error(&"failed").unwrap();
        assert_eq!(guard.event_count(), 0);
        // It is nobody's parent, by whatever way it could become one.
        let entered = guard.enter();
        let inner = span("inner").start().unwrap();
        assert!(inner.parent().as_ref().is_none_or(is_outer));
        let told = span("told").with_parent(&guard).start().unwrap();
        assert!(told.parent().is_none());
        drop((told, inner, entered));
        guard.end().unwrap();
        let detached = Span::when_observed(never).start_detached().unwrap();
        detached.end().unwrap();
        block_on(async {
            let open = Span::when_observed(never).start_async().await.unwrap();
            open.end_async().await.unwrap();
        });
    };
    check();
    let trace = Trace::builder().start().unwrap();
    check();
    assert_eq!(trace.root().event_count(), 0);
    let _span = span("outer").start().unwrap();
    check();
}

#[test]
fn what_runs_in_a_span_that_is_not_made_runs_all_the_same() {
    let run = Span::when_observed(never).in_span(|span| {
        span.add_event(ExceptionRaised::new("Timeout", "late"))?;
        Ok::<_, TraceError>(span.event_count())
    });
    assert_eq!(run.unwrap(), 0);
    let failed = Span::when_observed(never).in_span(|_| Err::<(), _>(failure()));
    assert!(matches!(failed, Err(TraceError::AlreadyActive { active }) if active == "x"));
    let ran = block_on(Span::when_observed(never).run(|span| async move {
        span.add_event_async(EVENT).await?;
        Err::<(), _>(failure())
    }));
    assert!(matches!(ran, Err(TraceError::AlreadyActive { active }) if active == "x"));
}

/// Any error that may come out of a run.
fn failure() -> TraceError {
    let _outer = Trace::builder().with_name("x").start().unwrap();
    Trace::builder().start().unwrap_err()
}

#[test]
fn with_a_processor_it_is_a_span_like_any_other() {
    let recorder = Recorder::new();
    let trace = Trace::builder().with_processor(recorder.clone());
    let trace = trace.start_detached().unwrap();
    {
        let _entered = trace.root().enter();
        let guard = Span::when_observed(|| span("here")).start().unwrap();
        assert!(current_span().is_some_and(|current| current.is_same(&guard)));
        assert_eq!(guard.parent_id(), Some(trace.root().id()));
        guard.add_event(EVENT).unwrap();
        Span::when_observed(|| span("run"))
            .in_span(|run| {
                assert_eq!(run.parent_id(), Some(guard.id()));
                Ok::<_, TraceError>(())
            })
            .unwrap();
        block_on(
            Span::when_observed(|| span("awaited")).run(|_| async { Ok::<_, TraceError>(()) }),
        )
        .unwrap();
    }
    assert!(current_trace().is_none());
    // The parent that it is told decides, and not what is active here.
    let told = Span::when_observed(|| span("told")).with_parent(trace.root());
    let told = told.start_detached().unwrap();
    assert_eq!(told.parent_id(), Some(trace.root().id()));
    told.end().unwrap();
    for name in ["here", "run", "told"] {
        assert_eq!(recorder.count(&format!("on_start {name} ")), 1, "{name}");
        assert_eq!(recorder.count(&format!("on_end {name} ")), 1, "{name}");
    }
    assert_eq!(recorder.count("on_end.await awaited "), 1);
}

#[test]
fn processors_that_come_later_observe_what_starts_later() {
    let recorder = Recorder::new();
    let trace = Trace::builder().start().unwrap();
    drop(Span::when_observed(never).start().unwrap());
    let processor: Arc<dyn SpanProcessor> = Arc::new(recorder.clone());
    trace.trace().set_processors([processor]);
    let without = Span::when_observed(|| span("root")).without_parent();
    drop(without.start().unwrap());
    assert_eq!(recorder.count("on_end root "), 1);
    trace.trace().set_processors([]);
    drop(Span::when_observed(never).start().unwrap());
}
