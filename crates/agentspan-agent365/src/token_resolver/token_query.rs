//! The query to a token resolver.

use agentspan_model::agent365::Identity;

use crate::access_token::AccessToken;

/// A question for the token of one identity.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenQuery {
    /// The identity whose spans are to be sent.
    pub identity: Identity,
    /// The user that the agent acts as, of the first span: `microsoft.agent.user.id`. Only with
    /// [`Profile::V3`](agentspan_model::agent365::Profile::V3) and
    /// [`Profile::Direct`](agentspan_model::agent365::Profile::Direct), whose resolvers may need it to get the token
    /// of that user.
    pub agentic_user: Option<String>,
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
            agentic_user: None,
            refused: None,
        }
    }

    /// Asks for the token of an agent that acts as a user.
    #[must_use]
    pub fn with_agentic_user(mut self, user: impl Into<String>) -> Self {
        self.agentic_user = Some(user.into());
        self
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
