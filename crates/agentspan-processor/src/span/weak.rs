//! Telling spans apart, also when two of them have one id.

use std::fmt;
use std::sync::Weak;

use super::{Inner, Span};

/// Tells spans apart: equal if they are of [the same](Span::is_same) span.
///
/// An id does not tell: two traces may have spans of one id, and programs start a second span with the id
/// of one that is open. A key is good for as long as a [`Span`] or a [`WeakSpan`] of its span is kept;
/// after that, a new span may have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpanKey(usize);

/// A handle that keeps the [key](Self::key) of a span good, and neither the span nor its events.
#[derive(Clone)]
pub struct WeakSpan(Weak<Inner>);

impl Span {
    /// The key that identifies this span.
    #[must_use]
    pub fn key(&self) -> SpanKey {
        SpanKey(self.inner.address())
    }

    /// A handle that does not keep the span.
    #[must_use]
    pub fn downgrade(&self) -> WeakSpan {
        WeakSpan(self.inner.downgrade())
    }
}

impl WeakSpan {
    /// The key that identifies its span.
    #[must_use]
    pub fn key(&self) -> SpanKey {
        SpanKey(self.0.as_ptr().addr())
    }
}

impl fmt::Debug for WeakSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WeakSpan").field(&self.key()).finish()
    }
}
