//! The certificate authorities for a receiver.

use agentspan_tls::TrustRoots;
use agentspan_tls::rustls::pki_types::CertificateDer;
use agentspan_tls::rustls::pki_types::pem::PemObject;

use super::OtlpError;

/// The certificates in `pem`. It is an error if there is none, or anything else.
pub(super) fn roots(pem: &[u8]) -> Result<TrustRoots, OtlpError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = certificates.map_err(|error| OtlpError::Certificates(error.into()))?;
    if certificates.is_empty() {
        return Err(OtlpError::Certificates("there is no certificate".into()));
    }
    TrustRoots::given(certificates).map_err(|error| OtlpError::Certificates(error.into()))
}
