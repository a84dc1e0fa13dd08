//! The state that callers and the thread share: counters, channels and the state of the end.

use std::fmt;
use std::io;
use std::sync::atomic::{
    AtomicBool, AtomicU64, AtomicUsize,
    Ordering::{Relaxed, SeqCst},
};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::Duration;

use agentspan_queue::lock;
use agentspan_queue::told::Told;
use agentspan_record::{
    DropReason, FinishedSpan, RequestToken, SpanCuts, SpanLimits, flush_result,
};
use opentelemetry::Context;
use opentelemetry::trace::SpanContext;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::SpanData;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::claim::Claim;
use super::event::{Event, Job};
use super::flushes::Flush;
use super::ledger::Ledger;
use super::lineage::Lineage;
use super::log;
use super::parent::Parent;
use super::queued_span::{QueuedSpan, Resources};
use super::requests::{Departure, RequestBatch, Requests};
use super::token_source::TokenSource;
use super::waits::Waits;
use crate::encode::EncodedResource;
use crate::export_error::SubmitError;
use crate::longest::LONGEST;
use crate::report::ExportReport;
use crate::service_reason::ServiceReason;
use crate::stats::{Counters, Losses};

/// How much longer than its deadline a caller waits for the thread to say that it is done.
const GRACE: Duration = Duration::from_millis(25);

/// Starts the thread of a forked child.
pub(super) type Starter = Box<dyn FnOnce(&Shared) -> io::Result<()> + Send>;

/// One side of the delivery for callers, the other for the thread.
///
/// Both channels are unbounded in type and bounded in fact: spans pass [`Counters::admit`] first,
/// and there is at most one other event per waiting caller or identity in flight.
pub(crate) struct Shared {
    pub(crate) counters: Arc<Counters>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) limits: SpanLimits,
    pub(super) events: UnboundedSender<Event>,
    queue: UnboundedSender<QueuedSpan>,
    /// Single spans that wait for the end of their requests, if they do.
    requests: Option<Mutex<Requests>>,
    /// The open spans and the unsent ones with spans below them, if these get other parents.
    lineage: Option<Mutex<Lineage>>,
    /// Single spans that were put into the queue and not taken yet. Counted before they are put.
    pub(super) backlog: AtomicUsize,
    /// Their estimated memory.
    pub(super) backlog_bytes: AtomicU64,
    /// How many single spans make a batch.
    pub(super) batch_spans: usize,
    /// Whoever makes so many single spans wait, or so much memory of them, wakes the thread.
    pub(super) enough_spans: AtomicUsize,
    pub(super) enough_bytes: AtomicU64,
    fronts: AtomicUsize,
    /// How many calls wait for the end of the thread.
    stop_waits: AtomicUsize,
    /// Whether what was queued is lost, because none of them waited any longer.
    is_given_up: AtomicBool,
    finished: Mutex<bool>,
    has_finished: Condvar,
    receiver_message: Mutex<Option<String>>,
    last_failure: Mutex<Option<String>>,
    pub(super) waits: Arc<Waits>,
    /// The losses that flushes and shutdowns have told of.
    told: Told<{ DropReason::ALL.len() }>,
    thread: Mutex<Option<JoinHandle<()>>>,
    thread_id: OnceLock<ThreadId>,
    /// Whether the thread was started, or is not to be. That of a forked child starts with its
    /// first span.
    has_thread: AtomicBool,
    unstarted: Mutex<Option<Starter>>,
}

impl Shared {
    pub(super) fn new(
        counters: Counters,
        limits: SpanLimits,
        batch_spans: usize,
        requests: Option<Requests>,
        lineage: Option<Lineage>,
        events: UnboundedSender<Event>,
        queue: UnboundedSender<QueuedSpan>,
    ) -> Self {
        let counters = Arc::new(counters);
        Self {
            ledger: Arc::new(Ledger::new(Arc::clone(&counters))),
            counters,
            limits,
            events,
            queue,
            requests: requests.map(Mutex::new),
            lineage: lineage.map(Mutex::new),
            backlog: AtomicUsize::new(0),
            backlog_bytes: AtomicU64::new(0),
            batch_spans,
            enough_spans: AtomicUsize::new(batch_spans),
            enough_bytes: AtomicU64::new(u64::MAX),
            fronts: AtomicUsize::new(0),
            stop_waits: AtomicUsize::new(0),
            is_given_up: AtomicBool::new(false),
            finished: Mutex::new(false),
            has_finished: Condvar::new(),
            receiver_message: Mutex::default(),
            last_failure: Mutex::default(),
            waits: Arc::default(),
            told: Told::default(),
            thread: Mutex::new(None),
            thread_id: OnceLock::new(),
            has_thread: AtomicBool::new(true),
            unstarted: Mutex::new(None),
        }
    }

    /// Takes the place of the parent's in a forked child. Waits for no lock of the parent's.
    pub(super) fn follow(&self, parent: &Self, starter: Starter) {
        self.fronts.store(parent.fronts.load(SeqCst), SeqCst);
        if parent.is_stopping() {
            self.ledger.set_stopping();
            self.set_finished();
        } else {
            *lock(&self.unstarted) = Some(starter);
            self.has_thread.store(false, SeqCst);
        }
    }

    /// Sees to it that what was handed over is sent, or counted as lost.
    fn ensure_thread(&self) {
        // Relaxed: the lock decides who starts it.
        if !self.has_thread.load(Relaxed) {
            self.start_thread();
        }
    }

    #[cold]
    fn start_thread(&self) {
        let mut unstarted = lock(&self.unstarted);
        let starter = unstarted.take();
        self.has_thread.store(true, SeqCst);
        let started = starter.map_or(Ok(()), |start| start(self));
        drop(unstarted);
        if started.is_err() {
            self.ledger.set_orphan();
            self.ledger.set_stopping();
            self.counters.give_up_queued(DropReason::Forked);
            self.set_finished();
            log::no_thread();
        }
    }

    /// Whether a thread that was never started is not needed any more.
    fn end_unstarted(&self) -> bool {
        let mut unstarted = lock(&self.unstarted);
        let starter = unstarted.take();
        self.has_thread.store(true, SeqCst);
        drop(unstarted);
        let Some(starter) = starter else { return false };
        // Not under the lock: it holds what is foreign.
        drop(starter);
        self.counters.give_up_queued(DropReason::AfterShutdown);
        self.set_finished();
        true
    }

    /// Takes a batch. The receiver gets its report.
    pub(crate) fn submit(
        self: &Arc<Self>,
        mut spans: Vec<FinishedSpan>,
        resource: Arc<EncodedResource>,
    ) -> Result<oneshot::Receiver<Arc<ExportReport>>, SubmitError> {
        let count = spans.len();
        if self.is_stopping() {
            self.counters
                .refuse(self.ledger.reason_of_end(), count as u64);
            return Err(SubmitError::AlreadyShutdown);
        }
        let sizes = spans.iter_mut().map(|span| self.limit_finished(span));
        let sizes: Vec<u64> = sizes.collect();
        let bytes = sizes.iter().sum();
        if !self.counters.admit(count as u64, bytes) {
            return Err(SubmitError::QueueFull { spans: count });
        }
        let (reply, report) = oneshot::channel();
        let job = Job {
            spans,
            sizes,
            resources: Resources::One(resource),
            claim: Claim::new(Arc::clone(&self.ledger), count, bytes),
            tokens: TokenSource::Resolver,
            reply: Some(reply),
        };
        self.send(job).map(|()| report)
    }

    fn send(&self, job: Job) -> Result<(), SubmitError> {
        self.events.send(Event::Job(job)).map_err(|refused| {
            if let Event::Job(job) = refused.0 {
                job.claim.dropped(self.ledger.reason_of_end());
            }
            SubmitError::AlreadyShutdown
        })?;
        self.ensure_thread();
        Ok(())
    }

    /// Takes a single span, or drops and counts it. Never blocks.
    pub(crate) fn enqueue(
        self: &Arc<Self>,
        mut span: FinishedSpan,
        resource: &Arc<EncodedResource>,
    ) {
        if self.is_stopping() {
            self.counters.refuse(self.ledger.reason_of_end(), 1);
            return;
        }
        let bytes = self.limit_finished(&mut span);
        if let Some(mut lineage) = self.lineage() {
            lineage.end(&span);
        }
        if let Some(requests) = self.requests() {
            let context = span.data.span_context.clone();
            let admit = || {
                self.counters
                    .admit(1, bytes)
                    .then(|| queued(span, resource, bytes))
            };
            match self.end_in_request(requests, &context, admit) {
                Ok(()) => self.ensure_thread(),
                Err(reason) => self.counters.refuse(reason, 1),
            }
            return;
        }
        if !self.counters.admit(1, bytes) {
            return;
        }
        let backlog = self.backlog.fetch_add(1, SeqCst) + 1;
        let before = self.backlog_bytes.fetch_add(bytes, SeqCst);
        if self.queue.send(queued(span, resource, bytes)).is_err() {
            self.backlog.fetch_sub(1, SeqCst);
            self.backlog_bytes.fetch_sub(bytes, SeqCst);
            self.counters
                .dropped_from_queue(self.ledger.reason_of_end(), 1);
            self.counters.release_bytes(bytes);
            return;
        }
        self.ensure_thread();
        // The count grows one by one, so that exactly one caller sees it reach the threshold.
        let enough = self.enough_bytes.load(SeqCst);
        let is_heavy = before < enough && before + bytes >= enough;
        if backlog == self.enough_spans.load(SeqCst) || is_heavy {
            let _ = self.events.send(Event::Wake);
        }
    }

    /// Cuts what is over the limits. Gives the estimated memory of what is left.
    pub(super) fn limit(&self, span: &mut SpanData) -> u64 {
        self.count_cuts(self.limits.cut(span))
    }

    fn limit_finished(&self, span: &mut FinishedSpan) -> u64 {
        self.count_cuts(span.cut(&self.limits))
    }

    fn count_cuts(&self, (cuts, bytes): (Option<SpanCuts>, u64)) -> u64 {
        if let Some(cuts) = cuts {
            self.counters.cut(cuts);
        }
        bytes
    }

    /// Notes that a span starts below `parent` and in `context`, if anything is to be known of it
    /// before it ends.
    pub(crate) fn start(
        self: &Arc<Self>,
        span: &SpanContext,
        parent: &SpanContext,
        context: &Context,
        look: impl FnOnce() -> Option<SpanData>,
    ) {
        if self.lineage.is_none() && self.requests.is_none() {
            return;
        }
        let parent = if parent.is_valid() && !parent.is_remote() {
            Parent::Here(parent.span_id())
        } else {
            Parent::Elsewhere
        };
        self.start_in_lineage(span, parent, look);
        self.start_in_request(span, parent, context);
    }

    fn start_in_lineage(
        &self,
        span: &SpanContext,
        parent: Parent,
        look: impl FnOnce() -> Option<SpanData>,
    ) {
        if self.lineage.is_none() {
            return;
        }
        let looks_like = match parent {
            Parent::Elsewhere => look(),
            Parent::Here(_) => None,
        };
        let key = (span.trace_id(), span.span_id());
        if let Some(mut lineage) = self.lineage() {
            lineage.start(key, parent, looks_like.as_ref());
        }
    }

    fn start_in_request(self: &Arc<Self>, span: &SpanContext, parent: Parent, context: &Context) {
        if self.requests.is_none() {
            return;
        }
        let token = context.get::<RequestToken>().cloned();
        let now = Instant::now();
        let Some(mut requests) = self.requests() else {
            return;
        };
        let had_deadline = requests.next_deadline().is_some();
        let sent = requests.start(now, span.trace_id(), span.span_id(), parent, token);
        self.depart(requests, sent);
        if !had_deadline {
            let _ = self.events.send(Event::Wake);
        }
    }

    /// Notes that a span ends which is not to be sent, though it may have been sampled when it
    /// started. It is no loss.
    pub(crate) fn withhold(self: &Arc<Self>, span: &SpanContext) {
        if let Some(mut lineage) = self.lineage() {
            lineage.forget(&(span.trace_id(), span.span_id()));
        }
        if let Some(requests) = self.requests() {
            // One that was not sampled at its start either is unknown there.
            let _ = self.end_in_request(requests, span, || None);
        }
    }

    fn end_in_request(
        self: &Arc<Self>,
        mut requests: MutexGuard<'_, Requests>,
        span: &SpanContext,
        admit: impl FnOnce() -> Option<QueuedSpan>,
    ) -> Result<(), DropReason> {
        let deadline = requests.next_deadline();
        let ended = requests.end(Instant::now(), span.trace_id(), span.span_id(), admit);
        let next = requests.next_deadline();
        self.depart(requests, ended?);
        // The deadlines only get sooner when a root ends before what runs below it.
        if next.is_some() && next < deadline {
            let _ = self.events.send(Event::Wake);
        }
        Ok(())
    }

    /// When spans of a request have to be sent, though it is not over.
    pub(super) fn next_request_deadline(&self) -> Option<Instant> {
        self.requests()?.next_deadline()
    }

    /// Sends what waits for too long.
    pub(super) fn send_requests_due(self: &Arc<Self>, now: Instant) {
        self.depart_all(|requests| requests.due(now));
    }

    /// Hands over what `take` takes out of the requests.
    fn depart_all(self: &Arc<Self>, take: impl FnOnce(&mut Requests) -> Vec<Departure>) {
        if let Some(mut requests) = self.requests() {
            let departures = take(&mut requests);
            self.depart(requests, departures);
        }
    }

    /// Hands the spans of requests to the thread. What waits is counted as queued already.
    ///
    /// The requests stay locked until that is done. Otherwise a flush on another thread could find
    /// the spans neither here nor in the channel, and say that they are settled. No foreign code
    /// runs meanwhile: nothing is done but to move spans, to count, and to send on a channel
    /// without bounds.
    fn depart(
        self: &Arc<Self>,
        requests: MutexGuard<'_, Requests>,
        departures: impl IntoIterator<Item = Departure>,
    ) {
        for departure in departures {
            for RequestBatch { token, spans } in departure.into_batches() {
                let count = spans.len();
                let mut data = Vec::with_capacity(count);
                let mut sizes = Vec::with_capacity(count);
                let split = Resources::split_off(spans.into_iter(), &mut data, &mut sizes);
                let Some((resources, bytes)) = split else {
                    continue;
                };
                // Whoever gets none counts the spans as lost.
                let _ = self.send(Job {
                    spans: data,
                    sizes,
                    resources,
                    claim: Claim::new(Arc::clone(&self.ledger), count, bytes),
                    tokens: TokenSource::Request(token),
                    reply: None,
                });
            }
        }
        drop(requests);
    }

    /// The open and the unsent spans. Held for moments only, and while no foreign code runs.
    pub(super) fn lineage(&self) -> Option<MutexGuard<'_, Lineage>> {
        self.lineage.as_ref().map(lock)
    }

    fn requests(&self) -> Option<MutexGuard<'_, Requests>> {
        self.requests.as_ref().map(lock)
    }

    /// Waits until what was handed over before is settled. Of requests that are not over, these are
    /// the spans that have ended.
    pub(crate) fn flush(self: &Arc<Self>, timeout: Duration) -> OTelSdkResult {
        if self.is_own_thread() {
            return Err(own_thread());
        }
        let told = self.told.so_far();
        self.depart_all(Requests::take_ended);
        if !self.has_thread.load(SeqCst) {
            return self.tell(told, None);
        }
        let (reply, answer) = sync_channel(1);
        let waits = Arc::new(());
        let flush = Flush {
            reply,
            caller: Arc::downgrade(&waits),
        };
        if self.events.send(Event::Flush(flush)).is_err() {
            return Err(OTelSdkError::AlreadyShutdown);
        }
        match answer.recv_timeout(timeout.min(LONGEST)) {
            Ok(()) => self.tell(told, None),
            // Without time to answer, the thread is not asked whether something waits.
            Err(RecvTimeoutError::Timeout) if timeout.is_zero() && self.is_empty() => {
                self.tell(told, None)
            }
            Err(RecvTimeoutError::Timeout) => Err(OTelSdkError::Timeout(timeout)),
            Err(RecvTimeoutError::Disconnected) => Err(OTelSdkError::AlreadyShutdown),
        }
    }

    /// Whether nothing is queued or on its way.
    fn is_empty(&self) -> bool {
        self.counters.snapshot().queued == 0
    }

    /// Tells of the losses of which nobody was told `before`. `late` is the time that a shutdown had, if
    /// its deadline has passed.
    fn tell(&self, before: Losses, late: Option<Duration>) -> OTelSdkResult {
        let lost = self.told.rest_of(self.counters.snapshot().dropped, before);
        flush_result("agent365", lost, late, None)
    }

    /// Ends the thread, waits for its end, and tells of losses that were not told.
    pub(crate) fn stop(self: &Arc<Self>, timeout: Duration) -> OTelSdkResult {
        let told = self.told.so_far();
        if self.is_own_thread() {
            self.ask_to_stop(timeout);
            return Err(own_thread());
        }
        self.stop_waits.fetch_add(1, SeqCst);
        self.ask_to_stop(timeout);
        let wait = timeout.min(LONGEST) + GRACE;
        let finished = lock(&self.finished);
        let (finished, _) = self
            .has_finished
            .wait_timeout_while(finished, wait, |finished| !*finished)
            .unwrap_or_else(PoisonError::into_inner);
        let waits_alone = self.stop_waits.fetch_sub(1, SeqCst) == 1;
        if !*finished && timeout.is_zero() && self.is_empty() {
            // As in a flush.
            return self.tell(told, None);
        }
        if !*finished {
            // Somebody who waits longer may yet see the spans sent. Otherwise the thread is busy, and
            // may be for long.
            if waits_alone {
                self.is_given_up.store(true, SeqCst);
                self.ledger.set_deadline_passed();
                self.counters.give_up_queued(DropReason::ShutdownDeadline);
            }
            return self.tell(told, Some(timeout));
        }
        drop(finished);
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread {
            // It has said that it is done, so this does not wait for anything.
            let _ = thread.join();
        }
        let late = self.ledger.has_deadline_passed().then_some(timeout);
        self.tell(told, late)
    }

    /// Asks the thread to send what waits and to end. Does not wait for it.
    pub(crate) fn ask_to_stop(self: &Arc<Self>, timeout: Duration) {
        self.ledger.set_stopping();
        self.shut_requests();
        if !self.has_thread.load(SeqCst) && self.end_unstarted() {
            return;
        }
        let deadline = Instant::now() + timeout.min(LONGEST);
        let _ = self.events.send(Event::Stop { deadline });
    }

    /// Hands over what has ended of all requests, and takes no further spans.
    pub(super) fn shut_requests(self: &Arc<Self>) {
        self.depart_all(Requests::shut);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.ledger.is_stopping()
    }

    pub(crate) fn open_front(&self) {
        self.fronts.fetch_add(1, SeqCst);
    }

    /// Whether the front that is closed was the last one.
    pub(crate) fn close_front(&self) -> bool {
        self.fronts.fetch_sub(1, SeqCst) == 1
    }

    pub(crate) fn receiver_message(&self) -> Option<String> {
        lock(&self.receiver_message).clone()
    }

    /// Keeps what the service says, for [`receiver_message`](Self::receiver_message).
    pub(super) fn keep_message(&self, reason: &ServiceReason) {
        *lock(&self.receiver_message) = Some(reason.to_string());
    }

    pub(crate) fn last_failure(&self) -> Option<String> {
        lock(&self.last_failure).clone()
    }

    /// The obstacle that spans wait for just now.
    pub(crate) fn awaited(&self) -> Option<String> {
        self.waits.first()?.obstacle()
    }

    /// Keeps why spans were lost, for [`last_failure`](Self::last_failure).
    pub(super) fn keep_failure(&self, text: String) {
        *lock(&self.last_failure) = Some(text);
    }

    /// Whether nobody gets more time to stop than the first.
    pub(super) fn is_given_up(&self) -> bool {
        self.is_given_up.load(SeqCst)
    }

    pub(super) fn set_thread(&self, thread: JoinHandle<()>) {
        let _ = self.thread_id.set(thread.thread().id());
        *lock(&self.thread) = Some(thread);
    }

    pub(super) fn set_finished(&self) {
        *lock(&self.finished) = true;
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
            .field("stopping", &self.is_stopping())
            .finish_non_exhaustive()
    }
}

#[inline]
fn queued(span: FinishedSpan, resource: &Arc<EncodedResource>, bytes: u64) -> QueuedSpan {
    QueuedSpan {
        span,
        resource: Arc::clone(resource),
        bytes,
    }
}
