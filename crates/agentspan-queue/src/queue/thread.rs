//! The methods for the thread of a queue, which takes items and reports their outcome.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::line::Slot;
use super::{DropPolicy, Finished, Phase, Queue, QueuePace, Queued, State, wait};
use crate::sync::MutexGuard;

/// The next step of the thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the thread of a queue has to do each of them"
)]
pub enum Work {
    /// Deal with the items that were taken, and say so to [`Queue::finish`].
    Items(Taken),
    /// Everything that was queued before a flush was dealt with. Call [`Queue::answer`].
    Flush(FlushCalls),
    /// Nothing is left, and the thread is to end. That of a [closed](Queue::close) queue calls
    /// [`Queue::thread_has_ended`] last.
    End,
}

/// When items were taken: before or after others were given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    pub(super) generation: u64,
}

/// Calls to flush that are to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlushCalls(u64);

/// The items that the thread has taken from the line and not begun with.
pub(super) struct Backlog<T> {
    pub(super) slots: VecDeque<Slot<T>>,
    pub(super) items: usize,
    /// When the items were taken.
    generation: u64,
}

impl<T> Backlog<T> {
    pub(super) const fn new() -> Self {
        Self {
            slots: VecDeque::new(),
            items: 0,
            generation: 0,
        }
    }
}

/// So many items of a generation, of which the lower half is enough to tell it from the next ones.
pub(super) fn in_hand(generation: u64, items: u64) -> u64 {
    generation << 32 | items.min(u64::from(u32::MAX))
}

/// A buffer that is larger than this, after a rush, is given back.
const KEPT_BYTES: usize = 1 << 20;

impl<T: Queued, const LOSSES: usize> Queue<T, LOSSES> {
    /// Waits for something to do. Gives at most `max_items` items to `sink`.
    pub fn next(&self, max_items: usize, mut sink: impl FnMut(T)) -> Work {
        loop {
            if let Some(work) = self.next_of_backlog(max_items, &mut sink) {
                return work;
            }
            let Some(mut state) = self.wait_for_work() else {
                return Work::End;
            };
            if !state.late.is_empty() {
                let late = std::mem::take(&mut state.late);
                // They were given up, and count for nothing.
                let generation = state.generation.wrapping_sub(1);
                drop(state);
                late.into_iter().for_each(sink);
                return Work::Items(Taken { generation });
            }
            self.refill_backlog(state, max_items);
        }
    }

    /// The first items up to the next flush, or that flush.
    fn next_of_backlog(&self, max_items: usize, sink: &mut impl FnMut(T)) -> Option<Work> {
        let mut backlog = self.lock_backlog();
        let taken = Taken {
            generation: backlog.generation,
        };
        let mut items = 0;
        while items < max_items {
            match backlog.slots.pop_front() {
                Some(Slot::Item(item)) => {
                    items += 1;
                    sink(item);
                }
                Some(Slot::Gone) => {}
                Some(Slot::Mark(call)) if items == 0 => {
                    return Some(Work::Flush(FlushCalls(call)));
                }
                Some(mark @ Slot::Mark(_)) => {
                    backlog.slots.push_front(mark);
                    break;
                }
                None => break,
            }
        }
        backlog.items -= items;
        if backlog.slots.is_empty() {
            backlog.slots.shrink_to(KEPT_BYTES / size_of::<Slot<T>>());
        }
        (items > 0).then_some(Work::Items(taken))
    }

    /// Takes what waits: all of it, by swapping, if that is more than the thread deals with at once. What
    /// may still be dropped for newer items stays in the line.
    fn refill_backlog(&self, mut state: MutexGuard<'_, State<T, LOSSES>>, max_items: usize) {
        let mut backlog = self.lock_backlog();
        let backlog = &mut *backlog;
        let line = &mut state.admission.line;
        let is_newest = self.settings.drop_policy == DropPolicy::Newest;
        if is_newest && line.items() >= max_items.saturating_mul(2) {
            backlog.items = line.items();
            let empty = std::mem::take(&mut backlog.slots);
            backlog.slots = line.take_all(empty);
        } else {
            backlog.items += line.take_some(max_items, &mut backlog.slots);
        }
        backlog.generation = state.generation;
    }

    /// Waits until there is something to take. `None` if the thread is to end.
    fn wait_for_work(&self) -> Option<MutexGuard<'_, State<T, LOSSES>>> {
        let mut state = self.lock();
        state.is_left_behind = false;
        let (mut naps, mut is_eager) = match self.settings.pace {
            QueuePace::Batches => (0, false),
            QueuePace::Eager { naps } => (naps, true),
        };
        let gather = || Instant::now().checked_add(self.settings.gather_time);
        let mut deadline = None;
        loop {
            let line = &state.admission.line;
            let is_called = state.flush_calls > state.flush_calls_done
                || state.phase != Phase::Open
                || state.admission.holds_many_bytes();
            if !state.late.is_empty()
                || line.items() >= self.settings.gather_items
                || ((is_called || is_eager) && !line.is_empty())
            {
                break;
            }
            is_eager = false;
            if line.is_empty() {
                match state.phase {
                    Phase::Open => {}
                    Phase::Ending => {
                        state.is_running = false;
                        state.thread_id = None;
                        self.progress.notify_all();
                        return None;
                    }
                    Phase::Closed(_) => return None,
                }
                if naps == 0 {
                    state.wake_at = 1;
                    match wait(&self.work, state, None) {
                        Ok(woken) | Err(woken) => state = woken,
                    }
                    deadline = None;
                    continue;
                }
            }
            // A time that ends after all time has no deadline.
            let until = *deadline.get_or_insert_with(gather);
            state.wake_at = self.settings.gather_items.max(1);
            match wait(&self.work, state, until) {
                Ok(woken) => state = woken,
                Err(late) if late.admission.line.is_empty() => {
                    state = late;
                    naps = naps.saturating_sub(1);
                    deadline = None;
                }
                Err(late) => {
                    state = late;
                    break;
                }
            }
        }
        state.wake_at = usize::MAX;
        Some(state)
    }

    /// Counts what became of items that were taken, unless they were given up meanwhile. Returns whether it
    /// did.
    pub fn finish(&self, taken: Taken, finished: Finished<LOSSES>) -> bool {
        let mut state = self.lock();
        // Relaxed: written by the thread only, and read under this lock.
        self.in_hand
            .store(in_hand(taken.generation, 0), Ordering::Relaxed);
        if state.generation != taken.generation {
            return false;
        }
        state.admission.counts.finish(finished);
        true
    }

    /// For items that the thread has held on to over several calls of [`next`](Self::next), as long as
    /// nothing was given up.
    #[must_use]
    pub fn latest(&self) -> Taken {
        Taken {
            generation: self.lock_backlog().generation,
        }
    }

    /// Notes how many of the items that were taken have been dealt with since the last call of
    /// [`finish`](Self::finish), which counts them. If the items are given up before it does, those are not
    /// lost.
    #[inline]
    pub fn note(&self, taken: Taken, items: u64) {
        // Relaxed: the number stands for itself.
        let noted = in_hand(taken.generation, items);
        self.in_hand.store(noted, Ordering::Relaxed);
    }

    /// Whether what was taken has been given up meanwhile.
    #[inline]
    #[must_use]
    pub fn is_given_up(&self, taken: Taken) -> bool {
        // Relaxed: to begin with an item too late does no harm.
        self.generation.load(Ordering::Relaxed) != taken.generation
    }

    /// Answers calls to flush.
    pub fn answer(&self, calls: FlushCalls) {
        let mut state = self.lock();
        state.flush_calls_done = state.flush_calls_done.max(calls.0);
        self.tell_progress(state);
    }

    /// The thread of a closed queue has done everything, and returns.
    pub fn thread_has_ended(&self) {
        let mut state = self.lock();
        state.is_running = false;
        state.thread_id = None;
        state.flush_calls_done = state.flush_calls;
        self.tell_progress(state);
    }
}
