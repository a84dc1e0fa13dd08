//! What the encoder reads of a finished span, wherever the span is kept.
//!
//! The encoder knows these traits and nothing of the structures behind them, so that spans of the
//! OpenTelemetry SDK and records of our own are written by the same code. Everything is borrowed and
//! dispatched statically.

use std::ptr;

use opentelemetry::trace::SpanKind;

use super::value::{ValueWriter, Written};

/// A finished span, borrowed for the time of one encoding.
pub(crate) trait SpanView {
    /// The attributes of the span, of its events and of its links.
    type Attributes<'a>: AttributeList
    where
        Self: 'a;

    fn trace_id(&self) -> [u8; 16];

    fn span_id(&self) -> [u8; 8];

    /// All zero when the span has no parent.
    fn parent_span_id(&self) -> [u8; 8];

    fn name(&self) -> &str;

    fn kind(&self) -> SpanKind;

    /// Nanoseconds since the Unix epoch, `None` when the time was never set.
    fn start_time(&self) -> Option<u64>;

    /// Nanoseconds since the Unix epoch, `None` when the time was never set.
    fn end_time(&self) -> Option<u64>;

    fn status(&self) -> StatusView<'_>;

    fn scope(&self) -> ScopeView<'_>;

    fn attributes(&self) -> Self::Attributes<'_>;

    fn events(&self) -> impl Iterator<Item = EventView<'_, Self::Attributes<'_>>>;

    fn links(&self) -> impl Iterator<Item = LinkView<Self::Attributes<'_>>>;
}

/// Attributes in the order in which they were set. A key may come more than once: the last one counts.
pub(crate) trait AttributeList {
    fn len(&self) -> usize;

    /// The key at `index`, which is below [`len`](Self::len).
    fn key(&self, index: usize) -> &str;

    /// Hands the value at `index`, which is below [`len`](Self::len), to `writer`.
    fn write_value(&self, index: usize, writer: ValueWriter<'_>) -> Written;
}

/// The outcome of a span. Only an error has a message.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StatusView<'a> {
    Unset,
    Ok,
    Error(&'a str),
}

/// The instrumentation scope of a span. An empty version is not the same as none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScopeView<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: Option<&'a str>,
}

impl ScopeView<'_> {
    /// Whether both are the same scope. Spans of one tracer share the texts, so these are compared
    /// by address first.
    pub(crate) fn is_same(&self, other: &ScopeView<'_>) -> bool {
        let is_same_text = |one: &str, other: &str| ptr::eq(one, other) || one == other;
        is_same_text(self.name, other.name)
            && match (self.version, other.version) {
                (Some(one), Some(other)) => is_same_text(one, other),
                (None, None) => true,
                _ => false,
            }
    }
}

/// One event of a span.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventView<'a, A> {
    pub(crate) name: &'a str,
    /// Nanoseconds since the Unix epoch.
    pub(crate) time: u64,
    pub(crate) attributes: A,
}

/// One link of a span.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinkView<A> {
    pub(crate) trace_id: [u8; 16],
    pub(crate) span_id: [u8; 8],
    pub(crate) attributes: A,
}
