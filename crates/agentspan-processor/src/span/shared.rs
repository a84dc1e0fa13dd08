//! The state that all handles of a span share, and its reuse when the last one is dropped.
//!
//! A program starts spans on its own threads, and a queue drops many of them on another. Memory that comes from one
//! thread and is freed on another is what costs allocators most. So what a dropped span leaves is emptied and kept:
//! some on the thread that dropped it, and more where all threads find it.

use std::cell::RefCell;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, TryLockError, Weak};

use agentspan_model::agentspec::{self, Id, SpanDetails};
use agentspan_queue::fork::Origin;

use super::{Inner, OPEN, Observers};
use crate::clock::Ticks;
use crate::event_log::EventLog;
use crate::started_set::StartedSet;

/// How many empty ones pass between a thread and all of them at once. A thread keeps up to twice as many.
const BATCH: usize = 32;

/// How many empty ones are kept for all threads: less than a megabyte.
const MOST: usize = 1024;

thread_local! {
    static OWN: RefCell<Vec<Arc<Inner>>> = const { RefCell::new(Vec::new()) };
}

/// The thread that has it may not exist in the child of a fork. So nobody waits for it.
static COMMON: Mutex<Vec<Arc<Inner>>> = Mutex::new(Vec::new());

/// How many are in the common place, for those who find out that there are none.
static COMMON_COUNT: AtomicUsize = AtomicUsize::new(0);

/// The state of a span, which is emptied and kept when the last handle is dropped.
#[derive(Clone)]
pub(super) struct Shared(
    /// `None` only while it is dropped.
    Option<Arc<Inner>>,
);

impl Shared {
    /// The state of a new span, which `fill` makes of an empty one.
    #[inline]
    pub(super) fn filled(fill: impl FnOnce(&mut Inner)) -> Self {
        let mut shared = take_empty().unwrap_or_else(|| Arc::new(Inner::empty()));
        if let Some(inner) = Arc::get_mut(&mut shared) {
            // Nobody else has one that is empty, so this is always so.
            fill(inner);
        }
        Self(Some(shared))
    }

    pub(super) fn address(&self) -> usize {
        self.0
            .as_ref()
            .map_or(0, |shared| Arc::as_ptr(shared).addr())
    }

    pub(super) fn downgrade(&self) -> Weak<Inner> {
        self.0.as_ref().map(Arc::downgrade).unwrap_or_default()
    }
}

impl Deref for Shared {
    type Target = Inner;

    #[inline]
    fn deref(&self) -> &Inner {
        static EMPTY: LazyLock<Inner> = LazyLock::new(Inner::empty);
        match &self.0 {
            Some(inner) => inner,
            None => &EMPTY,
        }
    }
}

impl Drop for Shared {
    #[inline]
    fn drop(&mut self) {
        // Nearly always there are others.
        if self
            .0
            .as_ref()
            .is_some_and(|shared| Arc::strong_count(shared) == 1)
        {
            drop_one_by_one(self.0.take());
        }
    }
}

/// Drops handles that may be the last ones, and then those of the parents: one by one, however long the chain is, and
/// not one inside the other.
fn drop_one_by_one(mut last: Option<Arc<Inner>>) {
    while let Some(mut shared) = last {
        let parent = match Arc::get_mut(&mut shared) {
            Some(inner) => {
                let parent = inner.parent.take();
                inner.clear();
                keep_empty(shared);
                parent
            }
            None => Arc::into_inner(shared).and_then(|mut inner| inner.parent.take()),
        };
        last = parent.and_then(|mut parent| parent.0.take());
    }
}

/// The last handle was dropped by two threads at once.
impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(mut parent) = self.parent.take() {
            drop_one_by_one(parent.0.take());
        }
    }
}

impl Inner {
    fn empty() -> Self {
        Self {
            record: empty_record(),
            masked: OnceLock::new(),
            parent: None,
            trace: None,
            observers: Observers::OfTrace,
            started: StartedSet::new(0),
            events: EventLog::new(),
            early_events: 0,
            state: AtomicU8::new(OPEN),
            is_unfinished: AtomicBool::new(false),
            end_time: AtomicI64::new(0),
            monotonic_start: Ticks::ZERO,
            origin: Origin::here(),
        }
    }

    /// Drops what it holds. What a new span sets anyway stays.
    fn clear(&mut self) {
        self.record = empty_record();
        self.masked.take();
        self.events.clear();
        self.observers = Observers::OfTrace;
        *self.state.get_mut() = OPEN;
        *self.is_unfinished.get_mut() = false;
        // The last: with it, processors may be dropped, which are not ours.
        self.trace = None;
    }
}

fn empty_record() -> agentspec::Span {
    agentspec::Span::new(Id::from(""), SpanDetails::Plain)
}

#[inline]
fn take_empty() -> Option<Arc<Inner>> {
    let taken = OWN.try_with(|own| {
        let mut own = own.try_borrow_mut().ok()?;
        if own.is_empty() && COMMON_COUNT.load(Ordering::Relaxed) > 0 {
            let mut common = lock_common()?;
            let kept = common.len().saturating_sub(BATCH);
            own.extend(common.drain(kept..));
            COMMON_COUNT.store(kept, Ordering::Relaxed);
        }
        own.pop()
    });
    taken.ok().flatten()
}

/// Keeps an empty one, unless there are enough.
fn keep_empty(empty: Arc<Inner>) {
    // Where the thread is being torn down, it is freed.
    let _ = OWN.try_with(|own| {
        let mut own = own.try_borrow_mut().ok()?;
        own.push(empty);
        if own.len() < 2 * BATCH {
            return None;
        }
        if let Some(mut common) = lock_common() {
            let room = MOST.saturating_sub(common.len()).min(BATCH);
            common.extend(own.drain(BATCH..BATCH + room));
            COMMON_COUNT.store(common.len(), Ordering::Relaxed);
        }
        // Frees the rest without the lock.
        own.truncate(BATCH);
        Some(())
    });
}

/// `None` while another thread has it.
fn lock_common() -> Option<MutexGuard<'static, Vec<Arc<Inner>>>> {
    match COMMON.try_lock() {
        Ok(common) => Some(common),
        // Nothing that runs under the lock leaves it half done.
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}
