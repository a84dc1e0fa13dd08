//! Tests of the harness through its public API: can a case fail, and is a deviation held to its
//! rule?

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod agentspec;
mod backlog;
mod debug_secrecy;
mod deviations;
mod files;
mod normalize;
mod scratch;
mod shipped;
