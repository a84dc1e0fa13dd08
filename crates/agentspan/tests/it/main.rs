//! The facade through its public API.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod agent_spec_run;
mod destinations;
mod environment;
mod identity_fallbacks;
mod install;
#[path = "../../../agentspan-otel/tests/it/meters.rs"]
mod meters;
mod metrics;
#[cfg(feature = "otlp-http")]
mod otlp;
mod per_request;
mod sidecar;
mod switches;
