//! The credentials of a blueprint.

use std::fmt;

use super::AskedToken;

/// The credential with which a blueprint proves who it is.
#[derive(Clone)]
pub struct Proof(Kind);

#[derive(Clone)]
enum Kind {
    Secret(String),
    ExpiredSecret(String),
    Assertion(String),
    #[cfg(feature = "tls")]
    Certificate(Vec<u8>),
}

impl Proof {
    /// This client secret.
    #[must_use]
    pub fn secret(secret: &str) -> Self {
        Self(Kind::Secret(secret.to_owned()))
    }

    /// A client secret that has expired.
    #[must_use]
    pub fn expired_secret(secret: &str) -> Self {
        Self(Kind::ExpiredSecret(secret.to_owned()))
    }

    /// A federated credential, of which this is the one assertion that is taken.
    #[must_use]
    pub fn assertion(text: &str) -> Self {
        Self(Kind::Assertion(text.to_owned()))
    }

    /// A certificate, in DER form, whose key signs assertions.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn certificate(der: &[u8]) -> Self {
        Self(Kind::Certificate(der.to_vec()))
    }

    /// Checks the proof in a form that was posted to `host`.
    pub(super) fn check(&self, asked: &AskedToken, host: &str) -> Result<(), u32> {
        let secret = asked.field("client_secret");
        let assertion = asked.field("client_assertion");
        match (&self.0, secret, assertion) {
            (_, None, None) => Err(7_000_216),
            (Kind::Secret(known), Some(secret), None) if known == secret => Ok(()),
            (Kind::ExpiredSecret(known), Some(secret), None) if known == secret => Err(7_000_222),
            (_, Some(_), _) => Err(7_000_215),
            (Kind::Assertion(known), None, Some(text)) if known == text => Ok(()),
            #[cfg(feature = "tls")]
            (Kind::Certificate(der), None, Some(text)) => {
                super::signed::check(der, text, asked, host)
            }
            #[cfg(not(feature = "tls"))]
            (_, None, Some(_)) if host.is_empty() => Err(7_000_216),
            (_, None, Some(_)) => Err(700_213),
        }
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof(..)")
    }
}
