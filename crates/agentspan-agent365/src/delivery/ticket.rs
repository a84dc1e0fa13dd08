//! The spans of one identity on their way, and what is to be said of them.

use std::sync::Arc;

use agentspan_record::DropReason;
use tokio::sync::mpsc::UnboundedSender;

use super::claim::Claim;
use super::event::Event;
use super::lanes::Size;
use super::outbox::Settled;
use super::token_source::TokenSource;
use super::waits::{Awaited, Wait};
use crate::destination::Recipient;
use crate::export_error::ExportError;
use crate::receipt::Receipt;
use crate::report::{Attempt, IdentityReport, SpanLoss};
use crate::service_reason::Reasons;

/// The spans of one identity on their way. Reports what became of them exactly once, even when the
/// task that carries them panics or is cancelled.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) recipient: Arc<Recipient>,
    pub(super) tokens: TokenSource,
    pub(super) batch: u64,
    /// The place of the identity in the batch's report.
    pub(super) slot: usize,
    /// Those that the next report is about.
    pub(super) spans: usize,
    /// The size that its lane holds for it.
    pub(super) held: Size,
    pub(super) answered: Answered,
    pub(super) requests: usize,
    pub(super) truncated: usize,
    pub(super) body_bytes: usize,
    /// `None` once it is settled.
    pub(super) claim: Option<Claim>,
    pub(super) events: UnboundedSender<Event>,
    pub(super) wait: Wait,
}

/// The service's answers about the spans of the requests that it took.
#[derive(Debug, Default)]
pub(super) struct Answered {
    /// Whether they are about spans that were reported to wait for another try.
    are_of_queued: bool,
    exported: usize,
    unconfirmed: usize,
    rejected: usize,
    not_routed: usize,
    too_large: usize,
    /// The length of the shortest request that was too large with a single span in it.
    shortest_too_large: usize,
    /// The losses of an identity whose other spans are sent.
    lost: Vec<SpanLoss>,
    why_rejected: Reasons,
    why_not_routed: Reasons,
    notices: Reasons,
}

impl Ticket {
    /// The service finds some of the spans that are left too large, in a request of this length
    /// that cannot be divided.
    pub(super) fn too_large(&mut self, settled: Settled, body_bytes: usize) {
        let spans = settled.spans;
        if let Some(claim) = &mut self.claim {
            claim.release(settled.bytes);
            claim.split(spans).dropped(DropReason::TooLarge);
            let answered = &mut self.answered;
            answered.shortest_too_large = match answered.too_large {
                0 => body_bytes,
                _ => answered.shortest_too_large.min(body_bytes),
            };
            answered.too_large += spans;
        }
    }

    /// Some of the spans that are left are lost.
    pub(super) fn lost(&mut self, settled: Settled, error: ExportError) {
        let spans = settled.spans;
        if let Some(claim) = &mut self.claim {
            claim.release(settled.bytes);
            claim.split(spans).dropped(error.reason());
            self.answered.lost.push(SpanLoss { spans, error });
        }
    }

    /// The service took a request with some of the spans that are left.
    pub(super) fn answered(&mut self, settled: Settled, receipt: Receipt, body_bytes: usize) {
        let Some(claim) = &mut self.claim else {
            return;
        };
        claim.release(settled.bytes);
        let taken = receipt.taken();
        let delivered = claim.split(taken);
        delivered.exported(receipt.unconfirmed, body_bytes);
        let rejected = claim.split(receipt.rejected);
        rejected.dropped(DropReason::Rejected);
        let not_routed = claim.split(receipt.not_routed);
        not_routed.dropped(DropReason::NotRouted);
        let answered = &mut self.answered;
        answered.exported += taken;
        answered.unconfirmed += receipt.unconfirmed;
        answered.rejected += receipt.rejected;
        answered.not_routed += receipt.not_routed;
        answered.why_rejected.merge(receipt.why_rejected);
        answered.why_not_routed.merge(receipt.why_not_routed);
        answered.notices.merge(receipt.notices);
    }

    /// Runs until a pause is over. Meanwhile, the spans wait because of the identity's obstacle.
    pub(super) async fn pausing<T>(&self, pause: impl Future<Output = T>) -> T {
        let paused = self.wait.until(Awaited::Pause, &self.recipient, pause);
        paused.await
    }

    /// Says once that the spans which are left wait for another try. The next report is about these only, so that
    /// the reports add up.
    pub(super) fn queued(&mut self, attempts: Vec<Attempt>) {
        let Some(claim) = &self.claim else {
            return;
        };
        let queued = claim.spans();
        if self.answered.are_of_queued {
            return;
        }
        let report = IdentityReport {
            queued,
            ..self.take_report(attempts, None)
        };
        self.spans = queued;
        self.answered.are_of_queued = true;
        let _ = self.events.send(Event::Queued {
            batch: self.batch,
            slot: self.slot,
            report,
        });
    }

    /// A report of what became of the spans so far. What is left is lost if there is an error.
    fn take_report(
        &mut self,
        attempts: Vec<Attempt>,
        error: Option<ExportError>,
    ) -> IdentityReport {
        let Answered {
            are_of_queued: _,
            exported,
            unconfirmed,
            rejected,
            not_routed,
            too_large,
            shortest_too_large,
            mut lost,
            mut why_rejected,
            mut why_not_routed,
            mut notices,
        } = std::mem::take(&mut self.answered);
        let identity = || self.recipient.identity.clone();
        let lost_apart: usize = lost.iter().map(|loss| loss.spans).sum();
        let settled = exported + rejected + not_routed + too_large + lost_apart;
        let left = self.spans.saturating_sub(settled);
        let mut lose = |spans, error| lost.push(SpanLoss { spans, error });
        if rejected > 0 {
            let (identity, reasons) = (identity(), why_rejected.take());
            lose(rejected, ExportError::Rejected { identity, reasons });
        }
        if not_routed > 0 {
            let (identity, reasons) = (identity(), why_not_routed.take());
            lose(not_routed, ExportError::NotRouted { identity, reasons });
        }
        if too_large > 0 {
            let (identity, bytes) = (identity(), shortest_too_large);
            lose(too_large, ExportError::TooLarge { identity, bytes });
        }
        if let Some(error) = error.filter(|_| left > 0) {
            lose(left, error);
        }
        IdentityReport {
            identity: identity(),
            spans: self.spans,
            exported,
            unconfirmed,
            queued: 0,
            agentic_user: self.recipient.agentic_user.clone(),
            requests: self.requests,
            truncated: self.truncated,
            body_bytes: self.body_bytes,
            attempts,
            notices: notices.take(),
            losses: lost,
        }
    }

    /// Says what became of the spans that were not delivered.
    pub(super) fn settle(mut self, attempts: Vec<Attempt>, error: Option<ExportError>) {
        self.report(attempts, error);
    }

    fn report(&mut self, attempts: Vec<Attempt>, error: Option<ExportError>) {
        let Some(claim) = self.claim.take() else {
            return;
        };
        match &error {
            None => drop(claim),
            Some(error) => claim.dropped(error.reason()),
        }
        let report = self.take_report(attempts, error);
        // Nobody listens any more when the thread ends, and then the count is all that is left.
        let _ = self.events.send(Event::Delivered {
            recipient: Arc::clone(&self.recipient),
            batch: self.batch,
            slot: self.slot,
            held: self.held,
            report,
        });
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let Some(claim) = &self.claim else {
            return;
        };
        let identity = self.recipient.identity.clone();
        let error = match claim.reason_of_loss() {
            DropReason::ShutdownDeadline => ExportError::ShutdownDeadline {
                identity,
                // A failure says more than that an answer is missing.
                source: self.recipient.obstacle().or_else(|| self.wait.awaited()),
            },
            _ => ExportError::Internal { identity },
        };
        self.report(Vec::new(), Some(error));
    }
}
