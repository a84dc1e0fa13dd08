//! Resolves the agent of a turn of a conversation, from the activity or else from the token.

use crate::token_claims::unverified_app_id;
use crate::unverified_id::UnverifiedId;

/// The agent that an activity is for.
///
/// The reference calls the activity object of the Microsoft Agents SDK, and catches exceptions. If
/// such a call fails, pass `None` to [`resolve_agent_identity`], which gives the same result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activity<'a> {
    agentic: Option<Option<&'a str>>,
}

impl<'a> Activity<'a> {
    /// An activity for an instance of an agent, with the id of the instance if it has one.
    #[must_use]
    pub fn agentic(instance_id: Option<&'a str>) -> Self {
        Self {
            agentic: Some(instance_id),
        }
    }

    /// An activity for any other recipient.
    #[must_use]
    pub fn not_agentic() -> Self {
        Self { agentic: None }
    }
}

/// The agent of a turn.
///
/// For an agentic activity, this is the id of the instance, or the empty text if it has none; the
/// token is ignored. For another activity, or without one, the fallback is [`unverified_app_id`] of
/// the token. Nothing is verified.
///
/// ```
/// use agentspan_discovery::{Activity, resolve_agent_identity};
///
/// let token = Some("eyJhbGciOiJub25lIn0.eyJhcHBpZCI6Im15LWFwcCJ9.");
/// let agentic = Activity::agentic(Some("instance-1"));
/// assert_eq!(resolve_agent_identity(Some(agentic), token), "instance-1");
/// assert_eq!(resolve_agent_identity(Some(Activity::not_agentic()), token), "my-app");
/// assert_eq!(resolve_agent_identity(None, token), "my-app");
/// ```
#[must_use]
pub fn resolve_agent_identity(activity: Option<Activity<'_>>, token: Option<&str>) -> UnverifiedId {
    match activity.and_then(|activity| activity.agentic) {
        Some(instance_id) => UnverifiedId::text(instance_id.unwrap_or_default()),
        None => unverified_app_id(token),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agentic_activity_without_an_id_does_not_fall_back_to_the_token() {
        let token = Some("eyJhbGciOiJub25lIn0.eyJhcHBpZCI6Im15LWFwcCJ9.");
        let found = resolve_agent_identity(Some(Activity::agentic(None)), token);
        assert!(found.is_empty());
    }

    #[test]
    fn without_activity_and_token_the_id_is_nil() {
        assert_eq!(resolve_agent_identity(None, None), crate::NIL_ID);
    }
}
