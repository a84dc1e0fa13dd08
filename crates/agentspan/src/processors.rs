//! The span processors that a provider needs.

use std::time::Duration;

use agentspan_agent365::{Agent365SpanProcessor, Delivery};
use agentspan_otel::{BaggageSpanProcessor, ConsoleExporter};
use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    SimpleSpanProcessor, Span, SpanData, SpanProcessor, TracerProviderBuilder,
};

/// Where the spans go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Destination {
    /// To the Agent 365 service.
    Agent365,
    /// To the console, because the switch `ENABLE_A365_OBSERVABILITY_EXPORTER` is not on.
    ConsoleWithoutSwitch,
    /// To the console, because there is no token resolver.
    ConsoleWithoutTokenResolver,
}

/// Our span processors, for an application that builds its own provider.
///
/// Made by [`Configuration::into_processors`](crate::Configuration::into_processors).
#[derive(Debug)]
#[non_exhaustive]
pub struct Processors {
    /// Copies the allowed keys of the baggage to each span.
    pub baggage: BaggageSpanProcessor,
    /// Takes finished spans to their destination.
    pub destination: DestinationProcessor,
}

impl Processors {
    /// Adds both processors to a provider's builder.
    #[must_use]
    pub fn add_to(self, builder: TracerProviderBuilder) -> TracerProviderBuilder {
        builder
            .with_span_processor(self.baggage)
            .with_span_processor(self.destination)
    }
}

/// Takes finished spans to their [`Destination`].
#[derive(Debug)]
pub struct DestinationProcessor {
    destination: Destination,
    sink: Sink,
}

#[derive(Debug)]
enum Sink {
    Agent365(Agent365SpanProcessor),
    Console(SimpleSpanProcessor<ConsoleExporter>),
}

impl DestinationProcessor {
    pub(crate) fn agent365(delivery: &Delivery) -> Self {
        Self {
            destination: Destination::Agent365,
            sink: Sink::Agent365(delivery.span_processor()),
        }
    }

    pub(crate) fn console(destination: Destination, exporter: ConsoleExporter) -> Self {
        Self {
            destination,
            sink: Sink::Console(SimpleSpanProcessor::new(exporter)),
        }
    }

    /// Where the spans go, and why.
    #[must_use]
    pub fn destination(&self) -> Destination {
        self.destination
    }

    /// The delivery to Agent 365, to flush it and to read its counts; `None` for the console.
    #[must_use]
    pub fn delivery(&self) -> Option<&Delivery> {
        match &self.sink {
            Sink::Agent365(processor) => Some(processor.delivery()),
            Sink::Console(_) => None,
        }
    }
}

impl SpanProcessor for DestinationProcessor {
    fn on_start(&self, _span: &mut Span, _cx: &Context) {}

    fn on_end(&self, span: SpanData) {
        match &self.sink {
            Sink::Agent365(processor) => processor.on_end(span),
            Sink::Console(processor) => processor.on_end(span),
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        match &self.sink {
            Sink::Agent365(processor) => processor.force_flush(),
            Sink::Console(processor) => processor.force_flush(),
        }
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        match &self.sink {
            Sink::Agent365(processor) => processor.shutdown_with_timeout(timeout),
            Sink::Console(processor) => processor.shutdown_with_timeout(timeout),
        }
    }

    fn set_resource(&mut self, resource: &Resource) {
        match &mut self.sink {
            Sink::Agent365(processor) => processor.set_resource(resource),
            Sink::Console(processor) => processor.set_resource(resource),
        }
    }
}
