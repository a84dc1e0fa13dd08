//! How many requests may be in flight, which the service decides by how it answers.

use std::time::Duration;

use tokio::time::Instant;

/// How many at the start.
pub(super) const START: usize = 4;

/// The outcome of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Outcome {
    /// The service has taken the spans.
    Settled,
    /// The service takes them no more than this one time: another try would not help.
    Refused,
    /// The service has too much to do, or does not answer in time.
    Throttled,
    /// The try failed in another way.
    Failed,
}

/// A number of slots that grows by one in a round of answers, and is halved when the service has too much
/// to do.
#[derive(Debug)]
pub(super) struct Window {
    slots: usize,
    most: usize,
    /// Answers that came while more slots were wanted, towards one more.
    credit: usize,
    /// How long an answer takes on average, the newest ones most of all.
    usual: Option<Duration>,
    /// How long an answer takes of a service that has nothing else to do.
    least: Option<Duration>,
    /// Requests sent before this instant say nothing about the number since.
    narrowed: Option<Instant>,
}

impl Window {
    pub(super) fn new(most: usize) -> Self {
        Self {
            slots: START.min(most),
            most,
            credit: 0,
            usual: None,
            least: None,
            narrowed: None,
        }
    }

    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    /// An answer, while all slots were taken or not.
    pub(super) fn answered(&mut self, sent: Instant, now: Instant, is_full: bool) {
        let took = now.saturating_duration_since(sent);
        self.usual = Some(self.usual.map_or(took, |usual| (usual * 7 + took) / 8));
        // Creeps up, so that a service that has become slower for good is not taken for a busy one.
        let least = self
            .least
            .map_or(took, |least| took.min(least + least / 64));
        self.least = Some(least);
        if took > least * 3 + Duration::from_millis(100) {
            self.narrow(sent, now, self.slots - self.slots.div_ceil(8));
        } else if is_full {
            self.credit += 1;
            if self.credit >= self.slots {
                self.credit = 0;
                self.slots = (self.slots + 1).min(self.most);
            }
        }
    }

    /// The service has too much to do.
    pub(super) fn throttled(&mut self, sent: Instant, now: Instant) {
        self.narrow(sent, now, self.slots / 2);
    }

    /// After which time an answer is late.
    pub(super) fn unusual(&self) -> Option<Duration> {
        self.usual.map(|usual| usual * 4)
    }

    fn narrow(&mut self, sent: Instant, now: Instant, slots: usize) {
        if self.narrowed.is_none_or(|narrowed| narrowed <= sent) {
            self.narrowed = Some(now);
            self.slots = slots.max(1);
            self.credit = 0;
        }
    }
}

#[cfg(test)]
mod tests;
