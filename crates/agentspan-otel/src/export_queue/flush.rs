//! A started flush, and its result.

use std::time::{Duration, Instant};

use agentspan_queue::queue::Ticket;
use agentspan_record::flush_result;
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
        let failed = (outcome == Outcome::Failed)
            .then(|| format!("the exporter of {} cannot be flushed", handle.name));
        flush_result(&handle.name, process.queue.tell(self.told), None, failed)
    }
}

/// An exporter, or what it calls, waits for the thread that it runs on.
pub(super) fn own_thread(name: &str) -> OTelSdkError {
    OTelSdkError::InternalFailure(format!("the thread of {name} cannot wait for itself"))
}
