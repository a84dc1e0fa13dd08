//! Estimates the memory of a span.

use super::{Inner, Slot, Span};

impl Span {
    /// An estimate of the memory of the span and its events, in bytes.
    ///
    /// Texts count with their length. Components do not count, because spans and events share them,
    /// nor do the parent and the trace.
    #[must_use]
    pub fn held_bytes(&self) -> u64 {
        let events = self.inner.events.iter();
        let events = events.map(|(_, slot)| size_of::<Slot>() + slot.event.held_bytes());
        let bytes = size_of::<Inner>() + self.inner.record.held_bytes() + events.sum::<usize>();
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}
