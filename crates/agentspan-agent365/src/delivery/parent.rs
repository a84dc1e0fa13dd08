//! Where a span is in its trace.

use opentelemetry::trace::SpanId;
use opentelemetry_sdk::trace::SpanData;

use crate::receipt::SpanKey;

/// Where the parent of a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parent {
    /// There is none, or it is in another process.
    Elsewhere,
    Here(SpanId),
}

pub(super) fn key(span: &SpanData) -> SpanKey {
    let context = &span.span_context;
    (context.trace_id(), context.span_id())
}

/// Where the parent of a finished span is.
pub(super) fn parent(span: &SpanData) -> Parent {
    if span.parent_span_is_remote || span.parent_span_id == SpanId::INVALID {
        Parent::Elsewhere
    } else {
        Parent::Here(span.parent_span_id)
    }
}
