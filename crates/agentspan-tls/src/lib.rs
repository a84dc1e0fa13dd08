//! How agentspan's exporters speak TLS.
//!
//! [`client_config`] makes the `rustls` configuration that every exporter uses. Its cryptography is
//! that of [`crypto_provider`]: the provider that the process installed, else the one that is linked.
//! Nothing here installs a provider for the process.

mod client_config;
mod crypto_provider;
mod trust_roots;

pub use rustls;

pub use crate::client_config::{TlsError, client_config};
pub use crate::crypto_provider::{NoCryptoProvider, crypto_provider};
pub use crate::trust_roots::TrustRoots;
