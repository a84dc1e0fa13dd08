//! Hides contents from an exporter, in its own copy of the spans.

use std::time::Duration;

use agentspan_model::agentspec::Disclosure;
use agentspan_record::Hiding;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// Wraps a span exporter, and shows it masks in place of contents.
///
/// Put it inside [`Rendered`](crate::Rendered), so that it masks the rendered attributes.
///
/// [`new`](Self::new) masks attributes that [`Sensitivity`](agentspan_model::keys::Sensitivity)
/// knows or suspects to be contents, on spans, events, links, the instrumentation scope and the
/// resource. It also masks:
///
/// - The description of an error, which is the text of `exception.message`.
/// - The name of an event that is not an identifier or that comes from `tracing`, and the name of a
///   span with more than 128 bytes or several lines, because such texts are made at run time. The
///   same holds for such a name under a known key, such as `gen_ai.agent.name`.
/// - The components of Agent Spec, except for their outline, see
///   [`Detail::Named`](agentspan_model::agentspec::Detail::Named).
///
/// If you must be sure, use [`known_harmless`](Self::known_harmless).
///
/// ```
/// use agentspan_model::agentspec::Disclosure;
/// use agentspan_otel::{ConsoleExporter, Masked};
///
/// let exporter = Masked::new(ConsoleExporter::new(), Disclosure::Masked);
/// # drop(exporter);
/// ```
#[derive(Clone, Debug)]
pub struct Masked<E> {
    exporter: E,
    hiding: Hiding,
}

impl<E> Masked<E> {
    /// Masks contents for `exporter`, or, with [`Disclosure::Clear`], shows it everything.
    pub fn new(exporter: E, disclosure: Disclosure) -> Self {
        Self::hiding(exporter, Hiding::from(disclosure))
    }

    /// Passes to `exporter` only data that is known to be harmless: ids, times, and the attributes
    /// of [`Sensitivity::Harmless`](agentspan_model::keys::Sensitivity::Harmless).
    ///
    /// All other attributes are removed with their keys, and counted among the dropped attributes
    /// of the span. A harmless attribute is masked if its text has more than 256 bytes or several
    /// lines. A span keeps its name if the name consists of harmless attributes, for instance
    /// `chat gpt-4o`; otherwise, it is named after its operation. An event keeps its name if a
    /// convention defines it. `tracestate` is removed, and so are the ids, names, mail addresses
    /// and IP addresses of people.
    pub fn known_harmless(exporter: E) -> Self {
        Self::hiding(exporter, Hiding::AllButHarmless)
    }

    fn hiding(exporter: E, hiding: Hiding) -> Self {
        Self { exporter, hiding }
    }
}

impl<E: SpanExporter> SpanExporter for Masked<E> {
    fn export(&self, mut batch: Vec<SpanData>) -> impl Future<Output = OTelSdkResult> + Send {
        batch.iter_mut().for_each(|span| self.hiding.apply(span));
        self.exporter.export(batch)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.exporter.shutdown()
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        match self.hiding.apply_to_resource(resource) {
            Some(masked) => self.exporter.set_resource(&masked),
            None => self.exporter.set_resource(resource),
        }
    }
}
