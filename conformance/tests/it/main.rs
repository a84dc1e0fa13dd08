//! Tests of the harness through its public API: can a case fail, and is a deviation held to its
//! rule?

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod agentspec;
mod backlog;
mod debug_secrecy;
mod deviations;
mod faults;
mod files;
#[cfg(unix)]
mod last_spans;
mod memory_bound;
mod normalize;
mod process_ends;
mod process_forks;
mod scratch;
mod shipped;
