//! The items of a queue, and the reasons of losses.

use std::fmt;
use std::hash::Hash;

/// An item of a queue.
pub trait Queued: Send {
    /// Tells groups of items apart, for as long as an item of the group is kept.
    type Group: Copy + Eq + Hash + Send;
    /// Why items are lost.
    type Loss: Loss;

    /// How the item relates to others.
    fn part(&self) -> Part<Self::Group>;

    /// The memory that is freed with the item, in bytes, as estimated. Always the same for one item.
    fn bytes(&self) -> u64;
}

/// How an item relates to other items of its queue.
///
/// Groups are shown whole: if the queue drops the first item of a group, it drops the whole group. If
/// the thread has taken the first, the last follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the queue treats each part in its own way"
)]
pub enum Part<G> {
    /// The item stands alone, and is dropped when the queue is full.
    Single,
    /// A notice to the thread. It is never dropped for want of room.
    Notice,
    /// The first item of a group. It takes a place for the last one, too.
    First(G),
    /// An item between the first and the last of its group. It is dropped when there is no place for it.
    Inner(G),
    /// The last item of a group. Its place is kept.
    Last(G),
}

/// A reason for which items are lost.
pub trait Loss: Copy + Eq + fmt::Debug + Send {
    /// The queue is full.
    const QUEUE_FULL: Self;

    /// The place of the reason in counts. It is less than the number of counts of the queue.
    fn index(self) -> usize;
}
