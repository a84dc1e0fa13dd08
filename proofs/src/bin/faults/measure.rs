//! Memory of the process, and how long callers had to wait.

use std::fs;
use std::time::{Duration, Instant};

/// The most memory that the process has had since the start of the measurement, beyond what it had
/// then.
#[derive(Debug)]
pub(crate) struct Memory {
    before: u64,
}

impl Memory {
    /// Forgets the peak so far.
    pub(crate) fn start() -> Self {
        // Systems without it have no numbers, either, and all rows show 0.
        drop(fs::write("/proc/self/clear_refs", "5"));
        Self {
            before: status_kib("VmRSS:"),
        }
    }

    pub(crate) fn peak_kib(&self) -> u64 {
        status_kib("VmHWM:").saturating_sub(self.before)
    }
}

/// The longest call.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Longest(pub(crate) Duration);

impl Longest {
    pub(crate) fn time<T>(&mut self, call: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let value = call();
        self.0 = self.0.max(started.elapsed());
        value
    }
}

/// How much memory the process has now.
pub(crate) fn rss_kib() -> u64 {
    status_kib("VmRSS:")
}

fn status_kib(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    let line = lines.find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.parse().ok()).unwrap_or(0)
}
