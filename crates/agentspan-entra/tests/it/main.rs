//! What the crate promises, through its public API only.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that finds what it cannot read has failed"
)]

mod building;
mod chain;
mod credentials;
mod directory;
mod environment;
mod export;
mod refresh;
mod refusals;
mod secrecy;
mod shared_failures;
mod unreadable;
