//! The steps on the way to a token.

use std::fmt;

/// One question to Entra on the way to a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Hop {
    /// The blueprint asks for an assertion with which one agent can prove who it is.
    BlueprintAssertion,
    /// The agent asks for its own token, without a user.
    AgentToken,
    /// The agent asks for a token on behalf of the person whose token it was given.
    OnBehalfOf,
    /// The agent asks for an assertion with which it can act as its user.
    AgentAssertion,
    /// The agent asks for a token of its user.
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
