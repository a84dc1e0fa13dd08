//! Observability for Rust programs that run AI agents.
//!
//! [`configure`] sets it up in a few lines. Scopes record the work of the agents, and their spans
//! are delivered to Agent 365 or, if no destination is configured, drawn on the console.
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
//!     .with_switches_on() // or in the environment, see below
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
//! # Switches
//!
//! As in the reference (`microsoft-agents-a365-observability-core` 0.1.0), the environment decides.
//! Without a switch, scopes record nothing, and the installation logs a warning.
//! Scopes make spans if `ENABLE_OBSERVABILITY` (or `ENABLE_A365_OBSERVABILITY`) is `true`, `1`,
//! `yes` or `on`. The spans go to Agent 365 instead of the console if
//! `ENABLE_A365_OBSERVABILITY_EXPORTER` has such a value, too. To turn on both in code, call
//! [`Configuration::with_switches_on`]. `OTEL_SDK_DISABLED=true` turns everything off and overrides the
//! code.
//!
//! # Cryptography
//!
//! Connections use the crypto provider that the process has installed for `rustls` before the first
//! connection. If there is none, they use the provider of the feature `aws-lc-rs` (default) or
//! `ring`; with both features, they use `aws-lc-rs`. Neither feature changes the host's own
//! `rustls`. The feature `tls12` (default) allows TLS 1.2 in addition to 1.3. If the host had
//! turned TLS 1.2 off, the feature also allows it for the host's own connections.
//!
//! # Other features
//!
//! All of these are off by default:
//!
//! - `otlp-http` and `otlp-grpc` add destinations that speak OTLP.
//! - `tower` adds [`tower`](crate::guide::services), layers for servers and clients such as those of
//!   axum and hyper: trace context, baggage and identity of each request.
//! - `tracing` adds `Telemetry::tracing_layer`, for agents that emit `tracing` spans, such as rig's.
//! - `entra` adds the module `entra`, which gets the tokens of agents from Microsoft Entra.
//! - `macros` adds `#[agentspan::agent]` and `#[agentspan::tool]`, which trace a function as an agent
//!   or a tool of Agent Spec.
//! - `yaml` reads Agent Spec documents in YAML.
//! - `anyhow` records the type of the innermost error in an `anyhow::Error` as `error.type`.
//!
//! # The guide
//!
//! [`guide`] has pages on the first trace, production, tasks and threads, backends, frameworks,
//! privacy, metrics, the end of the process, and troubleshooting.
//!
//! # What is where
//!
//! This crate combines the others and decides which destinations exist. It also implements OTLP.
//! Depend on the smallest crate that does the job.
//!
//! - [`model`]: details, identities and attribute keys, as plain data.
//! - [`discovery`]: endpoints, variables of the environment, claims of a token.
//! - [`otel`]: scopes, baggage, propagation; the bridge from Agent Spec; queues, the console, files, metrics.
//! - [`processor`]: Agent Spec traces at run time, and the trait for observing them.
//! - [`agent365`]: delivery to Agent 365, for any OpenTelemetry pipeline.

#![doc(html_root_url = "https://docs.rs/agentspan/latest")]

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
mod setup_log;
mod shown_url;
mod sidecar;
mod span_processor;
mod telemetry;

pub use agentspan_agent365 as agent365;
pub use agentspan_discovery as discovery;
#[cfg(feature = "entra")]
pub use agentspan_entra as entra;
#[cfg(feature = "macros")]
pub use agentspan_macros::{agent, tool};
pub use agentspan_model as model;
pub use agentspan_model::agent365::Profile;
pub use agentspan_otel as otel;
pub use agentspan_processor as processor;
#[cfg(feature = "tower")]
pub use agentspan_tower as tower;
#[cfg(feature = "tracing")]
pub use agentspan_tracing as tracing;
/// The version of OpenTelemetry's API that this crate exposes: contexts, tracers, attributes.
pub use opentelemetry;
/// The version of OpenTelemetry's SDK that this crate exposes: providers, processors, exporters.
///
/// A dependency of your own on `opentelemetry_sdk`, for instance for one of its features, needs the
/// same minor version. With another one, your providers and processors are of types that this crate
/// does not know: "expected `SdkTracerProvider`, found a different `SdkTracerProvider`".
pub use opentelemetry_sdk;

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
