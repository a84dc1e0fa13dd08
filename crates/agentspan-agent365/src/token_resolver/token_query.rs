//! What a token resolver is asked.

use agentspan_model::agent365::Identity;

use crate::access_token::AccessToken;

/// A question for the token of one identity.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenQuery {
    /// Whose spans are to be sent.
    pub identity: Identity,
    /// The token that the service has just refused with 401, when the resolver is asked again.
    ///
    /// A resolver that keeps tokens must not give this one again: the request is sent once more only
    /// with another token. `None` when nothing was refused.
    pub refused: Option<AccessToken>,
}

impl TokenQuery {
    /// Asks for a token of `identity`.
    #[must_use]
    pub fn new(identity: Identity) -> Self {
        Self {
            identity,
            refused: None,
        }
    }

    /// Asks for another token than `refused`.
    #[must_use]
    pub fn with_refused(mut self, refused: AccessToken) -> Self {
        self.refused = Some(refused);
        self
    }

    /// Whether `token` is the one that was refused.
    pub(crate) fn refuses(&self, token: &AccessToken) -> bool {
        self.refused.as_ref() == Some(token)
    }
}
