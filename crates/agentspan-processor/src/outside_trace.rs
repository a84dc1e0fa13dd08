//! Notices spans outside of any trace, of which no processor hears. As in `pyagentspec` 26.3.1, this
//! is no error, but most often it is a task that was spawned without its context.

use std::sync::atomic::{AtomicU8, Ordering};

use agentspan_queue::contain;

/// No trace was to have a processor so far: telemetry is off.
const OFF: u8 = 0;
/// Some trace was to have a processor.
const ON: u8 = 1;
/// The log has a line about a span outside of a trace.
const LOGGED: u8 = 2;

/// Relaxed, because only the value counts.
static STATE: AtomicU8 = AtomicU8::new(OFF);

/// A trace is to have a processor.
pub(crate) fn expect_traces() {
    STATE.fetch_max(ON, Ordering::Relaxed);
}

/// A span starts that nobody observes. Logs the first one outside of any trace, if some trace has a
/// processor.
#[inline]
pub(crate) fn notice(is_outside: impl FnOnce() -> bool) {
    if STATE.load(Ordering::Relaxed) == ON && is_outside() {
        log();
    }
}

#[cold]
fn log() {
    if STATE.swap(LOGGED, Ordering::Relaxed) == ON {
        contain::log(|| {
            tracing::warn!(
                target: "agentspan::processor::span",
                "an agent spec span was started outside of a trace, so it is not recorded: start a \
                 trace around it, or carry the context to its task or thread \
                 (`with_agent_context` or `processor::Context`); further such spans are not logged"
            );
        });
    }
}
