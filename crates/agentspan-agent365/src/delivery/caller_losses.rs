//! Losses that happen on the threads of callers, or as fast as spans come.

use agentspan_record::DropReason;

use super::log;
use crate::stats::DeliveryStats;

/// The reasons.
const REASONS: [DropReason; 6] = [
    DropReason::QueueFull,
    DropReason::QueueShare,
    DropReason::RequestSpanLimit,
    DropReason::RequestEvicted,
    DropReason::RequestTimedOut,
    DropReason::RequestOver,
];

/// The losses that were logged. Callers are not made to log: the delivery's thread does, once per
/// batch delay.
#[derive(Debug, Default)]
pub(super) struct CallerLosses {
    logged: [u64; REASONS.len()],
}

impl CallerLosses {
    /// Logs what was lost since the last time.
    pub(super) fn log(&mut self, stats: &DeliveryStats) {
        for (reason, logged) in REASONS.into_iter().zip(&mut self.logged) {
            let lost = stats.dropped_for(reason);
            if lost > *logged {
                *logged = lost;
                log::lost_by_callers(reason, lost);
            }
        }
    }
}
