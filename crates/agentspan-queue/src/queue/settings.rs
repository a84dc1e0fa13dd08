//! The limits of a queue, and the schedule of its thread.

use std::time::Duration;

/// The items that a full queue drops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropPolicy {
    /// New items: spans that start, with everything that follows of them, and events.
    #[default]
    Newest,
    /// The items that have waited longest: the oldest event, or the oldest span whose start waits, with
    /// everything that waits of it.
    Oldest,
}

/// The limits of a queue, and the schedule of its thread.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "only the queues of this workspace make one, and each has to decide everything"
)]
pub struct Settings {
    /// How many items may be queued or in flight.
    pub max_items: usize,
    /// How many bytes the items that are queued or in flight may hold. A larger item is accepted if
    /// no other item holds bytes.
    pub max_bytes: u64,
    /// The items to drop when the queue is full.
    pub drop_policy: DropPolicy,
    /// The thread lets items gather until this many wait, or bytes for a quarter of the bound.
    pub gather_items: usize,
    /// For how long the thread lets items gather, at most.
    pub gather_time: Duration,
    /// When the thread lets items gather.
    pub pace: QueuePace,
}

/// When the thread of a queue lets items gather.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "as for the settings")]
pub enum QueuePace {
    /// Before each time that it takes items: they are dealt with in batches.
    Batches,
    /// Only after it has found nothing: what has come while it was busy, it takes at once.
    Eager {
        /// How many times the thread looks by itself for new items before it sleeps until a producer wakes
        /// it. To wake the thread is what costs producers most.
        naps: u32,
    },
}
