//! The primitives that the queue hands items over with: those of the standard library.
//!
//! The tests that `cargo xtask loom` runs put the primitives of `loom` and `shuttle` in their place. These
//! checkers decide which thread runs next at each use of one, and so find schedules that a
//! processor shows once in a year. Their `wait_timeout` never times out: the models ask with a deadline that
//! has passed, at every moment.

#[cfg(not(all(test, any(loom, shuttle))))]
pub(crate) use std::{
    sync::{Condvar, Mutex, MutexGuard, atomic::AtomicU64},
    thread::{self, JoinHandle, ThreadId},
};

#[cfg(all(test, loom))]
pub(crate) use loom::{
    sync::{Condvar, Mutex, MutexGuard, atomic::AtomicU64},
    thread::{self, JoinHandle, ThreadId},
};

#[cfg(all(test, shuttle, not(loom)))]
pub(crate) use shuttle::{
    sync::{Condvar, Mutex, MutexGuard, atomic::AtomicU64},
    thread::{self, JoinHandle, ThreadId},
};
