//! Foreign code that panics, with whatever it panics, reaches neither the program nor the thread of a
//! queue. Tests named `f4_...` and `a11_...` are the faults of those names.

use std::error::Error;
use std::fmt;
use std::panic::panic_any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use agentspan_model::agentspec::{Disclosure, Timestamp};
use agentspan_processor::clock::Clock;
use agentspan_processor::span_processor::{ActiveGuard, Hook};
use agentspan_processor::trace::TraceBuilder;
use agentspan_processor::{
    BackgroundQueue, ErrorPolicy, FanOut, HookError, InMemory, Span, SpanProcessor, Trace,
    TraceError,
};
use futures_executor::block_on;

use crate::recorder::{EVENT, Recorder, exceptions, span};

/// Longer than any of this takes.
const LONG: Duration = Duration::from_secs(60);

const HOOKS: [Hook; 5] = [
    Hook::Startup,
    Hook::OnStart,
    Hook::OnEvent,
    Hook::OnEnd,
    Hook::Shutdown,
];

/// What a hook may panic with: dropping it panics, too.
struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic_any("the payload panics as well");
    }
}

/// Panics in one hook in this way for as long as it is switched on.
fn panicking(hook: Hook, is_on: &Arc<AtomicBool>) -> Recorder {
    let is_on = Arc::clone(is_on);
    Recorder::behaving(move |called, _| {
        if called == hook && is_on.load(Ordering::SeqCst) {
            panic_any(PanicsWhenDropped);
        }
        Ok(())
    })
}

fn program(trace: TraceBuilder) {
    let trace = trace.start().unwrap();
    let a = span("a").start().unwrap();
    a.add_event(EVENT).unwrap();
    // Ends in the drop of the guard.
    drop(a);
    trace.end().unwrap();
}

async fn async_program(trace: TraceBuilder) {
    let trace = trace.start_async().await.unwrap();
    let in_trace = async {
        let a = span("a").start_async().await.unwrap();
        a.add_event_async(EVENT).await.unwrap();
        a.end_async().await.unwrap();
    };
    trace.wrap(in_trace).await;
    trace.end_async().await.unwrap();
}

#[test]
fn f4_a_hook_with_a_payload_that_panics_costs_the_program_nothing() {
    for hook in HOOKS {
        let (on, good) = (Arc::new(AtomicBool::new(true)), Recorder::new());
        let trace = || {
            Trace::builder()
                .with_processor(panicking(hook, &on))
                .with_processor(FanOut::new().with_target(panicking(hook, &on)))
                .with_processor(good.clone())
        };
        program(trace());
        block_on(async_program(trace()));
        assert_eq!(good.calls().len(), 2 * 7, "{hook:?}");
    }
}

#[test]
fn f4_the_thread_of_a_background_queue_outlives_such_hooks() {
    for hook in HOOKS {
        let on = Arc::new(AtomicBool::new(true));
        let recorder = panicking(hook, &on);
        let queue = BackgroundQueue::new(recorder.clone());
        program(Trace::builder().with_processor(queue.clone()));
        queue.flush(LONG).unwrap();
        let stats = queue.stats();
        assert!(stats.failed > 0, "{stats:?}");
        assert_eq!((stats.accepted, stats.queued), (7, 0));
        assert_eq!(stats.handled + stats.dropped, 7);
        on.store(false, Ordering::SeqCst);
        let before = recorder.calls().len();
        program(Trace::builder().with_processor(queue.clone()));
        queue.flush(LONG).unwrap();
        assert_eq!(recorder.calls().len() - before, 7, "{hook:?}");
    }
}
/// Panics in everything that is no hook.
#[derive(Debug)]
struct PanicsBesideHooks;

impl SpanProcessor for PanicsBesideHooks {
    fn name(&self) -> &str {
        panic_any(PanicsWhenDropped)
    }

    fn disclosure(&self) -> Disclosure {
        panic_any(PanicsWhenDropped)
    }

    fn activates(&self) -> bool {
        panic_any(PanicsWhenDropped)
    }

    fn on_end(&self, _span: &Span) -> Result<(), HookError> {
        Err(HookError::new(PanickingError))
    }
}

impl Drop for PanicsBesideHooks {
    fn drop(&mut self) {
        panic_any(PanicsWhenDropped);
    }
}

/// An error that cannot be shown, and panics when it is dropped.
#[derive(Debug)]
struct PanickingError;

impl fmt::Display for PanickingError {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic_any(PanicsWhenDropped)
    }
}

impl Error for PanickingError {}

impl Drop for PanickingError {
    fn drop(&mut self) {
        panic_any(PanicsWhenDropped);
    }
}

#[test]
fn a11_what_is_no_hook_may_panic_too() {
    let fan_out = || {
        FanOut::new()
            .with_target(PanicsBesideHooks)
            .with_target(PanicsBesideHooks)
    };
    // Two of each: a second panic in the unwinding of the first would abort the process.
    let trace = || {
        Trace::builder()
            .with_processor(PanicsBesideHooks)
            .with_processor(PanicsBesideHooks)
            .with_processor(fan_out())
    };
    program(trace());
    block_on(async_program(trace()));
    let queue = BackgroundQueue::new(PanicsBesideHooks);
    program(Trace::builder().with_processor(queue.clone()));
    assert_eq!(queue.stats().failed, 2);
    drop(queue);
}

#[test]
fn a11_an_error_that_propagates_names_a_processor_whose_name_panics() {
    let trace = trace_of(PanicsBesideHooks).with_error_policy(ErrorPolicy::Propagate);
    let trace = trace.start().unwrap();
    let Err(TraceError::Hook { processor, .. }) = trace.end() else {
        panic!("no hook failed");
    };
    assert_eq!(processor, "a processor whose name panics");
}

fn trace_of(processor: impl SpanProcessor + 'static) -> TraceBuilder {
    Trace::builder().with_processor(processor)
}

/// Makes a guard that panics.
#[derive(Debug)]
struct Activates;

#[derive(Debug)]
struct PanickingGuard;

impl ActiveGuard for PanickingGuard {}

impl Drop for PanickingGuard {
    fn drop(&mut self) {
        panic_any(PanicsWhenDropped);
    }
}

impl SpanProcessor for Activates {
    fn activate(&self, _span: &Span) -> Option<Box<dyn ActiveGuard>> {
        Some(Box::new(PanickingGuard))
    }
}

#[test]
fn a11_guards_that_panic_leave_nothing_current() {
    let fan_out = FanOut::new().with_target(Activates).with_target(Activates);
    program(
        trace_of(Activates)
            .with_processor(Activates)
            .with_processor(fan_out),
    );
    assert!(agentspan_processor::current_span().is_none());
}

#[derive(Debug)]
struct PanickingClock;

impl Clock for PanickingClock {
    fn wall(&self) -> Timestamp {
        panic_any(PanicsWhenDropped)
    }

    fn monotonic(&self) -> Duration {
        panic_any(PanicsWhenDropped)
    }
}

#[test]
fn a11_no_time_passes_on_a_clock_that_panics() {
    let memory = InMemory::new();
    program(trace_of(memory.clone()).with_clock(Arc::new(PanickingClock)));
    for span in memory.spans() {
        assert_eq!(span.span.end_time, span.span.start_time);
    }
}

#[test]
fn a11_the_error_of_a_span_may_panic_over_its_text() {
    let mut kept = None;
    let failing = span("a").in_span(|span| {
        kept = Some(span.clone());
        Err::<(), _>(Unshowable)
    });
    assert!(matches!(failing, Err(Unshowable)));
    let raised = (
        "Unshowable".to_owned(),
        "an error whose text panics".to_owned(),
    );
    assert_eq!(exceptions(&kept.unwrap()), [raised]);
}

#[derive(Debug)]
struct Unshowable;

impl fmt::Display for Unshowable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic_any(PanicsWhenDropped)
    }
}

impl From<TraceError> for Unshowable {
    fn from(_: TraceError) -> Self {
        Self
    }
}
