//! Why a trace or a span could not do what it was asked to.

use crate::HookError;
use crate::span_processor::Hook;

/// Why a trace or a span could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// Another trace is active where this one was to start. End that one first, or start this one
    /// where no trace is active, for instance on a thread of its own.
    #[error("the trace {active:?} is active already, and traces do not nest")]
    AlreadyActive {
        /// The name of the trace that is active.
        active: String,
    },
    /// A hook failed or panicked, under [`ErrorPolicy::Propagate`](crate::ErrorPolicy::Propagate). The
    /// span or the trace itself is in order: what was to be ended has ended, what could not start
    /// is not active.
    #[error("{hook} of the processor {processor} failed")]
    Hook {
        /// The hook.
        hook: Hook,
        /// The [name](crate::SpanProcessor::name) of the processor.
        processor: String,
        /// What the hook said.
        source: HookError,
    },
}
