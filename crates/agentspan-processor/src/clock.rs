//! Where the times of spans and events come from.

use std::cell::Cell;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use agentspan_model::agentspec::Timestamp;

/// Where the times of spans and events come from.
///
/// A span takes the [wall](Self::wall) time when it starts. All later times of it are that time and what
/// has passed since on the [monotonic](Self::monotonic) clock, so that an end is never before its start,
/// whatever happens to the wall clock in between.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time of day.
    fn wall(&self) -> Timestamp;

    /// The time since some fixed point. Never goes back.
    fn monotonic(&self) -> Duration;

    /// Both, of one moment: what a span takes when it starts. The default asks one after the other.
    fn now(&self) -> (Timestamp, Duration) {
        (self.wall(), self.monotonic())
    }
}

/// The clock of the operating system.
///
/// [`now`](Clock::now) asks for the wall time ten times a second at most, and adds what has passed since on the
/// monotonic clock, which halves what it costs: a step of the wall clock shows in spans that start a tenth of
/// a second later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SystemClock;

impl Clock for SystemClock {
    fn wall(&self) -> Timestamp {
        SystemTime::now().into()
    }

    fn monotonic(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }

    fn now(&self) -> (Timestamp, Duration) {
        let now = self.monotonic();
        let wall = ANCHOR.try_with(|anchor| {
            anchor
                .get()
                .and_then(|one| one.reckon(now))
                .unwrap_or_else(|| {
                    let wall = self.wall();
                    anchor.set(Some(Anchor { wall, at: now }));
                    wall
                })
        });
        (wall.unwrap_or_else(|_| self.wall()), now)
    }
}

/// A wall time and the monotonic time of the same moment.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    wall: Timestamp,
    at: Duration,
}

impl Anchor {
    /// The wall time at a monotonic time, unless that is too long after.
    fn reckon(self, now: Duration) -> Option<Timestamp> {
        let passed = now.saturating_sub(self.at);
        (passed < ANCHORED_FOR).then(|| self.wall.saturating_add(passed))
    }
}

/// For how long wall times are reckoned from one that was read.
const ANCHORED_FOR: Duration = Duration::from_millis(100);

thread_local! {
    static ANCHOR: Cell<Option<Anchor>> = const { Cell::new(None) };
}

/// A clock that moves when it is told to, for tests.
///
/// ```
/// use std::time::Duration;
///
/// use agentspan_model::agentspec::Timestamp;
/// use agentspan_processor::{Clock, ManualClock};
///
/// let clock = ManualClock::new(Timestamp::from_unix_nanos(1_000));
/// clock.advance(Duration::from_nanos(5));
/// assert_eq!(clock.wall(), Timestamp::from_unix_nanos(1_005));
/// clock.set_wall(Timestamp::from_unix_nanos(7));
/// assert_eq!(clock.monotonic(), Duration::from_nanos(5));
/// ```
#[derive(Debug)]
pub struct ManualClock {
    wall: AtomicI64,
    monotonic: AtomicU64,
}

impl ManualClock {
    /// Stands at `wall`.
    #[must_use]
    pub const fn new(wall: Timestamp) -> Self {
        Self {
            wall: AtomicI64::new(wall.as_unix_nanos()),
            monotonic: AtomicU64::new(0),
        }
    }

    /// Lets time pass, on both clocks.
    pub fn advance(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.set_wall(self.wall().saturating_add(duration));
        self.monotonic.fetch_add(nanos, Ordering::SeqCst);
    }

    /// Sets the time of day, as an administrator or a time service does. No time passes.
    pub fn set_wall(&self, wall: Timestamp) {
        self.wall.store(wall.as_unix_nanos(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn wall(&self) -> Timestamp {
        Timestamp::from_unix_nanos(self.wall.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_nanos(self.monotonic.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_times_are_reckoned_for_a_tenth_of_a_second() {
        let anchor = Anchor {
            wall: Timestamp::from_unix_nanos(1_000),
            at: Duration::from_secs(7),
        };
        let reckon = |passed| {
            let reckoned = anchor.reckon(anchor.at + Duration::from_millis(passed))?;
            Some(reckoned.as_unix_nanos())
        };
        assert_eq!(reckon(0), Some(1_000));
        assert_eq!(reckon(99), Some(99_001_000));
        assert_eq!(reckon(100), None);
    }
}
