//! The running count of what was accepted, exported and dropped.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use agentspan_queue::lock;
use agentspan_record::{DropReason, SpanCuts};

/// Counts of the spans of one delivery.
///
/// `Display` writes one line, without the reasons for which no span was lost:
///
/// ```text
/// 12 accepted, 10 exported (3 unconfirmed), 0 queued, 2 dropped (no_identity: 2)
/// ```
///
/// `accepted = exported + dropped() + queued` holds exactly at any time, also while spans move.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeliveryStats {
    /// Spans that were handed over, including those that were refused at once.
    pub accepted: u64,
    /// Spans that the service accepted: it answered with a 2xx status, and the answer does not name
    /// them as rejected or not routed.
    pub exported: u64,
    /// Exported spans that the answer does not mention: it has no `results`, as older answers, leaves
    /// these spans out, or broke off.
    pub unconfirmed: u64,
    /// Spans that wait or are in flight.
    pub queued: u64,
    /// The estimated memory of the spans that wait or are in flight, and of the bodies of their
    /// requests, in bytes.
    pub queued_bytes: u64,
    /// The part of `queued_bytes` that bodies take.
    pub body_bytes: u64,
    /// Tries to send a request, including retries.
    pub attempts: u64,
    /// Bytes of the bodies of delivered requests.
    pub exported_bytes: u64,
    /// Caught panics of token resolvers, enrichers, observers of reports and retry timers, and of the
    /// delivery itself. The delivery continues after each.
    pub panics: u64,
    /// The parts of spans that were cut because they exceeded the
    /// [`SpanLimits`](crate::SpanLimits), or the limits of their provider.
    pub cuts: SpanCuts,
    pub(crate) dropped: Losses,
}

/// How many spans were lost, in the order of [`DropReason::ALL`].
pub(crate) type Losses = [u64; DropReason::ALL.len()];

impl DeliveryStats {
    /// The number of spans that were dropped for this reason.
    #[must_use]
    pub fn dropped_for(&self, reason: DropReason) -> u64 {
        self.dropped.get(reason.index()).copied().unwrap_or(0)
    }

    /// The number of spans that, according to its answers, one of the service's destinations has: the
    /// exported spans that are not `unconfirmed`.
    #[must_use]
    pub fn confirmed(&self) -> u64 {
        self.exported.saturating_sub(self.unconfirmed)
    }

    /// The number of dropped spans.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.iter().sum()
    }

    /// The number of dropped spans for each reason with at least one.
    pub fn losses(&self) -> impl Iterator<Item = (DropReason, u64)> + use<> {
        let counts = DropReason::ALL.into_iter().zip(self.dropped);
        counts.filter(|(_, count)| *count > 0)
    }
}

/// Shows the losses by the names of their reasons.
impl fmt::Debug for DeliveryStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Losses<'a>(&'a DeliveryStats);
        impl fmt::Debug for Losses<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let named = self.0.losses();
                let named = named.map(|(reason, count)| (reason.as_str(), count));
                f.debug_map().entries(named).finish()
            }
        }
        f.debug_struct("DeliveryStats")
            .field("accepted", &self.accepted)
            .field("exported", &self.exported)
            .field("unconfirmed", &self.unconfirmed)
            .field("queued", &self.queued)
            .field("queued_bytes", &self.queued_bytes)
            .field("body_bytes", &self.body_bytes)
            .field("attempts", &self.attempts)
            .field("exported_bytes", &self.exported_bytes)
            .field("cuts", &self.cuts)
            .field("dropped", &Losses(self))
            .finish()
    }
}

impl fmt::Display for DeliveryStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} accepted, {} exported", self.accepted, self.exported)?;
        if self.unconfirmed > 0 {
            write!(f, " ({} unconfirmed)", self.unconfirmed)?;
        }
        write!(f, ", {} queued, {} dropped", self.queued, self.dropped())?;
        for (n, (reason, count)) in self.losses().enumerate() {
            f.write_str(if n == 0 { " (" } else { ", " })?;
            write!(f, "{reason}: {count}")?;
        }
        f.write_str(if self.dropped() == 0 { "" } else { ")" })?;
        match self.cuts.spans {
            0 => Ok(()),
            spans => write!(f, ", {spans} cut to their limits"),
        }
    }
}

/// The counters behind [`DeliveryStats`], and the bounds of the queue.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    bounds: QueueBounds,
    accepted: AtomicU64,
    exported: AtomicU64,
    unconfirmed: AtomicU64,
    queued: AtomicU64,
    queued_bytes: AtomicU64,
    body_bytes: AtomicU64,
    attempts: AtomicU64,
    exported_bytes: AtomicU64,
    panics: AtomicU64,
    cuts: Mutex<SpanCuts>,
    dropped: [AtomicU64; DropReason::ALL.len()],
    /// Held while spans leave the queue and are counted. Otherwise, a call that gives up what is queued could return
    /// while spans are neither queued nor counted.
    settling: Mutex<()>,
}

/// How much may wait or be in flight.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct QueueBounds {
    pub(crate) spans: u64,
    pub(crate) bytes: u64,
}

impl Counters {
    pub(crate) fn new(bounds: QueueBounds) -> Self {
        Self {
            bounds,
            ..Self::default()
        }
    }

    pub(crate) fn bounds(&self) -> QueueBounds {
        self.bounds
    }

    /// Makes room for `spans` of `bytes`, or counts them as dropped for the full queue.
    ///
    /// A span or a batch that is larger than the whole queue is let into an empty one: it exists
    /// already, and refusing it would refuse it for ever.
    pub(crate) fn admit(&self, spans: u64, bytes: u64) -> bool {
        self.accepted.fetch_add(spans, SeqCst);
        let fits = |bound: u64, more: u64| {
            move |now: u64| (now == 0 || now.saturating_add(more) <= bound).then_some(now + more)
        };
        if self
            .queued
            .fetch_update(SeqCst, SeqCst, fits(self.bounds.spans, spans))
            .is_err()
        {
            self.count_dropped(DropReason::QueueFull, spans);
            return false;
        }
        if self
            .queued_bytes
            .fetch_update(SeqCst, SeqCst, fits(self.bounds.bytes, bytes))
            .is_err()
        {
            // Without the lock: the call that hands them over is not over, so nobody relies on the counts yet.
            let spans = self.take_queued(spans);
            self.count_dropped(DropReason::QueueFull, spans);
            return false;
        }
        true
    }

    /// Counts spans that were handed over and refused at once.
    pub(crate) fn refuse(&self, reason: DropReason, spans: u64) {
        self.accepted.fetch_add(spans, SeqCst);
        self.count_dropped(reason, spans);
    }

    /// The service took `spans`, of which it did not say what became of `unconfirmed`.
    pub(crate) fn exported(&self, spans: u64, unconfirmed: u64, body_bytes: u64) {
        let _settling = lock(&self.settling);
        let spans = self.take_queued(spans);
        self.exported.fetch_add(spans, SeqCst);
        self.unconfirmed.fetch_add(unconfirmed.min(spans), SeqCst);
        self.exported_bytes.fetch_add(body_bytes, SeqCst);
    }

    pub(crate) fn dropped_from_queue(&self, reason: DropReason, spans: u64) {
        let _settling = lock(&self.settling);
        let spans = self.take_queued(spans);
        self.count_dropped(reason, spans);
    }

    /// Gives up all that is queued. What becomes of it later is not counted any more.
    pub(crate) fn give_up_queued(&self, reason: DropReason) {
        self.dropped_from_queue(reason, u64::MAX);
    }

    /// Takes `spans` out of the queue, or what has not been given up of them. A span is counted
    /// once, by whoever takes it.
    fn take_queued(&self, spans: u64) -> u64 {
        let take = |queued: u64| Some(queued.saturating_sub(spans));
        let queued = self.queued.fetch_update(SeqCst, SeqCst, take);
        queued.unwrap_or_else(|queued| queued).min(spans)
    }

    /// The spans that are queued, and their memory.
    pub(crate) fn queued(&self) -> (u64, u64) {
        (self.queued.load(SeqCst), self.queued_bytes.load(SeqCst))
    }

    /// A body takes `after` bytes, and took `before`.
    fn resize_body(&self, before: u64, after: u64) {
        for bytes in [&self.body_bytes, &self.queued_bytes] {
            bytes.fetch_add(after, SeqCst);
            bytes.fetch_sub(before, SeqCst);
        }
    }

    /// Queued spans take `after` bytes, and took `before`.
    pub(crate) fn resize_queued(&self, before: u64, after: u64) {
        self.queued_bytes.fetch_add(after, SeqCst);
        self.queued_bytes.fetch_sub(before, SeqCst);
    }

    /// How much memory bodies take.
    pub(crate) fn body_bytes(&self) -> u64 {
        self.body_bytes.load(SeqCst)
    }

    pub(crate) fn release_bytes(&self, bytes: u64) {
        self.queued_bytes.fetch_sub(bytes, SeqCst);
    }

    pub(crate) fn panicked(&self, panics: u64) {
        self.panics.fetch_add(panics, SeqCst);
    }

    /// Something of a span is over its limits.
    pub(crate) fn cut(&self, cuts: SpanCuts) {
        *lock(&self.cuts) += cuts;
    }

    pub(crate) fn attempted(&self) {
        self.attempts.fetch_add(1, SeqCst);
    }

    pub(crate) fn snapshot(&self) -> DeliveryStats {
        // A span is counted as accepted first and as settled last, and so read the other way round.
        // Spans that are accepted and not settled are queued: the number that bounds the queue is
        // read at another moment.
        let dropped = DropReason::ALL.map(|reason| {
            let count = self.dropped.get(reason.index());
            count.map_or(0, |count| count.load(SeqCst))
        });
        let unconfirmed = self.unconfirmed.load(SeqCst);
        let exported = self.exported.load(SeqCst);
        let accepted = self.accepted.load(SeqCst);
        let settled = dropped.iter().fold(exported, |sum, count| sum + count);
        DeliveryStats {
            exported,
            unconfirmed,
            dropped,
            queued: accepted.saturating_sub(settled),
            queued_bytes: self.queued_bytes.load(SeqCst),
            body_bytes: self.body_bytes.load(SeqCst),
            attempts: self.attempts.load(SeqCst),
            exported_bytes: self.exported_bytes.load(SeqCst),
            panics: self.panics.load(SeqCst),
            cuts: *lock(&self.cuts),
            accepted,
        }
    }

    fn count_dropped(&self, reason: DropReason, spans: u64) {
        if let Some(count) = self.dropped.get(reason.index()) {
            count.fetch_add(spans, SeqCst);
        }
    }
}

/// Memory for a body, which is part of what is queued until this is dropped.
#[derive(Debug)]
pub(crate) struct Room {
    counters: Arc<Counters>,
    bytes: u64,
}

impl Room {
    pub(crate) fn new(counters: Arc<Counters>, bytes: u64) -> Self {
        counters.resize_body(0, bytes);
        Self { counters, bytes }
    }

    /// The body takes this much.
    pub(crate) fn resize(&mut self, bytes: u64) {
        let before = std::mem::replace(&mut self.bytes, bytes);
        self.counters.resize_body(before, bytes);
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.counters.resize_body(self.bytes, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(spans: u64, bytes: u64) -> Counters {
        Counters::new(QueueBounds { spans, bytes })
    }

    fn check_conserved(counters: &Counters) {
        let stats = counters.snapshot();
        // The number that bounds the queue is another one than what follows from the rest.
        assert_eq!(stats.queued, counters.queued().0, "{stats:?}");
    }

    #[test]
    fn spans_beyond_the_bound_are_dropped_and_counted() {
        let counters = counters(2, 1_000);
        assert!(counters.admit(1, 10));
        assert!(counters.admit(1, 10));
        assert!(!counters.admit(1, 10));
        check_conserved(&counters);
        assert_eq!(counters.snapshot().dropped_for(DropReason::QueueFull), 1);
        counters.exported(1, 0, 5);
        assert!(counters.admit(1, 10));
        check_conserved(&counters);
    }

    #[test]
    fn numbers_are_shown_with_the_names_of_reasons() {
        let counters = counters(2, 1_000);
        let shown = || counters.snapshot().to_string();
        assert_eq!(shown(), "0 accepted, 0 exported, 0 queued, 0 dropped");
        for _ in 0..5 {
            counters.admit(1, 10);
        }
        counters.refuse(DropReason::AfterShutdown, 1);
        counters.exported(1, 1, 5);
        assert_eq!(
            shown(),
            "6 accepted, 1 exported (1 unconfirmed), 1 queued, 4 dropped (queue_full: 3, after_shutdown: 1)"
        );
        let debug = format!("{:?}", counters.snapshot());
        let losses = r#"dropped: {"queue_full": 3, "after_shutdown": 1} }"#;
        assert!(debug.ends_with(losses), "{debug}");
    }

    #[test]
    fn what_was_given_up_is_not_counted_again() {
        let counters = counters(10, 1_000);
        counters.admit(5, 10);
        counters.give_up_queued(DropReason::ShutdownDeadline);
        counters.exported(2, 2, 5);
        counters.dropped_from_queue(DropReason::Internal, 3);
        let stats = counters.snapshot();
        assert_eq!((stats.queued, stats.exported, stats.dropped()), (0, 0, 5));
        assert_eq!(stats.dropped_for(DropReason::ShutdownDeadline), 5);
        check_conserved(&counters);
    }

    #[test]
    fn nothing_is_queued_once_what_was_left_is_given_up() {
        for _ in 0..100 {
            let counters = counters(10_000, 1_000);
            counters.admit(10_000, 10);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        counters.exported(1, 0, 5);
                    }
                });
                while counters.queued().0 > 9_990 {
                    std::thread::yield_now();
                }
                counters.give_up_queued(DropReason::ShutdownDeadline);
                let stats = counters.snapshot();
                assert_eq!(stats.queued, 0, "{stats:?}");
            });
        }
    }

    #[test]
    fn bytes_beyond_the_bound_are_dropped_and_counted() {
        let counters = counters(10, 100);
        assert!(counters.admit(1, 60));
        assert!(!counters.admit(1, 60));
        let stats = counters.snapshot();
        assert_eq!((stats.queued, stats.queued_bytes), (1, 60));
        assert_eq!(stats.dropped_for(DropReason::QueueFull), 1);
        check_conserved(&counters);
    }

    #[test]
    fn no_more_is_settled_than_was_accepted_while_spans_move() {
        let counters = counters(10, 100);
        std::thread::scope(|scope| {
            let moving = scope.spawn(|| {
                for _ in 0..20_000 {
                    counters.refuse(DropReason::AfterShutdown, 1);
                    counters.admit(1, 10);
                    counters.exported(1, 1, 1);
                    counters.release_bytes(10);
                }
            });
            while !moving.is_finished() {
                let stats = counters.snapshot();
                let settled = stats.exported + stats.dropped();
                assert_eq!(stats.accepted, settled + stats.queued, "{stats:?}");
            }
        });
        check_conserved(&counters);
    }

    #[test]
    fn what_is_larger_than_the_queue_is_let_into_an_empty_one() {
        let counters = counters(10, 100);
        assert!(counters.admit(11, 500));
        assert!(!counters.admit(1, 1));
        check_conserved(&counters);
    }
}
