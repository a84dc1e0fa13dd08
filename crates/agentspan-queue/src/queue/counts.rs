//! The counts of a queue.

use super::Loss;

/// Counts of the items of a queue. `accepted = done + lost + queued`, at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts<const LOSSES: usize> {
    /// Items that were passed to the queue, including items that it dropped at once.
    pub accepted: u64,
    /// Items that the thread handled, and did not report as lost.
    pub done: u64,
    /// Lost items by the [index](Loss::index) of their reason.
    pub lost: [u64; LOSSES],
    /// Items that are queued or in flight.
    pub queued: u64,
    /// The estimated memory of the items that are queued or in flight, in bytes.
    pub queued_bytes: u64,
}

impl<const LOSSES: usize> Default for Counts<LOSSES> {
    fn default() -> Self {
        Self {
            accepted: 0,
            done: 0,
            lost: [0; LOSSES],
            queued: 0,
            queued_bytes: 0,
        }
    }
}

impl<const LOSSES: usize> Counts<LOSSES> {
    /// The number of items that were lost for this reason.
    #[must_use]
    pub fn lost_for(&self, loss: impl Loss) -> u64 {
        self.lost.get(loss.index()).copied().unwrap_or(0)
    }

    /// Counts items as lost, and says whether they are the first ones for this reason.
    pub(super) fn lose(&mut self, loss: impl Loss, items: u64) -> bool {
        let Some(count) = self.lost.get_mut(loss.index()) else {
            return false;
        };
        let is_first = *count == 0;
        *count += items;
        is_first
    }

    /// Counts what became of items that were in flight.
    pub(super) fn finish(&mut self, finished: Finished<LOSSES>) {
        self.leave(finished.items, finished.bytes);
        let lost: u64 = finished.lost.iter().sum();
        self.done += finished.items.saturating_sub(lost);
        for (count, lost) in self.lost.iter_mut().zip(finished.lost) {
            *count += lost;
        }
    }

    /// Counts items that were dealt with, and whose bytes are still held.
    pub(super) fn finish_some(&mut self, items: u64) {
        let items = items.min(self.queued);
        self.done += items;
        self.leave(items, 0);
    }

    /// Items no longer wait and are not in flight.
    pub(super) fn leave(&mut self, items: u64, bytes: u64) {
        self.queued = self.queued.saturating_sub(items);
        self.queued_bytes = self.queued_bytes.saturating_sub(bytes);
    }
}

/// Why an item was refused, and whether it is the first one for this reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused<L> {
    /// The reason.
    pub loss: L,
    /// Whether the queue has lost no item for this reason before. Decided under the lock, so that
    /// this is said once.
    pub is_first: bool,
}

/// The result of [`Queue::put`](super::Queue::put).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "the queue may need a thread"]
pub struct Put<L> {
    /// Why the item was refused, if it was.
    pub refused: Option<Refused<L>>,
    /// The queue has no thread: see [`Queue::start_thread`](super::Queue::start_thread).
    pub needs_thread: bool,
}

/// The result of the items that the thread took.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Finished<const LOSSES: usize> {
    /// How many items are no longer in flight.
    pub items: u64,
    /// The bytes that they held, as estimated.
    pub bytes: u64,
    lost: [u64; LOSSES],
}

impl<const LOSSES: usize> Default for Finished<LOSSES> {
    fn default() -> Self {
        Self {
            items: 0,
            bytes: 0,
            lost: [0; LOSSES],
        }
    }
}

impl<const LOSSES: usize> Finished<LOSSES> {
    /// Some of the items are lost for this reason.
    pub fn lose(&mut self, loss: impl Loss, items: u64) {
        if let Some(lost) = self.lost.get_mut(loss.index()) {
            *lost += items;
        }
    }
}
