//! Withholds unrelated spans of the layer.

pub(crate) use agentspan_tracing::RelatedSpans;
use opentelemetry_sdk::trace::SpanProcessor;

pub(crate) fn in_front_of<Next: SpanProcessor>(next: Next) -> RelatedSpans<Next> {
    RelatedSpans::in_front_of(next)
}
