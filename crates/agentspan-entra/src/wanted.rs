//! Which token is asked for.

use crate::agent_user::AgentUser;
use crate::hop::Hop;
use crate::secret::Secret;

/// A token that somebody wants.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) agent: &'a str,
    pub(crate) acting: Acting<'a>,
}

/// For whom the agent acts.
#[derive(Clone, Copy)]
pub(crate) enum Acting<'a> {
    /// For itself, without a user.
    Alone,
    /// For the person with this token.
    OnBehalfOf(&'a Secret),
    /// As its own user.
    As(&'a AgentUser),
}

impl Wanted<'_> {
    /// The last question on the way to it.
    pub(crate) fn hop(&self) -> Hop {
        match self.acting {
            Acting::Alone => Hop::AgentToken,
            Acting::OnBehalfOf(_) => Hop::OnBehalfOf,
            Acting::As(_) => Hop::AgentUser,
        }
    }
}
