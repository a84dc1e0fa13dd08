//! Hides contents from an exporter, in its own copy of the spans.

use std::time::Duration;

use agentspan_model::agentspec::{Disclosure, MASK};
use agentspan_model::keys;
use opentelemetry::KeyValue;
use opentelemetry::trace::Status;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// A span exporter that gets masks in place of contents.
///
/// Masked are the attributes of [`agentspan_model::keys::CONTENT`], on spans, events and links, the
/// flattened messages of OpenInference, and the description of an error. Put it inside of
/// [`Rendered`](crate::Rendered), so that it sees what is rendered.
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
    disclosure: Disclosure,
}

impl<E> Masked<E> {
    /// Masks for `exporter`, or, with [`Disclosure::Clear`], shows it everything.
    pub fn new(exporter: E, disclosure: Disclosure) -> Self {
        Self {
            exporter,
            disclosure,
        }
    }
}

impl<E: SpanExporter> SpanExporter for Masked<E> {
    fn export(&self, mut batch: Vec<SpanData>) -> impl Future<Output = OTelSdkResult> + Send {
        if self.disclosure == Disclosure::Masked {
            batch.iter_mut().for_each(mask);
        }
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
        self.exporter.set_resource(resource);
    }
}

fn mask(span: &mut SpanData) {
    mask_attributes(&mut span.attributes);
    for event in &mut span.events.events {
        mask_attributes(&mut event.attributes);
    }
    for link in &mut span.links.links {
        mask_attributes(&mut link.attributes);
    }
    // An error's description is the text that `error.message` holds too.
    if let Status::Error { description } = &mut span.status {
        if !description.is_empty() {
            *description = MASK.into();
        }
    }
}

fn mask_attributes(attributes: &mut [KeyValue]) {
    for attribute in attributes {
        if is_content(attribute.key.as_str()) {
            attribute.value = MASK.into();
        }
    }
}

/// Whether an attribute of this name holds what people, models or tools said, in any vocabulary.
pub(crate) fn is_content(key: &str) -> bool {
    keys::CONTENT.contains(&key)
        || key.starts_with(keys::LLM_INPUT_MESSAGES)
        || key.starts_with(keys::LLM_OUTPUT_MESSAGES)
}
