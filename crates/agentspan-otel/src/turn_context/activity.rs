//! A turn context as types.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A turn of a conversation, as bot frameworks hand it to an agent.
///
/// Reads from JSON with the field names of the reference, in snake case, or with those of the Bot
/// Framework, such as `channelId`; other fields are left out. Fields of the kinds of messages are named by
/// type there, so that entities and channel data stay JSON.
///
/// ```
/// use agentspan_otel::{BaggageBuilder, TurnContext};
///
/// # fn main() -> Result<(), serde_json::Error> {
/// let turn: TurnContext = serde_json::from_str(
///     r#"{"activity": {"channel_id": "msteams", "from": {"id": "user-1", "name": "Ada"},
///                      "recipient": {"agentic_app_id": "agent-1", "tenant_id": "tenant-1"}}}"#,
/// )?;
/// let baggage = BaggageBuilder::new().with_turn_context(&turn).build();
/// assert!(baggage.pairs().any(|pair| pair == ("tenant.id", "tenant-1")));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TurnContext {
    /// The activity of the turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity: Option<TurnActivity>,
}

/// The activity of a turn: a message, an event, a notification.
///
/// `Debug` does not show the entities and the data of the channel, which may hold contents.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TurnActivity {
    /// What it is, such as `message`.
    #[serde(
        rename = "type",
        alias = "Type",
        skip_serializing_if = "Option::is_none"
    )]
    pub activity_type: Option<String>,
    /// The channel, such as `msteams`.
    #[serde(alias = "channelId", skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<String>,
    /// The sender.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<ChannelAccount>,
    /// The agent that it was sent to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<ChannelAccount>,
    /// The conversation that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation: Option<Conversation>,
    /// The address of the channel's service.
    #[serde(alias = "serviceUrl", skip_serializing_if = "Option::is_none")]
    pub service_url: Option<String>,
    /// Things that the activity mentions; a comment or a mail names the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entities: Option<Vec<Value>>,
    /// The channel's own data, as an object or as its JSON text.
    #[serde(alias = "channelData", skip_serializing_if = "Option::is_none")]
    pub channel_data: Option<Value>,
}

impl fmt::Debug for TurnActivity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TurnActivity")
            .field("activity_type", &self.activity_type)
            .field("channel_id", &self.channel_id)
            .field("from", &self.from)
            .field("recipient", &self.recipient)
            .field("conversation", &self.conversation)
            .field("service_url", &self.service_url)
            .field("entities", &self.entities.as_ref().map(Vec::len))
            .field("has_channel_data", &self.channel_data.is_some())
            .finish()
    }
}

/// A participant of a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ChannelAccount {
    /// The id on the channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The name that people see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The user principal name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upn: Option<String>,
    /// The user id in the directory.
    #[serde(alias = "aadObjectId", skip_serializing_if = "Option::is_none")]
    pub aad_object_id: Option<String>,
    /// An agent's application.
    #[serde(alias = "agenticAppId", skip_serializing_if = "Option::is_none")]
    pub agentic_app_id: Option<String>,
    /// An agent's own user.
    #[serde(alias = "agenticUserId", skip_serializing_if = "Option::is_none")]
    pub agentic_user_id: Option<String>,
    /// The role; `agenticUser`, in any case, is an agent.
    #[serde(alias = "Role", skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The tenant.
    #[serde(alias = "tenantId", skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
}

/// A conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Conversation {
    /// Its id.
    #[serde(alias = "Id", skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl TurnContext {
    /// A turn with an activity.
    #[must_use]
    pub fn new(activity: TurnActivity) -> Self {
        Self {
            activity: Some(activity),
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        // All fields are texts and JSON, which always have a form as JSON.
        serde_json::to_value(self).unwrap_or_default()
    }
}
