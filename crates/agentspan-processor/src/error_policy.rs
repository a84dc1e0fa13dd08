//! What happens when a hook fails.

/// The effect of a hook that fails or panics.
///
/// The Agent Spec guidance asks that telemetry does not disturb what it observes, which is the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorPolicy {
    /// The failure is logged and [counted](crate::Trace::hook_failures), and everything goes on.
    ///
    /// A processor whose `startup` fails takes no part in the trace; one whose `on_start` fails hears
    /// nothing more of that span.
    #[default]
    Report,
    /// The failure comes out of the call that caused it, as in `pyagentspec` 26.3.1.
    ///
    /// A failed `on_start` ends the span for the processors that had started it. All `on_end` hooks run, and
    /// the first failure comes out. A failed `on_event`, `startup` or `shutdown` keeps the processors
    /// after it from being called. A trace whose start fails is not active, unlike in the reference.
    Propagate,
}
