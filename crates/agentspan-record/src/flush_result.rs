//! The result of a flush or a shutdown, of every queue.

use std::time::Duration;

use agentspan_queue::told;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};

use crate::drop_reason::DropReason;

/// The result of a flush or a shutdown of the queue `name`, which has to report these losses, in the order
/// of [`DropReason::ALL`].
///
/// `late` is the time that a shutdown had, if its deadline has passed. `failed` says what else went wrong.
/// Spans that were not meant to be exported are no loss.
///
/// # Errors
///
/// `Timeout` if the deadline has passed and all losses are due to that, or else `InternalFailure` with the
/// losses and their reasons.
pub fn flush_result(
    name: &str,
    losses: [u64; DropReason::ALL.len()],
    late: Option<Duration>,
    failed: impl IntoIterator<Item = String>,
) -> OTelSdkResult {
    let losses = DropReason::ALL.into_iter().zip(losses);
    let losses = losses.filter(|(reason, lost)| *lost > 0 && !reason.is_unmeant());
    let is_late = |(reason, _)| reason == DropReason::ShutdownDeadline;
    if let Some(timeout) = late.filter(|_| losses.clone().all(is_late)) {
        return Err(OTelSdkError::Timeout(timeout));
    }
    // Losses to the deadline say that it has passed.
    let late = late.filter(|_| !losses.clone().any(is_late));
    let late = late.map(|timeout| format!("the deadline of {timeout:?} passed"));
    let lost = told::sentence("span", losses.map(|(reason, lost)| (reason.as_str(), lost)));
    let lost = lost.map(|lost| format!("{name} {lost}"));
    let said: Vec<_> = late.into_iter().chain(lost).chain(failed).collect();
    match said.is_empty() {
        true => Ok(()),
        false => Err(OTelSdkError::InternalFailure(said.join("; "))),
    }
}
