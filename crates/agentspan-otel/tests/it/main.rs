//! What scopes, baggage and turn contexts do, through the public API.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "the functions that tests share fail the test"
)]

mod attributes_beside;
mod baggage;
mod bridge;
mod canaries;
mod errors;
mod export_metrics;
mod export_queue;
mod foreign_panics;
mod futures;
mod hosting;
mod inherited_identity;
mod masks;
mod mcp;
mod mcp_joined;
mod mcp_metrics;
mod meters;
mod metrics;
mod nesting;
mod order_of_nesting;
mod other_requests;
mod otlp_json_lines;
mod processor;
mod propagation;
mod propagation_properties;
mod receipts;
mod recorder;
mod remote_baggage;
mod sampling;
mod scope_allocations;
mod scopes;
mod second_generation;
mod shutdown_without_time;
mod third_generation;
mod turn_context;
mod w3c_baggage;
mod w3c_trace_context;
