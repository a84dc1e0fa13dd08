//! Variables of the queues of destinations.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use agentspan::discovery::Environment;
use agentspan::{AgentSpanProcessor, Destination, configure};
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};

use super::program::Row;
use crate::otlp::WHILE;

/// Says how many spans each export has, and exports once it may.
#[derive(Debug)]
struct Exports(Sender<usize>, Mutex<Receiver<()>>);

impl SpanExporter for Exports {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let _ = self.0.send(batch.len());
        let _ = self.1.lock().unwrap().recv();
        Ok(())
    }
}

/// A destination in an environment.
struct Queue {
    processor: Option<AgentSpanProcessor>,
    sizes: Receiver<usize>,
    release: Option<Sender<()>>,
}

impl Queue {
    fn new(variables: &[(&str, &str)], change: impl FnOnce(Destination) -> Destination) -> Self {
        let (told, sizes) = channel();
        let (release, until) = channel();
        let exporter = Exports(told, Mutex::new(until));
        let destination = change(Destination::exporter("kept", exporter));
        let environment: Environment = variables.iter().copied().collect();
        let configuration = configure()
            .with_environment(&environment)
            .with_destination(destination);
        Self {
            processor: configuration.with_switches_on().into_processor().ok(),
            sizes,
            release: Some(release),
        }
    }

    fn put(&self, spans: usize) {
        let provider = SdkTracerProvider::builder().build();
        let mut span = provider.tracer("t").start("s");
        let data = span.exported_data().unwrap();
        span.end();
        for _ in 0..spans {
            self.processor.as_ref().unwrap().queues()[0].put(data.clone());
        }
    }

    fn size(&self) -> usize {
        self.sizes.recv_timeout(WHILE).unwrap()
    }

    /// How many spans each export has, when so many are put at once and nothing is exported before a flush.
    fn sizes_of(mut self, spans: usize) -> Vec<usize> {
        self.release = None;
        self.put(spans);
        let queue = self.processor.as_ref().unwrap().queues()[0].clone();
        queue.flush(WHILE).unwrap();
        self.processor = None;
        drop(queue);
        self.sizes.iter().collect()
    }
}

/// So long that only a flush or a full batch exports.
const NEVER: (&str, &str) = ("OTEL_BSP_SCHEDULE_DELAY", "2147483647");

pub(super) fn schedule_delay(row: &Row) {
    let queue = Queue::new(&[(row.variable, " 0 ")], |it| it);
    queue.put(1);
    assert_eq!(queue.size(), 1);
    // Two that follow each other are one batch if they are waited for.
    let two = Queue::new(&[NEVER, ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2")], |it| it);
    two.put(1);
    assert!(two.sizes.try_recv().is_err());
    two.put(1);
    assert_eq!(two.size(), 2);
}

pub(super) fn max_queue_size(row: &Row) {
    let dropped = |variables: &[(&str, &str)], change: fn(Destination) -> Destination| {
        let mut all = vec![NEVER];
        all.extend_from_slice(variables);
        let queue = Queue::new(&all, change);
        queue.put(9);
        queue.processor.as_ref().unwrap().queues()[0]
            .stats()
            .dropped()
    };
    assert_eq!(dropped(&[(row.variable, "3")], |it| it), 6);
    assert_eq!(
        dropped(&[(row.variable, "3")], |it| it.with_max_spans(7)),
        2
    );
    for unusable in ["0", "-3", "few", ""] {
        assert_eq!(
            dropped(&[(row.variable, unusable)], |it| it),
            0,
            "{unusable:?}"
        );
    }
}

pub(super) fn max_batch_size(row: &Row) {
    let sizes = |variables: &[(&str, &str)], change: fn(Destination) -> Destination| {
        let mut all = vec![NEVER];
        all.extend_from_slice(variables);
        Queue::new(&all, change).sizes_of(7)
    };
    assert_eq!(sizes(&[(row.variable, "7")], |it| it), [7]);
    assert_eq!(
        sizes(&[(row.variable, "7")], |it| it.with_batch_spans(1)),
        [1; 7]
    );
    // More than may wait: ignored. What may wait is then the most that is exported at once, or nothing would be.
    let of_queue = ("OTEL_BSP_MAX_QUEUE_SIZE", "1");
    let full = Queue::new(&[NEVER, (row.variable, "5"), of_queue], |it| it);
    full.put(1);
    assert_eq!(full.size(), 1);
}
