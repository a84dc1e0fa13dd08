//! Why a flush or a shutdown did not do all that it should.

use std::io;
use std::time::Duration;

/// Errors of [`Telemetry::flush`](crate::Telemetry::flush) and [`Telemetry::shutdown`](crate::Telemetry::shutdown).
///
/// Shown on one line, with the reasons and the counts of each destination that lost something:
///
/// ```text
/// agent365 lost 3 spans (token: 2, queue_full: 1); phoenix lost 1 span (rejected: 1)
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// The deadline passed first. After a flush the spans stay queued; after a shutdown they are dropped
    /// and counted. Give more time, or look at [`Telemetry::report`](crate::Telemetry::report) for the destination
    /// that is slow.
    #[error(
        "the deadline of {timeout:?} passed with {unsent} spans or hooks not sent{}",
        after(failures)
    )]
    Deadline {
        /// The time that was given.
        timeout: Duration,
        /// How many spans of all destinations together were not sent in that time, and how many hooks of
        /// processors of Agent Spec have not run.
        unsent: u64,
        /// Which destinations they are of, and what else was lost or failed.
        failures: Vec<String>,
    },
    /// Some spans or hooks were lost of which no call has told yet, or a processor of the provider failed.
    /// [`Telemetry::report`](crate::Telemetry::report) says what became of all spans.
    #[error("{}", failures.join("; "))]
    Processor {
        /// What each destination and each processor says that lost something or failed.
        failures: Vec<String>,
    },
    /// The system refused a thread to wait on. The destinations were flushed or shut down all the same, except by
    /// the asynchronous methods. Try again when the system has less to do.
    #[error("cannot start a thread to wait for the span processors")]
    Thread(#[source] io::Error),
}

fn after(failures: &[String]) -> String {
    failures
        .iter()
        .map(|failure| format!("; {failure}"))
        .collect()
}
