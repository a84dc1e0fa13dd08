//! Where the times of spans and events come from.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use agentspan_model::agentspec::Timestamp;

mod ticks;

pub(crate) use ticks::Ticks;

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
        Ticks::read(None).since_origin()
    }

    fn now(&self) -> (Timestamp, Duration) {
        let (wall, now) = Ticks::read_with_wall(None);
        (wall, now.since_origin())
    }
}

/// A clock that moves when it is told to, for tests.
///
/// ```
/// use std::time::Duration;
///
/// use agentspan_model::agentspec::Timestamp;
/// use agentspan_processor::clock::{Clock, ManualClock};
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
