//! Where bearer tokens come from.

mod async_fn;
mod blocking_fn;
mod request_tokens;

use std::error::Error;
use std::sync::Arc;

use agentspan_model::agent365::Identity;
use async_trait::async_trait;

use crate::access_token::AccessToken;

pub use self::async_fn::{AsyncFnResolver, token_from_async_fn};
pub use self::blocking_fn::{FnResolver, token_from_fn};
pub use self::request_tokens::{RequestTokens, token_from_request};

/// Any error, for resolvers that fail in a way of their own.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Gets the token that the spans of one identity are sent with.
///
/// It is asked once per batch and identity, so a resolver that goes over the network should cache, or
/// be put behind a [`TokenCache`](crate::TokenCache). It
/// runs on the thread `agentspan-export`, within that thread's Tokio runtime, and must not block it:
/// use [`token_from_fn`] for what blocks. OpenTelemetry is suppressed while it runs. An error, a panic
/// or a missed deadline costs the spans of this identity and no others.
///
/// `Ok(None)` and an empty token mean that there is none. With
/// [`Profile::V0_1`](agentspan_model::agent365::Profile::V0_1) the spans are then sent without the
/// `authorization` header, and with [`Profile::V2`](agentspan_model::agent365::Profile::V2) they are
/// dropped and counted, as the reference does.
///
/// ```
/// use agentspan_agent365::{AccessToken, BoxError, TokenResolver};
/// use agentspan_model::agent365::Identity;
///
/// struct Fixed(AccessToken);
///
/// #[async_trait::async_trait]
/// impl TokenResolver for Fixed {
///     async fn resolve(&self, _: &Identity) -> Result<Option<AccessToken>, BoxError> {
///         Ok(Some(self.0.clone()))
///     }
/// }
/// ```
#[async_trait]
pub trait TokenResolver: Send + Sync + 'static {
    /// The token for `identity`.
    ///
    /// # Errors
    ///
    /// Whatever kept the resolver from getting a token. It may hold secrets: it is never logged.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped when the deadline passes or the delivery is shut down.
    async fn resolve(&self, identity: &Identity) -> Result<Option<AccessToken>, BoxError>;

    /// Hears that the service answered 401 for a token of this resolver, and says whether asking again
    /// may give another one. Then [`resolve`](Self::resolve) is called once more, and the request is
    /// tried once more. It must not block.
    ///
    /// Does nothing and says no, unless a resolver that keeps tokens says otherwise.
    fn refused(&self, _identity: &Identity, _token: &AccessToken) -> bool {
        false
    }
}

#[async_trait]
impl<R: TokenResolver + ?Sized> TokenResolver for Arc<R> {
    async fn resolve(&self, identity: &Identity) -> Result<Option<AccessToken>, BoxError> {
        (**self).resolve(identity).await
    }

    fn refused(&self, identity: &Identity, token: &AccessToken) -> bool {
        (**self).refused(identity, token)
    }
}
