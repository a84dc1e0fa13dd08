//! The agent in the claims of a token.

use crate::UnverifiedId;
use crate::python_text::is_blank;
use crate::token_claims::first_claim;

/// The agent that a token *says* it was issued to: `xms_par_app_azp` (the agent's blueprint), or
/// else `appid`, or else `azp`.
///
/// Empty if there is no token, if it is malformed or if it has none of the claims; unlike
/// [`unverified_app_id`](crate::unverified_app_id) it never answers with the nil id. Nothing is
/// verified: anyone can write a token with any claims.
///
/// ```
/// use agentspan_discovery::runtime_v2::unverified_agent_id;
///
/// let token = "eyJhbGciOiJub25lIn0.eyJhcHBpZCI6Im15LWFwcCJ9.";
/// assert_eq!(unverified_agent_id(Some(token)), "my-app");
/// assert!(unverified_agent_id(None).is_empty());
/// ```
#[must_use]
pub fn unverified_agent_id(token: Option<&str>) -> UnverifiedId {
    match token {
        Some(token) if !is_blank(token) => first_claim(token, &["xms_par_app_azp", "appid", "azp"]),
        _ => UnverifiedId::text(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_blueprint_comes_first() {
        // {"appid":"a","azp":"b","xms_par_app_azp":"c"}
        let token = "e30.eyJhcHBpZCI6ImEiLCJhenAiOiJiIiwieG1zX3Bhcl9hcHBfYXpwIjoiYyJ9.";
        assert_eq!(unverified_agent_id(Some(token)), "c");
        assert_eq!(crate::unverified_app_id(Some(token)), "a");
    }

    #[test]
    fn a_blank_token_gives_no_id() {
        for token in [None, Some(""), Some(" \u{1c}"), Some("a.b.c")] {
            assert_eq!(unverified_agent_id(token), "", "{token:?}");
        }
    }
}
