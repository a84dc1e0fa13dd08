//! A batch that is not reported yet.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::report::{ExportReport, IdentityReport, RefusedIdentity};

/// The facts known about a batch so far.
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

    /// Keeps what became of one identity, and says whether nothing was known of it before.
    pub(super) fn settle(&mut self, slot: usize, report: IdentityReport) -> bool {
        let Some(place) = self.reports.get_mut(slot) else {
            return false;
        };
        let is_first = place.replace(report).is_none();
        self.missing -= usize::from(is_first);
        is_first
    }

    /// Whether something is known of one identity.
    pub(super) fn knows(&self, slot: usize) -> bool {
        self.reports.get(slot).is_some_and(Option::is_some)
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
