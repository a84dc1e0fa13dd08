//! What is read before and after a run.

use rustix::time::{ClockId, clock_gettime};

use crate::metric::Metric;

/// Which CPU time counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    /// That of the thread, for work that stays on it.
    Thread,
    /// That of all threads of the process, for work that is handed over.
    Process,
}

impl Clock {
    /// CPU time so far, in nanoseconds.
    pub(crate) fn read(self) -> u64 {
        let time = clock_gettime(match self {
            Self::Thread => ClockId::ThreadCPUTime,
            Self::Process => ClockId::ProcessCPUTime,
        });
        let nanos = i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec);
        u64::try_from(nanos).unwrap_or(0)
    }

    /// The column that it fills.
    pub(crate) fn metric(self) -> Metric {
        match self {
            Self::Thread => Metric::Caller,
            Self::Process => Metric::Process,
        }
    }
}
