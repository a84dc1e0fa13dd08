//! Delivers OpenTelemetry spans to Agent 365: grouped by identity, encoded once, retried, counted.
//!
//! ```no_run
//! use agentspan_agent365::{AccessToken, Agent365Exporter, token_from_fn};
//! use opentelemetry_sdk::trace::SdkTracerProvider;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # fn ask_for_token(_: &str) -> Result<String, std::io::Error> { Ok(String::new()) }
//! let exporter = Agent365Exporter::builder(token_from_fn(|query| {
//!     let token = ask_for_token(query.identity.agent.as_str())?;
//!     Ok(Some(AccessToken::new(token)?))
//! }))
//! .build()?;
//! let provider = SdkTracerProvider::builder()
//!     .with_batch_exporter(exporter)
//!     .build();
//! # drop(provider);
//! # Ok(())
//! # }
//! ```
//!
//! # Cryptography
//!
//! Connections use the crypto provider that the process has installed for `rustls` when the first of them
//! is made. If there is none, they use the provider of the feature `aws-lc-rs` (default) or `ring`; with
//! both features, it is `aws-lc-rs`. Neither feature changes anything about the host's own `rustls`. The
//! feature `tls12` (default) allows TLS 1.2 beside 1.3; it allows TLS 1.2 to the host's connections, too,
//! if the host had turned it off.
//!
//! # What is where
//!
//! - [`Agent365Exporter`] drops into any pipeline of the OpenTelemetry SDK.
//! - [`Agent365SpanProcessor`] takes finished spans itself, so that no second batching stands before
//!   the delivery.
//! - [`AgentSpecSpanProcessor`] takes Agent Spec spans, in a program with or without an SDK of OpenTelemetry.
//! - [`Delivery`] is what all of them hand their spans to: one thread, named `agentspan-export`, that does
//!   all input and output. One delivery can serve several providers.
//! - [`TokenResolver`] gets the bearer token of an identity; [`token_from_fn`] and
//!   [`token_from_async_fn`] make one from a closure.
//! - [`TokenCache`] keeps the tokens of a resolver; [`Enrichment`] changes spans before they are sent.
//! - [`ExportToken`] is the token of one request, [`PerRequestExport`] keeps the spans of a request until
//!   it is over and sends them with it.
//! - [`ExportReport`] says for one batch what was sent for whom, what was dropped and why, what the
//!   service rejected included; [`DeliveryStats`] is the running count of the same, which `Display`
//!   shows as a line.
//! - [`BodyEncoder`] writes the bodies of the requests; [`estimated_span_bytes`] and
//!   [`chunk_by_bytes`] tell how [`Profile::V2`](agentspan_model::agent365::Profile::V2) divides spans
//!   between them.

mod access_token;
mod agent_spec_span_processor;
mod build_error;
mod builder;
mod chunking;
mod delivery;
mod destination;
mod drop_reason;
mod encode;
mod export_error;
mod export_token;
mod exporter;
mod front;
mod grouping;
mod longest;
mod loopback_endpoint;
mod missing_permission;
mod per_request;
mod receipt;
mod refusal;
mod report;
mod retry;
mod retry_after;
mod service_reason;
#[cfg(test)]
mod span_of_test;
mod span_processor;
mod stats;
mod token_cache;
mod token_resolver;
pub mod transport;
mod wire_profile;

/// Why there is no https: the source of [`BuildError::Cryptography`].
pub use agentspan_tls::NoCryptoProvider;

pub use agentspan_record::{Enrichment, FinishedSpan, SpanCuts, SpanEnrichers, SpanLimits};

pub use self::access_token::{AccessToken, AccessTokenError};
pub use self::agent_spec_span_processor::AgentSpecSpanProcessor;
pub use self::build_error::BuildError;
pub use self::builder::DeliveryBuilder;
pub use self::chunking::{chunk_by_bytes, estimated_span_bytes, estimated_value_bytes};
pub use self::delivery::Delivery;
pub use self::drop_reason::DropReason;
pub use self::encode::{BodyEncoder, EncodedResource, Truncation};
pub use self::export_error::{ExportError, RefusedIdentityError, ResolverError, SubmitError};
pub use self::export_token::{ActiveToken, ExportToken, ExportTokenFutureExt};
pub use self::exporter::Agent365Exporter;
pub use self::loopback_endpoint::LoopbackEndpointError;
pub use self::missing_permission::MissingPermission;
pub use self::per_request::PerRequestExport;
pub use self::report::{
    Attempt, AttemptOutcome, ExportReport, IdentityReport, RefusedIdentity, SpanLoss,
};
pub use self::retry::{Retry, RetryTimer, TokioRetryTimer};
pub use self::retry_after::retry_after_seconds;
pub use self::service_reason::ServiceReason;
pub use self::span_processor::Agent365SpanProcessor;
pub use self::stats::DeliveryStats;
pub use self::token_cache::TokenCache;
pub use self::token_resolver::{
    AsyncFnResolver, BoxError, FnResolver, RequestTokens, TokenQuery, TokenResolver,
    token_from_async_fn, token_from_fn, token_from_request,
};
pub use self::transport::TransportError;
