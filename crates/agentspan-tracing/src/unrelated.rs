//! The layer's message to the processors about a span that ends, beside the span: an attribute
//! might not fit.

use std::cell::RefCell;

use opentelemetry::trace::{SpanContext, SpanId, TraceId};

thread_local! {
    /// The spans of no agent that end on this thread. A processor may end one span while another ends.
    static ENDING: RefCell<Vec<(TraceId, SpanId)>> = const { RefCell::new(Vec::new()) };
}

/// A span that has nothing to do with agents ends, as long as this lives.
pub(crate) struct Unrelated;

impl Unrelated {
    pub(crate) fn ends(span: &SpanContext) -> Self {
        // While the thread ends, nothing can be said, and the span is exported.
        let _ = ENDING.try_with(|ending| ending.borrow_mut().push(key(span)));
        Self
    }

    pub(crate) fn is_ending(span: &SpanContext) -> bool {
        let found = ENDING.try_with(|ending| ending.borrow().contains(&key(span)));
        found.unwrap_or(false)
    }
}

impl Drop for Unrelated {
    fn drop(&mut self) {
        let _ = ENDING.try_with(|ending| ending.borrow_mut().pop());
    }
}

fn key(span: &SpanContext) -> (TraceId, SpanId) {
    (span.trace_id(), span.span_id())
}
