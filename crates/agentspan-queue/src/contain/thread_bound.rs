//! Foreign values that belong to a thread.

use std::fmt;
use std::mem;

use super::{Panicked, call};

thread_local! {
    static ALIVE: Alive = const { Alive };
}

/// Has a destructor, so that the thread-local tells whether it has run.
struct Alive;

impl Drop for Alive {
    fn drop(&mut self) {}
}

/// Holds a foreign value whose drop uses thread-locals, such as a guard that makes a context
/// current. It is dropped while the thread lives, and leaked while the thread ends.
///
/// A thread destroys its thread-locals when it ends or calls `std::process::exit`, in the reverse
/// order of their first use. A value that still exists then may find its thread-locals gone, and
/// panic. A panic in the destructor of a thread-local aborts the process. A panic in any other drop
/// is caught and counted.
pub struct ThreadBound<T>(
    /// `None` only while this is dropped.
    Option<T>,
);

impl<T> ThreadBound<T> {
    /// Wraps the result of `make`.
    ///
    /// # Errors
    ///
    /// [`Panicked`] if `make` panicked.
    pub fn make(make: impl FnOnce() -> T) -> Result<Self, Panicked> {
        let value = call(make)?;
        // Used after those of the value, and so destroyed before them.
        let _ = ALIVE.try_with(|_| ());
        Ok(Self(Some(value)))
    }
}

impl<T> ThreadBound<Option<T>> {
    /// The value in the option, if there is one.
    #[must_use]
    pub fn transpose(mut self) -> Option<ThreadBound<T>> {
        let value = self.0.take().flatten()?;
        Some(ThreadBound(Some(value)))
    }
}

impl<T> Drop for ThreadBound<T> {
    fn drop(&mut self) {
        let Some(value) = self.0.take() else { return };
        if ALIVE.try_with(|_| ()).is_ok() {
            // The panic is counted.
            let _ = call(|| drop(value));
        } else {
            mem::forget(value);
        }
    }
}

/// Shows the value as its own `Debug` does.
impl<T: fmt::Debug> fmt::Debug for ThreadBound<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("ThreadBound(..)"),
        }
    }
}
