//! Another exporter that gets spans as Agent 365 would.

use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use crate::enrichment::SpanEnrichers;

/// An exporter whose spans are enriched before it gets them, for spans that reach Agent 365 another way
/// than by a [`Delivery`](crate::Delivery), such as through a collector.
///
/// The enrichers run on the thread that exports.
///
/// ```
/// use agentspan_agent365::{Enriched, Enrichment, SpanEnrichers};
/// use opentelemetry::KeyValue;
/// use opentelemetry_sdk::trace::SpanExporter;
///
/// fn enriched<E: SpanExporter>(exporter: E) -> Enriched<E> {
///     let enrichers = SpanEnrichers::none()
///         .with_span_enricher(|_| Enrichment::none().with_attribute(KeyValue::new("team", "weather")))
///         .without_invoke_agent_input();
///     Enriched::new(exporter, enrichers)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Enriched<E> {
    inner: E,
    enrichers: SpanEnrichers,
}

impl<E> Enriched<E> {
    /// Enriches what `inner` gets.
    pub fn new(inner: E, enrichers: SpanEnrichers) -> Self {
        Self { inner, enrichers }
    }

    /// The exporter.
    pub fn inner(&self) -> &E {
        &self.inner
    }
}

impl<E: SpanExporter> SpanExporter for Enriched<E> {
    fn export(&self, mut batch: Vec<SpanData>) -> impl Future<Output = OTelSdkResult> + Send {
        self.enrichers.apply(&mut batch);
        self.inner.export(batch)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.inner.shutdown()
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}
