//! Which root certificates are trusted.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

use crate::client_config::TlsError;

/// The root certificates that a server's certificate must lead to. Default: those of the platform.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum TrustRoots {
    /// The roots of the operating system, read each time that
    /// [`client_config`](crate::client_config) is called.
    #[default]
    Platform,
    /// These and no others.
    Given(Arc<RootCertStore>),
}

impl TrustRoots {
    /// These certificates and no others.
    ///
    /// # Errors
    ///
    /// The error of `rustls` for the first that is not a certificate.
    pub fn given<'a>(
        certificates: impl IntoIterator<Item = CertificateDer<'a>>,
    ) -> Result<Self, rustls::Error> {
        let mut store = RootCertStore::empty();
        for certificate in certificates {
            store.add(certificate.into_owned())?;
        }
        Ok(Self::Given(Arc::new(store)))
    }

    /// The certificates; reads files if they are the platform's.
    pub(crate) fn store(&self) -> Result<Arc<RootCertStore>, TlsError> {
        match self {
            Self::Given(store) => Ok(Arc::clone(store)),
            Self::Platform => platform().map(Arc::new),
        }
    }
}

fn platform() -> Result<RootCertStore, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(found.certs);
    if store.is_empty() {
        return Err(TlsError::NoRootCertificates);
    }
    Ok(store)
}
