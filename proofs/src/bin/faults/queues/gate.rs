//! Holds a thread up until somebody opens.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Opens when the last handle but those of waiting threads is told to.
#[derive(Clone, Debug, Default)]
pub(super) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    /// Waits until it is open, for so long at most.
    pub(super) fn wait(&self, timeout: Duration) {
        let (open, opened) = &*self.0;
        let open = open.lock().unwrap_or_else(PoisonError::into_inner);
        drop(opened.wait_timeout_while(open, timeout, |open| !*open));
    }

    pub(super) fn open(&self) {
        let (open, opened) = &*self.0;
        *open.lock().unwrap_or_else(PoisonError::into_inner) = true;
        opened.notify_all();
    }
}
