//! How the blueprint proves who it is.

use std::fmt;
use std::sync::Arc;

use crate::assertion::AssertionSource;
use crate::secret::Secret;

/// The credential of a blueprint. Agents have none of their own.
#[derive(Clone)]
pub struct Credential(pub(crate) Kind);

#[derive(Clone)]
pub(crate) enum Kind {
    Secret(Secret),
    Assertion(Arc<dyn AssertionSource>),
}

impl Credential {
    /// A client secret of the blueprint: its value, not its id.
    ///
    /// You must store and renew a secret. Prefer an assertion if you have a source of them.
    #[must_use]
    pub fn secret(secret: impl Into<Secret>) -> Self {
        Self(Kind::Secret(secret.into()))
    }

    /// Assertions of this source.
    #[must_use]
    pub fn assertion(source: impl AssertionSource) -> Self {
        Self(Kind::Assertion(Arc::new(source)))
    }
}

/// Shows the source of assertions as it shows itself, and nothing of a secret.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Secret(secret) => f.debug_tuple("Credential").field(secret).finish(),
            Kind::Assertion(source) => f.debug_tuple("Credential").field(source).finish(),
        }
    }
}
