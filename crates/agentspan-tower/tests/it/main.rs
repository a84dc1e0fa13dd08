//! What the layers do, through the public API.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the functions that tests share fail the test"
)]

mod axum_router;
mod cancelled;
mod client;
mod headers;
mod recorder;
mod scopes;
mod server;
mod spans;
mod tenants;
mod turns;
