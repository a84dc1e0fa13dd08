//! Why telemetry could not be installed.

use std::error::Error;
use std::fmt;
use std::io;

use agentspan_agent365::BuildError;
use agentspan_queue::causes;

use crate::sidecar::SidecarError;

/// Why telemetry could not be installed. After an error, nothing is installed.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// Telemetry, or a default tracer of scopes, is already installed in this process, and stays
    /// installed even after its guard is dropped or shut down, because scopes keep their tracer.
    /// Install telemetry once, where the program starts, and keep the guard. Parts of the program
    /// that need a provider or a tracer get `telemetry.provider()` or
    /// [`Telemetry::tracer`](crate::Telemetry::tracer). Tests that need several pipelines in one
    /// process use [`Configuration::into_processor`](crate::Configuration::into_processor) with a
    /// provider and a `ScopeTracer` each.
    #[error("telemetry is already installed in this process: install it once and keep its guard")]
    AlreadyInstalled,
    /// A setting of the delivery to Agent 365 is invalid; the source names it.
    #[error("cannot create the delivery to Agent 365")]
    Delivery(#[from] BuildError),
    /// The sidecar cannot be used; the source says why, and names a missing feature.
    #[error("cannot use the sidecar")]
    Sidecar(#[from] SidecarError),
    /// The name of a destination or of an Agent Spec processor is empty, is longer than 100 characters,
    /// or holds control or invisible characters, which would break lines of logs and reports. Choose another
    /// with `with_name`.
    #[error(
        "the name {name} of a destination is empty, too long, or holds characters that cannot be shown"
    )]
    Name {
        /// The name, escaped and cut.
        name: String,
    },
    /// The system refused a thread for the queue of a destination. Try again when the system is
    /// less busy.
    #[error("cannot start the thread of destination {name}")]
    Thread {
        /// The name of the destination.
        name: String,
        /// The error of the system.
        source: io::Error,
    },
    /// A destination that the environment asks for cannot be created; the source says why. Fix the
    /// variable, or unset `OTEL_TRACES_EXPORTER`.
    #[error("cannot create a destination that the environment asks for")]
    Environment(#[source] Box<dyn Error + Send + Sync>),
    /// A processor, an exporter or a meter provider of the program panicked, or so did the closure
    /// of [`with_provider`](crate::Configuration::with_provider). The panic hook has printed the
    /// message.
    #[error("code of the program panicked while telemetry was installed")]
    Panicked,
}

/// Shows the message and its causes, since `main` prints this of an error that it returns.
impl fmt::Debug for InstallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        causes::debug(self, f)
    }
}
