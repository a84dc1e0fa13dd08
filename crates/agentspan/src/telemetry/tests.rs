//! What the guard does when destinations fail, hang, or have nothing to do.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex};

use agentspan_model::mapping::ContentCapture;
use agentspan_otel::ExportQueueBuilder;
use agentspan_processor::{BackgroundQueue, HookError, SpanProcessor as AgentSpecProcessor};
use agentspan_testkit::CapturedLogs;
use opentelemetry::Context;
use opentelemetry::trace::{Span as _, Tracer as _};
use opentelemetry_sdk::trace::{InMemorySpanExporter, Span, SpanData, SpanExporter, SpanProcessor};

use super::*;

const WHILE: Duration = Duration::from_secs(30);

/// Fails in every export.
#[derive(Debug)]
struct Failing;

impl SpanExporter for Failing {
    async fn export(&self, _batch: Vec<SpanData>) -> OTelSdkResult {
        Err(OTelSdkError::InternalFailure("refused".to_owned()))
    }
}

/// Counts how often it is flushed.
#[derive(Clone, Debug, Default)]
struct Flushes(Arc<AtomicU64>);

impl SpanProcessor for Flushes {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, _span: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        self.0.fetch_add(1, SeqCst);
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Telemetry with one destination, and another processor of the provider beside it.
fn telemetry<E: SpanExporter + 'static>(
    destination: ExportQueueBuilder<E>,
    other: impl SpanProcessor + 'static,
) -> Telemetry {
    let queue = destination.build().unwrap();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(queue.clone())
        .with_span_processor(other)
        .build();
    let agent_spec = AgentSpec::new(&provider, ContentCapture::NoContent, Vec::new());
    let status = Agent365Status::WithoutSwitch;
    Telemetry::new(provider, status, None, vec![queue], agent_spec, None)
}

/// Telemetry with processors of Agent Spec and nothing else.
fn with_agent_spec(processors: Vec<(String, BackgroundQueue)>) -> Telemetry {
    let provider = SdkTracerProvider::builder().build();
    let agent_spec = AgentSpec::new(&provider, ContentCapture::NoContent, processors);
    let status = Agent365Status::WithoutSwitch;
    Telemetry::new(provider, status, None, Vec::new(), agent_spec, None)
}

#[test]
fn a_destination_that_loses_spans_keeps_no_other_processor_from_its_flush() {
    let flushes = Flushes::default();
    let telemetry = telemetry(ExportQueue::builder("failing", Failing), flushes.clone());
    telemetry.tracer("t").start("s").end();
    let error = telemetry.flush(WHILE).unwrap_err();
    assert!(matches!(error, TelemetryError::Processor(_)), "{error:?}");
    assert_eq!(flushes.0.load(SeqCst), 1);
}

/// Waits in every export, or when a trace starts, until the other end is dropped.
#[derive(Debug)]
struct Hanging(Mutex<Receiver<()>>);

impl Hanging {
    fn new() -> (Self, Sender<()>) {
        let (release, until) = mpsc::channel();
        (Self(Mutex::new(until)), release)
    }

    fn wait(&self) {
        let _ = self.0.lock().unwrap().recv();
    }
}

impl SpanExporter for Hanging {
    async fn export(&self, _batch: Vec<SpanData>) -> OTelSdkResult {
        self.wait();
        Ok(())
    }
}

impl AgentSpecProcessor for Hanging {
    fn startup(&self) -> Result<(), HookError> {
        self.wait();
        Ok(())
    }
}

fn unsent(result: Result<(), TelemetryError>) -> u64 {
    match result {
        Err(TelemetryError::Deadline { unsent, .. }) => unsent,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_shutdown_dropped_is_told_once_and_not_by_the_drop_of_the_guard() {
    let (logs, _guard) = CapturedLogs::on_this_thread();
    let (hanging, release) = Hanging::new();
    let telemetry = telemetry(ExportQueue::builder("hanging", hanging), Flushes::default());
    telemetry.tracer("t").start("s").end();
    assert_eq!(unsent(telemetry.flush(Duration::ZERO)), 1);
    assert_eq!(unsent(telemetry.shutdown(Duration::ZERO)), 1);
    drop(telemetry);
    assert!(!logs.contains("without a shutdown"), "{}", logs.text());
    drop(release);
}

#[test]
fn a_guard_that_is_dropped_says_what_waits_also_for_processors_of_agent_spec() {
    let (logs, _guard) = CapturedLogs::on_this_thread();
    let (hanging, release) = Hanging::new();
    let processors = vec![("hanging".to_owned(), BackgroundQueue::new(hanging))];
    let telemetry = with_agent_spec(processors);
    let trace = telemetry.trace().start().unwrap();
    // The start of the trace, which hangs, and that of its root span.
    assert_eq!(unsent(telemetry.flush(Duration::ZERO)), 2);
    drop(telemetry);
    assert!(logs.contains("unsent=2\n"), "{}", logs.text());
    drop(release);
    trace.end().unwrap();
}

#[test]
fn a_deadline_may_be_as_late_as_one_likes() {
    let telemetry = telemetry(
        ExportQueue::builder("kept", InMemorySpanExporter::default()),
        Flushes::default(),
    );
    telemetry.tracer("t").start("s").end();
    telemetry.flush(Duration::MAX).unwrap();
    telemetry.shutdown(Duration::MAX).unwrap();
    assert_eq!(telemetry.report().destinations[0].exported, 1);
}

/// Panics in a flush.
#[derive(Debug)]
struct Panicking;

impl SpanProcessor for Panicking {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, _span: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        panic!("a processor panics")
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

#[test]
fn a_processor_that_panics_is_no_deadline_that_passed() {
    let kept = ExportQueue::builder("kept", InMemorySpanExporter::default());
    let error = telemetry(kept, Panicking).flush(WHILE).unwrap_err();
    let TelemetryError::Processor(cause) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(
        cause.to_string(),
        "Operation failed: a span processor panicked"
    );
}
