//! The steps on the way to a token.

use std::fmt;

/// One of the requests to Entra that lead to a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Hop {
    /// The blueprint requests an assertion that proves the identity of one agent.
    BlueprintAssertion,
    /// The agent requests its own token, without a user.
    AgentToken,
    /// The agent requests a token on behalf of the person whose token it got.
    OnBehalfOf,
    /// The agent requests an assertion with which it can act as its user.
    AgentAssertion,
    /// The agent requests a token of its user.
    AgentUser,
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BlueprintAssertion => "assertion of the blueprint",
            Self::AgentToken => "token of the agent",
            Self::OnBehalfOf => "token on behalf of a user",
            Self::AgentAssertion => "assertion of the agent",
            Self::AgentUser => "token of the agent's user",
        })
    }
}
