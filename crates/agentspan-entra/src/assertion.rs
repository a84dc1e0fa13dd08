//! How a blueprint proves who it is without a secret.

use std::fmt;
use std::time::Duration;

use agentspan_agent365::error::BoxError;
use async_trait::async_trait;

use crate::secret::Secret;

/// The source of the assertions that prove the identity of the blueprint. It signs them with the key of a
/// certificate, or gets them from an issuer that Entra trusts for the blueprint (a federated credential).
///
/// ```
/// use agentspan_agent365::error::BoxError;
/// use agentspan_entra::{Assertion, AssertionRequest, AssertionSource, Credential};
///
/// #[derive(Debug)]
/// struct Vault;
///
/// #[async_trait::async_trait]
/// impl AssertionSource for Vault {
///     async fn assertion(&self, request: &AssertionRequest<'_>) -> Result<Assertion, BoxError> {
/// #       async fn ask_vault(_: &str) -> Result<String, BoxError> { Ok(String::new()) }
///         Ok(Assertion::new(ask_vault(request.audience).await?))
///     }
/// }
///
/// let credential = Credential::assertion(Vault);
/// ```
#[async_trait]
pub trait AssertionSource: fmt::Debug + Send + Sync + 'static {
    /// Returns an assertion for this request.
    ///
    /// It runs within a Tokio runtime and must not block it.
    ///
    /// # Errors
    ///
    /// The reason why there is no assertion. The error may hold secrets, so it is never logged. With a
    /// [`TokenUnavailable`](agentspan_agent365::error::TokenUnavailable), the source says when to ask again.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped when the deadline for the token passes.
    async fn assertion(&self, request: &AssertionRequest<'_>) -> Result<Assertion, BoxError>;
}

/// The purpose of an assertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AssertionRequest<'a> {
    /// The application that proves its identity: the blueprint. It is the subject and the issuer of an
    /// assertion that it signs.
    pub client_id: &'a str,
    /// The tenant of the requested token.
    pub tenant: &'a str,
    /// The URL of the token endpoint: the audience of an assertion that the blueprint signs itself.
    pub audience: &'a str,
}

/// An assertion, and how long it may be reused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    pub(crate) text: Secret,
    pub(crate) lifetime: Option<Duration>,
}

impl Assertion {
    /// An assertion that is used once.
    #[must_use]
    pub fn new(text: impl Into<Secret>) -> Self {
        Self {
            text: text.into(),
            lifetime: None,
        }
    }

    /// Reuses the assertion for requests in the same tenant, until shortly before this time has passed.
    #[must_use]
    pub fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }
}
