//! What the crate promises, through its public API only.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that finds what it cannot read has failed"
)]

mod any_span;
mod body_allocations;
mod body_golden;
mod body_model;
mod body_properties;
