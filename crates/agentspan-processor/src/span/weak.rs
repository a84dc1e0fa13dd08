//! Keys that distinguish spans, even if two spans share an id.

use std::fmt;
use std::sync::Weak;

use super::{Inner, Span};

/// Identifies a span. Two keys are equal if they belong to [the same](Span::is_same) span.
///
/// An id is not sufficient: two traces may have spans with the same id, and programs start a second
/// span with the id of an open span. A key is valid as long as a [`Span`] or a [`WeakSpan`] of its
/// span exists; after that, a new span may have the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpanKey(usize);

/// A handle that keeps the [key](Self::key) of a span valid, but keeps neither the span nor its
/// events.
#[derive(Clone)]
pub struct WeakSpan(Weak<Inner>);

impl Span {
    /// The key that identifies this span.
    #[must_use]
    pub fn key(&self) -> SpanKey {
        SpanKey(self.inner.address())
    }

    /// A weak handle, which does not keep the span.
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

    /// Whether somebody has a handle of the span.
    pub(crate) fn is_held(&self) -> bool {
        self.0.strong_count() > 0
    }
}

impl fmt::Debug for WeakSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WeakSpan").field(&self.key()).finish()
    }
}
