//! The one deadline of a flush or a shutdown.

use std::time::{Duration, Instant};

/// How much longer than the deadline is waited for those that keep it themselves, to hear what they say.
const GRACE: Duration = Duration::from_millis(20);

/// Bounds everything that a flush or a shutdown waits for, together.
///
/// Everything is started before the first wait, so that who is waited for last had all of the time as well.
pub(super) struct Deadline<C = fn() -> Instant> {
    clock: C,
    started: Instant,
    timeout: Duration,
}

impl Deadline {
    pub(super) fn after(timeout: Duration) -> Self {
        Self::with_clock(timeout, Instant::now)
    }
}

impl<C: Fn() -> Instant> Deadline<C> {
    fn with_clock(timeout: Duration, clock: C) -> Self {
        let started = clock();
        Self {
            clock,
            started,
            timeout,
        }
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// What is left for those that need to be told. Who is done needs no time to say so.
    pub(super) fn left(&self) -> Duration {
        self.timeout.saturating_sub(self.elapsed())
    }

    /// What is left for those that were told the deadline when they started.
    pub(super) fn left_to_hear(&self) -> Duration {
        let timeout = self.timeout.saturating_add(GRACE);
        timeout.saturating_sub(self.elapsed())
    }

    fn elapsed(&self) -> Duration {
        (self.clock)().saturating_duration_since(self.started)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const TIMEOUT: Duration = Duration::from_millis(500);

    /// Waits for all the time that there is, again and again, and says how long that took.
    fn wait_for(dead: usize, left: fn(&Deadline<&dyn Fn() -> Instant>) -> Duration) -> Duration {
        let start = Instant::now();
        let waited = Cell::new(Duration::ZERO);
        let clock = || start + waited.get();
        let deadline = Deadline::with_clock(TIMEOUT, &clock as &dyn Fn() -> Instant);
        for _ in 0..dead {
            waited.set(waited.get() + left(&deadline));
        }
        waited.get()
    }

    #[test]
    fn a10_forty_dead_destinations_take_no_longer_than_one() {
        for dead in [1, 4, 16, 40] {
            assert_eq!(wait_for(dead, |it| it.left()), TIMEOUT);
            assert_eq!(wait_for(dead, |it| it.left_to_hear()), TIMEOUT + GRACE);
        }
        assert!(GRACE < Duration::from_millis(50));
    }

    #[test]
    fn a_deadline_may_be_as_late_as_one_likes() {
        let deadline = Deadline::after(Duration::MAX);
        assert!(deadline.left() > TIMEOUT);
        assert!(deadline.left_to_hear() > TIMEOUT);
    }
}
