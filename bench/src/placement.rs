//! On which processor a process runs.
//!
//! A request that is handed from thread to thread costs up to three times as much CPU time when the
//! threads sit on different processors, and where they sit is luck that lasts for a whole run. So
//! the clients share one processor, and the service that they send to has another.

#[cfg(not(target_os = "linux"))]
mod anywhere;
#[cfg(target_os = "linux")]
mod linux;

#[cfg(not(target_os = "linux"))]
use self::anywhere as system;
#[cfg(target_os = "linux")]
use self::linux as system;

/// Whether a process has a processor of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    /// It keeps to one.
    Fixed,
    /// It runs where the system puts it: there is only one, or processes cannot choose here.
    Free,
}

/// Keeps this process, from now on, on the first processor that it may use.
pub(crate) fn take_first() -> Placement {
    system::take(|allowed| allowed.first())
}

/// As [`take_first`], on the last processor.
pub(crate) fn take_last() -> Placement {
    system::take(|allowed| allowed.last())
}
