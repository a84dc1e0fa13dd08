//! What a queue in front of an exporter takes, shows, loses and counts.

use std::panic::panic_any;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, Once, OnceLock};
use std::time::Duration;

use agentspan_model::agentspec::{Disclosure, SpanDetails};
use agentspan_otel::DropReason;
use agentspan_otel::export_queue::{ExportQueueBuilder, ExportStats};
use agentspan_otel::{ExportQueue, OtelBridge, SpanLimits};
use agentspan_processor::Trace;
use opentelemetry::trace::{Span, Status, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter, SpanProcessor};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{set_default, with_default};
use tracing::{Event, Metadata, Subscriber};

const WHILE: Duration = Duration::from_secs(30);

/// Does with each batch what it was told to do.
#[derive(Debug)]
struct Scripted {
    behaviour: Behaviour,
    seen: Seen,
    quiet: bool,
}

type Seen = Arc<Mutex<Vec<SpanData>>>;

#[derive(Debug)]
enum Behaviour {
    Keep,
    Fail,
    Panic,
    /// Waits for its own queue, and says what came of it.
    Wait(Arc<OnceLock<ExportQueue>>, Sender<[OTelSdkResult; 2]>),
    /// Says that it has begun, then waits until the other end is dropped.
    Hang(Sender<()>, Mutex<Receiver<()>>),
}

impl SpanExporter for Scripted {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        assert_eq!(Context::is_current_telemetry_suppressed(), self.quiet);
        match &self.behaviour {
            Behaviour::Keep => self.seen.lock().unwrap().extend(batch),
            Behaviour::Fail => return Err(OTelSdkError::InternalFailure("secret".into())),
            Behaviour::Panic => panic!("an exporter panics"),
            Behaviour::Wait(queue, said) => {
                let queue = queue.get().unwrap();
                let _ = said.send([queue.flush(Duration::MAX), queue.shutdown(Duration::MAX)]);
            }
            Behaviour::Hang(begun, until) => {
                let _ = begun.send(());
                let _ = until.lock().unwrap().recv();
            }
        }
        Ok(())
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.quiet &= !resource.is_empty();
    }
}

fn queue(behaviour: Behaviour) -> (ExportQueueBuilder<Scripted>, Seen) {
    let seen = Seen::default();
    let exporter = Scripted {
        behaviour,
        seen: Arc::clone(&seen),
        quiet: true,
    };
    (ExportQueue::builder("test", exporter), seen)
}

/// A queue whose exporter hangs, what tells that it does, and what it waits for.
fn hanging() -> (ExportQueueBuilder<Scripted>, Receiver<()>, Sender<()>) {
    let (begun, has_begun) = mpsc::channel();
    let (release, until) = mpsc::channel();
    let (builder, _) = queue(Behaviour::Hang(begun, Mutex::new(until)));
    (builder, has_begun, release)
}

/// Ends `count` spans named by their numbers.
fn end_spans(queue: &ExportQueue, count: usize) -> SdkTracerProvider {
    let provider = SdkTracerProvider::builder()
        .with_span_processor(queue.clone())
        .build();
    let tracer = provider.tracer("t");
    (0..count).for_each(|n| tracer.start(n.to_string()).end());
    provider
}

#[track_caller]
fn check_conserved(stats: ExportStats) {
    assert_eq!(
        stats.accepted,
        stats.exported + stats.dropped() + stats.queued,
        "{stats:?}"
    );
}

#[test]
fn everything_arrives_once_and_in_order() {
    let (builder, seen) = queue(Behaviour::Keep);
    let queue = builder.with_batch_spans(7).build().unwrap();
    let _provider = end_spans(&queue, 100);
    queue.flush(WHILE).unwrap();
    let names: Vec<_> = seen
        .lock()
        .unwrap()
        .iter()
        .map(|s| s.name.clone())
        .collect();
    let expected: Vec<_> = (0..100).map(|n| n.to_string()).collect();
    assert_eq!(names, expected);
    let stats = queue.stats();
    assert_eq!(
        (stats.accepted, stats.exported, stats.queued_bytes),
        (100, 100, 0)
    );
}

#[test]
fn a_limit_of_zero_lets_one_span_in() {
    type Change = fn(ExportQueueBuilder<Scripted>) -> ExportQueueBuilder<Scripted>;
    let changes: [Change; 2] = [|all| all.with_max_spans(0), |all| all.with_max_bytes(0)];
    for change in changes {
        let (builder, begun, release) = hanging();
        let queue = change(builder).with_batch_spans(0).build().unwrap();
        let _one = end_spans(&queue, 1);
        begun.recv_timeout(WHILE).unwrap();
        let _others = end_spans(&queue, 2);
        drop(release);
        queue.flush(WHILE).unwrap_err();
        let stats = queue.stats();
        assert_eq!((stats.exported, stats.dropped()), (1, 2));
        check_conserved(stats);
    }
}

#[test]
fn a13_what_is_beyond_the_limits_is_cut_before_it_is_queued_and_counted() {
    let (builder, seen) = queue(Behaviour::Keep);
    let limits = SpanLimits::default()
        .with_value_bytes(100)
        .with_content_bytes(100)
        .with_attributes(2);
    let queue = builder
        .with_disclosure(Disclosure::Clear)
        .with_span_limits(limits)
        .with_batch_delay(WHILE)
        .build()
        .unwrap();
    let provider = end_spans(&queue, 1);
    let mut span = provider.tracer("t").start("large");
    span.set_attribute(KeyValue::new("long", "x".repeat(1 << 20)));
    span.set_attribute(KeyValue::new("short", 1));
    span.set_attribute(KeyValue::new("one too many", 1));
    span.end();
    assert!(queue.stats().queued_bytes < 10_000);
    queue.flush(WHILE).unwrap();
    let cuts = queue.stats().cuts;
    assert_eq!((cuts.spans, cuts.values, cuts.attributes), (1, 1, 1));
    let seen = seen.lock().unwrap();
    let text = seen[1].attributes[0].value.as_str();
    assert!(text.ends_with("...[cut from 1048576 bytes]"), "{text}");
    assert_eq!(seen[1].dropped_attributes_count, 1);
}

#[test]
fn a13_a_record_of_agent_spec_is_cut_once_it_is_rendered() {
    let (builder, seen) = queue(Behaviour::Keep);
    let limits = SpanLimits::default()
        .with_value_bytes(100)
        .with_content_bytes(100);
    let builder = builder.with_disclosure(Disclosure::Clear);
    let queue = builder.with_span_limits(limits).build().unwrap();
    let provider = OtelBridge::prepare(SdkTracerProvider::builder());
    let provider = provider.with_span_processor(queue.clone()).build();
    let bridge = OtelBridge::new(&provider).with_records_only();
    let trace = Trace::builder().with_processor(bridge).start().unwrap();
    let span = agentspan_processor::Span::builder(SpanDetails::Plain);
    let span = span.with_name("s").with_description("x".repeat(1_000));
    span.start().unwrap().end().unwrap();
    queue.flush(WHILE).unwrap();
    assert_eq!(queue.stats().cuts.spans, 1);
    let seen = seen.lock().unwrap();
    let longest = seen[0].attributes.iter().map(|a| a.value.as_str().len());
    assert!(longest.max().unwrap() <= 100);
    trace.end().unwrap();
}

#[test]
fn a_shutdown_exports_what_waits_and_drops_what_comes() {
    let (builder, seen) = queue(Behaviour::Keep);
    let queue = builder.with_batch_delay(WHILE).build().unwrap();
    let provider = end_spans(&queue, 3);
    queue.shutdown(WHILE).unwrap();
    queue.shutdown(WHILE).unwrap();
    assert_eq!(seen.lock().unwrap().len(), 3);
    provider.tracer("t").start("late").end();
    let stats = queue.stats();
    assert_eq!(stats.dropped_for(DropReason::AfterShutdown), 1);
    check_conserved(stats);
}

#[test]
fn a_hanging_exporter_costs_a_bounded_number_of_spans() {
    let (builder, begun, release) = hanging();
    let queue = builder
        .with_max_spans(10)
        .with_batch_spans(1)
        .build()
        .unwrap();
    let _provider = end_spans(&queue, 1);
    begun.recv_timeout(WHILE).unwrap();
    let _provider = end_spans(&queue, 99);
    let stats = queue.stats();
    assert_eq!((stats.accepted, stats.queued), (100, 10));
    assert_eq!(stats.dropped_for(DropReason::QueueFull), 90);
    check_conserved(stats);

    let late = queue.flush(Duration::from_millis(1)).unwrap_err();
    assert!(matches!(late, OTelSdkError::Timeout(_)), "{late:?}");
    drop(release);
    // A flush tells of losses since the last one that did, once.
    let lost = queue.flush(WHILE).unwrap_err();
    assert_eq!(
        lost.to_string(),
        "Operation failed: test lost 90 spans (queue_full: 90)"
    );
    queue.flush(WHILE).unwrap();
    assert_eq!(queue.stats().exported, 10);
}

#[test]
fn a_burst_of_thirty_thousand_spans_is_within_the_default_bounds() {
    let (builder, begun, release) = hanging();
    let queue = builder.build().unwrap();
    let provider = end_spans(&queue, 512);
    begun.recv_timeout(WHILE).unwrap();
    let _provider = end_spans(&queue, 29_488);
    let stats = queue.stats();
    assert_eq!((stats.queued, stats.dropped()), (30_000, 0));
    drop(release);
    queue.flush(WHILE).unwrap();
    assert_eq!(queue.stats().exported, 30_000);
    drop(provider);
}

#[test]
fn the_queue_is_bounded_in_bytes_too() {
    let (builder, begun, release) = hanging();
    let queue = builder
        .with_max_bytes(100)
        .with_batch_delay(Duration::ZERO)
        .build()
        .unwrap();
    let _provider = end_spans(&queue, 1);
    begun.recv_timeout(WHILE).unwrap();
    let _provider = end_spans(&queue, 1);
    let stats = queue.stats();
    assert!(stats.queued_bytes > 100, "larger than the bound, but alone");
    assert_eq!(stats.dropped_for(DropReason::QueueFull), 1);
    drop(release);
}

#[test]
fn a_shutdown_leaves_a_hanging_exporter_behind_and_counts_its_spans() {
    let (builder, begun, release) = hanging();
    let queue = builder.with_batch_spans(2).build().unwrap();
    let _provider = end_spans(&queue, 5);
    begun.recv_timeout(WHILE).unwrap();
    let late = queue.shutdown(Duration::from_millis(1)).unwrap_err();
    assert!(matches!(late, OTelSdkError::Timeout(_)), "{late:?}");
    let stats = queue.stats();
    assert_eq!(stats.dropped_for(DropReason::ShutdownDeadline), 5);
    assert_eq!((stats.queued, stats.queued_bytes), (0, 0));
    drop(release);
    check_conserved(queue.stats());
}

/// Says what it was asked for besides exports; of the two ways to end, it knows the one without a
/// time.
#[derive(Debug)]
struct Ending(Arc<Mutex<Vec<&'static str>>>);

impl SpanExporter for Ending {
    async fn export(&self, _batch: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.0.lock().unwrap().push("shutdown");
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.lock().unwrap().push("flush");
        Ok(())
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.lock().unwrap().push("drop");
    }
}

#[test]
fn an_exporter_that_ends_in_its_own_way_is_ended() {
    let asked = Arc::default();
    let queue = ExportQueue::builder("test", Ending(Arc::clone(&asked)));
    let queue = queue.build().unwrap();
    queue.flush(WHILE).unwrap();
    queue.shutdown(WHILE).unwrap();
    assert_eq!(*asked.lock().unwrap(), ["flush", "shutdown", "drop"]);
}

#[track_caller]
fn check_lost(behaviour: Behaviour, loss: DropReason) {
    let (builder, _) = queue(behaviour);
    let queue = builder.build().unwrap();
    let _provider = end_spans(&queue, 4);
    let error = queue.flush(WHILE).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("Operation failed: test lost 4 spans ({loss}: 4)")
    );
    assert_eq!(queue.stats().dropped_for(loss), 4);
    check_conserved(queue.stats());
    // The thread lives on.
    let _provider = end_spans(&queue, 1);
    queue.flush(WHILE).unwrap_err();
    assert_eq!(queue.stats().dropped_for(loss), 5);
}

#[test]
fn what_an_exporter_fails_or_panics_with_is_counted() {
    check_lost(Behaviour::Fail, DropReason::Failed);
    check_lost(Behaviour::Panic, DropReason::Panic);
}

#[test]
fn the_filter_decides_and_its_panics_are_counted() {
    let (builder, seen) = queue(Behaviour::Keep);
    let queue = builder
        .with_filter(|span| match &*span.name {
            "2" => panic!("a filter panics"),
            name => name == "1",
        })
        .build()
        .unwrap();
    let _provider = end_spans(&queue, 3);
    let _ = queue.flush(WHILE);
    assert_eq!(seen.lock().unwrap().len(), 1);
    let stats = queue.stats();
    assert_eq!((stats.accepted, stats.exported), (2, 1));
    assert_eq!(stats.dropped_for(DropReason::Panic), 1);
}

fn contents_seen(disclosure: Option<Disclosure>) -> String {
    let (mut builder, seen) = queue(Behaviour::Keep);
    if let Some(disclosure) = disclosure {
        builder = builder.with_disclosure(disclosure);
    }
    let queue = builder.build().unwrap();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(queue.clone())
        .build();
    let mut span = provider.tracer("t").start("chat");
    span.set_attribute(KeyValue::new("gen_ai.input.messages", "secret-1"));
    span.set_attribute(KeyValue::new(
        "llm.input_messages.0.message.content",
        "secret-2",
    ));
    span.set_attribute(KeyValue::new("gen_ai.request.model", "model-1"));
    let exception = vec![KeyValue::new("exception.message", "secret-3")];
    span.add_event("exception", exception);
    span.set_status(Status::error("secret-4"));
    span.end();
    queue.flush(WHILE).unwrap();
    format!("{:?}", seen.lock().unwrap())
}

#[test]
fn contents_are_masked_unless_the_destination_may_see_them() {
    for masked in [contents_seen(None), contents_seen(Some(Disclosure::Masked))] {
        assert!(!masked.contains("secret"), "{masked}");
        assert!(masked.contains("** MASKED **") && masked.contains("model-1"));
    }
    let clear = contents_seen(Some(Disclosure::Clear));
    for n in 1..=4 {
        assert!(clear.contains(&format!("secret-{n}")), "{clear}");
    }
}

#[test]
fn a_delay_without_end_waits_for_a_flush() {
    let (builder, seen) = queue(Behaviour::Keep);
    let queue = builder.with_batch_delay(Duration::MAX).build().unwrap();
    let provider = end_spans(&queue, 1);
    queue.flush(WHILE).unwrap();
    provider.tracer("t").start("by shutdown").end();
    queue.shutdown(Duration::MAX).unwrap();
    assert_eq!(seen.lock().unwrap().len(), 2);
    assert_eq!(queue.stats().exported, 2);
}

/// Panics where nobody expects it.
#[derive(Debug)]
struct PanicsInDrop;

impl SpanExporter for PanicsInDrop {
    async fn export(&self, _batch: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }
}

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("the drop of an exporter panics");
    }
}

#[test]
fn an_exporter_whose_drop_panics_holds_up_no_shutdown() {
    let queue = ExportQueue::builder("test", PanicsInDrop).build().unwrap();
    let _provider = end_spans(&queue, 1);
    queue.shutdown(WHILE).unwrap();
    assert_eq!(queue.stats().exported, 1);
}

/// Keeps what it gets, and fails when it is to let go of it.
#[derive(Debug)]
struct FailsInTheEnd;

impl SpanExporter for FailsInTheEnd {
    async fn export(&self, _batch: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Err(OTelSdkError::InternalFailure("secret".into()))
    }

    fn shutdown(&self) -> OTelSdkResult {
        panic!("a shutdown panics")
    }
}

#[test]
fn an_exporter_that_cannot_be_flushed_or_shut_down_is_told_of() {
    let queue = ExportQueue::builder("test", FailsInTheEnd).build().unwrap();
    let _provider = end_spans(&queue, 1);
    let error = queue.flush(WHILE).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Operation failed: the exporter of test cannot be flushed"
    );
    let error = queue.shutdown(WHILE).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Operation failed: the exporter of test cannot be shut down"
    );
    // It has ended all the same.
    queue.shutdown(WHILE).unwrap();
    assert_eq!(queue.stats().exported, 1);
}

/// What foreign code may panic with: dropping it panics, too.
struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic_any("the payload panics as well");
    }
}

/// Panics in each call.
#[derive(Debug)]
struct Panicking;

impl SpanExporter for Panicking {
    async fn export(&self, _batch: Vec<SpanData>) -> OTelSdkResult {
        panic_any(PanicsWhenDropped)
    }

    fn force_flush(&self) -> OTelSdkResult {
        panic_any(PanicsWhenDropped)
    }

    fn set_resource(&mut self, _resource: &Resource) {
        panic_any(PanicsWhenDropped)
    }

    fn shutdown(&self) -> OTelSdkResult {
        panic_any(PanicsWhenDropped)
    }
}

/// Does this for each line of this project's crates.
struct Logger(fn());

fn panicking_logger() -> Logger {
    Logger(|| panic_any(PanicsWhenDropped))
}

impl Subscriber for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("agentspan")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        (self.0)();
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn f4_an_exporter_whose_payload_panics_ends_neither_the_thread_nor_a_flush() {
    let queue = ExportQueue::builder("test", Panicking).build().unwrap();
    let _provider = end_spans(&queue, 3);
    queue.flush(WHILE).unwrap_err();
    let _provider = end_spans(&queue, 1);
    queue.flush(WHILE).unwrap_err();
    assert_eq!(queue.stats().dropped_for(DropReason::Panic), 4);
    check_conserved(queue.stats());
    let error = queue.shutdown(WHILE).unwrap_err();
    assert!(
        error.to_string().ends_with("cannot be shut down"),
        "{error}"
    );
}

#[test]
fn f4_a_filter_whose_payload_panics_is_counted_and_not_felt() {
    let (builder, seen) = queue(Behaviour::Keep);
    let queue = builder
        .with_filter(|_| panic_any(PanicsWhenDropped))
        .build()
        .unwrap();
    let _provider = end_spans(&queue, 2);
    queue.flush(WHILE).unwrap_err();
    assert_eq!(queue.stats().dropped_for(DropReason::Panic), 2);
    assert!(seen.lock().unwrap().is_empty());
}

#[test]
fn a_filter_that_starts_spans_is_not_called_for_them() {
    let (builder, seen) = queue(Behaviour::Keep);
    let own = Arc::new(OnceLock::<SdkTracerProvider>::new());
    let other = Arc::clone(&own);
    let queue = builder
        .with_filter(move |_| {
            if let Some(provider) = other.get() {
                provider
                    .tracer("of the filter")
                    .start("of the filter")
                    .end();
            }
            true
        })
        .build()
        .unwrap();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(queue.clone())
        .build();
    own.set(provider).unwrap();
    own.get().unwrap().tracer("t").start("chat").end();
    queue.flush(WHILE).unwrap();
    let seen = seen.lock().unwrap();
    let names: Vec<&str> = seen.iter().map(|span| &*span.name).collect();
    assert_eq!(names, ["chat"]);
}

#[test]
fn a11_a_log_subscriber_that_panics_ends_no_thread_and_reaches_no_program() {
    let exporter = LogsAndFails(Once::new(), panicking_logger);
    let queue = ExportQueue::builder("test", exporter).build().unwrap();
    // On the thread of the queue.
    let _provider = end_spans(&queue, 3);
    queue.flush(WHILE).unwrap_err();
    let _provider = end_spans(&queue, 1);
    queue.flush(WHILE).unwrap_err();
    assert_eq!(queue.stats().dropped_for(DropReason::Failed), 4);
    queue.shutdown(WHILE).unwrap();
    // On the thread of the program.
    with_default(panicking_logger(), || {
        let _provider = end_spans(&queue, 2);
    });
    assert_eq!(queue.stats().dropped_for(DropReason::AfterShutdown), 2);
}

#[test]
fn an_exporter_that_fails_again_and_again_is_logged_once() {
    static LINES: AtomicU64 = AtomicU64::new(0);
    let logger = || {
        Logger(|| {
            LINES.fetch_add(1, SeqCst);
        })
    };
    let exporter = LogsAndFails(Once::new(), logger);
    let queue = ExportQueue::builder("test", exporter).build().unwrap();
    let provider = end_spans(&queue, 0);
    for _ in 0..5 {
        provider.tracer("t").start("chat").end();
        queue.flush(WHILE).unwrap_err();
    }
    assert_eq!(queue.stats().dropped_for(DropReason::Failed), 5);
    assert_eq!(LINES.load(SeqCst), 1);
}

/// Fails to export on a thread with this subscriber.
#[derive(Debug)]
struct LogsAndFails(Once, fn() -> Logger);

impl SpanExporter for LogsAndFails {
    async fn export(&self, _batch: Vec<SpanData>) -> OTelSdkResult {
        let set = || std::mem::forget(set_default((self.1)()));
        self.0.call_once(set);
        Err(OTelSdkError::InternalFailure("on purpose".into()))
    }
}

/// Lets two of three spans be lost, and says what comes of `end`.
fn losing(end: impl FnOnce(&ExportQueue, &SdkTracerProvider) -> OTelSdkResult) -> String {
    let (builder, begun, release) = hanging();
    let queue = builder.with_max_spans(1).with_batch_delay(Duration::ZERO);
    let queue = queue.build().unwrap();
    let provider = end_spans(&queue, 1);
    begun.recv_timeout(WHILE).unwrap();
    let _other = end_spans(&queue, 2);
    drop(release);
    let result = end(&queue, &provider);
    check_conserved(queue.stats());
    result.map_or_else(|error| error.to_string(), |()| "nothing".to_owned())
}

#[test]
fn a14_a_shutdown_tells_of_each_loss_that_no_flush_told() {
    let lost = "Operation failed: test lost 2 spans (queue_full: 2)";
    assert_eq!(losing(|queue, _| queue.shutdown(WHILE)), lost);
    // By the calls of the SDK, too.
    assert_eq!(losing(|queue, _| SpanProcessor::shutdown(queue)), lost);
    let of_a_provider = losing(|_, provider| provider.shutdown());
    assert!(of_a_provider.contains("test lost 2 spans (queue_full: 2)"));
}

#[test]
fn a14_a_shutdown_tells_nothing_twice() {
    let told = losing(|queue, _| {
        queue.flush(WHILE).unwrap_err();
        queue.shutdown(WHILE)
    });
    assert_eq!(told, "nothing");
    let told = losing(|queue, _| {
        queue.shutdown(WHILE).unwrap_err();
        queue.shutdown(WHILE)
    });
    assert_eq!(told, "nothing");
}

#[test]
fn a14_a_shutdown_that_is_late_names_other_losses_beside_the_deadline() {
    let (builder, begun, release) = hanging();
    let queue = builder.with_max_spans(1).with_batch_delay(Duration::ZERO);
    let queue = queue.build().unwrap();
    let _provider = end_spans(&queue, 1);
    begun.recv_timeout(WHILE).unwrap();
    let _provider = end_spans(&queue, 1);
    let lost = queue.shutdown(Duration::from_millis(1)).unwrap_err();
    assert_eq!(
        lost.to_string(),
        "Operation failed: test lost 2 spans (queue_full: 1, shutdown_deadline: 1)"
    );
    drop(release);
}

#[test]
fn a14_an_exporter_that_cannot_be_flushed_hides_no_losses() {
    let queue = ExportQueue::builder("test", Panicking).build().unwrap();
    let _provider = end_spans(&queue, 3);
    assert_eq!(
        queue.flush(WHILE).unwrap_err().to_string(),
        "Operation failed: test lost 3 spans (panic: 3); the exporter of test cannot be flushed"
    );
}

#[test]
fn an_exporter_that_waits_for_its_own_queue_gets_an_error_and_loses_nothing() {
    let own = Arc::<OnceLock<ExportQueue>>::default();
    let (said, hears) = mpsc::channel();
    let (builder, _) = queue(Behaviour::Wait(Arc::clone(&own), said));
    let queue = builder.build().unwrap();
    own.set(queue.clone()).unwrap();
    let _provider = end_spans(&queue, 1);
    queue.start_flush();
    for outcome in hears.recv_timeout(WHILE).unwrap() {
        let error = outcome.unwrap_err().to_string();
        assert!(
            error.contains("the thread of test cannot wait for itself"),
            "{error}"
        );
    }
    queue.shutdown(WHILE).unwrap();
    let stats = queue.stats();
    assert_eq!((stats.exported, stats.dropped()), (1, 0));
}

#[test]
fn what_the_limits_of_the_provider_leave_out_of_a_span_is_counted() {
    let (builder, seen) = queue(Behaviour::Keep);
    let queue = builder.build().unwrap();
    let provider = SdkTracerProvider::builder()
        .with_max_attributes_per_span(2)
        .with_max_events_per_span(1)
        .with_span_processor(queue.clone())
        .build();
    let mut span = provider.tracer("t").start("s");
    span.set_attributes((0..5).map(|n| KeyValue::new(format!("app.{n}"), n)));
    (0..3).for_each(|_| span.add_event("e", Vec::new()));
    drop(span);
    drop(provider.tracer("t").start("within the limits"));
    queue.flush(WHILE).unwrap();
    let cuts = queue.stats().cuts;
    assert_eq!((cuts.spans, cuts.attributes, cuts.events), (1, 3, 2));
    assert_eq!(seen.lock().unwrap()[0].dropped_attributes_count, 3);
}

#[test]
fn a_flush_without_time_succeeds_if_nothing_is_queued() {
    let (builder, _) = queue(Behaviour::Fail);
    let queue = builder.build().unwrap();
    // Its thread has no time to answer.
    for _ in 0..100 {
        queue.flush(Duration::ZERO).unwrap();
    }
    let _failing = end_spans(&queue, 1);
    queue.start_flush();
    while queue.stats().queued > 0 {
        std::thread::yield_now();
    }
    let lost = queue.flush(Duration::ZERO).unwrap_err().to_string();
    assert!(
        lost.contains("test lost 1 span (export_failed: 1)"),
        "{lost}"
    );
    let (builder, has_begun, release) = hanging();
    let queue = builder.with_batch_delay(Duration::ZERO).build().unwrap();
    let _hanging = end_spans(&queue, 1);
    has_begun.recv().unwrap();
    let late = queue.flush(Duration::ZERO);
    assert!(matches!(late, Err(OTelSdkError::Timeout(_))), "{late:?}");
    drop(release);
}

/// Takes spans, and hangs in its flush until the other end of the channel is gone.
#[derive(Debug)]
struct HangingFlush(Mutex<Receiver<()>>);

impl SpanExporter for HangingFlush {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        let _ = self.0.lock().unwrap().recv();
        Ok(())
    }
}

#[test]
fn a_flush_with_time_waits_for_that_of_the_exporter_if_nothing_is_queued() {
    let (release, hangs) = mpsc::channel();
    let exporter = HangingFlush(Mutex::new(hangs));
    let queue = ExportQueue::builder("test", exporter).build().unwrap();
    let late = queue.flush(Duration::from_millis(1));
    assert!(matches!(late, Err(OTelSdkError::Timeout(_))), "{late:?}");
    queue.flush(Duration::ZERO).unwrap();
    drop(release);
    queue.flush(WHILE).unwrap();
}
