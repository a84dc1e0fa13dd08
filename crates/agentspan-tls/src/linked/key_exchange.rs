//! Ephemeral key exchange on elliptic curves.

use rustls::crypto::{ActiveKeyExchange, GetRandomFailed, SharedSecret, SupportedKxGroup};
use rustls::{Error, NamedGroup, PeerMisbehaved};

use super::backend::{agree, agreement, rand};

/// The groups that are offered, the preferred one first.
pub(super) static GROUPS: &[&dyn SupportedKxGroup] = &[
    &Group {
        name: NamedGroup::X25519,
        algorithm: &agreement::X25519,
    },
    &Group {
        name: NamedGroup::secp256r1,
        algorithm: &agreement::ECDH_P256,
    },
    &Group {
        name: NamedGroup::secp384r1,
        algorithm: &agreement::ECDH_P384,
    },
];

#[derive(Debug)]
struct Group {
    name: NamedGroup,
    algorithm: &'static agreement::Algorithm,
}

impl SupportedKxGroup for Group {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let random = rand::SystemRandom::new();
        let private = agreement::EphemeralPrivateKey::generate(self.algorithm, &random)
            .map_err(|_| GetRandomFailed)?;
        let public = private.compute_public_key().map_err(|_| GetRandomFailed)?;
        Ok(Box::new(Exchange {
            name: self.name,
            algorithm: self.algorithm,
            private,
            public,
        }))
    }

    fn name(&self) -> NamedGroup {
        self.name
    }
}

/// An exchange that waits for the other side's public key.
struct Exchange {
    name: NamedGroup,
    algorithm: &'static agreement::Algorithm,
    private: agreement::EphemeralPrivateKey,
    public: agreement::PublicKey,
}

impl ActiveKeyExchange for Exchange {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        let theirs = agreement::UnparsedPublicKey::new(self.algorithm, peer);
        has_the_encoding_of_tls(self.name, peer)
            .then(|| agree(self.private, theirs))
            .flatten()
            .ok_or_else(|| PeerMisbehaved::InvalidKeyShare.into())
    }

    fn pub_key(&self) -> &[u8] {
        self.public.as_ref()
    }

    fn group(&self) -> NamedGroup {
        self.name
    }
}

/// Whether a public key is written as TLS wants it: points of the NIST curves uncompressed
/// ([RFC 8446, section 4.2.8.2](https://www.rfc-editor.org/rfc/rfc8446#section-4.2.8.2)). AWS-LC takes
/// other encodings, too. Whether it is a point on the curve is for the library to say.
fn has_the_encoding_of_tls(group: NamedGroup, key: &[u8]) -> bool {
    match group {
        NamedGroup::X25519 => key.len() == 32,
        _ => key.first() == Some(&4),
    }
}
