//! Secrets, kept out of logs, errors and `Debug`.

use std::fmt;

use zeroize::Zeroizing;

/// A secret, an assertion or a token of somebody.
///
/// There is no `Display` and no serialisation, and `Debug` prints `Secret(..)`. The memory is overwritten when
/// the secret is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes over a secret. Read one from a file without the line break at its end.
    #[must_use]
    pub fn new(secret: impl Into<String>) -> Self {
        Self(Zeroizing::new(secret.into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl<S: Into<String>> From<S> for Secret {
    fn from(secret: S) -> Self {
        Self::new(secret)
    }
}
