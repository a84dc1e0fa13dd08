//! The configuration of a TLS client.

use rustls::ClientConfig;

use crate::crypto_provider::{NoCryptoProvider, crypto_provider};
use crate::trust_roots::TrustRoots;

/// Why TLS cannot be spoken. None of these has to do with the server.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// There is no cryptography. Enable a feature or install a provider.
    #[error(transparent)]
    NoCryptoProvider(#[from] NoCryptoProvider),
    /// The operating system has no root certificates. Install them (often a package named
    /// `ca-certificates`), or give some in code.
    #[error("no root certificates were found")]
    NoRootCertificates,
    /// The installed crypto provider supports none of the TLS versions that are linked. Install
    /// another one.
    #[error("the crypto provider cannot be used")]
    Unusable(#[source] rustls::Error),
}

/// The configuration of a client: no client certificate, no application protocols.
///
/// Keys are never written to a log: `SSLKEYLOGFILE` is not read. With
/// [`TrustRoots::Platform`] the call reads files, so make it on a thread that may block.
///
/// # Errors
///
/// [`TlsError`] when there is no cryptography or no root certificate.
pub fn client_config(roots: &TrustRoots) -> Result<ClientConfig, TlsError> {
    let config = ClientConfig::builder_with_provider(crypto_provider()?)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Unusable)?
        .with_root_certificates(roots.store()?)
        .with_no_client_auth();
    Ok(config)
}
