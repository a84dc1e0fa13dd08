//! The work of the thread: it forms batches, sends out their identities, and answers callers that
//! wait.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use agentspan_queue::contain::{self, Foreign};
use agentspan_record::{DropReason, FinishedSpan, Preparation};
use hashbrown::HashMap;
use opentelemetry_sdk::trace::SpanData;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, timeout_at};

use super::advice::Advice;
use super::caller_losses::CallerLosses;
use super::claim::Claim;
use super::courier::{Courier, LastTry};
use super::event::{Event, Job};
use super::flushes::Flushes;
use super::in_flight::InFlight;
use super::lanes::{Cause, Lanes, Pause, Size, Started};
use super::load::{Item, Load};
use super::log;
use super::parent::key;
use super::pass::Pass;
use super::press::Press;
use super::queued_span::{QueuedSpan, Resources};
use super::reparent::reparent;
use super::setup::{Observer, Setup};
use super::shared::Shared;
use super::ticket::{Answered, Ticket};
use super::token_source::TokenSource;
use super::turn::{GaveUp, Place, Resume, Step};
use crate::destination::{Recipient, Recipients};
use crate::grouping::Grouping;
use crate::report::{ExportReport, IdentityReport};
use crate::stats::Room;

/// Memory for more spans than this is given back to the system.
const MAX_SPARE_SPANS: usize = 4_096;

/// How many batches are opened at once when spans have gathered.
const MAX_BATCHES: usize = 16;

/// Spans that take this part of the queue are opened, however few they are for each identity.
const GATHERED: u64 = 4;

/// Which part of the memory of the queue bodies may take.
const BODIES: u64 = 8;

/// How long a request holds its slot at least, unless batches are formed more often: a request that
/// has no answer after that time, and after four times the usual one, delays only its own identity.
const MAX_PATIENCE: Duration = Duration::from_secs(1);
const MIN_PATIENCE: Duration = Duration::from_millis(50);

/// Flushes end pauses at most once in this time.
const HURRY: Duration = Duration::from_secs(1);

/// The state of the thread. It stays consistent at every point where foreign code runs or a future
/// waits, so that a panic in one step costs the spans of that step and the next one goes on.
pub(super) struct Worker {
    shared: Arc<Shared>,
    events: UnboundedReceiver<Event>,
    queue: UnboundedReceiver<QueuedSpan>,
    courier: Arc<Courier>,
    recipients: Recipients,
    press: Arc<Press>,
    observer: Option<Foreign<Observer>>,
    preparation: Preparation,
    reparents: bool,
    advice: Advice,
    /// The memory of the last batch, to be used for the next: of single spans, and of prepared
    /// ones.
    spare_finished: Vec<FinishedSpan>,
    spare: Vec<SpanData>,
    spare_sizes: Vec<u64>,
    /// For bodies that are on their way.
    max_body_bytes: u64,
    batch_delay: Duration,

    jobs: VecDeque<Job>,
    lanes: Lanes<Arc<Recipient>, Item>,
    /// When a flush or the end last ended pauses.
    hurried: Option<Instant>,
    /// How many identities the last batch had.
    spread: usize,
    batches: BTreeMap<u64, InFlight>,
    next_batch: u64,
    /// How many identities wait for another try though their batch does not wait for them.
    parked: usize,
    tasks: JoinSet<()>,
    /// Ends the turns of others that wait for an answer.
    cuts: HashMap<u64, oneshot::Sender<()>>,

    /// Single spans taken from the queue so far.
    taken: u64,
    /// Single spans up to this number are sent without waiting for a full batch.
    due: u64,
    next_tick: Instant,
    flushes: Flushes,
    stop: Option<Instant>,
    caller_losses: CallerLosses,
}

impl Worker {
    pub(super) fn new(
        shared: Arc<Shared>,
        setup: Setup,
        events: UnboundedReceiver<Event>,
        queue: UnboundedReceiver<QueuedSpan>,
    ) -> Self {
        let patience = setup.batch_delay.clamp(MIN_PATIENCE, MAX_PATIENCE);
        let patience = (!setup.courier.retry.keeps_slots()).then_some(patience);
        let bounds = Size {
            spans: setup.bounds.spans,
            bytes: setup.bounds.bytes,
        };
        Self {
            shared,
            events,
            queue,
            courier: Arc::new(setup.courier),
            recipients: Recipients::new(setup.destinations),
            press: Arc::new(Press::new(
                setup.encoder,
                setup.max_payload_bytes,
                setup.estimate,
            )),
            observer: setup.observer,
            preparation: setup.preparation,
            reparents: setup.reparents,
            advice: Advice::by(setup.judge),
            spare_finished: Vec::new(),
            spare: Vec::new(),
            spare_sizes: Vec::new(),
            max_body_bytes: setup.bounds.bytes / BODIES,
            batch_delay: setup.batch_delay,
            jobs: VecDeque::new(),
            lanes: Lanes::new(setup.concurrency, patience, bounds),
            hurried: None,
            spread: 1,
            batches: BTreeMap::new(),
            next_batch: 0,
            parked: 0,
            tasks: JoinSet::new(),
            cuts: HashMap::new(),
            taken: 0,
            due: 0,
            next_tick: Instant::now() + setup.batch_delay,
            flushes: Flushes::default(),
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
            let is_opened = self.open_next();
            self.start_requests();
            self.answer_flushes();
            if self.stop.is_some() && self.is_idle() {
                return;
            }
            let event = if is_opened {
                // There may be more to open, and requests have to get on meanwhile.
                yield_now().await;
                self.events.try_recv().ok()
            } else {
                match timeout_at(self.wake_at(), self.events.recv()).await {
                    Ok(None) => return,
                    event => event.ok().flatten(),
                }
            };
            if let Some(event) = event {
                self.handle(event);
            }
            while let Ok(event) = self.events.try_recv() {
                self.handle(event);
            }
            let now = Instant::now();
            self.shared.send_requests_due(now);
            self.lanes.take_slots_back(now);
            if self.stop.is_some_and(|deadline| deadline <= now) && !self.is_idle() {
                self.shared.ledger.set_deadline_passed();
                return;
            }
            if self.next_tick <= now {
                self.next_tick = now + self.batch_delay;
                self.due = self.due.max(self.queued_ever());
                self.expire(now);
                self.make_room(now);
                // When no batch is ever done, nothing else would say why.
                self.log_caller_losses();
            }
        }
    }

    /// When there is something to do, though nothing happens.
    fn wake_at(&self) -> Instant {
        let others = [
            self.stop,
            self.shared.next_request_deadline(),
            self.lanes.next_deadline(Instant::now()),
        ];
        let others = others.into_iter().flatten();
        others.fold(self.next_tick, Instant::min)
    }

    /// Gives up what is left and accounts for it.
    pub(super) async fn close(&mut self) {
        // Loads on their way report themselves when their tasks are dropped; the rest is reported
        // here.
        self.tasks.shutdown().await;
        self.lanes.drain().for_each(drop);
        // The thread may end without having been told to stop.
        self.shared.shut_requests();
        self.events.close();
        self.queue.close();
        // A closed channel gives what was sent before, and what a sender is about to finish
        // sending.
        while let Some(event) = self.events.recv().await {
            match event {
                Event::Job(job) => self.jobs.push_back(job),
                // What was queued is reported before what became of it later.
                Event::Queued { .. } | Event::Delivered { .. } => self.handle(event),
                Event::Wake
                | Event::Step { .. }
                | Event::AskedIsOver(_)
                | Event::Rested(_)
                | Event::Flush(_)
                | Event::Stop { .. } => {}
            }
        }
        let reason = match self.shared.ledger.reason_of_loss() {
            DropReason::ShutdownDeadline => DropReason::ShutdownDeadline,
            _ => self.shared.ledger.reason_of_end(),
        };
        for job in self.jobs.drain(..) {
            job.claim.dropped(reason);
        }
        self.batches.clear();
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
                recipient,
                batch,
                slot,
                held,
                report,
            } => {
                self.lanes.settled(&recipient, held);
                self.settle(batch, slot, report);
                while self.tasks.try_join_next().is_some() {}
            }
            Event::Queued {
                batch,
                slot,
                report,
            } => self.park(batch, slot, report),
            Event::Step { turn, step } => self.step(turn, step),
            Event::AskedIsOver(pause) => self.lanes.asked_is_over(&pause),
            Event::Rested(pause) => self.lanes.rested(&pause),
            Event::Flush(flush) => {
                // A load that waits for another try is reported, and a flush does not wait for it.
                if !self.courier.retry.reports_queued() {
                    self.hurry();
                }
                let due = self.queued_ever();
                self.due = self.due.max(due);
                self.flushes.push(flush, due, self.jobs.len());
            }
            Event::Stop { deadline } => {
                self.hurried = None;
                self.hurry();
                // Whoever has more time gets it, unless the spans are counted as lost already.
                let deadline = match self.stop {
                    Some(first) if self.shared.is_given_up() => first,
                    Some(other) => other.max(deadline),
                    None => deadline,
                };
                self.due = u64::MAX;
                self.stop = Some(deadline);
                self.drop_pausing();
            }
        }
    }

    /// Gives up spans which the service does not want before the end.
    fn drop_pausing(&mut self) {
        let Some(deadline) = self.stop else { return };
        for item in self.lanes.pausing_at(deadline) {
            self.shared.ledger.set_deadline_passed();
            give_up(item, GaveUp::Shutdown);
        }
    }

    /// How many single spans came out of the queue, and are in it.
    fn queued_ever(&self) -> u64 {
        self.taken + self.queue.len() as u64
    }

    /// Keeps what became of the spans of one identity. If their batch was reported while they waited,
    /// they get a report of their own.
    fn settle(&mut self, batch: u64, slot: usize, report: IdentityReport) {
        let Some(in_flight) = self.batches.get_mut(&batch) else {
            self.parked = self.parked.saturating_sub(1);
            let identities = vec![report];
            self.tell(&ExportReport {
                identities,
                ..ExportReport::default()
            });
            return;
        };
        if !in_flight.settle(slot, report) {
            self.parked = self.parked.saturating_sub(1);
        }
        if in_flight.is_complete() {
            self.finish(batch);
        }
    }

    /// The spans of one identity wait for another try, and their batch does not wait for them.
    fn park(&mut self, batch: u64, slot: usize, report: IdentityReport) {
        let Some(in_flight) = self.batches.get_mut(&batch) else {
            return;
        };
        if !in_flight.knows(slot) && in_flight.settle(slot, report) {
            self.parked += 1;
        }
        if in_flight.is_complete() {
            self.finish(batch);
        }
    }

    /// Parks all that waits behind a try that has failed.
    fn park_those_behind(&mut self, recipient: &Arc<Recipient>) {
        if self.courier.retry.reports_queued() {
            let waiting = self.lanes.waiting_for_pause(recipient);
            waiting.for_each(Item::pauses);
        }
    }

    fn step(&mut self, turn: u64, step: Step) {
        if let Step::Back(_) | Step::Again { .. } | Step::Over = step {
            self.cuts.remove(&turn);
        }
        match step {
            Step::Answered(outcome) => self.lanes.answered(turn, outcome, Instant::now()),
            Step::Aside => self.lanes.step_aside(turn, Instant::now()),
            Step::Back(resume) => self.lanes.come_back(turn, Item::Request(resume)),
            Step::Again {
                pause,
                asked,
                cause,
                resume,
            } => {
                let rest = asked.map_or(Duration::ZERO, |asked| pause.saturating_sub(asked));
                self.again(turn, [pause - rest, rest], cause, resume);
            }
            Step::Over => self.lanes.leave(turn),
        }
    }

    /// A try has failed, and another one comes after a pause of the lane. A second part of the pause is our own, after
    /// one that the service asked for.
    fn again(&mut self, turn: u64, pause: [Duration; 2], cause: Cause, resume: Resume) {
        let [first, rest] = pause;
        let is_over = |stop: Instant| stop.saturating_duration_since(Instant::now()) <= first;
        if !matches!(cause, Cause::Asked(_)) && self.stop.is_some_and(is_over) {
            self.shared.ledger.set_deadline_passed();
            self.lanes.leave(turn);
            resume.give_up(GaveUp::Shutdown);
            return;
        }
        // A shutdown waits no longer than the service asks.
        let rest = self.stop.map_or(rest, |_| Duration::ZERO);
        if let Some(parked) = self.lanes.again(turn, Item::Request(resume), cause) {
            self.rest(parked, [first, rest]);
        }
        // What waits behind it is not wanted before the end, either.
        self.drop_pausing();
    }

    /// Pauses a lane, and says when both parts are over.
    fn rest(&mut self, parked: Pause<Arc<Recipient>>, [first, rest]: [Duration; 2]) {
        self.park_those_behind(&parked.lane);
        let courier = Arc::clone(&self.courier);
        let shared = Arc::clone(&self.shared);
        self.tasks.spawn(async move {
            courier.rest(first, &shared).await;
            if !rest.is_zero() {
                let _ = shared.events.send(Event::AskedIsOver(parked.clone()));
                courier.rest(rest, &shared).await;
            }
            let _ = shared.events.send(Event::Rested(parked));
        });
    }

    /// Lets lanes try again that the service did not ask to pause.
    fn hurry(&mut self) {
        let now = Instant::now();
        if self.hurried.is_none_or(|hurried| hurried + HURRY <= now) {
            self.hurried = Some(now);
            self.lanes.hurry();
        }
    }

    /// Gives up what has waited for too long for a service that fails.
    fn expire(&mut self, now: Instant) {
        let Some(max_age) = self.courier.retry.max_age() else {
            return;
        };
        let age = |item: &Item| now.saturating_duration_since(item.since());
        for item in self.lanes.expire(|item| age(item) >= max_age) {
            give_up(item, GaveUp::TooOld);
        }
    }

    /// Whether nothing waits and nothing is on its way.
    fn is_idle(&self) -> bool {
        let is_all_reported = self.batches.is_empty() && self.parked == 0;
        self.jobs.is_empty() && is_all_reported && self.shared.backlog.load(SeqCst) == 0
    }

    /// Starts requests, as many as there are slots and there is memory for.
    fn start_requests(&mut self) {
        let is_over = |stop: Instant| stop <= Instant::now();
        while !self.stop.is_some_and(is_over) {
            let has_room = self.shared.counters.body_bytes() < self.max_body_bytes.max(1);
            let started = has_room.then(|| self.lanes.next(Instant::now())).flatten();
            let Some(started) = started else {
                // A request that does not get its answer costs nobody else their turn.
                let slowest = self.lanes.slowest(!has_room, Instant::now());
                if let Some(cut) = slowest.and_then(|turn| self.cuts.remove(&turn)) {
                    let _ = cut.send(());
                }
                return;
            };
            let Started {
                turn,
                item,
                failures,
                taken,
            } = started;
            let counters = Arc::clone(&self.shared.counters);
            let (signal, cut) = oneshot::channel();
            self.cuts.insert(turn, signal);
            let place = Place {
                turn,
                failures,
                taken,
                room: Room::new(counters, item.room(&self.press)),
                cut,
            };
            match item {
                Item::Load(load) => self.start(place, load),
                Item::Request(resume) => {
                    if !resume.go(place) {
                        self.cuts.remove(&turn);
                        self.lanes.leave(turn);
                    }
                }
            }
        }
    }

    /// Starts the requests of spans whose turn it is.
    fn start(&mut self, place: Place, load: Box<Load>) {
        let shared = Arc::clone(&self.shared);
        let courier = Arc::clone(&self.courier);
        let press = Arc::clone(&self.press);
        let keeps_slot = courier.retry.keeps_slots();
        let pass = Pass::new(shared.events.clone(), place, load.since, keeps_slot);
        self.tasks.spawn(async move {
            // A panic drops the ticket, which counts its spans. The task is small, since it is
            // moved several times.
            let carried = Box::pin(courier.carry(&shared, &press, pass, load));
            if contain::future(|| carried).await.is_err() {
                shared.counters.panicked(1);
            }
        });
    }

    /// Drops `spans`, and keeps their memory for the next batch.
    fn keep_memory(&mut self, mut spans: Vec<SpanData>) {
        spans.clear();
        if spans.capacity() > self.spare.capacity() && spans.capacity() <= MAX_SPARE_SPANS {
            self.spare = spans;
        }
    }

    /// Opens the next batch: a whole one if one was handed over, else single spans if there are
    /// enough of them or they have waited long enough.
    fn open_next(&mut self) -> bool {
        if let Some(job) = self.jobs.pop_front() {
            self.flushes.job_is_opened();
            self.open(job);
            return true;
        }
        let Some(most) = self.next_batch_spans() else {
            return false;
        };
        let mut spans = std::mem::take(&mut self.spare_finished);
        let mut sizes = std::mem::take(&mut self.spare_sizes);
        let queued = std::iter::from_fn(|| self.queue.try_recv().ok());
        let taken = Resources::split_off(queued.take(most), &mut spans, &mut sizes);
        let count = spans.len();
        self.taken += count as u64;
        self.shared.backlog.fetch_sub(count, SeqCst);
        let Some((resources, bytes)) = taken else {
            (self.spare_finished, self.spare_sizes) = (spans, sizes);
            return false;
        };
        self.shared.backlog_bytes.fetch_sub(bytes, SeqCst);
        self.open(Job {
            spans,
            sizes,
            resources,
            claim: Claim::new(Arc::clone(&self.shared.ledger), count, bytes),
            tokens: TokenSource::Resolver,
            reply: None,
        });
        true
    }

    /// How many single spans are opened now, if any are. When they belong to many identities, or
    /// requests wait for their turn, spans gather, so that each request has more of them. No more
    /// are opened than make full requests: spans are in the processor's cache then from the first
    /// look at them until they are encoded.
    fn next_batch_spans(&self) -> Option<usize> {
        let shared = &*self.shared;
        let batches = match self.lanes.are_busy() {
            true => MAX_BATCHES,
            false => self.spread.clamp(1, MAX_BATCHES),
        };
        let most = shared.batch_spans.saturating_mul(batches);
        let bounds = shared.counters.bounds();
        let part = usize::try_from(bounds.spans / GATHERED).unwrap_or(usize::MAX);
        let enough = most.min(part.max(shared.batch_spans));
        let heavy = (bounds.bytes / GATHERED).max(1);
        // Before the backlog is read: whoever makes it enough after that wakes the thread.
        shared.enough_spans.store(enough, SeqCst);
        shared.enough_bytes.store(heavy, SeqCst);
        let backlog = shared.backlog.load(SeqCst);
        let is_due = self.due > self.taken;
        let is_heavy = shared.backlog_bytes.load(SeqCst) >= heavy;
        (backlog > 0 && (is_due || is_heavy || backlog >= enough)).then_some(most)
    }

    fn open(&mut self, job: Job) {
        let Job {
            spans: finished,
            mut sizes,
            resources,
            mut claim,
            tokens,
            reply,
        } = job;
        let since = Instant::now();
        let mut spans = self.prepare(finished, &mut sizes);
        claim.weigh(sizes.iter().sum());
        let mut grouping = Grouping::of(&spans, &mut self.recipients);
        self.spread = grouping.groups.len();
        self.reparent(&mut spans, &grouping);
        self.advice.look_at(&spans);
        let tenant_key = self.recipients.destinations.tenant_key;
        self.advice.miss(&grouping.missing, tenant_key);
        let skipped = ExportReport {
            refused: std::mem::take(&mut grouping.refused),
            no_identity: grouping.no_identity,
            other_operation: grouping.other_operations.len(),
            ..ExportReport::default()
        };
        drop_skipped(&mut claim, &skipped);
        let batch = self.next_batch;
        self.next_batch += 1;
        // A batch that was handed over as one stays in one request, as far as it can.
        let most = match &reply {
            Some(_) => usize::MAX,
            None => self.shared.batch_spans,
        };
        let loads = grouping.groups.iter().map(|group| group.len.div_ceil(most));
        let loads = loads.sum();
        let in_flight = InFlight::new(loads, skipped, reply);
        self.batches.insert(batch, in_flight);
        if loads == 0 {
            self.finish(batch);
        }
        let tokens = tokens.of_groups(&grouping);
        let parts = grouping.split(&mut spans);
        let mut slot = 0;
        let groups = grouping.groups.iter().zip(parts).zip(tokens);
        for ((group, mut rest), tokens) in groups {
            let resource = resources.of(group.first());
            let mut bytes = grouping.places_of(group).filter_map(|at| sizes.get(at));
            while !rest.is_empty() {
                let spans = first_of(&mut rest, most);
                let bytes = bytes.by_ref().take(spans.len()).sum();
                let claim = claim.split_with(spans.len(), bytes);
                let held = claim.size();
                let ticket = Ticket {
                    recipient: Arc::clone(&group.recipient),
                    tokens: tokens.clone(),
                    batch,
                    slot,
                    spans: spans.len(),
                    held,
                    answered: Answered::default(),
                    requests: 0,
                    truncated: 0,
                    body_bytes: 0,
                    claim: Some(claim),
                    events: self.shared.events.clone(),
                    wait: self.shared.waits.place(),
                };
                slot += 1;
                // A ticket that is dropped here has lost its spans.
                let Some(resource) = resource else {
                    continue;
                };
                self.push(Load {
                    ticket,
                    spans,
                    resource: Arc::clone(resource),
                    since,
                });
            }
        }
        self.drop_pausing();
        self.keep_memory(spans);
        sizes.clear();
        self.spare_sizes = sizes;
    }

    /// Puts spans into their lane, and takes out of it what is beyond its share.
    fn push(&mut self, load: Load) {
        let (recipient, held) = (Arc::clone(&load.ticket.recipient), load.ticket.held);
        self.lanes
            .push(&recipient, Item::Load(Box::new(load)), held);
        self.drop_excess(&recipient, Instant::now());
        self.park_those_behind(&recipient);
    }

    /// Takes room from a lane that does not drain, if others may want it. Nothing more may come for that lane, if the
    /// queue is full and lets nothing in.
    fn make_room(&mut self, now: Instant) {
        for item in self.lanes.make_room(self.used(), now, Item::held) {
            give_up(item, GaveUp::QueueShare);
        }
    }

    /// How much the queue holds.
    fn used(&self) -> Size {
        let (spans, bytes) = self.shared.counters.queued();
        Size { spans, bytes }
    }

    /// Takes out of a lane what is beyond its share.
    fn drop_excess(&mut self, recipient: &Arc<Recipient>, now: Instant) {
        let used = self.used();
        for item in self.lanes.take_excess(recipient, used, now, Item::held) {
            give_up(item, GaveUp::QueueShare);
        }
    }

    /// The spans as they are sent, within limits. `sizes` are their estimated memory before and after.
    fn prepare(&mut self, mut finished: Vec<FinishedSpan>, sizes: &mut Vec<u64>) -> Vec<SpanData> {
        let mut spans = std::mem::take(&mut self.spare);
        let prepared = self.preparation.prepare(finished.drain(..), &mut spans);
        self.shared.counters.panicked(prepared.panics);
        if prepared.is_changed {
            // A rendered span may have grown.
            sizes.clear();
            sizes.extend(spans.iter_mut().map(|span| self.shared.limit(span)));
        }
        if finished.capacity() <= MAX_SPARE_SPANS {
            self.spare_finished = finished;
        }
        spans
    }

    /// Gives spans whose parents are not sent other parents.
    fn reparent(&self, spans: &mut [SpanData], grouping: &Grouping) {
        if !self.reparents {
            return;
        }
        let unsent = &grouping.other_operations;
        let mut lineage = self.shared.lineage();
        if let Some(lineage) = lineage.as_mut().filter(|_| self.preparation.enriches()) {
            // An enricher may have given them the operation that they lacked when they ended.
            for group in &grouping.groups {
                for span in grouping.spans_of(group, spans) {
                    lineage.forget(&key(span));
                }
            }
        }
        reparent(spans, unsent, lineage.as_deref());
    }

    /// Reports a batch whose identities are all settled.
    fn finish(&mut self, batch: u64) {
        let Some(in_flight) = self.batches.remove(&batch) else {
            return;
        };
        let (report, reply) = in_flight.into_report();
        self.tell(&report);
        if let Some(reply) = reply {
            // Whoever exported may have stopped waiting, which changes nothing for the spans.
            let _ = reply.send(Arc::new(report));
        }
    }

    /// Logs a report and shows it to the observer.
    fn tell(&self, report: &ExportReport) {
        if let Some(reason) = report.service_reason() {
            self.shared.keep_message(reason);
        }
        if let Some(obstacle) = report.obstacle() {
            self.shared.keep_failure(obstacle);
        }
        log::report(report);
        if let Some(observer) = self.observer.as_ref().and_then(Foreign::get) {
            if contain::call(|| observer(report)).is_err() {
                self.shared.counters.panicked(1);
                log::observer_panicked();
            }
        }
    }

    /// Answers the flushes whose batches are all reported.
    fn answer_flushes(&mut self) {
        let oldest = self.batches.keys().next().copied();
        self.flushes.answer(self.taken, self.next_batch, oldest);
    }

    fn log_caller_losses(&mut self) {
        self.caller_losses.log(&self.shared.counters.snapshot());
    }
}

/// Settles what goes to nobody.
fn drop_skipped(claim: &mut Claim, skipped: &ExportReport) {
    for reason in [
        DropReason::NoIdentity,
        DropReason::OtherOperation,
        DropReason::BadIdentity,
    ] {
        claim.split(skipped.dropped_for(reason)).dropped(reason);
    }
}

/// Takes the first `most` spans out of `rest`, or all.
fn first_of(rest: &mut Vec<SpanData>, most: usize) -> Vec<SpanData> {
    match rest.len() > most {
        true => rest.drain(..most).collect(),
        false => std::mem::take(rest),
    }
}

/// Settles what is sent no more.
fn give_up(item: Item, why: GaveUp) {
    match item {
        Item::Request(resume) => resume.give_up(why),
        Item::Load(load) => {
            let error = why.error(&load.ticket.recipient, 0, LastTry::default());
            load.ticket.settle(Vec::new(), Some(error));
        }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("batches", &self.batches.len())
            .finish_non_exhaustive()
    }
}
