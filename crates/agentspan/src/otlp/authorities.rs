//! The authorities that a receiver's certificate is checked with.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::OtlpError;

/// The certificates in `pem`, of which there is at least one.
pub(super) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, OtlpError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => {
            Err(OtlpError::Certificates("there is no certificate".into()))
        }
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(OtlpError::Certificates(error.into())),
    }
}
