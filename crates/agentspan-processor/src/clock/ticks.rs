//! Readings of the monotonic clock, as spans keep them.

use std::cell::Cell;
#[cfg(not(target_os = "linux"))]
use std::sync::OnceLock;
use std::time::Duration;
#[cfg(not(target_os = "linux"))]
use std::time::Instant;

use agentspan_model::agentspec::Timestamp;
use agentspan_queue::contain;
#[cfg(target_os = "linux")]
use rustix::time::{ClockId, clock_gettime};

use crate::clock::{Clock, SystemClock};

/// A reading of a monotonic clock, in nanoseconds. The elapsed time between two readings is one
/// subtraction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticks(u64);

impl Ticks {
    /// The point that a clock counts from.
    pub(crate) const ZERO: Self = Self(0);

    /// Now, on a clock, or on that of the system.
    #[inline]
    pub(crate) fn read(clock: Option<&dyn Clock>) -> Self {
        match clock {
            None => Self::of_system(),
            // No time passes on one that panics.
            Some(clock) => contain::call(|| clock.monotonic()).map_or(Self(0), Self::of),
        }
    }

    /// Now, with the wall time of the same moment, on a clock, or on that of the system.
    #[inline]
    pub(crate) fn read_with_wall(clock: Option<&dyn Clock>) -> (Timestamp, Self) {
        match clock {
            None => Self::of_system_and_wall(),
            Some(clock) => match contain::call(|| clock.now()) {
                Ok((wall, monotonic)) => (wall, Self::of(monotonic)),
                Err(_) => (SystemClock.wall(), Self(u64::MAX)),
            },
        }
    }

    /// The wall time now, if it was `start` at this reading: `start` at least.
    #[inline]
    pub(crate) fn reckon(self, start: Timestamp, now: Self) -> Timestamp {
        let passed = now.0.saturating_sub(self.0);
        let nanos = start.as_unix_nanos().saturating_add_unsigned(passed);
        Timestamp::from_unix_nanos(nanos)
    }

    /// The time since the point that the clock counts from.
    pub(crate) fn since_origin(self) -> Duration {
        Duration::from_nanos(self.0)
    }

    /// At most the last one: 584 years.
    fn of(monotonic: Duration) -> Self {
        Self(u64::try_from(monotonic.as_nanos()).unwrap_or(u64::MAX))
    }

    /// Asked directly: `Instant` tells only what lies between two of them, and to reckon that costs a span a good
    /// twentieth of all.
    #[cfg(target_os = "linux")]
    #[inline]
    fn of_system() -> Self {
        let now = clock_gettime(ClockId::Monotonic);
        let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
        let nanos = u64::try_from(now.tv_nsec).unwrap_or(0);
        Self(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
    }

    #[cfg(not(target_os = "linux"))]
    fn of_system() -> Self {
        static START: OnceLock<Instant> = OnceLock::new();
        Self::of(START.get_or_init(Instant::now).elapsed())
    }

    fn of_system_and_wall() -> (Timestamp, Self) {
        let now = Self::of_system();
        let wall = ANCHOR.try_with(|anchor| {
            let reckoned = anchor.get().and_then(|one| one.reckon(now));
            reckoned.unwrap_or_else(|| {
                let wall = SystemClock.wall();
                anchor.set(Some(Anchor { wall, at: now }));
                wall
            })
        });
        (wall.unwrap_or_else(|_| SystemClock.wall()), now)
    }
}

/// A wall time and the monotonic time of the same moment.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    wall: Timestamp,
    at: Ticks,
}

impl Anchor {
    /// The wall time at a monotonic time, unless that is too long after.
    fn reckon(self, now: Ticks) -> Option<Timestamp> {
        let is_near = now.0.saturating_sub(self.at.0) < ANCHORED_FOR;
        is_near.then(|| self.at.reckon(self.wall, now))
    }
}

/// For how long wall times are reckoned from one that was read, in nanoseconds: a tenth of a second.
const ANCHORED_FOR: u64 = 100_000_000;

thread_local! {
    static ANCHOR: Cell<Option<Anchor>> = const { Cell::new(None) };
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn readings_are_nanoseconds_of_the_clock_that_the_standard_library_reads() {
        let passed = |from: Ticks, to: Ticks| Duration::from_nanos(to.0 - from.0);
        for _ in 0..1_000 {
            let outer = Instant::now();
            let (first, inner) = (Ticks::read(None), Instant::now());
            let (inner, last) = (inner.elapsed(), Ticks::read(None));
            let outer = outer.elapsed();
            let passed = passed(first, last);
            assert!(inner <= passed && passed <= outer, "{passed:?}");
        }
    }

    #[test]
    fn wall_times_are_reckoned_for_a_tenth_of_a_second() {
        let anchor = Anchor {
            wall: Timestamp::from_unix_nanos(1_000),
            at: Ticks(7_000_000_000),
        };
        let reckon = |passed| {
            let reckoned = anchor.reckon(Ticks(anchor.at.0 + passed))?;
            Some(reckoned.as_unix_nanos())
        };
        assert_eq!(reckon(0), Some(1_000));
        assert_eq!(reckon(99_999_999), Some(100_000_999));
        assert_eq!(reckon(100_000_000), None);
    }

    #[test]
    fn times_that_cannot_be_written_become_the_last_one_that_can() {
        let reckon = |start, from, now| {
            let start = Timestamp::from_unix_nanos(start);
            let reckoned = Ticks::of(from).reckon(start, Ticks::of(now));
            reckoned.as_unix_nanos()
        };
        let second = Duration::from_secs(1);
        assert_eq!(reckon(5, second, Duration::MAX), i64::MAX);
        assert_eq!(reckon(i64::MAX, Duration::ZERO, second), i64::MAX);
        assert_eq!(reckon(5, second, Duration::ZERO), 5);
    }
}
