//! Spans in asynchronous code: awaits, cancellation, panics, spawned tasks.

use std::cell::Cell;
use std::future::{Future, pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context as TaskContext, Waker};

use agentspan_processor::span::OpenSpan;
use agentspan_processor::{Context, Span, Trace, TraceError, active_span_stack, current_span};
use futures_executor::block_on;

use crate::recorder::{EVENT, Recorder, exceptions, span, yield_once};

fn current_name() -> Option<String> {
    current_span().map(|span| span.name().to_owned())
}

/// Polls a future some times and drops it.
fn poll_and_drop(future: impl Future, polls: usize) {
    let mut future = pin!(future);
    for _ in 0..polls {
        let mut cx = TaskContext::from_waker(Waker::noop());
        assert!(
            future.as_mut().poll(&mut cx).is_pending(),
            "was not to be done yet"
        );
    }
}

#[test]
fn a_span_is_current_while_its_future_runs_and_not_while_others_do() {
    let a = async {
        let open = span("a").start_detached().unwrap();
        let inside = open.wrap(async {
            yield_once().await;
            let child = span("child").start_detached().unwrap();
            child.wrap(yield_once()).await;
            (
                current_name(),
                child.parent().map(|parent| parent.name().to_owned()),
            )
        });
        inside.await
    };
    let mut a = pin!(a);
    let mut polls = 0;
    let seen = block_on(std::future::poll_fn(|cx| {
        assert_eq!(current_name(), None, "after {polls} polls");
        polls += 1;
        a.as_mut().poll(cx)
    }));
    assert_eq!(seen, (Some("a".into()), Some("a".into())));
    assert_eq!(polls, 3);
}

#[test]
fn a_guard_that_is_held_across_an_await_moves_with_its_future() {
    let outer = span("outer").start_detached().unwrap();
    let future = outer.wrap(async {
        let guard = span("inner").start().unwrap();
        yield_once().await;
        let during = current_name();
        drop(guard);
        (during, current_name())
    });
    let mut future = pin!(future);
    let mut cx = TaskContext::from_waker(Waker::noop());
    assert!(future.as_mut().poll(&mut cx).is_pending());
    assert_eq!(active_span_stack().len(), 0);
    let seen = block_on(future);
    assert_eq!(seen, (Some("inner".into()), Some("outer".into())));
}

#[test]
fn a_cancelled_span_says_so_and_ends_with_the_synchronous_hooks() {
    let recorder = Recorder::new();
    let open = Trace::builder().with_processor(recorder.clone());
    let open = block_on(open.start_async()).unwrap();
    let mut seen = None;
    let body = span("a").run(|span| {
        seen = Some(span);
        pending::<Result<(), TraceError>>()
    });
    poll_and_drop(open.wrap(body), 2);
    let seen = seen.unwrap();
    assert_eq!(exceptions(&seen)[0].0, "Cancelled");
    assert_eq!(
        recorder.take_calls()[2..],
        [
            "on_start.await a 1",
            "on_event a/ExceptionRaised 2",
            "on_end a 2"
        ]
    );
    assert!(seen.has_ended());
}

#[test]
fn a_start_that_is_cancelled_ends_for_those_that_had_started() {
    let (one, two) = (Recorder::new(), Recorder::new());
    let trace = Trace::builder()
        .with_processor(one.clone())
        .with_processor(two.clone())
        .start()
        .unwrap();
    one.take_calls();
    two.take_calls();
    poll_and_drop(span("a").start_async(), 2);
    assert_eq!(
        one.take_calls(),
        [
            "on_start.await a 1",
            "on_event a/ExceptionRaised 1",
            "on_end a 1"
        ]
    );
    assert_eq!(two.take_calls(), Vec::<String>::new());
    trace.end().unwrap();
}

#[test]
fn an_end_that_is_cancelled_reaches_all_processors() {
    let (one, two) = (Recorder::new(), Recorder::new());
    let trace = Trace::builder()
        .with_processor(one.clone())
        .with_processor(two.clone())
        .start()
        .unwrap();
    let a = span("a").start_detached().unwrap();
    // The hook of the first is pending once, then that of the second.
    poll_and_drop(Span::end_async(&a), 2);
    assert!(a.has_ended());
    assert_eq!(one.count("on_end.await a") + one.count("on_end a"), 1);
    // It was called, and dropped before it did anything: it is not called twice.
    assert_eq!(two.count("on_end.await a") + two.count("on_end a"), 0);
    let b = span("b").start_detached().unwrap();
    poll_and_drop(Span::end_async(&b), 1);
    assert_eq!(two.count("on_end b"), 1);
    trace.end().unwrap();
}

#[test]
fn an_error_becomes_an_exception_and_goes_on() {
    let recorder = Recorder::new();
    let trace = Trace::builder()
        .with_processor(recorder.clone())
        .start()
        .unwrap();
    let mut seen = None;
    let result = block_on(span("a").run(|span| {
        seen = Some(span);
        async { Err::<(), Box<dyn std::error::Error>>("no such city".into()) }
    }));
    assert_eq!(result.unwrap_err().to_string(), "no such city");
    assert_eq!(
        exceptions(&seen.unwrap()),
        [("_OTHER".into(), "no such city".into())]
    );
    assert_eq!(recorder.count("on_event.await a/ExceptionRaised 2"), 1);
    assert_eq!(recorder.count("on_end.await a 2"), 1);
    trace.end().unwrap();
}

#[test]
fn a_panic_becomes_an_exception_and_goes_on() {
    let mut seen = None;
    let body = span("a").run(|span| {
        seen = Some(span);
        async {
            yield_once().await;
            assert!(current_name().is_none(), "no way");
            Ok::<_, TraceError>(())
        }
    });
    let panicked = catch_unwind(AssertUnwindSafe(|| block_on(body)));
    assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"no way"));
    let seen = seen.unwrap();
    assert_eq!(exceptions(&seen), [("panic".into(), "no way".into())]);
    assert!(seen.has_ended());
    assert_eq!(active_span_stack().len(), 0);
}

#[test]
fn a_closure_that_panics_before_there_is_a_future_is_no_less_an_exception() {
    let mut seen = None;
    let body = span("a").run(|span| -> std::future::Ready<Result<(), TraceError>> {
        seen = Some(span);
        panic!("no way")
    });
    let panicked = catch_unwind(AssertUnwindSafe(|| block_on(body)));
    assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"no way"));
    let seen = seen.unwrap();
    assert_eq!(exceptions(&seen), [("panic".into(), "no way".into())]);
    assert!(seen.has_ended());
}

/// Calls a closure when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn a_cancelled_future_drops_what_it_holds_in_its_span_and_before_that_ends() {
    let at_drop = Cell::new(None);
    let at_drop = &at_drop;
    let body = span("a").run(|span| {
        let held = OnDrop(move || at_drop.set(Some((current_name(), span.has_ended()))));
        async move {
            let _held = held;
            pending::<Result<(), TraceError>>().await
        }
    });
    poll_and_drop(body, 1);
    assert_eq!(at_drop.take(), Some((Some("a".into()), false)));
}

#[test]
fn a_future_whose_drop_panics_ends_its_span_at_once() {
    let mut seen = None;
    let body = span("a").run(|span| {
        seen = Some(span);
        let held = OnDrop(|| panic!("a drop panics on purpose"));
        std::future::poll_fn(move |_| {
            let _held = &held;
            std::task::Poll::Ready(Ok::<_, TraceError>(()))
        })
    });
    let mut body = Box::pin(body);
    let mut cx = TaskContext::from_waker(Waker::noop());
    catch_unwind(AssertUnwindSafe(|| body.as_mut().poll(&mut cx))).unwrap_err();
    assert_eq!(active_span_stack().len(), 0);
    // It is done, and does not end the span once more.
    drop(body);
    assert_eq!(exceptions(&seen.unwrap())[0].0, "panic");
}

#[test]
fn a_future_that_failed_was_not_cancelled_too() {
    let recorder = Recorder::new();
    let trace = Trace::builder().with_processor(recorder.clone());
    let seen = Cell::new(None);
    let of_trace = trace.run(|_| {
        seen.set(current_span());
        ready(Err::<(), Box<dyn std::error::Error>>("no such city".into()))
    });
    // The hooks of its start and of the root's are pending once, then that of the exception.
    poll_and_drop(of_trace, 3);
    let check = || {
        let exceptions = exceptions(&seen.take().unwrap());
        assert_eq!(exceptions, [("_OTHER".into(), "no such city".into())]);
    };
    check();
    let trace = Trace::builder().with_processor(recorder);
    let trace = trace.start().unwrap();
    let of_span = span("a").run(|span| {
        seen.set(Some(span));
        ready(Err::<(), Box<dyn std::error::Error>>("no such city".into()))
    });
    poll_and_drop(of_span, 2);
    check();
    trace.end().unwrap();
}

#[test]
fn a_cancelled_trace_says_so_in_its_root() {
    let root = Cell::new(None);
    let body = Trace::builder().run(|_| {
        root.set(current_span());
        pending::<Result<(), TraceError>>()
    });
    poll_and_drop(body, 1);
    let root = root.take().unwrap();
    assert_eq!(exceptions(&root)[0].0, "Cancelled");
    assert!(root.has_ended());
}

#[test]
fn a_guard_that_a_future_returns_stays_current() {
    let guard = block_on(span("a").run(|_| async { span("b").start() })).unwrap();
    assert_eq!(current_name().as_deref(), Some("b"));
    drop(guard);
    let open = span("a").start_detached().unwrap();
    let guard = block_on(open.wrap(async { span("c").start() })).unwrap();
    assert_eq!(current_name().as_deref(), Some("c"));
    drop(guard);
    assert_eq!(active_span_stack().len(), 0);
}

#[test]
fn an_open_span_that_is_dropped_calls_the_synchronous_hooks() {
    let recorder = Recorder::new();
    let trace = Trace::builder()
        .with_processor(recorder.clone())
        .start()
        .unwrap();
    let open = block_on(span("a").start_async()).unwrap();
    drop(open);
    assert_eq!(recorder.count("on_end a"), 1);
    assert_eq!(recorder.count("on_event"), 0);
    trace.end().unwrap();
}

#[test]
fn a_context_carries_everything_to_a_task_and_what_the_task_changes_stays_there() {
    let _outer = span("outer").start().unwrap();
    let task = Context::current().wrap(async {
        let entered = span("task").start().unwrap();
        yield_once().await;
        let seen = active_span_stack().len();
        std::mem::forget(entered);
        seen
    });
    assert_eq!(block_on(task), 2);
    assert_eq!(current_name().as_deref(), Some("outer"));
}

fn check_send<T: Send>(_: T) {}

#[test]
fn futures_of_spans_can_move_between_threads() {
    check_send(span("a").run(|span| async move {
        let open: OpenSpan = self::span("b").start_async().await?;
        open.wrap(yield_once()).await;
        open.end_async().await?;
        span.add_event_async(EVENT).await
    }));
    check_send(Trace::builder().run(|_| async { Ok::<_, TraceError>(()) }));
    check_send(Context::current().wrap(yield_once()));
}
