//! Observability for Rust programs that run AI agents.
//!
//! [`configure`] sets it up in a few lines: scopes say what the agents do, and their spans are
//! delivered to Agent 365, or drawn on the console while no service is configured.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use agentspan::prelude::*;
//!
//! # async fn ask_for_token(_: &Identity) -> Result<String, std::io::Error> { Ok(String::new()) }
//! # async fn look_up_weather() -> Result<String, std::io::Error> { Ok(String::new()) }
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let telemetry = agentspan::configure()
//!     .with_service_name("weather")
//!     .with_service_namespace("contoso")
//!     .with_token_resolver(token_from_async_fn(|query| async move {
//!         Ok(Some(AccessToken::new(ask_for_token(&query.identity).await?)?))
//!     }))
//!     .install()?;
//!
//! let agent = AgentDetails::new(AgentId::parse("a0000000-0000-0000-0000-00000000000a")?);
//! let tenant = TenantDetails::new(TenantId::parse("e3064512-cc6d-4703-be71-a2ecaecaa98a")?);
//! let call = ToolCallDetails::new("look_up_weather");
//! let weather = ExecuteToolScope::start(&call, &agent, &tenant)
//!     .run(|scope| async move {
//!         let weather = look_up_weather().await?;
//!         scope.record_response(&weather);
//!         Ok::<_, std::io::Error>(weather)
//!     })
//!     .await?;
//!
//! telemetry.shutdown_async(Duration::from_secs(5)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What switches it on
//!
//! As in the reference (`microsoft-agents-a365-observability-core` 0.1.0) the environment decides:
//! scopes make spans if `ENABLE_OBSERVABILITY` (or `ENABLE_A365_OBSERVABILITY`) is `true`, `1`, `yes` or
//! `on`, and spans go to Agent 365 rather than to the console if `ENABLE_A365_OBSERVABILITY_EXPORTER`
//! is, too. [`Configuration::switched_on`] decides it in code instead. `OTEL_SDK_DISABLED=true` switches all of it
//! off, whatever the code says.
//!
//! # Cryptography
//!
//! Connections use the crypto provider that the process has installed for `rustls` when the first of them
//! is made. If there is none, they use the provider of the feature `aws-lc-rs` (default) or `ring`; with
//! both features, it is `aws-lc-rs`. Neither feature changes anything about the host's own `rustls`. The
//! feature `tls12` (default) allows TLS 1.2 beside 1.3; it allows TLS 1.2 to the host's connections, too,
//! if the host had turned it off.
//!
//! # Other features
//!
//! All are off by default: `otlp-http` and `otlp-grpc` (destinations that speak OTLP), `yaml` (Agent Spec
//! documents in YAML), `anyhow` (the type of the innermost error in an `anyhow::Error` as `error.type`), `tracing`
//! (`Telemetry::tracing_layer`, for agents that emit spans of the crate `tracing`, such as those of rig).
//!
//! # The guide
//!
//! [`guide`] has pages on the first trace, production, backends, privacy, metrics, the end of the process,
//! and spans that do not arrive.
//!
//! # What is where
//!
//! This crate puts the others together, and decides which destinations there are; what it adds itself is how
//! OTLP is spoken to them. Depend on the smallest that does the job.
//!
//! - [`model`]: details, identities and attribute keys, as plain data.
//! - [`discovery`]: endpoints, variables of the environment, claims of a token.
//! - [`otel`]: scopes, baggage, propagation; the bridge from Agent Spec; queues, the console, files, metrics.
//! - [`processor`]: Agent Spec traces at run time, and the trait of what observes them.
//! - [`agent365`]: delivery to Agent 365, for any OpenTelemetry pipeline.

mod agent365_status;
mod agent_spec;
mod batch_variables;
mod configure;
mod counts;
mod destination;
mod destination_names;
mod environment;
mod environment_destinations;
pub mod guide;
mod install_error;
mod metrics;
#[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
mod otlp;
mod outcome;
pub mod prelude;
mod propagators;
mod provider_settings;
mod related_spans;
mod report;
mod shown_url;
mod sidecar;
mod span_processor;
mod telemetry;

pub use agentspan_agent365 as agent365;
pub use agentspan_discovery as discovery;
pub use agentspan_model as model;
pub use agentspan_otel as otel;
pub use agentspan_processor as processor;
#[cfg(feature = "tracing")]
pub use agentspan_tracing as tracing;
/// OpenTelemetry's API in the version that this crate shows in its own: contexts, tracers, attributes.
pub use opentelemetry;

pub use self::agent365_status::Agent365Status;
pub use self::configure::{Configuration, configure};
pub use self::destination::Destination;
pub use self::install_error::InstallError;
#[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
pub use self::otlp::{Otlp, OtlpError};
pub use self::report::{DestinationReport, TelemetryReport};
pub use self::sidecar::{Sidecar, SidecarError, SidecarProtocol};
pub use self::span_processor::AgentSpanProcessor;
pub use self::telemetry::{Telemetry, TelemetryError};

/// Compiles the program in the README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
