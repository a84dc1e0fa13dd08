//! What the guard does when destinations fail, hang, or have nothing to do.

use std::sync::atomic::{AtomicU64, Ordering};

use agentspan_model::mapping::ContentCapture;
use agentspan_otel::ExportQueueBuilder;
use opentelemetry::Context;
use opentelemetry::trace::{Span as _, Tracer as _};
use opentelemetry_sdk::trace::{Span, SpanData, SpanExporter, SpanProcessor};

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
struct Flushes(std::sync::Arc<AtomicU64>);

impl SpanProcessor for Flushes {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, _span: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        self.0.fetch_add(1, Ordering::SeqCst);
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

#[test]
fn a_destination_that_loses_spans_keeps_no_other_processor_from_its_flush() {
    let flushes = Flushes::default();
    let telemetry = telemetry(ExportQueue::builder("failing", Failing), flushes.clone());
    telemetry.tracer("t").start("s").end();
    let error = telemetry.flush(WHILE).unwrap_err();
    assert!(matches!(error, TelemetryError::Processor(_)), "{error:?}");
    assert_eq!(flushes.0.load(Ordering::SeqCst), 1);
}
