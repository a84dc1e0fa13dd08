//! Tokens that are kept until shortly before they expire.

use std::collections::HashMap;
use std::fmt;
use std::mem;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use agentspan_discovery::unverified_expiry;
use agentspan_model::agent365::Identity;
use agentspan_queue::PerProcess;
use async_trait::async_trait;
use tokio::sync::Semaphore;

use crate::access_token::AccessToken;
use crate::export_error::SharedFailure;
use crate::longest::LONGEST;
use crate::token_resolver::{BoxError, TokenQuery, TokenResolver};

/// No more tokens are remembered. When there are more, all that are not in use are forgotten.
const MAX_TOKENS: usize = 10_000;

/// A token that is refused is thrown away at most once in this time, so that a service that refuses
/// all of them does not make the identity provider busy.
const REFUSAL_PAUSE: Duration = Duration::from_secs(30);

/// Keeps the tokens of another resolver, one for each identity, and for each user that an agent acts as.
///
/// - A token is used until five minutes before the time in its `exp` claim, and for at most 24 hours;
///   one without that claim for an hour. Nothing is verified: the service decides what a token is
///   worth.
/// - One question for a token is asked at a time. Others that need the same token meanwhile wait for its
///   outcome, and get it, a failure included. If the future that asks is dropped, the next one asks.
/// - When the resolver fails before the old token has expired, the old one is used on.
/// - When the service answers 401, the token is thrown away and the resolver is asked for another. A
///   401 for the new one within 30 seconds changes nothing.
///
/// "No token" is not remembered, and an empty token is none.
pub struct TokenCache<R> {
    resolver: R,
    refresh_before: Duration,
    max_lifetime: Duration,
    lifetime_without_expiry: Duration,
    /// A forked child asks for tokens itself: another thread of its parent may have been asking.
    slots: PerProcess<Slots>,
}

type Slots = Mutex<HashMap<Key, Arc<Slot>>>;

/// An identity, and the user that its agent acts as.
type Key = (Identity, Option<String>);

/// One question of the resolver, until it fails. Those that wait for it find the failure here.
type Flight = OnceLock<SharedFailure>;

/// One token.
#[derive(Debug)]
struct Slot {
    /// Whoever has the permit asks the resolver.
    asking: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    kept: Option<Kept>,
    /// The question that is asked, or the next one.
    flight: Arc<Flight>,
    refused_at: Option<Instant>,
}

#[derive(Clone, Debug)]
struct Kept {
    token: AccessToken,
    refresh_at: Instant,
    expires_at: Instant,
}

impl<R: TokenResolver> TokenCache<R> {
    /// A cache before `resolver`.
    #[must_use]
    pub fn new(resolver: R) -> Self {
        Self {
            resolver,
            refresh_before: Duration::from_secs(5 * 60),
            max_lifetime: Duration::from_secs(24 * 60 * 60),
            lifetime_without_expiry: Duration::from_secs(60 * 60),
            slots: PerProcess::default(),
        }
    }

    /// How long before its expiry a token is replaced. Default: 5 minutes.
    #[must_use]
    pub fn with_refresh_before(mut self, time: Duration) -> Self {
        self.refresh_before = time;
        self
    }

    /// For how long a token is used at most, whatever it says: a year or less. Default: 24 hours.
    #[must_use]
    pub fn with_max_lifetime(mut self, time: Duration) -> Self {
        self.max_lifetime = time;
        self
    }

    /// For how long a token is used that does not say when it expires, if the maximum is not shorter.
    /// Default: 1 hour.
    #[must_use]
    pub fn with_lifetime_without_expiry(mut self, time: Duration) -> Self {
        self.lifetime_without_expiry = time;
        self
    }

    fn slot(&self, query: &TokenQuery) -> Arc<Slot> {
        let key = (query.identity.clone(), query.agentic_user.clone());
        let mut slots = self
            .slots
            .get(|_| Slots::default())
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(&key) {
            return Arc::clone(slot);
        }
        if slots.len() >= MAX_TOKENS {
            slots.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        let slot = Arc::new(Slot {
            asking: Semaphore::new(1),
            state: Mutex::default(),
        });
        slots.insert(key, Arc::clone(&slot));
        slot
    }

    fn keep(&self, token: AccessToken) -> Kept {
        let now = Instant::now();
        let (left, margin) = match unverified_expiry(token.as_str()) {
            Some(expiry) => {
                let left = expiry.duration_since(SystemTime::now());
                (left.unwrap_or(Duration::ZERO), self.refresh_before)
            }
            None => (self.lifetime_without_expiry, Duration::ZERO),
        };
        let left = left.min(self.max_lifetime).min(LONGEST);
        Kept {
            token,
            refresh_at: now + left.saturating_sub(margin),
            expires_at: now + left,
        }
    }
}

impl State {
    /// Throws the token away, which was refused, unless one was thrown away a short time ago.
    fn throw_away(&mut self) -> bool {
        let now = Instant::now();
        let is_soon = self
            .refused_at
            .is_some_and(|at| now.duration_since(at) < REFUSAL_PAUSE);
        if !is_soon {
            self.refused_at = Some(now);
            self.kept = None;
        }
        !is_soon
    }
}

impl Slot {
    fn with_state<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn kept(&self) -> Option<Kept> {
        self.with_state(|state| state.kept.clone())
    }
}

#[async_trait]
impl<R: TokenResolver> TokenResolver for TokenCache<R> {
    async fn resolve(&self, query: &TokenQuery) -> Result<Option<AccessToken>, BoxError> {
        let slot = self.slot(query);
        let flight = slot.with_state(|state| Arc::clone(&state.flight));
        let is_good = |kept: &Kept| Instant::now() < kept.refresh_at && !query.refuses(&kept.token);
        if let Some(kept) = slot.kept().filter(is_good) {
            return Ok(Some(kept.token));
        }
        let _permit = slot.asking.acquire().await?;
        // Another request may have asked meanwhile.
        if let Some(kept) = slot.kept().filter(is_good) {
            return Ok(Some(kept.token));
        }
        if let Some(failure) = flight.get().filter(|_| slot.kept().is_none()) {
            return Err(failure.clone().into());
        }
        if let Some(kept) = slot.kept().filter(|kept| query.refuses(&kept.token)) {
            if !slot.with_state(State::throw_away) {
                return Ok(Some(kept.token));
            }
        }
        let old = slot.kept();
        let answer = self.resolver.resolve(query).await;
        match answer.map(|token| token.filter(|token| !token.is_empty())) {
            Ok(Some(token)) => {
                let kept = self.keep(token.clone());
                slot.with_state(|state| state.kept = Some(kept));
                Ok(Some(token))
            }
            Ok(None) => {
                slot.with_state(|state| state.kept = None);
                Ok(None)
            }
            Err(error) => match old.filter(|kept| Instant::now() < kept.expires_at) {
                Some(kept) => Ok(Some(kept.token)),
                None => {
                    let failure = SharedFailure::new(error);
                    // Later questions are asked anew.
                    let flight = slot.with_state(|state| mem::take(&mut state.flight));
                    let _ = flight.set(failure.clone());
                    Err(failure.into())
                }
            },
        }
    }
}

impl<R> fmt::Debug for TokenCache<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache")
            .field("refresh_before", &self.refresh_before)
            .field("max_lifetime", &self.max_lifetime)
            .field("lifetime_without_expiry", &self.lifetime_without_expiry)
            .finish_non_exhaustive()
    }
}
