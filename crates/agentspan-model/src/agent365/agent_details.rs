//! Who an agent is.

use serde::{Deserialize, Serialize};

use super::{AgentId, AgentType, TenantId};

/// Who an agent is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AgentDetails {
    /// The agent's id.
    pub agent_id: AgentId,
    /// The name that people see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_name: Option<String>,
    /// The text on what the agent is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_description: Option<String>,
    /// The agent's own user id, "AUID".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_auid: Option<String>,
    /// The agent's user principal name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_upn: Option<String>,
    /// The id of the blueprint, or application, that the agent was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_blueprint_id: Option<String>,
    /// The kind of agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_type: Option<AgentType>,
    /// The agent's tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<TenantId>,
    /// The id of the conversation that the agent takes part in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<String>,
    /// The address of the agent's icon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon_uri: Option<String>,
}

impl AgentDetails {
    /// With what must be known; the rest is optional.
    #[must_use]
    pub fn new(agent_id: AgentId) -> Self {
        Self {
            agent_id,
            agent_name: None,
            agent_description: None,
            agent_auid: None,
            agent_upn: None,
            agent_blueprint_id: None,
            agent_type: None,
            tenant_id: None,
            conversation_id: None,
            icon_uri: None,
        }
    }

    /// Sets the name that people see.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.agent_name = Some(name.into());
        self
    }

    /// Sets the text on what the agent is for.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.agent_description = Some(description.into());
        self
    }

    /// Sets the agent's own user id, "AUID".
    #[must_use]
    pub fn with_auid(mut self, auid: impl Into<String>) -> Self {
        self.agent_auid = Some(auid.into());
        self
    }

    /// Sets the agent's user principal name.
    #[must_use]
    pub fn with_upn(mut self, upn: impl Into<String>) -> Self {
        self.agent_upn = Some(upn.into());
        self
    }

    /// Sets the id of the blueprint, or application, that the agent was made from.
    #[must_use]
    pub fn with_blueprint_id(mut self, blueprint_id: impl Into<String>) -> Self {
        self.agent_blueprint_id = Some(blueprint_id.into());
        self
    }

    /// Sets the kind of agent.
    #[must_use]
    pub fn with_type(mut self, agent_type: AgentType) -> Self {
        self.agent_type = Some(agent_type);
        self
    }

    /// Sets the agent's tenant.
    #[must_use]
    pub fn with_tenant_id(mut self, tenant_id: TenantId) -> Self {
        self.tenant_id = Some(tenant_id);
        self
    }

    /// Sets the id of the conversation that the agent takes part in.
    #[must_use]
    pub fn with_conversation_id(mut self, conversation_id: impl Into<String>) -> Self {
        self.conversation_id = Some(conversation_id.into());
        self
    }

    /// Sets the address of the agent's icon.
    #[must_use]
    pub fn with_icon_uri(mut self, icon_uri: impl Into<String>) -> Self {
        self.icon_uri = Some(icon_uri.into());
        self
    }
}
