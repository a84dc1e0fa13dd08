//! The person for whom an agent works.

use serde::{Deserialize, Serialize};

use super::ClientAddress;

/// The person for whom an agent works (Agent 365 2.0.0).
///
/// 0.1.0 has [`CallerDetails`](super::CallerDetails) instead, of invocations only. Either profile takes
/// either there: id and name are the same; what else they say is not written by the other profile.
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
    /// The IP address that the person called from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_client_ip: Option<ClientAddress>,
}

impl UserDetails {
    /// Nothing known yet.
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

    /// Sets the IP address that the person called from. Text is read with [`ClientAddress::parse`];
    /// give its `ok()` to leave out what is no address, as the reference does.
    #[must_use]
    pub fn with_client_address(mut self, address: impl Into<Option<ClientAddress>>) -> Self {
        self.user_client_ip = address.into();
        self
    }
}
