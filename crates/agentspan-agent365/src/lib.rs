//! Delivers OpenTelemetry spans to Agent 365: grouped by identity, retried, and counted.
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
//! # Identity
//!
//! A span reaches Agent 365 only if it has an identity: a tenant in the attribute `tenant.id`, or
//! `microsoft.tenant.id` since `Profile::V2`, and an agent in `gen_ai.agent.id`. The scopes of
//! `agentspan-otel` write these attributes, and its `BaggageSpanProcessor` copies them from
//! baggage. A span without an identity is dropped and counted as [`DropReason::NoIdentity`].
//!
//! # Cryptography
//!
//! Connections use the crypto provider that the process has installed for `rustls` before the first
//! connection. If there is none, they use the provider of the feature `aws-lc-rs` (default) or
//! `ring`; with both features, they use `aws-lc-rs`. Neither feature changes the host's own
//! `rustls`. The feature `tls12` (default) allows TLS 1.2 in addition to 1.3. If the host had
//! turned TLS 1.2 off, the feature also allows it for the host's own connections.
//!
//! # What is where
//!
//! - [`Agent365Exporter`] works in any pipeline of the OpenTelemetry SDK.
//! - [`Agent365SpanProcessor`] receives finished spans directly, without a second batching in front of the
//!   delivery.
//! - [`AgentSpecSpanProcessor`] receives Agent Spec spans, in a program with or without the OpenTelemetry SDK.
//! - [`Delivery`] sends the spans of all of these on one thread, `agentspan-export`, which does all I/O. One
//!   delivery can serve several providers.
//! - [`TokenResolver`] provides the bearer token of an identity. [`token_from_fn`] and
//!   [`token_from_async_fn`] turn a closure into a resolver.
//! - [`TokenCache`] caches the tokens of a resolver. [`Enrichment`] changes spans before they are sent.
//! - [`token::ExchangedTokens`] has the tokens that the turns of a host are exchanged for.
//! - [`ExportToken`] is the token of one request. [`PerRequestExport`] holds the spans of a request until
//!   it is over, and sends them with its token.
//! - [`ExportReport`] describes one batch: the spans that were sent for each identity, and the spans that
//!   were dropped or rejected, with reasons. [`DeliveryStats`] is the running total, which `Display` prints
//!   as one line.
//! - [`encode::BodyEncoder`] writes the bodies of the requests.

#![doc(html_root_url = "https://docs.rs/agentspan-agent365/latest")]

mod access_token;
mod agent_spec_span_processor;
mod build_error;
mod builder;
mod chunking;
mod delivery;
mod destination;
pub mod encode;
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
pub mod report;
pub mod retry;
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

/// The parts of tokens: queries, the resolvers that closures become, exchanges, and the token of a
/// request.
pub mod token {
    pub use crate::access_token::AccessTokenError;
    pub use crate::export_token::{ActiveToken, ExportTokenFutureExt};
    pub use crate::token_resolver::{
        AsyncFnResolver, ExchangeQuery, ExchangedTokens, FnResolver, RequestTokens, TokenExchange,
        TokenQuery,
    };
}

/// The errors inside [`BuildError`] and [`ExportError`], and those of calls that users seldom make.
pub mod error {
    pub use agentspan_tls::NoCryptoProvider;

    pub use crate::export_error::{
        RefusedIdentityError, ResolverError, SubmitError, TokenUnavailable,
    };
    pub use crate::loopback_endpoint::LoopbackEndpointError;
    pub use crate::token_resolver::BoxError;
}

/// For the comparison with the reference package, and for nothing else.
#[doc(hidden)]
pub mod conformance {
    pub use crate::chunking::{chunk_by_bytes, estimated_span_bytes, estimated_value_bytes};
    pub use crate::retry_after::{retry_after_date, retry_after_seconds};
    pub use crate::wire_profile::cooldown_seconds;
}

pub use agentspan_record::{DropReason, Enrichment, FinishedSpan, SpanCuts, SpanLimits};

pub use self::agent_spec_span_processor::AgentSpecSpanProcessor;
pub use self::build_error::BuildError;
pub use self::builder::DeliveryBuilder;
pub use self::delivery::Delivery;
pub use self::exporter::Agent365Exporter;
pub use self::per_request::PerRequestExport;
pub use self::span_processor::Agent365SpanProcessor;

pub use self::access_token::AccessToken;
pub use self::export_token::ExportToken;
pub use self::token_cache::TokenCache;
pub use self::token_resolver::{
    TokenResolver, token_from_async_fn, token_from_fn, token_from_request,
};

pub use self::export_error::ExportError;
pub use self::report::ExportReport;
pub use self::stats::DeliveryStats;
