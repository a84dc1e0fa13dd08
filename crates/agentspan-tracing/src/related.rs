//! Withholds spans that have nothing to do with agents.

use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceFlags};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use crate::ancestor::Ancestor;
use crate::unrelated::Unrelated;

/// Wraps a processor, and withholds spans of the layer that have nothing to do with agents: spans
/// without GenAI fields that have neither a span with such fields below them, nor a span from other
/// code than the layer.
///
/// The next processor gets such a span as an unsampled span, so that it can release its state for
/// the span. Processors neither export unsampled spans nor count them as lost.
#[derive(Clone, Debug, Default)]
pub struct RelatedSpans<Next> {
    next: Next,
}

impl<Next: SpanProcessor> RelatedSpans<Next> {
    /// A processor that passes its spans on to `next`.
    #[must_use]
    pub fn in_front_of(next: Next) -> Self {
        Self { next }
    }
}

impl<Next: SpanProcessor> SpanProcessor for RelatedSpans<Next> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        Ancestor::note_start(context);
        self.next.on_start(span, context);
    }

    fn on_end(&self, mut span: SpanData) {
        if Unrelated::is_ending(&span.span_context) {
            span.span_context = without_sampled_flag(&span.span_context);
        }
        self.next.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.next.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.next.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.next.set_resource(resource);
    }
}

fn without_sampled_flag(context: &SpanContext) -> SpanContext {
    SpanContext::new(
        context.trace_id(),
        context.span_id(),
        context.trace_flags() & !TraceFlags::SAMPLED,
        context.is_remote(),
        context.trace_state().clone(),
    )
}
