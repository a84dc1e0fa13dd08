//! The state of a queue that belongs to one process: a forked child has its own.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use agentspan_queue::lock;
use agentspan_queue::queue::{Finished, Queue, Settings, Taken, Ticket};
use agentspan_record::{DropReason, SpanCuts};
use opentelemetry::TraceId;
use opentelemetry_sdk::Resource;

use super::item::{Item, LOSSES};
use super::receipt::{Receipt, Receipts};
use super::stats::ExportStats;

/// Starts the thread of a queue.
pub(super) type Start = dyn Fn(&Arc<Process>) -> io::Result<()> + Send + Sync;

/// How many roots are remembered that the thread has not seen.
const MAX_ROOTS: usize = 1 << 16;

/// The outcome of a wait for the thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    /// The exporter failed.
    Failed,
    /// The deadline passed first.
    Late,
}

#[derive(Debug)]
pub(super) struct Process {
    pub(super) queue: Queue<Item, LOSSES>,
    /// Where the exporter puts the receiver's answers.
    pub(super) receipts: Receipts,
    /// The resource that the exporter is to be told.
    resource: Mutex<Option<Resource>>,
    /// The last message of the receiver.
    receiver_message: Mutex<Option<String>>,
    /// Why spans were lost last.
    last_failure: Mutex<Option<String>>,
    /// See [`ExportStats::unconfirmed`].
    unconfirmed: AtomicU64,
    cuts: Mutex<SpanCuts>,
    /// Roots that the filter refused, of traces that a sampler may hold, and whether they keep them.
    ended_roots: Mutex<Vec<(TraceId, bool)>>,
    /// Whether the exporter failed over the last flush, and over its end, of which nobody was told
    /// yet.
    flush_failed: AtomicBool,
    end_failed: AtomicBool,
    /// Whether somebody has begun to start the thread. That of a child starts with its first span.
    has_started: AtomicBool,
    /// Beside the locks, which may be locked for ever in a child.
    is_closed: AtomicBool,
}

impl Process {
    pub(super) fn new(settings: Settings, receipts: Receipts) -> Self {
        Self {
            queue: Queue::new(settings),
            receipts,
            resource: Mutex::default(),
            receiver_message: Mutex::default(),
            last_failure: Mutex::default(),
            unconfirmed: AtomicU64::new(0),
            cuts: Mutex::default(),
            ended_roots: Mutex::default(),
            flush_failed: AtomicBool::new(false),
            end_failed: AtomicBool::new(false),
            has_started: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
        }
    }

    /// The state of a forked child: empty, and closed if the parent's is. `resource` is the one
    /// that the exporter is told.
    pub(super) fn of_child(parent: &Self, resource: Option<Resource>) -> Self {
        let child = Self::new(parent.queue.settings(), parent.receipts.clone());
        *lock(&child.resource) = resource;
        if parent.is_closed.load(Ordering::Relaxed) {
            child.close();
        }
        child
    }

    /// Starts the thread with a new exporter, or counts what waits as lost.
    #[cold]
    pub(super) fn start_in_child(self: &Arc<Self>, start: Option<&Start>) -> io::Result<()> {
        if self.has_started.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let started = start.map(|start| start(self)).transpose();
        if !matches!(started, Ok(Some(()))) {
            self.queue.close(DropReason::Forked);
        }
        started.map(drop)
    }

    pub(super) fn start_thread(
        &self,
        spawn: impl FnOnce() -> io::Result<JoinHandle<()>>,
    ) -> io::Result<()> {
        self.has_started.store(true, Ordering::Relaxed);
        self.queue.start_thread(spawn)
    }

    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
        self.receipts.hurry();
        self.queue.close(DropReason::AfterShutdown);
    }

    pub(super) fn start_flush(&self) -> Ticket {
        // Before an export that it starts, whose own pauses it does not end.
        self.receipts.hurry();
        self.queue.start_flush()
    }

    pub(super) fn stats(&self) -> ExportStats {
        ExportStats::new(
            self.queue.counts(),
            self.unconfirmed.load(Ordering::Relaxed),
            *lock(&self.cuts),
        )
    }

    /// Counts what was cut of a span. The lock is held for moments only; few spans are cut.
    pub(super) fn has_cut(&self, cuts: Option<SpanCuts>) {
        if let Some(cuts) = cuts {
            *lock(&self.cuts) += cuts;
        }
    }

    /// Remembers a root that is not queued. Beyond so many, the sampler decides for want of room.
    pub(super) fn root_has_ended(&self, trace: TraceId, decides: bool) {
        let mut roots = lock(&self.ended_roots);
        if roots.len() < MAX_ROOTS {
            roots.push((trace, decides));
        }
    }

    pub(super) fn take_ended_roots(&self) -> Vec<(TraceId, bool)> {
        std::mem::take(&mut *lock(&self.ended_roots))
    }

    /// Tells the exporter of it before it gets the next spans.
    pub(super) fn put_resource(&self, resource: Resource) {
        *lock(&self.resource) = Some(resource);
    }

    pub(super) fn take_resource(&self) -> Option<Resource> {
        lock(&self.resource).take()
    }

    pub(super) fn receiver_message(&self) -> Option<String> {
        lock(&self.receiver_message).clone()
    }

    pub(super) fn last_failure(&self) -> Option<String> {
        lock(&self.last_failure).clone()
    }

    /// The last failure, if it is why spans were lost. Other losses, such as rejected spans, leave the failure
    /// of an earlier batch in place.
    pub(super) fn failure_behind(&self, losses: &[u64; LOSSES]) -> Option<String> {
        let reasons = [
            DropReason::Failed,
            DropReason::TimedOut,
            DropReason::ShutdownDeadline,
        ];
        let has_lost =
            |reason: DropReason| losses.get(reason.index()).is_some_and(|lost| *lost > 0);
        self.last_failure()
            .filter(|_| reasons.into_iter().any(has_lost))
    }

    fn keep_failure(&self, failure: Option<String>) {
        if failure.is_some() {
            *lock(&self.last_failure) = failure;
        }
    }

    /// Counts what became of a batch. Says how many of it the receiver rejected, and whether it
    /// said something for the first time.
    pub(super) fn finish(
        &self,
        taken: Taken,
        mut batch: Finished<LOSSES>,
        loss: Option<DropReason>,
        receipt: &Receipt,
    ) -> (u64, bool) {
        let spans = batch.items;
        let rejected = match loss {
            Some(_) => 0,
            None => receipt.rejected().min(spans),
        };
        match loss {
            Some(loss) => batch.lose(loss, spans),
            None => batch.lose(DropReason::Rejected, rejected),
        }
        if loss.is_some() {
            self.keep_failure(receipt.failure().map(str::to_owned));
        }
        if !self.queue.finish(taken, batch) {
            return (0, false);
        }
        if loss.is_none() && !receipt.is_confirmed() {
            let exported = spans - rejected;
            self.unconfirmed.fetch_add(exported, Ordering::Relaxed);
        }
        let Some(message) = receipt.message() else {
            return (rejected, false);
        };
        let before = lock(&self.receiver_message).replace(message.to_owned());
        (rejected, before.is_none())
    }

    pub(super) fn has_flushed(&self, loss: Option<DropReason>) {
        self.flush_failed.store(loss.is_some(), Ordering::Relaxed);
    }

    /// Waits until everything that was queued at the start of a flush was exported or dropped.
    pub(super) fn wait_for_flush(&self, ticket: Ticket, deadline: Option<Instant>) -> Outcome {
        if !self.queue.wait_for_flush(ticket, deadline) {
            Outcome::Late
        } else if self.flush_failed.load(Ordering::Relaxed) {
            Outcome::Failed
        } else {
            Outcome::Done
        }
    }

    /// The exporter is gone.
    pub(super) fn has_ended(&self, loss: Option<DropReason>) {
        self.flush_failed.store(false, Ordering::Relaxed);
        self.end_failed.store(loss.is_some(), Ordering::Relaxed);
        self.queue.thread_has_ended();
    }

    /// Waits until the thread ends. What it did not finish in time is dropped.
    pub(super) fn wait_for_end(&self, deadline: Option<Instant>) -> Outcome {
        let late = DropReason::ShutdownDeadline;
        if !self.queue.wait_for_end(deadline, late) {
            self.keep_failure(self.receipts.failure());
            Outcome::Late
        } else if self.end_failed.swap(false, Ordering::Relaxed) {
            Outcome::Failed
        } else {
            Outcome::Done
        }
    }
}
