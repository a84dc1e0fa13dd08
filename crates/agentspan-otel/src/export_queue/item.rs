//! A queued span.

use agentspan_queue::queue::{Part, Queued};
use agentspan_record::{DropReason, FinishedSpan};

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
    type Loss = DropReason;

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
pub(super) const LOSSES: usize = DropReason::ALL.len();
