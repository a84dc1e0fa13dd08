//! What callers and the thread share: counters, channels and the state of the end.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::Duration;

use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::SpanData;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::claim::Claim;
use super::event::{Event, Flush, Job, QueuedSpan};
use crate::drop_reason::DropReason;
use crate::encode::EncodedResource;
use crate::export_error::SubmitError;
use crate::report::ExportReport;
use crate::span_size::estimated_bytes;
use crate::stats::Counters;

/// How much longer than its deadline a caller waits for the thread to say that it is done.
const GRACE: Duration = Duration::from_millis(25);

/// A longer timeout is as good as none, and an instant that far away may not exist.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// One side of the delivery for callers, the other for the thread.
///
/// Both channels are unbounded in type and bounded in fact: spans pass [`Counters::admit`] first, and
/// there is at most one other event per waiting caller or identity in flight.
pub(crate) struct Shared {
    pub(crate) counters: Counters,
    pub(super) events: UnboundedSender<Event>,
    queue: UnboundedSender<QueuedSpan>,
    /// Single spans that were put into the queue and not taken yet. Counted before they are put.
    pub(super) backlog: AtomicUsize,
    /// Single spans that were put into the queue. Counted after they are put.
    pub(super) queued_ever: AtomicU64,
    /// How many single spans make a batch.
    pub(super) batch_spans: usize,
    fronts: AtomicUsize,
    stopping: AtomicBool,
    deadline_passed: AtomicBool,
    finished: Mutex<bool>,
    has_finished: Condvar,
    thread: Mutex<Option<JoinHandle<()>>>,
    thread_id: OnceLock<ThreadId>,
}

impl Shared {
    pub(super) fn new(
        counters: Counters,
        batch_spans: usize,
        events: UnboundedSender<Event>,
        queue: UnboundedSender<QueuedSpan>,
    ) -> Self {
        Self {
            counters,
            events,
            queue,
            backlog: AtomicUsize::new(0),
            queued_ever: AtomicU64::new(0),
            batch_spans,
            fronts: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            deadline_passed: AtomicBool::new(false),
            finished: Mutex::new(false),
            has_finished: Condvar::new(),
            thread: Mutex::new(None),
            thread_id: OnceLock::new(),
        }
    }

    /// Takes a batch. The receiver gets its report.
    pub(crate) fn submit(
        self: &Arc<Self>,
        spans: Vec<SpanData>,
        resource: Arc<EncodedResource>,
    ) -> Result<oneshot::Receiver<Arc<ExportReport>>, SubmitError> {
        let count = spans.len();
        if self.stopping.load(SeqCst) {
            self.counters
                .refuse(DropReason::AfterShutdown, count as u64);
            return Err(SubmitError::AlreadyShutdown);
        }
        let bytes = spans.iter().map(estimated_bytes).sum();
        if !self.counters.admit(count as u64, bytes) {
            return Err(SubmitError::QueueFull { spans: count });
        }
        let (reply, report) = oneshot::channel();
        let job = Job {
            spans,
            resource,
            bytes,
            claim: Claim::new(Arc::clone(self), count),
            reply,
        };
        match self.events.send(Event::Job(job)) {
            Ok(()) => Ok(report),
            Err(refused) => {
                if let Event::Job(job) = refused.0 {
                    job.claim.dropped(DropReason::AfterShutdown);
                }
                self.counters.release_bytes(bytes);
                Err(SubmitError::AlreadyShutdown)
            }
        }
    }

    /// Takes a single span, or drops and counts it. Never blocks.
    pub(crate) fn enqueue(&self, span: SpanData, resource: &Arc<EncodedResource>) {
        if self.stopping.load(SeqCst) {
            self.counters.refuse(DropReason::AfterShutdown, 1);
            return;
        }
        let bytes = estimated_bytes(&span);
        if !self.counters.admit(1, bytes) {
            return;
        }
        let queued = QueuedSpan {
            span,
            resource: Arc::clone(resource),
            bytes,
        };
        let backlog = self.backlog.fetch_add(1, SeqCst) + 1;
        if self.queue.send(queued).is_err() {
            self.backlog.fetch_sub(1, SeqCst);
            self.counters
                .dropped_from_queue(DropReason::AfterShutdown, 1);
            self.counters.release_bytes(bytes);
            return;
        }
        self.queued_ever.fetch_add(1, SeqCst);
        // The count grows one by one, so that exactly one caller sees it reach the threshold.
        if backlog == self.batch_spans {
            let _ = self.events.send(Event::Wake);
        }
    }

    /// Waits until what was handed over before is settled.
    pub(crate) fn flush(&self, timeout: Duration) -> OTelSdkResult {
        if self.is_own_thread() {
            return Err(own_thread());
        }
        let (reply, answer) = sync_channel(1);
        let flush = Flush {
            single_spans: self.queued_ever.load(SeqCst),
            reply,
        };
        if self.events.send(Event::Flush(flush)).is_err() {
            return Err(OTelSdkError::AlreadyShutdown);
        }
        match answer.recv_timeout(timeout.min(LONGEST)) {
            Ok(0) => Ok(()),
            Ok(lost) => Err(OTelSdkError::InternalFailure(format!(
                "{lost} spans were lost while flushing; the export reports say why"
            ))),
            Err(RecvTimeoutError::Timeout) => Err(OTelSdkError::Timeout(timeout)),
            Err(RecvTimeoutError::Disconnected) => Err(OTelSdkError::AlreadyShutdown),
        }
    }

    /// Ends the thread and waits for its end.
    pub(crate) fn stop(&self, timeout: Duration) -> OTelSdkResult {
        self.ask_to_stop(timeout);
        if self.is_own_thread() {
            return Err(own_thread());
        }
        let wait = timeout.min(LONGEST) + GRACE;
        let finished = self.finished.lock().unwrap_or_else(PoisonError::into_inner);
        let (finished, _) = self
            .has_finished
            .wait_timeout_while(finished, wait, |finished| !*finished)
            .unwrap_or_else(PoisonError::into_inner);
        if !*finished {
            return Err(OTelSdkError::Timeout(timeout));
        }
        drop(finished);
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // It has said that it is done, so this does not wait for anything.
            let _ = thread.join();
        }
        if self.deadline_passed.load(SeqCst) {
            return Err(OTelSdkError::Timeout(timeout));
        }
        Ok(())
    }

    /// Asks the thread to send what waits and to end. Does not wait for it.
    pub(crate) fn ask_to_stop(&self, timeout: Duration) {
        self.stopping.store(true, SeqCst);
        let deadline = Instant::now() + timeout.min(LONGEST);
        let _ = self.events.send(Event::Stop { deadline });
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(SeqCst)
    }

    pub(crate) fn open_front(&self) {
        self.fronts.fetch_add(1, SeqCst);
    }

    /// Whether the front that is closed was the last one.
    pub(crate) fn close_front(&self) -> bool {
        self.fronts.fetch_sub(1, SeqCst) == 1
    }

    /// Why spans are lost of which nobody says what became of them.
    pub(super) fn reason_of_loss(&self) -> DropReason {
        if self.deadline_passed.load(SeqCst) {
            DropReason::ShutdownDeadline
        } else {
            DropReason::Internal
        }
    }

    pub(super) fn set_deadline_passed(&self) {
        self.deadline_passed.store(true, SeqCst);
    }

    pub(super) fn set_thread(&self, thread: JoinHandle<()>) {
        let _ = self.thread_id.set(thread.thread().id());
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
    }

    pub(super) fn set_finished(&self) {
        *self.finished.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.has_finished.notify_all();
    }

    /// Waiting for the thread on the thread itself would never end.
    fn is_own_thread(&self) -> bool {
        self.thread_id.get() == Some(&thread::current().id())
    }
}

fn own_thread() -> OTelSdkError {
    OTelSdkError::InternalFailure(String::from(
        "the thread agentspan-export cannot wait for itself",
    ))
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("stats", &self.counters.snapshot())
            .field("stopping", &self.stopping)
            .finish_non_exhaustive()
    }
}
