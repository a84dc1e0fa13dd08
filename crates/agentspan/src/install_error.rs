//! Why telemetry could not be installed.

use std::error::Error;
use std::io;

use agentspan_agent365::BuildError;

use crate::sidecar::SidecarError;

/// Why telemetry could not be installed. Nothing of it is in force then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// Telemetry, or a default tracer of scopes, was installed before in this process, and stays in force: also when
    /// its guard was dropped or shut down, since scopes keep their tracer. Install it once, where the program starts,
    /// and keep the guard; hand out `telemetry.provider()` or [`Telemetry::tracer`](crate::Telemetry::tracer) where
    /// parts of the program want their own. Tests that need several pipelines in one process use
    /// [`Configuration::into_processor`](crate::Configuration::into_processor) with a
    /// provider and a `ScopeTracer` each.
    #[error("telemetry is already installed in this process")]
    AlreadyInstalled,
    /// A setting of the delivery to Agent 365 cannot be used; the source names it.
    #[error("the delivery to Agent 365 cannot be built")]
    Delivery(#[from] BuildError),
    /// The sidecar cannot be used; the source says why, and which feature is missing if one is.
    #[error("the sidecar cannot be used")]
    Sidecar(#[from] SidecarError),
    /// The system refused a thread for the queue of a destination. Try again when it has less to do.
    #[error("cannot start the thread of destination {name}")]
    Thread {
        /// The name of the destination.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// A destination that the environment asks for cannot be made; the source says why. Mend the variable,
    /// or unset `OTEL_TRACES_EXPORTER`.
    #[error("a destination of the environment cannot be made")]
    Environment(#[source] Box<dyn Error + Send + Sync>),
    /// A processor, an exporter or a meter provider of the program panicked, or the closure of
    /// [`with_provider`](crate::Configuration::with_provider) did. The panic hook has printed its message.
    #[error("code of the program panicked while telemetry was installed")]
    Panicked,
}
