//! The runtime that connections live in.

use std::io;

use opentelemetry::Context;
use tokio::runtime::{Builder, Runtime};

/// A single-threaded Tokio runtime with I/O and time, and with at most `helpers` threads named
/// `agentspan-blocking` for what the system only offers blocking, such as looking up a host.
///
/// Nothing that happens on the helpers makes telemetry. Keep that up on the thread that runs it, with
/// `Context::enter_telemetry_suppressed_scope`.
///
/// # Errors
///
/// The system refuses what a runtime needs, such as file descriptors.
pub fn io_runtime(helpers: usize) -> io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(helpers)
        .thread_name("agentspan-blocking")
        .on_thread_start(|| {
            // For as long as the thread lives: a guard that is dropped at its end would be dropped too late.
            std::mem::forget(Context::enter_telemetry_suppressed_scope());
        })
        .build()
}
