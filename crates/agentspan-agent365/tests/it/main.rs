//! What the crate promises, through its public API only.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that finds what it cannot read has failed"
)]

mod answers;
mod any_span;
mod asked_pauses;
mod body_allocations;
mod body_golden;
mod body_model;
mod body_properties;
mod building;
mod callers;
mod conservation;
mod delivery_fixture;
mod exchanged_tokens;
mod flushes;
mod hostile_ids;
mod identities;
mod isolation;
mod obstacles;
mod opt_in;
mod panicking_logger;
mod per_request;
mod receipts;
mod refusals;
mod retry;
mod roots;
mod secrecy;
mod standard_wire;
mod state_machine;
mod tls;
mod token_routes;
mod tokens;
mod too_large;
mod version_2;
mod version_3;
