//! Queues with their defaults lose nothing as long as everything that their consumer has not handled
//! yet fits the limits, however fast it comes. One span more is lost, and counted.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use agentspan_model::agentspec::SpanDetails;
use agentspan_otel::DropReason;
use agentspan_otel::ExportQueue;
use agentspan_processor::background_queue::FlushError;
use agentspan_processor::{BackgroundQueue, HookError, Span, SpanProcessor, Trace};
use agentspan_testkit::turn;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// The default of both queues.
const MAX_BYTES: u64 = 64 << 20;

/// How often the queue is filled.
const BURSTS: usize = 3;

const WHILE: Duration = Duration::from_secs(120);

/// A consumer that waits while the test holds the lock, and counts spans.
#[derive(Clone, Debug, Default)]
struct Consumer(Arc<Mutex<u64>>);

impl Consumer {
    fn consume(&self, spans: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += spans;
    }
}

impl SpanExporter for Consumer {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.consume(batch.len() as u64);
        Ok(())
    }
}

impl SpanProcessor for Consumer {
    fn on_end(&self, _: &Span) -> Result<(), HookError> {
        self.consume(1);
        Ok(())
    }
}

/// Makes spans as long as the next one fits, which holds as much as the last one. Gives how many it made.
fn fill(queued_bytes: impl Fn() -> u64, mut make: impl FnMut()) -> u64 {
    let (mut bytes, mut size, mut made) = (queued_bytes(), 0, 0);
    while bytes + size <= MAX_BYTES {
        make();
        made += 1;
        let before = std::mem::replace(&mut bytes, queued_bytes());
        size = bytes - before;
        assert_ne!(size, 0, "span {made} is not queued");
    }
    made
}

#[test]
fn an_export_queue_loses_nothing_of_a_backlog_that_fits() {
    let consumer = Consumer::default();
    let queue = ExportQueue::builder("slow", consumer.clone())
        .build()
        .unwrap();
    let spans = turn::spans(1, 1);
    let span = spans.first().unwrap();
    let mut all = 0;
    for _ in 0..BURSTS {
        let held = consumer.0.lock().unwrap();
        all += fill(|| queue.stats().queued_bytes, || queue.put(span.clone()));
        assert_eq!(queue.stats().dropped(), 0);
        drop(held);
        queue.flush(WHILE).unwrap();
        assert_eq!((queue.stats().accepted, queue.stats().exported), (all, all));
        assert_eq!(*consumer.0.lock().unwrap(), all);
    }
    let held = consumer.0.lock().unwrap();
    all += fill(|| queue.stats().queued_bytes, || queue.put(span.clone()));
    queue.put(span.clone());
    drop(held);
    queue.flush(WHILE).unwrap_err();
    let stats = queue.stats();
    assert_eq!((stats.accepted, stats.exported), (all + 1, all));
    assert_eq!(stats.dropped_for(DropReason::QueueFull), 1);
}

#[test]
fn a_background_queue_loses_nothing_of_a_backlog_that_fits() {
    /// The start and the end of a span.
    const HOOKS: u64 = 2;
    let consumer = Consumer::default();
    let queue = BackgroundQueue::new(consumer.clone());
    let trace = Trace::builder().with_processor(queue.clone());
    let trace = trace.start_detached().unwrap();
    let _entered = trace.root().enter();
    let make = || {
        let name = "a name that holds memory ".repeat(200);
        drop(Span::builder(SpanDetails::Plain).with_name(name).start());
    };
    queue.flush(WHILE).unwrap();
    let before = queue.stats().handled;
    let mut all = 0;
    for _ in 0..BURSTS {
        let held = consumer.0.lock().unwrap();
        all += fill(|| queue.stats().queued_bytes, make);
        assert_eq!(queue.stats().dropped, 0);
        drop(held);
        queue.flush(WHILE).unwrap();
        assert_eq!(queue.stats().handled - before, all * HOOKS);
        assert_eq!(*consumer.0.lock().unwrap(), all);
    }
    let held = consumer.0.lock().unwrap();
    all += fill(|| queue.stats().queued_bytes, make);
    make();
    drop(held);
    let lost = queue.flush(WHILE).unwrap_err();
    assert!(
        matches!(
            lost,
            FlushError::Lost {
                queue_full: HOOKS,
                ..
            }
        ),
        "{lost}"
    );
    assert_eq!(*consumer.0.lock().unwrap(), all);
    assert_eq!(queue.stats().dropped, HOOKS);
}
