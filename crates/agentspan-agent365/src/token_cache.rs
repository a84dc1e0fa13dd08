//! Tokens that are kept until shortly before they expire.

use std::collections::HashMap;
use std::fmt;
use std::mem;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use agentspan_discovery::unverified_expiry;
use agentspan_model::agent365::Identity;
use agentspan_queue::{PerProcess, lock};
use async_trait::async_trait;
use tokio::sync::Semaphore;

use crate::access_token::AccessToken;
use crate::export_error::ResolverError;
use crate::longest::LONGEST;
use crate::token_resolver::{BoxError, TokenQuery, TokenResolver};

/// No more tokens are remembered. When there are more, all that are not in use are forgotten.
const MAX_TOKENS: usize = 10_000;

/// A token that is refused is thrown away at most once in this time, so that a service that refuses
/// all of them does not make the identity provider busy.
const REFUSAL_PAUSE: Duration = Duration::from_secs(30);

/// How long before its expiry a token is replaced, unless somebody says otherwise.
const REFRESH_BEFORE: Duration = Duration::from_secs(5 * 60);

/// A resolver that did not answer in time is asked again after this time, as long as the old token is valid.
const REFRESH_PAUSE: Duration = Duration::from_secs(30);

/// Keeps the tokens of another resolver, one for each identity, and for each user that an agent acts as.
///
/// - A token is used until five minutes before the time in its `exp` claim, or for half of its lifetime
///   if that is less than ten minutes, and for at most 24 hours. A token without this claim is used for
///   an hour. The claim is not verified: the service decides whether a token is valid.
/// - The resolver is asked for a token once at a time. Callers that need the same token meanwhile get
///   the old token if it is still valid. Otherwise they wait for the same answer, which may be an
///   error. If the future that asks is dropped, the next caller asks.
/// - If the resolver fails before the old token has expired, the old token stays in use. If the resolver
///   did not answer in time, so that its future was dropped, it is asked again after 30 seconds.
/// - If the service answers 401, the token is discarded and the resolver is asked for another one. A 401
///   for the new token within 30 seconds discards nothing.
///
/// The answer "no token" is not cached, and an empty token counts as no token.
pub struct TokenCache<R> {
    resolver: R,
    /// `None` for the default.
    refresh_before: Option<Duration>,
    max_lifetime: Duration,
    lifetime_without_expiry: Duration,
    /// A forked child asks for tokens itself: another thread of its parent may have been asking.
    slots: PerProcess<Slots>,
}

type Slots = Mutex<HashMap<Key, Arc<Slot>>>;

/// An identity, and the user that its agent acts as.
type Key = (Identity, Option<String>);

/// One question of the resolver, until it fails. Those that wait for it find the failure here.
type Flight = OnceLock<ResolverError>;

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
    /// A cache in front of `resolver`.
    #[must_use]
    pub fn new(resolver: R) -> Self {
        Self {
            resolver,
            refresh_before: None,
            max_lifetime: Duration::from_secs(24 * 60 * 60),
            lifetime_without_expiry: Duration::from_secs(60 * 60),
            slots: PerProcess::default(),
        }
    }

    /// Sets how long before its expiry a token is replaced. The default is 5 minutes, or half of its
    /// lifetime if that is less.
    #[must_use]
    pub fn with_refresh_before(mut self, time: Duration) -> Self {
        self.refresh_before = Some(time);
        self
    }

    /// Sets how long a token is used at most, whatever its claims say. The default is 24 hours, and the
    /// maximum is one year.
    #[must_use]
    pub fn with_max_lifetime(mut self, time: Duration) -> Self {
        self.max_lifetime = time;
        self
    }

    /// Sets how long a token without an expiry is used, if the maximum is not shorter. The default is 1
    /// hour.
    #[must_use]
    pub fn with_lifetime_without_expiry(mut self, time: Duration) -> Self {
        self.lifetime_without_expiry = time;
        self
    }

    fn slot(&self, query: &TokenQuery) -> Arc<Slot> {
        let key = (query.identity.clone(), query.agentic_user.clone());
        let mut slots = lock(self.slots.get(|_| Slots::default()));
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

    /// How long before its expiry a token is replaced that has so much time left.
    fn margin(&self, left: Duration) -> Duration {
        let default = REFRESH_BEFORE.min(left / 2);
        self.refresh_before.unwrap_or(default)
    }

    fn keep(&self, token: AccessToken) -> Kept {
        let now = Instant::now();
        let (left, margin) = match unverified_expiry(token.as_str()) {
            Some(expiry) => {
                let left = expiry.duration_since(SystemTime::now());
                let left = left.unwrap_or_default();
                (left, self.margin(left))
            }
            None => (self.lifetime_without_expiry, Duration::ZERO),
        };
        let longest = self.max_lifetime.min(LONGEST);
        Kept {
            token,
            refresh_at: now + left.saturating_sub(margin).min(longest),
            expires_at: now + left.min(longest),
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
        change(&mut lock(&self.state))
    }

    fn kept(&self) -> Option<Kept> {
        self.with_state(|state| state.kept.clone())
    }

    /// The token that is used on while there is no newer one.
    fn old(&self) -> Option<AccessToken> {
        let old = self.kept().filter(|kept| Instant::now() < kept.expires_at);
        old.map(|kept| kept.token)
    }
}

/// A question of the resolver. If nobody waits for its answer any longer, the old token is used for a while before
/// the next.
struct Refresh<'a> {
    slot: &'a Slot,
    has_answer: bool,
}

impl Drop for Refresh<'_> {
    fn drop(&mut self) {
        if !self.has_answer {
            self.slot.with_state(|state| {
                if let Some(kept) = &mut state.kept {
                    kept.refresh_at = (Instant::now() + REFRESH_PAUSE).min(kept.expires_at);
                }
            });
        }
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
        let _permit = match slot.asking.try_acquire() {
            Ok(permit) => permit,
            Err(_) => match slot.old().filter(|old| !query.refuses(old)) {
                Some(old) => return Ok(Some(old)),
                None => slot.asking.acquire().await?,
            },
        };
        // Another request may have asked meanwhile.
        if let Some(kept) = slot.kept().filter(is_good) {
            return Ok(Some(kept.token));
        }
        if let Some(failure) = flight.get().filter(|_| slot.old().is_none()) {
            return Err(failure.clone().into());
        }
        if let Some(kept) = slot.kept().filter(|kept| query.refuses(&kept.token)) {
            if !slot.with_state(State::throw_away) {
                return Ok(Some(kept.token));
            }
        }
        let mut refresh = Refresh {
            slot: &slot,
            has_answer: false,
        };
        let answer = self.resolver.resolve(query).await;
        refresh.has_answer = true;
        drop(refresh);
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
            Err(error) => match slot.old() {
                Some(old) => Ok(Some(old)),
                None => {
                    let failure = ResolverError::new(error);
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::task::{Context, Poll, Waker};

    use futures_executor::block_on;

    use super::*;

    /// Gives one token, and then never answers.
    #[derive(Default)]
    struct Hangs {
        asked: AtomicUsize,
    }

    #[async_trait]
    impl TokenResolver for Hangs {
        async fn resolve(&self, _: &TokenQuery) -> Result<Option<AccessToken>, BoxError> {
            if self.asked.fetch_add(1, SeqCst) > 0 {
                std::future::pending::<()>().await;
            }
            Ok(Some(AccessToken::new("first")?))
        }
    }

    fn query() -> TokenQuery {
        TokenQuery::new(Identity::parse("tenant", "agent").unwrap())
    }

    #[test]
    fn a_resolver_that_hangs_costs_one_question_as_long_as_the_old_token_is_valid() {
        let cache = TokenCache::new(Hangs::default());
        block_on(cache.resolve(&query())).unwrap();
        let slot = cache.slot(&query());
        slot.with_state(|state| state.kept.as_mut().unwrap().refresh_at = Instant::now());
        let asked = query();
        let mut first = cache.resolve(&asked);
        let mut context = Context::from_waker(Waker::noop());
        assert!(matches!(first.as_mut().poll(&mut context), Poll::Pending));
        // Nobody else waits for the answer,
        assert!(block_on(cache.resolve(&query())).unwrap().is_some());
        drop(first);
        // nor is there another question soon.
        assert!(block_on(cache.resolve(&query())).unwrap().is_some());
        assert_eq!(cache.resolver.asked.load(SeqCst), 2);
    }

    #[test]
    fn a_token_that_lasts_for_minutes_is_used_for_half_of_its_time() {
        let cache = TokenCache::new(Hangs::default());
        let margin = |seconds| cache.margin(Duration::from_secs(seconds)).as_secs();
        assert_eq!([0, 60, 598, 600, 3_600].map(margin), [0, 30, 299, 300, 300]);
        let cache = cache.with_refresh_before(Duration::from_secs(90));
        assert_eq!(cache.margin(Duration::from_secs(60)).as_secs(), 90);
    }
}
