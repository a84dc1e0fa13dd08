//! Hides contents from an exporter, in its own copy of the spans.

use std::time::Duration;

use agentspan_model::agentspec::Disclosure;
use agentspan_record::Hiding;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// A span exporter that gets masks in place of contents.
///
/// Put it inside of [`Rendered`](crate::Rendered), so that it sees what is rendered.
///
/// [`new`](Self::new) masks what [`Sensitivity`](agentspan_model::keys::Sensitivity) knows or suspects to be
/// contents, in the attributes of spans, events, links, the instrumentation scope and the resource:
///
/// - The description of an error, which is the text of `exception.message`.
/// - The name of an event that is no identifier, or that comes from `tracing`, and the name of a span of more than
///   128 bytes or several lines: those are texts that somebody wrote while the program ran. So is a name of that
///   kind under a known key, such as `gen_ai.agent.name`.
/// - Of the components of Agent Spec all but their outline, see
///   [`Detail::Named`](agentspan_model::agentspec::Detail::Named).
///
/// Whoever must be sure wants [`known_harmless`](Self::known_harmless).
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

    /// Shows `exporter` what is known to be harmless, and nothing else: ids, times, and the attributes of
    /// [`Sensitivity::Harmless`](agentspan_model::keys::Sensitivity::Harmless).
    ///
    /// Every other attribute is removed with its key, and counted among the dropped attributes of its span; one
    /// whose text is longer than 256 bytes, or has several lines, is masked. A span keeps its name if the name
    /// consists of such attributes, for instance `chat gpt-4o`; else it is named after its operation. An event
    /// keeps its name if a convention defines it. `tracestate` is removed. What is about people goes, too:
    /// their ids, names, mail addresses and IP addresses.
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
