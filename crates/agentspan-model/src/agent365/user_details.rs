//! The person for whom an agent works.

use serde::{Deserialize, Serialize};

use super::ClientAddress;

/// The person for whom an agent works (Agent 365 2.0.0).
///
/// 0.1.0 has [`CallerDetails`](super::CallerDetails) instead, only for invocations. For these, each
/// profile accepts both types: the id and the name are shared, and a profile does not write the
/// other fields of the other type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UserDetails {
    /// The person's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The person's mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_email: Option<String>,
    /// The person's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// The IP address of the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_client_ip: Option<ClientAddress>,
}

impl UserDetails {
    /// Creates it without any values.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the person's id.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.user_id = Some(id.into());
        self
    }

    /// Sets the person's mail address.
    #[must_use]
    pub fn with_email(mut self, email: impl Into<String>) -> Self {
        self.user_email = Some(email.into());
        self
    }

    /// Sets the person's name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.user_name = Some(name.into());
        self
    }

    /// Sets the IP address of the person. To parse a text, use [`ClientAddress::parse`]; pass its
    /// `ok()` to ignore invalid addresses, as the reference does.
    #[must_use]
    pub fn with_client_address(mut self, address: impl Into<Option<ClientAddress>>) -> Self {
        self.user_client_ip = address.into();
        self
    }
}
