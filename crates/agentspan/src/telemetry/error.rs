//! Errors of flush and shutdown.

use std::fmt;
use std::io;
use std::time::Duration;

use agentspan_queue::causes;
use agentspan_queue::told::counted;

/// Errors of [`Telemetry::flush`](crate::Telemetry::flush) and [`Telemetry::shutdown`](crate::Telemetry::shutdown).
///
/// The message is one line, with reasons and counts for each destination that lost spans:
///
/// ```text
/// agent365 lost 3 spans (token: 2, queue_full: 1); phoenix lost 1 span (rejected: 1)
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// The deadline passed first, or no further try fits into it. After a flush, the spans stay
    /// queued; after a shutdown, they are dropped and counted. Allow more time, or find the slow destination with
    /// [`Telemetry::report`](crate::Telemetry::report).
    #[error(
        "{} with {} not sent{}",
        late(*timeout, *gave_up_early),
        counted(*unsent, "span or hook", "spans or hooks"),
        after(failures)
    )]
    Deadline {
        /// The timeout of the call.
        timeout: Duration,
        /// Whether the call returned before the timeout, because no further try fits into it.
        gave_up_early: bool,
        /// The number of unsent spans of all destinations together, plus the hooks of Agent Spec
        /// processors that have not run.
        unsent: u64,
        /// The unsent spans by destination, and other losses and failures.
        failures: Vec<String>,
    },
    /// Spans or hooks were lost that no call has reported before, or a processor of the provider
    /// failed. [`Telemetry::report`](crate::Telemetry::report) counts the outcomes of all spans.
    #[error("{}", failures.join("; "))]
    Processor {
        /// The messages of the destinations and processors that lost spans or failed.
        failures: Vec<String>,
    },
    /// The system refused a thread for the wait. The destinations were flushed or shut down
    /// nevertheless, except by the asynchronous methods. Try again when the system is less busy.
    #[error("cannot start a thread to wait for the span processors")]
    Thread(#[source] io::Error),
}

/// Shows the message and its causes, since `main` prints this of an error that it returns.
impl fmt::Debug for TelemetryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        causes::debug(self, f)
    }
}

/// Why spans are late.
pub(super) fn late(timeout: Duration, gave_up_early: bool) -> String {
    match gave_up_early {
        true => format!("no further try fits into the deadline of {timeout:?}"),
        false => format!("the deadline of {timeout:?} passed"),
    }
}

fn after(failures: &[String]) -> String {
    failures
        .iter()
        .map(|failure| format!("; {failure}"))
        .collect()
}
