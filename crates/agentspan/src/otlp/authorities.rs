//! The certificate authorities for a receiver.

use agentspan_tls::TrustRoots;
use agentspan_tls::rustls::pki_types::CertificateDer;
use agentspan_tls::rustls::pki_types::pem::PemObject;

use super::OtlpError;

/// The certificates in `pem`, the value of a setting. It is an error if there is none, or anything
/// else.
pub(super) fn roots(pem: &[u8], setting: &'static str) -> Result<TrustRoots, OtlpError> {
    let unusable = |source| OtlpError::Certificates { setting, source };
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = certificates.map_err(|error| unusable(error.into()))?;
    if certificates.is_empty() {
        return Err(unusable("there is no certificate in PEM".into()));
    }
    TrustRoots::given(certificates).map_err(|error| unusable(error.into()))
}
