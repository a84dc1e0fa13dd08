//! The OpenTelemetry SDK: spans by hand to its batch processor, thrown away or sent as OTLP.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use agentspan_testkit::turn;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{Protocol, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracer, SdkTracerProvider, SpanData, SpanExporter,
};

use crate::error::BenchError;
use crate::peers::replay::Replay;
use crate::site::Pipeline;

/// A turn by hand, and where its spans go.
pub(crate) struct Sdk {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    turn: Replay,
    delivered: Arc<AtomicU64>,
}

impl Sdk {
    /// To the batch processor, with room for `queue` spans, whose exporter throws them away.
    pub(crate) fn discarding(turn: Replay, queue: usize) -> Self {
        Self::new(turn, Discard, Some(queue))
    }

    /// To the batch processor, with room for `queue` spans or its default, and as OTLP in protobuf to `sink`.
    pub(crate) fn otlp(turn: Replay, sink: &str, queue: Option<usize>) -> Result<Self, BenchError> {
        Ok(Self::new(turn, otlp(sink)?, queue))
    }

    fn new(turn: Replay, exporter: impl SpanExporter + 'static, queue: Option<usize>) -> Self {
        let delivered = Arc::default();
        let exporter = Counted {
            exporter,
            delivered: Arc::clone(&delivered),
        };
        let config = match queue {
            Some(spans) => BatchConfigBuilder::default().with_max_queue_size(spans),
            None => BatchConfigBuilder::default(),
        };
        let processor = BatchSpanProcessor::builder(exporter).with_batch_config(config.build());
        let provider = SdkTracerProvider::builder()
            .with_resource(turn::resource())
            .with_span_processor(processor.build())
            .build();
        Self {
            tracer: provider.tracer("bench"),
            provider,
            turn,
            delivered,
        }
    }
}

impl Pipeline for Sdk {
    fn turn(&self) {
        self.turn.run(&self.tracer);
    }

    fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    fn flush(&self) {
        drop(self.provider.force_flush());
    }
}

/// The exporter that people use, with its default client.
pub(crate) fn otlp(sink: &str) -> Result<opentelemetry_otlp::SpanExporter, BenchError> {
    opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{sink}/v1/traces"))
        .build()
        .map_err(|error| BenchError::set_up("opentelemetry-otlp")(error.into()))
}

/// Counts spans that were exported.
#[derive(Debug)]
pub(crate) struct Counted<E> {
    pub(crate) exporter: E,
    pub(crate) delivered: Arc<AtomicU64>,
}

impl<E: SpanExporter> SpanExporter for Counted<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        self.exporter.export(batch).await?;
        // Nothing is read through this number.
        self.delivered.fetch_add(spans, Ordering::Relaxed);
        Ok(())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// Throws spans away.
#[derive(Debug)]
pub(crate) struct Discard;

impl SpanExporter for Discard {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        drop(std::hint::black_box(batch));
        Ok(())
    }
}
