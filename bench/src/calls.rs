//! How long calls take: of so many, how long the longest but one in a thousand.

use std::time::{Duration, Instant};

/// Buckets for each doubling of a duration, so that what is said of one is at most an eighth too long.
const STEPS: usize = 8;

/// Counts calls by how long they take, in nanoseconds.
pub(crate) struct Calls {
    buckets: [u64; 64 * STEPS],
    all: u64,
}

impl Default for Calls {
    fn default() -> Self {
        Self {
            buckets: [0; 64 * STEPS],
            all: 0,
        }
    }
}

impl Calls {
    /// Makes a call, and counts it.
    pub(crate) fn time<T>(&mut self, call: impl FnOnce() -> T) -> T {
        let begin = Instant::now();
        let result = call();
        self.count(begin.elapsed());
        result
    }

    fn count(&mut self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get_mut(bucket_of(nanoseconds)) {
            *bucket += 1;
            self.all += 1;
        }
    }

    /// How many were counted.
    pub(crate) fn number(&self) -> u64 {
        self.all
    }

    /// Nanoseconds that 99.9 % of the calls do not exceed. None without calls.
    pub(crate) fn most_but_one_in_a_thousand(&self) -> Option<u64> {
        let within = self.all - self.all / 1_000;
        let mut seen = 0;
        let bucket = self.buckets.iter().position(|bucket| {
            seen += bucket;
            seen >= within
        })?;
        (self.all > 0).then(|| end_of(bucket))
    }
}

/// Small numbers have a bucket each; above, each doubling has [`STEPS`].
fn bucket_of(nanoseconds: u64) -> usize {
    let steps = STEPS as u64;
    if nanoseconds < steps {
        return nanoseconds as usize;
    }
    let doublings = nanoseconds.ilog2() - STEPS.ilog2();
    let step = (nanoseconds >> doublings) - steps;
    (doublings as usize + 1) * STEPS + step as usize
}

/// The longest time that belongs to a bucket.
fn end_of(bucket: usize) -> u64 {
    let (doublings, step) = (bucket / STEPS, bucket % STEPS);
    match doublings.checked_sub(1) {
        None => step as u64,
        Some(doublings) => (((STEPS + step + 1) as u64) << doublings) - 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_belongs_to_the_bucket_that_ends_after_it_and_to_none_before() {
        let times = (0..62).flat_map(|power| [1_u64 << power, (1 << power) + 1, (3 << power) / 2]);
        for time in times.chain(0..1_000) {
            let bucket = bucket_of(time);
            assert!(end_of(bucket) >= time, "{time}");
            assert!(bucket == 0 || end_of(bucket - 1) < time, "{time}");
            assert!(end_of(bucket) <= time + time / 8, "{time}");
        }
    }

    #[test]
    fn one_call_in_a_thousand_may_take_longer() {
        let mut calls = Calls::default();
        assert_eq!(calls.most_but_one_in_a_thousand(), None);
        for _ in 0..1_999 {
            calls.count(Duration::from_nanos(5));
        }
        calls.count(Duration::from_millis(3));
        assert_eq!(calls.most_but_one_in_a_thousand(), Some(5));
        calls.count(Duration::from_millis(3));
        calls.count(Duration::from_millis(3));
        assert!(calls.most_but_one_in_a_thousand() > Some(2_999_999));
    }
}
