//! A certificate authority that issues a certificate for any requested name.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate could not be created, because of the random source or an invalid name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The key or the certificate could not be generated, for example because of an invalid name.
    #[error("cannot generate a certificate")]
    Generate(#[from] rcgen::Error),
    /// The TLS library refused the certificate.
    #[error("cannot use the certificate")]
    Use(#[from] rustls::Error),
}

/// A certificate authority for one service, which can issue faulty certificates.
///
/// It issues a certificate for each name in a client's TLS hello, so one service can play any host.
/// Without a name, it issues one for `127.0.0.1` or the address of
/// [`with_address`](Self::with_address). Pass [`root_certificates`](Self::root_certificates) to a
/// client that should trust the service.
pub struct Certificates {
    issuer: CertifiedIssuer<'static, KeyPair>,
    trusted: CertificateDer<'static>,
    trusted_pem: String,
    wrong: Wrong,
    address: IpAddr,
    protocol: &'static [u8],
    issued: Mutex<HashMap<String, Arc<ServerConfig>>>,
}

/// How certificates are wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Nothing,
    Name,
    Expired,
    SelfSigned,
}

impl Certificates {
    /// Certificates that are valid for every name.
    ///
    /// # Errors
    ///
    /// [`CertificateError`] if no key can be generated.
    pub fn generate() -> Result<Self, CertificateError> {
        let issuer = authority("agentspan testkit authority")?;
        Ok(Self {
            trusted: issuer.der().clone(),
            trusted_pem: issuer.pem(),
            issuer,
            wrong: Wrong::Nothing,
            address: Ipv4Addr::LOCALHOST.into(),
            protocol: b"http/1.1",
            issued: Mutex::default(),
        })
    }

    /// Certificates of a trusted authority for another name than the requested one.
    ///
    /// # Errors
    ///
    /// The same as of [`generate`](Self::generate).
    pub fn with_wrong_name() -> Result<Self, CertificateError> {
        Ok(Self {
            wrong: Wrong::Name,
            ..Self::generate()?
        })
    }

    /// Expired certificates of a trusted authority.
    ///
    /// # Errors
    ///
    /// The same as of [`generate`](Self::generate).
    pub fn expired() -> Result<Self, CertificateError> {
        Ok(Self {
            wrong: Wrong::Expired,
            ..Self::generate()?
        })
    }

    /// Self-signed certificates, which no client trusts.
    ///
    /// # Errors
    ///
    /// The same as of [`generate`](Self::generate).
    pub fn self_signed() -> Result<Self, CertificateError> {
        Ok(Self {
            wrong: Wrong::SelfSigned,
            ..Self::generate()?
        })
    }

    /// Certificates of an authority that is not in [`root_certificates`](Self::root_certificates).
    ///
    /// # Errors
    ///
    /// The same as of [`generate`](Self::generate).
    pub fn of_unknown_authority() -> Result<Self, CertificateError> {
        let another = authority("another authority")?;
        Ok(Self {
            trusted: another.der().clone(),
            trusted_pem: another.pem(),
            ..Self::generate()?
        })
    }

    /// Sets the address for clients without a host name, which connect to an address.
    #[must_use]
    pub fn with_address(mut self, address: IpAddr) -> Self {
        self.address = address;
        self
    }

    /// The authorities that a client of this service should trust.
    #[must_use]
    pub fn root_certificates(&self) -> Vec<CertificateDer<'static>> {
        vec![self.trusted.clone()]
    }

    /// The same as PEM.
    #[must_use]
    pub fn root_certificates_pem(&self) -> &str {
        &self.trusted_pem
    }

    /// A certificate for `name` and its key as PEM, for a server other than
    /// [`Service`](crate::Service).
    ///
    /// # Errors
    ///
    /// [`CertificateError`] if no key can be generated, or if `name` is invalid.
    pub fn identity_pem(&self, name: &str) -> Result<(String, String), CertificateError> {
        let (certificate, key) = self.leaf(name)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }

    pub(crate) fn for_http2(mut self, is_http2: bool) -> Self {
        if is_http2 {
            self.protocol = b"h2";
        }
        self
    }

    /// The TLS settings for a client that asked for `name`.
    pub(crate) fn server_config(
        &self,
        name: Option<&str>,
    ) -> Result<Arc<ServerConfig>, CertificateError> {
        let address = self.address.to_string();
        let name = name.unwrap_or(&address);
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = issued.get(name) {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(self.issue(name)?);
        issued.insert(name.to_owned(), Arc::clone(&config));
        Ok(config)
    }

    fn leaf(&self, name: &str) -> Result<(Certificate, KeyPair), CertificateError> {
        let name = match self.wrong {
            Wrong::Name => "another-name.invalid",
            Wrong::Nothing | Wrong::Expired | Wrong::SelfSigned => name,
        };
        let mut leaf = CertificateParams::new([name.to_owned()])?;
        leaf.distinguished_name.push(DnType::CommonName, "testkit");
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        if self.wrong == Wrong::Expired {
            leaf.not_before = date_time_ymd(2001, 1, 1);
            leaf.not_after = date_time_ymd(2001, 1, 2);
        }
        let key = KeyPair::generate()?;
        let certificate = match self.wrong {
            Wrong::SelfSigned => leaf.self_signed(&key)?,
            _ => leaf.signed_by(&key, &self.issuer)?,
        };
        Ok((certificate, key))
    }

    fn issue(&self, name: &str) -> Result<ServerConfig, CertificateError> {
        let (certificate, key) = self.leaf(name)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )?;
        config.alpn_protocols = vec![self.protocol.to_vec()];
        Ok(config)
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates")
            .field("wrong", &self.wrong)
            .finish_non_exhaustive()
    }
}

fn authority(name: &str) -> Result<CertifiedIssuer<'static, KeyPair>, CertificateError> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    Ok(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?)
}
