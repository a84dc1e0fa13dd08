//! The crypto provider that a feature links, for TLS clients.
//!
//! `rustls` has the same providers, but behind features of its own: turning one of them on takes from
//! `rustls` the provider that it finds by itself, in the whole program, as soon as another crate turns
//! on the other. `ClientConfig::builder` and with it the constructors of many libraries then panic.
//! So we link the cryptographic library itself and say here what `rustls` calls its parts; every
//! algorithm is the library's. `docs/adr/004-crypto-provider.md` has the reasons.

mod aead;
#[cfg(feature = "aws-lc-rs")]
#[path = "linked/aws_lc_rs.rs"]
mod backend;
#[cfg(not(feature = "aws-lc-rs"))]
#[path = "linked/ring.rs"]
mod backend;
mod hash;
mod hmac;
mod key_exchange;
mod rsa;
mod signatures;
#[cfg(feature = "tls12")]
mod tls12;
mod tls13;

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, GetRandomFailed, KeyProvider, SecureRandom};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::SigningKey;
use rustls::{Error, SupportedCipherSuite};

use zeroize::Zeroize as _;

use self::backend::rand;

/// Strong and common suites, in the order of `rustls`. All give forward secrecy.
static CIPHER_SUITES: &[SupportedCipherSuite] = &[
    SupportedCipherSuite::Tls13(&tls13::AES_256_GCM_SHA384),
    SupportedCipherSuite::Tls13(&tls13::AES_128_GCM_SHA256),
    SupportedCipherSuite::Tls13(&tls13::CHACHA20_POLY1305_SHA256),
    #[cfg(feature = "tls12")]
    SupportedCipherSuite::Tls12(&tls12::ECDSA_AES_256_GCM_SHA384),
    #[cfg(feature = "tls12")]
    SupportedCipherSuite::Tls12(&tls12::ECDSA_AES_128_GCM_SHA256),
    #[cfg(feature = "tls12")]
    SupportedCipherSuite::Tls12(&tls12::RSA_AES_256_GCM_SHA384),
    #[cfg(feature = "tls12")]
    SupportedCipherSuite::Tls12(&tls12::RSA_AES_128_GCM_SHA256),
];

/// The provider; `None` where none is linked.
#[expect(
    clippy::unnecessary_wraps,
    reason = "`not_linked` has the same function, and no provider"
)]
pub(crate) fn provider() -> Option<CryptoProvider> {
    Some(CryptoProvider {
        cipher_suites: CIPHER_SUITES.to_vec(),
        kx_groups: key_exchange::GROUPS.to_vec(),
        signature_verification_algorithms: signatures::ALGORITHMS,
        secure_random: &Linked,
        key_provider: &Linked,
    })
}

/// Random bytes and private keys.
#[derive(Debug)]
struct Linked;

impl SecureRandom for Linked {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        rand::SecureRandom::fill(&rand::SystemRandom::new(), bytes).map_err(|_| GetRandomFailed)
    }
}

impl KeyProvider for Linked {
    /// RSA keys only: our clients have no certificates in TLS, and sign assertions with RSA.
    fn load_private_key(
        &self,
        mut der: PrivateKeyDer<'static>,
    ) -> Result<Arc<dyn SigningKey>, Error> {
        let key = rsa::RsaKey::read(&der);
        der.zeroize();
        Ok(Arc::new(key?))
    }
}
