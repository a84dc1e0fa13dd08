//! Tokens that are kept until shortly before they expire.

use std::collections::HashMap;
use std::future::Future;
use std::mem;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use agentspan_agent365::AccessToken;
use agentspan_queue::PerProcess;
use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::error::EntraError;
use crate::form::Key;
use crate::secret::Secret;

/// No more are remembered. When there are more, those that are not in use are forgotten.
const MAX_KEPT: usize = 10_000;

/// A token that lives no longer than this is not used, since it may expire on its way.
const LEAST_LEFT: Duration = Duration::from_secs(30);

/// How long a token is used on when it could not be replaced, before the next question.
const PAUSE: Duration = Duration::from_secs(30);

/// A token that is refused by the service is thrown away at most once in this time, so that a service
/// that refuses all of them does not make Entra busy.
const REFUSAL_PAUSE: Duration = Duration::from_secs(30);

/// Longer pauses are not kept to, and longer lives are not believed.
const LONGEST: Duration = Duration::from_secs(60 * 60);
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// A new secret, and how long it can be used.
#[derive(Clone, Debug)]
pub(crate) struct Fresh {
    pub(crate) secret: Secret,
    pub(crate) lifetime: Duration,
    /// When Entra wants to be asked for the next one, if it says so.
    pub(crate) refresh_in: Option<Duration>,
}

/// The tokens and assertions of a client.
#[derive(Debug)]
pub(crate) struct Cache {
    clock: Arc<dyn Clock>,
    refresh_before: Duration,
    /// A forked child asks itself: another thread of its parent may have been asking.
    slots: PerProcess<Mutex<HashMap<Key, Arc<Slot>>>>,
}

/// One token.
#[derive(Debug)]
struct Slot {
    /// Whoever has the permit asks.
    asking: Semaphore,
    state: Mutex<State>,
}

/// A question, from its first try until it fails. Those who wait for it find its failure here. If whoever asks is
/// cancelled, it has not failed, and the next one in the queue asks.
type Flight = OnceLock<EntraError>;

#[derive(Debug, Default)]
struct State {
    kept: Option<Kept>,
    /// The question that is asked, or that will be asked next.
    flight: Arc<Flight>,
    /// Until then Entra wants no question.
    paused_until: Option<Instant>,
    refused_at: Option<Instant>,
}

#[derive(Clone, Debug)]
struct Kept {
    secret: Secret,
    since: Instant,
    refresh_at: Instant,
    expires_at: Instant,
}

impl Cache {
    pub(crate) fn new(clock: Arc<dyn Clock>, refresh_before: Duration) -> Self {
        Self {
            clock,
            refresh_before: refresh_before.min(LONGEST_LIFE),
            slots: PerProcess::default(),
        }
    }

    /// The token under `key`, or what `ask` gets. `refused` is one that the service does not take.
    ///
    /// One question for a key is asked at a time, and those who wait for it get its outcome, a failure included. While
    /// an old token lives, nobody waits for the answer but who asks, and a failure changes nothing.
    pub(crate) async fn get<Asked>(
        &self,
        key: &Key,
        refused: Option<&AccessToken>,
        ask: impl FnOnce() -> Asked,
    ) -> Result<Secret, EntraError>
    where
        Asked: Future<Output = Result<Fresh, EntraError>>,
    {
        let slot = self.slot(key);
        slot.throw_away(refused, self.clock.now());
        let flight = slot.with_state(|state| Arc::clone(&state.flight));
        let old = slot.living(self.clock.now());
        let permit = match &old {
            Some(old) if self.clock.now() < old.refresh_at => return Ok(old.secret.clone()),
            Some(old) => match slot.asking.try_acquire() {
                Ok(permit) => permit,
                Err(_) => return Ok(old.secret.clone()),
            },
            None => match slot.asking.acquire().await {
                Ok(permit) => permit,
                // Nobody closes it.
                Err(_) => return Err(EntraError::Paused { retry_after: PAUSE }),
            },
        };
        // Another one may have asked meanwhile.
        let now = self.clock.now();
        let old = slot.living(now);
        if let Some(fresh) = old.as_ref().filter(|kept| now < kept.refresh_at) {
            return Ok(fresh.secret.clone());
        }
        if let Some(error) = flight.get().filter(|_| old.is_none()) {
            return Err(error.clone());
        }
        if let Some(retry_after) = slot.pause_left(now) {
            return old.map_or(
                Err(EntraError::Paused { retry_after }),
                |old| Ok(old.secret),
            );
        }
        let result = ask().await;
        let result = self.settle(&slot, result);
        drop(permit);
        match (result, slot.living(self.clock.now())) {
            (Err(_), Some(old)) => Ok(old.secret),
            (result, _) => result,
        }
    }

    /// The living secret under `key`, although it was to be replaced, if nobody has waited for the
    /// answer. It is used on for a while before the next question, as after a failure.
    pub(crate) fn use_on(&self, key: &Key) -> Option<Secret> {
        let now = self.clock.now();
        self.slot(key).with_state(|state| {
            let kept = state.kept.as_mut().filter(|kept| now < kept.expires_at)?;
            kept.refresh_at = kept.refresh_at.max(now + PAUSE);
            Some(kept.secret.clone())
        })
    }

    /// Whether something lives under `key` since before `time`.
    pub(crate) fn has_since(&self, key: &Key, time: Instant) -> bool {
        let kept = self.slot(key).living(time);
        kept.is_some_and(|kept| kept.since < time)
    }

    /// Forgets what lives under `key` since before `time`, unless that was done a short time ago.
    pub(crate) fn forget(&self, key: &Key, time: Instant) {
        let (slot, now) = (self.slot(key), self.clock.now());
        slot.with_state(|state| {
            let is_old = state.kept.as_ref().is_some_and(|kept| kept.since < time);
            if is_old && !state.was_refused_lately(now) {
                state.refused_at = Some(now);
                state.kept = None;
            }
        });
    }

    fn settle(&self, slot: &Slot, result: Result<Fresh, EntraError>) -> Result<Secret, EntraError> {
        let now = self.clock.now();
        match result {
            Ok(fresh) => {
                let secret = fresh.secret.clone();
                let kept = self.kept(fresh, now);
                slot.with_state(|state| {
                    state.kept = Some(kept);
                    state.paused_until = None;
                });
                Ok(secret)
            }
            Err(error) => {
                let asked = error.retry_after().map(|pause| pause.min(LONGEST));
                slot.with_state(|state| {
                    state.paused_until = asked.map(|pause| now + pause);
                    if let Some(kept) = &mut state.kept {
                        kept.refresh_at = now + asked.unwrap_or_default().max(PAUSE);
                    }
                    // Callers from now on ask anew.
                    let _ = mem::take(&mut state.flight).set(error.clone());
                });
                Err(error)
            }
        }
    }

    fn kept(&self, fresh: Fresh, now: Instant) -> Kept {
        let lifetime = fresh.lifetime.min(LONGEST_LIFE);
        // Processes that started together do not ask together.
        let random = Some(self.clock.random()).filter(|random| !random.is_nan());
        let random = random.unwrap_or_default().clamp(0.0, 1.0);
        let margin = self.refresh_before + self.refresh_before.mul_f64(random);
        let until_refresh = lifetime.saturating_sub(margin).max(lifetime / 2);
        let asked = fresh.refresh_in.unwrap_or(until_refresh);
        let left = LEAST_LEFT.min(lifetime / 2);
        Kept {
            secret: fresh.secret,
            since: now,
            refresh_at: now + until_refresh.min(asked),
            expires_at: now + lifetime.saturating_sub(left),
        }
    }

    fn slot(&self, key: &Key) -> Arc<Slot> {
        let slots = self.slots.get(|_| Mutex::default());
        let mut slots = slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(key) {
            return Arc::clone(slot);
        }
        if slots.len() >= MAX_KEPT {
            let now = self.clock.now();
            let is_in_use = |slot: &Arc<Slot>| Arc::strong_count(slot) > 1;
            let is_needed =
                |slot: &Slot| slot.living(now).is_some() || slot.pause_left(now).is_some();
            slots.retain(|_, slot| is_in_use(slot) || is_needed(slot));
            if slots.len() >= MAX_KEPT {
                slots.retain(|_, slot| is_in_use(slot));
            }
        }
        let slot = Arc::new(Slot {
            asking: Semaphore::new(1),
            state: Mutex::default(),
        });
        slots.insert(key.clone(), Arc::clone(&slot));
        slot
    }
}

impl State {
    fn was_refused_lately(&self, now: Instant) -> bool {
        let at = self.refused_at;
        at.is_some_and(|at| now.saturating_duration_since(at) < REFUSAL_PAUSE)
    }
}

impl Slot {
    fn with_state<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The kept secret, if it has not expired.
    fn living(&self, now: Instant) -> Option<Kept> {
        let kept = self.with_state(|state| state.kept.clone());
        kept.filter(|kept| now < kept.expires_at)
    }

    fn pause_left(&self, now: Instant) -> Option<Duration> {
        let until = self.with_state(|state| state.paused_until)?;
        Some(until.saturating_duration_since(now)).filter(|left| !left.is_zero())
    }

    /// Throws away what was refused, unless that was done a short time ago.
    fn throw_away(&self, refused: Option<&AccessToken>, now: Instant) {
        let Some(refused) = refused else {
            return;
        };
        self.with_state(|state| {
            let kept = state.kept.as_ref();
            let token = kept.and_then(|kept| AccessToken::new(kept.secret.as_str()).ok());
            if token.as_ref() == Some(refused) && !state.was_refused_lately(now) {
                state.refused_at = Some(now);
                state.kept = None;
            }
        });
    }
}
