//! Decides which items a queue accepts, and which it drops.

use std::collections::{HashMap, VecDeque};

use super::line::{Line, Slot};
use super::{Counts, DropPolicy, Loss, Part, Queued, Refused, Settings};

/// The items that wait, with the bounds that they keep and the counts of all.
pub(super) struct Admission<T: Queued, const LOSSES: usize> {
    settings: Settings,
    pub(super) line: Line<T>,
    pub(super) counts: Counts<LOSSES>,
    /// Groups whose first item was taken in and whose last has not come: each has a place.
    open: usize,
    /// Groups whose first item was dropped: everything of them is. They live until their last item.
    refused: HashMap<T::Group, T::Loss>,
}

impl<T: Queued, const LOSSES: usize> Admission<T, LOSSES> {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            line: Line::new(),
            counts: Counts::default(),
            open: 0,
            refused: HashMap::new(),
        }
    }

    /// Whether enough bytes wait or are in flight for the thread to begin.
    #[inline]
    pub(super) fn holds_many_bytes(&self) -> bool {
        self.counts.queued_bytes >= self.settings.max_bytes / 4
    }

    /// Queues an item if nothing has to be dropped for it. It decides as [`put`](Self::put) does, but knows
    /// the usual case only.
    #[inline]
    pub(super) fn put_where_room_is(&mut self, item: T) -> Result<(), T> {
        if !self.refused.is_empty() {
            return Err(item);
        }
        match item.part() {
            Part::Notice => {}
            Part::Single if self.has_places(1) && self.has_bytes(item.bytes()) => {}
            Part::First(_) if self.has_places(2) => self.open += 1,
            Part::Inner(_) if self.has_places(1) => {}
            Part::Last(_) if self.has_bytes(item.bytes()) => {
                self.open = self.open.saturating_sub(1);
            }
            Part::Single | Part::First(_) | Part::Inner(_) | Part::Last(_) => return Err(item),
        }
        self.push(item);
        Ok(())
    }

    /// Queues an item, perhaps after others were dropped, or refuses it.
    pub(super) fn put(&mut self, item: T, dropped: &mut Vec<T>) -> Option<Refused<T::Loss>> {
        match self.make_room(&item, dropped) {
            Ok(()) => {
                self.push(item);
                None
            }
            Err(loss) => {
                dropped.push(item);
                Some(self.refuse(loss))
            }
        }
    }

    /// Counts an item that is not queued.
    pub(super) fn refuse(&mut self, loss: T::Loss) -> Refused<T::Loss> {
        self.counts.accepted += 1;
        let is_first = self.counts.lose(loss, 1);
        Refused { loss, is_first }
    }

    /// Counts everything that waits and is in flight as lost, `taken` being the part of it that the thread
    /// has not begun with. Returns what waited, and the notices among it.
    pub(super) fn give_up(&mut self, taken: VecDeque<Slot<T>>, loss: T::Loss) -> (Vec<T>, Vec<T>) {
        let waiting = self.line.take_all(VecDeque::new());
        self.counts.lose(loss, self.counts.queued);
        self.counts
            .leave(self.counts.queued, self.counts.queued_bytes);
        let (mut lost, mut notices) = (Vec::new(), Vec::new());
        let mut refused = HashMap::new();
        for slot in taken.into_iter().chain(waiting) {
            let Slot::Item(item) = slot else { continue };
            match item.part() {
                Part::First(group) => drop(refused.insert(group, loss)),
                Part::Last(group) => drop(refused.remove(&group)),
                Part::Notice => {
                    notices.push(item);
                    continue;
                }
                Part::Single | Part::Inner(_) => {}
            }
            lost.push(item);
        }
        self.open = self.open.saturating_sub(refused.len());
        self.refused.extend(refused);
        (lost, notices)
    }

    fn make_room(&mut self, item: &T, dropped: &mut Vec<T>) -> Result<(), T::Loss> {
        let (places, bytes) = match item.part() {
            Part::Notice => return Ok(()),
            Part::Single => (1, item.bytes()),
            Part::First(group) => {
                // The group that is refused by this name is one of long ago.
                self.refused.remove(&group);
                (2, 0)
            }
            Part::Inner(group) => {
                self.refused.get(&group).map_or(Ok(()), |loss| Err(*loss))?;
                (1, 0)
            }
            Part::Last(group) => {
                self.refused.remove(&group).map_or(Ok(()), Err)?;
                (0, item.bytes())
            }
        };
        while !self.has_places(places) || !self.has_bytes(bytes) {
            let is_oldest = self.settings.drop_policy == DropPolicy::Oldest;
            if !(is_oldest && self.drop_oldest(dropped)) {
                self.do_without_room(item, dropped)?;
                break;
            }
        }
        match item.part() {
            Part::First(_) => self.open += 1,
            // The group may be the one that was just dropped.
            Part::Inner(group) => self.refused.get(&group).map_or(Ok(()), |loss| Err(*loss))?,
            Part::Last(group) => {
                self.refused.remove(&group).map_or(Ok(()), Err)?;
                self.open = self.open.saturating_sub(1);
            }
            Part::Single | Part::Notice => {}
        }
        Ok(())
    }

    /// Nothing else may be dropped: an item goes with its group, except for the end of one that the
    /// thread knows, which is taken in.
    fn do_without_room(&mut self, item: &T, dropped: &mut Vec<T>) -> Result<(), T::Loss> {
        let full = T::Loss::QUEUE_FULL;
        match item.part() {
            Part::Single | Part::Inner(_) => Err(full),
            Part::First(group) => {
                self.refused.insert(group, full);
                Err(full)
            }
            Part::Last(group) => {
                let before = dropped.len();
                if let Some(has_last) = self.line.drop_group(group, dropped) {
                    self.has_dropped(Some((group, has_last)), dropped, before);
                }
                Ok(())
            }
            Part::Notice => Ok(()),
        }
    }

    fn drop_oldest(&mut self, dropped: &mut Vec<T>) -> bool {
        let before = dropped.len();
        let Some(group) = self.line.drop_oldest(dropped) else {
            return false;
        };
        self.has_dropped(group, dropped, before);
        true
    }

    fn has_dropped(&mut self, group: Option<(T::Group, bool)>, dropped: &[T], before: usize) {
        for item in dropped.iter().skip(before) {
            self.counts.leave(1, item.bytes());
            self.counts.lose(T::Loss::QUEUE_FULL, 1);
        }
        if let Some((group, has_last)) = group {
            if !has_last {
                self.open = self.open.saturating_sub(1);
                self.refused.insert(group, T::Loss::QUEUE_FULL);
            }
        }
    }

    #[inline]
    fn push(&mut self, item: T) {
        self.counts.accepted += 1;
        self.counts.queued += 1;
        self.counts.queued_bytes += item.bytes();
        self.line.push(item);
    }

    #[inline]
    fn has_places(&self, more: u64) -> bool {
        let used = self.counts.queued + self.open as u64;
        more == 0 || used + more <= self.settings.max_items as u64
    }

    #[inline]
    fn has_bytes(&self, more: u64) -> bool {
        let used = self.counts.queued_bytes;
        more == 0 || used == 0 || used.saturating_add(more) <= self.settings.max_bytes
    }
}
