//! Signatures and hashes beside TLS, by the same cryptography.

use std::sync::Arc;

use rustls::crypto::hash::{Hash, HashAlgorithm};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::{Signer, SigningKey};
use rustls::{SignatureScheme, SupportedCipherSuite};

use crate::crypto_provider::{NoCryptoProvider, crypto_provider};

/// Why nothing can be signed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
    /// There is no cryptography. Enable a feature or install a provider.
    #[error(transparent)]
    NoCryptoProvider(#[from] NoCryptoProvider),
    /// The key cannot be read. It must be an RSA key of at least 2048 bits, in PKCS #8 or PKCS #1.
    #[error("the private key cannot be used")]
    Key(#[source] rustls::Error),
    /// The installed crypto provider lacks SHA-256 or signatures of RSA with it. Install another one.
    #[error("the crypto provider lacks what signatures need")]
    Unusable,
}

/// A key that signs with RSASSA-PSS and SHA-256, for what a client says of itself: the PS256 of tokens of JSON.
#[derive(Clone, Debug)]
pub struct PrivateKey(Arc<dyn SigningKey>);

impl PrivateKey {
    /// Reads a key.
    ///
    /// # Errors
    ///
    /// [`SigningError`] when there is no cryptography, or the key is none that it can use.
    pub fn read(key: PrivateKeyDer<'static>) -> Result<Self, SigningError> {
        let provider = crypto_provider()?;
        let key = provider.key_provider.load_private_key(key);
        let key = Self(key.map_err(SigningError::Key)?);
        key.signer().map(|_| key)
    }

    /// The signature of a message.
    ///
    /// # Errors
    ///
    /// [`SigningError`] when the cryptographic library refuses.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        self.signer()?.sign(message).map_err(SigningError::Key)
    }

    fn signer(&self) -> Result<Box<dyn Signer>, SigningError> {
        let signer = self.0.choose_scheme(&[SignatureScheme::RSA_PSS_SHA256]);
        signer.ok_or(SigningError::Unusable)
    }
}

/// The SHA-256 of `data`, by the crypto provider.
///
/// # Errors
///
/// [`SigningError`] when there is no cryptography, or it lacks SHA-256.
pub fn sha256(data: &[u8]) -> Result<Vec<u8>, SigningError> {
    let provider = crypto_provider()?;
    let mut hashes = provider.cipher_suites.iter().filter_map(hash_of);
    let hash = hashes.find(|hash| hash.algorithm() == HashAlgorithm::SHA256);
    let hash = hash.ok_or(SigningError::Unusable)?;
    Ok(hash.hash(data).as_ref().to_vec())
}

/// The hash of a cipher suite. Without our feature for TLS 1.2, another crate may enable its suites all the same.
fn hash_of(suite: &SupportedCipherSuite) -> Option<&'static dyn Hash> {
    #[cfg(feature = "tls12")]
    if let SupportedCipherSuite::Tls12(suite) = suite {
        return Some(suite.common.hash_provider);
    }
    suite.tls13().map(|suite| suite.common.hash_provider)
}

/// Fills `bytes` with random ones, by the crypto provider.
///
/// # Errors
///
/// [`SigningError`] when there is no cryptography, or it has no randomness.
pub fn random(bytes: &mut [u8]) -> Result<(), SigningError> {
    let provider = crypto_provider()?;
    let filled = provider.secure_random.fill(bytes);
    filled.map_err(|_| SigningError::Unusable)
}
