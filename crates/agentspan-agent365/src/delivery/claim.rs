//! Spans that somebody has to account for.

use std::sync::Arc;

use agentspan_record::DropReason;

use super::lanes::Size;
use super::ledger::Ledger;

/// A number of spans that are counted as queued, with their memory. Whoever drops it without saying
/// what became of them has lost them, and they are counted so: nothing leaves the count by a panic
/// or a cancelled task.
#[derive(Debug)]
pub(super) struct Claim {
    ledger: Arc<Ledger>,
    spans: usize,
    bytes: u64,
}

impl Claim {
    /// Takes over `spans` of `bytes` that were admitted to the queue.
    pub(super) fn new(ledger: Arc<Ledger>, spans: usize, bytes: u64) -> Self {
        Self {
            ledger,
            spans,
            bytes,
        }
    }

    /// Takes `spans` out of this claim, which goes on to hold their memory.
    pub(super) fn split(&mut self, spans: usize) -> Self {
        self.split_with(spans, 0)
    }

    /// Takes `spans` of `bytes` out of this claim.
    pub(super) fn split_with(&mut self, spans: usize, bytes: u64) -> Self {
        let (spans, bytes) = (spans.min(self.spans), bytes.min(self.bytes));
        self.spans -= spans;
        self.bytes -= bytes;
        Self {
            ledger: Arc::clone(&self.ledger),
            spans,
            bytes,
        }
    }

    pub(super) fn spans(&self) -> usize {
        self.spans
    }

    /// How much is held.
    pub(super) fn size(&self) -> Size {
        Size {
            spans: self.spans as u64,
            bytes: self.bytes,
        }
    }

    /// Why its spans are lost, if nobody says.
    pub(super) fn reason_of_loss(&self) -> DropReason {
        self.ledger.reason_of_loss()
    }

    /// The spans take this much memory from now on.
    pub(super) fn weigh(&mut self, bytes: u64) {
        let before = std::mem::replace(&mut self.bytes, bytes);
        self.ledger.counters.resize_queued(before, bytes);
    }

    /// The memory of spans that are settled is free.
    pub(super) fn release(&mut self, bytes: u64) {
        drop(self.split_with(0, bytes));
    }

    /// The service took the spans, of which it did not say what became of `unconfirmed`.
    pub(super) fn exported(mut self, unconfirmed: usize, body_bytes: usize) {
        let spans = std::mem::take(&mut self.spans) as u64;
        let counters = &self.ledger.counters;
        counters.exported(spans, unconfirmed as u64, body_bytes as u64);
    }

    /// The spans are given up.
    pub(super) fn dropped(mut self, reason: DropReason) {
        self.give_up(reason);
    }

    fn give_up(&mut self, reason: DropReason) {
        let spans = std::mem::take(&mut self.spans);
        if spans > 0 {
            self.ledger
                .counters
                .dropped_from_queue(reason, spans as u64);
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let reason = self.reason_of_loss();
        self.give_up(reason);
        self.ledger.counters.release_bytes(self.bytes);
    }
}
