//! Certificates of servers, with keys of every kind that is trusted.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, PKCS_ECDSA_P256_SHA256,
    PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256, PKCS_RSA_SHA384, PKCS_RSA_SHA512,
    SignatureAlgorithm,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// The name that the certificates are for.
pub(crate) const NAME: &str = "collector.example";

/// A server's certificate, its key, and the authority that issued it.
pub(crate) struct Certified {
    pub(crate) authority: CertificateDer<'static>,
    pub(crate) authority_pem: String,
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) key: PrivateKeyDer<'static>,
}

/// ECDSA on two curves.
pub(crate) fn ecdsa() -> Vec<Certified> {
    [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384]
        .map(certified)
        .into()
}

pub(crate) fn ed25519() -> Vec<Certified> {
    vec![certified(&PKCS_ED25519)]
}

/// RSA, whose authorities sign with each hash function.
pub(crate) fn rsa() -> Vec<Certified> {
    [&PKCS_RSA_SHA256, &PKCS_RSA_SHA384, &PKCS_RSA_SHA512]
        .map(certified)
        .into()
}

/// Authority and server have keys of the same kind.
pub(crate) fn certified(algorithm: &'static SignatureAlgorithm) -> Certified {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate_for(algorithm).unwrap();
    let issuer = CertifiedIssuer::self_signed(params, key).unwrap();
    let key = KeyPair::generate_for(algorithm).unwrap();
    let leaf = CertificateParams::new([NAME.to_owned()]).unwrap();
    let certificate = leaf.signed_by(&key, &issuer).unwrap();
    Certified {
        authority: issuer.der().clone(),
        authority_pem: issuer.pem(),
        certificate: certificate.der().clone(),
        key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
    }
}
