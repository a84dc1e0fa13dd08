//! The process-wide switch of all scopes.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use agentspan_queue::contain;

const OFF: u8 = 0;
const ON: u8 = 1;
/// Off, because nothing asked for scopes: the first scope says so.
const OFF_BY_DEFAULT: u8 = 2;

// All orderings are relaxed: the state guards no other memory, and a scope that starts at the same
// moment on another thread may see either value.
static STATE: AtomicU8 = AtomicU8::new(ON);

/// Switches the scopes of this process on or off. They are on until this is called.
///
/// A scope that starts while scopes are off does nothing, and never becomes part of a trace. A
/// scope that started before keeps its span: recordings while scopes are off are ignored, and the
/// span still ends and is exported. (The reference never ends such a span, and loses it.)
///
/// This crate does not read the environment. The `agentspan` facade parses `ENABLE_OBSERVABILITY`
/// and `ENABLE_A365_OBSERVABILITY` with `agentspan-discovery` and calls this function.
pub fn set_enabled(enabled: bool) {
    STATE.store(if enabled { ON } else { OFF }, Ordering::Relaxed);
}

/// Like [`set_enabled(false)`](set_enabled), for a program in which neither the code nor the
/// environment decides about scopes: the first scope that starts logs a warning, once per process.
///
/// The warning names the remedies of the `agentspan` facade, which calls this function.
pub fn set_disabled_by_default() {
    STATE.store(OFF_BY_DEFAULT, Ordering::Relaxed);
}

/// Whether scopes are on, see [`set_enabled`].
#[must_use]
pub fn is_enabled() -> bool {
    STATE.load(Ordering::Relaxed) == ON
}

/// Like [`is_enabled`], where a scope starts, which says if scopes are off by default.
#[inline]
pub(crate) fn may_start() -> bool {
    match STATE.load(Ordering::Relaxed) {
        ON => true,
        OFF_BY_DEFAULT => {
            warn();
            false
        }
        _ => false,
    }
}

#[cold]
fn warn() {
    // Nobody waits for it, as a child of a fork would for a subscriber that runs in its parent.
    static IS_SAID: AtomicBool = AtomicBool::new(false);
    // Scopes after this one need not come here. If somebody switches them on now, they stay on.
    let _ = STATE.compare_exchange(OFF_BY_DEFAULT, OFF, Ordering::Relaxed, Ordering::Relaxed);
    if !IS_SAID.swap(true, Ordering::Relaxed) {
        contain::log(|| {
            tracing::warn!(
                target: "agentspan::otel::scope",
                "scopes are off, so no destination gets their spans: to switch them on, call \
                 `with_switches_on()` or set ENABLE_OBSERVABILITY=true"
            );
        });
    }
}
