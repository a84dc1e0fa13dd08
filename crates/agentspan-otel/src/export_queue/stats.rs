//! The counts of a queue.

use agentspan_queue::queue::Counts;
use agentspan_record::{DropReason, SpanCuts};

use super::item::LOSSES;

/// Counts of the spans of an [`ExportQueue`](crate::ExportQueue).
///
/// `accepted = exported + dropped() + queued`, at any time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportStats {
    /// Spans that passed the filter, including spans that were dropped at once.
    pub accepted: u64,
    /// Spans that the exporter accepted and the receiver did not reject.
    pub exported: u64,
    /// The part of `exported` for which the head of the receiver's answer is the only proof,
    /// because the rest was cut off, late or not understood.
    pub unconfirmed: u64,
    /// Spans that are queued or in flight.
    pub queued: u64,
    /// The estimated memory of the spans that are queued or in flight, in bytes.
    pub queued_bytes: u64,
    /// The parts of spans that were cut because they exceeded the
    /// [`SpanLimits`](crate::SpanLimits), or the limits of their provider.
    pub cuts: SpanCuts,
    /// In the order of [`DropReason::ALL`].
    dropped: [u64; LOSSES],
}

impl ExportStats {
    /// The number of spans that were dropped for this reason.
    #[must_use]
    pub fn dropped_for(&self, reason: DropReason) -> u64 {
        self.dropped.get(reason.index()).copied().unwrap_or(0)
    }

    /// The number of dropped spans.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.iter().sum()
    }

    pub(super) fn new(counts: Counts<LOSSES>, unconfirmed: u64, cuts: SpanCuts) -> Self {
        Self {
            accepted: counts.accepted,
            exported: counts.done,
            unconfirmed,
            queued: counts.queued,
            queued_bytes: counts.queued_bytes,
            cuts,
            dropped: counts.lost,
        }
    }
}
