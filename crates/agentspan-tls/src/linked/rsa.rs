//! Private RSA keys, which sign what a client says of itself.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::PrivateKeyDer;
use rustls::sign::{Signer, SigningKey};
use rustls::{Error, SignatureAlgorithm, SignatureScheme};

use super::backend::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair};
use super::backend::{modulus_len, rand};

/// The schemes with which a key can sign.
const SCHEMES: [(SignatureScheme, &dyn RsaEncoding); 2] = [
    (SignatureScheme::RSA_PSS_SHA256, &RSA_PSS_SHA256),
    (SignatureScheme::RSA_PKCS1_SHA256, &RSA_PKCS1_SHA256),
];

pub(super) struct RsaKey(Arc<RsaKeyPair>);

impl RsaKey {
    pub(super) fn read(der: &PrivateKeyDer<'_>) -> Result<Self, Error> {
        let pair = match der {
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            _ => return Err(no_rsa_key()),
        };
        Ok(Self(Arc::new(pair.map_err(|_| no_rsa_key())?)))
    }
}

impl SigningKey for RsaKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let chosen = |(scheme, _): &&(SignatureScheme, _)| offered.contains(scheme);
        let (scheme, encoding) = SCHEMES.iter().find(chosen)?;
        Some(Box::new(RsaSigner {
            key: Arc::clone(&self.0),
            scheme: *scheme,
            encoding: *encoding,
        }))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::RSA
    }
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RsaKey(..)")
    }
}

struct RsaSigner {
    key: Arc<RsaKeyPair>,
    scheme: SignatureScheme,
    encoding: &'static dyn RsaEncoding,
}

impl Signer for RsaSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let mut signature = vec![0; modulus_len(&self.key)];
        let random = rand::SystemRandom::new();
        self.key
            .sign(self.encoding, &random, message, &mut signature)
            .map_err(|_| Error::General("the message cannot be signed".into()))?;
        Ok(signature)
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}

impl fmt::Debug for RsaSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RsaSigner")
            .field("scheme", &self.scheme)
            .finish_non_exhaustive()
    }
}

fn no_rsa_key() -> Error {
    Error::General("the private key is no RSA key of 2048 bits or more".into())
}
