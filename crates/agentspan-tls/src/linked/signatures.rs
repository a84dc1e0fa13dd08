//! Signatures of servers and of certificate authorities.

use rustls::SignatureScheme;
use rustls::crypto::WebPkiSupportedAlgorithms;

use super::backend::signatures as webpki;

/// The accepted schemes, the preferred one first. TLS 1.2 does not tie a hash function to a curve,
/// so there either curve can come with either.
pub(super) static ALGORITHMS: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[
        webpki::ECDSA_P256_SHA256,
        webpki::ECDSA_P256_SHA384,
        webpki::ECDSA_P384_SHA256,
        webpki::ECDSA_P384_SHA384,
        webpki::ED25519,
        webpki::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
        webpki::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
        webpki::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
        webpki::RSA_PKCS1_2048_8192_SHA256,
        webpki::RSA_PKCS1_2048_8192_SHA384,
        webpki::RSA_PKCS1_2048_8192_SHA512,
        webpki::RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS,
        webpki::RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS,
        webpki::RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS,
    ],
    mapping: &[
        (
            SignatureScheme::ECDSA_NISTP384_SHA384,
            &[webpki::ECDSA_P384_SHA384, webpki::ECDSA_P256_SHA384],
        ),
        (
            SignatureScheme::ECDSA_NISTP256_SHA256,
            &[webpki::ECDSA_P256_SHA256, webpki::ECDSA_P384_SHA256],
        ),
        (SignatureScheme::ED25519, &[webpki::ED25519]),
        (
            SignatureScheme::RSA_PSS_SHA512,
            &[webpki::RSA_PSS_2048_8192_SHA512_LEGACY_KEY],
        ),
        (
            SignatureScheme::RSA_PSS_SHA384,
            &[webpki::RSA_PSS_2048_8192_SHA384_LEGACY_KEY],
        ),
        (
            SignatureScheme::RSA_PSS_SHA256,
            &[webpki::RSA_PSS_2048_8192_SHA256_LEGACY_KEY],
        ),
        (
            SignatureScheme::RSA_PKCS1_SHA512,
            &[webpki::RSA_PKCS1_2048_8192_SHA512],
        ),
        (
            SignatureScheme::RSA_PKCS1_SHA384,
            &[webpki::RSA_PKCS1_2048_8192_SHA384],
        ),
        (
            SignatureScheme::RSA_PKCS1_SHA256,
            &[webpki::RSA_PKCS1_2048_8192_SHA256],
        ),
    ],
};
