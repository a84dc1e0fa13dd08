//! The spans of requests that are not over.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use agentspan_record::{DropReason, RequestToken};
use opentelemetry::trace::{SpanId, TraceId};
use tokio::time::Instant;

use super::parent::{Parent, parent};
use super::queued_span::QueuedSpan;
use crate::export_token::ExportToken;
use crate::per_request::PerRequestExport;

/// How many spans the requests may have started, all together, that go on beside those that there may be.
const MAX_SURPLUS_SPANS: usize = 16_384;

/// Keeps the spans of each request until it is over. Knows no clock: it is told the time.
#[derive(Debug)]
pub(super) struct Requests {
    bounds: PerRequestExport,
    max_surplus_spans: usize,
    /// By number, and so by age.
    open: BTreeMap<u64, Request>,
    /// The newest of those that are open, as many as there may be. The older ones are surplus: what was settled
    /// of them was sent to make room, and they go on without it.
    within_bounds: BTreeSet<u64>,
    /// How many spans the surplus requests have started.
    surplus_spans: usize,
    /// Requests that were given up while spans of theirs ran, to say why those are lost. The oldest are
    /// forgotten when there are too many.
    closed: BTreeMap<u64, Closed>,
    /// Nearly always one: several when another process calls this one several times in one trace.
    by_trace: HashMap<TraceId, Vec<u64>>,
    /// The ends of the grace of requests whose root has ended.
    grace: BTreeSet<(Instant, u64)>,
    next: u64,
    is_shut: bool,
}

/// The spans of a request that are to be sent.
#[derive(Debug)]
pub(super) struct Departure {
    ended: Vec<Ended>,
    /// For spans that have none of their own.
    token: Option<RequestToken>,
}

/// Spans of a request that are sent with the same token.
#[derive(Debug)]
pub(super) struct RequestBatch {
    pub(super) token: Option<ExportToken>,
    pub(super) spans: Vec<QueuedSpan>,
}

#[derive(Debug)]
struct Request {
    trace: TraceId,
    root: SpanId,
    expires_at: Instant,
    /// Once the root has ended.
    grace_until: Option<Instant>,
    /// All spans that were started.
    members: HashSet<SpanId>,
    /// Spans that have not ended, with the tokens of their contexts.
    running: HashMap<SpanId, Option<RequestToken>>,
    ended: Vec<Ended>,
    /// The first that a span of the request was started with.
    token: Option<RequestToken>,
    /// How many spans run that were not taken in.
    refused: usize,
}

#[derive(Debug)]
struct Ended {
    span: QueuedSpan,
    /// One that is withheld is not that of the request either.
    token: Option<RequestToken>,
}

#[derive(Debug)]
struct Closed {
    trace: TraceId,
    running: HashSet<SpanId>,
    refused: usize,
    reason: DropReason,
}

impl Requests {
    pub(super) fn new(bounds: PerRequestExport) -> Self {
        Self {
            bounds,
            max_surplus_spans: MAX_SURPLUS_SPANS,
            open: BTreeMap::new(),
            within_bounds: BTreeSet::new(),
            surplus_spans: 0,
            closed: BTreeMap::new(),
            by_trace: HashMap::new(),
            grace: BTreeSet::new(),
            next: 0,
            is_shut: false,
        }
    }

    /// A span starts. Gives what has ended of the oldest request if there is no room for another.
    pub(super) fn start(
        &mut self,
        now: Instant,
        trace: TraceId,
        span: SpanId,
        parent: Parent,
        token: Option<RequestToken>,
    ) -> Vec<Departure> {
        if self.is_shut {
            return Vec::new();
        }
        let number = match parent {
            Parent::Here(parent) => self.request_of(trace, parent),
            Parent::Elsewhere => None,
        };
        if let Some((number, request)) =
            number.and_then(|number| Some((number, self.open.get_mut(&number)?)))
        {
            let is_added = request.add(span, token, self.bounds.max_spans);
            if is_added && !self.within_bounds.contains(&number) {
                self.surplus_spans += 1;
            }
            return self.bound_surplus();
        }
        let sent = self.make_room();
        let mut request = Request {
            trace,
            root: span,
            expires_at: now + self.bounds.max_age,
            grace_until: None,
            members: HashSet::new(),
            running: HashMap::new(),
            ended: Vec::new(),
            token: None,
            refused: 0,
        };
        request.add(span, token, self.bounds.max_spans);
        self.open.insert(self.next, request);
        self.within_bounds.insert(self.next);
        self.by_trace.entry(trace).or_default().push(self.next);
        self.next += 1;
        sent
    }

    /// A span ends. `admit` makes it one of the queue, or loses it. Gives the request when it is over, or
    /// why the span is lost.
    pub(super) fn end(
        &mut self,
        now: Instant,
        trace: TraceId,
        span: SpanId,
        admit: impl FnOnce() -> Option<QueuedSpan>,
    ) -> Result<Option<Departure>, DropReason> {
        if self.is_shut {
            return Err(DropReason::AfterShutdown);
        }
        let Some(number) = self.running_in(trace, span) else {
            return Err(self.reason_of_loss(trace, span));
        };
        let Some(request) = self.open.get_mut(&number) else {
            return Ok(None);
        };
        let token = request.running.remove(&span).flatten();
        if let Some(span) = admit() {
            request.ended.push(Ended { span, token });
        }
        if span == request.root {
            let until = now + self.bounds.grace;
            request.grace_until = Some(until);
            self.grace.insert((until, number));
        }
        let is_over = request.grace_until.is_some() && request.running.is_empty();
        Ok(is_over
            .then(|| self.close(number, DropReason::RequestOver))
            .flatten())
    }

    /// When a request has to be sent, though spans of it run.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let grace = self.grace.first().map(|(until, _)| *until);
        let age = self.open.values().next().map(|oldest| oldest.expires_at);
        grace.into_iter().chain(age).min()
    }

    /// The requests that have to be sent now.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Departure> {
        let mut due = Vec::new();
        while let Some((until, number)) = self.grace.first().copied() {
            if until > now {
                break;
            }
            due.extend(self.close(number, DropReason::RequestOver));
        }
        while let Some((number, oldest)) = self.open.first_key_value() {
            if oldest.expires_at > now {
                break;
            }
            let number = *number;
            due.extend(self.close(number, DropReason::RequestTimedOut));
        }
        due
    }

    /// The spans that have ended so far. Their requests go on.
    pub(super) fn take_ended(&mut self) -> Vec<Departure> {
        let open = self.open.values_mut();
        open.filter_map(Request::take_ended).collect()
    }

    /// The spans that have ended, for the last time: no span is taken any more.
    pub(super) fn shut(&mut self) -> Vec<Departure> {
        let ended = self.take_ended();
        self.is_shut = true;
        self.open.clear();
        self.within_bounds.clear();
        self.surplus_spans = 0;
        self.closed.clear();
        self.by_trace.clear();
        self.grace.clear();
        ended
    }

    /// The request that a span with this parent belongs to.
    fn request_of(&self, trace: TraceId, parent: SpanId) -> Option<u64> {
        let numbers = self.by_trace.get(&trace)?;
        let find = |is_it: &dyn Fn(&Request) -> bool| {
            let mut numbers = numbers.iter().copied();
            numbers.find(|number| self.open.get(number).is_some_and(is_it))
        };
        // A parent that was not taken in is unknown, and its children are not taken in either. Any other
        // unknown parent is as good as one in another process.
        find(&|request| request.members.contains(&parent))
            .or_else(|| find(&|request| request.refused > 0))
    }

    fn running_in(&self, trace: TraceId, span: SpanId) -> Option<u64> {
        let mut numbers = self.by_trace.get(&trace)?.iter().copied();
        numbers.find(|number| {
            let request = self.open.get(number);
            request.is_some_and(|request| request.running.contains_key(&span))
        })
    }

    /// Why a span is lost that runs in no request.
    fn reason_of_loss(&mut self, trace: TraceId, span: SpanId) -> DropReason {
        let numbers = self.by_trace.get(&trace).cloned().unwrap_or_default();
        for number in &numbers {
            if let Some(closed) = self.closed.get_mut(number) {
                if closed.running.remove(&span) {
                    let reason = closed.reason;
                    self.forget_if_done(*number);
                    return reason;
                }
            }
        }
        for number in numbers {
            if let Some(request) = self.open.get_mut(&number) {
                if request.refused > 0 {
                    request.refused -= 1;
                    return DropReason::RequestSpanLimit;
                }
            }
            if let Some(closed) = self.closed.get_mut(&number) {
                if closed.refused > 0 {
                    closed.refused -= 1;
                    self.forget_if_done(number);
                    return DropReason::RequestSpanLimit;
                }
            }
        }
        DropReason::RequestOver
    }

    /// Sends what is settled of the oldest request, so that another one may be kept. The rest of it is sent when
    /// it is over: the request goes on.
    fn make_room(&mut self) -> Vec<Departure> {
        if self.within_bounds.len() < self.bounds.max_requests {
            return Vec::new();
        }
        let oldest = self.within_bounds.pop_first();
        let Some(request) = oldest.and_then(|oldest| self.open.get_mut(&oldest)) else {
            return Vec::new();
        };
        self.surplus_spans += request.members.len();
        let mut sent: Vec<_> = request.take_settled().into_iter().collect();
        sent.extend(self.bound_surplus());
        sent
    }

    /// Gives up the oldest of the surplus requests while they are too large. They are older than all others.
    fn bound_surplus(&mut self) -> Vec<Departure> {
        let mut sent = Vec::new();
        while self.surplus_spans > self.max_surplus_spans {
            let oldest = self.open.keys().next().copied();
            let Some(oldest) = oldest.filter(|oldest| !self.within_bounds.contains(oldest)) else {
                break;
            };
            sent.extend(self.close(oldest, DropReason::RequestEvicted));
        }
        sent
    }

    /// Gives what has ended of a request; what has not is lost for `reason`.
    fn close(&mut self, number: u64, reason: DropReason) -> Option<Departure> {
        let mut request = self.open.remove(&number)?;
        if !self.within_bounds.remove(&number) {
            self.surplus_spans = self.surplus_spans.saturating_sub(request.members.len());
        }
        if let Some(until) = request.grace_until {
            self.grace.remove(&(until, number));
        }
        let closed = Closed {
            trace: request.trace,
            running: request.running.keys().copied().collect(),
            refused: request.refused,
            reason,
        };
        self.closed.insert(number, closed);
        self.forget_if_done(number);
        if self.closed.len() > self.bounds.max_requests {
            if let Some((oldest, closed)) = self.closed.pop_first() {
                self.forget(closed.trace, oldest);
            }
        }
        request.take_ended()
    }

    fn forget_if_done(&mut self, number: u64) {
        let is_done = |closed: &Closed| closed.running.is_empty() && closed.refused == 0;
        if self.closed.get(&number).is_some_and(is_done) {
            if let Some(closed) = self.closed.remove(&number) {
                self.forget(closed.trace, number);
            }
        }
    }

    fn forget(&mut self, trace: TraceId, number: u64) {
        if let Some(numbers) = self.by_trace.get_mut(&trace) {
            numbers.retain(|other| *other != number);
            if numbers.is_empty() {
                self.by_trace.remove(&trace);
            }
        }
    }
}

impl Request {
    /// Says whether there is room for the span.
    fn add(&mut self, span: SpanId, token: Option<RequestToken>, max_spans: usize) -> bool {
        if self.members.len() >= max_spans {
            self.refused += 1;
            return false;
        }
        if self.token.is_none() {
            self.token = token.clone().filter(|token| !token.is_withheld());
        }
        self.running.insert(span, token);
        self.members.insert(span)
    }

    fn take_ended(&mut self) -> Option<Departure> {
        let ended = std::mem::take(&mut self.ended);
        self.departure(ended)
    }

    /// Takes the ended spans, except those below a running span: if that one is not sent, the spans
    /// below it get another parent, which is known when it ends. A root is known when it starts.
    fn take_settled(&mut self) -> Option<Departure> {
        let mut below: HashMap<SpanId, Vec<SpanId>> = HashMap::new();
        for Ended { span, .. } in &self.ended {
            if let Parent::Here(parent) = parent(&span.span.data) {
                let id = span.span.data.span_context.span_id();
                below.entry(parent).or_default().push(id);
            }
        }
        let mut unsettled: Vec<_> = self.running.keys().copied().collect();
        unsettled.retain(|span| *span != self.root);
        let mut waiting = HashSet::new();
        while let Some(span) = unsettled.pop() {
            for child in below.remove(&span).unwrap_or_default() {
                waiting.insert(child);
                unsettled.push(child);
            }
        }
        let ended = std::mem::take(&mut self.ended);
        let (waiting, settled) = ended
            .into_iter()
            .partition(|ended| waiting.contains(&ended.span.span.data.span_context.span_id()));
        self.ended = waiting;
        self.departure(settled)
    }

    fn departure(&self, ended: Vec<Ended>) -> Option<Departure> {
        (!ended.is_empty()).then(|| Departure {
            ended,
            token: self.token.clone(),
        })
    }
}

impl Departure {
    /// The spans by token, in the order in which the tokens first appear.
    pub(super) fn into_batches(self) -> Vec<RequestBatch> {
        let mut batches: Vec<RequestBatch> = Vec::new();
        for Ended { span, token } in self.ended {
            let token = token.as_ref().or(self.token.as_ref());
            let token = token.and_then(ExportToken::of_carried);
            let is_same = |batch: &&mut RequestBatch| match (&batch.token, &token) {
                (Some(one), Some(other)) => one.is(other),
                (None, None) => true,
                _ => false,
            };
            match batches.iter_mut().find(is_same) {
                Some(batch) => batch.spans.push(span),
                None => batches.push(RequestBatch {
                    token,
                    spans: vec![span],
                }),
            }
        }
        batches
    }
}

#[cfg(test)]
mod tests;
