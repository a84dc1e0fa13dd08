//! The processor that takes finished spans itself.

use std::time::Duration;

use agentspan_record::FinishedSpan;
use opentelemetry::Context;
use opentelemetry::trace::Span as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use crate::builder::DeliveryBuilder;
use crate::delivery::Delivery;
use crate::exporter::DEFAULT_WAIT;
use crate::front::Front;
use crate::stats::DeliveryStats;
use crate::token_resolver::TokenResolver;

/// Takes finished spans and delivers them in batches to Agent 365.
///
/// It replaces the SDK's batch processor and an exporter, with one queue less.
/// [`on_end`](SpanProcessor::on_end) never waits: if the queue is full, the new span is dropped and
/// counted. Spans that were not sampled are ignored.
#[derive(Debug)]
pub struct Agent365SpanProcessor {
    front: Front,
}

impl Agent365SpanProcessor {
    /// Builds a processor with a delivery of its own. The defaults fit production.
    pub fn builder(resolver: impl TokenResolver) -> DeliveryBuilder<Self> {
        DeliveryBuilder::new(resolver)
    }

    /// Counts of the delivery's spans so far.
    #[must_use]
    pub fn stats(&self) -> DeliveryStats {
        self.front.delivery().stats()
    }

    /// The delivery behind this processor: keep a clone of it to flush or to read its counts when
    /// the provider owns the processor.
    #[must_use]
    pub fn delivery(&self) -> &Delivery {
        self.front.delivery()
    }

    /// Takes a finished span that was sampled, as [`on_end`](SpanProcessor::on_end) does. A span that
    /// was not sampled is not sent; its request no longer waits for it.
    pub fn take(&self, span: FinishedSpan) {
        if span.data.span_context.is_sampled() {
            self.front.enqueue(span);
        } else {
            self.front.withhold(&span.data.span_context);
        }
    }
}

impl Delivery {
    /// A span processor over this delivery.
    #[must_use]
    pub fn span_processor(&self) -> Agent365SpanProcessor {
        Agent365SpanProcessor {
            front: Front::open(self.clone()),
        }
    }
}

impl From<Delivery> for Agent365SpanProcessor {
    fn from(delivery: Delivery) -> Self {
        delivery.span_processor()
    }
}

impl SpanProcessor for Agent365SpanProcessor {
    fn on_start(&self, span: &mut Span, cx: &Context) {
        if span.span_context().is_sampled() {
            self.front.span_starts(span, cx);
        }
    }

    fn on_end(&self, span: SpanData) {
        self.take(FinishedSpan::received(span));
    }

    /// Waits for at most five seconds until what ended before is delivered or dropped.
    fn force_flush(&self) -> OTelSdkResult {
        self.front.delivery().flush(DEFAULT_WAIT)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.front.shutdown(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.front.set_resource(resource);
    }
}
