//! A batch that is not reported yet.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::report::{ExportReport, IdentityReport};

/// The facts known about a batch so far.
#[derive(Debug)]
pub(super) struct InFlight {
    /// Has no identity yet, only the spans that are in no group.
    report: ExportReport,
    reports: Vec<Option<IdentityReport>>,
    missing: usize,
    reply: Option<oneshot::Sender<Arc<ExportReport>>>,
}

impl InFlight {
    pub(super) fn new(
        identities: usize,
        report: ExportReport,
        reply: Option<oneshot::Sender<Arc<ExportReport>>>,
    ) -> Self {
        let mut reports = Vec::new();
        reports.resize_with(identities, || None);
        Self {
            report,
            reports,
            missing: identities,
            reply,
        }
    }

    /// Keeps what became of one identity, and says whether nothing was known of it before.
    pub(super) fn settle(&mut self, slot: usize, report: IdentityReport) -> bool {
        match self.reports.get_mut(slot) {
            Some(Some(before)) => before.go_on(report),
            Some(place) => {
                *place = Some(report);
                self.missing -= 1;
                return true;
            }
            None => {}
        }
        false
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
    pub(super) fn into_report(
        mut self,
    ) -> (ExportReport, Option<oneshot::Sender<Arc<ExportReport>>>) {
        self.report.identities = self.reports.into_iter().flatten().collect();
        (self.report, self.reply)
    }
}
