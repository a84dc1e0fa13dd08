//! How agentspan's exporters speak TLS.
//!
//! [`client_config`] builds the `rustls` configuration that every exporter uses. Its cryptography
//! comes from
//! [`crypto_provider`]: the provider that the process installed or, as a fallback, the linked provider.
//! This crate never installs a provider for the process.
//!
//! ```
//! use agentspan_tls::{TrustRoots, client_config};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let trusted: [Vec<u8>; 0] = [];
//! // `TrustRoots::Platform` is what most programs want.
//! let roots = TrustRoots::given(trusted.iter().map(|der| der.as_slice().into()))?;
//! let config = client_config(&roots)?;
//! assert!(config.enable_sni);
//! # Ok(())
//! # }
//! ```
//!
//! [`PrivateKey`] signs beside TLS, with the same cryptography: what a client says of itself to get a token.
//!
//! # Features
//!
//! - `aws-lc-rs` (default) and `ring` link the cryptography for processes that have installed no
//!   provider. With both, `aws-lc-rs` is used. Neither enables a feature of `rustls`.
//! - `tls12` (default) allows TLS 1.2 in addition to 1.3. It enables the feature of the same name in `rustls`.
//!   So if the host had turned TLS 1.2 off, the host's own connections can use it, too.

#![doc(html_root_url = "https://docs.rs/agentspan-tls/latest")]

mod client_config;
mod crypto_provider;
#[cfg(any(feature = "aws-lc-rs", feature = "ring"))]
mod linked;
#[cfg(not(any(feature = "aws-lc-rs", feature = "ring")))]
#[path = "not_linked.rs"]
mod linked;
mod signing;
mod trust_roots;

pub use rustls;

pub use crate::client_config::{TlsError, client_config};
pub use crate::crypto_provider::{NoCryptoProvider, crypto_provider};
pub use crate::signing::{PrivateKey, SigningError, random, sha256};
pub use crate::trust_roots::TrustRoots;
