//! Assertions that the key of a certificate signs.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use agentspan_agent365::error::BoxError;
use agentspan_tls::rustls::pki_types::pem::PemObject as _;
use agentspan_tls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use agentspan_tls::{PrivateKey, SigningError, random, sha256};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::assertion::{Assertion, AssertionRequest, AssertionSource};

/// How long an assertion is valid. It is used at once.
const LIFETIME: u64 = 10 * 60;

/// A certificate that was added to the blueprint, with its private key.
///
/// ```no_run
/// use agentspan_entra::{Certificate, Credential};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pem = std::fs::read("/run/secrets/blueprint.pem")?;
/// let credential = Credential::assertion(Certificate::from_pem(&pem)?);
/// # Ok(())
/// # }
/// ```
///
/// For each request, it signs an assertion with PS256 that is valid for ten minutes.
#[derive(Clone)]
pub struct Certificate {
    key: PrivateKey,
    /// Names the certificate: `x5t#S256`.
    thumbprint: String,
}

/// Why a certificate cannot be used. No message shows anything of the key.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// There is no certificate in the text. Give the file with the certificate and the key.
    #[error("there is no certificate in pem form")]
    NoCertificate,
    /// There is no private key in the text. It must not be encrypted.
    #[error("there is no private key in pem form")]
    NoKey,
    /// The key cannot sign. Entra needs an RSA key of at least 2048 bits.
    #[error("the certificate cannot sign")]
    Signing(#[from] SigningError),
}

impl Certificate {
    /// Reads a certificate and its key from one text, in any order. Of several certificates, the first is
    /// the blueprint's.
    ///
    /// # Errors
    ///
    /// [`CertificateError`] says what is missing.
    pub fn from_pem(pem: &[u8]) -> Result<Self, CertificateError> {
        let certificate =
            CertificateDer::from_pem_slice(pem).map_err(|_| CertificateError::NoCertificate)?;
        let key = PrivateKeyDer::from_pem_slice(pem).map_err(|_| CertificateError::NoKey)?;
        Self::new(&certificate, key)
    }

    /// Takes a certificate and its key.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Signing`] when the key cannot sign.
    pub fn new(
        certificate: &CertificateDer<'_>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, CertificateError> {
        Ok(Self {
            key: PrivateKey::read(key)?,
            thumbprint: URL_SAFE_NO_PAD.encode(sha256(certificate)?),
        })
    }

    fn signed(&self, request: &AssertionRequest<'_>) -> Result<String, CertificateError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default().as_secs();
        let mut id = [0; 16];
        random(&mut id)?;
        let header = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint});
        let claims = json!({
            "aud": request.audience,
            "iss": request.client_id,
            "sub": request.client_id,
            "jti": URL_SAFE_NO_PAD.encode(id),
            "iat": now,
            "nbf": now,
            "exp": now + LIFETIME,
        });
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&header), part(&claims));
        let signature = self.key.sign(message.as_bytes())?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[async_trait]
impl AssertionSource for Certificate {
    async fn assertion(&self, request: &AssertionRequest<'_>) -> Result<Assertion, BoxError> {
        Ok(Assertion::new(self.signed(request)?))
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("thumbprint", &self.thumbprint)
            .finish_non_exhaustive()
    }
}
