//! Slices of the proofs, as tests: faults, the ends of processes, and the bounds of memory.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod faults;
#[cfg(unix)]
mod last_spans;
mod memory_bound;
mod process_ends;
mod process_forks;
