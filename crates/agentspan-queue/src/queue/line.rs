//! The items that wait, in order, and which of them may be dropped.

use std::collections::{HashMap, VecDeque};

use super::{Part, Queued};

/// A place in the line.
pub(super) enum Slot<T> {
    Item(T),
    /// A flush: everything before it was queued before the call. The number is that of the call.
    Mark(u64),
    /// The item was dropped.
    Gone,
}

/// Positions count on from the start of the line and stay with their slots until it is compacted.
type Position = usize;

/// The items that wait.
///
/// To drop an item that is not the first leaves an empty slot. What the line has to know of groups in
/// order to drop one, it finds out when it has to drop for the first time after it was taken whole: so
/// a queue that is never full pays nothing for it.
pub(super) struct Line<T: Queued> {
    slots: VecDeque<Slot<T>>,
    items: usize,
    /// The position of the first slot.
    start: Position,
    /// Nothing before this position may be dropped.
    oldest: Position,
    index: Option<Index<T::Group>>,
}

/// Where the items of each group are that may be dropped.
struct Index<G> {
    /// The groups whose first items wait, so that they may be dropped, with the positions of their last
    /// items so far.
    groups: HashMap<G, Position>,
    /// For each slot, the position of the item before it of the same group.
    before: VecDeque<Option<Position>>,
}

/// Empty slots that are not worth a compaction.
const SPARSE: usize = 64;

impl<T: Queued> Line<T> {
    pub(super) fn new() -> Self {
        Self {
            slots: VecDeque::new(),
            items: 0,
            start: 0,
            oldest: 0,
            index: None,
        }
    }

    /// Whether nothing waits, and no flush does.
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// How many items wait.
    #[inline]
    pub(super) fn items(&self) -> usize {
        self.items
    }

    /// How many places are in use, empty ones included.
    #[cfg(all(test, not(any(loom, shuttle))))]
    pub(super) fn slots(&self) -> usize {
        self.slots.len()
    }

    #[inline]
    pub(super) fn push(&mut self, item: T) {
        if let Some(index) = &mut self.index {
            index.add(self.start + self.slots.len(), item.part());
        }
        self.slots.push_back(Slot::Item(item));
        self.items += 1;
    }

    /// Marks the end of the line. One mark stands for all calls between two items.
    pub(super) fn mark(&mut self, call: u64) {
        if let Some(Slot::Mark(last)) = self.slots.back_mut() {
            *last = call;
            return;
        }
        if let Some(index) = &mut self.index {
            index.add_other();
        }
        self.slots.push_back(Slot::Mark(call));
    }

    /// Gives away all slots. `empty` takes their place.
    pub(super) fn take_all(&mut self, empty: VecDeque<Slot<T>>) -> VecDeque<Slot<T>> {
        self.start += self.slots.len();
        self.oldest = self.start;
        self.index = None;
        self.items = 0;
        std::mem::replace(&mut self.slots, empty)
    }

    /// Moves slots with at most `max` items. Returns how many items there were.
    pub(super) fn take_some(&mut self, max: usize, into: &mut VecDeque<Slot<T>>) -> usize {
        let mut taken = 0;
        while taken < max {
            let Some(slot) = self.slots.pop_front() else {
                break;
            };
            if let Some(index) = &mut self.index {
                index.take_first(&slot);
            }
            self.start += 1;
            match slot {
                Slot::Gone => continue,
                Slot::Item(_) => taken += 1,
                Slot::Mark(_) => {}
            }
            into.push_back(slot);
        }
        self.items -= taken;
        self.oldest = self.oldest.max(self.start);
        if self.slots.is_empty() {
            self.index = None;
        }
        taken
    }

    /// Drops a group whose first item waits, with all that waits of it. Returns whether its last item did;
    /// `None` if there is no such group.
    pub(super) fn drop_group(&mut self, group: T::Group, dropped: &mut Vec<T>) -> Option<bool> {
        let mut position = Some(self.index().groups.remove(&group)?);
        let mut has_last = false;
        while let Some(at) = position.and_then(|position| position.checked_sub(self.start)) {
            let index = self.index.as_ref();
            position = index.and_then(|index| *index.before.get(at)?);
            if let Some(item) = self.slots.get_mut(at).and_then(Slot::take) {
                has_last |= matches!(item.part(), Part::Last(_));
                self.items -= 1;
                dropped.push(item);
            }
        }
        self.compact();
        Some(has_last)
    }

    /// Drops the oldest item that stands alone or is of a group that the thread knows, or the oldest group whose first
    /// item waits. Says which group, and whether its last item waited. `None` if nothing may be dropped.
    pub(super) fn drop_oldest(&mut self, dropped: &mut Vec<T>) -> Option<Option<(T::Group, bool)>> {
        loop {
            let slot = self.slots.get_mut(self.oldest.checked_sub(self.start)?)?;
            self.oldest += 1;
            let Slot::Item(item) = slot else {
                continue;
            };
            match item.part() {
                Part::Notice | Part::Last(_) => {}
                Part::First(group) => {
                    let has_last = self.drop_group(group, dropped)?;
                    return Some(Some((group, has_last)));
                }
                Part::Single | Part::Inner(_) => {
                    dropped.extend(slot.take());
                    self.items -= 1;
                    self.compact();
                    return Some(None);
                }
            }
        }
    }

    fn index(&mut self) -> &mut Index<T::Group> {
        let Self {
            slots,
            start,
            index,
            ..
        } = self;
        index.get_or_insert_with(|| Index::of(slots, *start))
    }

    /// Removes empty slots when most are, and marks that nothing separates any more.
    fn compact(&mut self) {
        if self.slots.len() <= 2 * self.items + SPARSE {
            return;
        }
        let mut kept: VecDeque<Slot<T>> = VecDeque::with_capacity(self.items + 1);
        for slot in self.slots.drain(..) {
            match (slot, kept.back_mut()) {
                (Slot::Gone, _) => {}
                (Slot::Mark(call), Some(Slot::Mark(last))) => *last = call,
                (slot, _) => kept.push_back(slot),
            }
        }
        self.slots = kept;
        self.oldest = self.start;
        self.index = None;
    }
}

impl<T> Slot<T> {
    fn take(&mut self) -> Option<T> {
        match std::mem::replace(self, Self::Gone) {
            Self::Item(item) => Some(item),
            other => {
                *self = other;
                None
            }
        }
    }
}

impl<G: Copy + Eq + std::hash::Hash> Index<G> {
    fn of<T: Queued<Group = G>>(slots: &VecDeque<Slot<T>>, start: Position) -> Self {
        let mut index = Self {
            groups: HashMap::new(),
            before: VecDeque::with_capacity(slots.len()),
        };
        for (position, slot) in (start..).zip(slots) {
            match slot {
                Slot::Item(item) => index.add(position, item.part()),
                Slot::Mark(_) | Slot::Gone => index.add_other(),
            }
        }
        index
    }

    /// An item comes last.
    fn add(&mut self, position: Position, part: Part<G>) {
        let before = match part {
            Part::First(group) => {
                self.groups.insert(group, position);
                None
            }
            Part::Inner(group) | Part::Last(group) => {
                let last = self.groups.get_mut(&group);
                last.map(|last| std::mem::replace(last, position))
            }
            Part::Single | Part::Notice => None,
        };
        self.before.push_back(before);
    }

    /// A slot comes last that holds no item.
    fn add_other(&mut self) {
        self.before.push_back(None);
    }

    /// The thread takes the first slot.
    fn take_first<T: Queued<Group = G>>(&mut self, slot: &Slot<T>) {
        self.before.pop_front();
        let Slot::Item(item) = slot else { return };
        if let Part::First(group) = item.part() {
            self.groups.remove(&group);
        }
    }
}
