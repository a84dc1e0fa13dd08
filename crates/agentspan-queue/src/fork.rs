//! Detects that the process is the child of a fork.
//!
//! A child of `fork` that does not `exec` has a copy of its parent's memory, and one thread: the
//! thread that called `fork`. The threads of queues do not exist, the parent sends the queued
//! items, and a lock that another thread held stays locked for ever. So state of one process is
//! stored with its [`Origin`], see [`PerProcess`](crate::PerProcess).
//!
//! The C library calls a handler at each fork, which counts the fork. So a check only reads a
//! number, while the id of the process needs a system call. Forks that bypass the library's `fork`
//! are not detected: `_Fork`, and direct system calls.

use forkguard::Guard;

/// The process in which a value was created.
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

    /// Whether it is the current process, not an ancestor that forked it.
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
