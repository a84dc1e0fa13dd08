//! The span processor that a provider needs.

use std::time::Duration;

use agentspan_agent365::{Agent365SpanProcessor, Delivery};
use agentspan_otel::{BaggageSpanProcessor, ConsoleExporter};
use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SimpleSpanProcessor, Span, SpanData, SpanProcessor};

/// Where the spans go, and why.
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

/// Our span processor, for an application that builds its own provider.
///
/// It copies the baggage to each span that starts and takes each that ends to its [`Destination`]. It
/// is one processor and not two, since the SDK copies every span for each processor of a provider.
/// Made by [`Configuration::into_processor`](crate::Configuration::into_processor).
#[derive(Debug)]
pub struct AgentSpanProcessor {
    destination: Destination,
    delivery: Option<Delivery>,
    chain: BaggageSpanProcessor<Sink>,
}

impl AgentSpanProcessor {
    pub(crate) fn agent365(delivery: Delivery) -> Self {
        let sink = Sink::Agent365(delivery.span_processor());
        Self {
            destination: Destination::Agent365,
            delivery: Some(delivery),
            chain: BaggageSpanProcessor::in_front_of(sink),
        }
    }

    pub(crate) fn console(destination: Destination, exporter: ConsoleExporter) -> Self {
        let sink = Sink::Console(SimpleSpanProcessor::new(exporter));
        Self {
            destination,
            delivery: None,
            chain: BaggageSpanProcessor::in_front_of(sink),
        }
    }

    pub(crate) fn trust_remote_identity(mut self) -> Self {
        self.chain = self.chain.trust_remote_identity();
        self
    }

    /// Where the spans go, and why.
    #[must_use]
    pub fn destination(&self) -> Destination {
        self.destination
    }

    /// The delivery to Agent 365, to flush it and to read its counts; `None` for the console.
    #[must_use]
    pub fn delivery(&self) -> Option<&Delivery> {
        self.delivery.as_ref()
    }
}

impl SpanProcessor for AgentSpanProcessor {
    fn on_start(&self, span: &mut Span, cx: &Context) {
        self.chain.on_start(span, cx);
    }

    fn on_end(&self, span: SpanData) {
        self.chain.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.chain.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.chain.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.chain.set_resource(resource);
    }
}

/// Takes finished spans away.
#[derive(Debug)]
enum Sink {
    Agent365(Agent365SpanProcessor),
    Console(SimpleSpanProcessor<ConsoleExporter>),
}

impl Sink {
    fn processor(&self) -> &dyn SpanProcessor {
        match self {
            Self::Agent365(processor) => processor,
            Self::Console(processor) => processor,
        }
    }
}

impl SpanProcessor for Sink {
    fn on_start(&self, _span: &mut Span, _cx: &Context) {}

    fn on_end(&self, span: SpanData) {
        self.processor().on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.processor().force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.processor().shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        match self {
            Self::Agent365(processor) => processor.set_resource(resource),
            Self::Console(processor) => processor.set_resource(resource),
        }
    }
}
