//! A service that speaks TLS.

use std::sync::{Arc, PoisonError};

use super::{Service, ServiceBuilder};
use crate::certificates::Certificates;

impl Service {
    /// The authorities that a client should trust; empty without TLS.
    #[must_use]
    pub fn root_certificates(&self) -> Vec<rustls::pki_types::CertificateDer<'static>> {
        let certificates = self.shared.certificates();
        certificates.map_or_else(Vec::new, |certificates| certificates.root_certificates())
    }

    /// The same as PEM; empty without TLS.
    #[must_use]
    pub fn root_certificates_pem(&self) -> String {
        let certificates = self.shared.certificates();
        certificates.map_or_else(String::new, |certificates| {
            certificates.root_certificates_pem().to_owned()
        })
    }

    /// Greets new connections with these certificates from now on. Without TLS it does nothing.
    pub fn change_certificates(&self, certificates: Certificates) {
        if let Some(current) = &self.shared.certificates {
            let mut current = current.lock().unwrap_or_else(PoisonError::into_inner);
            *current = Arc::new(certificates.for_http2(self.shared.is_http2));
        }
    }
}

impl ServiceBuilder {
    /// Speaks TLS with these certificates.
    #[must_use]
    pub fn tls(mut self, certificates: Certificates) -> Self {
        self.certificates = Some(certificates);
        self
    }
}
