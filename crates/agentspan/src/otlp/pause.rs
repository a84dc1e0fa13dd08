//! The pauses between tries.

use std::time::Duration;

/// The longest pause after the first try. It doubles with each further try, up to the longest.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(10);

/// The pause after `tries` tries. Pauses grow, are never shorter than the receiver asks for, and
/// are random by half, so that many programs do not retry at the same moment. `random` is from 0 to
/// 1.
pub(super) fn after(tries: u32, asked: Option<Duration>, random: f64) -> Duration {
    let doublings = tries.saturating_sub(1);
    let longest = FIRST.saturating_mul(2_u32.saturating_pow(doublings));
    // A timer that gives no number gets the longest pause.
    let random = if random.is_nan() { 1.0 } else { random };
    let part = 0.5 + random.clamp(0.0, 1.0) / 2.0;
    let pause = longest.min(LONGEST).mul_f64(part);
    pause.max(asked.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tries: u32, asked: Option<u64>, millis: [u64; 2]) {
        let asked = asked.map(Duration::from_millis);
        let pauses = [0.0, 1.0].map(|random| after(tries, asked, random));
        assert_eq!(pauses, millis.map(Duration::from_millis));
    }

    #[test]
    fn pauses_double_up_to_ten_seconds_and_are_not_shorter_than_asked_for() {
        check(1, None, [250, 500]);
        check(2, None, [500, 1_000]);
        check(4, None, [2_000, 4_000]);
        check(6, None, [5_000, 10_000]);
        check(u32::MAX, None, [5_000, 10_000]);
        check(2, Some(600), [600, 1_000]);
        check(2, Some(60_000), [60_000, 60_000]);
        assert_eq!(after(1, Some(Duration::MAX), 0.5), Duration::MAX);
    }
}
