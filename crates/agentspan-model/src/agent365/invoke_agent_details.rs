//! An invocation of an agent.

use serde::{Deserialize, Serialize};

use super::{AgentDetails, Endpoint};

/// An invocation of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InvokeAgentDetails {
    /// The invoked agent.
    pub details: AgentDetails,
    /// The endpoint of the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// The id of the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

impl InvokeAgentDetails {
    /// Creates it with the required values. The other values are optional.
    #[must_use]
    pub fn new(details: AgentDetails) -> Self {
        Self {
            details,
            endpoint: None,
            session_id: None,
        }
    }

    /// Sets the endpoint of the agent.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// Sets the id of the session.
    #[must_use]
    pub fn with_session_id(mut self, session_id: impl Into<String>) -> Self {
        self.session_id = Some(session_id.into());
        self
    }
}
