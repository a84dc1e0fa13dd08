//! A started flush, and its result.

use std::time::{Duration, Instant};

use agentspan_queue::queue::Ticket;
use agentspan_queue::told;
use agentspan_record::DropReason;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};

use super::ExportQueue;
use super::item::LOSSES;
use super::process::Outcome;

/// A flush that [`ExportQueue::start_flush`] has started. It continues even if no caller waits for
/// it.
#[derive(Debug)]
pub struct ExportFlush {
    pub(super) queue: ExportQueue,
    pub(super) ticket: Ticket,
    /// The losses that were reported before it.
    pub(super) told: [u64; LOSSES],
}

impl ExportFlush {
    /// Waits until the spans that were queued at the start of this flush are exported or dropped,
    /// for at most `timeout`.
    ///
    /// A finished flush needs no time: `wait(Duration::ZERO)` returns its result, and succeeds if
    /// nothing is queued.
    ///
    /// # Errors
    ///
    /// [`OTelSdkError::Timeout`] if the time passed first; the spans stay in the queue.
    /// `InternalFailure` if spans were lost and no call has reported them, if the flush of the
    /// exporter fails, and on the queue's own thread, which cannot wait for itself.
    pub fn wait(self, timeout: Duration) -> OTelSdkResult {
        let handle = &self.queue.0;
        let deadline = Instant::now().checked_add(timeout);
        let process = handle.process();
        if process.queue.is_own_thread() {
            return Err(own_thread(&handle.name));
        }
        let outcome = process.wait_for_flush(self.ticket, deadline);
        // A flush without time does not wait for the flush of the exporter.
        let is_done = timeout.is_zero() && process.queue.counts().queued == 0;
        if outcome == Outcome::Late && !is_done {
            // Nothing is told. The next call does, which may have the time to say what became of the rest.
            return Err(OTelSdkError::Timeout(timeout));
        }
        let lost = lost(&handle.name, process.queue.tell(self.told));
        let failed = (outcome == Outcome::Failed)
            .then(|| format!("the exporter of {} cannot be flushed", handle.name));
        failure([lost, failed])
    }
}

/// An exporter, or what it calls, waits for the thread that it runs on.
pub(super) fn own_thread(name: &str) -> OTelSdkError {
    OTelSdkError::InternalFailure(format!("the thread of {name} cannot wait for itself"))
}

/// Says what a shutdown has lost and nobody was told of.
pub(super) fn of_shutdown(
    name: &str,
    outcome: Outcome,
    timeout: Duration,
    losses: [u64; LOSSES],
) -> OTelSdkResult {
    let mut with_reasons = DropReason::ALL.into_iter().zip(losses);
    let only_late = with_reasons.all(|(reason, n)| {
        n == 0 || reason == DropReason::ShutdownDeadline || reason.is_by_choice()
    });
    let is_late = outcome == Outcome::Late;
    if is_late && only_late {
        return Err(OTelSdkError::Timeout(timeout));
    }
    // Losses to the deadline say that it has passed.
    let late = DropReason::ShutdownDeadline;
    let is_said = losses.get(late.index()).is_some_and(|lost| *lost > 0);
    let late = (is_late && !is_said).then(|| format!("the deadline of {timeout:?} passed"));
    let failed =
        (outcome == Outcome::Failed).then(|| format!("the exporter of {name} cannot be shut down"));
    failure([late, lost(name, losses), failed])
}

fn lost(name: &str, losses: [u64; LOSSES]) -> Option<String> {
    // Spans that were sampled out were not to be exported.
    let reasons = DropReason::ALL.into_iter().zip(losses);
    let losses = reasons.filter(|(reason, _)| !reason.is_by_choice());
    let losses = losses.map(|(reason, spans)| (reason.as_str(), spans));
    told::sentence("span", losses).map(|lost| format!("{name} {lost}"))
}

/// All that is to be said, in one text; nothing is a success.
fn failure(said: impl IntoIterator<Item = Option<String>>) -> OTelSdkResult {
    let said: Vec<String> = said.into_iter().flatten().collect();
    if said.is_empty() {
        return Ok(());
    }
    Err(OTelSdkError::InternalFailure(said.join("; ")))
}
