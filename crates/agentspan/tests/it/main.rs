//! The facade through its public API.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod agent_spec_run;
mod destinations;
mod environment;
#[cfg(all(feature = "otlp-http", feature = "otlp-grpc"))]
mod grpc_receiver;
mod identity_fallbacks;
mod install;
#[path = "../../../agentspan-otel/tests/it/meters.rs"]
mod meters;
mod metrics;
#[cfg(feature = "otlp-http")]
mod otlp;
#[cfg(all(feature = "otlp-http", feature = "otlp-grpc"))]
mod otlp_grpc;
#[cfg(all(feature = "otlp-http", feature = "otlp-grpc"))]
mod otlp_process;
mod per_request;
mod sidecar;
mod switches;
