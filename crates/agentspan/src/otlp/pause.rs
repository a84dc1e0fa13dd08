//! The pauses between tries.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

const MAX_TRIES: u32 = 4;
const FIRST: Duration = Duration::from_millis(100);
const JITTER_MILLIS: u64 = 100;

/// The pause after `tries` tries, or `None` after the last try. Pauses grow, are never shorter than
/// the receiver asks for, and have random jitter, so that many programs do not retry at the same
/// moment.
pub(super) fn after(tries: u32, asked: Option<Duration>) -> Option<Duration> {
    if tries >= MAX_TRIES {
        return None;
    }
    let growing = FIRST.saturating_mul(1 << tries.saturating_sub(1));
    let jitter = RandomState::new().hash_one(tries) % JITTER_MILLIS;
    let pause = asked.unwrap_or_default().max(growing);
    Some(pause.saturating_add(Duration::from_millis(jitter)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tries: u32, asked: Option<u64>, millis: u64) {
        let pause = after(tries, asked.map(Duration::from_millis)).unwrap();
        let least = Duration::from_millis(millis);
        let most = Duration::from_millis(millis + JITTER_MILLIS);
        assert!((least..most).contains(&pause), "{pause:?}");
    }

    #[test]
    fn pauses_grow_and_are_not_shorter_than_asked_for() {
        check(1, None, 100);
        check(2, None, 200);
        check(3, None, 400);
        check(2, Some(150), 200);
        check(2, Some(5_000), 5_000);
        assert_eq!(after(4, Some(FIRST)), None);
        assert_eq!(after(1, Some(Duration::MAX)), Some(Duration::MAX));
    }
}
