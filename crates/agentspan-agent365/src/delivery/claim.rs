//! Spans that somebody has to account for.

use std::sync::Arc;

use agentspan_model::agent365::Identity;
use tokio::sync::mpsc::UnboundedSender;

use super::event::{Event, TokenSource};
use super::shared::Shared;
use crate::drop_reason::DropReason;
use crate::export_error::ExportError;
use crate::report::{Attempt, IdentityReport};

/// A number of spans that are counted as queued. Whoever drops it without saying what became of them
/// has lost them, and they are counted so: nothing leaves the count by a panic or a cancelled task.
#[derive(Debug)]
pub(super) struct Claim {
    shared: Arc<Shared>,
    spans: usize,
}

impl Claim {
    /// Takes over `spans` that were admitted to the queue.
    pub(super) fn new(shared: Arc<Shared>, spans: usize) -> Self {
        Self { shared, spans }
    }

    /// Takes `spans` out of this claim.
    pub(super) fn split(&mut self, spans: usize) -> Self {
        let spans = spans.min(self.spans);
        self.spans -= spans;
        Self {
            shared: Arc::clone(&self.shared),
            spans,
        }
    }

    /// The service has the spans.
    pub(super) fn exported(mut self, body_bytes: usize) {
        let spans = std::mem::take(&mut self.spans);
        self.shared
            .counters
            .exported(spans as u64, body_bytes as u64);
    }

    /// The spans are given up.
    pub(super) fn dropped(mut self, reason: DropReason) {
        self.give_up(reason);
    }

    fn give_up(&mut self, reason: DropReason) {
        let spans = std::mem::take(&mut self.spans);
        if spans > 0 {
            self.shared
                .counters
                .dropped_from_queue(reason, spans as u64);
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let reason = self.shared.reason_of_loss();
        self.give_up(reason);
    }
}

/// The spans of one identity on their way. Reports what became of them exactly once, even when the
/// task that carries them panics or is cancelled.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) identity: Identity,
    pub(super) tokens: TokenSource,
    pub(super) batch: u64,
    /// The place of the identity in the batch's report.
    pub(super) slot: usize,
    pub(super) spans: usize,
    pub(super) delivered: usize,
    pub(super) requests: usize,
    pub(super) truncated: usize,
    pub(super) body_bytes: usize,
    /// `None` once it is settled.
    pub(super) claim: Option<Claim>,
    pub(super) events: UnboundedSender<Event>,
}

impl Ticket {
    /// The service has the first `spans` of those that are left.
    pub(super) fn delivered(&mut self, spans: usize, body_bytes: usize) {
        if let Some(claim) = &mut self.claim {
            claim.split(spans).exported(body_bytes);
            self.delivered += spans;
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
        let report = IdentityReport {
            identity: self.identity.clone(),
            spans: self.spans,
            delivered: self.delivered,
            requests: self.requests,
            truncated: self.truncated,
            body_bytes: self.body_bytes,
            attempts,
            error,
        };
        // Nobody listens any more when the thread ends, and then the count is all that is left.
        let _ = self.events.send(Event::Delivered {
            batch: self.batch,
            slot: self.slot,
            report,
        });
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let Some(claim) = &self.claim else {
            return;
        };
        let identity = self.identity.clone();
        let error = match claim.shared.reason_of_loss() {
            DropReason::ShutdownDeadline => ExportError::ShutdownDeadline { identity },
            _ => ExportError::Internal { identity },
        };
        self.report(Vec::new(), Some(error));
    }
}
