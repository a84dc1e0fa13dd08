//! What became of the spans of a queue.

use std::fmt;

use agentspan_queue::queue::Counts;
use agentspan_record::SpanCuts;

use super::item::LOSSES;

/// Why a span was not exported. Every span that is lost is counted under one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ExportLoss {
    /// The queue was full. The newest spans are the ones that are dropped. Make it larger, or find
    /// out what makes the destination slow.
    QueueFull,
    /// The exporter returned an error, which the log names. Look at the destination.
    Failed,
    /// The exporter said that its time had passed. Give it longer, or look at the destination.
    TimedOut,
    /// The receiver took the batch without this span. [`ExportQueue::receiver_message`] holds its
    /// reason, if it gave one; sending again does not help.
    ///
    /// [`ExportQueue::receiver_message`]: crate::ExportQueue::receiver_message
    Rejected,
    /// The exporter or the filter panicked. Mend it.
    Panic,
    /// The span came after shutdown.
    AfterShutdown,
    /// The deadline of the shutdown passed before the span was exported. Give it longer.
    ShutdownDeadline,
    /// The process is the child of a fork, and the queue cannot make an exporter for it, see
    /// [`ExportQueueBuilder::with_exporter_after_fork`](crate::export_queue::ExportQueueBuilder::with_exporter_after_fork).
    Forked,
}

impl ExportLoss {
    /// All reasons, in the order of their declaration.
    pub const ALL: [Self; 8] = [
        Self::QueueFull,
        Self::Failed,
        Self::TimedOut,
        Self::Rejected,
        Self::Panic,
        Self::AfterShutdown,
        Self::ShutdownDeadline,
        Self::Forked,
    ];

    /// The name under which the reason appears in logs and reports, such as `queue_full`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::Failed => "export_failed",
            Self::TimedOut => "export_timed_out",
            Self::Rejected => "rejected",
            Self::Panic => "panic",
            Self::AfterShutdown => "after_shutdown",
            Self::ShutdownDeadline => "shutdown_deadline",
            Self::Forked => "forked",
        }
    }

    pub(super) fn index(self) -> usize {
        match self {
            Self::QueueFull => 0,
            Self::Failed => 1,
            Self::TimedOut => 2,
            Self::Rejected => 3,
            Self::Panic => 4,
            Self::AfterShutdown => 5,
            Self::ShutdownDeadline => 6,
            Self::Forked => 7,
        }
    }
}

impl fmt::Display for ExportLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What has become of the spans of an [`ExportQueue`](crate::ExportQueue).
///
/// `accepted = exported + dropped() + queued`, at any time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportStats {
    /// Spans that met the filter, those included that were refused at once.
    pub accepted: u64,
    /// Spans that the exporter took, and the receiver did not reject.
    pub exported: u64,
    /// Those of `exported` for which the head of the receiver's answer is the only proof: the rest
    /// was cut off, late or not understood.
    pub unconfirmed: u64,
    /// Spans that wait or are in flight.
    pub queued: u64,
    /// The estimated memory of the spans that wait or are in flight, in bytes.
    pub queued_bytes: u64,
    /// What was cut of spans that are beyond the [`SpanLimits`](crate::SpanLimits).
    pub cuts: SpanCuts,
    /// In the order of [`ExportLoss::ALL`].
    dropped: [u64; LOSSES],
}

impl ExportStats {
    /// How many spans were dropped for this reason.
    #[must_use]
    pub fn dropped_for(&self, loss: ExportLoss) -> u64 {
        self.dropped.get(loss.index()).copied().unwrap_or(0)
    }

    /// How many spans were dropped.
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
