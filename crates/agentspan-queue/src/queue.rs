//! A bounded queue with its thread, the base of all queues of `agentspan`.
//!
//! A [`Queue`] limits the items that are queued or in flight, by number and by bytes. It counts the
//! outcome of each item, drops the newest or the oldest items when it is full, keeps groups of
//! items whole, answers flushes, and ends within a deadline. Queues on top of it define the items
//! ([`Queued`]), the reasons of losses ([`Loss`]), and the work of their thread.
//!
//! Producers append under a short lock. The thread takes all queued items by swapping two buffers,
//! and is woken once for many items. `docs/adr/010-one-queue.md` says why.

mod admission;
mod counts;
mod item;
mod line;
mod settings;
mod thread;

use std::fmt;
use std::io;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::task::Waker;
use std::time::Instant;

use self::admission::Admission;
pub use self::counts::{Counts, Finished, Put, Refused};
pub use self::item::{Loss, Part, Queued};
pub use self::settings::{DropPolicy, QueuePace, Settings};
use self::thread::Backlog;
pub use self::thread::{FlushCalls, Taken, Work};
use crate::contain;
use crate::sync::{AtomicU64, Condvar, JoinHandle, Mutex, MutexGuard, ThreadId, thread as threads};
use crate::told::Told;

/// A call to flush that has [started](Queue::start_flush).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u64);

/// A bounded queue with a thread. See the [module](self).
///
/// It belongs to one process: the child of a fork [makes its own](crate::PerProcess).
pub struct Queue<T: Queued, const LOSSES: usize> {
    settings: Settings,
    state: Mutex<State<T, LOSSES>>,
    /// The items that the thread has taken from `state` by swapping, and not begun with. To hold
    /// both locks, take that of the state first.
    backlog: Mutex<Backlog<T>>,
    /// As in the state, for reading without its lock.
    generation: AtomicU64,
    /// How many of the items that were taken are dealt with and not counted yet, in the low half, and
    /// in the high one the generation in which they were taken.
    in_hand: AtomicU64,
    /// Items were put, or the thread is wanted for something else.
    work: Condvar,
    /// The thread has answered a flush or ended, or its items were given up.
    progress: Condvar,
    told: Told<LOSSES>,
}

/// Locked for moments only, and never while foreign code runs or an item is dropped.
struct State<T: Queued, const LOSSES: usize> {
    admission: Admission<T, LOSSES>,
    phase: Phase<T::Loss>,
    /// Goes up when everything that waits and is in flight is given up.
    generation: u64,
    /// Notices that waited when everything was given up. The thread gets them all the same.
    late: Vec<T>,
    flush_calls: u64,
    flush_calls_done: u64,
    /// How many calls wait for the end.
    end_waits: usize,
    wakers: Vec<Waker>,
    thread: Option<JoinHandle<()>>,
    thread_id: Option<ThreadId>,
    is_running: bool,
    /// The thread is busy with something that was given up, for nobody knows how long.
    is_left_behind: bool,
    /// The thread waits until this many slots are filled. `usize::MAX` while it does not wait.
    wake_at: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase<L> {
    Open,
    /// The thread ends when nothing is left. The next item opens the queue again.
    Ending,
    /// The thread ends when nothing is left. Items are refused for this reason.
    Closed(L),
}

impl<T: Queued, const LOSSES: usize> Queue<T, LOSSES> {
    /// An open queue without a thread.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            state: Mutex::new(State {
                admission: Admission::new(settings),
                phase: Phase::Open,
                generation: 0,
                late: Vec::new(),
                flush_calls: 0,
                flush_calls_done: 0,
                end_waits: 0,
                wakers: Vec::new(),
                thread: None,
                thread_id: None,
                is_running: false,
                is_left_behind: false,
                wake_at: usize::MAX,
            }),
            backlog: Mutex::new(Backlog::new()),
            generation: AtomicU64::new(0),
            in_hand: AtomicU64::new(0),
            work: Condvar::new(),
            progress: Condvar::new(),
            told: Told::default(),
        }
    }

    /// The settings that the queue was made with.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// Counts of the items so far.
    #[must_use]
    pub fn counts(&self) -> Counts<LOSSES> {
        let state = self.lock();
        let mut counts = state.admission.counts;
        counts.finish_some(self.noted(&state));
        counts
    }

    /// How many items of this generation the thread has [noted](Self::note).
    fn noted(&self, state: &State<T, LOSSES>) -> u64 {
        // Relaxed: the number stands for itself.
        let in_hand = self.in_hand.load(Ordering::Relaxed);
        match in_hand ^ thread::in_hand(state.generation, 0) {
            items if items <= u64::from(u32::MAX) => items,
            _ => 0,
        }
    }

    /// Queues an item, or drops it or other items, and counts the outcome. Does not wait.
    #[inline]
    pub fn put(&self, item: T) -> Put<T::Loss> {
        let mut state = self.lock();
        if state.phase != Phase::Open || !state.is_running {
            return self.put_with_care(state, item);
        }
        match state.admission.put_where_room_is(item) {
            Ok(()) => {
                self.wake_for_items(state);
                Put {
                    refused: None,
                    needs_thread: false,
                }
            }
            Err(item) => self.put_with_care(state, item),
        }
    }

    /// [`put`](Self::put) when something has to be dropped, or the thread to be started.
    #[cold]
    fn put_with_care(&self, mut state: MutexGuard<'_, State<T, LOSSES>>, item: T) -> Put<T::Loss> {
        let mut dropped = Vec::new();
        let refused = match state.phase {
            Phase::Closed(loss) => {
                dropped.push(item);
                Some(state.admission.refuse(loss))
            }
            Phase::Open | Phase::Ending => {
                if state.phase == Phase::Ending {
                    // The thread goes on, so whoever waits for its end need not.
                    state.phase = Phase::Open;
                    self.progress.notify_all();
                }
                state.admission.put(item, &mut dropped)
            }
        };
        let needs_thread = !state.is_running && !matches!(state.phase, Phase::Closed(_));
        self.wake_for_items(state);
        // Here, with no lock held: the memory may be much, and the drop foreign.
        drop(dropped);
        Put {
            refused,
            needs_thread,
        }
    }

    /// Counts an item that is not even queued.
    pub fn refuse(&self, loss: T::Loss) -> Refused<T::Loss> {
        self.lock().admission.refuse(loss)
    }

    #[inline]
    fn wake_for_items(&self, mut state: MutexGuard<'_, State<T, LOSSES>>) {
        // One comparison while the thread does not wait, or lets items gather.
        let is_enough = state.admission.line.items() >= state.wake_at
            || (state.wake_at != usize::MAX && state.admission.holds_many_bytes());
        if is_enough {
            state.wake_at = usize::MAX;
            drop(state);
            self.work.notify_one();
        }
    }

    fn wake(&self, state: &mut State<T, LOSSES>) {
        state.wake_at = usize::MAX;
        self.work.notify_one();
    }

    /// Starts the thread with `spawn`, unless it runs or the queue is closed. The thread calls
    /// [`next`](Self::next) until that says [`Work::End`].
    ///
    /// # Errors
    ///
    /// The errors of `spawn`. Items that wait go on waiting.
    pub fn start_thread(
        &self,
        spawn: impl FnOnce() -> io::Result<JoinHandle<()>>,
    ) -> io::Result<()> {
        let mut state = self.lock();
        if state.is_running || matches!(state.phase, Phase::Closed(_)) {
            return Ok(());
        }
        let thread = spawn()?;
        state.is_running = true;
        state.thread_id = Some(thread.thread().id());
        // The thread before this one has ended, or is just about to.
        drop(state.thread.replace(thread));
        Ok(())
    }

    /// Lets the thread end when nothing is left. The next item opens the queue again.
    pub fn end_when_empty(&self) {
        let mut state = self.lock();
        if state.phase == Phase::Open {
            state.phase = Phase::Ending;
        }
        self.wake(&mut state);
    }

    /// Refuses all further items for this reason, and lets the thread end when nothing is left. What waits
    /// in a queue without a thread is lost for the same reason.
    pub fn close(&self, loss: T::Loss) {
        let mut state = self.lock();
        if matches!(state.phase, Phase::Closed(_)) {
            return;
        }
        state.phase = Phase::Closed(loss);
        self.wake(&mut state);
        if !state.is_running {
            drop(self.give_up(state, loss));
        }
    }

    /// Starts a flush of all queued items.
    #[must_use]
    pub fn start_flush(&self) -> Ticket {
        let mut state = self.lock();
        state.flush_calls += 1;
        let is_idle =
            state.admission.counts.queued == 0 && (!state.is_running || state.is_left_behind);
        if !is_idle {
            let number = state.flush_calls;
            state.admission.line.mark(number);
            self.wake(&mut state);
        } else {
            state.flush_calls_done = state.flush_calls;
        }
        Ticket(state.flush_calls)
    }

    /// Waits for a flush. Returns whether it was answered before the deadline; without one, it waits for
    /// ever.
    pub fn wait_for_flush(&self, ticket: Ticket, deadline: Option<Instant>) -> bool {
        let mut state = self.lock();
        while state.flush_calls_done < ticket.0 {
            match wait(&self.progress, state, deadline) {
                Ok(woken) => state = woken,
                Err(_) => return false,
            }
        }
        true
    }

    /// Whether a flush was answered. If not, `waker` is woken when one is.
    pub fn is_flushed_or_wakes(&self, ticket: Ticket, waker: &Waker) -> bool {
        // A waker is foreign code: not under the lock.
        let waker = waker.clone();
        let mut state = self.lock();
        if state.flush_calls_done >= ticket.0 {
            return true;
        }
        if !state.wakers.iter().any(|other| other.will_wake(&waker)) {
            state.wakers.push(waker);
        }
        false
    }

    /// Whether this is the thread of the queue, which must not wait for itself.
    #[must_use]
    pub fn is_own_thread(&self) -> bool {
        self.lock().thread_id == Some(threads::current().id())
    }

    /// Says that somebody waits for the end of the thread, and will [give up](EndWait::give_up) what is
    /// left when the time is over, unless others have more time.
    pub fn start_end_wait(&self) -> EndWait<'_, T, LOSSES> {
        self.lock().end_waits += 1;
        EndWait(Some(self))
    }

    /// Returns what waited, to be dropped with no lock held.
    fn give_up(
        &self,
        mut state: MutexGuard<'_, State<T, LOSSES>>,
        loss: T::Loss,
    ) -> impl Sized + use<T, LOSSES> {
        let mut backlog = self.lock_backlog();
        let taken = std::mem::take(&mut backlog.slots);
        let begun = state.admission.counts.queued;
        let begun = begun > (state.admission.line.items() + backlog.items) as u64;
        backlog.items = 0;
        drop(backlog);
        // Items that the thread finishes from now on are lost all the same.
        let noted = self.noted(&state);
        state.admission.counts.finish_some(noted);
        let (waiting, mut late) = state.admission.give_up(taken, loss);
        if state.is_running {
            state.late.append(&mut late);
        }
        state.generation += 1;
        self.generation.store(state.generation, Ordering::SeqCst);
        state.is_left_behind = begun;
        state.flush_calls_done = state.flush_calls;
        self.wake(&mut state);
        self.tell_progress(state);
        (waiting, late)
    }

    /// Waits until the thread has ended, if it is to end and nothing keeps it.
    pub fn join(&self) {
        let mut state = self.lock();
        if state.thread_id == Some(threads::current().id()) {
            return;
        }
        while state.is_running
            && state.phase != Phase::Open
            && state.admission.counts.queued == 0
            && !state.is_left_behind
        {
            match wait(&self.progress, state, None) {
                Ok(woken) | Err(woken) => state = woken,
            }
        }
        self.take_ended_thread(state);
    }

    /// Waits until the thread of a [closed](Self::close) queue has ended, and returns whether it has. After the
    /// deadline, what is left is given up, unless another call waits longer.
    pub fn wait_for_end(&self, deadline: Option<Instant>, late: T::Loss) -> bool {
        let end_wait = self.start_end_wait();
        let mut state = self.lock();
        while state.is_running && !state.is_left_behind {
            match wait(&self.progress, state, deadline) {
                Ok(woken) => state = woken,
                Err(state) => {
                    drop(state);
                    if end_wait.give_up(late) {
                        self.lock().is_left_behind = true;
                    }
                    return false;
                }
            }
        }
        let has_ended = !state.is_left_behind;
        self.take_ended_thread(state);
        has_ended
    }

    fn take_ended_thread(&self, mut state: MutexGuard<'_, State<T, LOSSES>>) {
        let thread = match state.is_running {
            true => None,
            false => state.thread.take(),
        };
        drop(state);
        if let Some(thread) = thread {
            // It contains the panics of foreign code, so there is no panic to pass on.
            let _ = thread.join();
        }
    }

    /// The losses that a call which begins now need not tell.
    #[must_use]
    pub fn told_so_far(&self) -> [u64; LOSSES] {
        self.told.so_far()
    }

    /// The losses of which no call has told that began `before`. They count as told from now on.
    #[must_use]
    pub fn tell(&self, before: [u64; LOSSES]) -> [u64; LOSSES] {
        self.told.rest_of(self.counts().lost, before)
    }

    fn tell_progress(&self, mut state: MutexGuard<'_, State<T, LOSSES>>) {
        let wakers = std::mem::take(&mut state.wakers);
        self.progress.notify_all();
        drop(state);
        for waker in wakers {
            // The panic is counted, and the wakers of others go on.
            let _ = contain::call(|| waker.wake());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T, LOSSES>> {
        // Nothing under the lock panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_backlog(&self) -> MutexGuard<'_, Backlog<T>> {
        self.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call waits for the end of a thread, see [`Queue::start_end_wait`].
#[must_use = "the call waits as long as this lives"]
pub struct EndWait<'a, T: Queued, const LOSSES: usize>(Option<&'a Queue<T, LOSSES>>);

impl<T: Queued, const LOSSES: usize> EndWait<'_, T, LOSSES> {
    /// Gives up everything that waits and is in flight, and counts it as lost, if the thread is to end and
    /// no other call waits for that. Returns whether it did.
    ///
    /// The thread gets the [notices](Part::Notice) that wait all the same.
    pub fn give_up(mut self, loss: T::Loss) -> bool {
        let Some(queue) = self.0.take() else {
            return false;
        };
        let mut state = queue.lock();
        state.end_waits = state.end_waits.saturating_sub(1);
        if state.phase == Phase::Open || state.end_waits > 0 {
            return false;
        }
        drop(queue.give_up(state, loss));
        true
    }
}

impl<T: Queued, const LOSSES: usize> Drop for EndWait<'_, T, LOSSES> {
    fn drop(&mut self) {
        if let Some(queue) = self.0 {
            let mut state = queue.lock();
            state.end_waits = state.end_waits.saturating_sub(1);
        }
    }
}

impl<T: Queued, const LOSSES: usize> fmt::Debug for EndWait<'_, T, LOSSES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EndWait").field(&self.0).finish()
    }
}

impl<T: Queued, const LOSSES: usize> fmt::Debug for Queue<T, LOSSES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("settings", &self.settings)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

/// Waits until it is woken; an error is that the deadline has passed.
fn wait<'a, S>(
    condition: &Condvar,
    state: MutexGuard<'a, S>,
    deadline: Option<Instant>,
) -> Result<MutexGuard<'a, S>, MutexGuard<'a, S>> {
    let Some(deadline) = deadline else {
        let woken = condition.wait(state);
        return Ok(woken.unwrap_or_else(PoisonError::into_inner));
    };
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(state);
    }
    let woken = condition.wait_timeout(state, left);
    Ok(woken.unwrap_or_else(PoisonError::into_inner).0)
}

#[cfg(test)]
#[cfg(any(loom, shuttle))]
mod models;
#[cfg(test)]
#[cfg(not(any(loom, shuttle)))]
mod tests;
