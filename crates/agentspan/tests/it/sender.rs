//! Gives spans to one destination and asks what became of them.

use std::future::{Future, ready};
use std::pin::Pin;
use std::time::Duration;

use agentspan::agent365::retry::RetryTimer;
use agentspan::otel::ExportQueue;
use agentspan::{AgentSpanProcessor, Destination, DestinationReport, Otlp};
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanProcessor as _};

use crate::otlp::to;

const WHILE: Duration = Duration::from_secs(30);

/// The default of an export with all of its tries. The clock of [`AtOnce`] gets there at once.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// Retries at once. The pauses are 0.5, 1, 2, 4, and 8 s, and then 10 s each.
#[derive(Debug)]
pub(crate) struct AtOnce;

impl RetryTimer for AtOnce {
    fn pause(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(ready(()))
    }

    fn random(&self) -> f64 {
        1.0
    }
}

/// How often a batch is tried that the receiver never takes.
pub(crate) const TRIES: usize = 10;

/// One destination, which gets spans by hand.
pub(crate) struct Sender {
    processor: AgentSpanProcessor,
    queue: ExportQueue,
    span: SpanData,
}

impl Sender {
    pub(crate) fn new(destination: Destination) -> Self {
        let processor = to(destination).into_processor().unwrap();
        let queue = processor.queues()[0].clone();
        let provider = SdkTracerProvider::builder().build();
        let mut span = provider.tracer("t").start("over the wire");
        let data = span.exported_data().unwrap();
        span.end();
        Self {
            processor,
            queue,
            span: data,
        }
    }

    /// With OTLP over HTTP to this URL.
    pub(crate) fn over_http(url: &str, timeout: Duration) -> Self {
        let otlp = Otlp::new()
            .with_endpoint(format!("{url}/v1/traces"))
            .with_timeout(timeout)
            .with_retry_timer(AtOnce);
        Self::new(Destination::otlp_http(otlp).unwrap())
    }

    /// With OTLP over gRPC to this URL.
    pub(crate) fn over_grpc(url: &str, timeout: Duration) -> Self {
        let otlp = Otlp::new().with_endpoint(url).with_timeout(timeout);
        let otlp = otlp.with_retry_timer(AtOnce);
        Self::new(Destination::otlp_grpc(otlp).unwrap())
    }

    /// Queues so many spans.
    pub(crate) fn put(&self, spans: usize) -> &ExportQueue {
        for _ in 0..spans {
            self.queue.put(self.span.clone());
        }
        &self.queue
    }

    /// Sends so many spans as one batch, and says what the flush says.
    pub(crate) fn send(&self, spans: usize) -> Result<(), String> {
        self.put(spans)
            .flush(WHILE)
            .map_err(|error| error.to_string())
    }

    /// Sends what is queued, and says what the shutdown says.
    pub(crate) fn shutdown(&self) -> Result<(), String> {
        let ended = self.processor.shutdown_with_timeout(WHILE);
        ended.map_err(|error| error.to_string())
    }

    /// Gives up what is not sent, and says what the shutdown says.
    pub(crate) fn shutdown_at_once(&self) -> Result<(), String> {
        let ended = self.processor.shutdown_with_timeout(Duration::ZERO);
        ended.map_err(|error| error.to_string())
    }

    pub(crate) fn report(&self) -> DestinationReport {
        self.processor.report().destinations.remove(0)
    }

    /// How many spans were exported, how many of them without being confirmed, and what was lost.
    pub(crate) fn outcome(&self) -> (u64, u64, Vec<(&'static str, u64)>) {
        let report = self.report();
        assert_eq!(report.accepted, report.exported + report.dropped());
        let losses = report.losses.into_iter();
        let losses = losses.map(|(reason, count)| (reason.as_str(), count));
        (report.exported, report.unconfirmed, losses.collect())
    }
}
