//! Carries the spans of one identity: token, tries, pauses.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use agentspan_model::agent365::Identity;
use agentspan_model::agent365::contract::Cure;
use agentspan_model::received::Withheld;
use agentspan_queue::contain::{self, Foreign, Panicked};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use tokio::time::{Instant, sleep, timeout};

use super::lanes::{Cause, Outcome};
use super::load::Load;
use super::log;
use super::outbox::Outbox;
use super::pass::Pass;
use super::press::Press;
use super::shared::Shared;
use super::ticket::Ticket;
use super::token_source::TokenSource;
use super::turn::GaveUp;
use super::waits::Awaited;
use crate::access_token::AccessToken;
use crate::destination::{Recipient, segment};
use crate::export_error::{ExportError, ResolverError, TokenUnavailable};
use crate::missing_permission::MissingPermission;
use crate::receipt::Receipt;
use crate::refusal;
use crate::report::{Attempt, AttemptOutcome};
use crate::retry::{self, Failed, RetryPolicy, RetryTimer};
use crate::retry_after::AskedPause;
use crate::service_reason::ServiceReason;
use crate::token_resolver::{TokenQuery, TokenResolver};
use crate::transport::{HttpAnswer, Transport, TransportError};
use crate::wire_profile::{MissingToken, WireProfile};
use agentspan_record::DropReason;

/// The parts that all requests of a delivery share.
pub(crate) struct Courier {
    pub(crate) wire: &'static WireProfile,
    pub(crate) transport: Transport,
    pub(crate) resolver: Foreign<Arc<dyn TokenResolver>>,
    pub(crate) token_deadline: Duration,
    /// For one try.
    pub(crate) timeout: Duration,
    pub(crate) retry: RetryPolicy,
    pub(crate) timer: Foreign<Arc<dyn RetryTimer>>,
    /// Whether `Retry-After` may be a date.
    pub(crate) retry_after_dates: bool,
    /// Whether the tenant's id is sent in a header, too.
    pub(crate) tenant_header: bool,
    /// Whether 401 and 413 end a request, as in the reference.
    pub(crate) final_refusals: bool,
}

/// Names the tenant beside the URL.
const TENANT_HEADER: HeaderName = HeaderName::from_static("x-ms-tenant-id");

/// The state of a load on its way.
struct Trip<'a> {
    shared: &'a Shared,
    press: &'a Press,
    pass: Pass,
    attempts: Vec<Attempt>,
}

/// The facts known about a failed try.
#[derive(Clone, Default)]
pub(super) struct LastTry {
    status: Option<u16>,
    source: Option<TransportError>,
    /// The reasons in the service's answer.
    reasons: Vec<ServiceReason>,
}

impl LastTry {
    fn exhausted(self, identity: &Identity, tries: u32) -> ExportError {
        ExportError::RetriesExhausted {
            identity: identity.clone(),
            tries,
            last_status: self.status,
            source: self.source,
            reasons: self.reasons,
        }
    }

    fn poison(self, identity: &Identity, tries: u32) -> ExportError {
        ExportError::Poison {
            identity: identity.clone(),
            tries,
            last_status: self.status,
            reasons: self.reasons,
        }
    }
}

/// The outcome of sending the next request of an outbox.
enum Sent {
    /// The service took it.
    Taken(Receipt),
    /// It was not taken, and its identity has paused.
    Paused,
}

/// How often a body is refused before it is taken for poison.
const MAX_REFUSALS: u32 = 4;

/// How often the next request of an outbox was tried.
#[derive(Default)]
struct Tries {
    count: u32,
    /// How often it was refused with a status of 5xx, which may be due to its body or to the service.
    refusals: u32,
    /// The count of the lane's taken requests when it was first refused.
    taken: Option<u64>,
}

impl Tries {
    /// Counts one more refusal. Whether the body is at fault: the service has taken others of the lane
    /// meanwhile.
    fn are_of_poison(&mut self, taken: u64) -> bool {
        self.refusals += 1;
        let first = *self.taken.get_or_insert(taken);
        self.refusals >= MAX_REFUSALS && taken > first
    }
}

/// The judgement of a try.
enum Judgement {
    /// The service took the request.
    Taken(HttpAnswer),
    /// The answer is final.
    Final(ExportError),
    /// Another try may help.
    Again {
        last: LastTry,
        /// The pause that the service asks for.
        asked: Option<Duration>,
    },
}

impl Courier {
    fn pause_after(&self, pass: &Pass, tries: u32, asked: Option<Duration>) -> Option<Duration> {
        let failed = Failed {
            tries,
            failures: pass.failures,
            asked,
            age: pass.since.elapsed(),
        };
        let random = || {
            let timer = self.timer.get();
            let random = timer.and_then(|timer| contain::call(|| timer.random()).ok());
            let random = random.filter(|random| !random.is_nan());
            random.unwrap_or_else(retry::random)
        };
        self.retry.pause_after(failed, random)
    }

    /// Delivers the requests of one identity, one after the other, and settles its ticket.
    pub(super) async fn carry(&self, shared: &Shared, press: &Press, pass: Pass, load: Box<Load>) {
        let Load {
            mut ticket,
            spans,
            resource,
            since: _,
        } = *load;
        let mut outbox = Outbox::new(spans, resource, ticket.held.bytes);
        let mut trip = Trip {
            shared,
            press,
            pass,
            attempts: Vec::new(),
        };
        let delivered = self.deliver(&mut trip, &mut ticket, &mut outbox);
        let result = delivered.await;
        if let Err(ExportError::TokenPanic { .. }) = &result {
            shared.counters.panicked(1);
        }
        ticket.requests = outbox.requests();
        ticket.body_bytes = outbox.body_bytes();
        ticket.truncated = outbox.truncated();
        // The memory is free before it is said to be.
        drop(outbox);
        ticket.settle(std::mem::take(&mut trip.attempts), result.err());
    }

    /// All requests have the same token. What follows a lost one is not sent, unless that was a
    /// span which is too large or poison.
    async fn deliver(
        &self,
        trip: &mut Trip<'_>,
        ticket: &mut Ticket,
        outbox: &mut Outbox,
    ) -> Result<(), ExportError> {
        let room = trip.press.forecast(ticket.held.bytes);
        let mut token = self.first_token(trip, ticket, room).await?;
        let mut is_renewed = false;
        let mut tries = Tries::default();
        while !outbox.is_empty() {
            let sent = self.try_all(trip, token.as_ref(), outbox, ticket, &mut tries);
            let error = match sent.await {
                Ok(Sent::Taken(receipt)) => {
                    let body_bytes = outbox.ahead().body_bytes;
                    ticket.answered(outbox.settle(), receipt, body_bytes);
                    is_renewed = false;
                    tries = Tries::default();
                    continue;
                }
                Ok(Sent::Paused) => {
                    // Pauses are long: the token may be none any more, and is replaced once more when it is refused.
                    is_renewed = false;
                    if self.retry.reports_queued() {
                        token = self.first_token(trip, ticket, room).await?;
                    }
                    continue;
                }
                Err(error) => error,
            };
            tries = Tries::default();
            if let ExportError::Poison { .. } = &error {
                if !outbox.divide() {
                    ticket.lost(outbox.settle(), error);
                }
                continue;
            }
            match &error {
                ExportError::Status { status: 413, .. } if !self.final_refusals => {
                    let refused = outbox.ahead();
                    log::too_large(
                        &ticket.recipient.identity,
                        refused.spans,
                        refused.body_bytes,
                    );
                    if !outbox.refuse() {
                        ticket.too_large(outbox.settle(), refused.body_bytes);
                    }
                }
                ExportError::Status { status: 401, .. }
                    if !self.final_refusals && !is_renewed && is_of_the_token(&error) =>
                {
                    is_renewed = true;
                    let other = self.other_token(&mut trip.pass, ticket, token.as_ref(), room);
                    let other = match other.await {
                        Err(failed) if self.waits_for_tokens(&failed) => {
                            self.first_token(trip, ticket, room).await?
                        }
                        other => other?,
                    };
                    let Some(other) = other else {
                        return Err(error);
                    };
                    log::token_refused(&ticket.recipient.identity);
                    token = Some(other);
                }
                _ => return Err(explained(error, token.as_ref())),
            }
        }
        Ok(())
    }

    /// Whether spans wait for the next answer of the token resolver: if it says that it may have a token
    /// later, and with a profile that keeps spans for later.
    fn waits_for_tokens(&self, error: &ExportError) -> bool {
        if self.retry.reports_queued() {
            return error.reason() == DropReason::Token;
        }
        !self.retry.keeps_slots() && unavailable(error).is_some()
    }

    /// The token of all requests. A resolver that may have one later is asked again.
    async fn first_token(
        &self,
        trip: &mut Trip<'_>,
        ticket: &mut Ticket,
        room: u64,
    ) -> Result<Option<AccessToken>, ExportError> {
        loop {
            let query = query(ticket);
            let token = self.token(&mut trip.pass, ticket, &query, room);
            let error = match token.await {
                Err(error) if self.waits_for_tokens(&error) => error,
                Err(error) => return Err(error),
                Ok(token) => {
                    ticket.recipient.has_token();
                    return Ok(token);
                }
            };
            ticket.recipient.hindered(error.clone());
            let asked = unavailable(&error).and_then(TokenUnavailable::retry_after);
            let Some(pause) = self.pause_after(&trip.pass, 0, asked) else {
                return Err(error);
            };
            let paused = self.wait(trip, ticket, pause, asked, false, room);
            if let Err(gave_up) = paused.await {
                return Err(match gave_up {
                    GaveUp::TooOld => error,
                    _ => gave_up.error(&ticket.recipient, 0, LastTry::default()),
                });
            }
        }
    }

    /// Pauses at least for as long as it is asked to. Meanwhile, the batch is reported, if the profile
    /// does that.
    async fn wait(
        &self,
        trip: &mut Trip<'_>,
        ticket: &mut Ticket,
        pause: Duration,
        asked: Option<Duration>,
        is_refused: bool,
        room: u64,
    ) -> Result<(), GaveUp> {
        if self.retry.reports_queued() {
            ticket.queued(trip.attempts.clone());
        }
        // "At once" asks for no pause.
        let asked = asked.filter(|asked| !asked.is_zero());
        let asked = asked.map(|asked| asked.min(pause));
        let cause = match asked {
            Some(asked) => Cause::Asked(Instant::now() + asked),
            None if is_refused => Cause::Refused,
            None => Cause::Other,
        };
        let paused = trip.pass.pause(pause, asked, cause, room);
        ticket.pausing(paused).await
    }

    /// Another token than the one that was refused, if there is one. A request has no second token
    /// of its own, unless the program has replaced the first.
    async fn other_token(
        &self,
        pass: &mut Pass,
        ticket: &Ticket,
        refused: Option<&AccessToken>,
        room: u64,
    ) -> Result<Option<AccessToken>, ExportError> {
        let Some(refused) = refused else {
            return Ok(None);
        };
        let query = query(ticket).with_refused(refused.clone());
        let other = self.token(pass, ticket, &query, room).await?;
        Ok(other.filter(|token| !query.refuses(token)))
    }

    /// Sends the next request of the outbox until the service has taken it, or will not.
    async fn try_all(
        &self,
        trip: &mut Trip<'_>,
        token: Option<&AccessToken>,
        outbox: &mut Outbox,
        ticket: &mut Ticket,
        tries: &mut Tries,
    ) -> Result<Sent, ExportError> {
        let recipient = Arc::clone(&ticket.recipient);
        let (identity, uri) = (&recipient.identity, recipient.uri_for(token));
        loop {
            let headers = self.headers(ticket, token)?;
            tries.count += 1;
            let parcel = outbox.encode(trip.press);
            trip.pass.sends(&parcel);
            let secret = token.map_or("", AccessToken::as_str).as_bytes();
            let withheld = Withheld::new().with_secret(secret).with_body(&parcel.body);
            trip.shared.counters.attempted();
            let answer = self.post(&mut trip.pass, uri, headers, parcel.body.clone());
            let awaited = Awaited::Answer { tries: tries.count };
            let answer = ticket.wait.until(awaited, &ticket.recipient, answer).await;
            let outcome = outcome(&answer, &withheld);
            let judgement = self.judge(identity, parcel.spans, &withheld, answer);
            let pause = match &judgement {
                Judgement::Again { asked, .. } => self.pause_after(&trip.pass, tries.count, *asked),
                Judgement::Taken(_) | Judgement::Final(_) => None,
            };
            trip.pass.answered(judgement.outcome());
            let attempt = Attempt { outcome, pause };
            log::attempt(identity, uri, tries.count, &attempt);
            trip.attempts.push(attempt);
            let (last, asked) = match judgement {
                Judgement::Taken(answer) => {
                    ticket.recipient.is_served();
                    let receipt = Receipt::read(answer.body(), &outbox.keys(), &withheld);
                    return Ok(Sent::Taken(receipt));
                }
                Judgement::Final(error) => return Err(error),
                Judgement::Again { last, asked } => (last, asked),
            };
            let failed = last.clone().exhausted(identity, tries.count);
            ticket.recipient.hindered(failed);
            // A request that waits holds no body.
            let room = parcel.memory;
            drop(parcel);
            if let Some(pause) = pause.filter(|_| self.retry.keeps_slots()) {
                ticket.pausing(self.pause(pause)).await;
                continue;
            }
            let is_refused = matches!(last.status, Some(500..=502 | 504..=599));
            if !self.retry.keeps_slots() && is_refused && tries.are_of_poison(trip.pass.taken) {
                return Err(last.poison(identity, tries.count));
            }
            let paused = match pause {
                Some(pause) => {
                    let paused = self.wait(trip, ticket, pause, asked, is_refused, room);
                    paused.await
                }
                None => Err(GaveUp::TooOld),
            };
            let gave_up = |why: GaveUp| why.error(&ticket.recipient, tries.count, last);
            return paused.map(|()| Sent::Paused).map_err(gave_up);
        }
    }

    /// One try. If it takes long and others need what it holds, it is given up before its time.
    async fn post(
        &self,
        pass: &mut Pass,
        uri: &Uri,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<HttpAnswer, TransportError> {
        let started = Instant::now();
        let answer = self.transport.post(uri, headers, body, self.timeout);
        pass.answer(answer).await.unwrap_or_else(|| {
            let timeout = started.elapsed();
            Err(TransportError::Timeout { timeout })
        })
    }

    /// Pauses, whatever the timer does.
    pub(super) async fn rest(&self, pause: Duration, shared: &Shared) {
        if contain::future(|| self.pause(pause)).await.is_err() {
            shared.counters.panicked(1);
            sleep(pause).await;
        }
    }

    /// Whoever panics here costs this identity, as far as it was not delivered.
    pub(super) async fn pause(&self, pause: Duration) {
        if let Some(timer) = self.timer.get() {
            timer.pause(pause).await;
        }
    }

    /// The token of the request, or else what the resolver says. Whatever that does costs this
    /// identity and no other.
    async fn token(
        &self,
        pass: &mut Pass,
        ticket: &Ticket,
        query: &TokenQuery,
        room: u64,
    ) -> Result<Option<AccessToken>, ExportError> {
        if let Some(token) = own_token(ticket) {
            return Ok(Some(token));
        }
        let Some(resolver) = self.resolver.get() else {
            return Ok(None);
        };
        let ask = |deadline| timeout(deadline, contain::future(|| resolver.resolve(query)));
        let asked = ticket
            .wait
            .until(Awaited::Token, &ticket.recipient, ask(self.token_deadline));
        let asked = pass.aside(asked, room).await;
        let mut asked =
            asked.map_err(|gave_up| gave_up.error(&ticket.recipient, 0, LastTry::default()))?;
        if asked.is_err() {
            // A cache that waited for a new token has an old one at hand.
            asked = ask(Duration::ZERO).await;
        }
        let identity = || query.identity.clone();
        Err(match asked {
            Ok(Ok(Ok(token))) => return Ok(token.filter(|token| !token.is_empty())),
            Ok(Ok(Err(error))) => ExportError::Token {
                identity: identity(),
                source: ResolverError::new(error),
            },
            Ok(Err(Panicked { .. })) => ExportError::TokenPanic {
                identity: identity(),
            },
            Err(_) => ExportError::TokenTimeout {
                identity: identity(),
                deadline: self.token_deadline,
            },
        })
    }

    fn headers(
        &self,
        ticket: &Ticket,
        token: Option<&AccessToken>,
    ) -> Result<HeaderMap, ExportError> {
        let identity = &ticket.recipient.identity;
        // With room for those that the transport adds.
        let mut headers = HeaderMap::with_capacity(5);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if self.tenant_header {
            let tenant = segment(identity.tenant.as_str()).to_string();
            if let Ok(value) = HeaderValue::try_from(tenant) {
                headers.insert(TENANT_HEADER, value);
            }
        }
        let without_token = match ticket.tokens {
            TokenSource::Resolver => self.wire.missing_token,
            TokenSource::Request(_) => MissingToken::Drop,
        };
        match (token, without_token) {
            (Some(token), _) => {
                let value = token.to_header().map_err(|error| ExportError::Token {
                    identity: identity.clone(),
                    source: ResolverError::new(error.into()),
                })?;
                headers.insert(AUTHORIZATION, value);
            }
            (None, MissingToken::SendWithout) => log::no_token(identity),
            (None, MissingToken::Drop) => {
                return Err(ExportError::NoToken {
                    identity: identity.clone(),
                });
            }
        }
        Ok(headers)
    }

    /// Judges a try. The head of an answer decides.
    fn judge(
        &self,
        identity: &Identity,
        spans: usize,
        withheld: &Withheld<'_>,
        answer: Result<HttpAnswer, TransportError>,
    ) -> Judgement {
        let reasons = |answer| refusal::reasons(answer, spans, withheld);
        match answer {
            Ok(answer) if answer.status().is_success() => Judgement::Taken(answer),
            Ok(answer) if retry::repeats(answer.status()) => Judgement::Again {
                last: LastTry {
                    status: Some(answer.status().as_u16()),
                    source: None,
                    reasons: reasons(&answer),
                },
                asked: self.asked_pause(&answer),
            },
            Ok(answer) => Judgement::Final(ExportError::Status {
                identity: identity.clone(),
                status: answer.status().as_u16(),
                correlation_id: answer.correlation_id(withheld),
                permission: None,
                reasons: reasons(&answer),
            }),
            Err(error) => Judgement::Again {
                last: LastTry {
                    source: Some(error),
                    ..LastTry::default()
                },
                asked: None,
            },
        }
    }

    fn asked_pause(&self, answer: &HttpAnswer) -> Option<Duration> {
        let asked = answer.asked_pause();
        let reads_dates = self.retry_after_dates || self.wire.retry_after_dates;
        asked
            .filter(|asked| reads_dates || matches!(asked, AskedPause::For(_)))
            .map(|asked| asked.counted_from(SystemTime::now()))
    }
}

impl Judgement {
    /// The outcome for the service's window.
    fn outcome(&self) -> Outcome {
        match self {
            Self::Taken(_) => Outcome::Settled,
            Self::Final(_) => Outcome::Refused,
            Self::Again { last, asked } => match (last.status, &last.source) {
                // A pause that the service asks for binds the identity, and says nothing of others.
                (Some(429), _) if asked.is_some_and(|asked| !asked.is_zero()) => Outcome::Failed,
                (Some(429 | 503), _) | (_, Some(TransportError::Timeout { .. })) => {
                    Outcome::Throttled
                }
                _ => Outcome::Failed,
            },
        }
    }
}

impl GaveUp {
    /// The error for the spans of an identity.
    pub(super) fn error(self, recipient: &Recipient, tries: u32, last: LastTry) -> ExportError {
        let identity = recipient.identity.clone();
        let source = recipient.obstacle();
        match self {
            Self::TooOld => last.exhausted(&identity, tries),
            Self::QueueShare => ExportError::QueueShare { identity, source },
            Self::Shutdown => ExportError::ShutdownDeadline { identity, source },
        }
    }
}

/// The resolver's answer, if it may have a token later.
fn unavailable(error: &ExportError) -> Option<&TokenUnavailable> {
    match error {
        ExportError::Token { source, .. } => source.unavailable(),
        _ => None,
    }
}

/// The question for the token of these spans.
fn query(ticket: &Ticket) -> TokenQuery {
    let query = TokenQuery::new(ticket.recipient.identity.clone());
    match &ticket.recipient.agentic_user {
        Some(user) => query.with_agentic_user(user),
        None => query,
    }
}

/// The token that the request was given.
fn own_token(ticket: &Ticket) -> Option<AccessToken> {
    let TokenSource::Request(Some(token)) = &ticket.tokens else {
        return None;
    };
    Some(token.current()).filter(|token| !token.is_empty())
}

/// Whether another token may help against a 401: it does not if the route is wrong for its kind.
fn is_of_the_token(error: &ExportError) -> bool {
    let meaning = error.meaning();
    meaning.is_none_or(|meaning| meaning.cure == Cure::Renew)
}

/// Says what the token lacks if the service forbids the request.
fn explained(mut error: ExportError, token: Option<&AccessToken>) -> ExportError {
    if let ExportError::Status {
        status: 403,
        permission,
        ..
    } = &mut error
    {
        *permission = token.and_then(MissingPermission::of);
    }
    error
}

fn outcome(answer: &Result<HttpAnswer, TransportError>, withheld: &Withheld<'_>) -> AttemptOutcome {
    match answer {
        Ok(answer) => AttemptOutcome::Answered {
            status: answer.status().as_u16(),
            correlation_id: answer.correlation_id(withheld),
            body_bytes: answer.body().len(),
            is_whole: answer.is_whole(),
        },
        Err(error) => AttemptOutcome::Failed(error.clone()),
    }
}

impl fmt::Debug for Courier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Courier")
            .field("transport", &self.transport)
            .field("timeout", &self.timeout)
            .field("token_deadline", &self.token_deadline)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: Option<u16>, asked: Option<u64>, expected: Outcome) {
        let timeout = Duration::ZERO;
        let source = status
            .is_none()
            .then_some(TransportError::Timeout { timeout });
        let last = LastTry {
            status,
            source,
            reasons: Vec::new(),
        };
        let asked = asked.map(Duration::from_secs);
        let judgement = Judgement::Again { last, asked };
        assert_eq!(judgement.outcome(), expected, "{status:?} {asked:?}");
    }

    #[test]
    fn a_pause_that_the_service_asks_one_identity_for_does_not_narrow_the_window_of_all() {
        check(Some(429), Some(10), Outcome::Failed);
        // "At once" asks for no pause.
        check(Some(429), Some(0), Outcome::Throttled);
        check(Some(429), None, Outcome::Throttled);
        check(Some(503), Some(10), Outcome::Throttled);
        check(Some(500), None, Outcome::Failed);
        check(None, None, Outcome::Throttled);
    }
}
