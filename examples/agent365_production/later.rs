//! A clock that an example can turn, since an hour is too long for one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use agentspan::entra::clock::Clock;

/// The time of this machine, and what was added to it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Later(Arc<Mutex<Duration>>);

impl Later {
    pub(crate) fn turn(&self, time: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += time;
    }
}

impl Clock for Later {
    fn now(&self) -> Instant {
        Instant::now() + *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
