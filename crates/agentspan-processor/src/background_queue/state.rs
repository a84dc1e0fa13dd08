//! What the program and the thread of a queue share.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread::{self, JoinHandle, ThreadId};
use std::time::{Duration, Instant};

use agentspan_queue::contain::{self, Foreign};
use agentspan_queue::told::Told;

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
    /// Of spans that the processor failed to start.
    pub(super) dropped: u64,
}

/// How many hooks were lost: to a full queue, to failures, and to the deadline of a shutdown.
type Losses = [u64; 3];

pub(super) struct Shared {
    processor: Foreign<Arc<dyn SpanProcessor>>,
    capacity: usize,
    drop_policy: DropPolicy,
    told: Told<3>,
    /// Goes up when what waits and runs is given up. Changed under the lock of the state.
    generation: AtomicU64,
    state: Mutex<State>,
    /// The thread waits for it.
    work: Condvar,
    /// Those who flush wait for it.
    progress: Condvar,
}

/// Why nothing is shown of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    QueueFull,
    ShutdownDeadline,
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
    refused: HashMap<SpanKey, Refusal>,
    handled: u64,
    dropped: u64,
    /// Of the dropped ones, see [`QueueStats`].
    dropped_at_shutdown: u64,
    dropped_after_failure: u64,
    failed: u64,
    /// The processor is to be shut down, which counts for nothing any more.
    late_shutdown: bool,
    /// The thread is busy with a hook that was given up, for nobody knows how long.
    is_left_behind: bool,
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
            told: Told::default(),
            generation: AtomicU64::new(0),
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
            told: Told::default(),
            generation: AtomicU64::new(0),
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
            dropped_at_shutdown: state.dropped_at_shutdown,
            dropped_after_failure: state.dropped_after_failure,
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

    /// What a call that begins now need not tell.
    pub(super) fn told_so_far(&self) -> Losses {
        self.told.so_far()
    }

    /// Tells of the hooks that were lost and nobody was told of `before`.
    pub(super) fn tell(&self, before: Losses) -> Result<(), FlushError> {
        let stats = self.stats();
        let late = stats.dropped_at_shutdown;
        let after_failure = stats.dropped_after_failure;
        let full = stats.dropped.saturating_sub(late + after_failure);
        let lost = [full, stats.failed + after_failure, late];
        match self.told.rest_of(lost, before) {
            [0, 0, 0] => Ok(()),
            [queue_full, failed, shutdown_deadline] => Err(FlushError::Lost {
                queue_full,
                failed,
                shutdown_deadline,
            }),
        }
    }

    /// Gives up what waits and runs, if the thread is to end: it is counted as dropped. Once the hook that is running
    /// returns, the processor is shut down, and nothing else. Returns whether it gave up.
    pub(super) fn abandon(&self) -> bool {
        let mut state = self.lock();
        if !state.ends_when_empty {
            return false;
        }
        self.generation.fetch_add(1, Ordering::SeqCst);
        state.first_taken = None;
        state.is_left_behind = state.taken > 0;
        let waiting = state.give_up();
        state.is_idle = false;
        state.is_urgent = true;
        self.work.notify_one();
        let wakers = std::mem::take(&mut state.wakers);
        self.progress.notify_all();
        drop(state);
        wake_all(wakers);
        // The last handle to a span may run the drop of a processor.
        drop(waiting);
        true
    }

    /// Whether what was taken then has been given up.
    pub(super) fn is_given_up(&self, generation: u64) -> bool {
        // Relaxed: a hook that is called too late does no harm.
        self.generation.load(Ordering::Relaxed) != generation
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
        while state.is_running
            && state.ends_when_empty
            && state.items.is_empty()
            && !state.is_left_behind
        {
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

    /// Takes the next items. Returns the generation that they are of; `None` if the thread is to end.
    pub(super) fn take(&self, batch: &mut Vec<Item>) -> Option<u64> {
        let mut state = self.lock();
        state.is_left_behind = false;
        if std::mem::take(&mut state.late_shutdown) {
            batch.push(Item::Shutdown);
            // It was given up already.
            return Some(self.generation.load(Ordering::SeqCst).wrapping_sub(1));
        }
        let mut naps = NAPS;
        while state.items.is_empty() {
            state.is_urgent = false;
            if state.ends_when_empty {
                state.is_running = false;
                state.thread_id = None;
                self.progress.notify_all();
                return None;
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
        Some(self.generation.load(Ordering::SeqCst))
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

    /// Counts what became of the items that were taken, unless they were given up meanwhile.
    pub(super) fn has_handled(&self, generation: u64, outcome: Handled) {
        let mut state = self.lock();
        if self.is_given_up(generation) {
            return;
        }
        state.first_taken = None;
        state.taken = 0;
        state.handled += outcome.handled;
        state.failed += outcome.failed;
        state.dropped += outcome.dropped;
        state.dropped_after_failure += outcome.dropped;
        let wakers = std::mem::take(&mut state.wakers);
        self.progress.notify_all();
        drop(state);
        wake_all(wakers);
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

fn wake_all(wakers: Vec<Waker>) {
    for waker in wakers {
        // The panic is counted, and the hooks of others go on.
        let _ = contain::call(|| waker.wake());
    }
}

impl State {
    /// Counts all that waits and runs as lost, and gives what waits. Spans whose start was among it are
    /// shown to nobody when they end.
    fn give_up(&mut self) -> VecDeque<(u64, Item)> {
        let waiting = std::mem::take(&mut self.items);
        let lost = waiting.len() as u64 + std::mem::take(&mut self.taken);
        self.dropped += lost;
        self.dropped_at_shutdown += lost;
        let mut open = HashSet::new();
        for (_, item) in &waiting {
            match item {
                Item::Start(span) => drop(open.insert(span.key())),
                Item::End(span) => drop(open.remove(&span.key())),
                Item::Shutdown => self.late_shutdown = true,
                Item::Startup | Item::Event(..) => {}
            }
        }
        self.open_spans = self.open_spans.saturating_sub(open.len());
        let open = open.into_iter();
        let refused = open.map(|key| (key, Refusal::ShutdownDeadline));
        self.refused.extend(refused);
        waiting
    }

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
            Item::Event(span, _) if self.is_refused(span.key()) => return false,
            Item::Event(..) => 1,
            Item::End(span) => {
                if self.is_refused(span.key()) {
                    self.refused.remove(&span.key());
                    return false;
                }
                self.open_spans = self.open_spans.saturating_sub(1);
                return true;
            }
        };
        while self.items.len() + self.open_spans + needed > capacity {
            let has_dropped = drop_policy == DropPolicy::Oldest && self.drop_oldest(dropped);
            if !has_dropped {
                if let Item::Start(span) = item {
                    self.refused.insert(span.key(), Refusal::QueueFull);
                }
                return false;
            }
        }
        if let Item::Start(_) = item {
            self.open_spans += 1;
        }
        // The event may be of the span that was just dropped.
        !matches!(item, Item::Event(span, _) if self.is_refused(span.key()))
    }

    /// Whether nothing is shown of a span. An item of it that comes is lost for the same reason.
    fn is_refused(&mut self, key: SpanKey) -> bool {
        let refusal = self.refused.get(&key);
        if refusal == Some(&Refusal::ShutdownDeadline) {
            self.dropped_at_shutdown += 1;
        }
        refusal.is_some()
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
            self.refused.insert(key, Refusal::QueueFull);
        }
    }
}
