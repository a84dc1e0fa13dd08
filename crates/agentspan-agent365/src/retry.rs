//! When a failed try is repeated, and the pauses between tries.

use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::time::Duration;

use http::StatusCode;

/// How long failed requests are retried by default.
const DEFAULT_MAX_AGE: Duration = Duration::from_secs(15 * 60);

/// The longest random pause after the first failed try. It doubles with each further failure, up to
/// the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A service that asks for a longer pause is tried again after this one all the same.
const LONGEST_ASKED: Duration = Duration::from_secs(5 * 60);

/// When a request is retried that got no answer, or a status that says "later": 408, 429 and 5xx.
///
/// ```
/// use std::time::Duration;
///
/// use agentspan_agent365::retry::Retry;
///
/// assert_eq!(Retry::default(), Retry::for_at_most(Duration::from_secs(15 * 60)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Reference,
    ForAtMost(Duration),
}

impl Retry {
    /// Retries until the spans have waited for `age`. If the next try would come later, they are
    /// dropped as [`RetriesExhausted`](crate::DropReason::RetriesExhausted). The default is 15 minutes.
    /// With zero, each request is tried once.
    ///
    /// Each identity pauses on its own: for as long as `Retry-After` asks, at most five minutes, and at
    /// least for a random time. The random time is at most half a second after the first failure; the
    /// maximum doubles with each failure up to 30 s. Meanwhile, the identity's spans wait in the queue,
    /// and requests of other identities are sent. After a pause, one request of the identity is sent;
    /// if the service accepts it, the others follow. A flush, at most once a second, and a shutdown end
    /// pauses that the service did not ask for, and shorten others to what it asked for.
    #[must_use]
    pub fn for_at_most(age: Duration) -> Self {
        Self(Kind::ForAtMost(age))
    }

    /// Tries as often, and with the same pauses, as the reference package of the profile.
    ///
    /// [`Profile::V0_1`](agentspan_model::agent365::Profile::V0_1) tries four times, with pauses of 200,
    /// 400 and 600 ms. [`Profile::V2`](agentspan_model::agent365::Profile::V2) and
    /// [`Profile::Direct`](agentspan_model::agent365::Profile::Direct) try four times, with the pause
    /// that `Retry-After` asks for, up to a minute, or else 0.5, 1 and 2 s. A request then counts as in
    /// flight until its last try, so an identity whose requests fail or hang delays others.
    ///
    /// [`Profile::V3`](agentspan_model::agent365::Profile::V3) tries once. Then the identity pauses for
    /// as long as `Retry-After` asks, as seconds or as a date. Without that header, it pauses for 10 s
    /// after the first failure, and after each further failure for a random time between 10 s and twice
    /// the previous range. A pause is at most an hour. Meanwhile, the spans wait in the queue, for two
    /// days at most, and reports count them as [queued](crate::report::IdentityReport::queued). After
    /// the pause they are sent, the oldest first. A flush does not wait for them. They are kept in
    /// memory only; a shutdown tries them once more.
    #[must_use]
    pub fn reference() -> Self {
        Self(Kind::Reference)
    }

    /// The policy, given that of the reference package of the profile.
    pub(crate) fn policy(self, reference: &RetryPolicy) -> RetryPolicy {
        match self.0 {
            Kind::Reference => *reference,
            Kind::ForAtMost(age) => RetryPolicy::ForAtMost(age),
        }
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self::for_at_most(DEFAULT_MAX_AGE)
    }
}

/// A failed try.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failed {
    /// How often the request was tried.
    pub(crate) tries: u32,
    /// How often its identity had failed before, since the service last took something.
    pub(crate) failures: u32,
    /// The pause that the service asks for.
    pub(crate) asked: Option<Duration>,
    /// How long the spans wait already.
    pub(crate) age: Duration,
}

/// When a failed try is repeated.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RetryPolicy {
    /// A few times, at once.
    Tries {
        tries: u32,
        pauses: Pauses,
        /// The longest pause that the service's `Retry-After` can ask for; `None` ignores the
        /// header.
        longest_asked: Option<Duration>,
    },
    /// Once; then the identity cools down while its spans are kept.
    Cooldown(Cooldown),
    /// Until the spans have waited for this long.
    ForAtMost(Duration),
}

/// For how long an identity sends nothing after a failed try.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cooldown {
    pub(crate) first: Duration,
    /// Also of those that the service's `Retry-After` asks for.
    pub(crate) longest: Duration,
    /// How long spans are kept.
    pub(crate) max_age: Duration,
}

/// How the pauses between tries grow.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pauses {
    /// Each is longer by the first one.
    Growing(Duration),
    /// Each is twice as long as the one before.
    Doubling(Duration),
}

impl RetryPolicy {
    /// Whether a request keeps its slot until its last try.
    pub(crate) fn keeps_slots(&self) -> bool {
        matches!(self, Self::Tries { .. })
    }

    /// Whether a batch is reported when its spans wait for another try.
    pub(crate) fn reports_queued(&self) -> bool {
        matches!(self, Self::Cooldown(_))
    }

    /// The longest time that spans wait for a service that fails, if there is a limit.
    pub(crate) fn max_age(&self) -> Option<Duration> {
        match self {
            Self::Tries { .. } => None,
            Self::Cooldown(Cooldown { max_age, .. }) | Self::ForAtMost(max_age) => Some(*max_age),
        }
    }

    /// The pause after a failed try. `None` after the last. `random` gives a number from 0 to 1.
    pub(crate) fn pause_after(
        &self,
        failed: Failed,
        random: impl FnOnce() -> f64,
    ) -> Option<Duration> {
        let pause = match self {
            Self::Tries { tries, .. } if failed.tries >= *tries => return None,
            Self::ForAtMost(max_age) if failed.age >= *max_age => return None,
            Self::Tries {
                pauses,
                longest_asked,
                ..
            } => match (failed.asked.zip(*longest_asked), pauses) {
                (Some((asked, longest)), _) => asked.min(longest),
                (None, Pauses::Growing(step)) => step.saturating_mul(failed.tries),
                (None, Pauses::Doubling(first)) => {
                    first.saturating_mul(2_u32.saturating_pow(failed.tries.saturating_sub(1)))
                }
            },
            Self::Cooldown(cooldown) => cooldown.after(failed.failures, failed.asked, random),
            Self::ForAtMost(_) => {
                // Full jitter: clients that failed together do not come back together.
                let pause = longest_pause(failed.failures).mul_f64(random().clamp(0.0, 1.0));
                pause.max(failed.asked.unwrap_or_default().min(LONGEST_ASKED))
            }
        };
        let is_over = |max_age| failed.age.saturating_add(pause) >= max_age;
        (!self.max_age().is_some_and(is_over)).then_some(pause)
    }
}

/// Whether a request that was answered with `status` is worth another try.
pub(crate) fn repeats(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS
    ) || status.is_server_error()
}

impl Cooldown {
    /// The pause that the service asks for, or else the first pause, and after each further failure
    /// a random pause from a range that doubles. To ask for no time is to ask for nothing.
    pub(crate) fn after(
        &self,
        failures: u32,
        asked: Option<Duration>,
        random: impl FnOnce() -> f64,
    ) -> Duration {
        if let Some(asked) = asked.filter(|asked| !asked.is_zero()) {
            return asked.min(self.longest);
        }
        let range = self.first.saturating_mul(2_u32.saturating_pow(failures));
        let beyond = range.min(self.longest).saturating_sub(self.first);
        match beyond.is_zero() {
            true => self.first,
            false => self.first + beyond.mul_f64(random().clamp(0.0, 1.0)),
        }
    }
}

fn longest_pause(failures: u32) -> Duration {
    FIRST_PAUSE
        .saturating_mul(2_u32.saturating_pow(failures))
        .min(LONGEST_PAUSE)
}

/// A random number that is at least 0 and at most 1.
pub(crate) fn random() -> f64 {
    // Each `RandomState` has keys of its own.
    let random = RandomState::new().hash_one(()) >> 32;
    random as f64 / f64::from(u32::MAX)
}

/// Waits between the tries of a request.
///
/// The default is [`TokioRetryTimer`]. A test passes a timer of its own to see the pauses without
/// waiting.
pub trait RetryTimer: fmt::Debug + Send + Sync {
    /// Completes after `pause`. It runs on the I/O thread, within its Tokio runtime.
    fn pause(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// The position of the next pause in the range of possible pauses: 0 for the shortest, 1 for the
    /// longest. The default is a random number.
    fn random(&self) -> f64 {
        random()
    }
}

/// Waits with Tokio's timer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "it has nothing to set")]
pub struct TokioRetryTimer;

impl RetryTimer for TokioRetryTimer {
    fn pause(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(pause))
    }
}

#[cfg(test)]
mod tests {
    use agentspan_model::agent365::Profile;

    use super::*;
    use crate::wire_profile::WireProfile;

    fn pause(retry: Retry, failed: Failed) -> Option<Duration> {
        let wire = WireProfile::of(Profile::V2).unwrap();
        retry.policy(&wire.retry).pause_after(failed, random)
    }

    const FIRST: Failed = Failed {
        tries: 1,
        failures: 0,
        asked: None,
        age: Duration::ZERO,
    };

    #[test]
    fn t18_pauses_are_random_and_their_bound_doubles_up_to_half_a_minute() {
        for (failures, longest) in [(0, 500), (1, 1_000), (3, 4_000), (6, 30_000), (90, 30_000)] {
            let failed = Failed { failures, ..FIRST };
            let pauses = (0..1_000).map(|_| pause(Retry::default(), failed).unwrap());
            let pauses: Vec<_> = pauses.collect();
            let longest = Duration::from_millis(longest);
            assert!(pauses.iter().all(|pause| *pause <= longest), "{pauses:?}");
            // By chance this fails once in 10^40 runs.
            assert!(pauses.iter().any(|pause| *pause > longest / 10 * 9));
            assert!(pauses.iter().any(|pause| *pause < longest / 10));
        }
    }

    #[test]
    fn what_the_service_asks_for_counts_up_to_five_minutes() {
        for (asked, expected) in [(60, 60), (1_000_000, 300)] {
            let asked = Some(Duration::from_secs(asked));
            let failed = Failed { asked, ..FIRST };
            let expected = Some(Duration::from_secs(expected));
            assert_eq!(pause(Retry::default(), failed), expected);
        }
    }

    #[test]
    fn a_service_that_asks_for_no_pause_is_tried_no_sooner_than_one_that_asks_for_nothing() {
        for asked in [Duration::ZERO, Duration::from_nanos(1)] {
            let failed = Failed {
                asked: Some(asked),
                failures: 6,
                ..FIRST
            };
            let pauses = (0..1_000).map(|_| pause(Retry::default(), failed).unwrap());
            // By chance this fails once in 10^40 runs.
            assert!(pauses.max().unwrap() > LONGEST_PAUSE / 10 * 9);
        }
    }

    #[test]
    fn the_last_try_comes_before_the_age_and_not_after() {
        let asked = Some(Duration::from_secs(60));
        let at = |seconds| Failed {
            asked,
            tries: 1_000,
            age: Duration::from_secs(seconds),
            ..FIRST
        };
        assert_eq!(pause(Retry::default(), at(839)), asked);
        assert_eq!(pause(Retry::default(), at(840)), None);
        assert_eq!(pause(Retry::for_at_most(Duration::ZERO), FIRST), None);
    }

    #[test]
    fn the_reference_counts_tries() {
        let pauses = [1, 2, 3, 4].map(|tries| {
            let failed = Failed {
                tries,
                failures: 9,
                ..FIRST
            };
            pause(Retry::reference(), failed)
        });
        let millis = [Some(500), Some(1_000), Some(2_000), None];
        assert_eq!(pauses, millis.map(|pause| pause.map(Duration::from_millis)));
    }
}
