//! The order of hooks, and what they may do.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use agentspan_processor::span_processor::{ActiveGuard, Hook};
use agentspan_processor::trace::TraceBuilder;
use agentspan_processor::{
    FanOut, Filter, HookError, HookFuture, Span, SpanEvent, SpanProcessor, Trace, TraceError,
    active_span_stack, current_span, current_trace,
};
use futures_executor::block_on;

use crate::recorder::{EVENT, Recorder, span};

#[test]
fn hooks_run_in_the_order_of_processors_and_with_the_stack_of_the_reference() {
    let recorder = Recorder::new();
    let trace = Trace::builder()
        .with_processor(recorder.clone())
        .start()
        .unwrap();
    let outer = span("outer").start().unwrap();
    outer.add_event(EVENT).unwrap();
    span("inner").start().unwrap().end().unwrap();
    outer.end().unwrap();
    trace.end().unwrap();
    assert_eq!(
        recorder.calls(),
        [
            "startup  0",
            "on_start RootSpan 0",
            "on_start outer 1",
            "on_event outer/Event 2",
            "on_start inner 2",
            "on_end inner 3",
            "on_end outer 2",
            "on_end RootSpan 1",
            "shutdown  0",
        ]
    );
}

#[test]
fn awaited_starts_and_ends_call_the_asynchronous_hooks() {
    let recorder = Recorder::new();
    let trace = Trace::builder().with_processor(recorder.clone());
    block_on(trace.run(|_| async {
        span("outer")
            .run(|outer| async move { outer.add_event_async(EVENT).await })
            .await
    }))
    .unwrap();
    assert_eq!(
        recorder.calls(),
        [
            "startup.await  0",
            "on_start.await RootSpan 0",
            "on_start.await outer 1",
            "on_event.await outer/Event 2",
            "on_end.await outer 2",
            "on_end.await RootSpan 1",
            "shutdown.await  0",
        ]
    );
}

/// Uses everything that a hook may use, in each hook of one span.
#[derive(Debug, Default)]
struct Busy {
    seen: Mutex<Vec<String>>,
}

impl Busy {
    fn work(&self, hook: Hook, about: &Span) -> Result<(), HookError> {
        if about.name() != "watched" {
            return Ok(());
        }
        let current = current_span().map(|span| span.name().to_owned());
        let trace = current_trace().map(|trace| trace.name().to_owned());
        self.seen
            .lock()
            .unwrap()
            .push(format!("{hook} {current:?} {trace:?}"));
        let error = |error: TraceError| HookError::new(error);
        let inner = span("by hook").with_parent(about).start().map_err(error)?;
        inner.add_event(EVENT).map_err(error)?;
        inner.end().map_err(error)?;
        if hook != Hook::OnEvent {
            about.add_event(EVENT).map_err(error)?;
        }
        Ok(())
    }
}

impl SpanProcessor for Busy {
    fn on_start(&self, span: &Span) -> Result<(), HookError> {
        self.work(Hook::OnStart, span)
    }

    fn on_event(&self, _: &SpanEvent<'_>, span: &Span) -> Result<(), HookError> {
        self.work(Hook::OnEvent, span)
    }

    fn on_end(&self, span: &Span) -> Result<(), HookError> {
        self.work(Hook::OnEnd, span)
    }
}

#[test]
fn a_hook_may_start_spans_add_events_and_ask_what_is_current() {
    let (busy, recorder) = (Arc::new(Busy::default()), Recorder::new());
    let trace = Trace::builder()
        .with_name("T")
        .with_processor(busy.clone())
        .with_processor(recorder.clone())
        .start()
        .unwrap();
    let watched = span("watched").start().unwrap();
    watched.add_event(EVENT).unwrap();
    let kept = Span::clone(&watched);
    watched.end().unwrap();
    trace.end().unwrap();
    assert_eq!(
        *busy.seen.lock().unwrap(),
        [
            r#"on_start Some("RootSpan") Some("T")"#,
            r#"on_event Some("watched") Some("T")"#,
            r#"on_end Some("watched") Some("T")"#,
            // Of the event that the hook of the end adds.
            r#"on_event Some("watched") Some("T")"#,
        ]
    );
    assert_eq!(kept.event_count(), 3);
    assert_eq!(recorder.count("on_end by hook"), 4);
    assert_eq!(trace_depth(), 0);
}

/// Makes a span for each span, without an end.
#[derive(Debug, Default)]
struct Endless(AtomicUsize);

impl SpanProcessor for Endless {
    fn on_end(&self, _: &Span) -> Result<(), HookError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let inner = span("by hook").start_detached().map_err(HookError::new)?;
        inner.end().map_err(HookError::new)
    }
}

#[test]
fn a_hook_that_makes_a_span_for_each_span_fails_before_the_stack_overflows() {
    let (endless, recorder) = (Arc::new(Endless::default()), Recorder::new());
    let trace = Trace::builder()
        .with_processor(endless.clone())
        .with_processor(recorder.clone())
        .start()
        .unwrap();
    span("watched").start().unwrap().end().unwrap();
    assert_eq!(endless.0.load(Ordering::Relaxed), 4);
    assert_eq!(recorder.count("on_end by hook"), 4);
    assert_eq!(current_trace().unwrap().hook_failures(), 1);
    trace.end().unwrap();
}

#[test]
fn an_awaited_hook_that_makes_a_span_for_each_span_fails_too() {
    #[derive(Debug, Default)]
    struct EndlessAsync(AtomicUsize);

    impl SpanProcessor for EndlessAsync {
        fn on_end_async<'a>(&'a self, _: &'a Span) -> HookFuture<'a> {
            HookFuture::new(async {
                self.0.fetch_add(1, Ordering::Relaxed);
                let inner = span("by hook").start_async().await;
                let inner = inner.map_err(HookError::new)?;
                inner.end_async().await.map_err(HookError::new)
            })
        }
    }

    let endless = Arc::new(EndlessAsync::default());
    let trace = Trace::builder().with_processor(endless.clone());
    let trace = trace.start().unwrap();
    block_on(async {
        let watched = span("watched").start_async().await.unwrap();
        watched.end_async().await.unwrap();
    });
    assert_eq!(endless.0.load(Ordering::Relaxed), 4);
    assert_eq!(current_trace().unwrap().hook_failures(), 1);
    trace.end().unwrap();
}

fn trace_depth() -> usize {
    active_span_stack().len()
}

/// Writes down when it makes something current and when it takes it back.
#[derive(Clone, Debug, Default)]
struct Activator(Arc<Mutex<Vec<String>>>);

#[derive(Debug)]
struct Deactivate(Activator, String);

impl ActiveGuard for Deactivate {}

impl Drop for Deactivate {
    fn drop(&mut self) {
        self.0.0.lock().unwrap().push(format!("-{}", self.1));
    }
}

impl SpanProcessor for Activator {
    fn activate(&self, span: &Span) -> Option<Box<dyn ActiveGuard>> {
        self.0.lock().unwrap().push(format!("+{}", span.name()));
        Some(Box::new(Deactivate(self.clone(), span.name().to_owned())))
    }
}

#[test]
fn a_processor_makes_something_current_for_as_long_as_the_span_is_current() {
    let activator = Activator::default();
    let trace = Trace::builder()
        .with_processor(activator.clone())
        .start()
        .unwrap();
    let outer = span("outer").start().unwrap();
    span("inner").start().unwrap().end().unwrap();
    drop(outer);
    let task = span("task").start_detached().unwrap();
    block_on(task.wrap(crate::recorder::yield_once()));
    drop(task);
    trace.end().unwrap();
    let calls = activator.0.lock().unwrap().clone();
    // The task is polled twice; and dropping its future makes the span current once more.
    let task = ["+task", "-task", "+task", "-task", "+task", "-task"];
    let before = ["+RootSpan", "+outer", "+inner", "-inner", "-outer"];
    assert_eq!(calls, [&before[..], &task, &["-RootSpan"]].concat());
}

/// Has something to make current, and says that it does not.
#[derive(Debug)]
struct Passive(Activator);

impl SpanProcessor for Passive {
    fn activate(&self, span: &Span) -> Option<Box<dyn ActiveGuard>> {
        self.0.activate(span)
    }

    fn activates(&self) -> bool {
        false
    }
}

#[test]
fn a_processor_that_makes_nothing_current_is_not_asked_to() {
    let passive = Activator::default();
    let active = Activator::default();
    let check = |builder: TraceBuilder, calls: &[&str]| {
        builder.start().unwrap().end().unwrap();
        let made = std::mem::take(&mut *active.0.lock().unwrap());
        assert_eq!(made, calls);
        assert_eq!(*passive.0.lock().unwrap(), [""; 0]);
    };
    let calls = ["+RootSpan", "-RootSpan"];
    let builder = || Trace::builder().with_processor(Passive(passive.clone()));
    check(builder(), &[]);
    check(builder().with_processor(active.clone()), &calls);
    let shared: Arc<dyn SpanProcessor> = Arc::new(Passive(passive.clone()));
    check(Trace::builder().with_processor(shared), &[]);
    let filter = Filter::new(Passive(passive.clone()));
    check(Trace::builder().with_processor(filter), &[]);
    let fan_out = || FanOut::new().with_target(Passive(passive.clone()));
    check(Trace::builder().with_processor(fan_out()), &[]);
    let both = fan_out().with_target(active.clone());
    check(Trace::builder().with_processor(both), &calls);
}

#[test]
fn a_span_is_observed_if_a_processor_was_told_of_its_start() {
    assert!(!span("nobody").start().unwrap().is_observed());
    let quiet = Recorder::new();
    let failing = Recorder::failing(Hook::OnStart, "failed");
    let trace = Trace::builder().with_processor(failing);
    let trace = trace.start().unwrap();
    assert!(trace.root().is_observed());
    assert!(!span("failed").start().unwrap().is_observed());
    trace.end().unwrap();
    let trace = Trace::builder()
        .with_processor(Recorder::failing(Hook::OnStart, "failed"))
        .with_processor(quiet);
    let _trace = trace.start().unwrap();
    assert!(span("failed").start().unwrap().is_observed());
}

#[test]
fn events_on_demand_are_made_once_for_those_who_observe_and_not_at_all_otherwise() {
    let made = std::cell::Cell::new(0);
    let event = || {
        made.set(made.get() + 1);
        EVENT
    };
    let unobserved = span("nobody").start().unwrap();
    unobserved.add_event_with(event).unwrap();
    assert_eq!((made.get(), unobserved.event_count()), (0, 0));
    drop(unobserved);

    let recorder = Recorder::new();
    let trace = Trace::builder()
        .with_processor(recorder.clone())
        .with_processor(recorder.clone());
    let _trace = trace.start().unwrap();
    let observed = span("observed").start().unwrap();
    observed.add_event_with(event).unwrap();
    assert_eq!((made.get(), observed.event_count()), (1, 1));
}
