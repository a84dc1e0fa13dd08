//! Hooks that fail or panic.

use std::error::Error;
use std::fmt;
use std::panic::catch_unwind;
use std::time::Duration;

use agentspan_model::agentspec::{Disclosure, EventDetails};
use agentspan_processor::InMemory;
use agentspan_processor::span_processor::Hook;
use agentspan_processor::{
    BackgroundQueue, ErrorPolicy, HookError, Span, SpanEvent, SpanProcessor, Trace, TraceError,
    current_trace,
};
use futures_executor::block_on;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::recorder::{EVENT, Recorder, exceptions, span};

#[test]
fn a_failure_is_counted_and_everything_goes_on() {
    let (bad, good) = (Recorder::failing(Hook::OnEnd, "a"), Recorder::new());
    let trace = Trace::builder()
        .with_processor(bad.clone())
        .with_processor(good.clone())
        .start()
        .unwrap();
    span("a").start().unwrap().end().unwrap();
    assert_eq!(trace.trace().hook_failures(), 1);
    trace.end().unwrap();
    assert_eq!(bad.calls(), good.calls());
}

#[test]
fn a_processor_that_fails_to_start_a_span_hears_nothing_more_of_it() {
    let (bad, good) = (Recorder::failing(Hook::OnStart, "a"), Recorder::new());
    let trace = Trace::builder()
        .with_processor(bad.clone())
        .with_processor(good.clone())
        .start()
        .unwrap();
    let a = span("a").start().unwrap();
    a.add_event(EVENT).unwrap();
    a.end().unwrap();
    trace.end().unwrap();
    assert_eq!(bad.count("on_event a") + bad.count("on_end a"), 0);
    assert_eq!(good.count("on_event a") + good.count("on_end a"), 2);
}

#[test]
fn a_processor_that_does_not_start_up_takes_no_part() {
    let (bad, good) = (Recorder::failing(Hook::Startup, ""), Recorder::new());
    let trace = Trace::builder()
        .with_processor(bad.clone())
        .with_processor(good.clone())
        .start()
        .unwrap();
    trace.end().unwrap();
    assert_eq!(bad.calls(), ["startup  0"]);
    assert_eq!(good.calls().len(), 4);
}

#[test]
fn a_panic_in_a_hook_stays_there() {
    for hook in [
        Hook::Startup,
        Hook::OnStart,
        Hook::OnEvent,
        Hook::OnEnd,
        Hook::Shutdown,
    ] {
        let bad = Recorder::behaving(move |called, _| {
            assert_ne!(called, hook, "out of order");
            Ok(())
        });
        let good = Recorder::new();
        let trace = Trace::builder()
            .with_processor(bad.clone())
            .with_processor(good.clone())
            .start()
            .unwrap();
        let handle = trace.trace().clone();
        let a = span("a").start().unwrap();
        a.add_event(EVENT).unwrap();
        a.end().unwrap();
        trace.end().unwrap();
        assert_eq!(good.calls().len(), 7, "{hook}");
        assert!(handle.hook_failures() >= 1, "{hook}");
    }
}

#[test]
fn a_panic_in_an_asynchronous_hook_stays_there() {
    let bad = Recorder::behaving(|hook, _| {
        assert_ne!(hook, Hook::OnEnd, "out of order");
        Ok(())
    });
    let good = Recorder::new();
    let trace = Trace::builder()
        .with_processor(bad)
        .with_processor(good.clone());
    block_on(trace.run(|_| async { Ok::<_, TraceError>(()) })).unwrap();
    assert_eq!(good.count("on_end.await"), 1);
}

fn propagating(processors: &[&Recorder]) -> agentspan_processor::trace::TraceBuilder {
    let builder = Trace::builder().with_error_policy(ErrorPolicy::Propagate);
    processors.iter().fold(builder, |builder, processor| {
        builder.with_processor((*processor).clone())
    })
}

#[track_caller]
fn check_error(error: &TraceError, expected_hook: Hook, message: &str) {
    match error {
        TraceError::Hook {
            hook,
            processor,
            source,
        } => {
            assert_eq!(
                (*hook, source.to_string().as_str()),
                (expected_hook, message)
            );
            assert!(processor.ends_with("::Recorder"), "{processor}");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_propagated_failure_to_start_ends_the_span_for_those_that_had_started_it() {
    let (good, bad) = (Recorder::new(), Recorder::failing(Hook::OnStart, "a"));
    let trace = propagating(&[&good, &bad]).start().unwrap();
    let error = span("a").start().unwrap_err();
    check_error(&error, Hook::OnStart, "on_start failed");
    let calls = good.calls();
    assert_eq!(
        calls[calls.len() - 3..],
        ["on_start a 1", "on_event a/ExceptionRaised 1", "on_end a 1"]
    );
    assert_eq!(bad.count("on_end a"), 0);
    trace.end().unwrap();
}

#[test]
fn a_propagated_panic_is_an_error_too() {
    let bad = Recorder::behaving(|hook, name| {
        assert!(hook != Hook::OnEnd || name != "a", "out of order");
        Ok(())
    });
    let trace = propagating(&[&bad]).start().unwrap();
    let error = span("a").start().unwrap().end().unwrap_err();
    check_error(&error, Hook::OnEnd, "the hook panicked");
    trace.end().unwrap();
}

#[test]
fn all_ends_run_and_the_first_failure_comes_out() {
    let bad = |message: &'static str| {
        Recorder::behaving(move |hook, name| match (hook, name) {
            (Hook::OnEnd, "a") => Err(HookError::message(message)),
            _ => Ok(()),
        })
    };
    let (one, two) = (bad("one"), bad("two"));
    let trace = propagating(&[&one, &two]).start().unwrap();
    let error = span("a").start().unwrap().end().unwrap_err();
    check_error(&error, Hook::OnEnd, "one");
    assert_eq!(two.count("on_end a"), 1);
    trace.end().unwrap();
}

#[test]
fn a_trace_whose_start_fails_is_not_active_and_shuts_down_what_came_up() {
    let good = Recorder::new();
    for bad in [
        Recorder::failing(Hook::Startup, ""),
        Recorder::failing(Hook::OnStart, "RootSpan"),
    ] {
        let error = propagating(&[&good, &bad]).start().unwrap_err();
        assert!(matches!(error, TraceError::Hook { .. }));
        assert!(current_trace().is_none());
        assert_eq!(good.take_calls().last().unwrap(), "shutdown  0");
        let error = block_on(propagating(&[&good, &bad]).start_async()).unwrap_err();
        assert!(matches!(error, TraceError::Hook { .. }));
        assert_eq!(good.take_calls().last().unwrap(), "shutdown.await  0");
    }
    Trace::builder().start().unwrap().end().unwrap();
}

#[test]
fn a_trace_whose_root_fails_to_end_has_ended() {
    let bad = Recorder::failing(Hook::OnEnd, "RootSpan");
    let trace = propagating(&[&bad]).start().unwrap();
    check_error(&trace.end().unwrap_err(), Hook::OnEnd, "on_end failed");
    assert!(current_trace().is_none());
    assert_eq!(bad.calls().last().unwrap(), "shutdown  0");
}

#[test]
fn what_run_returns_is_the_error_of_the_body_even_if_hooks_fail() {
    let bad = Recorder::failing(Hook::OnEnd, "a");
    let trace = propagating(&[&bad]).start().unwrap();
    let mut seen = None;
    let result = span("a").in_span(|span| {
        seen = Some(Span::clone(span));
        Err::<(), Box<dyn Error>>("no such city".into())
    });
    assert_eq!(result.unwrap_err().to_string(), "no such city");
    let seen = seen.unwrap();
    assert_eq!(
        exceptions(&seen),
        [("_OTHER".into(), "no such city".into())]
    );
    assert!(seen.has_ended());
    let result = span("a").in_span(|_| Ok::<_, TraceError>(()));
    check_error(&result.unwrap_err(), Hook::OnEnd, "on_end failed");
    trace.end().unwrap();
}

/// Has a text that cannot be had.
#[derive(Debug)]
struct Unspeakable;

impl fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("the text of an error panics on purpose")
    }
}

impl Error for Unspeakable {}

#[derive(Debug)]
struct FailsUnspeakably;

impl SpanProcessor for FailsUnspeakably {
    fn on_event(&self, _: &SpanEvent<'_>, _: &Span) -> Result<(), HookError> {
        Err(HookError::new(Unspeakable))
    }
}

/// Writes all that is logged, and keeps nothing of it.
struct Writer;

impl Subscriber for Writer {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Texts);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Texts;

impl Visit for Texts {
    fn record_debug(&mut self, _: &Field, value: &dyn fmt::Debug) {
        let _ = format!("{value:?}");
    }
}

#[test]
fn an_error_that_cannot_be_logged_takes_nobody_along() {
    // For all threads: the queue has one of its own.
    tracing::subscriber::set_global_default(Writer).unwrap();
    let queue = BackgroundQueue::new(FailsUnspeakably);
    let trace = Trace::builder()
        .with_processor(FailsUnspeakably)
        .with_processor(queue.clone())
        .start_detached()
        .unwrap();
    for _ in 0..3 {
        trace.root().add_event(EVENT).unwrap();
        queue.flush(Duration::from_secs(60)).unwrap_err();
    }
    assert_eq!(queue.stats().failed, 3);
    // Those of the queue count as well.
    assert_eq!(trace.trace().hook_failures(), 6);
    block_on(trace.end_async()).unwrap();
}

#[test]
fn the_message_of_a_panic_is_told_nowhere() {
    let bad = Recorder::behaving(|hook, name| {
        assert!(hook != Hook::OnStart || name != "a", "the prompt is 5ECRET");
        Ok(())
    });
    let memory = InMemory::new().with_disclosure(Disclosure::Clear);
    let trace = propagating(&[&bad]).with_processor(memory).start().unwrap();
    let error = span("a").start().unwrap_err();
    let source = Error::source(&error).map(|source| format!("{source} {source:?}"));
    let told = format!("{error} {error:?} {source:?}");
    assert!(told.contains("the hook panicked"), "{told}");
    // What `main` prints of it.
    let shown = format!("{error}: the hook panicked");
    assert_eq!(format!("{error:?}"), shown);
    assert!(!told.contains("5ECRET"), "{told}");
    trace.end().unwrap();
}

#[test]
fn a_hook_may_pass_the_errors_of_its_own_spans_on() {
    fn hook() -> Result<(), HookError> {
        let _outer = Trace::builder().with_name("outer").start()?;
        Ok(Trace::builder().start()?.end()?)
    }
    let error = hook().unwrap_err();
    assert_eq!(error.type_name(), "TraceError");
    assert!(
        error.to_string().contains("\"outer\" is active already"),
        "{error}"
    );
}

#[test]
#[expect(clippy::disallowed_methods, reason = "this is no setting")]
fn rust_backtrace_adds_no_frames_to_any_exception() {
    if std::env::var("RUST_BACKTRACE").as_deref() != Ok("1") {
        let this = "errors::rust_backtrace_adds_no_frames_to_any_exception";
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", this, "--quiet"])
            .env("RUST_BACKTRACE", "1")
            .env_remove("RUST_LIB_BACKTRACE")
            .status();
        assert!(status.unwrap().success());
        return;
    }
    let seen = InMemory::new().with_disclosure(Disclosure::Clear);
    let trace = Trace::builder()
        .with_processor(seen.clone())
        .start()
        .unwrap();
    let returns = |_: &Span| Err::<(), Box<dyn Error>>("no such city".into());
    span("returns").in_span(returns).unwrap_err();
    let panics = |_: &Span| -> Result<(), TraceError> { panic!("on purpose") };
    let caught = catch_unwind(|| span("panics").in_span(panics));
    caught.unwrap_err();
    trace.end().unwrap();
    let spans = seen.spans();
    let events = spans.iter().flat_map(|recorded| &recorded.span.events);
    let traces = events.filter_map(|event| match &event.details {
        EventDetails::ExceptionRaised(raised) => raised.exception_stacktrace.reveal().cloned(),
        _ => None,
    });
    let traces: Vec<String> = traces.collect();
    assert_eq!(traces, ["_OTHER: no such city", "panic: on purpose"]);
}
