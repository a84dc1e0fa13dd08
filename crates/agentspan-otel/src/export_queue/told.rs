//! Which losses flushes have told of.

use std::sync::atomic::{AtomicU64, Ordering};

use super::stats::{ExportLoss, ExportStats};

/// How many losses calls to flush have told of, by reason.
#[derive(Debug, Default)]
pub(super) struct Told([AtomicU64; ExportLoss::ALL.len()]);

impl Told {
    /// The losses so far that nobody was told of, who are told now: how many they are, and a text that names
    /// their reasons.
    ///
    /// Calls may come in another order than they counted in: what one has told of, none tells of again.
    pub(super) fn rest_of(&self, stats: &ExportStats) -> (u64, String) {
        let (mut lost, mut reasons) = (0, Vec::new());
        for (loss, told) in ExportLoss::ALL.into_iter().zip(&self.0) {
            let dropped = stats.dropped_for(loss);
            // Relaxed: the count guards no other memory.
            let told = told.fetch_max(dropped, Ordering::Relaxed);
            let rest = dropped.saturating_sub(told);
            if rest > 0 {
                lost += rest;
                reasons.push(format!("{loss}: {rest}"));
            }
        }
        (lost, reasons.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_told_once_also_if_flushes_overtake_each_other() {
        let stats = |losses: &[(ExportLoss, u64)]| {
            let mut stats = ExportStats::default();
            for (loss, spans) in losses {
                stats.count_dropped(*loss, *spans);
            }
            stats
        };
        let told = Told::default();
        let both = [(ExportLoss::QueueFull, 5), (ExportLoss::Rejected, 1)];
        let text = "queue_full: 5, rejected: 1".to_owned();
        assert_eq!(told.rest_of(&stats(&both)), (6, text));
        let nothing = (0, String::new());
        assert_eq!(told.rest_of(&stats(&[(ExportLoss::QueueFull, 2)])), nothing);
        let one_more = stats(&[(ExportLoss::QueueFull, 6)]);
        assert_eq!(told.rest_of(&one_more), (1, "queue_full: 1".to_owned()));
    }
}
