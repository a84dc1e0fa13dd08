//! Lines that the set-up logs, often before the program has a subscriber.
//!
//! The subscriber with [`tracing_layer`](crate::Telemetry::tracing_layer) needs the telemetry, so it
//! is installed later. Lines that nobody heard are logged again once there is a subscriber.

use std::cell::RefCell;
use std::fmt;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use agentspan_queue::contain;
use tracing::dispatcher::get_default;
use tracing::subscriber::NoSubscriber;

type Line = Box<dyn Fn() + Send>;

/// The number of lines that are kept, since a program may make destinations and never set up.
const MAX_MISSED: usize = 100;

thread_local! {
    /// What nobody heard on this thread since its last set-up: of the next one, and of destinations
    /// that are made before it.
    static MISSED: RefCell<Vec<Line>> = const { RefCell::new(Vec::new()) };
}

/// Logs a line of the set-up.
pub(crate) fn log(line: impl Fn() + Send + 'static) {
    contain::log(&line);
    if !is_heard() {
        MISSED.with_borrow_mut(|missed| {
            if missed.len() < MAX_MISSED {
                missed.push(Box::new(line));
            }
        });
    }
}

/// Whether a subscriber hears this thread. A subscriber does not hear itself, nor its layers.
fn is_heard() -> bool {
    get_default(|subscriber| !subscriber.is::<NoSubscriber>())
}

/// The lines that nobody heard of one set-up.
#[derive(Clone, Default)]
pub(crate) struct Unheard(Arc<Lines>);

#[derive(Default)]
struct Lines {
    are_kept: AtomicBool,
    kept: Mutex<Vec<Line>>,
}

impl Unheard {
    /// Keeps the lines of this thread's set-up, which ends here.
    pub(crate) fn keep(&self) {
        let missed = MISSED.take();
        if let Ok(mut kept) = self.0.kept.lock() {
            self.0.are_kept.store(!missed.is_empty(), Ordering::Relaxed);
            *kept = missed;
        }
    }

    /// Logs the lines, once, if somebody hears them.
    #[inline]
    pub(crate) fn log(&self) {
        if self.0.are_kept.load(Ordering::Relaxed) && is_heard() {
            self.log_kept();
        }
    }

    #[cold]
    fn log_kept(&self) {
        // Nobody waits: another thread logs them, or did before a fork.
        let kept = self.0.kept.try_lock();
        let lines = kept.map(|mut kept| mem::take(&mut *kept));
        self.0.are_kept.store(false, Ordering::Relaxed);
        for line in lines.into_iter().flatten() {
            contain::log(line);
        }
    }
}

impl fmt::Debug for Unheard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Unheard").field(&self.0.are_kept).finish()
    }
}

#[cfg(test)]
mod tests {
    use tracing::subscriber::with_default;

    use super::*;

    #[test]
    fn a_program_that_never_sets_up_keeps_few_lines() {
        let log_much = || (0..2 * MAX_MISSED).for_each(|_| log(|| ()));
        with_default(NoSubscriber::new(), log_much);
        assert_eq!(MISSED.take().len(), MAX_MISSED);
    }
}
