//! Linux: affinity masks.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::placement::Placement;

/// Keeps this thread, and those that it starts, on the processor that `choose` picks.
pub(super) fn take(choose: impl FnOnce(&[usize]) -> Option<&usize>) -> Placement {
    // A child inherits what its parent chose, so that a parent which is to leave it the choice
    // starts it first.
    let Ok(allowed) = sched_getaffinity(None) else {
        return Placement::Free;
    };
    let allowed: Vec<usize> = (0..CpuSet::MAX_CPU)
        .filter(|number| allowed.is_set(*number))
        .collect();
    if allowed.len() < 2 {
        return Placement::Free;
    }
    let Some(chosen) = choose(&allowed) else {
        return Placement::Free;
    };
    let mut one = CpuSet::new();
    one.set(*chosen);
    match sched_setaffinity(None, &one) {
        Ok(()) => Placement::Fixed,
        Err(_) => Placement::Free,
    }
}
