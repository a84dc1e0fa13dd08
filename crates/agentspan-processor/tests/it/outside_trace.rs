//! Spans outside of any trace: the log says so once, if some trace has a processor.

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::{env, thread};

use agentspan_model::agentspec::{SpanDetails, Tool};
use agentspan_processor::execution::ToolExecution;
use agentspan_processor::{Context, InMemory, Span, Trace, TraceError};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Keeps the messages of log lines.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0.lock().unwrap().push(format!("{value:?}"));
        }
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("agentspan")
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

impl Log {
    fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// The line is written once in a process, so each test has its own.
#[expect(clippy::disallowed_methods, reason = "this is no setting")]
fn in_own_process(test: &str, body: fn(&Log)) {
    const VARIABLE: &str = "AGENTSPAN_TEST_OUTSIDE_TRACE";
    if env::var_os(VARIABLE).is_some() {
        let log = Log::default();
        tracing::subscriber::set_global_default(log.clone()).unwrap();
        return body(&log);
    }
    let test = format!("outside_trace::{test}");
    let program = env::current_exe().unwrap();
    let status = Command::new(program)
        .args(["--exact", &test, "--quiet"])
        .env(VARIABLE, "1")
        .status();
    assert!(status.unwrap().success());
}

fn span() {
    let span = Span::builder(SpanDetails::Plain).start().unwrap();
    span.end().unwrap();
}

fn execution() {
    let tool = ToolExecution::of(&Tool::new("forecast"));
    tool.in_span(|_| Ok::<_, TraceError>("sunny")).unwrap();
}

fn elsewhere(work: impl FnOnce() + Send + 'static) {
    thread::spawn(work).join().unwrap();
}

#[test]
fn a_task_without_its_context_is_in_the_log_once() {
    in_own_process("a_task_without_its_context_is_in_the_log_once", |log| {
        let trace = Trace::builder().with_processor(InMemory::new());
        let trace = trace.start().unwrap();
        let context = Context::current();
        elsewhere(move || {
            context.in_context(|| {
                span();
                execution();
            });
        });
        assert_eq!(log.len(), 0);
        elsewhere(execution);
        let lines = log.0.lock().unwrap().clone();
        assert!(lines[0].contains("outside of a trace"), "{lines:?}");
        assert!(lines[0].contains("Context"), "{lines:?}");
        elsewhere(span);
        trace.end().unwrap();
        span();
        // Nor does another processor make it news.
        let trace = Trace::builder().with_processor(InMemory::new());
        trace.start().unwrap().end().unwrap();
        span();
        assert_eq!(log.len(), 1);
    });
}

#[test]
fn so_is_a_span_that_is_always_made() {
    in_own_process("so_is_a_span_that_is_always_made", |log| {
        let trace = Trace::builder().with_processor(InMemory::new());
        trace.start().unwrap().end().unwrap();
        span();
        assert_eq!(log.len(), 1);
    });
}

#[test]
fn a_processor_that_comes_later_is_one_too() {
    in_own_process("a_processor_that_comes_later_is_one_too", |log| {
        let trace = Trace::builder().start().unwrap();
        trace
            .trace()
            .set_processors([Arc::new(InMemory::new()) as _]);
        trace.end().unwrap();
        span();
        assert_eq!(log.len(), 1);
    });
}

#[test]
fn nothing_is_logged_while_no_trace_has_a_processor() {
    in_own_process("nothing_is_logged_while_no_trace_has_a_processor", |log| {
        span();
        execution();
        let trace = Trace::builder().start().unwrap();
        span();
        execution();
        // None takes the place of none.
        trace.trace().set_processors([]);
        trace.end().unwrap();
        span();
        assert_eq!(log.len(), 0);
    });
}

#[test]
fn nothing_is_logged_in_a_trace_without_processors() {
    in_own_process("nothing_is_logged_in_a_trace_without_processors", |log| {
        let observed = Trace::builder().with_processor(InMemory::new());
        observed.start().unwrap().end().unwrap();
        let trace = Trace::builder().start().unwrap();
        span();
        execution();
        let parent = Span::builder(SpanDetails::Plain).start().unwrap();
        let parent = Span::clone(&parent);
        elsewhere(move || {
            let child = Span::when_observed(|| Span::builder(SpanDetails::Plain));
            child.with_parent(&parent).start().unwrap().end().unwrap();
        });
        trace.end().unwrap();
        assert_eq!(log.len(), 0);
    });
}
