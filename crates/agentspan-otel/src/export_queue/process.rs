//! What of a queue belongs to one process: a forked child has its own.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use agentspan_queue::told::Told;
use opentelemetry_sdk::Resource;

use super::state::{Bounds, Shared};
use super::stats::{ExportLoss, Losses};

/// Starts the thread of a queue.
pub(super) type Start = dyn Fn(&Arc<Shared>) -> io::Result<JoinHandle<()>> + Send + Sync;

#[derive(Debug)]
pub(super) struct Process {
    pub(super) shared: Arc<Shared>,
    /// The losses that flushes and shutdowns have told of.
    told: Told<{ ExportLoss::ALL.len() }>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Whether the thread was started, or cannot be. That of a child starts with its first span.
    has_thread: AtomicBool,
    /// Beside the lock, which may be locked for ever in a child.
    is_closed: AtomicBool,
}

impl Process {
    pub(super) fn new(
        bounds: Bounds,
        thread: impl FnOnce(&Arc<Shared>) -> io::Result<JoinHandle<()>>,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::new(bounds));
        let thread = thread(&shared)?;
        Ok(Self::of(shared, Some(thread)))
    }

    /// That of a child of a fork: empty, and closed if the parent's is. `resource` is what the exporter is told.
    pub(super) fn of_child(parent: &Self, bounds: Bounds, resource: Option<Resource>) -> Self {
        let shared = Arc::new(Shared::new(bounds));
        let is_closed = parent.is_closed.load(Ordering::Relaxed);
        if is_closed {
            shared.end_in_child();
        } else if let Some(resource) = resource {
            shared.put_resource(resource);
        }
        let child = Self::of(shared, None);
        child.has_thread.store(is_closed, Ordering::Relaxed);
        child.is_closed.store(is_closed, Ordering::Relaxed);
        child
    }

    fn of(shared: Arc<Shared>, thread: Option<JoinHandle<()>>) -> Self {
        Self {
            shared,
            told: Told::default(),
            has_thread: AtomicBool::new(thread.is_some()),
            thread: Mutex::new(thread),
            is_closed: AtomicBool::new(false),
        }
    }

    /// Sees to it that what waits is exported, or counted as lost.
    #[inline]
    pub(super) fn ensure_thread(&self, start: Option<&Start>) -> io::Result<()> {
        // Relaxed: the lock decides.
        if self.has_thread.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.start_thread(start)
    }

    #[cold]
    fn start_thread(&self, start: Option<&Start>) -> io::Result<()> {
        let mut thread = self.thread();
        // A close may have come first.
        if self.has_thread.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let started = start.map(|start| start(&self.shared)).transpose();
        match started {
            Ok(Some(started)) => *thread = Some(started),
            Ok(None) => self.shared.give_up_in_child(),
            Err(error) => {
                self.shared.give_up_in_child();
                return Err(error);
            }
        }
        Ok(())
    }

    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
        let thread = self.thread();
        let has_thread = self.has_thread.swap(true, Ordering::Relaxed);
        drop(thread);
        if has_thread {
            self.shared.close();
        } else {
            self.shared.end_in_child();
        }
    }

    /// The number of the flush, which is done already where there is nothing to do.
    pub(super) fn start_flush(&self) -> u64 {
        let call = self.shared.start_flush();
        if !self.has_thread.load(Ordering::Relaxed) {
            self.shared.answer_flush_in_child();
        }
        call
    }

    /// What a flush or a shutdown that begins now need not tell.
    pub(super) fn told_so_far(&self) -> Losses {
        self.told.so_far()
    }

    /// The losses that nobody was told of `before` this call, which tells of them.
    pub(super) fn tell(&self, before: Losses) -> Losses {
        let lost = self.shared.stats().losses_by_reason();
        self.told.rest_of(lost, before)
    }

    pub(super) fn take_thread(&self) -> Option<JoinHandle<()>> {
        self.thread().take()
    }

    fn thread(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
