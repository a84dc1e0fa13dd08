//! Locks a mutex, whatever became of the threads that held it.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks `mutex`, also after a panic of a thread that held it.
///
/// For values that stay whole wherever such a panic interrupts a change. In `agentspan`, no foreign
/// code runs under a lock.
#[inline]
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
