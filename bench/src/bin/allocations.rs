//! Counts the allocations of the contenders of one row.

use std::alloc::System;
use std::process::ExitCode;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let count = || {
        let stats = ALLOCATOR.stats();
        (stats.allocations + stats.reallocations) as u64
    };
    let bytes = || {
        let stats = ALLOCATOR.stats();
        // What grows is counted with its whole new size, because it may be copied.
        stats.bytes_allocated as u64
    };
    bench::exit_code(bench::count_allocations(
        &arguments,
        &count,
        &bytes,
        &mut std::io::stdout().lock(),
    ))
}
