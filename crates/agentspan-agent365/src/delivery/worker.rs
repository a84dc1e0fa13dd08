//! What the thread does: forms batches, sends out their identities, and answers who waits.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use agentspan_queue::contain::{self, Foreign};
use opentelemetry_sdk::trace::SpanData;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::buffers::Buffers;
use super::caller_losses::CallerLosses;
use super::claim::{Answered, Claim, Ticket};
use super::courier::Courier;
use super::event::{Event, Flush, Job, QueuedSpan, TokenSource};
use super::in_flight::{InFlight, Skipped};
use super::lineage::key;
use super::log;
use super::opening::{Opening, Resources};
use super::parcel::{Packing, Parcels};
use super::reparent::reparent;
use super::shared::Shared;
use super::thread::Setup;
use crate::destination::Destinations;
use crate::drop_reason::DropReason;
use crate::encode::BodyEncoder;
use crate::enrichment::SpanEnrichers;
use crate::grouping::Grouping;
use crate::report::ExportReport;

/// Memory for more spans than this is given back to the system.
const MAX_SPARE_SPANS: usize = 4_096;

/// Somebody who sees every report.
pub(crate) type Observer = Arc<dyn Fn(&ExportReport) + Send + Sync>;

/// The state of the thread. It stays consistent at every point where foreign code runs or a future
/// waits, so that a panic in one step costs the spans of that step and the next one goes on.
pub(super) struct Worker {
    shared: Arc<Shared>,
    events: UnboundedReceiver<Event>,
    queue: UnboundedReceiver<QueuedSpan>,
    courier: Arc<Courier>,
    destinations: Destinations,
    encoder: BodyEncoder,
    observer: Option<Foreign<Observer>>,
    enrichers: SpanEnrichers,
    reparents: bool,
    buffers: Buffers,
    /// The memory of the last batch of single spans, to be used for the next.
    spare: Vec<SpanData>,
    concurrency: usize,
    max_payload_bytes: Option<usize>,
    batch_delay: Duration,

    jobs: VecDeque<Job>,
    opening: Option<Opening>,
    batches: BTreeMap<u64, InFlight>,
    next_batch: u64,
    tasks: JoinSet<()>,
    in_flight: usize,

    /// Single spans taken from the queue so far.
    taken: u64,
    /// Single spans up to this number are sent without waiting for a full batch.
    due: u64,
    next_tick: Instant,
    flushes: Vec<Waiting>,
    stop: Option<Instant>,
    caller_losses: CallerLosses,
}

/// A flush that waits.
struct Waiting {
    flush: Flush,
    /// Whole batches that must be opened first, counted down.
    jobs: usize,
    /// The last batch that belongs to it, once all are opened.
    last_batch: Option<u64>,
}

impl Worker {
    pub(super) fn new(
        shared: Arc<Shared>,
        setup: Setup,
        events: UnboundedReceiver<Event>,
        queue: UnboundedReceiver<QueuedSpan>,
    ) -> Self {
        Self {
            shared,
            events,
            queue,
            courier: Arc::new(setup.courier),
            destinations: setup.destinations,
            encoder: setup.encoder,
            observer: setup.observer,
            enrichers: setup.enrichers,
            reparents: setup.reparents,
            buffers: Buffers::new(setup.concurrency + 1),
            spare: Vec::new(),
            concurrency: setup.concurrency,
            max_payload_bytes: setup.max_payload_bytes,
            batch_delay: setup.batch_delay,
            jobs: VecDeque::new(),
            opening: None,
            batches: BTreeMap::new(),
            next_batch: 0,
            tasks: JoinSet::new(),
            in_flight: 0,
            taken: 0,
            due: 0,
            next_tick: Instant::now() + setup.batch_delay,
            flushes: Vec::new(),
            stop: None,
            caller_losses: CallerLosses::default(),
        }
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Works until it is told to stop and everything is settled, or the deadline has passed.
    pub(super) async fn run(&mut self) {
        loop {
            self.send_out();
            self.answer_flushes();
            if self.stop.is_some() && self.is_idle() {
                return;
            }
            let others = [self.stop, self.shared.next_request_deadline()];
            let wake_at = others
                .into_iter()
                .flatten()
                .fold(self.next_tick, Instant::min);
            match timeout_at(wake_at, self.events.recv()).await {
                Ok(Some(event)) => {
                    self.handle(event);
                    while let Ok(event) = self.events.try_recv() {
                        self.handle(event);
                    }
                }
                Ok(None) => return,
                Err(_) => {}
            }
            let now = Instant::now();
            self.shared.send_requests_due(now);
            if self.stop.is_some_and(|deadline| deadline <= now) && !self.is_idle() {
                self.shared.set_deadline_passed();
                return;
            }
            if self.next_tick <= now {
                self.next_tick = now + self.batch_delay;
                self.due = self.due.max(self.shared.queued_ever.load(SeqCst));
                // When no batch is ever done, nothing else would say why.
                self.log_caller_losses();
            }
        }
    }

    /// Gives up what is left and accounts for it.
    pub(super) async fn close(&mut self) {
        // Those on their way report themselves when their tasks are dropped, the rest here.
        self.tasks.shutdown().await;
        while let Some(opening) = &mut self.opening {
            match next_ticket(opening, &self.shared) {
                Some(ticket) => drop(ticket),
                None => self.opening = None,
            }
        }
        // The thread may end without having been told to stop.
        self.shared.shut_requests();
        self.events.close();
        self.queue.close();
        // A closed channel gives what was sent before, and what a sender is about to finish sending.
        while let Some(event) = self.events.recv().await {
            match event {
                Event::Job(job) => self.jobs.push_back(job),
                Event::Delivered { .. } => self.handle(event),
                Event::Wake | Event::Flush(_) | Event::Stop { .. } => {}
            }
        }
        let reason = match self.shared.reason_of_loss() {
            DropReason::ShutdownDeadline => DropReason::ShutdownDeadline,
            _ => self.shared.reason_of_end(),
        };
        for job in self.jobs.drain(..) {
            job.claim.dropped(reason);
            self.shared.counters.release_bytes(job.bytes);
        }
        for in_flight in std::mem::take(&mut self.batches).into_values() {
            self.shared.counters.release_bytes(in_flight.bytes);
        }
        while let Some(queued) = self.queue.recv().await {
            self.shared.counters.dropped_from_queue(reason, 1);
            self.shared.counters.release_bytes(queued.bytes);
        }
        self.shared.backlog.store(0, SeqCst);
        self.log_caller_losses();
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Wake => {}
            Event::Job(job) => self.jobs.push_back(job),
            Event::Delivered {
                batch,
                slot,
                report,
            } => {
                self.in_flight = self.in_flight.saturating_sub(1);
                if let Some(in_flight) = self.batches.get_mut(&batch) {
                    in_flight.settle(slot, report);
                    if in_flight.is_complete() {
                        self.finish(batch);
                    }
                }
                while self.tasks.try_join_next().is_some() {}
            }
            Event::Flush(flush) => {
                self.due = self.due.max(flush.single_spans);
                self.flushes.push(Waiting {
                    flush,
                    jobs: self.jobs.len(),
                    last_batch: None,
                });
            }
            Event::Stop { deadline } => {
                self.due = u64::MAX;
                self.stop = Some(self.stop.map_or(deadline, |first| first.min(deadline)));
            }
        }
    }

    /// Whether nothing waits and nothing is on its way.
    fn is_idle(&self) -> bool {
        self.jobs.is_empty()
            && self.opening.is_none()
            && self.batches.is_empty()
            && self.shared.backlog.load(SeqCst) == 0
    }

    /// Starts requests until as many are in flight as may be.
    fn send_out(&mut self) {
        let is_over = |stop: Instant| stop <= Instant::now();
        while self.in_flight < self.concurrency && !self.stop.is_some_and(is_over) {
            if self.opening.is_none() && !self.open_next() {
                return;
            }
            self.send_out_next();
        }
    }

    /// Opens the next batch: a whole one if one was handed over, else single spans if there are enough
    /// of them or they have waited long enough.
    fn open_next(&mut self) -> bool {
        if let Some(job) = self.jobs.pop_front() {
            for waiting in &mut self.flushes {
                waiting.jobs = waiting.jobs.saturating_sub(1);
            }
            self.open(job);
            return true;
        }
        let backlog = self.shared.backlog.load(SeqCst);
        if backlog == 0 || (backlog < self.shared.batch_spans && self.due <= self.taken) {
            return false;
        }
        let mut spans = std::mem::take(&mut self.spare);
        let queued = std::iter::from_fn(|| self.queue.try_recv().ok());
        let taken = Resources::split_off(queued.take(self.shared.batch_spans), &mut spans);
        let count = spans.len();
        self.taken += count as u64;
        self.shared.backlog.fetch_sub(count, SeqCst);
        let Some((resources, bytes)) = taken else {
            self.spare = spans;
            return false;
        };
        self.open(Job {
            spans,
            resources,
            bytes,
            claim: Claim::new(Arc::clone(&self.shared), count),
            tokens: TokenSource::Resolver,
            reply: None,
        });
        true
    }

    fn open(&mut self, job: Job) {
        let Job {
            mut spans,
            resources,
            bytes,
            mut claim,
            tokens,
            reply,
        } = job;
        let batch = self.next_batch;
        self.next_batch += 1;
        let panics = self.enrichers.apply(&mut spans);
        self.shared.counters.panicked(panics);
        let mut grouping = Grouping::of(&spans, &self.destinations);
        self.reparent(&mut spans, &grouping);
        let skipped = Skipped {
            refused: std::mem::take(&mut grouping.refused),
            no_identity: grouping.no_identity,
            other_operation: grouping.other_operations.len(),
        };
        claim
            .split(skipped.no_identity)
            .dropped(DropReason::NoIdentity);
        claim
            .split(skipped.other_operation)
            .dropped(DropReason::OtherOperation);
        claim
            .split(skipped.refused.iter().map(|refused| refused.spans).sum())
            .dropped(DropReason::BadIdentity);
        self.batches.insert(
            batch,
            InFlight::new(bytes, grouping.groups.len(), skipped, reply),
        );
        if grouping.groups.is_empty() {
            self.finish(batch);
        }
        self.opening = Some(Opening {
            batch,
            spans,
            resources,
            grouping,
            sent_out: 0,
            claim,
            tokens,
        });
    }

    /// Gives spans whose parents are not sent other parents.
    fn reparent(&self, spans: &mut [SpanData], grouping: &Grouping) {
        if !self.reparents {
            return;
        }
        let unsent = &grouping.other_operations;
        let mut lineage = self.shared.lineage();
        if let Some(lineage) = lineage.as_mut().filter(|_| !self.enrichers.is_empty()) {
            // An enricher may have given them the operation that they lacked when they ended.
            for group in &grouping.groups {
                for span in grouping.spans_of(group, spans) {
                    lineage.forget(&key(span));
                }
            }
        }
        reparent(spans, unsent, lineage.as_deref());
    }

    /// Encodes the next identity of the opened batch and starts its request.
    fn send_out_next(&mut self) {
        let Some(opening) = &mut self.opening else {
            return;
        };
        let Some(group) = opening.next_group() else {
            self.recycle();
            return;
        };
        let uri = group.destination.uri.clone();
        self.in_flight += 1;
        let index = opening.sent_out;
        let Some(mut ticket) = next_ticket(opening, &self.shared) else {
            return;
        };
        let mut parcels = Parcels::default();
        if let Some(group) = opening.grouping.groups.get(index) {
            let packing = Packing {
                encoder: &mut self.encoder,
                buffers: &self.buffers,
                max_payload_bytes: self.max_payload_bytes,
            };
            parcels = opening.pack(group, packing);
        }
        ticket.truncated = parcels.truncated;
        let courier = Arc::clone(&self.courier);
        let shared = Arc::clone(&self.shared);
        self.tasks.spawn(async move {
            // A panic drops the ticket, which counts its spans.
            let carried = courier.carry(&shared, ticket, uri, parcels.list);
            if contain::future(|| carried).await.is_err() {
                shared.counters.panicked(1);
            }
        });
        if opening.next_group().is_none() {
            self.recycle();
        }
    }

    /// Drops the spans of the opened batch, which are all encoded, and keeps their memory.
    fn recycle(&mut self) {
        if let Some(opening) = self.opening.take() {
            let mut spans = opening.spans;
            spans.clear();
            if spans.capacity() > self.spare.capacity() && spans.capacity() <= MAX_SPARE_SPANS {
                self.spare = spans;
            }
        }
    }

    /// Reports a batch whose identities are all settled.
    fn finish(&mut self, batch: u64) {
        let Some(in_flight) = self.batches.remove(&batch) else {
            return;
        };
        self.shared.counters.release_bytes(in_flight.bytes);
        let (report, reply) = in_flight.into_report();
        if let Some(reason) = report.service_reason() {
            self.shared.keep_message(reason);
        }
        log::report(&report);
        self.log_caller_losses();
        if let Some(observer) = self.observer.as_ref().and_then(Foreign::get) {
            if contain::call(|| observer(&report)).is_err() {
                self.shared.counters.panicked(1);
                log::observer_panicked();
            }
        }
        if let Some(reply) = reply {
            // Whoever exported may have stopped waiting, which changes nothing for the spans.
            let _ = reply.send(Arc::new(report));
        }
    }

    /// Answers the flushes whose batches are all reported.
    fn answer_flushes(&mut self) {
        let oldest = self.batches.keys().next().copied().unwrap_or(u64::MAX);
        let last_opened = self.next_batch.checked_sub(1);
        let taken = self.taken;
        self.flushes.retain_mut(|waiting| {
            if waiting.last_batch.is_none()
                && waiting.jobs == 0
                && waiting.flush.single_spans <= taken
            {
                waiting.last_batch = last_opened;
                if last_opened.is_none() {
                    let _ = waiting.flush.reply.send(());
                    return false;
                }
            }
            match waiting.last_batch {
                Some(last) if last < oldest => {
                    let _ = waiting.flush.reply.send(());
                    false
                }
                _ => true,
            }
        });
    }

    fn log_caller_losses(&mut self) {
        self.caller_losses.log(&self.shared.counters.snapshot());
    }
}

/// Takes the next group out of `opening`. Whoever drops the ticket has lost its spans.
fn next_ticket(opening: &mut Opening, shared: &Arc<Shared>) -> Option<Ticket> {
    let group = opening.next_group()?;
    let (identity, spans) = (group.identity.clone(), group.len);
    let tokens = opening.tokens_for(&identity);
    let slot = opening.sent_out;
    opening.sent_out += 1;
    Some(Ticket {
        identity,
        tokens,
        batch: opening.batch,
        slot,
        spans,
        answered: Answered::default(),
        requests: 0,
        truncated: 0,
        body_bytes: 0,
        claim: Some(opening.claim.split(spans)),
        events: shared.events.clone(),
    })
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("in_flight", &self.in_flight)
            .finish_non_exhaustive()
    }
}
