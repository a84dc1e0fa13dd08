//! Which losses flushes have told of.

use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::drop_reason::DropReason;
use crate::stats::DeliveryStats;

/// How many spans were lost, in the order of [`DropReason::ALL`].
type Losses = [u64; DropReason::ALL.len()];

/// The losses that a flush has told of. Each loss is told to all flushes that wait when it is told first,
/// and to none that begins later.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<Losses>);

impl Told {
    /// What a flush that begins now need not tell.
    pub(super) fn so_far(&self) -> Losses {
        *self.lock()
    }

    /// What was lost beyond what was told `before`, in words; `None` if nothing was. Spans that are not
    /// meant for Agent 365 are no loss.
    pub(super) fn rest_of(&self, stats: &DeliveryStats, before: &Losses) -> Option<String> {
        let mut told = self.lock();
        let (mut sum, mut reasons) = (0, String::new());
        for ((reason, before), told) in DropReason::ALL.into_iter().zip(before).zip(&mut *told) {
            if matches!(reason, DropReason::NoIdentity | DropReason::OtherOperation) {
                continue;
            }
            let lost = stats.dropped_for(reason);
            *told = lost.max(*told);
            let lost = lost.saturating_sub(*before);
            if lost > 0 {
                sum += lost;
                let separator = if reasons.is_empty() { "" } else { ", " };
                // Writing into a string does not fail.
                let _ = write!(reasons, "{separator}{reason}: {lost}");
            }
        }
        (sum > 0).then(|| format!("{sum} spans were lost since the last flush ({reasons})"))
    }

    fn lock(&self) -> MutexGuard<'_, Losses> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Counters, QueueBounds};

    #[test]
    fn a_loss_is_told_to_those_who_wait_and_to_nobody_later() {
        let bounds = QueueBounds { spans: 1, bytes: 1 };
        let (told, counters) = (Told::default(), Counters::new(bounds));
        let (first, second) = (told.so_far(), told.so_far());
        counters.refuse(DropReason::QueueFull, 2);
        counters.refuse(DropReason::NoIdentity, 9);
        let text = "2 spans were lost since the last flush (queue_full: 2)";
        let stats = counters.snapshot();
        assert_eq!(told.rest_of(&stats, &first).as_deref(), Some(text));
        assert_eq!(told.rest_of(&stats, &second).as_deref(), Some(text));
        assert_eq!(told.rest_of(&stats, &told.so_far()), None);
        // A flush that is late with an old count tells nothing twice.
        let later = told.so_far();
        counters.refuse(DropReason::Token, 1);
        let text = "1 spans were lost since the last flush (token: 1)";
        let now = counters.snapshot();
        assert_eq!(told.rest_of(&now, &later).as_deref(), Some(text));
        assert_eq!(told.rest_of(&stats, &later), None);
        assert_eq!(told.rest_of(&now, &told.so_far()), None);
    }
}
