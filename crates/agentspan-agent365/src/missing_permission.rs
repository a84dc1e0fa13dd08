//! The permission that a refused token lacks.

use std::fmt;

use agentspan_discovery::{unverified_app_id, unverified_permissions};

use crate::access_token::AccessToken;

/// The permission that the service asks for, as an app role or as a delegated scope.
const REQUIRED: &str = "Agent365.Observability.OtelWrite";

/// More of an app's id is not shown. Real ids are GUIDs.
const MAX_ID: usize = 64;

/// A permission that a refused token does not have, by its own claims.
///
/// Nothing is verified, and nothing of the token is shown but the id of the application that it was
/// issued to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MissingPermission {
    /// The permission. An administrator grants it to the application.
    pub permission: &'static str,
    /// The application that the token says it was issued to, if it says so.
    pub application: Option<String>,
}

impl MissingPermission {
    /// The permission that `token` lacks; `None` if it claims the permission, or is no token with
    /// claims.
    pub(crate) fn of(token: &AccessToken) -> Option<Self> {
        let granted = unverified_permissions(token.as_str())?;
        if granted.iter().any(|permission| permission == REQUIRED) {
            return None;
        }
        let application = unverified_app_id(Some(token.as_str()));
        let is_shown = |id: &&str| {
            !id.is_empty()
                && id.len() <= MAX_ID
                && id
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        Some(Self {
            permission: REQUIRED,
            application: application.as_str().filter(is_shown).map(str::to_owned),
        })
    }
}

impl fmt::Display for MissingPermission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.application {
            Some(application) => write!(
                f,
                "the token of application {application} does not claim {}",
                self.permission
            ),
            None => write!(f, "the token does not claim {}", self.permission),
        }
    }
}
