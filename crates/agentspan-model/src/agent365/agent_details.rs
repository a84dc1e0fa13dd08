//! The identity and the description of an agent.

use serde::{Deserialize, Serialize};

use super::{AgentId, AgentType, TenantId};

/// The identity and the description of an agent.
///
/// All profiles share this type. Each field names the profiles that do not write it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AgentDetails {
    /// The agent's id.
    pub agent_id: AgentId,
    /// The display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_name: Option<String>,
    /// The description of the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_description: Option<String>,
    /// The object id of the user account in Entra that the agent has of its own ("AUID", agentic
    /// user id), if it has one.
    #[serde(
        default,
        alias = "agentic_user_id",
        skip_serializing_if = "Option::is_none"
    )]
    pub agent_auid: Option<String>,
    /// The agent's user principal name; written by 0.1.0 alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_upn: Option<String>,
    /// The application id of the blueprint in Entra that the agent was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_blueprint_id: Option<String>,
    /// The kind of agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_type: Option<AgentType>,
    /// The agent's tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<TenantId>,
    /// The id of the agent's conversation. With 2.0.0, the conversation of the request takes
    /// precedence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<String>,
    /// The address of the agent's icon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon_uri: Option<String>,
    /// The mail address of the agent's own user; not written by 0.1.0, like the following fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agentic_user_email: Option<String>,
    /// The id of the platform that the agent runs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_platform_id: Option<String>,
    /// The provider of the agent's model, such as `openai`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_name: Option<String>,
    /// The version of the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<String>,
}

impl AgentDetails {
    /// Creates it with the required values. The other values are optional.
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
            agentic_user_email: None,
            agent_platform_id: None,
            provider_name: None,
            agent_version: None,
        }
    }

    /// Sets the display name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.agent_name = Some(name.into());
        self
    }

    /// Sets the description of the agent.
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

    /// Sets the id of the blueprint, or application, of the agent.
    #[must_use]
    pub fn with_blueprint_id(mut self, blueprint_id: impl Into<String>) -> Self {
        self.agent_blueprint_id = Some(blueprint_id.into());
        self
    }

    /// Sets the kind of agent.
    #[must_use]
    pub fn with_type(mut self, agent_type: impl Into<AgentType>) -> Self {
        self.agent_type = Some(agent_type.into());
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

    /// Sets the mail address of the agent's own user.
    #[must_use]
    pub fn with_user_email(mut self, email: impl Into<String>) -> Self {
        self.agentic_user_email = Some(email.into());
        self
    }

    /// Sets the id of the platform that the agent runs on.
    #[must_use]
    pub fn with_platform_id(mut self, platform_id: impl Into<String>) -> Self {
        self.agent_platform_id = Some(platform_id.into());
        self
    }

    /// Sets the provider of the agent's model, such as `openai`.
    #[must_use]
    pub fn with_provider_name(mut self, provider_name: impl Into<String>) -> Self {
        self.provider_name = Some(provider_name.into());
        self
    }

    /// Sets the version of the agent.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.agent_version = Some(version.into());
        self
    }
}
