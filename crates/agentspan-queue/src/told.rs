//! Remembers the losses that were reported, so that each is reported once.

use std::fmt::Write as _;
use std::sync::PoisonError;

use crate::sync::{Mutex, MutexGuard};

/// The losses that flushes and shutdowns have reported, by reason.
///
/// Each loss is reported to all calls that are waiting at its first report, and not to later calls.
#[derive(Debug)]
pub struct Told<const REASONS: usize>(Mutex<[u64; REASONS]>);

impl<const REASONS: usize> Told<REASONS> {
    /// The losses that a call which begins now must not report.
    #[must_use]
    pub fn so_far(&self) -> [u64; REASONS] {
        *self.lock()
    }

    /// The part of `lost`, which are all losses so far, that was not reported `before` the call
    /// began. It counts as reported from now on.
    #[must_use]
    pub fn rest_of(&self, lost: [u64; REASONS], before: [u64; REASONS]) -> [u64; REASONS] {
        let mut told = self.lock();
        for (told, lost) in told.iter_mut().zip(lost) {
            *told = lost.max(*told);
        }
        let mut rest = lost;
        for (rest, before) in rest.iter_mut().zip(before) {
            *rest = rest.saturating_sub(before);
        }
        rest
    }

    fn lock(&self) -> MutexGuard<'_, [u64; REASONS]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<const REASONS: usize> Default for Told<REASONS> {
    fn default() -> Self {
        Self(Mutex::new([0; REASONS]))
    }
}

/// A text with the losses, such as `lost 3 spans (token: 2, queue_full: 1)`; `None` if there are
/// none. Reasons without losses are left out.
#[must_use]
pub fn sentence(
    unit: &str,
    losses: impl IntoIterator<Item = (&'static str, u64)>,
) -> Option<String> {
    let (mut sum, mut reasons) = (0_u64, String::new());
    for (reason, lost) in losses {
        if lost > 0 {
            sum += lost;
            let separator = if reasons.is_empty() { "" } else { ", " };
            // Writing into a string does not fail.
            let _ = write!(reasons, "{separator}{reason}: {lost}");
        }
    }
    let plural = if sum == 1 { "" } else { "s" };
    (sum > 0).then(|| format!("lost {sum} {unit}{plural} ({reasons})"))
}

/// A count with its noun, such as `1 try` or `2 tries`.
#[must_use]
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a14_a_loss_is_told_to_those_who_wait_and_to_nobody_later() {
        let told = Told::default();
        let (first, second) = (told.so_far(), told.so_far());
        assert_eq!(told.rest_of([2, 0], first), [2, 0]);
        assert_eq!(told.rest_of([2, 0], second), [2, 0]);
        assert_eq!(told.rest_of([2, 0], told.so_far()), [0, 0]);
        // A call that is late with an old count tells nothing twice.
        let later = told.so_far();
        assert_eq!(told.rest_of([2, 1], later), [0, 1]);
        assert_eq!(told.rest_of([2, 0], later), [0, 0]);
        assert_eq!(told.rest_of([2, 1], told.so_far()), [0, 0]);
    }

    #[test]
    fn one_is_no_plural() {
        let texts = [0, 1, 2].map(|count| counted(count, "try", "tries"));
        assert_eq!(texts, ["0 tries", "1 try", "2 tries"]);
    }

    #[test]
    fn a_sentence_counts_and_names_the_reasons() {
        let of = |a, b| sentence("span", [("a", a), ("b", b)]);
        assert_eq!(of(0, 0), None);
        assert_eq!(of(0, 1).as_deref(), Some("lost 1 span (b: 1)"));
        assert_eq!(of(2, 1).as_deref(), Some("lost 3 spans (a: 2, b: 1)"));
    }
}
