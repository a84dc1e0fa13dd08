//! A flush that has started.

use std::time::{Duration, Instant};

use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};

use super::ExportQueue;
use super::state::Outcome;

/// A flush that [`ExportQueue::start_flush`] has started. It goes on whether anybody waits for it or not.
#[derive(Debug)]
pub struct ExportFlush {
    pub(super) queue: ExportQueue,
    /// Which call to flush this is.
    pub(super) call: u64,
}

impl ExportFlush {
    /// Waits until what was queued at the start of this flush is exported or dropped, for at most `timeout`.
    ///
    /// A flush that is done needs no time: `wait(Duration::ZERO)` tells what came of it.
    ///
    /// # Errors
    ///
    /// [`OTelSdkError::Timeout`] when the time passed first; the spans stay in the queue.
    /// `InternalFailure` when spans were lost since the last call that said so, and when the exporter fails to
    /// flush what it took.
    pub fn wait(self, timeout: Duration) -> OTelSdkResult {
        let handle = &self.queue.0;
        let deadline = Instant::now().checked_add(timeout);
        let process = handle.process();
        let outcome = process.shared.wait_for_flush(self.call, deadline);
        if outcome == Outcome::Late {
            return Err(OTelSdkError::Timeout(timeout));
        }
        let name = &handle.name;
        let (lost, reasons) = process.told.rest_of(&self.queue.stats());
        match lost {
            0 if outcome == Outcome::Failed => {
                let text = format!("the exporter of {name} cannot be flushed");
                Err(OTelSdkError::InternalFailure(text))
            }
            0 => Ok(()),
            lost => {
                let text = format!("{name} lost {lost} spans ({reasons})");
                Err(OTelSdkError::InternalFailure(text))
            }
        }
    }
}
