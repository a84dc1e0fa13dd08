//! Spans: parents, ends, times, ids.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use agentspan_model::agentspec::{Event, EventDetails, Id, Timestamp};
use agentspan_processor::clock::{Clock, ManualClock};
use agentspan_processor::span::SpanBuilder;
use agentspan_processor::{Context, Span, Trace, active_span_stack, current_span};

use crate::recorder::{EVENT, Recorder, exceptions, span};

fn names() -> Vec<String> {
    let stack = active_span_stack();
    stack.iter().map(|span| span.name().to_owned()).collect()
}

#[test]
fn guards_may_be_dropped_in_any_order() {
    let a = span("a").start().unwrap();
    let b = span("b").start().unwrap();
    let c = span("c").start().unwrap();
    drop(b);
    assert_eq!(names(), ["a", "c"]);
    drop(a);
    assert_eq!(names(), ["c"]);
    drop(c);
    assert_eq!(names(), Vec::<String>::new());
}

#[test]
fn a_span_ends_once() {
    let recorder = Recorder::new();
    let trace = Trace::builder()
        .with_processor(recorder.clone())
        .start()
        .unwrap();
    let a = span("a").start().unwrap();
    a.add_event(EVENT).unwrap();
    Span::end(&a).unwrap();
    let end_time = a.end_time();
    Span::end(&a).unwrap();
    assert_eq!(names(), ["RootSpan"]);
    assert_eq!(a.end_time(), end_time);
    drop(a);
    trace.end().unwrap();
    assert_eq!(recorder.count("on_end a"), 1);
}

#[test]
fn a_span_that_another_thread_ended_is_current_nowhere() {
    let a = span("a").start().unwrap();
    let handle = Span::clone(&a);
    std::thread::spawn(move || handle.end().unwrap())
        .join()
        .unwrap();
    assert!(current_span().is_none());
    let b = span("b").start().unwrap();
    assert!(b.parent().is_none());
}

#[test]
fn an_explicit_parent_wins_over_the_current_span_and_brings_its_trace() {
    let recorder = Recorder::new();
    let trace = Trace::builder()
        .with_processor(recorder.clone())
        .start()
        .unwrap();
    let a = span("a").start().unwrap();
    let _b = span("b").start().unwrap();
    let parent = Span::clone(&a);
    let other_thread = std::thread::spawn(move || {
        assert!(current_span().is_none());
        let child = span("child").with_parent(&parent).start().unwrap();
        let grandchild = span("grandchild").start().unwrap();
        (child.parent_id().cloned(), grandchild.trace().cloned())
    });
    let (parent_id, of_trace) = other_thread.join().unwrap();
    assert_eq!(parent_id.as_ref(), Some(a.id()));
    assert_eq!(of_trace.unwrap().id(), trace.trace().id());
    let orphan = span("orphan").without_parent().start().unwrap();
    assert!(orphan.parent().is_none());
    assert_eq!(recorder.count("on_start grandchild"), 1);
}

#[test]
fn a_thread_starts_with_nothing_active_unless_a_context_is_carried_to_it() {
    let _trace = Trace::builder().start().unwrap();
    let _a = span("a").start().unwrap();
    let carried = Context::current();
    let thread = std::thread::spawn(move || (names(), carried.in_context(names), names()));
    let (before, inside, after) = thread.join().unwrap();
    assert_eq!(inside, ["RootSpan", "a"]);
    assert!(before.is_empty() && after.is_empty());
    assert_eq!(Context::empty().in_context(names), Vec::<String>::new());
    assert_eq!(names(), ["RootSpan", "a"]);
}

#[test]
fn a_span_may_outlive_its_trace() {
    let recorder = Recorder::new();
    let trace = Trace::builder()
        .with_processor(recorder.clone())
        .start()
        .unwrap();
    let a = span("a").start_detached().unwrap();
    trace.end().unwrap();
    a.add_event(EVENT).unwrap();
    let late = span("late").with_parent(&a).start().unwrap();
    assert!(late.trace().is_none());
    a.end().unwrap();
    let calls = recorder.take_calls();
    assert_eq!(
        calls[calls.len() - 3..],
        ["shutdown  0", "on_event a/Event 0", "on_end a 1"]
    );
}

#[test]
fn a_panic_becomes_an_exception_and_ends_the_span() {
    let mut seen = None;
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let guard = span("guarded").start().unwrap();
        seen = Some(Span::clone(&guard));
        panic!("no way");
    }));
    panicked.unwrap_err();
    let guarded = seen.take().unwrap();
    assert!(guarded.has_ended());
    assert_eq!(exceptions(&guarded)[0].0, "panic");

    let panicked = catch_unwind(AssertUnwindSafe(|| {
        span("run").in_span(|span| {
            seen = Some(Span::clone(span));
            if span.name() == "run" {
                panic!("no way");
            }
            Ok::<_, agentspan_processor::TraceError>(())
        })
    }));
    assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"no way"));
    assert_eq!(
        exceptions(&seen.unwrap()),
        [("panic".into(), "no way".into())]
    );
    assert!(current_span().is_none());
}

#[test]
fn an_end_is_never_before_its_start() {
    let noon = Timestamp::from_unix_nanos(1_000_000_000);
    let clock = Arc::new(ManualClock::new(noon));
    let trace = Trace::builder().with_clock(clock.clone()).start().unwrap();
    let a = span("a").start().unwrap();
    clock.advance(Duration::from_nanos(7));
    clock.set_wall(Timestamp::from_unix_nanos(5));
    a.add_event(EVENT).unwrap();
    let kept = Span::clone(&a);
    a.end().unwrap();
    assert_eq!(kept.start_time(), Some(noon));
    let later = Timestamp::from_unix_nanos(1_000_000_007);
    assert_eq!(
        (kept.end_time(), kept.event(0).unwrap().timestamp),
        (Some(later), later)
    );
    let b = span("b").start().unwrap();
    assert_eq!(b.start_time(), Some(Timestamp::from_unix_nanos(5)));
    drop(b);
    trace.end().unwrap();
}

/// Panics once when it is told to.
#[derive(Debug, Default)]
struct PanickingClock(AtomicBool);

impl Clock for PanickingClock {
    fn wall(&self) -> Timestamp {
        Timestamp::from_unix_nanos(0)
    }

    fn monotonic(&self) -> Duration {
        assert!(!self.0.swap(false, Ordering::SeqCst), "no time");
        Duration::ZERO
    }
}

#[test]
fn a11_a_span_ends_although_its_clock_panics() {
    let clock = Arc::new(PanickingClock::default());
    let recorder = Recorder::new();
    let trace = Trace::builder().with_clock(clock.clone());
    let trace = trace.with_processor(recorder.clone()).start().unwrap();
    let a = span("a").start().unwrap();
    let kept = Span::clone(&a);
    clock.0.store(true, Ordering::SeqCst);
    a.end().unwrap();
    assert!(kept.has_ended());
    assert_eq!(recorder.count("on_end a"), 1);
    trace.end().unwrap();
}

#[test]
fn ids_are_random_uuids_unless_they_are_set() {
    let (a, b) = (span("a").start().unwrap(), span("b").start().unwrap());
    assert_eq!(a.id().to_uuid().map(|uuid| uuid.get_version_num()), Some(4));
    assert_ne!(a.id(), b.id());
    let set = span("c").with_id("my id").start().unwrap();
    assert_eq!(set.id().as_str(), "my id");
}

#[test]
fn what_the_builder_says_is_in_the_record() {
    let early = Event::new(
        Id::from("e"),
        Timestamp::from_unix_nanos(1),
        EventDetails::Plain,
    );
    let builder: SpanBuilder = span("a").with_id("id").with_description("about");
    let open = builder.with_event(early.clone()).start_detached().unwrap();
    open.add_event(EVENT).unwrap();
    let record = open.to_record();
    assert_eq!((record.id.as_str(), &*record.name), ("id", "a"));
    assert_eq!(record.description, "about");
    assert_eq!(*record.events[0], early);
    assert_eq!(record.events.len(), 2);
    assert_eq!(
        (record.start_time, record.end_time),
        (open.start_time(), None)
    );
}

#[test]
fn threads_add_events_to_one_span_and_none_is_lost() {
    let recorder = Recorder::new();
    let trace = Trace::builder()
        .with_processor(recorder.clone())
        .start()
        .unwrap();
    let a = span("a").start_detached().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..50).for_each(|_| a.add_event(EVENT).unwrap()));
        }
    });
    assert_eq!((a.event_count(), a.events().count()), (200, 200));
    assert_eq!(recorder.count("on_event a"), 200);
    drop(a);
    trace.end().unwrap();
}

#[test]
fn a_chain_of_a_hundred_thousand_spans_is_dropped_without_a_stack_overflow() {
    let mut last: Option<Span> = None;
    for _ in 0..100_000 {
        let builder = match &last {
            Some(parent) => span("link").with_parent(parent),
            None => span("first"),
        };
        let open = builder.start_detached().unwrap();
        last = Some(Span::clone(&open));
    }
    assert!(last.unwrap().has_ended());
}
