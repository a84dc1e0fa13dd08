//! The user that an agent has in the directory.

/// The user account of an agent: a user of the tenant that no person uses.
///
/// ```
/// use agentspan_entra::AgentUser;
///
/// let by_id = AgentUser::id("a0000000-0000-0000-0000-0000000000e1");
/// let by_name = AgentUser::name("weather@contoso.com");
/// assert_ne!(by_id, by_name);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AgentUser {
    pub(crate) field: &'static str,
    pub(crate) value: String,
}

impl AgentUser {
    /// The user with this object id.
    #[must_use]
    pub fn id(object_id: impl Into<String>) -> Self {
        Self {
            field: "user_id",
            value: object_id.into(),
        }
    }

    /// The user with this user principal name.
    #[must_use]
    pub fn name(principal_name: impl Into<String>) -> Self {
        Self {
            field: "username",
            value: principal_name.into(),
        }
    }
}
