//! What the guard does when destinations fail, hang, or have nothing to do.

mod asynchronous;
mod foreign_panics;
mod in_drop;

use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, ThreadId};

use agentspan_model::agentspec::SpanDetails;
use agentspan_otel::export_queue::{ExportQueueBuilder, Receipt, Receipts};
use agentspan_otel::{DropReason, ExportQueue, OtelBridge};
use agentspan_processor::{
    BackgroundQueue, HookError, Span as AgentSpan, SpanProcessor as AgentSpecProcessor,
};
use agentspan_testkit::CapturedLogs;
use futures_executor::block_on;
use opentelemetry::Context;
use opentelemetry::trace::{Span as _, Tracer as _};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{InMemorySpanExporter, Span, SpanData, SpanExporter, SpanProcessor};

use super::*;
use crate::agent_spec::AgentSpec;
use crate::outcome::DoneByGuard;
use crate::span_processor::AgentSpanProcessor;

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
    over(vec![destination.build().unwrap()], Some(other))
}

/// Telemetry with these destinations.
fn with_queues(queues: Vec<ExportQueue>) -> Telemetry {
    over(queues, None::<Flushes>)
}

fn over(queues: Vec<ExportQueue>, other: Option<impl SpanProcessor + 'static>) -> Telemetry {
    Telemetry::new(pipeline(queues, other), None, WHILE)
}

fn pipeline(queues: Vec<ExportQueue>, other: Option<impl SpanProcessor + 'static>) -> Pipeline {
    let status = Agent365Status::WithoutSwitch;
    let processor = AgentSpanProcessor::new(status, None, queues.clone(), None);
    let done_by_guard = processor.done_by_guard();
    let mut builder = SdkTracerProvider::builder().with_span_processor(processor);
    if let Some(other) = other {
        builder = builder.with_span_processor(other);
    }
    let provider = builder.build();
    let agent_spec = AgentSpec::new(OtelBridge::new(&provider), Vec::new());
    let provider = (provider, done_by_guard);
    Pipeline::new(provider, status, None, queues, agent_spec)
}

/// Telemetry with processors of Agent Spec and nothing else.
fn with_agent_spec(
    processors: Vec<(String, BackgroundQueue)>,
    flush_on_drop: Duration,
) -> Telemetry {
    let provider = SdkTracerProvider::builder().build();
    let agent_spec = AgentSpec::new(OtelBridge::new(&provider), processors);
    let status = Agent365Status::WithoutSwitch;
    let provider = (provider, DoneByGuard::default());
    let pipeline = Pipeline::new(provider, status, None, Vec::new(), agent_spec);
    Telemetry::new(pipeline, None, flush_on_drop)
}

/// Notes on which threads it is flushed and shut down.
#[derive(Clone, Debug, Default)]
struct Called(Arc<Mutex<Vec<ThreadId>>>);

impl Called {
    fn note(&self) -> OTelSdkResult {
        self.0.lock().unwrap().push(thread::current().id());
        Ok(())
    }
}

impl SpanProcessor for Called {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, _span: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        self.note()
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        self.note()
    }
}

#[test]
fn only_a_provider_with_processors_of_others_is_called_on_a_thread_of_its_own() {
    let here = thread::current().id();
    for has_others in [true, false] {
        let called = Called::default();
        let pipeline = pipeline(Vec::new(), Some(called.clone()));
        let pipeline = match has_others {
            true => pipeline,
            false => pipeline.without_others(),
        };
        let telemetry = Telemetry::new(pipeline, None, WHILE);
        telemetry.flush(WHILE).unwrap();
        telemetry.shutdown(WHILE).unwrap();
        let threads = called.0.lock().unwrap().clone();
        let is_here: Vec<_> = threads.iter().map(|thread| *thread == here).collect();
        // Without others, the provider is not shut down: later spans are to be counted.
        let expected: &[bool] = if has_others { &[false; 2] } else { &[true] };
        assert_eq!(is_here, expected);
    }
}

#[test]
fn a_destination_that_loses_spans_keeps_no_other_processor_from_its_flush() {
    let flushes = Flushes::default();
    let telemetry = telemetry(ExportQueue::builder("failing", Failing), flushes.clone());
    telemetry.tracer("t").start("s").end();
    let error = telemetry.flush(WHILE).unwrap_err();
    assert_eq!(error.to_string(), "failing lost 1 span (export_failed: 1)");
    assert_eq!(flushes.0.load(SeqCst), 1);
}

/// Loses a span at each of two destinations.
fn losing() -> Telemetry {
    let failing = |name: &str| ExportQueue::builder(name, Failing).build().unwrap();
    let telemetry = with_queues(vec![failing("a"), failing("b")]);
    telemetry.tracer("t").start("s").end();
    telemetry
}

/// The text of an error with its causes, as `anyhow` prints it with `{:#}`.
fn chain(error: &dyn std::error::Error) -> String {
    let mut shown = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        shown += &format!(": {source}");
        next = source.source();
    }
    shown
}

const LOST: &str = "a lost 1 span (export_failed: 1); b lost 1 span (export_failed: 1)";

#[test]
fn a14_the_error_of_a_flush_and_of_a_shutdown_says_on_one_line_what_each_destination_lost() {
    let flush = losing().flush(WHILE).unwrap_err();
    assert_eq!(flush.to_string(), LOST);
    assert_eq!(chain(&flush), LOST);
    assert_eq!(format!("{flush:?}"), LOST);
    let shutdown = losing().shutdown(WHILE).unwrap_err();
    assert_eq!(chain(&shutdown), LOST);
    let telemetry = losing();
    let shutdown = block_on(telemetry.shutdown_async(WHILE)).unwrap_err();
    assert_eq!(chain(&shutdown), LOST);
}

#[test]
fn a14_a_shutdown_tells_nothing_that_a_flush_has_told() {
    let telemetry = losing();
    telemetry.flush(WHILE).unwrap_err();
    telemetry.shutdown(WHILE).unwrap();
}

#[test]
fn a14_a_flush_through_the_provider_hides_no_loss_behind_that_of_another_destination() {
    let telemetry = losing();
    let error = telemetry.provider().force_flush().unwrap_err().to_string();
    assert!(error.contains(LOST), "{error}");
    let telemetry = losing();
    let error = telemetry.provider().shutdown().unwrap_err().to_string();
    assert!(error.contains(LOST), "{error}");
}

#[test]
fn a14_a_shutdown_that_is_late_says_what_is_lost_for_other_reasons() {
    let (hanging, release) = Hanging::new();
    let hanging = ExportQueue::builder("hanging", hanging).build().unwrap();
    let failing = ExportQueue::builder("failing", Failing).build().unwrap();
    let telemetry = with_queues(vec![hanging, failing.clone()]);
    telemetry.tracer("t").start("s").end();
    // The queue has heard of it, and so nobody was told.
    failing.start_shutdown();
    while failing.stats().queued > 0 {
        thread::yield_now();
    }
    let error = telemetry.shutdown(Duration::from_millis(1)).unwrap_err();
    let text = "the deadline of 1ms passed with 1 span or hook not sent; \
                hanging: 1 (shutdown_deadline: 1); failing lost 1 span (export_failed: 1)";
    assert_eq!(chain(&error), text);
    drop(release);
}

#[test]
fn a_flush_that_is_late_says_what_a_destination_waits_for() {
    let (hanging, release) = Hanging::new();
    let receipts = Receipts::new();
    let receipt = Receipt::unconfirmed().with_failure("no answer yet");
    let exporter = Waiting(hanging, receipts.clone(), receipt);
    let queue = ExportQueue::builder("slow", exporter).with_receipts(receipts);
    let queue = queue.with_batch_delay(Duration::ZERO).build().unwrap();
    let telemetry = with_queues(vec![queue.clone()]);
    telemetry.tracer("t").start("s").end();
    while queue.awaited().is_none() {
        thread::yield_now();
    }
    let error = telemetry.flush(Duration::from_millis(1)).unwrap_err();
    let text = "the deadline of 1ms passed with 1 span or hook not sent; \
                slow: 1 (queued: 1); slow: no answer yet";
    assert_eq!(chain(&error), text);
    drop(release);
}

/// Says so, and waits.
#[derive(Debug)]
struct Waiting(Hanging, Receipts, Receipt);

impl SpanExporter for Waiting {
    async fn export(&self, _batch: Vec<SpanData>) -> OTelSdkResult {
        self.1.put(self.2.clone());
        self.0.wait();
        Ok(())
    }
}

#[test]
fn a_shutdown_that_is_late_names_the_deadline_and_each_destination_once() {
    let (hanging, release) = Hanging::new();
    let hanging = ExportQueue::builder("hanging", hanging).with_max_spans(1);
    let hanging = hanging.with_batch_delay(Duration::ZERO).build().unwrap();
    let telemetry = with_queues(vec![hanging.clone()]);
    telemetry.tracer("t").start("s").end();
    // The first is being exported, and the second finds no room.
    telemetry.tracer("t").start("s").end();
    let error = telemetry.shutdown(Duration::from_millis(1)).unwrap_err();
    let text = "the deadline of 1ms passed with 1 span or hook not sent; \
                hanging lost 2 spans (queue_full: 1, shutdown_deadline: 1)";
    assert_eq!(chain(&error), text);
    drop(release);
}

/// Keeps what is exported, also after its shutdown.
#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Kept {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap().extend(batch);
        Ok(())
    }
}

#[test]
fn f3_a_span_that_nobody_ends_is_exported_as_unfinished_at_the_shutdown() {
    let kept = Kept::default();
    let queue = ExportQueue::builder("kept", kept.clone()).build().unwrap();
    let telemetry = with_queues(vec![queue]);
    let trace = telemetry.trace().start().unwrap();
    let work = AgentSpan::builder(SpanDetails::Plain).with_name("work");
    std::mem::forget(work.start_detached().unwrap());
    trace.end().unwrap();
    telemetry.shutdown(WHILE).unwrap();
    let spans = kept.0.lock().unwrap();
    let names: Vec<_> = spans.iter().map(|span| &*span.name).collect();
    assert_eq!(names, ["RootSpan", "work"]);
    let mut attributes = spans[1].attributes.iter();
    assert!(attributes.any(|a| a.key.as_str() == "agentspec.unfinished"));
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

/// Waits at the end of each span.
#[derive(Debug)]
struct SlowEnds(Hanging);

impl SpanProcessor for SlowEnds {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, _span: SpanData) {
        self.0.wait();
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

#[test]
fn a10_a_processor_that_is_slow_to_hear_of_open_spans_holds_up_no_shutdown() {
    let (hanging, release) = Hanging::new();
    let kept = Kept::default();
    let queue = ExportQueue::builder("kept", kept.clone()).build().unwrap();
    let telemetry = over(vec![queue], Some(SlowEnds(hanging)));
    std::mem::forget(telemetry.trace().start_detached().unwrap());
    let (done, result) = mpsc::channel();
    let shutdown = thread::spawn(move || {
        done.send(telemetry.shutdown(Duration::from_millis(1)))
            .unwrap();
    });
    let result = result.recv_timeout(WHILE).unwrap();
    assert!(
        matches!(result, Err(TelemetryError::Deadline { .. })),
        "{result:?}"
    );
    drop(release);
    shutdown.join().unwrap();
}

fn unsent(result: Result<(), TelemetryError>) -> u64 {
    match result {
        Err(TelemetryError::Deadline { unsent, .. }) => unsent,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_shutdown_without_time_succeeds_if_nothing_is_queued() {
    for _ in 0..20 {
        let queue = ExportQueue::builder("kept", in_drop::Calls::default())
            .build()
            .unwrap();
        let telemetry = with_queues(vec![queue]);
        telemetry.tracer("t").start("s").end();
        telemetry.flush(WHILE).unwrap();
        // The thread has no time to end.
        telemetry.shutdown(Duration::ZERO).unwrap();
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
    assert!(!logs.contains("the guard was dropped"), "{}", logs.text());
    drop(release);
}

#[test]
fn a10_and_a14_what_forty_dead_destinations_still_hold_at_the_deadline_of_a_shutdown_is_lost_to_it()
{
    let (queues, releases): (Vec<_>, Vec<_>) = (0..40)
        .map(|n| {
            let (hanging, release) = Hanging::new();
            let queue = ExportQueue::builder(format!("dead-{n}"), hanging);
            (queue.build().unwrap(), release)
        })
        .unzip();
    let telemetry = with_queues(queues);
    telemetry.tracer("t").start("s").end();
    assert_eq!(unsent(telemetry.flush(Duration::ZERO)), 40);
    assert_eq!(unsent(telemetry.shutdown(Duration::ZERO)), 40);
    for destination in telemetry.report().destinations {
        assert_eq!(destination.losses, [(DropReason::ShutdownDeadline, 1)]);
        assert_eq!(destination.queued, 0);
    }
    telemetry.shutdown(Duration::ZERO).unwrap();
    drop(releases);
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
