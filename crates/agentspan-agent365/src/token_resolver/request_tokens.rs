//! A token resolver for programs whose requests bring their tokens.

use async_trait::async_trait;

use super::{BoxError, TokenQuery, TokenResolver};
use crate::access_token::AccessToken;

/// The resolver of [`token_from_request`].
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct RequestTokens;

/// Makes a token resolver that has no tokens, for a delivery with
/// [`with_per_request_export`](crate::DeliveryBuilder::with_per_request_export) in which each request is
/// given its [`ExportToken`](crate::ExportToken). The spans of one that was given none are dropped and
/// counted as [`DropReason::Token`](crate::DropReason::Token).
///
/// ```
/// use agentspan_agent365::{Delivery, PerRequestExport, token_from_request};
///
/// # fn main() -> Result<(), agentspan_agent365::BuildError> {
/// let delivery = Delivery::builder(token_from_request())
///     .with_per_request_export(PerRequestExport::new())
///     .build()?;
/// # drop(delivery);
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn token_from_request() -> RequestTokens {
    RequestTokens
}

#[async_trait]
impl TokenResolver for RequestTokens {
    async fn resolve(&self, _: &TokenQuery) -> Result<Option<AccessToken>, BoxError> {
        Ok(None)
    }
}
