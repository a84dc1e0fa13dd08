//! Tokens that are kept until shortly before they expire.

use std::collections::HashMap;
use std::future::Future;
use std::mem;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use agentspan_agent365::AccessToken;
use agentspan_queue::{PerProcess, lock};
use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::error::EntraError;
use crate::form::Key;
use crate::secret::Secret;

/// No more are remembered. When there are more, the oldest tokens that are not in use are forgotten.
const MAX_KEPT: usize = 10_000;

/// So many are forgotten at once, so that not every new one looks at all.
const FORGOTTEN_AT_ONCE: usize = MAX_KEPT / 10;

/// How often what has expired is looked for. A key may hold the token of a person, which is not to
/// outlive what it was exchanged for.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

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
    slots: PerProcess<Mutex<Slots>>,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sought<'a> {
    /// An assertion, on the way to other tokens.
    Assertion,
    /// A token. The service does not take the one that was refused.
    Token { refused: Option<&'a AccessToken> },
}

#[derive(Debug, Default)]
struct Slots {
    all: HashMap<Key, Arc<Slot>>,
    swept_at: Option<Instant>,
}

/// One token.
#[derive(Debug)]
struct Slot {
    is_assertion: bool,
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

    /// What is kept under `key`, or what `ask` gets.
    ///
    /// One question for a key is asked at a time, and those who wait for it get its outcome, a failure included. While
    /// an old token lives, nobody waits for the answer but who asks, and a failure changes nothing.
    pub(crate) async fn get<Asked>(
        &self,
        key: &Key,
        sought: Sought<'_>,
        ask: impl FnOnce() -> Asked,
    ) -> Result<Secret, EntraError>
    where
        Asked: Future<Output = Result<Fresh, EntraError>>,
    {
        let slot = self.slot(key, matches!(sought, Sought::Assertion));
        if let Sought::Token { refused } = sought {
            slot.throw_away(refused, self.clock.now());
        }
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
        self.known(key)?.with_state(|state| {
            let kept = state.kept.as_mut().filter(|kept| now < kept.expires_at)?;
            kept.refresh_at = kept.refresh_at.max(now + PAUSE);
            Some(kept.secret.clone())
        })
    }

    /// Whether something lives under `key` since before `time`.
    pub(crate) fn has_since(&self, key: &Key, time: Instant) -> bool {
        let kept = self.known(key).and_then(|slot| slot.living(time));
        kept.is_some_and(|kept| kept.since < time)
    }

    /// Forgets what lives under `key` since before `time`, unless that was done a short time ago.
    pub(crate) fn forget(&self, key: &Key, time: Instant) {
        let Some(slot) = self.known(key) else {
            return;
        };
        let now = self.clock.now();
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

    /// The slot of `key`, if there is one.
    fn known(&self, key: &Key) -> Option<Arc<Slot>> {
        self.with_slots(|slots| slots.all.get(key).cloned())
    }

    /// The slot of `key`, or a new one.
    fn slot(&self, key: &Key, is_assertion: bool) -> Arc<Slot> {
        let now = self.clock.now();
        self.with_slots(|slots| {
            slots.sweep_if_due(now);
            if let Some(slot) = slots.all.get(key) {
                return Arc::clone(slot);
            }
            slots.make_room(now);
            let slot = Arc::new(Slot {
                is_assertion,
                asking: Semaphore::new(1),
                state: Mutex::default(),
            });
            slots.all.insert(key.clone(), Arc::clone(&slot));
            slot
        })
    }

    fn with_slots<T>(&self, act: impl FnOnce(&mut Slots) -> T) -> T {
        let slots = self.slots.get(|_| Mutex::default());
        act(&mut lock(slots))
    }
}

impl Slots {
    fn sweep_if_due(&mut self, now: Instant) {
        let since = *self.swept_at.get_or_insert(now);
        if now.saturating_duration_since(since) >= SWEEP_EVERY {
            self.sweep(now);
        }
    }

    /// Forgets what has expired.
    fn sweep(&mut self, now: Instant) {
        self.swept_at = Some(now);
        self.all
            .retain(|_, slot| is_in_use(slot) || slot.worth(now).is_some());
    }

    /// Makes room for one more.
    fn make_room(&mut self, now: Instant) {
        if self.all.len() < MAX_KEPT {
            return;
        }
        self.sweep(now);
        if self.all.len() < MAX_KEPT {
            return;
        }
        let worth_of = |slot: &Arc<Slot>| slot.worth(now).filter(|_| !is_in_use(slot));
        let mut unused: Vec<Worth> = self.all.values().filter_map(worth_of).collect();
        let is_token = |worth: &&Worth| matches!(worth, Worth::Token { .. });
        let tokens = unused.iter().filter(is_token).count();
        // Anything else only goes where there is no token.
        let most = if tokens > 0 { tokens } else { unused.len() };
        let Some(last) = most.min(FORGOTTEN_AT_ONCE).checked_sub(1) else {
            return;
        };
        let (less, last, _) = unused.select_nth_unstable(last);
        // Of those that are worth as much as the last one, so many that the number is right.
        let mut equals = 1 + less.iter().filter(|worth| *worth == last).count();
        self.all.retain(|_, slot| {
            let Some(worth) = worth_of(slot).filter(|worth| worth <= last) else {
                return true;
            };
            let stays = worth == *last && equals == 0;
            equals -= usize::from(worth == *last && !stays);
            stays
        });
    }
}

fn is_in_use(slot: &Arc<Slot>) -> bool {
    Arc::strong_count(slot) > 1
}

/// Why something is kept. What is worth least comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    /// A token, which costs one question.
    Token { since: Instant },
    /// Entra wants no question, or a token was refused a short time ago.
    Pause { since: Instant },
    /// An assertion, which others need.
    Assertion { since: Instant },
}

impl State {
    fn was_refused_lately(&self, now: Instant) -> bool {
        let at = self.refused_at;
        at.is_some_and(|at| now.saturating_duration_since(at) < REFUSAL_PAUSE)
    }
}

impl Slot {
    fn with_state<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut lock(&self.state))
    }

    /// Why it is kept. None if it need not be.
    fn worth(&self, now: Instant) -> Option<Worth> {
        self.with_state(|state| {
            let living = state.kept.as_ref().filter(|kept| now < kept.expires_at);
            let since = living.map(|kept| kept.since);
            let is_paused = state.paused_until.is_some_and(|until| now < until);
            let is_pause = is_paused || state.was_refused_lately(now);
            match (since, self.is_assertion) {
                (since, true) if since.is_some() || is_pause => Some(Worth::Assertion {
                    since: since.unwrap_or(now),
                }),
                (since, false) if is_pause => Some(Worth::Pause {
                    since: since.unwrap_or(now),
                }),
                (since, _) => since.map(|since| Worth::Token { since }),
            }
        })
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

#[cfg(test)]
mod tests {
    use std::future::ready;

    use futures_executor::block_on;

    use super::*;
    use crate::form::Form;

    /// A clock that is turned by hand.
    #[derive(Debug)]
    struct Hand(Mutex<Instant>);

    impl Hand {
        fn turn(&self, seconds: u64) {
            *self.0.lock().unwrap() += Duration::from_secs(seconds);
        }
    }

    impl Clock for Hand {
        fn now(&self) -> Instant {
            *self.0.lock().unwrap()
        }
    }

    fn cache() -> (Cache, Arc<Hand>) {
        let hand = Arc::new(Hand(Mutex::new(Instant::now())));
        let clock: Arc<dyn Clock> = Arc::clone(&hand) as _;
        (Cache::new(clock, Duration::ZERO), hand)
    }

    fn key(name: &str) -> Key {
        Form::new("client", "grant", "scope")
            .with("assertion", name)
            .key("tenant")
    }

    const TOKEN: Sought<'static> = Sought::Token { refused: None };

    /// Keeps something for so many seconds.
    fn keep(cache: &Cache, name: &str, sought: Sought<'_>, seconds: u64) {
        let fresh = Fresh {
            secret: Secret::new(name),
            lifetime: Duration::from_secs(seconds),
            refresh_in: None,
        };
        block_on(cache.get(&key(name), sought, || ready(Ok(fresh)))).unwrap();
    }

    fn is_known(cache: &Cache, name: &str) -> bool {
        cache.known(&key(name)).is_some()
    }

    fn len(cache: &Cache) -> usize {
        cache.with_slots(|slots| slots.all.len())
    }

    #[test]
    fn t31_the_token_of_a_person_is_forgotten_when_what_it_got_has_expired() {
        let (cache, hand) = cache();
        keep(&cache, "person", TOKEN, 100);
        keep(&cache, "other", TOKEN, 1_000);
        hand.turn(99);
        keep(&cache, "third", TOKEN, 1_000);
        // It is not used in the last seconds of its life.
        assert!(!is_known(&cache, "person"));
        assert!(is_known(&cache, "other"));
        // Also where nobody new comes.
        hand.turn(880);
        keep(&cache, "third", TOKEN, 1_000);
        assert_eq!((is_known(&cache, "other"), len(&cache)), (false, 1));
    }

    #[test]
    fn nothing_is_kept_by_looking_for_it() {
        let (cache, hand) = cache();
        assert!(cache.use_on(&key("a")).is_none());
        assert!(!cache.has_since(&key("a"), hand.now()));
        cache.forget(&key("a"), hand.now());
        assert_eq!(len(&cache), 0);
    }

    #[test]
    fn the_oldest_tokens_make_room_and_neither_assertions_nor_pauses() {
        let (cache, hand) = cache();
        keep(&cache, "assertion", Sought::Assertion, 86_000);
        let retry_after = Duration::from_secs(3_000);
        let paused = || ready(Err(EntraError::Paused { retry_after }));
        block_on(cache.get(&key("paused"), TOKEN, paused)).unwrap_err();
        keep(&cache, "oldest", TOKEN, 86_000);
        hand.turn(1);
        keep(&cache, "used", TOKEN, 86_000);
        let used = cache.known(&key("used"));
        for number in len(&cache)..MAX_KEPT + 500 {
            if number % 1_000 == 0 {
                hand.turn(1);
            }
            keep(&cache, &number.to_string(), TOKEN, 86_000);
            assert!(len(&cache) <= MAX_KEPT);
        }
        assert_eq!(len(&cache), MAX_KEPT - FORGOTTEN_AT_ONCE + 500);
        for name in ["assertion", "paused", "used", "2000", "10499"] {
            assert!(is_known(&cache, name), "{name}");
        }
        assert!(!is_known(&cache, "oldest"));
        drop(used);
    }

    #[test]
    fn assertions_make_room_for_each_other() {
        let (cache, _) = cache();
        for number in 0..MAX_KEPT {
            keep(&cache, &number.to_string(), Sought::Assertion, 86_000);
        }
        keep(&cache, "token", TOKEN, 86_000);
        assert_eq!(len(&cache), MAX_KEPT - FORGOTTEN_AT_ONCE + 1);
    }
}
