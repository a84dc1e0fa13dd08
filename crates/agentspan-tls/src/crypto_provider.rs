//! Which cryptography TLS uses.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

use crate::linked;

/// There is no cryptography for TLS: the process has installed no provider, and none is linked.
///
/// Enable the feature `aws-lc-rs` or `ring` of the `agentspan` crate that you depend on, or call
/// [`CryptoProvider::install_default`] first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no crypto provider for TLS: enable the feature `aws-lc-rs` or `ring`, \
     or call rustls::crypto::CryptoProvider::install_default first"
)]
#[non_exhaustive]
pub struct NoCryptoProvider;

/// The provider that the process installed, else the one that is linked.
///
/// The answer may change when the process installs a provider, so ask when the first connection is made.
/// This function never installs a provider.
///
/// # Errors
///
/// [`NoCryptoProvider`] when there is neither.
pub fn crypto_provider() -> Result<Arc<CryptoProvider>, NoCryptoProvider> {
    match CryptoProvider::get_default() {
        Some(installed) => Ok(Arc::clone(installed)),
        None => linked::provider().map(Arc::new).ok_or(NoCryptoProvider),
    }
}
