//! *ring*, which builds faster and needs less of the machine that builds it.

pub(super) use ring::{aead, agreement, digest, hmac, rand, signature};
pub(super) use webpki::ring as signatures;

use rustls::crypto::SharedSecret;

/// The secret that is shared with the owner of `theirs`; `None` if that is no point on the curve.
pub(super) fn agree(
    ours: agreement::EphemeralPrivateKey,
    theirs: agreement::UnparsedPublicKey<&[u8]>,
) -> Option<SharedSecret> {
    agreement::agree_ephemeral(ours, &theirs, |secret| secret.into()).ok()
}

/// How long signatures of a key are, in bytes.
pub(super) fn modulus_len(pair: &signature::RsaKeyPair) -> usize {
    pair.public().modulus_len()
}
