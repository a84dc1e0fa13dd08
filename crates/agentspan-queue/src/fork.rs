//! Notices that the process is the child of a fork.
//!
//! A child of `fork` that does not `exec` has a copy of everything that its parent had in memory, and one
//! thread: the one that called `fork`. The threads of queues are not there, what was queued is the parent's
//! to send, and a lock that another thread held stays locked for ever. So everything that belongs to one
//! process is kept with its [`Origin`], see [`PerProcess`](crate::PerProcess).
//!
//! The C library tells of a fork, through a handler that counts it. To ask costs the reading of a number,
//! where the id of the process costs a system call. Not noticed are forks that go around the library's
//! `fork`: `_Fork`, and system calls made by hand.

use forkguard::Guard;

/// The process in which something was made.
#[derive(Clone, Debug)]
pub struct Origin(
    /// `None` where the library had no memory for the handler. Forks are not noticed then.
    Option<Guard>,
);

impl Origin {
    /// This process.
    #[inline]
    #[must_use]
    pub fn here() -> Self {
        Self(Guard::try_new().ok())
    }

    /// Whether it is this process, and not one that this one was forked from.
    #[inline]
    #[must_use]
    pub fn is_here(&self) -> bool {
        // It forgets the forks that it has told of, so that a copy is asked.
        let guard = self.0.clone();
        guard.is_none_or(|mut guard| !guard.detected_fork())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Real forks are in the project's tests of processes.
    #[test]
    fn what_is_made_here_is_from_here() {
        let origin = Origin::here();
        assert!(origin.is_here() && origin.clone().is_here());
    }
}
