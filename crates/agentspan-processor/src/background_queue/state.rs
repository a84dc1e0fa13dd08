//! What the program and the thread of a queue share.

use std::collections::{HashSet, VecDeque};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread::{self, JoinHandle, ThreadId};
use std::time::{Duration, Instant};

use agentspan_queue::contain::{self, Foreign};

use super::{DropPolicy, FlushError, QueueStats, worker};
use crate::{Span, SpanKey, SpanProcessor};

/// How many hooks the thread takes at a time.
const BATCH: usize = 64;

/// How long the thread lets hooks gather after the first one has woken it, unless there are many: waking
/// it is what costs the program most.
const LINGER: Duration = Duration::from_millis(10);

/// How many times the thread looks after that long by itself before it sleeps until somebody wakes it: where there
/// was work, there is more to come.
const NAPS: u32 = 10;

/// A hook that waits.
#[derive(Debug)]
pub(super) enum Item {
    Startup,
    Start(Span),
    Event(Span, usize),
    End(Span),
    Shutdown,
}

impl Item {
    fn is_of(&self, key: SpanKey) -> bool {
        match self {
            Self::Start(span) | Self::Event(span, _) | Self::End(span) => span.key() == key,
            Self::Startup | Self::Shutdown => false,
        }
    }
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Handled {
    pub(super) handled: u64,
    pub(super) failed: u64,
    pub(super) dropped: u64,
}

pub(super) struct Shared {
    processor: Foreign<Arc<dyn SpanProcessor>>,
    capacity: usize,
    drop_policy: DropPolicy,
    state: Mutex<State>,
    /// The thread waits for it.
    work: Condvar,
    /// Those who flush wait for it.
    progress: Condvar,
}

/// Locked for moments only, and never while a hook runs or an item is dropped.
#[derive(Default)]
struct State {
    /// Numbered from one.
    items: VecDeque<(u64, Item)>,
    last_number: u64,
    /// The number of the first item that the thread has taken and not handled yet.
    first_taken: Option<u64>,
    taken: u64,
    /// Spans whose start was taken in and whose end has not come: each has a place.
    open_spans: usize,
    /// Spans whose start was dropped, by key: everything of them is. They live until their end.
    refused: HashSet<SpanKey>,
    handled: u64,
    dropped: u64,
    failed: u64,
    is_running: bool,
    /// The thread sleeps until somebody wakes it, and not only for a while.
    is_idle: bool,
    /// The thread is not to linger.
    is_urgent: bool,
    /// The thread ends when nothing is left.
    ends_when_empty: bool,
    thread: Option<JoinHandle<()>>,
    thread_id: Option<ThreadId>,
    wakers: Vec<Waker>,
}

impl Shared {
    pub(super) fn new(
        processor: Arc<dyn SpanProcessor>,
        capacity: usize,
        drop_policy: DropPolicy,
    ) -> Self {
        Self {
            processor: Foreign::new(processor),
            capacity,
            drop_policy,
            state: Mutex::default(),
            work: Condvar::new(),
            progress: Condvar::new(),
        }
    }

    /// That of a child of a fork, which starts with nothing.
    pub(super) fn of_child(parent: &Self) -> Self {
        Self {
            processor: parent.processor.clone(),
            capacity: parent.capacity,
            drop_policy: parent.drop_policy,
            state: Mutex::default(),
            work: Condvar::new(),
            progress: Condvar::new(),
        }
    }

    /// `None` only while this is dropped.
    pub(super) fn processor(&self) -> Option<&dyn SpanProcessor> {
        self.processor.get().map(|processor| &**processor)
    }

    pub(super) fn stats(&self) -> QueueStats {
        let state = self.lock();
        let queued = state.items.len() as u64 + state.taken;
        QueueStats {
            offered: state.handled + state.dropped + queued,
            handled: state.handled,
            dropped: state.dropped,
            queued,
            failed: state.failed,
        }
    }

    /// Queues an item, or drops one, and sees to it that the thread runs.
    pub(super) fn put(self: &Arc<Self>, item: Item) -> io::Result<()> {
        let mut state = self.lock();
        if !state.is_running || matches!(item, Item::Shutdown) {
            return self.put_with_care(state, item);
        }
        state.ends_when_empty = false;
        if !state.has_room(&item, self.capacity) {
            return self.put_with_care(state, item);
        }
        state.push(item);
        let is_full = state.items.len() >= self.capacity / 4;
        if state.is_idle || (is_full && !state.is_urgent) {
            state.is_idle = false;
            state.is_urgent |= is_full;
            self.work.notify_one();
        }
        Ok(())
    }

    /// [`put`](Self::put) when something has to be dropped, or the thread to be told of more than an item.
    #[cold]
    fn put_with_care(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State>,
        item: Item,
    ) -> io::Result<()> {
        let mut dropped = Vec::new();
        state.ends_when_empty = matches!(item, Item::Shutdown);
        let is_urgent = state.ends_when_empty;
        if state.make_room(&item, self.capacity, self.drop_policy, &mut dropped) {
            state.push(item);
        } else {
            dropped.push(item);
        }
        state.dropped += dropped.len() as u64;
        let started = self.ensure_thread(&mut state);
        let is_full = state.items.len() >= self.capacity / 4;
        if state.is_idle || ((is_urgent || is_full) && !state.is_urgent) {
            state.is_idle = false;
            state.is_urgent |= is_urgent || is_full;
            self.work.notify_one();
        }
        drop(state);
        // The last handle to a span may run the drop of a processor.
        drop(dropped);
        started
    }

    fn ensure_thread(self: &Arc<Self>, state: &mut State) -> io::Result<()> {
        if state.is_running {
            return Ok(());
        }
        let shared = Arc::clone(self);
        let thread = thread::Builder::new()
            .name("agentspan-queue".to_owned())
            .spawn(move || worker::run(&shared))?;
        state.is_running = true;
        state.thread_id = Some(thread.thread().id());
        // The thread before this one has ended, or is just about to.
        drop(state.thread.replace(thread));
        Ok(())
    }

    /// The thread ends when everything that waits is handled.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.ends_when_empty = true;
        state.is_idle = false;
        state.is_urgent = true;
        self.work.notify_one();
    }

    /// The number of the last item.
    pub(super) fn last_number(&self) -> u64 {
        self.lock().last_number
    }

    /// Waits until everything that is queued is handled.
    pub(super) fn flush(&self, deadline: Option<Instant>) -> Result<(), FlushError> {
        let mut state = self.lock();
        if state.thread_id == Some(thread::current().id()) {
            return Err(FlushError::OwnThread);
        }
        let number = state.last_number;
        while !state.is_done(number) {
            state.is_idle = false;
            state.is_urgent = true;
            self.work.notify_one();
            match self.wait(&self.progress, state, deadline) {
                Ok(woken) => state = woken,
                Err(state) => {
                    let queued = state.items.len() as u64 + state.taken;
                    return Err(FlushError::TimedOut { queued });
                }
            }
        }
        Ok(())
    }

    /// Whether everything up to a number is handled; if not, `waker` is woken when something is.
    pub(super) fn is_done_or_wakes(&self, number: u64, waker: &Waker) -> bool {
        // A waker is foreign code: not under the lock.
        let waker = waker.clone();
        let mut state = self.lock();
        let is_done = state.is_done(number);
        let is_known = state.wakers.iter().any(|other| other.will_wake(&waker));
        if !is_done && !is_known {
            state.wakers.push(waker);
            return false;
        }
        drop(state);
        is_done
    }

    /// Waits for the thread to be gone, if it is to end and nothing is left.
    pub(super) fn join(&self) {
        let mut state = self.lock();
        if state.thread_id == Some(thread::current().id()) {
            return;
        }
        while state.is_running && state.ends_when_empty && state.items.is_empty() {
            // Nothing keeps it: it ends in a moment.
            match self.wait(&self.progress, state, None) {
                Ok(woken) | Err(woken) => state = woken,
            }
        }
        let thread = if state.is_running {
            None
        } else {
            state.thread.take()
        };
        drop(state);
        if let Some(thread) = thread {
            // It contains the panics of hooks, so there is no panic to pass on.
            let _ = thread.join();
        }
    }

    /// Takes the next items. Returns whether there are any; if not, the thread ends.
    pub(super) fn take(&self, batch: &mut Vec<Item>) -> bool {
        let mut state = self.lock();
        let mut naps = NAPS;
        while state.items.is_empty() {
            state.is_urgent = false;
            if state.ends_when_empty {
                state.is_running = false;
                state.thread_id = None;
                self.progress.notify_all();
                return false;
            }
            match naps.checked_sub(1) {
                Some(left) => naps = left,
                None => {
                    state.is_idle = true;
                    while state.is_idle {
                        let woken = self.work.wait(state);
                        state = woken.unwrap_or_else(PoisonError::into_inner);
                    }
                }
            }
            state = self.linger(state);
        }
        state.first_taken = state.items.front().map(|(number, _)| *number);
        let count = state.items.len().min(BATCH);
        batch.extend(state.items.drain(..count).map(|(_, item)| item));
        state.taken = count as u64;
        true
    }

    /// Lets hooks gather, unless somebody is in a hurry.
    fn linger<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let deadline = Instant::now().checked_add(LINGER);
        while !state.is_urgent {
            match self.wait(&self.work, state, deadline) {
                Ok(woken) => state = woken,
                Err(timed_out) => return timed_out,
            }
        }
        state
    }

    /// Counts what became of the items that were taken.
    pub(super) fn has_handled(&self, outcome: Handled) {
        let mut state = self.lock();
        state.first_taken = None;
        state.taken = 0;
        state.handled += outcome.handled;
        state.failed += outcome.failed;
        state.dropped += outcome.dropped;
        let wakers = std::mem::take(&mut state.wakers);
        self.progress.notify_all();
        drop(state);
        for waker in wakers {
            // The panic is counted, and the hooks of others go on.
            let _ = contain::call(|| waker.wake());
        }
    }

    /// Waits until it is woken; an error is that the deadline has passed.
    fn wait<'a>(
        &'a self,
        condition: &Condvar,
        state: MutexGuard<'a, State>,
        deadline: Option<Instant>,
    ) -> Result<MutexGuard<'a, State>, MutexGuard<'a, State>> {
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

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_done(&self, number: u64) -> bool {
        let is_after = |first: &u64| *first > number;
        let next = self.items.front().map(|(number, _)| number);
        self.first_taken.as_ref().is_none_or(is_after) && next.is_none_or(is_after)
    }

    fn push(&mut self, item: Item) {
        self.last_number += 1;
        self.items.push_back((self.last_number, item));
    }

    /// Whether there is a place for an item, of a span of which nothing was dropped. Takes the place if so.
    ///
    /// It decides as [`make_room`](Self::make_room), but knows the usual case only.
    #[inline]
    fn has_room(&mut self, item: &Item, capacity: usize) -> bool {
        if !self.refused.is_empty() {
            return false;
        }
        let used = self.items.len() + self.open_spans;
        match item {
            Item::Startup => true,
            Item::Shutdown => false,
            Item::Start(_) => {
                let has_room = used + 2 <= capacity;
                self.open_spans += usize::from(has_room);
                has_room
            }
            Item::Event(..) => used < capacity,
            Item::End(_) => {
                self.open_spans = self.open_spans.saturating_sub(1);
                true
            }
        }
    }

    /// Whether there is a place for an item, perhaps after others were dropped.
    fn make_room(
        &mut self,
        item: &Item,
        capacity: usize,
        drop_policy: DropPolicy,
        dropped: &mut Vec<Item>,
    ) -> bool {
        let needed = match item {
            // There is one of each per trace.
            Item::Startup | Item::Shutdown => return true,
            // The place of its end is kept.
            Item::Start(_) => 2,
            Item::Event(span, _) if self.refused.contains(&span.key()) => return false,
            Item::Event(..) => 1,
            Item::End(span) => {
                let is_refused = self.refused.remove(&span.key());
                if !is_refused {
                    self.open_spans = self.open_spans.saturating_sub(1);
                }
                return !is_refused;
            }
        };
        while self.items.len() + self.open_spans + needed > capacity {
            let has_dropped = drop_policy == DropPolicy::Oldest && self.drop_oldest(dropped);
            if !has_dropped {
                if let Item::Start(span) = item {
                    self.refused.insert(span.key());
                }
                return false;
            }
        }
        if let Item::Start(_) = item {
            self.open_spans += 1;
        }
        // The event may be of the span that was just dropped.
        !matches!(item, Item::Event(span, _) if self.refused.contains(&span.key()))
    }

    /// Drops the oldest event, or the oldest span that has not started with all that waits of it. The
    /// end of a span whose start was handled is never dropped.
    fn drop_oldest(&mut self, dropped: &mut Vec<Item>) -> bool {
        let can_go = |(_, item): &(u64, Item)| matches!(item, Item::Event(..) | Item::Start(_));
        let Some(at) = self.items.iter().position(can_go) else {
            return false;
        };
        match self.items.remove(at) {
            Some((_, Item::Start(span))) => {
                let key = span.key();
                dropped.push(Item::Start(span));
                self.drop_rest_of(key, dropped);
            }
            Some((_, item)) => dropped.push(item),
            None => return false,
        }
        true
    }

    fn drop_rest_of(&mut self, key: SpanKey, dropped: &mut Vec<Item>) {
        let mut has_end = false;
        for (number, item) in std::mem::take(&mut self.items) {
            if item.is_of(key) {
                has_end |= matches!(item, Item::End(_));
                dropped.push(item);
            } else {
                self.items.push_back((number, item));
            }
        }
        if !has_end {
            self.open_spans = self.open_spans.saturating_sub(1);
            self.refused.insert(key);
        }
    }
}
