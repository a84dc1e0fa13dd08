//! The process-wide switch of all scopes.

use std::sync::atomic::{AtomicBool, Ordering};

static ENABLED: AtomicBool = AtomicBool::new(true);

/// Switches the scopes of this process on or off. They are on until this is called.
///
/// A scope that starts while scopes are off does nothing, and never becomes part of a trace. A
/// scope that started before keeps its span: recordings while scopes are off are ignored, and the
/// span still ends and is exported. (The reference never ends such a span, and loses it.)
///
/// This crate does not read the environment. The `agentspan` facade parses `ENABLE_OBSERVABILITY`
/// and `ENABLE_A365_OBSERVABILITY` with `agentspan-discovery` and calls this function.
pub fn set_enabled(enabled: bool) {
    // Relaxed: the flag guards no other memory, and a scope that starts at the same moment on
    // another thread may see either value.
    ENABLED.store(enabled, Ordering::Relaxed);
}

/// Whether scopes are on, see [`set_enabled`].
#[must_use]
pub fn is_enabled() -> bool {
    // Relaxed: see `set_enabled`.
    ENABLED.load(Ordering::Relaxed)
}
