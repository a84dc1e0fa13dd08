//! Programs that show `agentspan` at work; each is an example of this crate, which the README lists:
//! `cargo run --example agent_trace`.
