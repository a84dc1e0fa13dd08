//! Tokens for Agent 365 from Microsoft Entra, the way an agent with an identity of its own gets them.
//!
//! An agent has no credential. Its *blueprint* has one, and proves with it that it may act as the agent: Entra
//! gives the blueprint an assertion for this agent, and the agent exchanges the assertion for its token.
//! [`Entra`] does that for each identity whose spans are to be sent:
//!
//! ```no_run
//! use agentspan_agent365::Delivery;
//! use agentspan_entra::{Credential, Entra};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # fn secret_of_the_blueprint() -> String { String::new() }
//! let credential = Credential::secret(secret_of_the_blueprint());
//! let entra = Entra::builder("a0000000-0000-0000-0000-0000000000b1", credential).build()?;
//! let delivery = Delivery::builder(entra).build()?;
//! # drop(delivery);
//! # Ok(())
//! # }
//! ```
//!
//! # Which tokens
//!
//! - As a token resolver, [`Entra`] gets app-only tokens of the agent. With an [`AgentUser`], it gets tokens of
//!   the user that the agent has in the directory.
//! - For a request of a person, [`Entra::token_on_behalf_of`] exchanges the token that came with the request;
//!   send the request's spans with it in an `ExportToken`.
//!
//! Tokens are requested in the tenant of the spans, which is the tenant of the agent. The blueprint may be in
//! another tenant.
//!
//! # What it promises
//!
//! - A token is cached by all parts of its request: tenant, client, scope, user. Only one request for the same
//!   token is in flight at a time, and all callers that wait for it get its answer or its error.
//! - A token is replaced five to ten minutes before it expires, at a random time, while callers still use it. If
//!   that fails, the old token is used until it expires.
//! - If Entra cannot be reached, is busy or refuses, the spans wait: [`Entra`] answers with
//!   [`TokenUnavailable`](agentspan_agent365::error::TokenUnavailable). It respects `Retry-After`.
//! - The error and the log explain a refusal and its remedy: see [`aadsts::explain`].
//! - Secrets, assertions and tokens are overwritten in memory when they are dropped, and are in no log and no
//!   `Debug`. Copies that the HTTP library and the TLS library make while they send are not overwritten.
//!
//! # What is where
//!
//! - [`Entra`] and [`EntraBuilder`]: the client, which is a token resolver. [`Entra::builder_from_environment`] reads
//!   the environment variables of Microsoft's package.
//! - [`Credential`]: how the blueprint proves its identity: with a secret, or with an assertion from an
//!   [`AssertionSource`]: a [`Certificate`], a [`ManagedIdentity`], a [`WorkloadIdentity`], or your own.
//!   A credential of `azure_identity` becomes an [`AssertionSource`] in a few lines, which the program
//!   [`azure_identity.rs`](https://github.com/agentspan-rs/agentspan/blob/main/frameworks/src/azure_identity.rs)
//!   shows and runs.
//! - [`EntraError`], [`Refusal`] and [`aadsts`]: what went wrong, and who can fix it.

#![doc(html_root_url = "https://docs.rs/agentspan-entra/latest")]

pub mod aadsts;
mod agent_user;
mod assertion;
mod build_error;
mod builder;
mod cache;
mod certificate;
pub mod clock;
mod credential;
mod endpoint;
mod entra;
mod environment;
mod error;
mod form;
mod grant;
mod hop;
mod log;
mod managed_identity;
mod refusal;
mod secret;
mod wanted;
mod workload_identity;

pub use self::agent_user::AgentUser;
pub use self::assertion::{Assertion, AssertionRequest, AssertionSource};
pub use self::build_error::EntraBuildError;
pub use self::builder::EntraBuilder;
pub use self::certificate::{Certificate, CertificateError};
pub use self::credential::Credential;
pub use self::entra::Entra;
pub use self::environment::MissingVariables;
pub use self::error::{AssertionError, EntraError};
pub use self::hop::Hop;
pub use self::managed_identity::{ManagedIdentity, ManagedIdentityError};
pub use self::refusal::Refusal;
pub use self::secret::Secret;
pub use self::workload_identity::WorkloadIdentity;
