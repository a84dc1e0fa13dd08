//! The policy for hooks that fail.

/// The effect of a hook that fails or panics.
///
/// By default, failures do not disturb the program, as the Agent Spec guidance asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorPolicy {
    /// The failure is logged and [counted](crate::Trace::hook_failures), and the program continues.
    ///
    /// A processor whose `startup` fails gets no hooks of the trace. If its `on_start` fails, it
    /// gets no further hooks of that span.
    #[default]
    Report,
    /// The call that caused the failure returns it, as in `pyagentspec` 26.3.1.
    ///
    /// If an `on_start` fails, the span ends for the processors that had started it. All `on_end`
    /// hooks run, and the first failure is returned. If an `on_event`, `startup` or `shutdown`
    /// fails, the hooks of the following processors are not called. A trace whose start fails is
    /// not active, unlike in the reference.
    Propagate,
}
