//! Why a flush or a shutdown did not do all that it should.

use std::io;
use std::time::Duration;

use opentelemetry_sdk::error::OTelSdkError;

/// Errors of [`Telemetry::flush`](crate::Telemetry::flush) and [`Telemetry::shutdown`](crate::Telemetry::shutdown).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// The deadline passed first. After a flush the spans stay queued; after a shutdown they are dropped
    /// and counted. Give more time, or look at [`Telemetry::report`](crate::Telemetry::report) for the destination
    /// that is slow.
    #[error("the deadline of {timeout:?} passed with {unsent} spans or hooks not sent")]
    Deadline {
        /// The time that was given.
        timeout: Duration,
        /// How many spans of all destinations together were not sent in that time, and how many hooks of
        /// processors of Agent Spec have not run.
        unsent: u64,
    },
    /// Some spans were lost, or a processor of the provider failed.
    /// [`Telemetry::report`](crate::Telemetry::report) says which destination lost them and why.
    #[error("a span processor reports a failure")]
    Processor(#[source] OTelSdkError),
    /// The system refused a thread to wait on. The destinations were flushed or shut down all the same, except by
    /// the asynchronous methods. Try again when the system has less to do.
    #[error("cannot start a thread to wait for the span processors")]
    Thread(#[source] io::Error),
}
