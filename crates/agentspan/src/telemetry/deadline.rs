//! The one deadline of a flush or a shutdown.

use std::time::{Duration, Instant};

/// The extra time after the deadline for destinations that keep the deadline themselves, so that
/// their results arrive.
const GRACE: Duration = Duration::from_millis(20);

/// Bounds all waits of a flush or a shutdown together.
///
/// All destinations start before the first wait, so the last one has the whole time, too.
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

    /// The remaining time for a destination that takes a timeout. A destination that has finished
    /// needs no time.
    pub(super) fn left(&self) -> Duration {
        self.timeout.saturating_sub(self.elapsed())
    }

    /// The remaining time for a destination that got the deadline at its start.
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

    /// Waits repeatedly for all of the remaining time, and returns the duration.
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
