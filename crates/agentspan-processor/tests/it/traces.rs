//! Traces: one per context, their names, their processors.

use agentspan_processor::{Trace, TraceError, current_span, current_trace};
use futures_executor::block_on;

use crate::recorder::{Recorder, exceptions, span};

fn current_name() -> Option<String> {
    current_trace().map(|trace| trace.name().to_owned())
}

#[track_caller]
fn check_refused<T: std::fmt::Debug>(result: Result<T, TraceError>) {
    match result.unwrap_err() {
        TraceError::AlreadyActive { active } => assert_eq!(active, "outer"),
        other => panic!("{other}"),
    }
}

#[test]
fn traces_do_not_nest() {
    let outer = Trace::builder().with_name("outer").start().unwrap();
    check_refused(Trace::builder().start());
    check_refused(Trace::builder().start_detached());
    check_refused(block_on(Trace::builder().start_async()));
    assert_eq!(current_name().as_deref(), Some("outer"));
    let other_thread = std::thread::spawn(|| Trace::builder().start().unwrap().end().unwrap());
    other_thread.join().unwrap();
    outer.end().unwrap();
    Trace::builder().start().unwrap().end().unwrap();
}

#[test]
fn a_trace_is_active_from_its_start_to_its_end() {
    let trace = Trace::builder()
        .with_name("T")
        .with_id("my id")
        .start()
        .unwrap();
    let handle = current_trace().unwrap();
    assert_eq!((handle.name(), handle.id().as_str()), ("T", "my id"));
    assert!(handle.is_active());
    trace.end().unwrap();
    assert!(!handle.is_active());
    assert!(current_trace().is_none());
    let unnamed = Trace::builder().with_name("").start().unwrap();
    assert_eq!(unnamed.trace().name(), "Trace");
}

#[test]
fn an_asynchronous_trace_is_active_in_its_future_and_nowhere_else() {
    let builder = Trace::builder().with_name("T");
    let open = block_on(builder.start_async()).unwrap();
    assert!(current_trace().is_none());
    assert!(open.trace().is_async_mode_active());
    let seen = block_on(open.wrap(async { (current_name(), current_span().is_some()) }));
    assert_eq!(seen, (Some("T".into()), true));
    let handle = open.trace().clone();
    block_on(open.end_async()).unwrap();
    assert!(!handle.is_active() && !handle.is_async_mode_active());
}

#[test]
fn processors_are_left_running_if_the_trace_is_told_so() {
    let recorder = Recorder::new();
    let builder = Trace::builder().with_processor(recorder.clone());
    builder
        .clone()
        .without_shutdown()
        .start()
        .unwrap()
        .end()
        .unwrap();
    assert_eq!(recorder.count("shutdown"), 0);
    builder.start().unwrap().end().unwrap();
    assert_eq!(recorder.count("shutdown"), 1);
}

#[test]
fn the_root_span_may_be_another() {
    let recorder = Recorder::new();
    let trace = Trace::builder()
        .with_processor(recorder.clone())
        .with_root_span(span("my root"))
        .start()
        .unwrap();
    assert_eq!(trace.root().name(), "my root");
    trace.end().unwrap();
    assert_eq!(recorder.count("on_start my root"), 1);
    assert_eq!(recorder.count("on_start RootSpan"), 0);
}

#[test]
fn other_processors_observe_spans_that_start_from_then_on() {
    let (first, second) = (Recorder::new(), Recorder::new());
    let trace = Trace::builder()
        .with_processor(first.clone())
        .start()
        .unwrap();
    let early = span("early").start().unwrap();
    trace
        .trace()
        .set_processors([std::sync::Arc::new(second.clone()) as _]);
    span("late").start().unwrap().end().unwrap();
    early.end().unwrap();
    trace.end().unwrap();
    assert_eq!(
        first.count("on_end early") + first.count("on_end RootSpan"),
        2
    );
    assert_eq!(first.count("on_start late") + first.count("shutdown"), 0);
    assert_eq!(
        second.calls(),
        ["on_start late 2", "on_end late 3", "shutdown  0"]
    );
}

#[test]
fn a_trace_that_is_dropped_ends_with_synchronous_hooks() {
    let recorder = Recorder::new();
    let builder = Trace::builder().with_processor(recorder.clone());
    drop(builder.clone().start().unwrap());
    let ends = ["on_end RootSpan 1", "shutdown  0"];
    assert_eq!(recorder.take_calls()[2..], ends);
    let open = block_on(builder.start_async()).unwrap();
    drop(open);
    assert_eq!(
        recorder.take_calls()[2..],
        ["on_end RootSpan 0", "shutdown  0"]
    );
    assert!(current_trace().is_none());
}

#[test]
fn a_root_span_is_current_for_its_end_wherever_its_trace_is_ended() {
    let recorder = Recorder::new();
    let builder = Trace::builder().with_processor(recorder.clone());
    let open = builder.clone().start_detached().unwrap();
    let other_thread = std::thread::spawn(move || open.end().unwrap());
    other_thread.join().unwrap();
    let ends = ["on_end RootSpan 1", "shutdown  0"];
    assert_eq!(recorder.take_calls()[2..], ends);
    let open = block_on(builder.start_async()).unwrap();
    let other_thread = std::thread::spawn(move || block_on(open.end_async()).unwrap());
    other_thread.join().unwrap();
    let ends = ["on_end.await RootSpan 1", "shutdown.await  0"];
    assert_eq!(recorder.take_calls()[2..], ends);
}

#[test]
fn an_error_of_the_body_is_told_by_the_root_span() {
    let mut root = None;
    let result = Trace::builder().in_trace(|_| {
        root = current_span();
        Err::<(), Box<dyn std::error::Error>>("no".into())
    });
    assert_eq!(result.unwrap_err().to_string(), "no");
    let root = root.unwrap();
    assert_eq!(exceptions(&root), [("_OTHER".into(), "no".into())]);
    assert!(root.has_ended());
}
