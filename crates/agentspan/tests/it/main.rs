//! The facade through its public API.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod agent_spec_run;
#[path = "../../../agentspan-otel/tests/it/canaries.rs"]
mod canaries;
#[cfg(all(feature = "otlp-http", feature = "otlp-grpc"))]
mod d7_words;
mod destinations;
mod environment;
mod environment_echoes;
#[cfg(all(feature = "otlp-http", feature = "otlp-grpc"))]
mod feedback;
#[cfg(all(feature = "otlp-http", feature = "otlp-grpc"))]
mod grpc_receiver;
mod hostile_ids;
mod identity_fallbacks;
mod install;
#[cfg(feature = "otlp-http")]
mod judgements;
mod late_spans;
#[cfg(feature = "macros")]
mod macros;
mod masks;
#[path = "../../../agentspan-otel/tests/it/meters.rs"]
mod meters;
mod metrics;
mod other_tenant;
#[cfg(feature = "otlp-http")]
mod otlp;
#[cfg(all(feature = "otlp-http", feature = "otlp-grpc"))]
mod otlp_answers;
#[cfg(all(feature = "otlp-http", feature = "otlp-grpc"))]
mod otlp_grpc;
#[cfg(all(feature = "otlp-http", feature = "otlp-grpc"))]
mod otlp_grpc_answers;
#[cfg(all(feature = "otlp-http", feature = "otlp-grpc"))]
mod otlp_process;
mod outside_trace;
mod per_request;
mod process;
#[cfg(all(feature = "otlp-http", feature = "otlp-grpc"))]
mod raw_answer;
mod sdk_disabled;
#[cfg(all(feature = "otlp-http", feature = "otlp-grpc"))]
mod sender;
mod setup_log;
mod sidecar;
mod switches;
#[cfg(all(feature = "otlp-http", feature = "tracing"))]
mod tracing_layer;
#[cfg(all(feature = "otlp-http", feature = "otlp-grpc"))]
mod variables;
