//! Where bearer tokens come from.

mod async_fn;
mod blocking_fn;
mod exchanged;
mod request_tokens;
mod token_query;
mod turns;

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;

use crate::access_token::AccessToken;

pub use self::async_fn::{AsyncFnResolver, token_from_async_fn};
pub use self::blocking_fn::{FnResolver, token_from_fn};
pub use self::exchanged::{ExchangeQuery, ExchangedTokens, TokenExchange};
pub use self::request_tokens::{RequestTokens, token_from_request};
pub use self::token_query::TokenQuery;

/// Any error, for resolvers that fail in a way of their own.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Gets the token that the spans of one identity are sent with.
///
/// The delivery asks it once per batch and identity. A resolver that uses the network should cache its
/// tokens; [`TokenCache`](crate::TokenCache) does that. If the service answers 401, the delivery asks
/// once more, with a [`TokenQuery`] that names the refused token. If it then gets a different token,
/// it sends the request once more.
///
/// A resolver runs on the thread `agentspan-export`, within that thread's Tokio runtime, and must not block it:
/// use [`token_from_fn`] for blocking code. OpenTelemetry is suppressed while it runs. An error, a panic
/// or a missed deadline costs the spans of this identity and no others.
///
/// `Ok(None)` and an empty token both mean that there is no token. With
/// [`Profile::V0_1`](agentspan_model::agent365::Profile::V0_1) the spans are then sent without the
/// `authorization` header; with all later profiles they are dropped and counted, as the references do.
///
/// ```
/// use agentspan_agent365::{AccessToken, TokenResolver};
/// use agentspan_agent365::error::BoxError;
/// use agentspan_agent365::token::TokenQuery;
///
/// struct Fixed(AccessToken);
///
/// #[async_trait::async_trait]
/// impl TokenResolver for Fixed {
///     async fn resolve(&self, _: &TokenQuery) -> Result<Option<AccessToken>, BoxError> {
///         Ok(Some(self.0.clone()))
///     }
/// }
/// ```
#[async_trait]
pub trait TokenResolver: Send + Sync + 'static {
    /// The token for the identity of `query`.
    ///
    /// # Errors
    ///
    /// The reason why there is no token. The error may hold secrets: it is never logged. With a
    /// [`TokenUnavailable`](crate::error::TokenUnavailable), the spans wait and the resolver is asked again.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped when the deadline passes or the delivery is shut down.
    async fn resolve(&self, query: &TokenQuery) -> Result<Option<AccessToken>, BoxError>;
}

#[async_trait]
impl<R: TokenResolver + ?Sized> TokenResolver for Arc<R> {
    async fn resolve(&self, query: &TokenQuery) -> Result<Option<AccessToken>, BoxError> {
        (**self).resolve(query).await
    }
}
