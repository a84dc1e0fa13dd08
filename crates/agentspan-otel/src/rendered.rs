//! An exporter that gets spans in the words of a destination.

use std::time::Duration;

use agentspan_model::mapping::Mapping;
use agentspan_record::{FinishedSpan, Preparation};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// A span exporter that gets the spans of agents in the words of a [`Mapping`]: those of Agent Spec, those
/// of scopes, and those of other frameworks in any convention that
/// [`NormalSpan`](agentspan_model::mapping::normal::NormalSpan) reads. All other spans pass as they are.
///
/// For exporters of other pipelines. An [`ExportQueue`](crate::ExportQueue) renders by itself, see
/// [`with_mapping`](crate::export_queue::ExportQueueBuilder::with_mapping), and needs no Agent Spec attributes for it.
///
/// Wrap each destination in its own: one may get everything in the words of OpenInference, another one
/// masked spans in those of Agent 365. The spans that others see stay as they are, and limits of the SDK
/// do not apply to what is written here. Attributes that other instrumentation or baggage has set are
/// kept; where both say something, the mapping wins, except for the identity of Agent 365.
///
/// Rendering takes time on the thread that exports. Wrap the exporter of a batch processor, rather than
/// that of a simple one.
///
/// A span whose attributes were cut by somebody, so that the Agent Spec span cannot be rebuilt, is passed on
/// as it is, without content if the mapping shows none.
#[derive(Clone, Debug)]
pub struct Rendered<E> {
    inner: E,
    preparation: Preparation,
}

impl<E> Rendered<E> {
    /// Renders for `inner`.
    pub fn new(inner: E, mapping: Mapping) -> Self {
        let preparation = Preparation::new(mapping);
        Self { inner, preparation }
    }

    /// The exporter that gets the spans.
    pub fn inner(&self) -> &E {
        &self.inner
    }
}

impl<E: SpanExporter> SpanExporter for Rendered<E> {
    fn export(&self, batch: Vec<SpanData>) -> impl Future<Output = OTelSdkResult> + Send {
        let mut prepared = Vec::with_capacity(batch.len());
        // Nothing of it can panic: it has no enrichers.
        let spans = batch.into_iter().map(FinishedSpan::from);
        self.preparation.prepare(spans, &mut prepared);
        self.inner.export(prepared)
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
