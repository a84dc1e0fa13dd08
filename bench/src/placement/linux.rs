//! Linux: affinity masks.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The processors of this thread.
pub(super) fn allowed() -> Vec<usize> {
    let Ok(allowed) = sched_getaffinity(None) else {
        return Vec::new();
    };
    let all = 0..CpuSet::MAX_CPU;
    all.filter(|number| allowed.is_set(*number)).collect()
}

/// Keeps this thread, and those that it starts, on `processors`.
pub(super) fn keep_to(processors: &[usize]) -> bool {
    let mut set = CpuSet::new();
    for number in processors {
        set.set(*number);
    }
    sched_setaffinity(None, &set).is_ok()
}
