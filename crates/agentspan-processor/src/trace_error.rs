//! Errors of traces and spans.

use std::fmt;

use agentspan_queue::causes;

use crate::HookError;
use crate::span_processor::Hook;

/// Errors of traces and spans.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// Another trace is active. End it first, or start the new trace where no trace is active, for
    /// instance on another thread.
    #[error("the trace {active:?} is active already, and traces do not nest")]
    AlreadyActive {
        /// The name of the active trace.
        active: String,
    },
    /// A hook failed or panicked, under [`ErrorPolicy::Propagate`](crate::ErrorPolicy::Propagate).
    /// The span or the trace is in a consistent state: it has ended if the call was to end it, and
    /// it is not active if the call was to start it.
    #[error("{hook} of the processor {processor} failed")]
    Hook {
        /// The hook.
        hook: Hook,
        /// The [name](crate::SpanProcessor::name) of the processor.
        processor: String,
        /// The error of the hook.
        source: HookError,
    },
}

/// Shows the message and its causes, since `main` prints this of an error that it returns.
impl fmt::Debug for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        causes::debug(self, f)
    }
}
