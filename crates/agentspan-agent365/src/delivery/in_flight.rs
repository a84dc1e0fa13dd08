//! A batch that is not reported yet.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::report::{ExportReport, IdentityReport, RefusedIdentity};

/// What is known of a batch so far.
#[derive(Debug)]
pub(super) struct InFlight {
    refused: Vec<RefusedIdentity>,
    no_identity: usize,
    other_operation: usize,
    reports: Vec<Option<IdentityReport>>,
    missing: usize,
    reply: Option<oneshot::Sender<Arc<ExportReport>>>,
}

/// The spans of a batch that are in no group.
#[derive(Debug)]
pub(super) struct Skipped {
    pub(super) refused: Vec<RefusedIdentity>,
    pub(super) no_identity: usize,
    pub(super) other_operation: usize,
}

impl InFlight {
    pub(super) fn new(
        identities: usize,
        skipped: Skipped,
        reply: Option<oneshot::Sender<Arc<ExportReport>>>,
    ) -> Self {
        let mut reports = Vec::new();
        reports.resize_with(identities, || None);
        Self {
            refused: skipped.refused,
            no_identity: skipped.no_identity,
            other_operation: skipped.other_operation,
            reports,
            missing: identities,
            reply,
        }
    }

    /// Keeps what became of one identity.
    pub(super) fn settle(&mut self, slot: usize, report: IdentityReport) {
        if let Some(place @ None) = self.reports.get_mut(slot) {
            *place = Some(report);
            self.missing -= 1;
        }
    }

    /// Whether every identity is settled.
    pub(super) fn is_complete(&self) -> bool {
        self.missing == 0
    }

    /// The report, and who waits for it.
    pub(super) fn into_report(self) -> (ExportReport, Option<oneshot::Sender<Arc<ExportReport>>>) {
        let report = ExportReport {
            identities: self.reports.into_iter().flatten().collect(),
            refused: self.refused,
            no_identity: self.no_identity,
            other_operation: self.other_operation,
        };
        (report, self.reply)
    }
}
