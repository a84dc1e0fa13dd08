//! The events that the thread is told.

use std::sync::Arc;

use agentspan_record::FinishedSpan;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::claim::Claim;
use super::flushes::Flush;
use super::lanes::{Pause, Size};
use super::queued_span::Resources;
use super::token_source::TokenSource;
use super::turn::Step;
use crate::destination::Recipient;
use crate::report::{ExportReport, IdentityReport};

/// Something that happened outside of the worker.
#[derive(Debug)]
pub(crate) enum Event {
    /// There are enough single spans for a batch.
    Wake,
    /// A whole batch was handed over.
    Job(Job),
    /// The spans of one identity are settled.
    Delivered {
        recipient: Arc<Recipient>,
        batch: u64,
        slot: usize,
        /// The size that their lane held for them.
        held: Size,
        report: IdentityReport,
    },
    /// The spans of one identity wait for another try.
    Queued {
        batch: u64,
        slot: usize,
        report: IdentityReport,
    },
    /// Something happened to the turn of a request.
    Step { turn: u64, step: Step },
    /// A lane has paused for as long as the service asked, and pauses on.
    AskedIsOver(Pause<Arc<Recipient>>),
    /// A lane has paused.
    Rested(Pause<Arc<Recipient>>),
    /// Somebody waits for what was handed over so far.
    Flush(Flush),
    /// The end. What is not delivered at the deadline is dropped.
    Stop { deadline: Instant },
}

/// A batch from an exporter, or the spans of a request.
#[derive(Debug)]
pub(crate) struct Job {
    pub(super) spans: Vec<FinishedSpan>,
    /// The estimated memory of each of them.
    pub(super) sizes: Vec<u64>,
    pub(super) resources: Resources,
    pub(super) claim: Claim,
    pub(super) tokens: TokenSource,
    pub(super) reply: Option<oneshot::Sender<Arc<ExportReport>>>,
}
