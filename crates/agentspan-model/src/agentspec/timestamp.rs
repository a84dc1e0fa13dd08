//! Timestamps of spans and events.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

/// A timestamp of a span or an event: nanoseconds since the Unix epoch.
///
/// The range is 1677 to 2262. The model never reads the clock; convert a [`SystemTime`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From nanoseconds since the Unix epoch, negative before it.
    #[must_use]
    pub const fn from_unix_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the Unix epoch, negative before it.
    #[must_use]
    pub const fn as_unix_nanos(self) -> i64 {
        self.0
    }

    /// The duration since `earlier`, or zero if `earlier` is not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let nanos = i128::from(self.0) - i128::from(earlier.0);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(0))
    }

    /// The timestamp `duration` later, at most the last possible timestamp.
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        let nanos = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}

/// Times before 1677 and after 2262 become the first and the last possible timestamp.
impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let nanos = |duration: Duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        Self(match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => nanos(after),
            Err(before) => -nanos(before.duration()),
        })
    }
}

impl From<Timestamp> for SystemTime {
    fn from(timestamp: Timestamp) -> Self {
        let distance = Duration::from_nanos(timestamp.0.unsigned_abs());
        // Every i64 of nanoseconds fits into the system times of the platforms that Rust supports.
        let time = if timestamp.0 < 0 {
            Self::UNIX_EPOCH.checked_sub(distance)
        } else {
            Self::UNIX_EPOCH.checked_add(distance)
        };
        time.unwrap_or(Self::UNIX_EPOCH)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_times_convert_both_ways_on_both_sides_of_the_epoch() {
        for nanos in [0, 1, -1, 1_765_000_000_123_456_789, -86_400_000_000_000] {
            let timestamp = Timestamp::from_unix_nanos(nanos);
            assert_eq!(Timestamp::from(SystemTime::from(timestamp)), timestamp);
        }
    }

    #[test]
    fn a_time_that_is_not_earlier_is_no_time_ago() {
        let (one, two) = (Timestamp::from_unix_nanos(1), Timestamp::from_unix_nanos(2));
        assert_eq!(two.since(one), Duration::from_nanos(1));
        assert_eq!(one.since(two), Duration::ZERO);
        let ends = (Timestamp(i64::MIN), Timestamp(i64::MAX));
        assert_eq!(ends.1.since(ends.0), Duration::from_nanos(u64::MAX));
        assert_eq!(two.saturating_add(Duration::MAX), Timestamp(i64::MAX));
    }
}
