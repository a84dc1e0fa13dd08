//! The clock of spans and events.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use agentspan_model::agentspec::Timestamp;

mod ticks;

pub(crate) use ticks::Ticks;

/// The clock of spans and events.
///
/// A span reads the [wall](Self::wall) clock at its start. Each later time of the span is its start
/// plus the elapsed time of the [monotonic](Self::monotonic) clock, so a span never ends before its
/// start, even if the wall clock jumps.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time of day.
    fn wall(&self) -> Timestamp;

    /// The time since some fixed point. Never goes back.
    fn monotonic(&self) -> Duration;

    /// Both times at the same moment, for the start of a span. By default, it reads one clock after
    /// the other.
    fn now(&self) -> (Timestamp, Duration) {
        (self.wall(), self.monotonic())
    }
}

/// The clock of the operating system.
///
/// [`now`](Clock::now) reads the wall clock at most ten times a second, and adds the elapsed time
/// of the monotonic clock, which halves the cost. So a jump of the wall clock can take a tenth of a
/// second to affect new spans.
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

/// A manual clock for tests.
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
    /// A clock that stands at `wall`.
    #[must_use]
    pub const fn new(wall: Timestamp) -> Self {
        Self {
            wall: AtomicI64::new(wall.as_unix_nanos()),
            monotonic: AtomicU64::new(0),
        }
    }

    /// Advances both clocks.
    pub fn advance(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.set_wall(self.wall().saturating_add(duration));
        self.monotonic.fetch_add(nanos, Ordering::SeqCst);
    }

    /// Sets the wall clock, as an administrator or a time service does. The monotonic clock stands
    /// still.
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
