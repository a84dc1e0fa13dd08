//! A token resolver made from an async closure.

use std::fmt;
use std::future::Future;

use async_trait::async_trait;

use super::{BoxError, TokenQuery, TokenResolver};
use crate::access_token::AccessToken;

/// The resolver of [`token_from_async_fn`].
pub struct AsyncFnResolver<F>(F);

/// Makes a token resolver from an async closure.
///
/// ```
/// use agentspan_agent365::{AccessToken, token_from_async_fn};
///
/// let resolver = token_from_async_fn(|query| async move {
///     Ok(Some(AccessToken::new(format!("for-{}", query.identity.agent))?))
/// });
/// ```
pub fn token_from_async_fn<F, Fut>(resolve: F) -> AsyncFnResolver<F>
where
    F: Fn(TokenQuery) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Option<AccessToken>, BoxError>> + Send + 'static,
{
    AsyncFnResolver(resolve)
}

#[async_trait]
impl<F, Fut> TokenResolver for AsyncFnResolver<F>
where
    F: Fn(TokenQuery) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Option<AccessToken>, BoxError>> + Send + 'static,
{
    async fn resolve(&self, query: &TokenQuery) -> Result<Option<AccessToken>, BoxError> {
        (self.0)(query.clone()).await
    }
}

impl<F> fmt::Debug for AsyncFnResolver<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AsyncFnResolver(..)")
    }
}
