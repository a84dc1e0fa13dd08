//! A value that a forked child does not share with its parent.

use std::fmt;
use std::mem;
use std::sync::{Arc, OnceLock};

use crate::fork::Origin;

/// A value that each process has separately, although a fork copies memory. Use it for state that a
/// child must not inherit: locks that another thread held, handles of threads that do not exist,
/// and items of the parent.
///
/// The child of a fork gets a new value at its first access. The inherited value is never used or
/// dropped: to join a missing thread, or to wait for its lock, could hang. Its memory is leaked,
/// once per fork.
pub struct PerProcess<T> {
    origin: Origin,
    value: Arc<T>,
    /// The state of the next process. Only a child sets it, so that no fork copies it half set.
    next: OnceLock<Box<Self>>,
}

impl<T> PerProcess<T> {
    /// The value of this process.
    #[must_use]
    pub fn new(value: impl Into<Arc<T>>) -> Self {
        Self {
            origin: Origin::here(),
            value: value.into(),
            next: OnceLock::new(),
        }
    }

    /// The value of this process. If a child has none yet, `renew` creates it from the parent's
    /// value, and must not lock any of its locks.
    #[inline]
    pub fn get<N: Into<Arc<T>>>(&self, renew: impl FnOnce(&T) -> N) -> &Arc<T> {
        if self.origin.is_here() {
            return &self.value;
        }
        self.get_after_fork(renew)
    }

    #[cold]
    fn get_after_fork<N: Into<Arc<T>>>(&self, renew: impl FnOnce(&T) -> N) -> &Arc<T> {
        let mut place = self;
        while !place.origin.is_here() {
            let Some(next) = place.next.get() else {
                let make = || Box::new(Self::new(renew(&place.value)));
                return &place.next.get_or_init(make).value;
            };
            place = next;
        }
        &place.value
    }

    /// The value of this process, if it exists: in a child, after the first access.
    #[must_use]
    pub fn known(&self) -> Option<&Arc<T>> {
        let mut place = self;
        while !place.origin.is_here() {
            place = place.next.get()?;
        }
        Some(&place.value)
    }
}

impl<T: Default> Default for PerProcess<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        if !self.origin.is_here() {
            // One owner more than there are: it is never dropped.
            mem::forget(Arc::clone(&self.value));
        }
    }
}

/// Shows the value of this process.
impl<T: fmt::Debug> fmt::Debug for PerProcess<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.known().fmt(f)
    }
}
