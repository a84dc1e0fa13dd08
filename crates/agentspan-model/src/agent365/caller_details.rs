//! The person or service that calls an agent.

use serde::{Deserialize, Serialize};

/// The person or service that calls an agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CallerDetails {
    /// The caller's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_id: Option<String>,
    /// The caller's user principal name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_upn: Option<String>,
    /// The caller's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_name: Option<String>,
    /// The caller's user id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_user_id: Option<String>,
    /// The caller's tenant. It may be any text, since it does not route spans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
}

impl CallerDetails {
    /// Creates it without any values.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the caller's id.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.caller_id = Some(id.into());
        self
    }

    /// Sets the caller's user principal name.
    #[must_use]
    pub fn with_upn(mut self, upn: impl Into<String>) -> Self {
        self.caller_upn = Some(upn.into());
        self
    }

    /// Sets the caller's name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.caller_name = Some(name.into());
        self
    }

    /// Sets the caller's user id.
    #[must_use]
    pub fn with_user_id(mut self, user_id: impl Into<String>) -> Self {
        self.caller_user_id = Some(user_id.into());
        self
    }

    /// Sets the caller's tenant. It may be any text, since it does not route spans.
    #[must_use]
    pub fn with_tenant_id(mut self, tenant_id: impl Into<String>) -> Self {
        self.tenant_id = Some(tenant_id.into());
        self
    }
}
