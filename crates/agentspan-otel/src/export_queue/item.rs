//! A span that waits.

use agentspan_queue::queue::{Loss, Part, Queued};
use agentspan_record::FinishedSpan;

use super::stats::ExportLoss;

/// A finished span that waits, with its estimated memory.
pub(super) struct Item {
    pub(super) span: FinishedSpan,
    bytes: u64,
}

impl Item {
    pub(super) fn new(span: FinishedSpan, bytes: u64) -> Self {
        Self { span, bytes }
    }
}

impl Queued for Item {
    type Group = ();
    type Loss = ExportLoss;

    #[inline]
    fn part(&self) -> Part<()> {
        Part::Single
    }

    #[inline]
    fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// How many reasons there are.
pub(super) const LOSSES: usize = ExportLoss::ALL.len();

impl Loss for ExportLoss {
    const QUEUE_FULL: Self = Self::QueueFull;

    fn index(self) -> usize {
        self.index()
    }
}
