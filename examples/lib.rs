//! Programs that show `agentspan` at work; each is an example of this crate.
//!
//! `quickstart`: `cargo run --example quickstart`.
//! `destinations`: `cargo run --example destinations`.
//! `axum_service`, a web service that runs agents: `cargo run --example axum_service`.
