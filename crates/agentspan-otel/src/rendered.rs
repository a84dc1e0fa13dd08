//! Wraps an exporter, and renders spans in the vocabulary of a destination.

use std::time::Duration;

use agentspan_model::mapping::Mapping;
use agentspan_record::{FinishedSpan, Preparation};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// Wraps a span exporter, and renders the spans of agents in the vocabulary of a [`Mapping`]: spans
/// of Agent Spec, of scopes, and of other frameworks in any convention that
/// [`NormalSpan`](agentspan_model::mapping::normal::NormalSpan) reads. All other spans pass
/// unchanged.
///
/// Use it for exporters in other pipelines. An [`ExportQueue`](crate::ExportQueue) renders spans
/// itself, see [`with_mapping`](crate::export_queue::ExportQueueBuilder::with_mapping), and needs
/// no Agent Spec attributes for it.
///
/// Wrap each exporter separately: one may get all contents in the vocabulary of OpenInference, and
/// another masked spans in the vocabulary of Agent 365. Other exporters are not affected, and
/// limits of the SDK do not apply to rendered attributes. Attributes from other instrumentation or
/// from baggage are kept. If the mapping writes the same key, the mapping takes precedence, except
/// for the identity of Agent 365.
///
/// Rendering takes time on the exporting thread. Wrap the exporter of a batch processor rather than
/// of a simple processor.
///
/// If an Agent Spec span cannot be rebuilt, because other code has cut its attributes, it passes
/// unchanged, but without content if the mapping shows none.
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

    /// The wrapped exporter.
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
