//! How agentspan's exporters speak TLS.
//!
//! [`client_config`] makes the `rustls` configuration that every exporter uses. Its cryptography is
//! that of [`crypto_provider`]: the provider that the process installed, else the one that is linked.
//! Nothing here installs a provider for the process.
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
//! # Features
//!
//! - `aws-lc-rs` (default) and `ring` link the cryptography for processes that have installed no
//!   provider. With both, it is `aws-lc-rs`. Neither turns on a feature of `rustls`.
//! - `tls12` (default) allows TLS 1.2 beside 1.3. It turns on the feature of `rustls`, so the host's own
//!   connections can speak 1.2, too, if the host had turned that off.

mod client_config;
mod crypto_provider;
#[cfg(any(feature = "aws-lc-rs", feature = "ring"))]
mod linked;
#[cfg(not(any(feature = "aws-lc-rs", feature = "ring")))]
#[path = "not_linked.rs"]
mod linked;
mod trust_roots;

pub use rustls;

pub use crate::client_config::{TlsError, client_config};
pub use crate::crypto_provider::{NoCryptoProvider, crypto_provider};
pub use crate::trust_roots::TrustRoots;
